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
// What differences of projections leave of a residual.
static const double residual_of_convex = 1e-9;
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

// ---- convex sets ----

// |t v| as a share of x: far above the rounding of a projection, far below the distance to other faces.
static const double near = 1e-5;

// a such that a g is as long as x, or as H x would be where g is small beside it: else its rounding would be taken for
// multipliers. Less where the part of g that does not vanish would hide what is `length` long.
static tg_status choose_scale(opt_newton_equation *by)
{
  const opt_space *space = by->problem->space;
  double size = 0;
  double slope = 0;
  double residual = 0;
  TG_TRY(opt_norm(space, by->x, &size));
  TG_TRY(by->problem->ops->hessian(by->problem, by->x, by->x, by->z));
  TG_TRY(opt_norm(space, by->z, &residual));
  TG_TRY(opt_norm(space, by->g, &slope));
  slope = fmax(slope, residual);
  if (!(size > 0)) size = 1;
  by->length = near * size;
  by->a = slope > 0 ? size / slope : 1;
  TG_TRY(opt_copy(space, by->x, by->z));
  TG_TRY(opt_axpby(space, -by->a, by->g, 1, by->z));
  TG_TRY(by->constraint->ops->project(by->constraint, by->z));
  TG_TRY(opt_axpby(space, -1, by->x, 1, by->z));
  TG_TRY(opt_norm(space, by->z, &residual));
  by->a *= fmin(1, 0.01 * by->length / fmax(residual, DBL_MIN));
  TG_TRY(opt_copy(space, by->x, by->z));
  return opt_axpby(space, -by->a, by->g, 1, by->z);
}

tg_status opt_newton_equation_open(opt_newton_equation *by)
{
  const opt_space *space = by->problem->space;
  if (by->tangents != OPT_TANGENTS_CONVEX) return TG_OK;
  TG_TRY(space->ops->create(space, &by->z));
  for (int k = 0; k < 2; k++) TG_TRY(space->ops->create(space, &by->room[k]));
  return choose_scale(by);
}

void opt_newton_equation_close(opt_newton_equation *by)
{
  if (by->problem == NULL) return;
  const opt_space *space = by->problem->space;
  space->ops->destroy(space, &by->z);
  for (int k = 0; k < 2; k++) space->ops->destroy(space, &by->room[k]);
}

// room := P(z + t v)
static tg_status project_near(const opt_newton_equation *by, double t, const opt_point *v, opt_point *room)
{
  const opt_space *space = by->problem->space;
  TG_TRY(opt_copy(space, by->z, room));
  if (t != 0) TG_TRY(opt_axpby(space, t, v, 1, room));
  return by->constraint->ops->project(by->constraint, room);
}

// v := D v
static tg_status differentiate_projection(const opt_newton_equation *by, opt_point *v)
{
  const opt_space *space = by->problem->space;
  double norm = 0;
  TG_TRY(opt_norm(space, v, &norm));
  if (!(norm > 0)) return TG_OK;
  const double t = by->length / norm;
  TG_TRY(project_near(by, t, v, by->room[0]));
  TG_TRY(project_near(by, -t, v, by->room[1]));
  TG_TRY(opt_copy(space, by->room[0], v));
  return opt_axpby(space, -1 / (2 * t), by->room[1], 1 / (2 * t), v);
}

// hv := D ((I - D) / a + H D) v. D v is kept in hv while v is needed.
static tg_status apply_convex(const opt_newton_equation *by, const opt_point *v, opt_point *hv)
{
  const opt_space *space = by->problem->space;
  opt_point *moved = NULL;
  TG_TRY(space->ops->create(space, &moved));
  tg_status status = opt_copy(space, v, moved);
  if (status == TG_OK) status = differentiate_projection(by, moved);
  if (status == TG_OK) status = by->problem->ops->hessian(by->problem, by->x, moved, hv);
  if (status == TG_OK) status = opt_axpby(space, -1 / by->a, moved, 1, hv);
  if (status == TG_OK) status = opt_axpby(space, 1 / by->a, v, 1, hv);
  space->ops->destroy(space, &moved);
  return status == TG_OK ? differentiate_projection(by, hv) : status;
}

// w = y + a (b - H y): what z moves by where x moves by y.
static tg_status find_change(const opt_newton_equation *by, const opt_point *b, const opt_point *y, opt_point *w)
{
  const opt_space *space = by->problem->space;
  TG_TRY(by->problem->ops->hessian(by->problem, by->x, y, w));
  TG_TRY(opt_axpby(space, by->a, b, -by->a, w));
  return opt_axpby(space, 1, y, 1, w);
}

static tg_status bend_along(const opt_newton_equation *by, const opt_point *w, opt_point *center, double size,
                            double *out)
{
  const opt_space *space = by->problem->space;
  double norm = 0;
  TG_TRY(opt_norm(space, w, &norm));
  if (!(norm > 0) || !(size > 0)) return TG_OK;
  const double t = by->length / norm;
  TG_TRY(project_near(by, 0, w, center));
  TG_TRY(project_near(by, t, w, by->room[0]));
  TG_TRY(project_near(by, -t, w, by->room[1]));
  TG_TRY(opt_axpby(space, -2, center, 1, by->room[0]));
  TG_TRY(opt_axpby(space, 1, by->room[1], 1, by->room[0]));
  TG_TRY(opt_norm(space, by->room[0], &norm));
  *out = norm / t / size;
  return TG_OK;
}

tg_status opt_newton_equation_bend(const opt_newton_equation *by, const opt_point *b, const opt_point *y, double *out)
{
  const opt_space *space = by->problem->space;
  opt_point *w = NULL;
  opt_point *center = NULL;
  double size = 0;
  *out = 0;
  if (by->tangents != OPT_TANGENTS_CONVEX) return TG_OK;
  tg_status status = space->ops->create(space, &w);
  if (status == TG_OK) status = space->ops->create(space, &center);
  if (status == TG_OK) status = find_change(by, b, y, w);
  if (status == TG_OK) status = opt_norm(space, y, &size);
  if (status == TG_OK) status = bend_along(by, w, center, size, out);
  space->ops->destroy(space, &center);
  space->ops->destroy(space, &w);
  return status;
}

// ---- the equation ----

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
  case OPT_TANGENTS_CONVEX:
    return differentiate_projection(by, v);
  }
  TG_FAIL(TG_INTERNAL, "a Newton equation without a space");
}

tg_status opt_newton_equation_apply(const opt_newton_equation *by, const opt_point *v, opt_point *hv)
{
  if (by->tangents == OPT_TANGENTS_CONVEX) return apply_convex(by, v, hv);
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
  if (m == NULL || by->tangents == OPT_TANGENTS_CONVEX) return opt_copy(w->space, w->r, w->z);
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
  if (w->by->tangents == OPT_TANGENTS_CONVEX) tolerance = fmax(tolerance, residual_of_convex);
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
  if (status == TG_OK && by->tangents == OPT_TANGENTS_CONVEX) status = differentiate_projection(by, y);
  destroy(&w);
  return status;
}
