// The augmented Lagrangian method: minimise L, update the multipliers, raise the penalty where that helps too little.
//
//     x       :~ argmin L(., m, penalty), up to |gradient of L| <= e
//     m_h     := m_h + penalty h(x),   m_g := max(0, m_g + penalty g(x))
//     penalty := 10 penalty, unless |h|, |max(g, -m_g / penalty)| fell to a quarter; after the first
//                round as chosen where x has come, if that is ten times more or less
//     e       := e / 10 while they fall, down to the tolerance asked for
//
// M. Powell 1969, M. Hestenes 1969, R. T. Rockafellar 1973; J. Nocedal, S. Wright, Numerical Optimization, 2006,
// section 17.4; E. Birgin, J. Martinez, Practical Augmented Lagrangian Methods, 2014, algorithm 4.1.
#include "opt/augmented_lagrangian.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "opt/augmented_lagrangian_parts.h"
#include "opt/vector.h"

enum {
  ROUNDS_MAX = 200,
  SCALED_MAX = 2, // rounds after which sizes are looked at
  FUTILE_MAX = 8, // raises of the penalty in a row that leave the violation where it is
  RENEWALS_MAX = 2,
  FALLING_MAX = 8 // in a row after which L still falls without end
};

static const double growth = 10; // of the penalty
static const double slow_growth = 2;
static const double first_balance = 10; // of the penalty's curvature and that of f
static const double needed_decrease = 0.25;
static const double kinks_decrease = 0.5;
static const double no_decrease = 0.9;
static const double loose = 1e-3;            // relative gradient tolerance of the first round
static const double multiplier_limit = 1e20; // in units of penalty times a constraint's size

// ---- a round ----

// A start from which no step leads away may be a saddle, of f or of the violation. So may the end.
static opt_examines choose_examination(const opt_outer *o)
{
  const opt_examines asked = o->current->examines;
  if (asked == OPT_EXAMINE_NEVER) return asked;
  return o->outer_loop.iterations == 0 || o->looks ? OPT_EXAMINE_START : OPT_EXAMINE_NONE;
}

// Minimises L from x with what is left of the limits, or goes on with the round that a checkpoint was written in.
static tg_status solve(opt_outer *o)
{
  opt_options options;
  if (!o->outer_loop.resumes) {
    o->report->rounds++;
    o->outer_loop.violation = o->measure.violation;
    o->outer_loop.gradient_target = o->target;
    TG_TRY(opt_copy(o->problem->space, o->x, o->before));
    if (o->looks) TG_TRY(opt_outer_relax(o));
  }
  options = *o->current;
  options.gradient_tolerance = o->tolerance > 0 ? 0 : loose;
  options.absolute_gradient_tolerance = o->tolerance;
  options.examines = choose_examination(o);
  options.value_scale = o->value_scale;
  if (o->is_trying) options.saddles = OPT_SADDLES_LEAVE;
  options.max_iterations = o->options->max_iterations - o->outer_loop.iterations;
  options.time_limit = opt_outer_loop_time_left(&o->outer_loop, o->options->time_limit);
  o->outer_loop.skips_start = o->report->rounds > 1; // the end of the round before
  o->outer_loop.round = o->report->rounds;
  const opt_observer observer = opt_outer_loop_observer(&o->outer_loop);
  TG_TRY(opt_minimise(o->problem, &options, o->x, &observer, &o->inner));
  opt_outer_loop_add(&o->outer_loop, o->inner.iterations, &o->inner);
  o->restarts += o->inner.restarts;
  if (!o->is_trying) o->saddles += o->inner.saddles;
  o->drift = fmax(o->drift, o->inner.drift);
  return TG_OK;
}

tg_status opt_outer_commit(opt_outer *o, double penalty)
{
  o->penalty = penalty;
  return o->lagrangian->ops->commit(o->lagrangian, penalty, &o->current);
}

// Whether the rounds are no longer for a large penalty: solved directly, or with a preconditioner that holds its term
// whole.
static bool is_insensitive(const opt_outer *o)
{
  const opt_options *options = o->current;
  return options->closed_form != NULL || (options->preconditioning != NULL && options->preconditioning->from == 0 &&
                                          strcmp(options->preconditioning->name, "kronecker") == 0);
}

// The first one, raised where that makes the rounds fewer and not longer.
static tg_status commit_first(opt_outer *o)
{
  static const double raise = 100;
  TG_TRY(opt_outer_commit(o, o->first_penalty));
  if (o->options->penalty > 0 || !is_insensitive(o)) return TG_OK;
  o->first_penalty *= raise;
  return opt_outer_commit(o, o->first_penalty);
}

bool opt_outer_end(opt_outer *o, opt_outcome outcome, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(o->result->reason, sizeof o->result->reason, format, arguments);
  va_end(arguments);
  o->result->outcome = outcome;
  return true;
}

// Limits and signals end the whole; what the inner run says of them counts one round only.
static bool end_by_inner(opt_outer *o)
{
  switch (o->inner.outcome) {
  case OPT_ITERATION_LIMIT:
    return opt_outer_end(o, OPT_ITERATION_LIMIT,
                         "max_iterations or max_evaluations: %" PRId64 " iterations in %" PRId64
                         " rounds done, with |gradient of the Lagrangian| = %.6g, the target is %.6g",
                         o->outer_loop.iterations, o->report->rounds, o->inner.gradient_norm, o->target);
  case OPT_TIME_LIMIT:
    return opt_outer_end(o, OPT_TIME_LIMIT,
                         "time_limit: %g s are over after %" PRId64 " iterations in %" PRId64 " rounds",
                         o->options->time_limit, o->outer_loop.iterations, o->report->rounds);
  case OPT_INTERRUPTED:
    return opt_outer_end(o, OPT_INTERRUPTED, "interrupted after %" PRId64 " iterations in %" PRId64 " rounds",
                         o->outer_loop.iterations, o->report->rounds);
  case OPT_NOT_FINITE:
    return opt_outer_end(o, OPT_NOT_FINITE, "%.400s", o->inner.reason);
  case OPT_CONVERGED:
  case OPT_STALLED:
  case OPT_UNBOUNDED:
  case OPT_OUTCOME_COUNT:
    break;
  }
  return false;
}

// L falls without end: a larger penalty bends it upwards where the constraints bound f.
static tg_status raise_floor(opt_outer *o, bool *ended)
{
  if (++o->falling > FALLING_MAX) {
    *ended =
        opt_outer_end(o, OPT_UNBOUNDED, "with a penalty of %.1e the augmented Lagrangian still %s without end: %.380s",
                      o->penalty, o->options->wording->falls, o->inner.reason);
    return TG_OK;
  }
  TG_TRY(opt_copy(o->problem->space, o->before, o->x));
  return opt_outer_commit(o, growth * o->penalty);
}

// ---- judgement of a round ----

static bool has_kinks(const opt_outer *o)
{
  return o->measure.penalty > 0;
}

static bool has_kinks_alone(const opt_outer *o)
{
  return has_kinks(o) && !o->measure.has_constraints;
}

// How far f is from the value of L, which is what the violation that is left is worth: large multipliers make a small
// one dear. Asked for no finer than the values themselves are.
static bool is_worthless(const opt_outer *o)
{
  const double f = o->measure.objective;
  const double size = fmax(fabs(f), o->reference * o->x_norm);
  const double m = o->report->multiplier_norm;
  const double rounding = 64 * DBL_EPSILON * fmax(o->value_scale, m * m / o->penalty); // where L cancels
  return fabs(o->inner.objective - f) <= fmax(fmax(o->options->constraint_tolerance, 1e-10) * size, rounding);
}

static bool is_feasible(const opt_outer *o)
{
  const double allowed = o->options->constraint_tolerance;
  return o->measure.share <= allowed && o->measure.complementarity <= allowed && is_worthless(o);
}

// What the last round says of the decrease still to be had stays.
void opt_outer_say_converged(opt_outer *o)
{
  const char *const warning = strstr(o->inner.reason, ", but an estimated");
  opt_outer_end(
      o, OPT_CONVERGED,
      "the constraints hold to %.3g of their terms (allowed %.3g), and |gradient of the Lagrangian| = %.6g is "
      "within the tolerance %.6g%.160s",
      o->measure.share, o->options->constraint_tolerance, o->inner.gradient_norm, o->target,
      warning != NULL ? warning : "");
}

static bool test_end(opt_outer *o)
{
  const opt_measure *m = &o->measure;
  if (is_feasible(o) && o->inner.gradient_norm <= o->target) {
    opt_outer_say_converged(o);
    return true;
  }
  if (is_feasible(o) && o->inner.outcome == OPT_STALLED && o->inner.gradient_target <= o->target)
    return opt_outer_end(o, OPT_STALLED, "the constraints hold to %.3g of their terms, but: %.420s", m->share,
                         o->inner.reason);
  if (o->futile >= FUTILE_MAX && o->renewed < RENEWALS_MAX && o->options->penalty <= 0 && !has_kinks_alone(o))
    return false; // start_over
  // A round that stalls knows more: it may be a saddle that the start cannot leave.
  const bool is_stuck = o->inner.outcome == OPT_STALLED;
  if (o->futile >= FUTILE_MAX)
    return opt_outer_end(
        o, OPT_STALLED,
        "the constraints cannot be met: '%.100s' stays violated by %.3g while the penalty rose from %.1e to "
        "%.1e; they contradict each other, or this start leads to a point where their violation has a local "
        "minimum or a saddle%s%.180s",
        o->lagrangian->ops->describe(o->lagrangian, m->worst), m->violation, o->first_penalty, o->penalty,
        is_stuck ? "; the last round: " : "", is_stuck ? o->inner.reason : "");
  if (o->report->rounds >= ROUNDS_MAX)
    return opt_outer_end(o, OPT_STALLED,
                         "after %d rounds the constraints are still violated by %.3g of their terms, allowed is %.3g",
                         ROUNDS_MAX, m->share, o->options->constraint_tolerance);
  return false;
}

// Ten times the penalty whose term curves as much as f does along the normals of the constraints: the multipliers then
// settle in few rounds, and none of them is much worse conditioned than f. 0 where f is flat there.
static double penalty_by_curvature(const opt_survey *s, double by_gradient)
{
  static const double flat = 1e-3;
  const double balance = s->curvature > 0 ? first_balance * s->curvature / s->gram : 0;
  return isfinite(balance) && balance > flat * by_gradient ? balance : 0;
}

// The size of the constraints' entries; at a start that all but meets them, that of their change along x: what is left
// there is rounding, or of an earlier run, and says nothing.
static double entry_size(const opt_survey *s)
{
  static const double met = 1e-3;
  const double change = sqrt(s->gram) * s->x_norm;
  return s->size > met * change ? s->size : change;
}

// The one under which multipliers of the size that the gradient of f asks for are reached by violations of the size of
// the constraints' own entries.
static double penalty_by_gradient(const opt_survey *s, double gradient_norm)
{
  const double slope = sqrt(s->gram);
  const double size = entry_size(s);
  return slope > 0 && size > 0 ? gradient_norm / (slope * size) : 0;
}

// All of it scales as it must with f, x and the constraints.
static double choose_penalty(const opt_outer *o, const opt_survey *s)
{
  const double by_gradient = penalty_by_gradient(s, s->gradient_norm);
  const double size = entry_size(s);
  const double by_value = s->size > 0 ? first_balance * fabs(o->measure.objective) / (size * size) : 0;
  const double candidates[] = {o->options->penalty, penalty_by_curvature(s, by_gradient), by_gradient, by_value};
  for (size_t k = 0; k < sizeof candidates / sizeof candidates[0]; k++)
    if (candidates[k] > 0 && isfinite(candidates[k])) return candidates[k];
  return first_balance;
}

// The first penalty belongs to the start, from where the first round may have gone to quite another curvature.
static tg_status choose_again(opt_outer *o, double *penalty)
{
  opt_survey survey;
  TG_TRY(o->lagrangian->ops->survey(o->lagrangian, o->x, &survey));
  const double pull = sqrt(survey.gram) * o->report->multiplier_norm; // that of f here, which the multipliers hold
  const double by_gradient = penalty_by_gradient(&survey, pull);
  // Near the border of the domain of f its curvature grows without bound, and no penalty is to match that.
  const double here = o->current->has_border ? by_gradient : penalty_by_curvature(&survey, by_gradient);
  if (here > growth * *penalty || (here > 0 && growth * here < *penalty)) *penalty = here;
  return TG_OK;
}

// The rule of algorithm 4.1; the inner tolerance follows the constraints.
static double next_penalty(opt_outer *o)
{
  const opt_measure *m = &o->measure;
  const double needed = has_kinks_alone(o) ? kinks_decrease : needed_decrease;
  const bool has_fallen = m->complementarity <= needed * o->last_complementarity;
  const bool must_rise = !has_fallen && m->complementarity > o->options->constraint_tolerance;
  if (is_feasible(o))
    o->tolerance = o->target;
  else
    o->tolerance = fmax(o->target, (has_fallen ? 0.1 : 0.3) * o->tolerance);
  o->futile = must_rise && m->share > no_decrease * o->best_violation ? o->futile + 1 : 0;
  o->best_violation = fmin(o->best_violation, m->share);
  o->last_complementarity = m->complementarity;
  if (!must_rise) return o->penalty;
  // Kinks alone are met with any penalty, if f is convex: one far beyond what fits them makes L needlessly hard.
  const bool goes_beyond = has_kinks_alone(o) && o->penalty >= m->penalty;
  return (goes_beyond ? slow_growth : growth) * o->penalty;
}

// f and the constraints at x; the best point is kept.
static tg_status measure(opt_outer *o)
{
  opt_measure *m = &o->measure;
  TG_TRY(o->lagrangian->ops->measure(o->lagrangian, o->x, m));
  if (o->inner.outcome != OPT_UNBOUNDED && isfinite(m->objective))
    o->value_scale = fmax(o->value_scale, fmax(fabs(m->objective), o->reference * o->x_norm));
  if (!(m->share <= o->options->constraint_tolerance) || !(m->objective < o->best_f)) return TG_OK;
  o->best_f = m->objective;
  return opt_copy(o->problem->space, o->x, o->best);
}

// A run that ends without having converged returns the best feasible point, where there is one.
static tg_status choose_best(opt_outer *o)
{
  const opt_measure *m = &o->measure;
  const bool is_best = m->share <= o->options->constraint_tolerance && m->objective <= o->best_f;
  opt_options options = *o->current;
  if (o->result->outcome == OPT_CONVERGED || o->result->outcome == OPT_UNBOUNDED || is_best || o->stays ||
      !isfinite(o->best_f))
    return TG_OK;
  TG_TRY(opt_copy(o->problem->space, o->best, o->x));
  TG_TRY(o->lagrangian->ops->measure(o->lagrangian, o->x, &o->measure));
  options.max_iterations = 0;
  options.examines = OPT_EXAMINE_NONE;
  return opt_minimise(o->problem, &options, o->x, NULL, &o->inner);
}

// The size of the gradient of f, the target, and the tolerance of the first round where that was not known.
static void choose_target(opt_outer *o, double norm)
{
  static const double fading = 0.01; // of an earlier one, for the start may be far away
  if (isfinite(norm) && norm > 0) o->reference = fmax(fading * o->reference, norm);
  o->reference = fmax(o->reference, o->least_reference);
  o->target = fmax(o->options->gradient_tolerance * o->reference, o->options->absolute_gradient_tolerance);
  if (!(o->tolerance > 0)) o->tolerance = fmax(o->target, loose * o->reference);
}

// The gradient at a saddle that was left may have been rounding, and so may the one at the end be: then f tells what
// size gradients have.
static void choose_target_beyond(opt_outer *o)
{
  static const double share = 1e-6;
  if (!(o->x_norm > 0) || o->inner.outcome == OPT_UNBOUNDED) return;
  o->least_reference = share * o->value_scale / o->x_norm;
  choose_target(o, 0);
}

// At the start f and the constraints may say little of their sizes: from zero, or where the gradient of f vanishes.
static tg_status find_scales(opt_outer *o)
{
  static const double far_share = 1e-3; // of x when sizes were looked at last: that was far away, and says nothing now
  double norm = 0;
  double x_norm = 0;
  TG_TRY(opt_norm(o->problem->space, o->x, &x_norm));
  if (x_norm < far_share * o->x_norm && o->inner.outcome != OPT_UNBOUNDED) {
    o->scaled = 0;
    o->reference = 0;
    o->value_scale = 0;
  }
  o->x_norm = x_norm;
  // Where L falls without end x is anywhere.
  if (o->scaled <= SCALED_MAX && o->inner.outcome != OPT_UNBOUNDED) {
    o->scaled++;
    TG_TRY(o->lagrangian->ops->scale(o->lagrangian, o->x, &norm));
    choose_target(o, norm);
  }
  if (o->report->rounds == 0) o->gradient_norm_start = norm;
  return TG_OK;
}

// A penalty that is small at the start lets f lead far away from the constraints, to where their violation may have a
// local minimum. From the start again under one that rules there: first halfway up to the last in its exponent, then
// the last, which makes the first round a restoration of feasibility.
static tg_status start_over(opt_outer *o)
{
  const double last = o->penalty;
  o->renewed++;
  o->futile = 0;
  o->best_violation = (double)INFINITY;
  o->last_complementarity = (double)INFINITY;
  o->tolerance = fmax(o->target, loose * o->reference);
  TG_TRY(opt_copy(o->problem->space, o->first_start, o->x));
  TG_TRY(o->lagrangian->ops->update(o->lagrangian, 0, &o->report->multiplier_norm));
  o->restarts++;
  return opt_outer_commit(o, o->renewed == 1 ? sqrt(o->first_penalty) * sqrt(last) : growth * last);
}

static tg_status finish_round(opt_outer *o, bool *ended)
{
  const int64_t looked = o->looks;
  bool scattered = false;
  TG_TRY(opt_outer_test_departure(o, &scattered, ended));
  if (*ended || scattered) return TG_OK;
  TG_TRY(find_scales(o));
  if (looked || o->inner.saddles > 0) choose_target_beyond(o);
  TG_TRY(measure(o));
  TG_TRY(opt_outer_test_ray(o, ended));
  if (*ended) return TG_OK;
  *ended = end_by_inner(o);
  if (*ended) return opt_outer_judge(o, ended);
  if (o->inner.outcome == OPT_UNBOUNDED) {
    o->looks = looked; // the start of the round is a saddle
    TG_TRY(raise_floor(o, ended));
    if (looked && !*ended) TG_TRY(o->lagrangian->ops->measure(o->lagrangian, o->x, &o->measure));
    return *ended ? opt_outer_judge(o, ended) : TG_OK;
  }
  o->falling = 0;
  const double limit = multiplier_limit * o->penalty * o->measure.size;
  TG_TRY(o->lagrangian->ops->update(o->lagrangian, limit, &o->report->multiplier_norm));
  double penalty = next_penalty(o);
  *ended = test_end(o);
  if (*ended) return opt_outer_judge(o, ended);
  if (o->futile >= FUTILE_MAX) return start_over(o);
  if (o->report->rounds == 1 && !(o->options->penalty > 0) && !is_insensitive(o) && !has_kinks(o))
    TG_TRY(choose_again(o, &penalty));
  return opt_outer_commit(o, penalty);
}

// ---- the whole ----

// What the report says: about f and the constraints, at x.
static tg_status hand_back(opt_outer *o)
{
  opt_result *r = o->result;
  const opt_outcome outcome = r->outcome;
  char reason[sizeof r->reason];
  memcpy(reason, r->reason, sizeof reason);
  *r = o->inner;
  r->outcome = outcome;
  memcpy(r->reason, reason, sizeof reason);
  r->gradient_norm_start = o->gradient_norm_start;
  r->gradient_target = o->target;
  r->objective = o->measure.objective;
  r->violation = fmax(r->violation, o->measure.violation);
  r->iterations = o->outer_loop.iterations;
  r->restarts = o->restarts;
  r->saddles = o->saddles + o->left;
  r->seconds = o->outer_loop.seconds;
  r->earlier_seconds = o->outer_loop.earlier_seconds;
  r->drift = o->drift;
  o->report->penalty = o->penalty;
  o->report->complementarity = o->measure.complementarity;
  if (outcome != OPT_ITERATION_LIMIT && outcome != OPT_TIME_LIMIT && outcome != OPT_INTERRUPTED) return TG_OK;
  const size_t used = strlen(r->reason);
  snprintf(r->reason + used, sizeof r->reason - used,
           "; the constraints are violated by %.3g of their terms, "
           "allowed is %.3g",
           o->measure.share, o->options->constraint_tolerance);
  return TG_OK;
}

// What the rounds to come read of the ones before.
static tg_status list(void *self, opt_listing *listing)
{
  opt_outer *o = self;
  if (o->lagrangian->ops->list == NULL) TG_FAIL(TG_INTERNAL, "multipliers that cannot be saved");
  const struct {
    const char *name;
    double *number;
  } numbers[] = {{"penalty", &o->penalty},
                 {"first_penalty", &o->first_penalty},
                 {"round_tolerance", &o->tolerance},
                 {"best_violation", &o->best_violation},
                 {"last_complementarity", &o->last_complementarity},
                 {"rounds_drift", &o->drift},
                 {"best_feasible_objective", &o->best_f},
                 {"multiplier_norm", &o->report->multiplier_norm},
                 {"objective_gradient_start", &o->gradient_norm_start},
                 {"objective_gradient_reference", &o->reference},
                 {"objective_size", &o->value_scale},
                 {"first_distance", &o->first_gone},
                 {"least_reference", &o->least_reference},
                 {"size_of_x", &o->x_norm},
                 {"kept_objective", &o->kept_f},
                 {"kept_penalty", &o->kept_penalty},
                 {"kept_norm", &o->kept_norm},
                 {"kept_gradient", &o->kept_gradient}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    TG_TRY(opt_listing_add_number(listing, numbers[i].name, -1, numbers[i].number));
  TG_TRY(opt_listing_add_vector(listing, "round_start", -1, o->before));
  TG_TRY(opt_listing_add_vector(listing, "best_feasible", -1, o->best));
  opt_listing_mark(listing, !isfinite(o->best_f));
  TG_TRY(opt_listing_add_vector(listing, "first_start", -1, o->first_start));
  TG_TRY(opt_listing_add_vector(listing, "kept", -1, o->kept));
  opt_listing_mark(listing, !o->is_trying);
  TG_TRY(opt_listing_add_count(listing, "renewed", &o->renewed));
  TG_TRY(opt_listing_add_count(listing, "tries", &o->tries));
  TG_TRY(opt_listing_add_count(listing, "is_trying", &o->is_trying));
  TG_TRY(opt_listing_add_count(listing, "looks", &o->looks));
  TG_TRY(opt_listing_add_count(listing, "left", &o->left));
  TG_TRY(opt_listing_add_count(listing, "rounds", &o->report->rounds));
  TG_TRY(opt_listing_add_number(listing, "round_violation", -1, &o->outer_loop.violation));
  TG_TRY(opt_listing_add_number(listing, "round_target", -1, &o->outer_loop.gradient_target));
  TG_TRY(opt_listing_add_count(listing, "futile", &o->futile));
  TG_TRY(opt_listing_add_count(listing, "falling", &o->falling));
  TG_TRY(opt_listing_add_count(listing, "scaled", &o->scaled));
  TG_TRY(opt_listing_add_count(listing, "rounds_restarts", &o->restarts));
  TG_TRY(opt_listing_add_count(listing, "rounds_saddles", &o->saddles));
  return o->lagrangian->ops->list(o->lagrangian, listing);
}

// The user's, the one that fits the kinks, or by a survey of the constraints.
static tg_status choose_first(opt_outer *o)
{
  opt_survey survey;
  o->first_penalty = o->options->penalty > 0 ? o->options->penalty : o->measure.penalty;
  if (has_kinks_alone(o)) return TG_OK;
  TG_TRY(o->lagrangian->ops->survey(o->lagrangian, o->x, &survey));
  // Kinks have no curvature, and no slope where all multipliers are zero.
  if (has_kinks(o)) survey.curvature = (double)NAN;
  if (has_kinks(o)) survey.gradient_norm = o->gradient_norm_start;
  o->first_penalty = choose_penalty(o, &survey);
  return TG_OK;
}

static tg_status start(opt_outer *o)
{
  bool restored = false;
  TG_TRY(opt_outer_loop_restore(&o->outer_loop, &restored));
  if (restored) {
    choose_target(o, 0); // the tolerance may be another one now
    return opt_outer_commit(o, o->penalty);
  }
  TG_TRY(opt_copy(o->problem->space, o->x, o->first_start));
  TG_TRY(find_scales(o));
  o->best_f = (double)INFINITY;
  TG_TRY(measure(o));
  TG_TRY(choose_first(o));
  o->best_violation = (double)INFINITY;
  o->last_complementarity = (double)INFINITY;
  return commit_first(o);
}

static tg_status iterate(opt_outer *o)
{
  bool ended = false;
  TG_TRY(start(o));
  while (!ended) {
    TG_TRY(solve(o));
    TG_TRY(finish_round(o, &ended));
  }
  TG_TRY(choose_best(o));
  return hand_back(o);
}

tg_status opt_minimise_lagrangian(opt_problem *problem, opt_lagrangian *lagrangian, const opt_options *options,
                                  opt_point *x, const opt_observer *observer, opt_result *result,
                                  opt_lagrangian_report *report)
{
  memset(result, 0, sizeof *result);
  memset(report, 0, sizeof *report);
  opt_outer o = {.problem = problem,
                 .lagrangian = lagrangian,
                 .options = options,
                 .outer_loop = {.observer = observer, .name = "rounds", .list = list, .caller = &o},
                 .x = x,
                 .result = result,
                 .report = report};
  tg_status status = problem->space->ops->create(problem->space, &o.before);
  if (status == TG_OK) status = problem->space->ops->create(problem->space, &o.best);
  if (status == TG_OK) status = problem->space->ops->create(problem->space, &o.first_start);
  if (status == TG_OK) status = problem->space->ops->create(problem->space, &o.aside);
  if (status == TG_OK) status = problem->space->ops->create(problem->space, &o.kept);
  if (status == TG_OK) status = iterate(&o);
  problem->space->ops->destroy(problem->space, &o.before);
  problem->space->ops->destroy(problem->space, &o.first_start);
  problem->space->ops->destroy(problem->space, &o.aside);
  problem->space->ops->destroy(problem->space, &o.kept);
  problem->space->ops->destroy(problem->space, &o.best);
  opt_outer_loop_fini(&o.outer_loop);
  return status;
}
