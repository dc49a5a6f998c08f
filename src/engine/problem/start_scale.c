// A random direction from the start without the chosen variables, and how far to go along it.
#include "engine/problem/start_scale.h"

#include <math.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

static bool is_scaled(const tg_task_variable *x)
{
  const opt_constraint_row *row = opt_constraint_find(x->constraint);
  return x->start_is_chosen && !x->spec->scale_is_given && (row == NULL || !row->has_oracle);
}

// d := the scaled variables of x, which become zero there.
static void take_apart(const tg_setup *setup, opt_point *d)
{
  for (int k = 0; k < setup->task->spec->n_variables; k++)
    tg_dmat_fill(0.0, tg_space_block(is_scaled(&setup->task->variables[k]) ? setup->x : d, k));
}

// The largest t at which the leading term is as large as another one: f = |M - t^2 U V|^2 has t^4 |U V|^2 = |M|^2
// there.
static double balance(int degree, const double *c)
{
  double t = 0;
  while (degree > 0 && c[degree] == 0) degree--;
  for (int k = 0; k < degree; k++) t = fmax(t, pow(fabs(c[k] / c[degree]), 1.0 / (degree - k)));
  return t > 0 && isfinite(t) ? t : 1;
}

static tg_status value_at(tg_setup *setup, const opt_point *d, double t, opt_point *trial, double *f)
{
  TG_TRY(opt_copy(setup->space, setup->x, trial));
  TG_TRY(opt_axpby(setup->space, t, d, 1, trial));
  TG_TRY(setup->problem->ops->value(setup->problem, trial, f));
  if (!isfinite(*f)) *f = (double)INFINITY;
  return TG_OK;
}

// A power of ten: where f is lower than without the chosen variables, the best one next to it; else the largest that
// raises f by a tenth at most.
static tg_status search(tg_setup *setup, const opt_point *d, opt_point *trial, double *t)
{
  enum { POWERS_MAX = 12 };
  double without = 0;
  double best = 0;
  *t = 1;
  TG_TRY(value_at(setup, d, 0, trial, &without));
  TG_TRY(value_at(setup, d, 1, trial, &best));
  const double allowed = without + 0.1 * fabs(without);
  for (int k = 0; k < POWERS_MAX && best > allowed; k++) TG_TRY(value_at(setup, d, *t /= 10, trial, &best));
  if (!(best <= allowed)) *t = 1; // no size is better than another
  for (int k = 0; k < POWERS_MAX && best < without; k++) {
    double f = 0;
    TG_TRY(value_at(setup, d, 10 * *t, trial, &f));
    if (!(f < best)) break;
    best = f;
    *t *= 10;
  }
  return TG_OK;
}

static tg_status choose(tg_setup *setup, const opt_point *d, opt_point *trial, double *t)
{
  opt_problem *problem = setup->problem;
  double c[OPT_DEGREE_MAX + 1];
  *t = 1;
  if (problem->degree >= 0 && problem->degree <= 2) return TG_OK; // every length is as good
  if (problem->degree < 0) return search(setup, d, trial, t);
  TG_TRY(problem->ops->gradient(problem, setup->x, &c[0], trial));
  TG_TRY(problem->ops->line(problem, setup->x, d, c));
  *t = balance(problem->degree, c);
  return TG_OK;
}

tg_status tg_start_scale(tg_setup *setup)
{
  const opt_space *space = setup->space;
  opt_point *d = NULL;
  opt_point *trial = NULL;
  double t = 1;
  bool any = false;
  for (int k = 0; k < setup->task->spec->n_variables; k++) any = any || is_scaled(&setup->task->variables[k]);
  if (!any) return TG_OK;
  const opt_counts before = setup->problem->counts;
  tg_status status = space->ops->create(space, &d);
  if (status == TG_OK) status = space->ops->create(space, &trial);
  if (status == TG_OK) status = opt_copy(space, setup->x, d);
  if (status == TG_OK) {
    take_apart(setup, d);
    status = choose(setup, d, trial, &t);
  }
  if (status == TG_OK) status = opt_axpby(space, t, d, 1, setup->x);
  space->ops->destroy(space, &d);
  space->ops->destroy(space, &trial);
  setup->problem->counts = before;
  return status;
}
