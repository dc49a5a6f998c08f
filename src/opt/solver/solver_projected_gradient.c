// The spectral projected gradient method, for convex feasible sets, manifolds beside them or not.
//
//     d = P(x - a g) - x,   a = <s, s> / <s, y>,   s = x - x_old,   y = g - g_old
//     f(x + t d) <= max of the last values + 1e-4 t <g, d>,   t = 1, then shortened
//
// E. Birgin, J. Martinez and M. Raydan, SIAM J. Optim. 10 (2000), algorithm SPG2: the search runs along the segment
// from x to its projection, which is feasible, so that an iteration needs one projection (and one more for the stopping
// test). The other two-point step, <s, y> / <y, y>, is of no use here: y lives on bound entries too, s does not. On a
// polynomial objective the test reads the rise off the line polynomial: it holds to the last digit and trials cost
// nothing.
//
// Where the set carries a norm1 term h, f + h is minimised in the same way: P is the proximal step argmin |z - y|^2 / 2
// + a h(z), and <g, d> + h(x + d) - h(x) takes the place of the slope, which h, being convex, does not exceed along the
// segment (S. Wright, R. Nowak and M. Figueiredo, IEEE Trans. Signal Process. 57 (2009), with the search of the above).
// The line polynomial plus that slope bounds the rise of f + h from above.
//
// In variables on manifolds d = -a g, g the Riemannian gradient, and the step goes along the retraction, t at once for
// all variables (B. Iannazzo and M. Porcelli, IMA J. Numer. Anal. 38 (2018), for them alone): the curve is feasible
// for t <= 1 and has the slope <g, d>, which is all that the search needs.
//
// An objective whose domain ends at the entries of simplices keeps them positive: of the set only the sums of lines are
// left. With the diagonal M of its Hessian at each point d = -a M^-1 g then, M^-1 within these sums, and a the
// two-point step in M: Newton's step where the objective is a sum over entries, and the natural gradient of the simplex
// for entropies (S. Amari, Neural Comput. 10, 1998).
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "opt/solver/nonmonotone.h"
#include "opt/stationarity.h"

typedef struct projected {
  opt_point *d;
  opt_point *z; // M^-1 y; NULL without a preconditioner
  opt_recent recent;
  double a; // of the next step; 0: none known
  double first_a;
  double first_length; // of the first segment
} projected;

// Times the first a.
static const double a_least = 1e-30;
static const double a_most = 1e30;
static const double horizon = 1e12; // a segment so many times as long as the first is taken for infinite

static int64_t count_points_projected(const opt_options *options, int degree)
{
  (void)degree;
  return options->preconditioning != NULL ? 2 : 1;
}

static void destroy_projected(const opt_space *space, void **state)
{
  projected *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  opt_recent_destroy(&self->recent);
  tg_free(self);
  *state = NULL;
}

// Local.
static tg_status allocate(const opt_run *run, projected **out)
{
  projected *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *out = self;
  return opt_recent_create(run->options->nonmonotone_memory, &self->recent);
}

static tg_status create_projected(opt_run *run, void **state)
{
  projected *self = NULL;
  const tg_status status = allocate(run, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  if (run->options->preconditioning != NULL) TG_TRY(run->space->ops->create(run->space, &self->z));
  return TG_OK;
}

// ---- inside, with a preconditioner ----

// d := -a M^-1 g, M^-1 within the sums of the lines, with its slope and norm.
static tg_status direct_inside(opt_run *run, const projected *self, double *slope, double *d_norm)
{
  TG_TRY(opt_run_precondition(run, run->g, self->d));
  TG_TRY(opt_axpby(run->space, 0, run->g, -self->a, self->d));
  return opt_run_slope(run, self->d, slope, d_norm);
}

// a = <s, y> / <y, M^-1 y>, the two-point step in M; y = g - g_old, which is overwritten. M is a part of the Hessian:
// beyond it a step has no reason to go.
static tg_status choose_length_inside(opt_run *run, projected *self)
{
  double p[2];
  TG_TRY(opt_axpby(run->space, 1, run->g, -1, run->g_old));
  TG_TRY(opt_run_precondition(run, run->g_old, self->z));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){self->d, run->g_old},
                               (const opt_point *const[]){run->g_old, self->z}, p));
  self->a = p[0] > 0 && p[1] > 0 ? fmin(1, run->step * p[0] / p[1]) : 1;
  return TG_OK;
}

// *first := 1, or where x + d is outside the domain of f nine tenths of the way to its border.
static tg_status find_room(opt_ray *ray, double *first)
{
  enum { HALVINGS = 60, BISECTIONS = 3 };
  double inside = 0;
  double outside = 2;
  double rise = 0;
  *first = 1;
  for (int k = 0; k < HALVINGS && inside == 0; k++) {
    TG_TRY(opt_ray_eval(ray, outside / 2, &rise, NULL));
    if (isfinite(rise)) inside = outside / 2;
    outside /= isfinite(rise) ? 1 : 2;
  }
  if (inside == 1 || inside == 0) return TG_OK;
  for (int k = 0; k < BISECTIONS; k++) {
    const double middle = inside + (outside - inside) / 2;
    TG_TRY(opt_ray_eval(ray, middle, &rise, NULL));
    *(isfinite(rise) ? &inside : &outside) = middle;
  }
  *first = 0.9 * inside;
  return TG_OK;
}

static tg_status step_inside(opt_run *run, projected *self, opt_verdict *verdict)
{
  const double allowed = opt_recent_allowance(&self->recent, run->f);
  double slope = 0;
  double d_norm = 0;
  opt_ray ray;
  if (self->a <= 0) self->a = 1;
  TG_TRY(direct_inside(run, self, &slope, &d_norm));
  if (!isfinite(slope)) {
    *verdict = OPT_OUT_OF_RANGE;
    opt_run_explain(run, "the direction inside the simplices is not finite: |P(x - g) - x| = %.3e", run->g_norm);
    return TG_OK;
  }
  // It descends by construction; what entries far below the others add to the slope drowns in the sum.
  slope = fmin(slope, -DBL_MIN);
  TG_TRY(opt_ray_start(run, self->d, slope, d_norm, &ray));
  double first = 0;
  TG_TRY(find_room(&ray, &first));
  TG_TRY(opt_nonmonotone_search(&ray, allowed, first, "inside the simplices", verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  run->is_fresh = false;
  return choose_length_inside(run, self);
}

// ---- to the projection ----

// d := P(x - a g) - x, its slope and norm. The slope is at most -|d|^2 / a, for x - a g - P(x - a g) makes an obtuse
// angle with d; the sum <g, d> may lose that where most of g is orthogonal to the set, and the bound does not. The same
// holds with a norm1 term.
static tg_status direct_inwards(opt_run *run, double a, opt_point *d, double *slope, double *d_norm)
{
  double here = 0;
  double there = 0;
  TG_TRY(opt_copy(run->space, run->x, d));
  TG_TRY(opt_axpby(run->space, -a, run->g, 1, d));
  TG_TRY(opt_run_proximal(run, a, d));
  TG_TRY(opt_run_add_norm1(run, d, &there));
  TG_TRY(opt_run_add_norm1(run, run->x, &here));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, d));
  TG_TRY(opt_run_slope(run, d, slope, d_norm));
  *slope = fmin(*slope + (there - here), -*d_norm * *d_norm / a);
  return TG_OK;
}

// The next a from the step just taken along d: s = t d, y = g - g_old.
static tg_status choose_length(opt_run *run, projected *self)
{
  const double before = self->a;
  double p[2];
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(opt_run_transport(run, run->g_old));
  TG_TRY(opt_axpby(run->space, 1, run->g, -1, run->g_old));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){self->d, self->d},
                               (const opt_point *const[]){self->d, run->g_old}, p));
  self->a = p[1] <= 0 ? 10 * self->a : run->step * p[0] / p[1];
  // The model is only as good as the curve is straight.
  if (run->manifold != NULL) self->a = fmin(self->a, 10 * before);
  self->a = fmin(fmax(self->a, a_least * self->first_a), a_most * self->first_a);
  return TG_OK;
}

// The first a: what the steepest descent into the set suggests, which the measure leaves in run->feasible.
static tg_status find_length(opt_run *run, projected *self)
{
  opt_ray ray;
  double slope = 0;
  double d_norm = 0;
  TG_TRY(opt_run_measure(run));
  TG_TRY(opt_copy(run->space, run->feasible, self->d));
  TG_TRY(opt_run_slope(run, self->d, &slope, &d_norm));
  if (!(d_norm > 0)) {
    self->a = 1;
  } else {
    TG_TRY(opt_ray_start(run, self->d, slope, d_norm, &ray));
    TG_TRY(opt_ray_natural(&ray, &self->a));
  }
  self->first_a = self->a;
  self->first_length = 0;
  return TG_OK;
}

static tg_status step_projected(opt_run *run, void *state, opt_verdict *verdict)
{
  projected *self = state;
  if (self->z != NULL) return step_inside(run, self, verdict);
  const double allowed = opt_recent_allowance(&self->recent, run->f);
  double slope = 0;
  double d_norm = 0;
  if (self->a <= 0) TG_TRY(find_length(run, self));
  TG_TRY(direct_inwards(run, self->a, self->d, &slope, &d_norm));
  if (self->first_length == 0) self->first_length = d_norm;
  if (!(slope < 0)) {
    *verdict = isfinite(slope) ? OPT_STUCK : OPT_OUT_OF_RANGE;
    opt_run_explain(run, "no feasible direction of %s can be resolved: |P(x - g) - x| = %.3e, the step %.3e",
                    run->options->wording->descent, run->g_norm, d_norm);
    return TG_OK;
  }
  opt_ray ray;
  TG_TRY(opt_ray_start(run, self->d, slope, d_norm, &ray));
  // Nothing but descent for as long as a grew tenfold a step, and a feasible segment of this length ahead.
  if (self->a >= a_most * self->first_a && d_norm >= horizon * self->first_length) {
    ray.trial_t = 1;
    *verdict = opt_ray_falling(&ray);
    return TG_OK;
  }
  TG_TRY(opt_nonmonotone_search(&ray, allowed, 1, "towards the projected gradient step", verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  run->is_fresh = false; // x + t d is feasible up to rounding only
  TG_TRY(choose_length(run, self));
  return TG_OK;
}

static void reset_projected(void *state)
{
  projected *self = state;
  self->a = 0;
  self->recent.n_values = 0;
}

static tg_status list_projected(void *state, opt_listing *listing)
{
  projected *self = state;
  TG_TRY(opt_listing_add_number(listing, "next_length", -1, &self->a));
  TG_TRY(opt_listing_add_number(listing, "first_a", -1, &self->first_a));
  TG_TRY(opt_listing_add_number(listing, "first_length", -1, &self->first_length));
  TG_TRY(opt_recent_list(&self->recent, listing));
  return TG_OK;
}

const opt_solver opt_solver_projected_gradient = {.name = "spectral-projected-gradient",
                                                  .keeps_gradient = true,
                                                  .takes_directions = true,
                                                  .search_polynomial = "none",
                                                  .search_general = "none",
                                                  .count_points = count_points_projected,
                                                  .create = create_projected,
                                                  .destroy = destroy_projected,
                                                  .step = step_projected,
                                                  .reset = reset_projected,
                                                  .list = list_projected};

const opt_solver opt_solver_proximal_gradient = {.name = "spectral-proximal-gradient",
                                                 .keeps_gradient = true,
                                                 .search_polynomial = "none",
                                                 .search_general = "none",
                                                 .count_points = count_points_projected,
                                                 .create = create_projected,
                                                 .destroy = destroy_projected,
                                                 .step = step_projected,
                                                 .reset = reset_projected,
                                                 .list = list_projected,
                                                 .measure_name = "proximal gradient norm"};
