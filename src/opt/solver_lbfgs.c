// Limited-memory BFGS by the two-loop recursion.
//
// J. Nocedal, Math. Comp. 35 (1980); D. C. Liu and J. Nocedal, Math. Programming 45 (1989). With the pairs
// s_i = x_{i+1} - x_i, y_i = g_{i+1} - g_i, rho_i = 1 / <s_i, y_i>, newest last:
//     q := g;  newest to oldest: a_i := rho_i <s_i, q>, q := q - a_i y_i
//     r := gamma M^-1 q,  gamma = <s, y> / <y, M^-1 y> of the newest pair
//     oldest to newest: r := r + s_i (a_i - rho_i <y_i, r>);  d := -r
// The inverse Hessian estimate stays positive definite because only pairs with <s, y> > 0 enter (cautious update:
// D.-H. Li and M. Fukushima, SIAM J. Optim. 11 (2001)).
//
// Where f is a sum of functions of disjoint groups of unknowns no curvature couples two groups, and each of them has a
// gamma and a_i of its own: inner products are taken group by group, <s_i, y_i>_q. One estimate for all would spread
// what a pair says of one group over all of them (A. Griewank and Ph. L. Toint, Numer. Math. 39 (1982), for sums of
// functions that share unknowns). A pair that is not curved upwards in a group says nothing of it.
//
// On a manifold the step is R_x(t d) and d = -T(H g), T the projection onto the tangent space at x, H the estimate
// above made of vectors of the space around: T H T is symmetric and positive definite on tangent vectors. Of the newest
// pair s = T(t d) and y = g - T(g_old) are tangent at the new x, so that the secant equation holds there; the older
// ones stay as they were made. To carry all of them along by projection (W. Huang, K. Gallivan and P.-A. Absil, SIAM J.
// Optim. 25 (2015)) saves no products: 1208 against 1194 on a Brockett function, 1649 against 1513 on a Procrustes
// problem, 256 against 250 on a trace ratio, all 200 x 10, and costs 2 memory projections an iteration, which took most
// of the time.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct lbfgs {
  int n_groups;
  int64_t memory;
  int64_t count; // pairs in use; the newest stands at (next - 1) mod memory
  int64_t next;
  opt_point **s;
  opt_point **y;
  double *rho;   // of pair k and group q at k n_groups + q; 0: nothing is known
  double *a;     // of a pair
  double *gamma; // of the groups, like the next two
  double *coefs;
  double *ones;
  double *products; // of PRODUCTS pairs of vectors, by groups
  int64_t renewals; // of the metric that gamma was made with
  opt_point *d;
  opt_point *z; // M^-1 of something; NULL without a metric
} lbfgs;

enum { PRODUCTS = 5 };

static int64_t count_points_lbfgs(const opt_options *options, int degree)
{
  (void)degree;
  return 2 * opt_pairs(options) + 1 + (options->metric != NULL ? 1 : 0);
}

static void destroy_lbfgs(const opt_space *space, void **state)
{
  lbfgs *self = *state;
  if (self == NULL) return;
  for (int64_t i = 0; self->s != NULL && i < self->memory; i++) space->ops->destroy(space, &self->s[i]);
  for (int64_t i = 0; self->y != NULL && i < self->memory; i++) space->ops->destroy(space, &self->y[i]);
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  tg_free(self->s);
  tg_free(self->y);
  tg_free(self->rho);
  tg_free(self->a);
  tg_free(self->gamma);
  tg_free(self->coefs);
  tg_free(self->ones);
  tg_free(self->products);
  tg_free(self);
  *state = NULL;
}

static tg_status create_lbfgs(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  lbfgs *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  self->memory = opt_pairs(run->options);
  TG_TRY(TG_NEW(self->memory, &self->s));
  TG_TRY(TG_NEW(self->memory, &self->y));
  self->n_groups = run->n_groups;
  TG_TRY(tg_alloc_numbers(self->memory * self->n_groups, &self->rho));
  TG_TRY(tg_alloc_numbers(self->memory * self->n_groups, &self->a));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->gamma));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->coefs));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->ones));
  TG_TRY(tg_alloc_numbers((int64_t)PRODUCTS * self->n_groups, &self->products));
  for (int q = 0; q < self->n_groups; q++) self->ones[q] = 1;
  for (int64_t i = 0; i < self->memory; i++) {
    TG_TRY(space->ops->create(space, &self->s[i]));
    TG_TRY(space->ops->create(space, &self->y[i]));
  }
  TG_TRY(space->ops->create(space, &self->d));
  if (run->options->metric != NULL) TG_TRY(space->ops->create(space, &self->z));
  return TG_OK;
}

// Position of the i-th newest pair.
static int64_t slot(const lbfgs *self, int64_t i)
{
  return (self->next - 1 - i + 2 * self->memory) % self->memory;
}

// d := gamma M^-1 d
static tg_status apply_initial(const opt_run *run, lbfgs *self)
{
  for (int q = 0; q < self->n_groups; q++) self->coefs[q] = 0;
  if (self->z == NULL) return opt_group_axpby(run->space, self->n_groups, self->coefs, run->g, self->gamma, self->d);
  TG_TRY(opt_run_precondition(run, self->d, self->z));
  return opt_group_axpby(run->space, self->n_groups, self->gamma, self->z, self->coefs, self->d);
}

// out[q] = rho <v, d>_q for the numbers rho of a pair
static tg_status weigh(const opt_run *run, lbfgs *self, int64_t pair, const opt_point *v, double *out)
{
  const opt_point *d = self->d;
  TG_TRY(opt_group_dots(run->space, self->n_groups, 1, &v, &d, out));
  for (int q = 0; q < self->n_groups; q++) out[q] *= self->rho[pair * self->n_groups + q];
  return TG_OK;
}

// d := -H g by the two loops.
static tg_status two_loops(const opt_run *run, lbfgs *self)
{
  const opt_space *space = run->space;
  const int n = self->n_groups;
  TG_TRY(opt_axpby(space, -1, run->g, 0, self->d));
  for (int64_t i = 0; i < self->count; i++) {
    const int64_t k = slot(self, i);
    double *a = self->a + k * n;
    TG_TRY(weigh(run, self, k, self->s[k], a));
    for (int q = 0; q < n; q++) self->coefs[q] = -a[q];
    TG_TRY(opt_group_axpby(space, n, self->coefs, self->y[k], self->ones, self->d));
  }
  if (self->count > 0 || self->z != NULL) TG_TRY(apply_initial(run, self));
  for (int64_t i = self->count - 1; i >= 0; i--) {
    const int64_t k = slot(self, i);
    TG_TRY(weigh(run, self, k, self->y[k], self->coefs));
    for (int q = 0; q < n; q++) self->coefs[q] = self->a[k * n + q] - self->coefs[q];
    TG_TRY(opt_group_axpby(space, n, self->coefs, self->s[k], self->ones, self->d));
  }
  return TG_OK;
}

// gamma of the newest pair by a metric that was renewed since. The pairs themselves were made without it.
static tg_status rescale(const opt_run *run, lbfgs *self)
{
  const int64_t k = slot(self, 0);
  const int n = self->n_groups;
  const double *p = self->products;
  if (self->renewals == run->renewals) return TG_OK;
  self->renewals = run->renewals;
  if (self->count == 0) return TG_OK;
  TG_TRY(opt_run_precondition(run, self->y[k], self->z));
  TG_TRY(opt_group_dots(run->space, n, 2, (const opt_point *const[]){self->s[k], self->y[k]},
                        (const opt_point *const[]){self->y[k], self->z}, self->products));
  for (int q = 0; q < n; q++)
    if (self->rho[k * n + q] > 0) self->gamma[q] = p[q] / p[n + q];
  return TG_OK;
}

static tg_status direction(const opt_run *run, lbfgs *self, double *slope, double *d_norm)
{
  double p[2];
  TG_TRY(two_loops(run, self));
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){run->g, self->d},
                               (const opt_point *const[]){self->d, self->d}, p));
  *slope = p[0];
  *d_norm = sqrt(p[1]);
  return TG_OK;
}

// rho and gamma of the newest pair, from its inner products; whether it says anything.
static bool judge_pair(lbfgs *self)
{
  const int n = self->n_groups;
  const double *sy = self->products;
  const double *yz = sy + n; // <y, M^-1 y>
  const double *ss = sy + 2 * n;
  const double *yy = sy + 3 * n;
  const double *gg = sy + 4 * n;
  double g_squared = 0;
  double curved[2] = {0, 0}; // sums of sy and yz
  for (int q = 0; q < n; q++) g_squared += gg[q];
  for (int q = 0; q < n; q++) {
    // Curved upwards beyond rounding, of the product and of y, a difference of gradients.
    const bool is_curved = sy[q] > 1e-14 * sqrt(yz[q] * ss[q]) && yy[q] > 1e-28 * g_squared;
    self->rho[self->next * n + q] = is_curved ? 1 / sy[q] : 0;
    if (!is_curved) continue;
    curved[0] += sy[q];
    curved[1] += yz[q];
  }
  for (int q = 0; q < n; q++) {
    if (self->rho[self->next * n + q] > 0)
      self->gamma[q] = sy[q] / yz[q];
    else if (self->count == 0)
      self->gamma[q] = curved[0] / curved[1]; // that of the others, until there is one
  }
  return curved[0] > 0;
}

// Puts the step t d and the change of the gradient in the place of the oldest pair.
static tg_status remember_pair(opt_run *run, lbfgs *self)
{
  const opt_space *space = run->space;
  opt_point *s = self->s[self->next];
  opt_point *y = self->y[self->next];
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(opt_run_transport(run, run->g_old));
  TG_TRY(opt_axpby(space, run->step, self->d, 0, s));
  TG_TRY(opt_copy(space, run->g, y));
  TG_TRY(opt_axpby(space, -1, run->g_old, 1, y));
  const opt_point *my = y;
  if (self->z != NULL) {
    TG_TRY(opt_run_precondition(run, y, self->z));
    my = self->z;
  }
  TG_TRY(opt_group_dots(space, self->n_groups, PRODUCTS, (const opt_point *const[]){s, y, s, y, run->g},
                        (const opt_point *const[]){y, my, s, y, run->g}, self->products));
  run->g_norm = 0;
  for (int q = 0; q < self->n_groups; q++) run->g_norm += self->products[4 * self->n_groups + q];
  run->g_norm = sqrt(run->g_norm);
  // Without any curvature the slot is left for the next pair.
  if (!judge_pair(self)) {
    if (self->count == self->memory) self->count--; // its old content is gone
    return TG_OK;
  }
  self->next = (self->next + 1) % self->memory;
  if (self->count < self->memory) self->count++;
  return TG_OK;
}

// gamma before there is a pair
static void forget_pairs(lbfgs *self)
{
  self->count = 0;
  for (int q = 0; q < self->n_groups; q++) self->gamma[q] = 1;
}

static tg_status step_lbfgs(opt_run *run, void *state, opt_verdict *verdict)
{
  lbfgs *self = state;
  if (self->count == 0) forget_pairs(self);
  TG_TRY(rescale(run, self));
  double slope = 0;
  double d_norm = 0;
  TG_TRY(direction(run, self, &slope, &d_norm));
  if (!(slope < -1e-14 * run->g_norm * d_norm) && self->count > 0) {
    // Rounding has spoilt the estimate.
    run->restarts++;
    forget_pairs(self);
    TG_TRY(direction(run, self, &slope, &d_norm));
  }
  const double first = self->count > 0 ? 1 : opt_first_trial(run, d_norm);
  TG_TRY(opt_run_search(run, self->d, slope, d_norm, first, 0.9, verdict));
  if (*verdict == OPT_MOVED) TG_TRY(remember_pair(run, self));
  return TG_OK;
}

static void reset_lbfgs(void *state)
{
  lbfgs *self = state;
  self->count = 0;
}

static tg_status list_lbfgs(void *state, opt_listing *listing)
{
  lbfgs *self = state;
  TG_TRY(opt_listing_add_count(listing, "pairs", &self->count));
  TG_TRY(opt_listing_add_count(listing, "next_pair", &self->next));
  for (int q = 0; q < self->n_groups; q++) TG_TRY(opt_listing_add_number(listing, "gamma", q, &self->gamma[q]));
  for (int64_t i = 0; i < self->memory; i++) {
    TG_TRY(opt_listing_add_vector(listing, "s", i, self->s[i]));
    TG_TRY(opt_listing_add_vector(listing, "y", i, self->y[i]));
  }
  for (int64_t i = 0; i < self->memory * self->n_groups; i++)
    TG_TRY(opt_listing_add_number(listing, "rho", i, &self->rho[i]));
  return TG_OK;
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
