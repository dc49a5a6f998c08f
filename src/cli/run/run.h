// A whole run: job to problem, minimisation, results. What `tracegrad run` and the C API have in common.
#ifndef TG_CLI_RUN_H
#define TG_CLI_RUN_H

#include "cli/run/progress.h"
#include "engine/engine.h"
#include "engine/run/environment.h"
#include "job/job.h"

typedef struct tg_run_options {
  const char *path; // of the job file
  int n_sets;
  const char *const *sets; // KEY=VALUE
  const char *output;      // folder; NULL: as the job says
  int n_arguments;         // of the command line, for the report
  const char *const *arguments;
  bool console; // header and progress on stderr
  bool warns;   // warnings
  tg_progress_mode progress;
  bool watch_signals;
  bool resume;   // from the newest intact checkpoint
  bool confined; // the job is somebody else's: it keeps to its folders
  bool force;    // a folder that holds the results of another job is overwritten
} tg_run_options;

// Seconds of all runs that led here, as far as they were saved.
typedef struct tg_run_seconds {
  double write;
  double total;
} tg_run_seconds;

// A run of the program or of the C API around the engine: its files, its console, its report.
typedef struct tg_run {
  MPI_Comm comm;
  const tg_run_options *options; // not owned
  char date[32];                 // of the beginning, UTC, as ISO 8601 writes it; rank 0
  json_t *earlier_files;         // names that an earlier run of this job has left in the folder; rank 0, NULL: none
  tg_job *job;
  tg_messages messages; // to the console
  tg_environment environment;
  tg_engine *engine;
  opt_point *ray;   // along which the objective falls without end, where a direction was found; else NULL
  bool *writes_ray; // of each variable: its part of the ray has a file
  double begin;     // by MPI_Wtime
  bool is_solved;   // the minimisation came to its end, whatever became of the files
  bool is_early;    // a signal came before the first iteration: nothing was computed, nothing is written
  tg_run_seconds seconds;
  char revised[256]; // what has become of a choice that the run has revised: for progress
} tg_run;

// Runs the job and writes variables, history.jsonl and report.json. How the minimisation ended is
// run->engine->result.outcome. On failure run->spec, when there is one, tells the place of the error (tg_job_diagnose).
// *out is never NULL after TG_OK and may be set after a failure too: tg_run_destroy in any case. Collective.
tg_status tg_run_execute(MPI_Comm comm, const tg_run_options *options, tg_run **out);
void tg_run_destroy(tg_run **run);

// Writes folder/report.json. Local, on rank 0.
tg_status tg_report_write(const tg_run *run, const char *folder);

#endif
