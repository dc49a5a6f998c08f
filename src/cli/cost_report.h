// The plan's predicted cost in words and figures: for `plan`, the header of `run` and the report.
#ifndef TG_CLI_COST_REPORT_H
#define TG_CLI_COST_REPORT_H

#include "grad/plan.h"
#include "mpi/exec.h"
#include "mpi/grid.h"

// The line of a run's header: flops of a gradient, and memory.
tg_status tg_cost_print_header(const tg_plan *plan, const tg_grid_choice *grid, int threads, tg_text *out);

// The table of `tracegrad plan`: each program's flops, bytes, messages and seconds, and the memory of a rank.
tg_status tg_cost_print_table(const tg_plan *plan, const tg_grid_choice *grid, int threads, tg_text *out);

// What the model says for the programs that have run so often: flops of all ranks together and the bytes their products
// send, both of which the executor counts as well; bytes of memory of the fullest rank.
tg_status tg_cost_predict_run(const tg_exec *exec, const tg_grid_choice *grid, int threads, double *flops,
                              double *bytes, double *memory);

// Refuses (TG_MEMORY, on all ranks) a plan that needs more memory than a node has for its ranks, with figures and a
// suggestion. Collective.
tg_status tg_cost_check_memory(MPI_Comm comm, const tg_plan *plan, const tg_grid_choice *grid, int ranks_per_node);

#endif
