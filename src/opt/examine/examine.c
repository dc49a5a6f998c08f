// Decrease first, then curvature: a point that can still be improved need not be looked at twice.
#include "opt/examine/examine.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "opt/examine/decrease.h"
#include "opt/stationarity.h"

enum { ACTIONS_MAX = 20, ACTIONS_LEAST = 8, SADDLES_MAX = 20, CONE_STEPS = 6 };

// A decrease that is worth no other iteration: a share of what f has fallen, but no more than a share of its value,
// which a start in other units leaves far behind. A start close by leaves little to fall: then the tolerance is a share
// of f.
static const double worth_of_fall = 1e-7;
static const double worth_of_value = 1e-3;
// The share of what f has fallen that its rounding may take.
static const double rounding_of_fall = 1e-13;
// A step of this share of x goes beyond what the Hessian at x knows: in a valley that leads to infinity f falls on by
// several times the estimate. Then the estimate has to be smaller by as much.
static const double far_share = 0.01;
// A slope that lowers f by more than this share of it on a way as long as x is none of a minimum's.
static const double steep_share = 0.01;
static const double far_worth = 1e-3;
// What may be left of f, or of its fall, where a point is called converged: as estimated, and as the least estimate.
static const double much_share = 0.1;
static const double least_much_share = 1e-3;

// How much smaller the gradient is made where convexity then says that nothing is left.
static const double near_bound = 100;

// A start is far away where f has fallen by so much more than its terms are at x: beside that fall all that is left
// here would pass for rounding.
static const double far_fall = 1e8;
enum { FAR_STARTS_MAX = 10 };

// A tolerance above this asks for a rough answer: then the estimate is said, and nothing more.
static const double loose_tolerance = 1e-6;

// ---- life ----

int64_t opt_examiner_points(const opt_options *options, int degree, bool is_constrained)
{
  if (options->examines == OPT_EXAMINE_NEVER || degree == 0 || degree == 1) return 0;
  return 4 + (options->preconditioning != NULL ? 1 : 0) + (is_constrained ? 1 : 0);
}

// A manifold beside convex sets: curvature is not looked at there, plateaus are.
static bool is_mixed(const opt_run *run)
{
  return run->constraint != NULL && run->constraint->traits.geometry == OPT_GEOMETRY_MIXED;
}

tg_status opt_examiner_create(opt_run *run, void *state, opt_examiner *e)
{
  const opt_space *space = run->space;
  e->run = run;
  e->state = state;
  e->decrease = e->condition = NAN;
  if (opt_examiner_points(run->options, run->problem->degree, false) == 0) return TG_OK;
  TG_TRY(space->ops->create(space, &e->work.before));
  TG_TRY(space->ops->create(space, &e->work.now));
  if (is_mixed(run)) return TG_OK;
  TG_TRY(space->ops->create(space, &e->work.image));
  TG_TRY(space->ops->create(space, &e->work.found));
  if (run->options->preconditioning != NULL) TG_TRY(space->ops->create(space, &e->work.scaled));
  if (run->constraint != NULL) TG_TRY(space->ops->create(space, &e->scratch));
  return TG_OK;
}

void opt_examiner_destroy(opt_examiner *e)
{
  if (e->run == NULL) return;
  const opt_space *space = e->run->space;
  opt_krylov *w = &e->work;
  opt_point **const points[] = {&w->before, &w->now, &w->image, &w->scaled, &w->found, &e->scratch};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) space->ops->destroy(space, points[i]);
}

tg_status opt_examiner_list(opt_examiner *e, opt_listing *listing)
{
  TG_TRY(opt_listing_add_number(listing, "decrease_estimate", -1, &e->decrease));
  TG_TRY(opt_listing_add_number(listing, "decrease_rest", -1, &e->rest));
  TG_TRY(opt_listing_add_number(listing, "condition_estimate", -1, &e->condition));
  TG_TRY(opt_listing_add_number(listing, "trend_estimate", -1, &e->trend));
  TG_TRY(opt_listing_add_number(listing, "reach_estimate", -1, &e->reach));
  TG_TRY(opt_listing_add_number(listing, "bend", -1, &e->bend));
  TG_TRY(opt_listing_add_number(listing, "start_size", -1, &e->start_size));
  TG_TRY(opt_trend_list(&e->gains, listing));
  TG_TRY(opt_listing_add_count(listing, "examined_at", &e->passed_at));
  TG_TRY(opt_listing_add_count(listing, "far_starts", &e->far_starts));
  TG_TRY(opt_listing_add_count(listing, "vanished", &e->vanished));
  TG_TRY(opt_listing_add_count(listing, "may_be_far", &e->may_be_far));
  return opt_listing_add_count(listing, "saddles", &e->saddles);
}

// ---- the decrease still to be had ----

// Whether f may vanish at its minimum, as sums of squares do: not where it would change its sign and become as large
// again.
static bool may_vanish(const opt_examiner *e)
{
  return e->run->options->is_nonnegative || !(e->decrease > 2 * fabs(e->run->f));
}

// What rounding may take of a fall: a share of it, and where f does not vanish no more than the rounding of its value.
static double rounded_decrease(const opt_examiner *e, double fall)
{
  const double most = rounding_of_fall * fall;
  return may_vanish(e) ? most : fmin(most, 10 * opt_run_value_rounding(e->run));
}

// What f may still fall without a word. Users who ask for less of the gradient ask for less of f.
static double allowed_decrease(const opt_examiner *e)
{
  const opt_run *run = e->run;
  const double value = fabs(run->f);
  const double fall = fmax(0, run->f_start - run->f);
  const double worth = worth_of_value * (e->reach > far_share ? far_worth : 1);
  const double share = fmin(worth * value, worth_of_fall * fall);
  return fmax(fmax(share, rounded_decrease(e, fall)), run->options->gradient_tolerance * value);
}

static bool is_worth_it(const opt_examiner *e)
{
  return e->decrease > allowed_decrease(e);
}

// Whether the gains so far say that more is left than the estimate knows of.
static bool is_promised(const opt_examiner *e)
{
  return e->trend > allowed_decrease(e);
}

// Whether rounding may hide a decrease that is.
static bool is_hidden(const opt_examiner *e)
{
  return e->rest > allowed_decrease(e);
}

// Near a minimum the decrease goes like the square of the gradient: the target that would leave half of what is
// allowed, within limits, for the estimate is one from below. False where rounding hides so small a gradient, and where
// the user asked for a rough answer.
static bool tighten(opt_examiner *e)
{
  opt_run *run = e->run;
  opt_stationarity *s = &run->stationarity;
  const double before = s->cap;
  const double tolerance = fmin(run->options->gradient_tolerance, before);
  const double largest = fmax(fmax(e->decrease, e->rest), e->trend);
  const double share = fmin(0.3, fmax(1e-3, sqrt(allowed_decrease(e) / largest) / 2));
  int worst = 0;
  if (run->options->gradient_tolerance > loose_tolerance) return false;
  s->cap = share * fmin(tolerance, opt_run_share(run, &worst));
  if (s->cap > 4 * DBL_EPSILON && !opt_run_is_stationary(run)) return true;
  s->cap = before;
  return false;
}

// Whether f is steep for its size: the gradient may have become small beside that of a start whose units are not those
// of f, while x is far from a minimum where curvature is small in some units and large in others. The tolerance is then
// lowered to what would be flat, unless f vanishes beside what it has fallen.
static tg_status flatten(opt_examiner *e, bool *lowered)
{
  opt_run *run = e->run;
  opt_stationarity *s = &run->stationarity;
  const double before = s->cap;
  double size = 0;
  int worst = 0;
  *lowered = false;
  // A closed form has no finer answer.
  if (run->constraint != NULL || run->options->closed_form != NULL || run->solver->measure != NULL ||
      run->options->gradient_tolerance > loose_tolerance)
    return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &size));
  const double share = steep_share * fabs(run->f) / (run->g_norm * size);
  const bool vanishes = fabs(run->f) <= rounding_of_fall * (run->f_start - run->f);
  if (vanishes || !(share < 1)) return TG_OK;
  s->cap = fmax(1e-3, share) * fmin(fmin(run->options->gradient_tolerance, before), opt_run_share(run, &worst));
  *lowered = s->cap > 4 * DBL_EPSILON && !opt_run_is_stationary(run);
  if (!*lowered) s->cap = before;
  return TG_OK;
}

// Where H >= c, f falls by no more than |g|^2 / (2 c); where a preconditioner is known to be a lower bound, H >= floor
// M, by no more than <g, M^-1 g> / (2 floor), which one application tells. *out = INFINITY where neither is known.
static tg_status bound_decrease(opt_examiner *e, double *out)
{
  const opt_run *run = e->run;
  const opt_krylov *w = &e->work;
  const opt_preconditioner *preconditioner = run->options->preconditioning;
  double product = 0;
  *out = (double)INFINITY;
  if (run->options->convexity > 0 && run->options->is_convex && run->constraint == NULL)
    *out = run->g_norm * run->g_norm / (2 * run->options->convexity);
  if (*out <= allowed_decrease(e)) return TG_OK;
  if (preconditioner == NULL || !(preconditioner->floor > 0) || !run->options->is_convex || run->constraint != NULL)
    return TG_OK;
  TG_TRY(opt_run_precondition(run, run->g, w->scaled));
  TG_TRY(opt_dot(run->space, run->g, w->scaled, &product));
  *out = fmin(*out, product / (2 * preconditioner->floor));
  return TG_OK;
}

// Near a minimum, where a point of a sweep begins, a few more iterations cost less than a look, and the next point
// begins the better: the tolerance becomes what the bound by convexity asks for, where that is not far.
static bool aim_at_bound(opt_examiner *e)
{
  opt_run *run = e->run;
  opt_stationarity *s = &run->stationarity;
  const opt_options *options = run->options;
  const double wanted = 0.9 * sqrt(2 * options->convexity * allowed_decrease(e));
  int worst = 0;
  if (options->start_norms == NULL || run->constraint != NULL || isfinite(s->cap)) return false;
  if (options->gradient_tolerance > loose_tolerance || !(wanted > 0)) return false;
  if (run->g_norm <= wanted || !(run->g_norm <= near_bound * wanted)) return false;
  s->cap = wanted / run->g_norm * fmin(options->gradient_tolerance, opt_run_share(run, &worst));
  if (s->cap > 4 * DBL_EPSILON && !opt_run_is_stationary(run)) return true;
  s->cap = (double)INFINITY;
  return false;
}

// Where the gains so far speak for more than is allowed the look is thorough. What they say is believed where that
// leaves it open; where eigenvalues smaller by as much again as those met would be rounding, all of what they say.
static tg_status find_decrease(opt_examiner *e, const opt_subspace *s, opt_decrease *out)
{
  const opt_run *run = e->run;
  const double allowed = allowed_decrease(e);
  // A rough answer is asked for, or the run is one step.
  int worst = 0;
  const double share = fmax(run->options->gradient_tolerance, opt_run_share(run, &worst));
  const bool says_nothing = share > loose_tolerance || run->options->closed_form != NULL;
  const double trend = says_nothing ? 0 : opt_trend_left(run, &e->gains);
  const double most = says_nothing ? 0 : opt_trend_most(run, &e->gains);
  TG_TRY(opt_decrease_find(s, &e->work, allowed, fmax(trend, most) > allowed, out));
  const bool reaches_rounding = out->condition * out->condition >= 1 / DBL_EPSILON;
  e->trend = out->is_sure ? 0 : reaches_rounding ? fmax(trend, most) : trend;
  return TG_OK;
}

static tg_status estimate(opt_examiner *e, const opt_subspace *s, opt_decrease *out)
{
  const opt_run *run = e->run;
  double size = 0;
  *out = (opt_decrease){.condition = 1};
  e->reach = 0;
  e->trend = 0;
  if (run->solver->measure != NULL || run->g_norm == 0) return TG_OK;
  // A closed form is backward stable: of f it leaves a share like the condition number times the square of eps (N.
  // Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapters 10 and 20).
  if (run->options->closed_form != NULL && run->manifold == NULL && run->iteration > 0) return TG_OK;
  TG_TRY(bound_decrease(e, &out->amount));
  if (!(out->amount <= allowed_decrease(e))) TG_TRY(find_decrease(e, s, out));
  e->decrease = isfinite(out->amount) ? out->amount : (double)NAN; // the range of numbers is no estimate
  e->rest = out->rest;
  e->condition = out->condition;
  // Between bounds the face may end before; in a preconditioner lengths are others.
  if (e->work.scaled != NULL || run->constraint != NULL) return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &size));
  e->reach = size > 0 && isfinite(out->reach) ? out->reach / size : 0;
  return TG_OK;
}

void opt_examiner_follow(opt_examiner *e)
{
  if (e->work.now == NULL) return;
  if (e->run->iteration == 0) e->start_size = e->run->x_reach;
  opt_trend_follow(e->run, &e->gains);
}

bool opt_examiner_doubts(const opt_examiner *e)
{
  const opt_run *run = e->run;
  const bool is_least = is_hidden(e) || is_promised(e); // there may be much more
  const double size = may_vanish(e) ? fmax(run->f_start - run->f, fabs(run->f)) : fabs(run->f);
  const double much = (is_least ? least_much_share : much_share) * size;
  return (is_worth_it(e) && e->decrease >= much) || (is_promised(e) && e->trend >= much);
}

// "3% of the objective", "3% to 20% of the objective" where `most` is more, in numbers where shares would say little.
static void say_amount(const opt_run *run, double least, double most, size_t size, char *out)
{
  const bool is_range = most > least;
  const double unit = fabs(run->f) / 100;
  if (most <= fabs(run->f) && is_range)
    snprintf(out, size, "%.2g%% to %.2g%% of the objective", least / unit, most / unit);
  else if (most <= fabs(run->f))
    snprintf(out, size, "%.2g%% of the objective", least / unit);
  else if (is_range)
    snprintf(out, size, "decrease of %.3g to %.3g", least, most);
  else
    snprintf(out, size, "decrease of %.3g", least);
}

void opt_examiner_qualify(opt_examiner *e)
{
  char *reason = e->run->reason;
  const size_t used = strlen(reason);
  const size_t room = sizeof e->run->reason - used;
  const bool by_trend = is_promised(e) && !(e->trend <= e->decrease);
  const bool hides = is_hidden(e) || e->condition >= opt_decrease_hopeless;
  const double least = by_trend ? e->trend : e->decrease;
  const double most = is_hidden(e) ? fmax(least, e->rest) : least;
  char amount[96];
  if (e->may_be_far && e->decrease > worth_of_value * fabs(e->run->f)) {
    snprintf(reason + used, room,
             ", but an estimated %.2g%% of the objective remains, beside which that at the start was %.0e times as "
             "large: unless the minimum is zero start nearer to it",
             100 * e->decrease / fabs(e->run->f), fabs(e->run->f_start / e->run->f));
    return;
  }
  if (!by_trend && !is_worth_it(e) && !is_hidden(e)) return;
  say_amount(e->run, least, most, sizeof amount, amount);
  snprintf(reason + used, room, ", but an estimated %s%s %s%s: the problem is ill-conditioned (%s%.0e%s)%s", amount,
           hides && !(most > least) ? " or more" : "", by_trend ? "may remain" : "remains",
           by_trend ? ", by what the run gained so far" : "", by_trend ? "" : "about ", e->condition,
           by_trend ? " or more" : "", hides ? ", rounding hides how much" : "");
}

// What the outcome means where x passes by the tolerance of the job.
static void conclude_passed(opt_examiner *e, opt_outcome *outcome)
{
  opt_run *run = e->run;
  switch (*outcome) {
  case OPT_STALLED:
    opt_run_explain(run, "the gradient norm %.6g, at the point returned, is within the tolerance %.6g", run->g_norm,
                    opt_run_target(run));
    opt_examiner_qualify(e);
    if (!opt_examiner_doubts(e)) *outcome = OPT_CONVERGED;
    break;
  case OPT_ITERATION_LIMIT:
  case OPT_TIME_LIMIT:
  case OPT_INTERRUPTED:
    opt_examiner_qualify(e);
    break;
  case OPT_CONVERGED:
  case OPT_UNBOUNDED:
  case OPT_NOT_FINITE:
  case OPT_OUTCOME_COUNT:
    break;
  }
}

void opt_examiner_conclude(opt_examiner *e, opt_outcome *outcome)
{
  opt_stationarity *s = &e->run->stationarity;
  const double cap = s->cap;
  if (!(cap < e->run->options->gradient_tolerance)) return;
  s->cap = (double)INFINITY;
  if (opt_run_is_stationary(e->run)) conclude_passed(e, outcome);
  s->cap = cap; // a run that is resumed goes on towards it
}

// ---- negative curvature ----

// All that there are at the first steps, where saddles are met; then no more than a fifth of the evaluations so far.
static int actions_allowed(const opt_run *run)
{
  const double share = (double)opt_evaluations(&run->problem->counts) / 5;
  if (run->iteration <= 2) return ACTIONS_MAX;
  return (int)fmin(ACTIONS_MAX, fmax(ACTIONS_LEAST, share));
}

// Whether curvature is needless or cannot be asked for.
static bool is_known(const opt_run *run)
{
  const opt_options *options = run->options;
  // A closed form has found the Hessian definite; on a manifold it makes the global minimiser.
  const bool is_closed = options->closed_form != NULL && (run->manifold == NULL || run->iteration > 0);
  return (options->is_convex && run->manifold == NULL) || is_closed;
}

// found := its projection onto the cone, of norm 1; *curvature is NAN where nothing is left. image := H found.
static tg_status weigh(const opt_subspace *s, const opt_krylov *work, double *curvature)
{
  opt_run *run = s->run;
  double norm = 0;
  *curvature = NAN;
  TG_TRY(opt_subspace_admit(s, work->found));
  TG_TRY(opt_norm(run->space, work->found, &norm));
  if (!(norm > 0)) return TG_OK;
  TG_TRY(opt_axpby(run->space, 0, work->found, 1 / norm, work->found));
  TG_TRY(opt_run_hessian(run, work->found, work->image));
  return opt_dot(run->space, work->found, work->image, curvature);
}

// A few steps v := P(v - (H v - <v, H v> v) / |H v|), |v| = 1, P the projection onto the cone: towards the least
// curvature in it (A. Seeger, M. Torki, Linear Algebra Appl. 372, 2003: eigenvalues of a matrix relative to a cone).
static tg_status descend_in_cone(const opt_subspace *s, const opt_krylov *work, double *curvature)
{
  const opt_space *space = s->run->space;
  TG_TRY(weigh(s, work, curvature));
  for (int k = 0; k < CONE_STEPS && isfinite(*curvature); k++) {
    double size = 0;
    TG_TRY(opt_norm(space, work->image, &size));
    if (!(size > 0) || *curvature < -0.1 * size) return TG_OK;
    TG_TRY(opt_axpby(space, -1 / size, work->image, 1 + *curvature / size, work->found));
    TG_TRY(weigh(s, work, curvature));
  }
  return TG_OK;
}

// Whether the curvature is negative beyond what a gradient that is not quite zero makes of it. Where a gap is measured
// the gradient may be far from zero.
static bool is_believed(const opt_run *run, const opt_subspace *s, double curvature)
{
  const double needed = run->solver->measure == NULL ? 10 * run->g_norm : 1000 * s->residual;
  return curvature < 0 && -curvature * s->size >= needed;
}

static tg_status try_direction(opt_examiner *e, const opt_subspace *s, double curvature, bool may_move,
                               opt_departure *out)
{
  *out = OPT_DEPARTURE_NONE;
  if (!is_believed(e->run, s, curvature)) return TG_OK;
  return opt_leave(s, &e->work, curvature, may_move, out);
}

// On a cone that is no space both signs of the direction are projected onto it, and a random one.
static tg_status try_cone(opt_examiner *e, const opt_subspace *s, bool may_move, double *curvature, opt_departure *out)
{
  const opt_krylov *work = &e->work;
  const opt_space *space = e->run->space;
  *out = OPT_DEPARTURE_NONE;
  TG_TRY(opt_copy(space, work->found, work->before));
  for (int sign = 1; sign >= -1 && *out == OPT_DEPARTURE_NONE; sign -= 2) {
    TG_TRY(opt_copy(space, work->before, work->found));
    TG_TRY(opt_axpby(space, 0, work->found, sign, work->found));
    TG_TRY(descend_in_cone(s, work, curvature));
    if (!is_believed(e->run, s, *curvature)) continue;
    // The search overwrites what the other sign begins with.
    TG_TRY(try_direction(e, s, *curvature, may_move, out));
    if (*out != OPT_DEPARTURE_NONE) return TG_OK;
    break;
  }
  TG_TRY(space->ops->random(space, (uint64_t)e->run->options->seed + 1, work->found));
  TG_TRY(descend_in_cone(s, work, curvature));
  return try_direction(e, s, *curvature, may_move, out);
}

static void say_saddle(opt_run *run, double curvature)
{
  const opt_wording *wording = run->options->wording;
  opt_run_explain(run,
                  "stationary%s, |g| = %.3g, but no %s: the Hessian has a direction d of %s curvature, <d, H d> = %.4g "
                  "<d, d>, a saddle; start elsewhere (start: normal)%s",
                  run->iteration == 0 ? " at the start" : "", run->g_norm, wording->minimum, wording->negative,
                  opt_run_shown(run, curvature),
                  run->options->saddles == OPT_SADDLES_STOP ? ", or ask for solver.saddles: leave" : "");
}

static bool can_move(const opt_examiner *e)
{
  const opt_run *run = e->run;
  return run->options->saddles == OPT_SADDLES_LEAVE && e->saddles < SADDLES_MAX &&
         run->iteration < run->options->max_iterations;
}

static void has_left(opt_examiner *e, opt_finding *out)
{
  opt_run *run = e->run;
  e->saddles++;
  e->gains.met = 0;
  run->stationarity.cap = (double)INFINITY;
  run->restarts++;
  run->solver->reset(e->state);
  *out = OPT_FINDING_LEFT;
}

// What a direction of this curvature in work->found leads to.
static tg_status judge(opt_examiner *e, const opt_subspace *s, double curvature, opt_finding *out)
{
  opt_run *run = e->run;
  opt_departure departure = OPT_DEPARTURE_NONE;
  if (opt_subspace_is_linear(s))
    TG_TRY(try_direction(e, s, curvature, can_move(e), &departure));
  else
    TG_TRY(try_cone(e, s, can_move(e), &curvature, &departure));
  if (departure == OPT_DEPARTURE_UNBOUNDED) *out = OPT_FINDING_UNBOUNDED;
  if (departure == OPT_DEPARTURE_NONE && is_believed(run, s, curvature)) e->bend = curvature;
  if (departure != OPT_DEPARTURE_MOVED) return TG_OK;
  if (!can_move(e)) {
    say_saddle(run, curvature);
    *out = OPT_FINDING_SADDLE;
    return TG_OK;
  }
  has_left(e, out);
  return TG_OK;
}

static tg_status try_plateau(opt_examiner *e, opt_finding *out)
{
  opt_departure departure = OPT_DEPARTURE_NONE;
  if (!can_move(e)) return TG_OK;
  TG_TRY(opt_leave_plateau(e->run, &e->work, &departure));
  if (departure == OPT_DEPARTURE_MOVED) has_left(e, out);
  return TG_OK;
}

static tg_status look(opt_examiner *e, opt_subspace *s, opt_finding *out)
{
  opt_decrease decrease;
  opt_curvature curvature;
  if (aim_at_bound(e)) {
    *out = OPT_FINDING_DECREASE;
    return TG_OK;
  }
  TG_TRY(opt_subspace_gradient(s, e->work.now));
  TG_TRY(opt_norm(e->run->space, e->work.now, &s->residual));
  TG_TRY(estimate(e, s, &decrease));
  if (decrease.is_negative && !is_known(e->run)) {
    TG_TRY(judge(e, s, decrease.curvature, out));
    if (*out != OPT_FINDING_MINIMUM) return TG_OK;
  }
  if (decrease.is_flat && is_worth_it(e)) {
    opt_departure departure = OPT_DEPARTURE_NONE;
    TG_TRY(opt_leave_flat(s, &e->work, decrease.slope, &departure));
    if (departure == OPT_DEPARTURE_UNBOUNDED) {
      *out = OPT_FINDING_UNBOUNDED;
      return TG_OK;
    }
  }
  bool goes_on = (is_worth_it(e) || is_hidden(e) || is_promised(e)) && tighten(e);
  if (!goes_on) TG_TRY(flatten(e, &goes_on));
  if (goes_on) {
    *out = OPT_FINDING_DECREASE;
    return TG_OK;
  }
  if (is_known(e->run)) return TG_OK;
  TG_TRY(opt_curvature_find(s, &e->work, actions_allowed(e->run), &curvature));
  if (curvature.is_negative) TG_TRY(judge(e, s, curvature.curvature, out));
  return *out == OPT_FINDING_MINIMUM ? try_plateau(e, out) : TG_OK;
}

// On a manifold the Hessian needs the Euclidean gradient, which not all solvers keep.
static tg_status provide_gradient(opt_examiner *e)
{
  opt_run *run = e->run;
  double f = 0;
  if (run->manifold == NULL || run->g_free != NULL) return TG_OK;
  TG_TRY(run->problem->ops->gradient(run->problem, run->x, &f, e->scratch));
  run->g_free = e->scratch;
  return TG_OK;
}

// Whether the run began far away, as above. The terms of f at x: its value, and <x, H x>, by which a quadratic has
// changed since zero, to first order. Not where x has grown: towards a minimum at infinity f and its terms vanish. So
// do they towards one of zero at zero, on the way to which g is as large as H x: once the run may go on from there, for
// a start far away from another minimum looks alike.
static tg_status leave_far_start(opt_examiner *e, bool *goes_on)
{
  opt_run *run = e->run;
  double x_norm = 0;
  double p[2]; // <x, H x>, <x, g>
  *goes_on = false;
  e->may_be_far = false;
  if (run->manifold != NULL || run->solver->measure != NULL || e->far_starts >= FAR_STARTS_MAX || run->iteration == 0 ||
      run->options->closed_form != NULL || run->options->gradient_tolerance > loose_tolerance)
    return TG_OK;
  if (!(run->f_start - run->f > far_fall * fabs(run->f))) return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  if (!(x_norm <= 1.01 * e->start_size)) return TG_OK;
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, run->x, e->work.image));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){run->x, run->x},
                               (const opt_point *const[]){e->work.image, run->g}, p));
  if (!(run->f_start - run->f > far_fall * fabs(p[0]))) return TG_OK;
  const bool vanishes = fabs(p[1]) >= 0.1 * fabs(p[0]) && p[1] != 0;
  e->may_be_far = vanishes && e->vanished > 0;
  if (e->may_be_far) return TG_OK;
  if (vanishes) e->vanished++;
  e->far_starts++;
  e->gains.met = 0;
  run->stationarity.cap = (double)INFINITY;
  TG_TRY(opt_run_refer_to_here(run, e->work.image));
  *goes_on = !opt_run_is_stationary(run);
  return TG_OK;
}

tg_status opt_examine(opt_examiner *e, opt_finding *out)
{
  opt_run *run = e->run;
  const opt_examines examines = run->options->examines;
  *out = OPT_FINDING_MINIMUM;
  if (e->work.now == NULL || !run->problem->has_hessian) return TG_OK;
  if (examines == OPT_EXAMINE_NONE || (examines == OPT_EXAMINE_START && run->iteration > 0)) return TG_OK;
  if (e->passed_at == run->iteration + 1) return TG_OK; // a run that is resumed from its end
  if (is_mixed(run)) {
    TG_TRY(try_plateau(e, out));
  } else {
    opt_subspace space;
    bool goes_on = false;
    TG_TRY(leave_far_start(e, &goes_on));
    *out = OPT_FINDING_FAR;
    if (goes_on) return TG_OK;
    *out = OPT_FINDING_MINIMUM;
    TG_TRY(provide_gradient(e));
    TG_TRY(opt_subspace_find(run, e->scratch, &space));
    TG_TRY(look(e, &space, out));
  }
  if (run->g_free != NULL && run->g_free == e->scratch) run->g_free = NULL;
  if (*out == OPT_FINDING_MINIMUM) e->passed_at = run->iteration + 1;
  return TG_OK;
}
