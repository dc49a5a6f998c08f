// Riemannian gradient descent with the two-point step length and a nonmonotone search.
//
//     x := R_x(-t grad f(x)),   t = <s, s> / |<s, y>|,   s = T(-t grad f),   y = grad f(x) - T(grad f(x_old))
//
// T projects onto the new tangent space. The step is accepted when f does not exceed the largest of the last values by
// more than -1e-4 t |grad f|^2 (B. Iannazzo and M. Porcelli, IMA J. Numer. Anal. 38 (2018); Z. Wen and W. Yin, Math.
// Program. 142 (2013)). T(-t grad f(x_old)) and T(grad f(x_old)) are one vector up to the factor -t: one transport.
#include "opt/curve.h"
#include "opt/nonmonotone.h"

typedef struct two_point {
  opt_point *d; // -g at the last point
  opt_recent recent;
  double t; // of the next step; 0: none known
} two_point;

static const double sufficient = 1e-4;

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

static tg_status create_two_point(opt_run *run, void **state)
{
  two_point *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  TG_TRY(opt_recent_create(run->options->nonmonotone_memory, &self->recent));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  return TG_OK;
}

// t is shortened by the parabola through f(x), the slope and f there until it is good enough; t |g| <= 1 at the start.
static tg_status search_back(opt_curve *curve, double allowed, double t, opt_verdict *verdict)
{
  opt_run *run = curve->run;
  const double noise = opt_run_noise(run);
  bool was_finite = false;
  for (int trial = 0; trial < 60; trial++) {
    double rise = 0;
    double slope = 0;
    TG_TRY(opt_curve_eval(curve, t, &rise, trial == 0 ? &slope : NULL));
    const bool is_finite = isfinite(rise) && isfinite(slope);
    if (is_finite && rise <= allowed + noise + sufficient * t * curve->slope) {
      TG_TRY(opt_curve_move(curve, t));
      *verdict = OPT_MOVED;
      return TG_OK;
    }
    was_finite = was_finite || is_finite;
    const double minimiser = -curve->slope * t * t / (2 * (rise - t * curve->slope));
    t = is_finite ? fmin(fmax(minimiser, t / 10), t / 2) : t / 10;
  }
  *verdict = was_finite ? OPT_STUCK : OPT_OUT_OF_RANGE;
  opt_run_explain(run, "the objective %s along the Riemannian gradient down to |step| = %.3e, |g| = %.3e",
                  was_finite ? "does not fall" : "is not finite", t * curve->d_norm, run->g_norm);
  return TG_OK;
}

// The next t: with u = T(-g_old), s = t u and y = g + u. Negative curvature goes further, but not far around.
static tg_status choose_length(opt_run *run, two_point *self)
{
  double p[4];
  TG_TRY(run->constraint->ops->tangent(run->constraint, run->x, self->d));
  TG_TRY(opt_copy(run->space, self->d, run->g_old));
  TG_TRY(opt_axpby(run->space, 1, run->g, 1, run->g_old));
  TG_TRY(run->space->ops->dots(run->space, 4, (const opt_point *const[]){self->d, self->d, run->g_old, run->g},
                               (const opt_point *const[]){self->d, run->g_old, run->g_old, run->g}, p));
  run->g_norm = sqrt(p[3]);
  const double longest = run->step * p[0] / fabs(p[1]);
  const double shortest = run->step * fabs(p[1]) / p[2];
  self->t = shortest < longest / 2 ? shortest : longest;
  if (!(self->t > 0) || !isfinite(self->t)) self->t = 0;
  self->t = fmin(self->t, 10 * fmax(run->step, 1 / run->g_norm));
  return TG_OK;
}

static tg_status step_two_point(opt_run *run, void *state, opt_verdict *verdict)
{
  two_point *self = state;
  const double allowed = opt_recent_allowance(&self->recent, run->f);
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->d));
  opt_curve curve = opt_curve_start(run, self->d, -run->g_norm * run->g_norm, run->g_norm);
  const double first = self->t > 0 ? self->t : opt_first_trial(run, run->g_norm);
  TG_TRY(search_back(&curve, allowed, first, verdict));
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

const opt_solver opt_solver_riemannian_gradient = {.name = "riemannian-gradient",
                                                   .keeps_gradient = true,
                                                   .search_polynomial = "none",
                                                   .search_general = "none",
                                                   .count_points = count_points_two_point,
                                                   .create = create_two_point,
                                                   .destroy = destroy_two_point,
                                                   .step = step_two_point,
                                                   .reset = reset_two_point,
                                                   .list = list_two_point};
