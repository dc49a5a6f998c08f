// Alternating minimisation: the blocks of x one after the other, the others held.
//
//     x_k :~ argmin f(x_1, ..., x_k, ..., x_n)   for k = 1, ..., n:   one iteration
//
// Block coordinate descent; every limit point is stationary where the minimiser of each block is unique, or with two
// blocks: L. Grippo, M. Sciandrone, Operations Research Letters 26 (2000); D. Bertsekas, Nonlinear Programming, 1999,
// section 2.7. The options' `blocks` minimise over a block; the driver judges by the gradient in all blocks
// together.
//
// Such passes P converge linearly, and slowly where the blocks are coupled strongly. On a polynomial without
// constraints they precondition conjugate gradients:
//
//     z := x - P(x),  d := -z + beta d,  beta = max(0, <z, g - g_old> / <z_old, g_old>),  x := x + t d
//
// with t the minimiser along d: H. De Sterck, M. Winlaw, Numer. Linear Algebra Appl. 22 (2015); beta in the form for
// preconditioners that change, Y. Notay, SIAM J. Sci. Comput. 22 (2000). Products with this and by the passes alone, to
// 1e-7 on |A - U V'|^2: 406 and 514 on the digits, rank 5; 2770 and 30375 on 120 x 90 normal random numbers, rank 10.
//
// On convex sets, f a polynomial, a pass begins at an extrapolated point instead, and the momentum is dropped where the
// pass does not improve f, or where it points back:
//
//     y := proj(x + k/(k + 3) (x - x_old)),  x_new := P(y),  k := 0 if <y - x_new, x_new - x> > 0, else k + 1
//
// A. Ang, N. Gillis, Neural Comput. 31 (2019), with the restarts of B. O'Donoghue, E. Candes, Found. Comput. Math. 15
// (2015).
#include "base/memory.h"
#include "opt/driver.h"
#include "opt/solver.h"
#include "opt/stationarity.h"

typedef struct alternating {
  opt_point *before;
  opt_point *d; // on convex sets x_old; NULL as the two below: the passes alone
  opt_point *z;
  opt_point *g_before; // where z was made last
  double gz;           // <z, g> there
  int64_t has_direction;
  int64_t momentum; // k
} alternating;

static const double inner_share =
    0.1; // of the share of its reference that the gradient has: how far a block's own is brought

static int64_t count_points_alternating(const opt_options *options, int degree)
{
  (void)options;
  return degree < 0 ? 1 : 4;
}

static void destroy_alternating(const opt_space *space, void **state)
{
  alternating *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->before);
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  space->ops->destroy(space, &self->g_before);
  tg_free(self);
  *state = NULL;
}

static tg_status create_alternating(opt_run *run, void **state)
{
  if (run->options->blocks == NULL)
    TG_FAIL(TG_UNSUPPORTED, "method: alternating needs a solver for each block, and this problem comes without them");
  alternating *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->before));
  if (run->degree < 0) return TG_OK;
  TG_TRY(run->space->ops->create(run->space, &self->d));
  TG_TRY(run->space->ops->create(run->space, &self->g_before));
  return run->space->ops->create(run->space, &self->z);
}

// Back to the point before.
static tg_status give_up(opt_run *run, alternating *self)
{
  TG_TRY(opt_copy(run->space, self->before, run->x));
  return opt_run_refresh(run);
}

// One pass over the blocks; false ends it early, with the verdict. An extrapolated point, which may be higher than the
// start, is no reference.
static tg_status pass(opt_run *run, bool is_reference, opt_verdict *verdict, bool *is_whole)
{
  const opt_block_solver *blocks = run->options->blocks;
  int worst = 0;
  const double share = opt_run_share(run, &worst);
  *is_whole = false;
  for (int k = 0; k < blocks->n; k++) {
    opt_result result;
    TG_TRY(blocks->solve(blocks->self, k, inner_share * share * run->stationarity.references[k], run->x, &result));
    // The other variables have moved: here the gradient by this one is what it is never at the end of a pass.
    if (is_reference) opt_run_raise_reference(run, k, result.gradient_norm_start);
    if (result.outcome != OPT_UNBOUNDED && result.outcome != OPT_NOT_FINITE) continue;
    *verdict = result.outcome == OPT_UNBOUNDED ? OPT_FALLING : OPT_OUT_OF_RANGE;
    opt_run_explain(run, "in variable %d of %d alone: %.400s", k + 1, blocks->n, result.reason);
    return TG_OK;
  }
  *is_whole = true;
  return TG_OK;
}

// Whether the current point is better than one with these numbers.
static bool is_better(const opt_run *run, double f, double g_norm)
{
  return run->f <= f + opt_run_noise(run) && (run->f < f || run->g_norm < g_norm);
}

// The step to the point that the pass found, whose f and g are up to date.
static tg_status take(opt_run *run, alternating *self, opt_verdict *verdict)
{
  TG_TRY(opt_axpby(run->space, 1, run->x, -1, self->before));
  TG_TRY(opt_norm(run->space, self->before, &run->step_norm));
  run->step = 1;
  run->x_reach += run->step_norm;
  *verdict = OPT_MOVED;
  return TG_OK;
}

static tg_status take_pass(opt_run *run, alternating *self, double f_before, double g_before, opt_verdict *verdict)
{
  self->has_direction = 0;
  TG_TRY(opt_run_refresh(run));
  if (is_better(run, f_before, g_before)) return take(run, self, verdict);
  opt_run_explain(run,
                  "a pass over the %d variables improves neither the objective, %.17g, nor the gradient norm, %.6g",
                  run->options->blocks->n, opt_run_shown(run, f_before), g_before);
  *verdict = OPT_STUCK;
  return give_up(run, self);
}

// A pass from the extrapolated point y. Where it is no better than x, x is back and *is_taken false.
static tg_status leap(opt_run *run, alternating *self, opt_verdict *verdict, bool *is_taken)
{
  const opt_space *space = run->space;
  const double f_before = run->f;
  const double g_before = run->g_norm;
  const double beta = (double)self->momentum / (double)(self->momentum + 3);
  const opt_point *step = self->before;
  const opt_point *back = self->d;
  double product = 0;
  TG_TRY(opt_axpby(space, -beta, self->d, 1 + beta, run->x));
  TG_TRY(run->constraint->ops->approach(run->constraint, run->x));
  TG_TRY(opt_copy(space, run->x, self->d));
  TG_TRY(pass(run, false, verdict, is_taken));
  if (*is_taken) TG_TRY(opt_run_refresh(run));
  *is_taken = *is_taken && is_better(run, f_before, g_before);
  if (!*is_taken) return opt_copy(space, self->before, run->x);
  TG_TRY(take(run, self, verdict));
  TG_TRY(opt_axpby(space, -1, run->x, 1, self->d));
  TG_TRY(space->ops->dots(space, 1, &back, &step, &product));
  self->momentum = product > 0 ? 0 : self->momentum + 1;
  return TG_OK;
}

// With momentum where there is some and it serves, else the pass from x.
static tg_status step_on_set(opt_run *run, alternating *self, opt_verdict *verdict)
{
  const double f_before = run->f;
  const double g_before = run->g_norm;
  bool is_taken = false;
  if (self->momentum > 0) TG_TRY(leap(run, self, verdict, &is_taken));
  if (!is_taken) {
    bool is_whole = false;
    self->momentum = 0;
    TG_TRY(pass(run, true, verdict, &is_whole));
    if (!is_whole) return give_up(run, self);
    TG_TRY(take_pass(run, self, f_before, g_before, verdict));
    self->momentum = *verdict == OPT_MOVED ? 1 : 0;
  }
  if (*verdict != OPT_MOVED) return TG_OK;
  TG_TRY(opt_copy(run->space, run->x, self->d));
  return opt_axpby(run->space, -1, self->before, 1, self->d);
}

// d := -z + beta d with z = `before` - x, `before` the current point and x what the pass made of it. False where z is
// no direction of descent.
static tg_status turn(opt_run *run, alternating *self, double *slope, double *d_norm, bool *descends)
{
  const opt_space *space = run->space;
  const opt_point *z = self->z;
  double p[4] = {0};
  TG_TRY(opt_copy(space, self->before, self->z));
  TG_TRY(opt_axpby(space, -1, run->x, 1, self->z));
  TG_TRY(space->ops->dots(space, self->has_direction ? 4 : 2,
                          (const opt_point *const[]){run->g, z, self->g_before, run->g},
                          (const opt_point *const[]){z, z, z, self->d}, p));
  const double gz = p[0];
  const double gd = p[3];
  double beta = self->has_direction ? (gz - p[2]) / self->gz : 0;
  if (!(beta > 0) || !isfinite(beta) || !(-gz + beta * gd < 0)) beta = 0;
  *descends = gz > 1e-12 * sqrt(p[1]) * run->g_norm;
  *slope = -gz + beta * gd;
  self->gz = gz;
  self->has_direction = *descends;
  TG_TRY(opt_axpby(space, -1, z, beta, self->d));
  TG_TRY(opt_copy(space, run->g, self->g_before));
  return opt_norm(space, self->d, d_norm);
}

// From the point before the pass along d.
static tg_status search(opt_run *run, alternating *self, double slope, double d_norm, opt_verdict *verdict)
{
  TG_TRY(opt_copy(run->space, self->before, run->x));
  TG_TRY(opt_run_search(run, self->d, slope, d_norm, 1, 0.1, verdict));
  if (*verdict == OPT_MOVED) TG_TRY(opt_norm(run->space, run->g, &run->g_norm));
  return TG_OK;
}

static tg_status step_alternating(opt_run *run, void *state, opt_verdict *verdict)
{
  alternating *self = state;
  bool is_whole = false;
  bool descends = false;
  double slope = 0;
  double d_norm = 0;
  TG_TRY(opt_copy(run->space, run->x, self->before));
  if (run->trial != NULL) TG_TRY(opt_copy(run->space, run->x, run->trial));
  if (self->d != NULL && run->constraint != NULL) return step_on_set(run, self, verdict);
  const double f_before = run->f;
  const double g_before = run->g_norm;
  TG_TRY(pass(run, true, verdict, &is_whole));
  if (!is_whole) return give_up(run, self);
  if (self->d != NULL) TG_TRY(turn(run, self, &slope, &d_norm, &descends));
  return descends ? search(run, self, slope, d_norm, verdict) : take_pass(run, self, f_before, g_before, verdict);
}

static void reset_alternating(void *state)
{
  alternating *self = state;
  self->has_direction = 0;
  self->momentum = 0;
}

static tg_status list_alternating(void *state, opt_listing *listing)
{
  alternating *self = state;
  if (self->d == NULL) return TG_OK;
  TG_TRY(opt_listing_add_vector(listing, "direction", -1, self->d));
  opt_listing_mark(listing, !self->has_direction && self->momentum == 0);
  TG_TRY(opt_listing_add_vector(listing, "gradient_before", -1, self->g_before));
  opt_listing_mark(listing, !self->has_direction);
  TG_TRY(opt_listing_add_number(listing, "gz", -1, &self->gz));
  TG_TRY(opt_listing_add_count(listing, "momentum", &self->momentum));
  TG_TRY(opt_listing_add_count(listing, "has_direction", &self->has_direction));
  return TG_OK;
}

const opt_solver opt_solver_alternating = {.name = "alternating",
                                           .needs_blocks = true,
                                           .serves_manifolds = true,
                                           .is_monotone = true,
                                           .search_polynomial = "exact",
                                           .search_general = "none",
                                           .count_points = count_points_alternating,
                                           .create = create_alternating,
                                           .destroy = destroy_alternating,
                                           .step = step_alternating,
                                           .reset = reset_alternating,
                                           .list = list_alternating};
