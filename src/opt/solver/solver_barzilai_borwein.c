// The two-point step of Barzilai and Borwein, globalised by a nonmonotone line search.
//
//     x := x - t g,  t1 = <s, s> / <s, y>,  t2 = <s, y> / <y, y>,  s = x - x_old,  y = g - g_old
//
// J. Barzilai and J. M. Borwein, IMA J. Numer. Anal. 8 (1988). Of the two, t2 is taken where t2 < t1 / 2 (B. Zhou, L.
// Gao and Y.-H. Dai, Comput. Optim. Appl. 35 (2006)). A step is accepted when
//     f(x + t d) <= max of the last values + 1e-4 t <g, d>
// (L. Grippo, F. Lampariello and S. Lucidi 1986; M. Raydan, SIAM J. Optim. 7 (1997)). On a polynomial objective the
// test reads the rise off the line polynomial, so that it holds to the last digit, and a refused step is replaced by
// the minimiser along the ray: no trial evaluations at all.
//
// On a manifold, x := R_x(-t g), s = T(-t g_old), y = g - T(g_old) with T the projection onto the new tangent space,
// and |<s, y>| in the place of <s, y> (B. Iannazzo and M. Porcelli, IMA J. Numer. Anal. 38 (2018); Z. Wen and W. Yin,
// Math. Program. 142 (2013)). s and T(g_old) are one vector up to the factor -t: one transport.
#include <math.h>

#include "base/memory.h"
#include "opt/line/polynomial.h"
#include "opt/solver/nonmonotone.h"

typedef struct two_point {
  opt_point *d; // -g at the last point
  opt_recent recent;
  double t; // of the next step; 0: none known
} two_point;

static int64_t count_points_two_point(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 1;
}

static void destroy_two_point(const opt_space *space, void **state)
{
  two_point *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  opt_recent_destroy(&self->recent);
  tg_free(self);
  *state = NULL;
}

// Local.
static tg_status allocate(const opt_run *run, two_point **out)
{
  two_point *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *out = self;
  return opt_recent_create(run->options->nonmonotone_memory, &self->recent);
}

static tg_status create_two_point(opt_run *run, void **state)
{
  two_point *self = NULL;
  const tg_status status = allocate(run, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  return TG_OK;
}

// On a polynomial: t, if it is good enough, else the exact minimiser along the ray.
static tg_status step_on_polynomial(opt_ray *ray, double allowed, double t, opt_verdict *verdict)
{
  double minimiser = 0;
  double rise = 0;
  *verdict = OPT_STUCK;
  if (opt_ray_falls(ray)) {
    *verdict = opt_ray_falling(ray);
    return TG_OK;
  }
  if (opt_polynomial_minimise(ray->degree, ray->coefs, ray->errors, &minimiser, &rise) != OPT_POLYNOMIAL_MINIMUM) {
    const opt_wording *wording = ray->run->options->wording;
    opt_run_explain(ray->run, "the objective %s %s, |g| = %.3e", wording->no_fall, wording->along_gradient,
                    ray->run->g_norm);
    return TG_OK;
  }
  double there = 0;
  TG_TRY(opt_ray_eval(ray, t, &there, NULL));
  const bool is_accepted = t > 0 && opt_nonmonotone_accepts(ray, allowed, t, there);
  return opt_ray_move(ray, is_accepted ? t : minimiser, verdict);
}

// On a manifold the model is only as good as the curve is straight: no step goes far around.
static double bound_length(const opt_run *run, double t)
{
  if (run->manifold == NULL) return t;
  return fmin(t, 10 * fmax(run->step, 1 / run->g_norm));
}

// The next step length from d = -T(g_old), the step just taken and y, which takes the place of g_old.
static tg_status choose_length(opt_run *run, two_point *self)
{
  opt_point *y = run->g_old;
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(opt_copy(run->space, self->d, y));
  TG_TRY(opt_axpby(run->space, 1, run->g, 1, y));
  double p[4];
  TG_TRY(run->space->ops->dots(run->space, 4, (const opt_point *const[]){self->d, self->d, y, run->g},
                               (const opt_point *const[]){self->d, y, y, run->g}, p));
  run->g_norm = sqrt(p[3]);
  const double dd = p[0];
  const double dy = run->manifold != NULL ? fabs(p[1]) : p[1];
  const double yy = p[2];
  if (!(dy > 0)) {
    self->t = bound_length(run, 10 * run->step); // no curvature, or a negative one: further
    return TG_OK;
  }
  const double t1 = run->step * dd / dy;
  const double t2 = run->step * dy / yy;
  self->t = bound_length(run, t2 < t1 / 2 ? t2 : t1);
  return TG_OK;
}

static tg_status step_two_point(opt_run *run, void *state, opt_verdict *verdict)
{
  two_point *self = state;
  const double allowed = opt_recent_allowance(&self->recent, run->f);
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->d));
  opt_ray ray;
  TG_TRY(opt_ray_start(run, self->d, -run->g_norm * run->g_norm, run->g_norm, &ray));
  if (ray.degree >= 0) {
    TG_TRY(step_on_polynomial(&ray, allowed, self->t, verdict));
  } else {
    double first = self->t > 0 ? self->t : opt_first_trial(run, run->g_norm);
    if (!(first > 0)) TG_TRY(opt_ray_natural(&ray, &first));
    TG_TRY(opt_nonmonotone_search(&ray, allowed, first, run->options->wording->along_gradient, verdict));
  }
  if (*verdict == OPT_MOVED) TG_TRY(choose_length(run, self));
  return TG_OK;
}

static void reset_two_point(void *state)
{
  two_point *self = state;
  self->t = 0;
  self->recent.n_values = 0;
}

static tg_status list_two_point(void *state, opt_listing *listing)
{
  two_point *self = state;
  TG_TRY(opt_listing_add_number(listing, "next_step", -1, &self->t));
  TG_TRY(opt_recent_list(&self->recent, listing));
  return TG_OK;
}

const opt_solver opt_solver_barzilai_borwein = {.name = "barzilai-borwein",
                                                .keeps_gradient = true,
                                                .serves_manifolds = true,
                                                .search_polynomial = "none",
                                                .search_general = "none",
                                                .count_points = count_points_two_point,
                                                .create = create_two_point,
                                                .destroy = destroy_two_point,
                                                .step = step_two_point,
                                                .reset = reset_two_point,
                                                .list = list_two_point};
