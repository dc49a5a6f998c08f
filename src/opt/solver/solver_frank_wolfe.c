// Frank and Wolfe's method (conditional gradients), for bounded convex sets: no projections.
//
//     z = argmin <g, z> over the set,   d = z - x,   gap = -<g, d>
//     x := x + t d,   t in (0, 1]: the minimiser of f on the segment where f is a polynomial, else shortened until
//     f(x + t d) <= f(x) - 1e-4 t gap
//
// M. Frank and P. Wolfe, Naval Research Logistics Quarterly 3 (1956). The run stops by the gap: it is 0 exactly at a
// stationary point, and for convex f nowhere on the set is f lower than f(x) - gap (M. Jaggi, ICML 2013). The gap falls
// like 1/k for convex f, like 1/sqrt(k) else (S. Lacoste-Julien 2016): ask for three digits, not for eight, unless the
// answer is an extreme point, which the method reaches in finitely many steps. d is what the measure of the gap left in
// run->feasible: an iteration finds one extreme point.
#include <float.h>

#include "base/memory.h"
#include "opt/solver/segment.h"

typedef struct frank_wolfe {
  double first; // trial step of a general objective
} frank_wolfe;

static int64_t count_points_frank_wolfe(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 0;
}

static void destroy_frank_wolfe(const opt_space *space, void **state)
{
  (void)space;
  tg_free(*state);
  *state = NULL;
}

static tg_status create_frank_wolfe(opt_run *run, void **state)
{
  frank_wolfe *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  self->first = 1;
  return TG_OK;
}

// run->feasible := z - x, g_norm := the gap.
static tg_status measure_gap(opt_run *run)
{
  opt_point *d = run->feasible;
  TG_TRY(run->constraint->ops->extreme(run->constraint, run->g, d));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, d));
  double p[3];
  TG_TRY(run->space->ops->dots(run->space, 3, (const opt_point *const[]){run->g, run->g, d},
                               (const opt_point *const[]){d, run->g, d}, p));
  run->g_norm = -p[0];
  run->stationarity.rounding[0] = 4 * DBL_EPSILON * sqrt(p[1] * p[2]);
  // At an extreme point, rounding may make the gap negative.
  if (run->g_norm < 0) run->g_norm = 0;
  return TG_OK;
}

static tg_status step_frank_wolfe(opt_run *run, void *state, opt_verdict *verdict)
{
  frank_wolfe *self = state;
  const opt_point *d = run->feasible;
  opt_ray ray;
  double d_norm = 0;
  TG_TRY(opt_norm(run->space, d, &d_norm));
  if (!(run->g_norm > 0)) {
    *verdict = OPT_STUCK;
    opt_run_explain(run, "no extreme point lies in a direction of %s: the gap is %.3e", run->options->wording->descent,
                    run->g_norm);
    return TG_OK;
  }
  TG_TRY(opt_ray_start(run, d, -run->g_norm, d_norm, &ray));
  TG_TRY(opt_segment_minimise(&ray, self->first, 1, "towards the extreme point", verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  self->first = fmin(1, 4 * run->step);
  run->is_fresh = false; // x + t d is feasible up to rounding only
  return TG_OK;
}

static void reset_frank_wolfe(void *state)
{
  frank_wolfe *self = state;
  self->first = 1;
}

static tg_status list_frank_wolfe(void *state, opt_listing *listing)
{
  frank_wolfe *self = state;
  TG_TRY(opt_listing_add_number(listing, "first_trial", -1, &self->first));
  return TG_OK;
}

const opt_solver opt_solver_frank_wolfe = {.name = "frank-wolfe",
                                           .needs_constraint = true,
                                           .is_monotone = true,
                                           .search_polynomial = "none",
                                           .search_general = "none",
                                           .count_points = count_points_frank_wolfe,
                                           .create = create_frank_wolfe,
                                           .destroy = destroy_frank_wolfe,
                                           .step = step_frank_wolfe,
                                           .reset = reset_frank_wolfe,
                                           .list = list_frank_wolfe,
                                           .measure = measure_gap,
                                           .measure_name = "gap"};
