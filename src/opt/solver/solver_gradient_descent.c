// Steepest descent: x := x - t M^-1 g.
//
// Cauchy (1847); with M the preconditioner, the steepest direction in its inner product. On quadratics with the exact
// step the error falls by ((k - 1) / (k + 1))^2 an iteration, k the condition number: the reference, not the
// recommendation. On a manifold x := R_x(-t g), g the Riemannian gradient.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct descent {
  opt_point *d;
  double slope;  // of the last step, 0 when there is none
  double length; // t of the last step
} descent;

static int64_t count_points_descent(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 1;
}

static void destroy_descent(const opt_space *space, void **state)
{
  descent *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  tg_free(self);
  *state = NULL;
}

static tg_status create_descent(opt_run *run, void **state)
{
  descent *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  return TG_OK;
}

// d := -M^-1 g, its slope and its norm, in one reduction.
static tg_status steepest(const opt_run *run, opt_point *d, double *slope, double *d_norm)
{
  if (run->options->preconditioning == NULL) {
    TG_TRY(opt_axpby(run->space, -1, run->g, 0, d));
    *slope = -run->g_norm * run->g_norm;
    *d_norm = run->g_norm;
    return TG_OK;
  }
  TG_TRY(opt_run_precondition(run, run->g, d));
  TG_TRY(opt_axpby(run->space, 0, run->g, -1, d));
  return opt_run_slope(run, d, slope, d_norm);
}

// The first trial takes up the last step's first-order change (Nocedal and Wright 2006, formula 3.60's companion).
static double first_trial(const opt_run *run, const descent *self, double slope, double d_norm)
{
  if (self->slope == 0) return opt_first_trial(run, d_norm);
  return fmin(self->length * self->slope / slope, 10 * self->length);
}

static tg_status step_descent(opt_run *run, void *state, opt_verdict *verdict)
{
  descent *self = state;
  double slope = 0;
  double d_norm = 0;
  TG_TRY(steepest(run, self->d, &slope, &d_norm));
  TG_TRY(opt_run_search(run, self->d, slope, d_norm, first_trial(run, self, slope, d_norm), 0.9, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  self->slope = slope;
  self->length = run->step;
  return TG_OK;
}

static void reset_descent(void *state)
{
  descent *self = state;
  self->slope = 0;
}

static tg_status list_descent(void *state, opt_listing *listing)
{
  descent *self = state;
  TG_TRY(opt_listing_add_number(listing, "slope", -1, &self->slope));
  TG_TRY(opt_listing_add_number(listing, "length", -1, &self->length));
  return TG_OK;
}

const opt_solver opt_solver_gradient_descent = {.name = "gradient-descent",
                                                .is_monotone = true,
                                                .serves_manifolds = true,
                                                .search_polynomial = "exact",
                                                .search_general = "armijo",
                                                .count_points = count_points_descent,
                                                .create = create_descent,
                                                .destroy = destroy_descent,
                                                .step = step_descent,
                                                .reset = reset_descent,
                                                .list = list_descent};
