// The objective of a spec at points that a caller chooses.
#include "engine/problem/evaluator.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/problem/assemble.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

struct tg_evaluator {
  tg_setup *setup;
  bool is_known;       // f and gradient were made at `at`, the problem's current point
  opt_point *at;       // its copy
  opt_point *gradient; // there
  opt_point *moved;    // x + t d
  double f;
};

static tg_status fill(tg_evaluator *e, MPI_Comm comm, const tg_spec *spec)
{
  TG_TRY(tg_setup_create_plain(comm, spec, NULL, &e->setup));
  TG_TRY(tg_setup_fill_plain(e->setup));
  const opt_space *space = e->setup->space;
  TG_TRY(space->ops->create(space, &e->at));
  TG_TRY(space->ops->create(space, &e->gradient));
  return space->ops->create(space, &e->moved);
}

tg_status tg_evaluator_create(MPI_Comm comm, const tg_spec *spec, tg_evaluator **out)
{
  *out = NULL;
  tg_evaluator *e = NULL;
  tg_status status = tg_agree(comm, TG_NEW(1, &e));
  if (status == TG_OK) status = fill(e, comm, spec);
  if (status != TG_OK) {
    tg_evaluator_destroy(&e);
    return tg_error_pass(status, TG_HERE);
  }
  *out = e;
  return TG_OK;
}

void tg_evaluator_destroy(tg_evaluator **evaluator)
{
  tg_evaluator *e = *evaluator;
  if (e == NULL) return;
  if (e->setup != NULL && e->setup->space != NULL) {
    const opt_space *space = e->setup->space;
    space->ops->destroy(space, &e->at);
    space->ops->destroy(space, &e->gradient);
    space->ops->destroy(space, &e->moved);
  }
  tg_setup_destroy(&e->setup);
  tg_free(e);
  *evaluator = NULL;
}

const tg_setup *tg_evaluator_setup(const tg_evaluator *e)
{
  return e->setup;
}

// ---- the current point ----

static bool same_bits(const tg_dmat *a, const tg_dmat *b)
{
  for (int64_t j = 0; j < a->local_cols; j++)
    if (memcmp(a->data + j * a->ld, b->data + j * b->ld, (size_t)a->local_rows * sizeof(double)) != 0) return false;
  return true;
}

static tg_status is_current(const tg_evaluator *e, const opt_point *x, bool *out)
{
  int differs = e->is_known ? 0 : 1;
  for (int k = 0; k < tg_space_blocks(x) && differs == 0; k++)
    differs = !same_bits(tg_space_block(x, k), tg_space_block(e->at, k));
  if (e->setup->grid->size > 1)
    TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &differs, 1, MPI_INT, MPI_MAX, e->setup->grid->comm));
  *out = differs == 0;
  return TG_OK;
}

static tg_status check_symmetric(const tg_evaluator *e, const opt_point *x)
{
  static const double allowed = 1e-9;
  const tg_task *task = e->setup->task;
  for (int k = 0; k < task->spec->n_variables; k++) {
    double skewness = 0;
    if (task->variables[k].domain == 0) continue;
    TG_TRY(tg_space_skewness(e->setup->space, x, k, &skewness));
    if (skewness > allowed)
      TG_FAIL(TG_VALUE,
              "%s is not symmetric: it differs from its symmetric part by %.3g of its largest entry; the objective is "
              "defined for symmetric matrices",
              task->spec->variables[k].name, skewness);
  }
  return TG_OK;
}

static tg_status make_current(tg_evaluator *e, const opt_point *x)
{
  bool is_there = false;
  TG_TRY(is_current(e, x, &is_there));
  if (is_there) return TG_OK;
  TG_TRY(check_symmetric(e, x));
  opt_problem *problem = e->setup->problem;
  e->is_known = false;
  TG_TRY(opt_copy(e->setup->space, x, e->at));
  TG_TRY(problem->ops->gradient(problem, e->at, &e->f, e->gradient));
  e->is_known = true;
  return TG_OK;
}

// ---- what is asked ----

static tg_status value_elsewhere(tg_evaluator *e, const opt_point *x, double *f)
{
  opt_problem *problem = e->setup->problem;
  TG_TRY(check_symmetric(e, x));
  return problem->ops->value(problem, x, f);
}

tg_status tg_evaluator_value(tg_evaluator *e, const opt_point *x, double *f)
{
  bool is_there = false;
  *f = (double)NAN;
  TG_TRY(is_current(e, x, &is_there));
  if (!is_there) return value_elsewhere(e, x, f);
  *f = e->f;
  return TG_OK;
}

tg_status tg_evaluator_gradient(tg_evaluator *e, const opt_point *x, double *f, opt_point *gradient)
{
  *f = (double)NAN;
  TG_TRY(make_current(e, x));
  *f = e->f;
  return opt_copy(e->setup->space, e->gradient, gradient);
}

tg_status tg_evaluator_hessian(tg_evaluator *e, const opt_point *x, const opt_point *v, opt_point *hv)
{
  opt_problem *problem = e->setup->problem;
  if (!problem->has_hessian) TG_FAIL(TG_UNSUPPORTED, "the objective has no Hessian action");
  TG_TRY(make_current(e, x));
  return problem->ops->hessian(problem, e->at, v, hv);
}

static double horner(int degree, const double *c, double t)
{
  double sum = c[degree];
  for (int k = degree - 1; k >= 0; k--) sum = sum * t + c[k];
  return sum;
}

// c of f(x + t d) at the current point; a quadratic's comes from its Hessian action.
static tg_status find_polynomial(tg_evaluator *e, const opt_point *d, double *c)
{
  opt_problem *problem = e->setup->problem;
  const bool is_quadratic = e->setup->model->plan->line_by_hessian;
  if (!is_quadratic) return problem->ops->line(problem, e->at, d, c);
  const opt_space *space = e->setup->space;
  TG_TRY(problem->ops->hessian(problem, e->at, d, e->moved));
  c[0] = e->f;
  TG_TRY(opt_dot(space, e->gradient, d, &c[1]));
  TG_TRY(opt_dot(space, d, e->moved, &c[2]));
  c[2] /= 2;
  return TG_OK;
}

tg_status tg_evaluator_line(tg_evaluator *e, const opt_point *x, const opt_point *d, int n, const double *t, double *f)
{
  const opt_problem *problem = e->setup->problem;
  double c[OPT_DEGREE_MAX + 1] = {0};
  if (problem->degree >= 0) {
    TG_TRY(make_current(e, x));
    TG_TRY(find_polynomial(e, d, c));
    for (int k = 0; k < n; k++) f[k] = horner(problem->degree, c, t[k]);
    return TG_OK;
  }
  for (int k = 0; k < n; k++) {
    TG_TRY(opt_copy(e->setup->space, x, e->moved));
    TG_TRY(opt_axpby(e->setup->space, t[k], d, 1, e->moved));
    TG_TRY(value_elsewhere(e, e->moved, &f[k]));
  }
  return TG_OK;
}
