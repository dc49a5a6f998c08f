// The Newton equation where a minimisation ended.
//
// Preconditioned conjugate gradients from zero with P H P, P the projection onto the tangents. The residual that they
// carry along drifts: it is computed again at the end, and where it is too large the iteration goes on from it.
#include "opt/newton_equation.h"

#include <float.h>

#include "base/memory.h"
#include "opt/vector.h"

enum { ROUNDS_MAX = 4 };

// <d, H d> below this share of the largest |<d, H d>| / <d, d> met, times <d, d>, is none.
static const double flat = 1e-13;
// A round that lowers the residual by less has met its rounding error.
static const double gain_wanted = 0.5;
// Of such a one that is accepted.
static const double residual_accepted = 1e-8;
// A residual below this share of the size of H times |x| is rounding: a right side may vanish but for that.
static const double rounding = 1e-13;

typedef struct work {
  const opt_newton_equation *by;
  const opt_space *space;
  opt_point *b; // projected
  opt_point *r; // b - H y
  opt_point *z; // M^-1 r
  opt_point *d;
  opt_point *hd;
  double rayleigh_max;
} work;

static void destroy(work *w)
{
  opt_point **const points[] = {&w->b, &w->r, &w->z, &w->d, &w->hd};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) w->space->ops->destroy(w->space, points[i]);
}

static tg_status create(const opt_newton_equation *by, work *w)
{
  *w = (work){.by = by, .space = by->problem->space};
  opt_point **const points[] = {&w->b, &w->r, &w->z, &w->d, &w->hd};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) TG_TRY(w->space->ops->create(w->space, points[i]));
  return TG_OK;
}

tg_status opt_newton_equation_project(const opt_newton_equation *by, opt_point *v)
{
  switch (by->tangents) {
  case OPT_TANGENTS_ALL:
    return TG_OK;
  case OPT_TANGENTS_FACE:
    return by->constraint->ops->mask(by->constraint, by->x, by->g, false, v);
  case OPT_TANGENTS_MANIFOLD:
    return by->constraint->ops->tangent(by->constraint, by->x, v);
  case OPT_TANGENTS_LINEAR:
    return by->constraint->ops->project(by->constraint, v);
  }
  TG_FAIL(TG_INTERNAL, "a Newton equation without a space");
}

tg_status opt_newton_equation_apply(const opt_newton_equation *by, const opt_point *v, opt_point *hv)
{
  TG_TRY(by->problem->ops->hessian(by->problem, by->x, v, hv));
  if (by->tangents == OPT_TANGENTS_MANIFOLD) TG_TRY(by->constraint->ops->hessian(by->constraint, by->x, by->g, v, hv));
  return opt_newton_equation_project(by, hv);
}

// z := P M^-1 r
static tg_status precondition(const work *w)
{
  const opt_newton_equation *by = w->by;
  const opt_preconditioner *m = by->preconditioner;
  if (by->closed_form != NULL) {
    TG_TRY(by->closed_form->solve(by->closed_form->self, by->x, w->r, w->z));
    return opt_axpby(w->space, 1, by->x, -1, w->z);
  }
  if (m == NULL) return opt_copy(w->space, w->r, w->z);
  TG_TRY(m->apply_at != NULL ? m->apply_at(m->self, by->x, w->r, w->z) : m->apply(m->self, w->r, w->z));
  return opt_newton_equation_project(by, w->z);
}

// H d and its curvature.
static tg_status curve(work *w, double *dhd, opt_newton_verdict *verdict)
{
  double p[2];
  TG_TRY(opt_newton_equation_apply(w->by, w->d, w->hd));
  TG_TRY(w->space->ops->dots(w->space, 2, (const opt_point *const[]){w->d, w->d},
                             (const opt_point *const[]){w->hd, w->d}, p));
  *dhd = p[0];
  w->rayleigh_max = fmax(w->rayleigh_max, fabs(p[0]) / p[1]);
  const double least = flat * w->rayleigh_max * p[1];
  *verdict = p[0] > least ? OPT_NEWTON_SOLVED : p[0] < -least ? OPT_NEWTON_NEGATIVE : OPT_NEWTON_FLAT;
  return TG_OK;
}

// From the residual in r: y moves until the one carried along is at most `enough`.
static tg_status iterate(work *w, double enough, int64_t iterations, opt_point *y, opt_newton_result *result)
{
  const opt_space *space = w->space;
  double rz = 0;
  TG_TRY(precondition(w));
  TG_TRY(opt_copy(space, w->z, w->d));
  TG_TRY(opt_dot(space, w->r, w->z, &rz));
  while (result->iterations < iterations && rz > 0) {
    double dhd = 0;
    double p[2];
    TG_TRY(curve(w, &dhd, &result->verdict));
    if (result->verdict != OPT_NEWTON_SOLVED) return TG_OK;
    result->iterations++;
    TG_TRY(opt_axpby(space, rz / dhd, w->d, 1, y));
    TG_TRY(opt_axpby(space, -rz / dhd, w->hd, 1, w->r));
    TG_TRY(precondition(w));
    TG_TRY(
        space->ops->dots(space, 2, (const opt_point *const[]){w->r, w->r}, (const opt_point *const[]){w->z, w->r}, p));
    if (sqrt(p[1]) <= enough) return TG_OK;
    TG_TRY(opt_axpby(space, 1, w->z, p[0] / rz, w->d));
    rz = p[0];
  }
  return TG_OK;
}

// r := b - H y and its norm.
static tg_status find_residual(work *w, const opt_point *y, double *norm)
{
  TG_TRY(opt_newton_equation_apply(w->by, y, w->hd));
  TG_TRY(opt_copy(w->space, w->b, w->r));
  TG_TRY(opt_axpby(w->space, -1, w->hd, 1, w->r));
  return opt_norm(w->space, w->r, norm);
}

// A residual of that norm may be rounding: then it is one of H x.
static tg_status forgive(const work *w, double norm, opt_newton_result *result)
{
  double x_norm = 0;
  TG_TRY(opt_norm(w->space, w->by->x, &x_norm));
  const double size = w->rayleigh_max * x_norm;
  if (norm <= rounding * size)
    result->residual = norm / size;
  else
    result->verdict = OPT_NEWTON_UNFINISHED;
  return TG_OK;
}

static tg_status solve(work *w, const opt_point *b, double tolerance, int64_t iterations, opt_point *y,
                       opt_newton_result *result)
{
  double size = 0;
  double norm = 0;
  *result = (opt_newton_result){.verdict = OPT_NEWTON_SOLVED};
  TG_TRY(opt_copy(w->space, b, w->b));
  TG_TRY(opt_newton_equation_project(w->by, w->b));
  TG_TRY(opt_axpby(w->space, 0, b, 0, y));
  TG_TRY(opt_norm(w->space, w->b, &size));
  TG_TRY(opt_copy(w->space, w->b, w->r));
  if (!(size > 0)) return TG_OK;
  result->residual = 1;
  for (int round = 0; round < ROUNDS_MAX; round++) {
    const double before = result->residual;
    TG_TRY(iterate(w, tolerance * size, iterations, y, result));
    if (result->verdict != OPT_NEWTON_SOLVED) return TG_OK;
    TG_TRY(find_residual(w, y, &norm));
    result->residual = norm / size;
    if (result->residual <= tolerance) return TG_OK;
    if (result->iterations >= iterations || !(result->residual <= gain_wanted * before)) break;
  }
  if (result->residual <= fmax(tolerance, residual_accepted)) return TG_OK;
  return forgive(w, norm, result);
}

tg_status opt_newton_equation_solve(const opt_newton_equation *by, const opt_point *b, double tolerance,
                                    int64_t iterations, opt_point *y, opt_newton_result *result)
{
  work w;
  tg_status status = create(by, &w);
  if (status == TG_OK) status = solve(&w, b, tolerance, iterations, y, result);
  destroy(&w);
  return status;
}
