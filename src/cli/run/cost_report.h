// The plan's predicted cost in words and figures: for `plan`, the header of `run` and the report.
#ifndef TG_CLI_COST_REPORT_H
#define TG_CLI_COST_REPORT_H

#include "engine/method/method_price.h"
#include "engine/model/model.h"
#include "grad/plan/cost.h"
#include "mpi/exec/exec.h"
#include "mpi/matrix/grid.h"

// The line of a run's header: flops of a gradient, and the peak of memory (bytes).
tg_status tg_cost_print_header(const tg_plan *plan, const tg_grid_choice *grid, int threads, double memory,
                               tg_text *out);

// The table of `tracegrad plan`: each program's flops, bytes, messages and seconds, what the closed form or the
// preconditioner adds, and the cost as written.
tg_status tg_cost_print_table(tg_job *job, tg_model *model, const tg_method *method, const tg_grid_choice *grid,
                              int threads, tg_text *out);

// An iteration of a descent method by the plan, and value and gradient as written.
typedef struct tg_cost_compared {
  int64_t products;
  double flops;
  tg_written_cost written;
} tg_cost_compared;

tg_status tg_cost_compare(const tg_model *model, tg_cost_compared *out);

// What the model says for the programs that have run so often: flops of all ranks together and the bytes their products
// send, both of which the executor counts as well.
tg_status tg_cost_predict_run(const tg_exec *exec, const tg_grid_choice *grid, int threads, double *flops,
                              double *bytes);

// The price of what the method took: its closed form, or its preconditioner.
tg_status tg_cost_price_method(tg_job *job, tg_model *model, const tg_method *method, const tg_grid_choice *grid,
                               int threads, tg_method_price *out);
tg_cost_grid tg_cost_grid_of(const tg_grid_choice *grid, int threads);

#endif
