// The table of solvers, and steps into the set of a run.
#include "opt/solver.h"

#include <string.h>

const opt_solver *opt_solver_find(const char *name)
{
  static const opt_solver *const tables[] = {
#define OPT_SOLVER(row_name, table, help) &table,
#include "opt/solvers.def"
#undef OPT_SOLVER
  };
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    if (strcmp(tables[i]->name, name) == 0) return tables[i];
  }
  return NULL;
}

bool opt_ignores_start(const opt_options *options, const opt_solver *solver)
{
  return solver->ignores_start && options->max_iterations > 0;
}

// ---- steps into the set ----

tg_status opt_run_proximal(const opt_run *run, double a, opt_point *x)
{
  const opt_constraint *constraint = run->constraint;
  if (constraint->traits.has_norm1) return constraint->ops->proximal(constraint, a, x);
  return constraint->ops->approach(constraint, x);
}

tg_status opt_run_add_norm1(const opt_run *run, const opt_point *x, double *f)
{
  double norm1 = 0;
  if (run->constraint == NULL || !run->constraint->traits.has_norm1) return TG_OK;
  TG_TRY(run->constraint->ops->norm1(run->constraint, x, &norm1));
  *f += norm1;
  return TG_OK;
}

tg_status opt_run_make_feasible(opt_run *run)
{
  if (run->constraint == NULL) return TG_OK;
  TG_TRY(run->constraint->ops->project(run->constraint, run->x));
  run->is_fresh = false;
  return TG_OK;
}
