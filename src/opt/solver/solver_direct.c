// The direct solver: x := the minimiser in closed form, then iterative refinement.
//
// A step asks the closed form of the options for the minimiser as seen from x and g. For a quadratic that is
// x - H^-1 g, so that a second step corrects the rounding of the first: iterative refinement with the residual
// computed by the objective itself (J. Wilkinson, Rounding Errors in Algebraic Processes, 1963; N. Higham, Accuracy and
// Stability of Numerical Algorithms, 2002, ch. 12). The driver judges the result by its gradient, like any other.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct direct {
  opt_point *d; // the next point, then the step to it
  int64_t steps;
} direct;

static int64_t count_points_direct(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 1;
}

static void destroy_direct(const opt_space *space, void **state)
{
  direct *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  tg_free(self);
  *state = NULL;
}

static tg_status create_direct(opt_run *run, void **state)
{
  if (run->options->closed_form == NULL)
    TG_FAIL(TG_UNSUPPORTED, "method: direct needs a closed form of the minimiser, and this problem comes without one");
  direct *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  return TG_OK;
}

// x := x + d with f and g computed there from x itself.
static tg_status move(opt_run *run, double sign, const opt_point *d)
{
  if (sign > 0 && run->trial != NULL) TG_TRY(opt_copy(run->space, run->x, run->trial));
  TG_TRY(opt_axpby(run->space, sign, d, 1, run->x));
  return opt_run_refresh(run);
}

// A refinement that does not halve the gradient has met the rounding error of the solution.
static tg_status step_direct(opt_run *run, void *state, opt_verdict *verdict)
{
  direct *self = state;
  const opt_closed_form *form = run->options->closed_form;
  const double norm_before = run->g_norm;
  TG_TRY(form->solve(form->self, run->x, run->g, self->d));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, self->d));
  TG_TRY(opt_norm(run->space, self->d, &run->step_norm));
  TG_TRY(move(run, 1, self->d));
  run->step = 1;
  *verdict = OPT_MOVED;
  if (self->steps++ == 0 || run->g_norm <= 0.5 * norm_before) return TG_OK;
  const double norm_after = run->g_norm;
  if (!(norm_after < norm_before)) TG_TRY(move(run, -1, self->d)); // the better of the two stays
  opt_run_explain(run,
                  "the direct solution (%s) leaves a gradient norm of %.6g, and refining it gives %.6g: that is its "
                  "rounding error, the objective is %.17g; ask for a larger gradient_tolerance, or for a ridge that "
                  "makes the problem better conditioned",
                  form->name, norm_before, norm_after, opt_run_shown(run, run->f));
  *verdict = OPT_STUCK;
  return TG_OK;
}

static void reset_direct(void *state)
{
  (void)state;
}

static tg_status list_direct(void *state, opt_listing *listing)
{
  direct *self = state;
  return opt_listing_add_count(listing, "steps", &self->steps);
}

const opt_solver opt_solver_direct = {.name = "direct",
                                      .needs_closed_form = true,
                                      .ignores_start = true,
                                      .serves_manifolds = true,
                                      .is_monotone = true,
                                      .search_polynomial = "none",
                                      .search_general = "none",
                                      .count_points = count_points_direct,
                                      .create = create_direct,
                                      .destroy = destroy_direct,
                                      .step = step_direct,
                                      .reset = reset_direct,
                                      .list = list_direct};
