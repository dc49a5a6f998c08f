// What a run costs by the model: an iteration beside the objective as written, and the programs that ran.
#ifndef TG_ENGINE_RUN_COST_H
#define TG_ENGINE_RUN_COST_H

#include "engine/method/method_price.h"
#include "grad/plan/cost.h"
#include "mpi/exec/exec.h"
#include "mpi/matrix/grid.h"

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
tg_status tg_cost_price_method(const tg_task *task, tg_model *model, const tg_method *method,
                               const tg_grid_choice *grid, int threads, tg_method_price *out);

// The cost of a program on the usual machine.
tg_status tg_cost_of_program(const tg_plan *plan, tg_program_id program, const tg_grid_choice *grid, int threads,
                             tg_cost *out);

tg_cost_grid tg_cost_grid_of(const tg_grid_choice *grid, int threads);

#endif
