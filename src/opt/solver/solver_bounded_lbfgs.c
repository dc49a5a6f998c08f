// Limited-memory BFGS for a set of bounds.
//
//     d = -H z,  z = g in the entries that are free or may be released,  H from the pairs restricted to those
//
// D. Bertsekas, SIAM J. Control Optim. 20 (1982): entries held at a bound that -g pulls outwards take no part, and
// among the others any preconditioner will do; D. Kim, S. Sra, I. Dhillon, SIAM J. Sci. Comput. 32 (2010), with limited
// memory. The two loops are those of J. Nocedal, Math. Comp. 35 (1980), all inner products taken over the entries that
// take part: the pairs are kept whole, and 1 / <s, y> is made again for the entries that now take part; a pair that is
// not curved upwards there pauses. A step that would leave the set goes along P(x + d) - x (opt_bounds_move).
#include "base/memory.h"
#include "opt/resolve.h"
#include "opt/solver/bounds.h"
#include "opt/solver/secants.h"

enum { PRODUCTS = 4 };

typedef struct bounded {
  opt_secants pairs; // rho over the entries that take part: 0 where the pair pauses
  double *products;  // PRODUCTS pairs of vectors, by groups
  opt_point *d;
  opt_point *part; // a pair's y in these entries
  opt_point *w;    // M^-1 of something; NULL without a preconditioner
} bounded;

static int64_t count_points_bounded(const opt_options *options, int degree)
{
  (void)degree;
  return 2 * opt_pairs(options) + (options->preconditioning != NULL ? 3 : 2);
}

static void destroy_bounded(const opt_space *space, void **state)
{
  bounded *self = *state;
  if (self == NULL) return;
  opt_secants_fini(&self->pairs);
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->part);
  space->ops->destroy(space, &self->w);
  tg_free(self->products);
  tg_free(self);
  *state = NULL;
}

// Local.
static tg_status allocate(const opt_run *run, bounded **out)
{
  bounded *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *out = self;
  TG_TRY(opt_secants_allocate(run, opt_pairs(run->options), &self->pairs));
  return tg_alloc_numbers((int64_t)PRODUCTS * run->n_groups, &self->products);
}

static tg_status create_bounded(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  bounded *self = NULL;
  const tg_status status = allocate(run, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(opt_secants_create_points(&self->pairs));
  TG_TRY(space->ops->create(space, &self->d));
  TG_TRY(space->ops->create(space, &self->part));
  if (run->options->preconditioning != NULL) TG_TRY(space->ops->create(space, &self->w));
  return TG_OK;
}

// v := v in the entries that take part.
static tg_status restrict_to_part(const opt_run *run, opt_point *v)
{
  return run->constraint->ops->mask(run->constraint, run->x, run->g, true, v);
}

// rho of the pair at k for the entries that now take part. *scales: gamma is still to be set, and is where the pair
// takes part.
static tg_status weigh_pair(const opt_run *run, bounded *self, int64_t k, bool *scales)
{
  opt_secants *pairs = &self->pairs;
  const opt_point *s = pairs->s[k];
  const opt_point *part = self->part;
  const opt_point *w = part;
  TG_TRY(opt_copy(run->space, pairs->y[k], self->part));
  TG_TRY(restrict_to_part(run, self->part));
  if (*scales && self->w != NULL) {
    TG_TRY(opt_run_precondition(run, self->part, self->w));
    w = self->w;
  }
  TG_TRY(opt_group_dots(run->space, pairs->n_groups, PRODUCTS, (const opt_point *const[]){s, part, s, part},
                        (const opt_point *const[]){part, w, s, part}, self->products));
  const bool takes_part = opt_secants_judge(pairs, k, self->products, 0);
  if (!*scales || !takes_part) return TG_OK;
  opt_secants_take_gamma(pairs, k, self->products, true);
  *scales = false;
  return TG_OK;
}

// rho of all pairs, and gamma of the newest that takes part, 1 where none does; *is_scaled: there is one.
static tg_status weigh_pairs(const opt_run *run, bounded *self, bool *is_scaled)
{
  bool scales = true;
  for (int q = 0; q < self->pairs.n_groups; q++) self->pairs.gamma[q] = 1;
  for (int64_t i = 0; i < self->pairs.count; i++)
    TG_TRY(weigh_pair(run, self, opt_secants_slot(&self->pairs, i), &scales));
  *is_scaled = !scales;
  return TG_OK;
}

// d := -H z by the two loops; d stays zero in the entries that take no part.
static tg_status two_loops(const opt_run *run, bounded *self)
{
  TG_TRY(opt_secants_descend(run, &self->pairs, restrict_to_part, self->d));
  TG_TRY(opt_secants_scale(run, &self->pairs, self->w, self->d));
  return opt_secants_ascend(run, &self->pairs, restrict_to_part, self->d);
}

// d, its slope and norm; is_scaled: with a length of its own, which -M^-1 z need not have.
static tg_status direction(const opt_run *run, bounded *self, double *slope, double *d_norm, bool *is_scaled)
{
  TG_TRY(opt_bounds_face(run, true, self->d));
  TG_TRY(opt_axpby(run->space, 0, run->g, -1, self->d));
  TG_TRY(weigh_pairs(run, self, is_scaled));
  TG_TRY(two_loops(run, self));
  return opt_run_slope(run, self->d, slope, d_norm);
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
    opt_secants_forget(&self->pairs);
    TG_TRY(direction(run, self, &slope, &d_norm, &is_scaled));
  }
  if (!(slope < 0)) {
    *verdict = isfinite(slope) ? OPT_STUCK : OPT_OUT_OF_RANGE;
    opt_run_explain(run, "no direction of %s inside the bounds can be resolved: |P(x - g) - x| = %.3e",
                    run->options->wording->descent, run->g_norm);
    return TG_OK;
  }
  opt_bounds_step step;
  TG_TRY(opt_bounds_move(run, self->d, slope, d_norm, is_scaled ? 1 : opt_first_trial(run, d_norm), false, &step));
  *verdict = step.verdict;
  if (step.verdict != OPT_MOVED) return TG_OK;
  TG_TRY(opt_secants_fill(run, &self->pairs, step.along));
  opt_secants_push(&self->pairs);
  return TG_OK;
}

static void reset_bounded(void *state)
{
  opt_secants_forget(&((bounded *)state)->pairs);
}

static tg_status list_bounded(void *state, opt_listing *listing)
{
  return opt_secants_list(&((bounded *)state)->pairs, listing);
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
