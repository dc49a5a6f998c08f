// From a spec to something that can be minimised: data on the grid, properties verified, start point, problem.
#ifndef TG_ENGINE_SETUP_H
#define TG_ENGINE_SETUP_H

#include "engine/method/method.h"
#include "mpi/exec/exec.h"
#include "mpi/matrix/grid.h"
#include "opt/problem.h"

// The numbers of a change of variables (metric_change.h): S = root' root.
typedef struct tg_setup_metric {
  const tg_dmat *s;
  tg_dmat *own; // S, where the plan does not hold it
  tg_dmat *root;
  tg_dmat *inverse; // Q: the plan borrows it
} tg_setup_metric;

// Whether the caller can do with a model and its method in the place of those there are: TG_OK, or why not.
typedef tg_status tg_setup_admit(void *caller, tg_model *model, tg_method *method);

typedef struct tg_setup {
  MPI_Comm comm; // given by the caller, not owned
  tg_task *task; // the spec, and what was found out about it
  tg_model *model;
  tg_method *method;
  tg_lower_options lowering; // what the plan is made with
  bool is_supposed;          // the method hangs on symmetry that the job does not declare: the numbers must show it
  tg_setup_admit *admit;     // set before tg_setup_fill; NULL: any
  void *caller;              // of admit
  tg_grid_choice choice;
  tg_grid *grid;
  tg_dmat **data;           // by position in plan->data
  tg_array_way *ways;       // by position in task->data: how numbers of the caller came onto the grid
  tg_dmat **set_data;       // by position in task->data: what constraints name, else NULL
  bool *owns_set_data;      // the plan does not hold it
  tg_setup_metric *metrics; // by position in model->changes; NULL: none
  opt_space *space;
  opt_point *x; // the start, later the result
  tg_exec *exec;
  opt_problem *problem;
  opt_constraint *constraint; // NULL: none
  bool probe;                 // set before tg_setup_fill: products are tested, see mpi/exec/probe.h
  double *own_norms;          // of the gradient at the job's own start, by variable, where it begins elsewhere; or NULL
  char start_note[512];       // what the default start became, see domain_start.h; "": nothing
  double read_seconds;        // of the files and generators
  int64_t read_bytes;         // of numbers, all ranks together
  double flops_before;        // of the grid, which points of a sweep share
} tg_setup;

#endif
