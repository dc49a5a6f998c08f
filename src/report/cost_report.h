// The plan's predicted cost in words and figures: for `plan`, the header of `run` and the report.
#ifndef TG_REPORT_COST_REPORT_H
#define TG_REPORT_COST_REPORT_H

#include "engine/run/run_cost.h"

// The line of a run's header: flops of a gradient, and the peak of memory (bytes).
tg_status tg_cost_print_header(const tg_plan *plan, const tg_grid_choice *grid, int threads, double memory,
                               tg_text *out);

// The table of `tracegrad plan`: each program's flops, bytes, messages and seconds, what the closed form or the
// preconditioner adds, and the cost as written.
tg_status tg_cost_print_table(const tg_task *task, tg_model *model, const tg_method *method, const tg_grid_choice *grid,
                              int threads, tg_text *out);

#endif
