// report.json: what a run did, with what, and what came out.
#ifndef TG_REPORT_REPORT_H
#define TG_REPORT_REPORT_H

#include "report/run_state.h"

// Writes folder/report.json. Local, on rank 0.
tg_status tg_report_write(const tg_run *run, const char *folder);
// A forecast of memory by use, in bytes; NULL when memory is short.
json_t *tg_report_memory(const tg_forecast *forecast);
// The same as text, of a run that is solved. Local.
tg_status tg_report_print(const tg_run *run, tg_text *out);

#endif
