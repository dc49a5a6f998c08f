// A whole run around the engine: its files and its report, and what a caller may show of it or ask of it.
#ifndef TG_REPORT_RUN_H
#define TG_REPORT_RUN_H

#include "report/run_state.h"

// Runs the job, which has been read, and writes what its spec asks for: variables, history.jsonl and report.json, or no
// files where it has no output_directory. How the minimisation ended is run->engine->result.outcome. Job and options
// must outlive the run. *out is never NULL after TG_OK and may be set after a failure too: tg_run_destroy in any case.
// Collective.
tg_status tg_run_execute(MPI_Comm comm, const tg_job *job, const tg_run_options *options, tg_run **out);
// NULL is fine. Collective.
void tg_run_destroy(tg_run **run);

#endif
