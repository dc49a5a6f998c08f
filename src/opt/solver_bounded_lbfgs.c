// Limited-memory BFGS for a set of bounds.
//
//     d = -H z,  z = g in the entries that are free or may be released,  H from the pairs restricted to those
//
// D. Bertsekas, SIAM J. Control Optim. 20 (1982): entries held at a bound that -g pulls outwards take no part, and
// among the others any metric will do; D. Kim, S. Sra, I. Dhillon, SIAM J. Sci. Comput. 32 (2010), with limited memory.
// The two loops are those of J. Nocedal, Math. Comp. 35 (1980), all inner products taken over the entries that take
// part: the pairs are kept whole, and 1 / <s, y> is made anew for the entries of today; a pair that is not curved
// upwards there pauses. A step that would leave the set goes along P(x + d) - x (opt_bounds_move).
#include "base/memory.h"
#include "opt/bounds.h"

typedef struct bounded {
  int64_t memory;
  int64_t count; // pairs in use; the newest stands at (next - 1) mod memory
  int64_t next;
  opt_point **s;
  opt_point **y;
  double *rho; // 1 / <s, y> over the entries that take part; 0: the pair pauses
  double *a;
  opt_point *d;
  opt_point *part; // a pair's y in these entries
  opt_point *w;    // M^-1 of something; NULL without a metric
} bounded;

static int64_t count_points_bounded(const opt_options *options, int degree)
{
  (void)degree;
  return 2 * opt_pairs(options) + (options->metric != NULL ? 3 : 2);
}

static void destroy_bounded(const opt_space *space, void **state)
{
  bounded *self = *state;
  if (self == NULL) return;
  for (int64_t i = 0; self->s != NULL && i < self->memory; i++) space->ops->destroy(space, &self->s[i]);
  for (int64_t i = 0; self->y != NULL && i < self->memory; i++) space->ops->destroy(space, &self->y[i]);
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->part);
  space->ops->destroy(space, &self->w);
  tg_free(self->s);
  tg_free(self->y);
  tg_free(self->rho);
  tg_free(self->a);
  tg_free(self);
  *state = NULL;
}

static tg_status create_bounded(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  bounded *self = NULL;
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
  TG_TRY(space->ops->create(space, &self->part));
  if (run->options->metric != NULL) TG_TRY(space->ops->create(space, &self->w));
  return TG_OK;
}

// Position of the i-th newest pair.
static int64_t slot(const bounded *self, int64_t i)
{
  return (self->next - 1 - i + 2 * self->memory) % self->memory;
}

// v := v in the entries that take part.
static tg_status restrict_to_part(const opt_run *run, opt_point *v)
{
  return run->constraint->ops->mask(run->constraint, run->x, run->g, true, v);
}

// <y, M^-1 y> of the pair's part.
static tg_status measure_part(const opt_run *run, bounded *self, double *out)
{
  const opt_point *w = self->part;
  if (self->w != NULL) {
    TG_TRY(opt_run_precondition(run, self->part, self->w));
    w = self->w;
  }
  return opt_dot(run->space, self->part, w, out);
}

// rho of all pairs for the entries of today, and gamma = <s, y> / <y, M^-1 y> of the newest that takes part.
static tg_status weigh_pairs(const opt_run *run, bounded *self, double *gamma)
{
  *gamma = 0;
  for (int64_t i = 0; i < self->count; i++) {
    const int64_t k = slot(self, i);
    double p[3];
    TG_TRY(opt_copy(run->space, self->y[k], self->part));
    TG_TRY(restrict_to_part(run, self->part));
    TG_TRY(run->space->ops->dots(run->space, 3, (const opt_point *const[]){self->s[k], self->part, self->s[k]},
                                 (const opt_point *const[]){self->part, self->part, self->s[k]}, p));
    const bool is_curved = p[0] > 1e-14 * sqrt(p[1] * p[2]);
    self->rho[k] = is_curved ? 1 / p[0] : 0;
    if (!is_curved || *gamma > 0) continue;
    double measure = 0;
    TG_TRY(measure_part(run, self, &measure));
    *gamma = p[0] / measure;
  }
  return TG_OK;
}

// d := gamma M^-1 d
static tg_status apply_initial(const opt_run *run, bounded *self, double gamma)
{
  if (self->w == NULL) return opt_axpby(run->space, 0, run->g, gamma, self->d);
  TG_TRY(opt_run_precondition(run, self->d, self->w));
  return opt_axpby(run->space, gamma, self->w, 0, self->d);
}

// d := -H z by the two loops; d stays zero in the entries that take no part.
static tg_status two_loops(const opt_run *run, bounded *self, double gamma)
{
  const opt_space *space = run->space;
  for (int64_t i = 0; i < self->count; i++) {
    const int64_t k = slot(self, i);
    double sq = 0;
    TG_TRY(opt_dot(space, self->s[k], self->d, &sq));
    self->a[k] = self->rho[k] * sq;
    if (self->rho[k] == 0) continue;
    TG_TRY(opt_axpby(space, -self->a[k], self->y[k], 1, self->d));
    TG_TRY(restrict_to_part(run, self->d));
  }
  TG_TRY(apply_initial(run, self, gamma));
  for (int64_t i = self->count - 1; i >= 0; i--) {
    const int64_t k = slot(self, i);
    double yr = 0;
    if (self->rho[k] == 0) continue;
    TG_TRY(opt_dot(space, self->y[k], self->d, &yr));
    TG_TRY(opt_axpby(space, self->a[k] - self->rho[k] * yr, self->s[k], 1, self->d));
    TG_TRY(restrict_to_part(run, self->d));
  }
  return TG_OK;
}

// d, its slope and norm; is_scaled: with a length of its own, which -M^-1 z need not have.
static tg_status direction(const opt_run *run, bounded *self, double *slope, double *d_norm, bool *is_scaled)
{
  double p[2];
  double gamma = 0;
  TG_TRY(opt_bounds_face(run, true, self->d));
  TG_TRY(opt_axpby(run->space, 0, run->g, -1, self->d));
  TG_TRY(weigh_pairs(run, self, &gamma));
  *is_scaled = gamma > 0;
  if (*is_scaled) {
    TG_TRY(two_loops(run, self, gamma));
  } else {
    TG_TRY(apply_initial(run, self, 1));
  }
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){run->g, self->d},
                               (const opt_point *const[]){self->d, self->d}, p));
  *slope = p[0];
  *d_norm = sqrt(p[1]);
  return TG_OK;
}

// Puts the step and the change of the gradient in the place of the oldest pair.
static tg_status remember_pair(opt_run *run, const opt_point *along, bounded *self)
{
  const opt_space *space = run->space;
  TG_TRY(opt_axpby(space, run->step, along, 0, self->s[self->next]));
  TG_TRY(opt_copy(space, run->g, self->y[self->next]));
  TG_TRY(opt_axpby(space, -1, run->g_old, 1, self->y[self->next]));
  self->next = (self->next + 1) % self->memory;
  if (self->count < self->memory) self->count++;
  return TG_OK;
}

static tg_status step_bounded(opt_run *run, void *state, opt_verdict *verdict)
{
  bounded *self = state;
  double slope = 0;
  double d_norm = 0;
  bool is_scaled = false;
  TG_TRY(direction(run, self, &slope, &d_norm, &is_scaled));
  if (!(slope < -1e-14 * run->g_norm * d_norm) && is_scaled) {
    // Rounding has spoilt the estimate.
    run->restarts++;
    self->count = 0;
    TG_TRY(direction(run, self, &slope, &d_norm, &is_scaled));
  }
  if (!(slope < 0)) {
    *verdict = isfinite(slope) ? OPT_STUCK : OPT_OUT_OF_RANGE;
    opt_run_explain(run, "no direction of descent inside the bounds can be resolved: |P(x - g) - x| = %.3e",
                    run->g_norm);
    return TG_OK;
  }
  opt_bounds_step step;
  TG_TRY(opt_bounds_move(run, self->d, slope, d_norm, is_scaled ? 1 : opt_first_trial(run, d_norm), &step));
  *verdict = step.verdict;
  if (step.verdict != OPT_MOVED) return TG_OK;
  return remember_pair(run, step.along, self);
}

static void reset_bounded(void *state)
{
  bounded *self = state;
  self->count = 0;
}

static tg_status list_bounded(void *state, opt_listing *listing)
{
  bounded *self = state;
  TG_TRY(opt_listing_add_count(listing, "pairs", &self->count));
  TG_TRY(opt_listing_add_count(listing, "next_pair", &self->next));
  for (int64_t i = 0; i < self->memory; i++) {
    const bool is_idle = (self->next - 1 - i + 2 * self->memory) % self->memory >= self->count;
    TG_TRY(opt_listing_add_vector(listing, "s", i, self->s[i]));
    opt_listing_mark(listing, is_idle);
    TG_TRY(opt_listing_add_vector(listing, "y", i, self->y[i]));
    opt_listing_mark(listing, is_idle);
  }
  return TG_OK;
}

const opt_solver opt_solver_bounded_lbfgs = {.name = "bounded-l-bfgs",
                                             .needs_constraint = true,
                                             .is_monotone = true,
                                             .keeps_faces = true,
                                             .keeps_gradient = true,
                                             .search_polynomial = "none",
                                             .search_general = "none",
                                             .count_points = count_points_bounded,
                                             .create = create_bounded,
                                             .destroy = destroy_bounded,
                                             .step = step_bounded,
                                             .reset = reset_bounded,
                                             .list = list_bounded};
