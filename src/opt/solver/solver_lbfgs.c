// Limited-memory BFGS by the two-loop recursion.
//
// J. Nocedal, Math. Comp. 35 (1980); D. C. Liu and J. Nocedal, Math. Programming 45 (1989). d := -H g, H from the pairs
// (opt/solver/secants.h) and gamma = <s, y> / <y, M^-1 y> of the newest, 1 where M has
// the scale of the Hessian. H stays positive definite because only pairs
// with <s, y> > 0 count (cautious update: D.-H. Li and M. Fukushima, SIAM J. Optim. 11 (2001)), of a sum of functions
// of disjoint groups of unknowns in each group by itself.
//
// On a manifold the step is R_x(t d) and d = -T(H g), T the projection onto the tangent space at x, H the estimate
// above made of vectors of the space around: T H T is symmetric and positive definite on tangent vectors. Of the newest
// pair s = T(t d) and y = g - T(g_old) are tangent at the new x, so that the secant equation holds there; the older
// ones stay as they were made. To carry all of them along by projection (W. Huang, K. Gallivan and P.-A. Absil, SIAM J.
// Optim. 25 (2015)) saves no products: 1208 against 1194 on a Brockett function, 1649 against 1513 on a Procrustes
// problem, 256 against 250 on a trace ratio, all 200 x 10, and costs 2 memory projections an iteration, which took most
// of the time.
#include "base/memory.h"
#include "opt/resolve.h"
#include "opt/solver/secants.h"

enum { PRODUCTS = 5 };

typedef struct lbfgs {
  opt_secants pairs;
  double *products; // PRODUCTS pairs of vectors, by groups
  int64_t renewals; // of the preconditioner that gamma was made with
  opt_point *d;
  opt_point *z; // M^-1 of something; NULL without a preconditioner
} lbfgs;

static int64_t count_points_lbfgs(const opt_options *options, int degree)
{
  (void)degree;
  return 2 * opt_pairs(options) + 1 + (options->preconditioning != NULL ? 1 : 0);
}

static void destroy_lbfgs(const opt_space *space, void **state)
{
  lbfgs *self = *state;
  if (self == NULL) return;
  opt_secants_fini(&self->pairs);
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  tg_free(self->products);
  tg_free(self);
  *state = NULL;
}

// Local.
static tg_status allocate(const opt_run *run, lbfgs **out)
{
  lbfgs *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *out = self;
  TG_TRY(opt_secants_allocate(run, opt_pairs(run->options), &self->pairs));
  return tg_alloc_numbers((int64_t)PRODUCTS * run->n_groups, &self->products);
}

static tg_status create_lbfgs(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  lbfgs *self = NULL;
  const tg_status status = allocate(run, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(opt_secants_create_points(&self->pairs));
  TG_TRY(space->ops->create(space, &self->d));
  if (run->options->preconditioning != NULL) TG_TRY(space->ops->create(space, &self->z));
  return TG_OK;
}

// d := -H g
static tg_status two_loops(const opt_run *run, lbfgs *self)
{
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->d));
  TG_TRY(opt_secants_descend(run, &self->pairs, NULL, self->d));
  if (self->pairs.count > 0 || self->z != NULL) TG_TRY(opt_secants_scale(run, &self->pairs, self->z, self->d));
  return opt_secants_ascend(run, &self->pairs, NULL, self->d);
}

// gamma of the newest pair by a preconditioner that was renewed since. The pairs themselves were made without it.
static tg_status rescale(const opt_run *run, lbfgs *self)
{
  opt_secants *pairs = &self->pairs;
  const int64_t k = opt_secants_slot(pairs, 0);
  const int n = pairs->n_groups;
  const double *p = self->products;
  if (self->renewals == run->renewals) return TG_OK;
  self->renewals = run->renewals;
  if (pairs->count == 0) return TG_OK;
  TG_TRY(opt_run_precondition(run, pairs->y[k], self->z));
  TG_TRY(opt_group_dots(run->space, n, 2, (const opt_point *const[]){pairs->s[k], pairs->y[k]},
                        (const opt_point *const[]){pairs->y[k], self->z}, self->products));
  for (int q = 0; q < n; q++)
    if (pairs->rho[k * n + q] > 0) pairs->gamma[q] = p[q] / p[n + q];
  return TG_OK;
}

static tg_status direction(const opt_run *run, lbfgs *self, double *slope, double *d_norm)
{
  TG_TRY(two_loops(run, self));
  TG_TRY(opt_run_transport(run, self->d));
  return opt_run_slope(run, self->d, slope, d_norm);
}

// Puts the step t d and the change of the gradient in the place of the oldest pair.
static tg_status remember_pair(opt_run *run, lbfgs *self)
{
  opt_secants *pairs = &self->pairs;
  const int n = pairs->n_groups;
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(opt_run_transport(run, run->g_old));
  TG_TRY(opt_secants_fill(run, pairs, self->d));
  const opt_point *s = pairs->s[pairs->next];
  const opt_point *y = pairs->y[pairs->next];
  const bool is_scaled = run->options->preconditioning != NULL && run->options->preconditioning->is_scaled;
  if (self->z != NULL && !is_scaled) TG_TRY(opt_run_precondition(run, y, self->z));
  const opt_point *my = self->z != NULL && !is_scaled ? self->z : y;
  TG_TRY(opt_group_dots(run->space, n, PRODUCTS, (const opt_point *const[]){s, y, s, y, run->g},
                        (const opt_point *const[]){y, my, s, y, run->g}, self->products));
  double g_squared = 0;
  for (int q = 0; q < n; q++) g_squared += self->products[4 * n + q];
  run->g_norm = sqrt(g_squared);
  if (opt_secants_judge(pairs, pairs->next, self->products, g_squared)) {
    if (!is_scaled) opt_secants_take_gamma(pairs, pairs->next, self->products, pairs->count == 0);
    opt_secants_push(pairs);
  } else if (pairs->count == pairs->memory) {
    pairs->count--; // without any curvature the slot is left for the next pair, and its old content is gone
  }
  return TG_OK;
}

static tg_status step_lbfgs(opt_run *run, void *state, opt_verdict *verdict)
{
  lbfgs *self = state;
  opt_secants *pairs = &self->pairs;
  double slope = 0;
  double d_norm = 0;
  TG_TRY(rescale(run, self));
  TG_TRY(direction(run, self, &slope, &d_norm));
  if (!(slope < -1e-14 * run->g_norm * d_norm) && pairs->count > 0) {
    // Rounding has spoilt the estimate.
    run->restarts++;
    opt_secants_forget(pairs);
    TG_TRY(direction(run, self, &slope, &d_norm));
  }
  const bool is_scaled = run->options->preconditioning != NULL && run->options->preconditioning->is_scaled;
  // What was made near this minimum is nearly its Hessian.
  const bool is_near = run->options->preconditioning != NULL && run->options->preconditioning->first_renewal > 0;
  const double first = pairs->count > 0 || is_scaled || is_near ? 1 : opt_first_trial(run, d_norm);
  TG_TRY(opt_run_search(run, self->d, slope, d_norm, first, 0.9, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  // The border of the domain has cut the step short: far from where the pairs were made, a preconditioner that follows
  // x knows more than they do.
  if (is_scaled && run->step < 0.5 * first) opt_secants_forget(pairs);
  return remember_pair(run, self);
}

static void reset_lbfgs(void *state)
{
  opt_secants_forget(&((lbfgs *)state)->pairs);
}

static tg_status list_lbfgs(void *state, opt_listing *listing)
{
  lbfgs *self = state;
  TG_TRY(opt_listing_add_count(listing, "renewals_seen", &self->renewals));
  return opt_secants_list(&self->pairs, listing);
}

const opt_solver opt_solver_lbfgs = {.name = "l-bfgs",
                                     .is_monotone = true,
                                     .keeps_gradient = true,
                                     .serves_manifolds = true,
                                     .search_polynomial = "exact",
                                     .search_general = "strong-wolfe",
                                     .count_points = count_points_lbfgs,
                                     .create = create_lbfgs,
                                     .destroy = destroy_lbfgs,
                                     .step = step_lbfgs,
                                     .reset = reset_lbfgs,
                                     .list = list_lbfgs};
