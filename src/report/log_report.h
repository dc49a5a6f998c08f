// Where the time of a run went, as text and for report.json.
#ifndef TG_REPORT_LOG_REPORT_H
#define TG_REPORT_LOG_REPORT_H

#include <jansson.h>

#include "engine/engine.h"

// The table of `run --log-view`: programs with their operations, and what the solve took outside of them.
void tg_log_print(const tg_engine *engine, int ranks, tg_text *out);
// [{"program", "variable" of a half-step, "calls", "seconds", "imbalance", "flops", "bytes", "operations": [...]}];
// NULL when memory is short.
json_t *tg_log_report(const tg_run_log *log);

#endif
