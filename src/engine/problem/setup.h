// From a job to something that can be minimised: data on the grid, properties verified, start point, problem.
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
  tg_spec *job;  // its own copy of the spec, see tg_spec_copy
  tg_model *model;
  tg_method *method;
  tg_lower_options lowering;     // what the plan is made with
  bool is_supposed;              // the method hangs on symmetry that the job does not declare: the numbers must show it
  const tg_spec_variable *asked; // the variables as the job gives them, before starts were chosen for them
  tg_setup_admit *admit;         // set before tg_setup_fill; NULL: any
  void *caller;                  // of admit
  tg_grid_choice choice;
  tg_grid *grid;
  tg_dmat **data;           // by position in plan->data
  tg_array_way *ways;       // by position in job->data: how numbers of the caller came onto the grid
  tg_dmat **set_data;       // by position in job->data: what constraints name, else NULL
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
} tg_setup;

// From the symbols to the method, once the data have their sizes (tg_spec_probe): what needs no process grid. *model
// and *method are to be destroyed, on failure too. Local.
tg_status tg_setup_compile(tg_spec *spec, const tg_lower_options *options, tg_model **model, tg_method **method);
// The same, but a wish that is refused may be one for symmetric data: those that the spec leaves open are supposed to
// be, until they are read. asked: the variables before starts were chosen for them. Local.
tg_status tg_setup_compile_supposing(tg_spec *spec, const tg_spec_variable *asked, const tg_lower_options *options,
                                     tg_model **model, tg_method **method, bool *is_supposed);
// The spec must outlive the setup. Sizes (headers of files, by rank 0), plan and grid: everything before the numbers.
// Collective.
tg_status tg_setup_create(MPI_Comm comm, const tg_spec *spec, const tg_lower_options *options, tg_setup **out);
// The same for an objective that is evaluated and not minimised, in the user's terms: a spec without constraints and
// relations, no method. Collective.
tg_status tg_setup_create_plain(MPI_Comm comm, const tg_spec *spec, tg_setup **out);
// Its data, space, executor and problem; x is the start as the spec gives it. Collective.
tg_status tg_setup_fill_plain(tg_setup *setup);
// Reads or generates the data, verifies declared properties, makes start point, executor and problem. Where the numbers
// show properties that the spec does not declare, model and method become those of the spec that does
// (found_use.h). Collective.
tg_status tg_setup_fill(tg_setup *setup);
// The start again: random entries with seeds seed + shift, moved into the feasible set. Collective.
tg_status tg_setup_start_again(tg_setup *setup, int64_t shift);
// The start is made of where the last points of a sweep ended: the sum of weights[k] times start k of the share, or the
// newest of them where f is lower there, moved into the feasible set. *serves false: f is not defined there, and the
// start is the job's own. Collective.
tg_status tg_setup_start_from(tg_setup *setup, int n, const double *weights, bool *serves);
// Reads or generates one datum and verifies its properties; errors are located at its declaration. Collective.
tg_status tg_setup_read_datum(tg_setup *setup, const tg_spec_data *datum, tg_dmat **out);
// The datum at that position of the model's plan, NULL for what is made of a metric. Collective.
tg_status tg_setup_make_datum(tg_setup *setup, const tg_model *model, int32_t position, tg_dmat **out);
// NULL is fine. Collective: the grid's communicators are freed.
void tg_setup_destroy(tg_setup **setup);

// The grid for this job on that many ranks: as given in the job, or chosen for its largest matrix. TG_VALUE, located,
// when the job's own does not fit the number of ranks. Local.
tg_status tg_setup_choose_grid(tg_spec *job, const tg_plan *plan, int ranks, tg_grid_choice *out);

#endif
