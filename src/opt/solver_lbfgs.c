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
  int64_t memory;
  int64_t count; // pairs in use; the newest stands at (next - 1) mod memory
  int64_t next;
  opt_point **s;
  opt_point **y;
  double *rho;
  double *a;
  double gamma;
  int64_t renewals; // of the metric that gamma was made with
  opt_point *d;
  opt_point *z; // M^-1 of something; NULL without a metric
} lbfgs;

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
  TG_TRY(TG_NEW(self->memory, &self->rho));
  TG_TRY(TG_NEW(self->memory, &self->a));
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
  if (self->z == NULL) return opt_axpby(run->space, 0, run->g, self->gamma, self->d);
  TG_TRY(opt_run_precondition(run, self->d, self->z));
  TG_TRY(opt_axpby(run->space, self->gamma, self->z, 0, self->d));
  return TG_OK;
}

// d := -H g by the two loops.
static tg_status two_loops(const opt_run *run, lbfgs *self)
{
  const opt_space *space = run->space;
  TG_TRY(opt_axpby(space, -1, run->g, 0, self->d));
  for (int64_t i = 0; i < self->count; i++) {
    const int64_t k = slot(self, i);
    double sq = 0;
    TG_TRY(opt_dot(space, self->s[k], self->d, &sq));
    self->a[k] = self->rho[k] * sq;
    TG_TRY(opt_axpby(space, -self->a[k], self->y[k], 1, self->d));
  }
  if (self->count > 0 || self->z != NULL) TG_TRY(apply_initial(run, self));
  for (int64_t i = self->count - 1; i >= 0; i--) {
    const int64_t k = slot(self, i);
    double yr = 0;
    TG_TRY(opt_dot(space, self->y[k], self->d, &yr));
    TG_TRY(opt_axpby(space, self->a[k] - self->rho[k] * yr, self->s[k], 1, self->d));
  }
  return TG_OK;
}

// gamma of the newest pair by a metric that was renewed since. The pairs themselves were made without it.
static tg_status rescale(const opt_run *run, lbfgs *self)
{
  const int64_t k = slot(self, 0);
  double p[2];
  if (self->renewals == run->renewals) return TG_OK;
  self->renewals = run->renewals;
  if (self->count == 0) return TG_OK;
  TG_TRY(opt_run_precondition(run, self->y[k], self->z));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){self->s[k], self->y[k]},
                               (const opt_point *const[]){self->y[k], self->z}, p));
  self->gamma = p[0] / p[1];
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
  double p[4];
  TG_TRY(space->ops->dots(space, 4, (const opt_point *const[]){s, y, s, run->g},
                          (const opt_point *const[]){y, my, s, run->g}, p));
  run->g_norm = sqrt(p[3]);
  // Not curved upwards along s beyond rounding: the slot is left for the next pair.
  if (!(p[0] > 1e-14 * sqrt(p[1] * p[2]))) {
    if (self->count == self->memory) self->count--; // its old content is gone
    return TG_OK;
  }
  self->rho[self->next] = 1 / p[0];
  self->gamma = p[0] / p[1];
  self->next = (self->next + 1) % self->memory;
  if (self->count < self->memory) self->count++;
  return TG_OK;
}

static tg_status step_lbfgs(opt_run *run, void *state, opt_verdict *verdict)
{
  lbfgs *self = state;
  if (self->count == 0) self->gamma = 1;
  TG_TRY(rescale(run, self));
  double slope = 0;
  double d_norm = 0;
  TG_TRY(direction(run, self, &slope, &d_norm));
  if (!(slope < -1e-14 * run->g_norm * d_norm) && self->count > 0) {
    // Rounding has spoilt the estimate.
    run->restarts++;
    self->count = 0;
    self->gamma = 1;
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
  TG_TRY(opt_listing_add_count(listing, "renewals_seen", &self->renewals));
  TG_TRY(opt_listing_add_number(listing, "gamma", -1, &self->gamma));
  for (int64_t i = 0; i < self->memory; i++) {
    const bool is_idle = (self->next - 1 - i + 2 * self->memory) % self->memory >= self->count;
    TG_TRY(opt_listing_add_vector(listing, "s", i, self->s[i]));
    opt_listing_mark(listing, is_idle);
    TG_TRY(opt_listing_add_vector(listing, "y", i, self->y[i]));
    opt_listing_mark(listing, is_idle);
    TG_TRY(opt_listing_add_number(listing, "rho", i, &self->rho[i]));
  }
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
