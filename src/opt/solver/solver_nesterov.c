// Accelerated gradient descent with adaptive restart.
//
//     x+ := y - t M^-1 grad f(y),   th+ := (1 + sqrt(1 + 4 th^2)) / 2,   y+ := x+ + (th - 1) / th+ (x+ - x)
//
// Yu. Nesterov (1983), in the form of A. Beck and M. Teboulle, SIAM J. Imaging Sci. 2 (2009), FISTA. The momentum is
// dropped when it points uphill, <grad f(y), x+ - x> > 0 (B. O'Donoghue and E. Candes, Found. Comput. Math. 15 (2015)).
// The run's current point is y, where the gradient is known; one gradient an iteration and no evaluation at x+.
// t is 1/L: on a quadratic L comes from power iteration on the Hessian action, with a margin; else from backtracking on
//     f(x+) <= f(y) - t/2 <grad f(y), M^-1 grad f(y)>,
// with t allowed to grow again by a tenth an iteration.

#include "base/memory.h"
#include "opt/solver.h"

typedef struct accelerated {
  opt_point *d;     // -M^-1 g
  opt_point *x_old; // the last x+
  opt_point *probe; // x+ under test, then the next y; of power iteration before
  double t;         // step length, 0: not known yet
  double theta;
  int64_t has_old;
  int64_t is_known; // t comes from the Hessian
} accelerated;

static int64_t count_points_accelerated(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 3;
}

static void destroy_accelerated(const opt_space *space, void **state)
{
  accelerated *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->x_old);
  space->ops->destroy(space, &self->probe);
  tg_free(self);
  *state = NULL;
}

static tg_status create_accelerated(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  accelerated *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(space, status));
  TG_TRY(space->ops->create(space, &self->d));
  TG_TRY(space->ops->create(space, &self->x_old));
  TG_TRY(space->ops->create(space, &self->probe));
  return TG_OK;
}

enum { POWER_ITERATIONS = 30 };

// The largest modulus of an eigenvalue of M^-1 H, by power iteration from a random point. Uses d and probe.
static tg_status estimate_lipschitz(opt_run *run, accelerated *self, double *lipschitz)
{
  const opt_space *space = run->space;
  opt_problem *problem = run->problem;
  double norm = 0;
  TG_TRY(space->ops->random(space, (uint64_t)run->options->seed, self->d));
  TG_TRY(opt_norm(space, self->d, &norm));
  const int64_t most = run->options->max_evaluations > 0 ? run->options->max_evaluations : INT64_MAX;
  for (int i = 0; i < POWER_ITERATIONS && norm > 0 && opt_evaluations(&problem->counts) < most; i++) {
    const double before = *lipschitz;
    TG_TRY(opt_axpby(space, 1 / norm, self->d, 0, self->probe));
    TG_TRY(problem->ops->hessian(problem, run->x, self->probe, self->d));
    if (run->options->preconditioning != NULL) {
      TG_TRY(opt_run_precondition(run, self->d, self->probe));
      opt_swap(&self->d, &self->probe);
    }
    TG_TRY(opt_norm(space, self->d, &norm));
    *lipschitz = norm;
    if (fabs(norm - before) <= 1e-3 * norm) break;
  }
  return TG_OK;
}

// The first step length, before d is made. Power iteration approaches from below, hence the margin of a tenth.
static tg_status estimate_length(opt_run *run, accelerated *self)
{
  const bool is_quadratic = run->problem->degree == 2 && run->problem->has_hessian;
  double lipschitz = 0;
  if (is_quadratic) TG_TRY(estimate_lipschitz(run, self, &lipschitz));
  self->is_known = lipschitz > 0;
  self->t = self->is_known ? 1 / (1.1 * lipschitz) : 0;
  return TG_OK;
}

// The same along d, where the Hessian does not tell for all directions.
static tg_status try_length(opt_run *run, accelerated *self, double slope, double d_norm)
{
  opt_ray ray;
  self->t = opt_first_trial(run, d_norm);
  if (self->t > 0) return TG_OK;
  TG_TRY(opt_ray_start(run, self->d, slope, d_norm, &ray));
  return opt_ray_natural(&ray, &self->t);
}

// d := -M^-1 g
static tg_status steepest(const opt_run *run, accelerated *self, double *slope, double *d_norm)
{
  TG_TRY(opt_run_precondition(run, run->g, self->probe));
  TG_TRY(opt_axpby(run->space, -1, self->probe, 0, self->d));
  return opt_run_slope(run, self->d, slope, d_norm);
}

// A polynomial may fall without end: its line coefficients tell, asked for now and then.
static tg_status check_ray(opt_run *run, accelerated *self, double slope, double d_norm, opt_verdict *verdict)
{
  opt_ray ray;
  if (run->problem->degree < 1 || run->iteration % 50 != 0) return TG_OK;
  TG_TRY(opt_ray_start(run, self->d, slope, d_norm, &ray));
  if (opt_ray_falls(&ray)) *verdict = opt_ray_falling(&ray);
  return TG_OK;
}

// probe := x+ = y + t d, with t shortened until f(x+) is low enough.
static tg_status descend(opt_run *run, accelerated *self, double slope, double d_norm, opt_verdict *verdict)
{
  const double noise = opt_run_noise(run);
  bool was_finite = false;
  // Where f cannot resolve the test, the last length that it could is kept.
  if (!self->is_known && -self->t / 2 * slope > noise) self->t *= 1.1;
  for (int trial = 0; trial < 100; trial++) {
    double f = 0;
    TG_TRY(opt_copy(run->space, run->x, self->probe));
    TG_TRY(opt_axpby(run->space, self->t, self->d, 1, self->probe));
    *verdict = OPT_MOVED;
    if (self->is_known) return TG_OK;
    TG_TRY(run->problem->ops->value(run->problem, self->probe, &f));
    if (isfinite(f) && f - run->f <= self->t / 2 * slope + noise) return TG_OK;
    was_finite = was_finite || isfinite(f);
    self->t /= 2;
  }
  *verdict = opt_run_no_step(run, was_finite, run->options->wording->along_gradient, self->t * d_norm);
  return TG_OK;
}

// Makes run->x := x+ + beta (x+ - x) the current point; the difference stands in x_old.
static tg_status place(opt_run *run, const accelerated *self, double beta)
{
  const opt_space *space = run->space;
  opt_problem *problem = run->problem;
  TG_TRY(opt_copy(space, self->probe, run->x));
  if (beta > 0) TG_TRY(opt_axpby(space, beta, self->x_old, 1, run->x));
  TG_TRY(problem->ops->gradient(problem, run->x, &run->f, run->g));
  TG_TRY(opt_norm(space, run->g, &run->g_norm));
  run->is_fresh = true;
  return TG_OK;
}

// The momentum may carry y out of the objective's domain: then y is x+, where f is known to be finite. The point before
// stays in run->trial, where there is one, in case the gradient is not.
static tg_status extrapolate(opt_run *run, accelerated *self, double beta)
{
  if (run->trial != NULL) opt_swap(&run->x, &run->trial);
  TG_TRY(place(run, self, beta));
  if (beta > 0 && !(isfinite(run->f) && isfinite(run->g_norm))) {
    run->restarts++;
    self->theta = 1;
    TG_TRY(place(run, self, 0));
  }
  opt_swap(&self->x_old, &self->probe);
  self->has_old = 1;
  return TG_OK;
}

// Momentum for the next y, 0 after a restart. x_old becomes x+ - x.
static tg_status choose_momentum(opt_run *run, accelerated *self, double *beta, double *difference)
{
  const opt_space *space = run->space;
  *beta = 0;
  *difference = 0;
  if (!self->has_old) {
    self->theta = 1;
    return TG_OK;
  }
  double p[2];
  TG_TRY(opt_axpby(space, 1, self->probe, -1, self->x_old));
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){run->g, self->x_old},
                          (const opt_point *const[]){self->x_old, self->x_old}, p));
  *difference = sqrt(p[1]);
  if (p[0] > 0) {
    self->theta = 1;
    run->restarts++;
    return TG_OK;
  }
  const double theta = (1 + sqrt(1 + 4 * self->theta * self->theta)) / 2;
  *beta = (self->theta - 1) / theta;
  self->theta = theta;
  return TG_OK;
}

static tg_status step_accelerated(opt_run *run, void *state, opt_verdict *verdict)
{
  accelerated *self = state;
  double slope = 0;
  double d_norm = 0;
  double beta = 0;
  double difference = 0;
  *verdict = OPT_MOVED;
  if (self->t == 0) TG_TRY(estimate_length(run, self));
  TG_TRY(steepest(run, self, &slope, &d_norm));
  if (self->t == 0) TG_TRY(try_length(run, self, slope, d_norm));
  TG_TRY(check_ray(run, self, slope, d_norm, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  TG_TRY(descend(run, self, slope, d_norm, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  const double f_before = run->f;
  TG_TRY(choose_momentum(run, self, &beta, &difference));
  TG_TRY(extrapolate(run, self, beta));
  run->step = self->t;
  run->step_norm = self->t * d_norm + beta * difference;
  run->x_reach += run->step_norm;
  // Without momentum a step of at most 1/L lowers f. Where it did not, the estimate of L was too small.
  if (self->is_known && beta == 0 && run->f - f_before > opt_run_noise(run)) self->t /= 2;
  return TG_OK;
}

static void reset_accelerated(void *state)
{
  accelerated *self = state;
  self->has_old = 0;
  self->t = 0;
}

static tg_status list_accelerated(void *state, opt_listing *listing)
{
  accelerated *self = state;
  TG_TRY(opt_listing_add_vector(listing, "previous", -1, self->x_old));
  opt_listing_mark(listing, !self->has_old);
  TG_TRY(opt_listing_add_number(listing, "length", -1, &self->t));
  TG_TRY(opt_listing_add_number(listing, "theta", -1, &self->theta));
  TG_TRY(opt_listing_add_count(listing, "has_previous", &self->has_old));
  TG_TRY(opt_listing_add_count(listing, "length_is_known", &self->is_known));
  return TG_OK;
}

const opt_solver opt_solver_nesterov = {.name = "nesterov",
                                        .remembers_preconditioner = true,
                                        .search_polynomial = "none",
                                        .search_general = "none",
                                        .count_points = count_points_accelerated,
                                        .create = create_accelerated,
                                        .destroy = destroy_accelerated,
                                        .step = step_accelerated,
                                        .reset = reset_accelerated,
                                        .list = list_accelerated};
