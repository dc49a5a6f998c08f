// The two-point step of Barzilai and Borwein, globalised by a nonmonotone line search.
//
//     t1 = <s, s> / <s, y>,  t2 = <s, y> / <y, y>,  s = x - x_old,  y = g - g_old
//
// J. Barzilai and J. M. Borwein, IMA J. Numer. Anal. 8 (1988). Of the two, t2 is taken where t2 < t1 / 2 (B. Zhou, L.
// Gao and Y.-H. Dai, Comput. Optim. Appl. 35 (2006)). A step is accepted when
//     f(x + t d) <= max of the last values + 1e-4 t <g, d>
// (L. Grippo, F. Lampariello and S. Lucidi 1986; M. Raydan, SIAM J. Optim. 7 (1997)). On a polynomial objective the
// test reads the rise off the line polynomial, so that it holds to the last digit, and a refused step is replaced by
// the minimiser along the ray: no trial evaluations at all.

#include "base/memory.h"
#include "opt/polynomial.h"
#include "opt/solver.h"

typedef struct two_point {
  opt_point *d; // -g at the last point
  opt_point *y;
  double t;       // of the next step; 0: none known
  double *values; // the last `memory` values of f, a ring
  int64_t memory;
  int64_t n_values; // ever put in
} two_point;

static const double sufficient = 1e-4;

static int64_t count_points_two_point(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 2;
}

static void destroy_two_point(const opt_space *space, void **state)
{
  two_point *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->y);
  tg_free(self->values);
  tg_free(self);
  *state = NULL;
}

static tg_status create_two_point(opt_run *run, void **state)
{
  two_point *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  self->memory = run->options->nonmonotone_memory;
  TG_TRY(tg_alloc(self->memory, sizeof *self->values, (void **)&self->values));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  TG_TRY(run->space->ops->create(run->space, &self->y));
  return TG_OK;
}

static void remember(two_point *self, double f)
{
  self->values[self->n_values++ % self->memory] = f;
}

// How far the largest remembered value stands above f.
static double allowance(const two_point *self, double f)
{
  double largest = f;
  for (int64_t i = 0; i < self->memory && i < self->n_values; i++) largest = fmax(largest, self->values[i]);
  return largest - f;
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
  if (opt_polynomial_minimise(ray->degree, ray->coefs, &minimiser, &rise) != OPT_POLYNOMIAL_MINIMUM) {
    opt_run_explain(ray->run, "the objective does not fall along -g, |g| = %.3e", ray->run->g_norm);
    return TG_OK;
  }
  double there = 0;
  TG_TRY(opt_ray_eval(ray, t, &there, NULL));
  const bool is_accepted = t > 0 && isfinite(there) && there <= allowed + sufficient * t * ray->slope;
  TG_TRY(opt_ray_move(ray, is_accepted ? t : minimiser));
  *verdict = OPT_MOVED;
  return TG_OK;
}

// In general: t is shortened by the parabola through f(x), the slope and f(x + t d) until it is good enough. The first
// trial computes the gradient as well, which the next iteration needs when it is accepted, as it mostly is.
static tg_status step_by_trials(opt_ray *ray, double allowed, double t, opt_verdict *verdict)
{
  opt_run *run = ray->run;
  const double noise = opt_run_noise(run);
  bool was_finite = false;
  for (int trial = 0; trial < 60; trial++) {
    double rise = 0;
    double slope = 0;
    TG_TRY(opt_ray_eval(ray, t, &rise, trial == 0 ? &slope : NULL));
    const bool is_finite = isfinite(rise) && isfinite(slope);
    if (is_finite && rise <= allowed + noise + sufficient * t * ray->slope) {
      TG_TRY(opt_ray_move(ray, t));
      *verdict = OPT_MOVED;
      return TG_OK;
    }
    was_finite = was_finite || is_finite;
    const double minimiser = -ray->slope * t * t / (2 * (rise - t * ray->slope));
    t = is_finite ? fmin(fmax(minimiser, t / 10), t / 2) : t / 10;
  }
  *verdict = was_finite ? OPT_STUCK : OPT_OUT_OF_RANGE;
  opt_run_explain(run, "the objective %s along -g down to |step| = %.3e, |g| = %.3e",
                  was_finite ? "does not fall" : "is not finite", t * ray->d_norm, run->g_norm);
  return TG_OK;
}

// The next step length from d = -g_old, the step just taken and y.
static tg_status choose_length(opt_run *run, two_point *self)
{
  TG_TRY(opt_copy(run->space, self->d, self->y));
  TG_TRY(opt_axpby(run->space, 1, run->g, 1, self->y));
  double p[4];
  TG_TRY(run->space->ops->dots(run->space, 4, (const opt_point *const[]){self->d, self->d, self->y, run->g},
                               (const opt_point *const[]){self->d, self->y, self->y, run->g}, p));
  run->g_norm = sqrt(p[3]);
  const double dd = p[0];
  const double dy = p[1];
  const double yy = p[2];
  if (dy <= 0) {
    self->t = 10 * run->step; // negative curvature: further
    return TG_OK;
  }
  const double t1 = run->step * dd / dy;
  const double t2 = run->step * dy / yy;
  self->t = t2 < t1 / 2 ? t2 : t1;
  return TG_OK;
}

static tg_status step_two_point(opt_run *run, void *state, opt_verdict *verdict)
{
  two_point *self = state;
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->d));
  remember(self, run->f);
  const double allowed = allowance(self, run->f);
  opt_ray ray;
  TG_TRY(opt_ray_start(run, self->d, -run->g_norm * run->g_norm, run->g_norm, &ray));
  if (ray.degree >= 0) {
    TG_TRY(step_on_polynomial(&ray, allowed, self->t, verdict));
  } else {
    const double first = self->t > 0 ? self->t : opt_first_trial(run, run->g_norm);
    TG_TRY(step_by_trials(&ray, allowed, first, verdict));
  }
  if (*verdict == OPT_MOVED) TG_TRY(choose_length(run, self));
  return TG_OK;
}

static void reset_two_point(void *state)
{
  two_point *self = state;
  self->t = 0;
  self->n_values = 0;
}

static tg_status list_two_point(void *state, opt_listing *listing)
{
  two_point *self = state;
  TG_TRY(opt_listing_add_number(listing, "next_step", -1, &self->t));
  TG_TRY(opt_listing_add_count(listing, "n_values", &self->n_values));
  for (int64_t i = 0; i < self->memory; i++) TG_TRY(opt_listing_add_number(listing, "value", i, &self->values[i]));
  return TG_OK;
}

const opt_solver opt_solver_barzilai_borwein = {.name = "barzilai-borwein",
                                                .search_polynomial = "none",
                                                .search_general = "none",
                                                .count_points = count_points_two_point,
                                                .create = create_two_point,
                                                .destroy = destroy_two_point,
                                                .step = step_two_point,
                                                .reset = reset_two_point,
                                                .list = list_two_point};
