// Truncated Newton steps where norm1 is smooth, between proximal gradient steps that choose what is zero.
//
//     proximal step   d = P(x - a g) - x, a = |v|^2 / <v, H v>, v the steepest descent of f + h
//     face step       H p = v on the face, by conjugate gradients; then towards Q(x + p), Q the projection onto the
//                     orthant of x
//
// The entries that are not zero span the face, on which h = w |x|_1 is linear: there Newton's method converges as it
// does for f alone, whatever the units of the unknowns, while proximal steps are as slow as gradient steps. An entry
// that the step takes beyond zero stays there. The face is left, by one proximal step, when the steepest descent of the
// entries at zero weighs more than that of the others. R. Byrd, G. Chin, J. Nocedal, F. Oztoprak, Math. Programming
// 157, 2016; F. Curtis, D. Robinson and others, Optim. Methods Softw. 33, 2018; bounds as in solver_bounded_newton.c. f
// + h never rises.
#include <math.h>

#include "base/memory.h"
#include "opt/solver/face_cg.h"
#include "opt/solver/nonmonotone.h"

typedef struct proximal {
  opt_face_cg cg;
  int64_t on_face; // the next step is a face step, if that still pays
} proximal;

static int64_t count_points_proximal(const opt_options *options, int degree)
{
  (void)degree;
  return opt_face_cg_points(options);
}

static void destroy_proximal(const opt_space *space, void **state)
{
  proximal *self = *state;
  if (self == NULL) return;
  opt_face_cg_destroy(space, &self->cg);
  tg_free(self);
  *state = NULL;
}

static tg_status create_proximal(opt_run *run, void **state)
{
  proximal *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  return opt_face_cg_create(run, &self->cg);
}

// <g, d> + h(x + d) - h(x) and |d| for d = y - x; y becomes d.
static tg_status slope_towards(opt_run *run, opt_point *y, double *slope, double *d_norm)
{
  double here = 0;
  double there = 0;
  TG_TRY(opt_run_add_norm1(run, y, &there));
  TG_TRY(opt_run_add_norm1(run, run->x, &here));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, y));
  TG_TRY(opt_run_slope(run, y, slope, d_norm));
  *slope += there - here;
  return TG_OK;
}

// From t = 1 on, so that entries that shall be zero are.
static tg_status search(opt_run *run, const opt_point *d, double slope, double d_norm, const char *where,
                        opt_verdict *verdict)
{
  opt_ray ray;
  TG_TRY(opt_ray_start(run, d, slope, d_norm, &ray));
  TG_TRY(opt_nonmonotone_search(&ray, 0, 1, where, verdict));
  if (*verdict == OPT_MOVED) run->is_fresh = false; // feasible up to rounding only
  return TG_OK;
}

// ---- proximal steps ----

// a = |v|^2 / <v, H v>; where f does not curve along v a step about as long as x.
static tg_status choose_length(opt_run *run, proximal *self, double *a)
{
  opt_point *v = run->feasible;
  double q[2];
  double x_norm = 0;
  TG_TRY(run->constraint->ops->steepest(run->constraint, run->x, run->g, v));
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, v, self->cg.hd));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){v, v},
                               (const opt_point *const[]){v, self->cg.hd}, q));
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  *a = q[1] > 0 ? q[0] / q[1] : (x_norm > 0 ? x_norm : 1) / sqrt(q[0]);
  return TG_OK;
}

static tg_status proximal_step(opt_run *run, proximal *self, opt_verdict *verdict)
{
  opt_point *d = self->cg.d;
  double a = 0;
  double slope = 0;
  double d_norm = 0;
  TG_TRY(choose_length(run, self, &a));
  TG_TRY(opt_copy(run->space, run->x, d));
  TG_TRY(opt_axpby(run->space, -a, run->g, 1, d));
  TG_TRY(opt_run_proximal(run, a, d));
  TG_TRY(slope_towards(run, d, &slope, &d_norm));
  slope = fmin(slope, -d_norm * d_norm / a); // see solver_projected_gradient.c
  self->on_face = 1;
  if (slope < 0) return search(run, d, slope, d_norm, "towards the proximal step", verdict);
  *verdict = isfinite(slope) ? OPT_STUCK : OPT_OUT_OF_RANGE;
  opt_run_explain(run, "no direction of %s can be resolved: the step of the proximal gradient is %.3e",
                  run->options->wording->descent, d_norm);
  return TG_OK;
}

// ---- face steps ----

// r := z on the face, the gradient of f + h there; *released: the entries at zero or at a bound weigh more.
static tg_status weigh(opt_run *run, proximal *self, bool *released)
{
  opt_point *all = run->feasible;
  opt_point *z = self->cg.r;
  double q[2];
  TG_TRY(run->constraint->ops->steepest(run->constraint, run->x, run->g, all));
  TG_TRY(opt_axpby(run->space, -1, all, 0, z));
  TG_TRY(run->constraint->ops->mask(run->constraint, run->x, run->g, false, z));
  TG_TRY(
      run->space->ops->dots(run->space, 2, (const opt_point *const[]){z, all}, (const opt_point *const[]){z, all}, q));
  *released = q[1] > 2 * q[0];
  return TG_OK;
}

// feasible := Q(x + t p) - x for the first t = 1, 1/2, ... along which f + h falls a tenth as fast as along t p; t = 0:
// none does.
static tg_status clip(opt_run *run, const opt_point *p, double descent, double *slope, double *d_norm, double *t)
{
  enum { HALVINGS = 10 };
  opt_point *c = run->feasible;
  *t = 1;
  for (int k = 0; k < HALVINGS; k++) {
    TG_TRY(opt_copy(run->space, run->x, c));
    TG_TRY(opt_axpby(run->space, *t, p, 1, c));
    TG_TRY(run->constraint->ops->orthant(run->constraint, run->x, c));
    TG_TRY(slope_towards(run, c, slope, d_norm));
    if (*slope <= 0.1 * *t * descent) return TG_OK;
    *t /= 2;
  }
  *t = 0;
  return TG_OK;
}

static tg_status face_step(opt_run *run, proximal *self, opt_verdict *verdict)
{
  bool is_curved = false;
  double descent = 0;
  double slope = 0;
  double d_norm = 0;
  double t = 0;
  bool gives_up = false;
  TG_TRY(opt_face_cg_solve(run, &self->cg, &is_curved, &gives_up));
  if (gives_up) {
    *verdict = OPT_GIVEN_UP;
    return TG_OK;
  }
  // <z, p> of the z that the residual began with: -<v, p>, v masked by p itself.
  TG_TRY(run->constraint->ops->steepest(run->constraint, run->x, run->g, run->feasible));
  TG_TRY(opt_dot(run->space, run->feasible, self->cg.p, &descent));
  descent = -descent;
  if (descent < 0) TG_TRY(clip(run, self->cg.p, descent, &slope, &d_norm, &t));
  if (!(t > 0)) return proximal_step(run, self, verdict);
  return search(run, run->feasible, slope, d_norm, "towards the step on the face", verdict);
}

static tg_status step_proximal(opt_run *run, void *state, opt_verdict *verdict)
{
  proximal *self = state;
  bool released = true;
  if (self->on_face) TG_TRY(weigh(run, self, &released));
  return released ? proximal_step(run, self, verdict) : face_step(run, self, verdict);
}

static void reset_proximal(void *state)
{
  proximal *self = state;
  self->on_face = 0;
}

static tg_status list_proximal(void *state, opt_listing *listing)
{
  proximal *self = state;
  return opt_listing_add_count(listing, "on_face", &self->on_face);
}

const opt_solver opt_solver_proximal_newton = {.name = "proximal-newton-cg",
                                               .needs_hessian = true,
                                               .needs_constraint = true,
                                               .is_monotone = true,
                                               .keeps_faces = true,
                                               .search_polynomial = "none",
                                               .search_general = "none",
                                               .count_points = count_points_proximal,
                                               .create = create_proximal,
                                               .destroy = destroy_proximal,
                                               .step = step_proximal,
                                               .reset = reset_proximal,
                                               .list = list_proximal,
                                               .measure_name = "proximal gradient norm"};
