// Alternating minimisation: the blocks of x one after the other, the others held.
//
//     x_k :~ argmin f(x_1, ..., x_k, ..., x_n)   for k = 1, ..., n:   one iteration
//
// Block coordinate descent; every limit point is stationary where the minimiser of each block is unique, or with two
// blocks: L. Grippo, M. Sciandrone, Operations Research Letters 26 (2000); D. Bertsekas, Nonlinear Programming, 1999,
// section 2.7. Who minimises over a block stands behind the options' `blocks`; the driver judges by the gradient in all
// blocks together, computed from x.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct alternating {
  opt_point *before;
} alternating;

static const double inner_share = 0.1; // of the gradient norm: how far a block's own gradient is brought down

static int64_t count_points_alternating(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 1;
}

static void destroy_alternating(const opt_space *space, void **state)
{
  alternating *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->before);
  tg_free(self);
  *state = NULL;
}

static tg_status create_alternating(opt_run *run, void **state)
{
  if (run->options->blocks == NULL)
    TG_FAIL(TG_UNSUPPORTED, "method: alternating needs a solver for each block, and this problem comes without them");
  alternating *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  return run->space->ops->create(run->space, &self->before);
}

// Back to the point before.
static tg_status give_up(opt_run *run, alternating *self)
{
  TG_TRY(opt_copy(run->space, self->before, run->x));
  return opt_run_refresh(run);
}

// One pass over the blocks; false ends it early, with the verdict.
static tg_status pass(opt_run *run, opt_verdict *verdict, bool *is_whole)
{
  const opt_block_solver *blocks = run->options->blocks;
  const double tolerance = inner_share * run->g_norm;
  *is_whole = false;
  for (int k = 0; k < blocks->n; k++) {
    opt_result result;
    TG_TRY(blocks->solve(blocks->self, k, tolerance, run->x, &result));
    if (result.outcome != OPT_UNBOUNDED && result.outcome != OPT_NOT_FINITE) continue;
    *verdict = result.outcome == OPT_UNBOUNDED ? OPT_FALLING : OPT_OUT_OF_RANGE;
    opt_run_explain(run, "in variable %d of %d alone: %.400s", k + 1, blocks->n, result.reason);
    return TG_OK;
  }
  *is_whole = true;
  return TG_OK;
}

static tg_status step_alternating(opt_run *run, void *state, opt_verdict *verdict)
{
  alternating *self = state;
  const double f_before = run->f;
  const double g_before = run->g_norm;
  bool is_whole = false;
  TG_TRY(opt_copy(run->space, run->x, self->before));
  if (run->trial != NULL) TG_TRY(opt_copy(run->space, run->x, run->trial));
  TG_TRY(pass(run, verdict, &is_whole));
  if (!is_whole) return give_up(run, self);
  TG_TRY(opt_run_refresh(run));
  if (!(run->f < f_before) && !(run->g_norm < g_before)) {
    opt_run_explain(run,
                    "a pass over the %d variables lowers neither the objective, %.17g, nor the gradient norm, %.6g",
                    run->options->blocks->n, f_before, g_before);
    *verdict = OPT_STUCK;
    return give_up(run, self);
  }
  TG_TRY(opt_axpby(run->space, 1, run->x, -1, self->before));
  TG_TRY(opt_norm(run->space, self->before, &run->step_norm));
  run->step = 1;
  run->x_reach += run->step_norm;
  *verdict = OPT_MOVED;
  return TG_OK;
}

static void reset_alternating(void *state)
{
  (void)state;
}

static tg_status list_alternating(void *state, opt_listing *listing)
{
  (void)state;
  (void)listing;
  return TG_OK;
}

const opt_solver opt_solver_alternating = {.name = "alternating",
                                           .needs_blocks = true,
                                           .serves_manifolds = true,
                                           .is_monotone = true,
                                           .search_polynomial = "none",
                                           .search_general = "none",
                                           .count_points = count_points_alternating,
                                           .create = create_alternating,
                                           .destroy = destroy_alternating,
                                           .step = step_alternating,
                                           .reset = reset_alternating,
                                           .list = list_alternating};
