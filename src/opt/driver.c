// The driver's loop: start, step, monitor, stop.
#include "opt/driver_parts.h"
#include "opt/stationarity.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

static double clock_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double opt_driver_elapsed(const opt_driver *self)
{
  return self->earlier_seconds + clock_seconds() - self->clock_start;
}

// How a run ends: the outcome, and the sentence in run.reason.
static bool end(opt_driver *self, opt_outcome outcome)
{
  self->result->outcome = outcome;
  return true;
}

static bool is_range_lost(const opt_driver *self)
{
  return !isfinite(self->run.f) || !isfinite(self->run.g_norm);
}

// f and g recomputed at the projection of x. That may lie on the border of the domain of f, where an entry is zero
// under a log, say: then at the best point, which lies inside, and in the set up to rounding.
static tg_status recompute(opt_driver *self)
{
  opt_run *run = &self->run;
  TG_TRY(opt_run_make_feasible(run));
  TG_TRY(opt_run_refresh(run));
  if (!is_range_lost(self) || self->best == NULL || !isfinite(self->best_f)) return TG_OK;
  TG_TRY(opt_copy(run->space, self->best, run->x));
  return opt_run_refresh(run);
}

// f and gradient recomputed from x itself; how far the carried one had drifted goes into the result. Where x is the
// best point, it is that with the value recomputed.
static tg_status refresh(opt_driver *self)
{
  opt_run *run = &self->run;
  const double carried = run->g_norm;
  const double carried_f = run->f;
  const bool was_fresh = run->is_fresh;
  TG_TRY(recompute(self));
  if (self->best_f == carried_f) self->best_f = run->f;
  if (run->f > carried_f) self->window_f += run->f - carried_f; // those of the steps before had drifted as well
  if (!was_fresh) {
    const double drift = fabs(carried - run->g_norm) / run->g_norm_start;
    const double value_drift = fabs(carried_f - run->f);
    if (isfinite(drift)) self->result->drift = fmax(self->result->drift, drift);
    if (isfinite(value_drift)) self->result->value_drift = fmax(self->result->value_drift, value_drift);
  }
  return TG_OK;
}

static tg_status report_iteration(opt_driver *self)
{
  const opt_run *run = &self->run;
  if (self->observer->iteration == NULL) return TG_OK;
  const opt_record record = {.iteration = run->iteration,
                             .objective = run->f,
                             .gradient_norm = run->g_norm,
                             .gradient_target = opt_run_target(run),
                             .step = run->step,
                             .seconds = opt_driver_elapsed(self),
                             .products = run->problem->counts.products};
  TG_TRY(self->observer->iteration(self->observer->self, &record, run->x));
  return TG_OK;
}

static tg_status after_move(opt_driver *self, bool *ended);
static tg_status test_convergence(opt_driver *self, bool *ended);

// A saddle was left. Its gradient, which vanished, is no measure of what follows.
static tg_status start_again(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  run->g_norm_start = fmax(run->g_norm_start, run->g_norm);
  opt_run_update_references(run);
  self->window_f = INFINITY;
  self->window_g = INFINITY;
  self->last_failure = -1;
  *ended = false;
  return after_move(self, ended);
}

// Shares of other references are no measure of progress, nor is the gradient at the start.
static void forget_shares(opt_driver *self)
{
  opt_run *run = &self->run;
  run->g_norm_start = fmax(run->g_norm, opt_run_target(run) / run->options->gradient_tolerance);
  self->window_f = INFINITY;
  self->window_g = INFINITY;
  self->window_share = INFINITY;
  self->failed_share = INFINITY;
  self->failed_tests = 0;
}

// The gradient recomputed at x passes: the point is examined before it is called converged (examine.h).
static tg_status conclude(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  opt_finding finding;
  TG_TRY(opt_examine(&self->examiner, &finding));
  switch (finding) {
  case OPT_FINDING_MINIMUM:
    opt_run_explain(run, "the %s %.6g, recomputed at the point returned, is within the tolerance %.6g",
                    opt_driver_measure(self), run->g_norm, opt_run_target(run));
    opt_examiner_qualify(&self->examiner);
    *ended = end(self, opt_examiner_doubts(&self->examiner) ? OPT_STALLED : OPT_CONVERGED);
    break;
  case OPT_FINDING_LEFT:
    TG_TRY(start_again(self, ended));
    if (!*ended) TG_TRY(test_convergence(self, ended));
    break;
  case OPT_FINDING_SADDLE:
  case OPT_FINDING_UNBOUNDED:
    *ended = end(self, finding == OPT_FINDING_SADDLE ? OPT_STALLED : OPT_UNBOUNDED);
    break;
  case OPT_FINDING_FAR:
    forget_shares(self);
    break;
  case OPT_FINDING_DECREASE:
    break;
  }
  return TG_OK;
}

// The carried gradient passed and the recomputed one does not: it had drifted. The solver goes on from the true one, a
// few times while that helps.
static void go_on_from_true(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  int b = 0;
  const double share = opt_run_share(run, &b);
  run->solver->reset(self->state);
  run->restarts++;
  const bool helps = share < 0.5 * self->failed_share;
  self->failed_tests = helps ? 0 : self->failed_tests + 1;
  self->failed_share = fmin(self->failed_share, share);
  if (self->failed_tests < 5) return;
  opt_run_explain(run,
                  "the gradient recomputed from x stays at its rounding error, above the tolerance: %s; the objective "
                  "cannot be resolved %s %.17g; ask for a larger gradient_tolerance",
                  opt_driver_standing(self), run->options->wording->below, opt_run_shown(run, run->f));
  *ended = end(self, OPT_STALLED);
}

// Whether the best point seen is lower by more than the rounding of a value.
static bool is_above_best(const opt_driver *self)
{
  return self->best != NULL && self->best_f < self->run.f - opt_run_value_rounding(&self->run);
}

// x := the best point, unless its value recomputed at its projection is no lower: then x stays, and is the best one.
static tg_status move_to_best(opt_driver *self)
{
  opt_run *run = &self->run;
  const double before = run->f;
  opt_swap(&run->x, &self->best);
  TG_TRY(recompute(self));
  if (!(run->f < before)) {
    opt_swap(&run->x, &self->best);
    TG_TRY(recompute(self));
  }
  self->best_f = run->f;
  TG_TRY(opt_copy(run->space, run->x, self->best));
  run->solver->reset(self->state);
  return TG_OK;
}

// A method may settle above the best point it has seen: one that is not monotone, and any other by steps that raise f
// within the noise of a line search. It goes on from there. What stays above by no more than that noise is a minimum.
static tg_status return_to_best(opt_driver *self, bool *returned, bool *ended)
{
  enum { RETURNS_MAX = 5 };
  opt_run *run = &self->run;
  if (!is_above_best(self)) return TG_OK;
  if (self->returns++ >= RETURNS_MAX) {
    if (!(self->best_f < run->f - opt_run_noise(run))) return TG_OK;
    opt_run_explain(
        run, "the %s is within the tolerance %.6g at points where the objective is %s than the best one seen",
        opt_driver_measure(self), opt_run_target(run), run->options->wording->sign > 0 ? "higher" : "lower");
    *ended = end(self, OPT_STALLED);
    return TG_OK;
  }
  *returned = true;
  run->restarts++;
  return move_to_best(self);
}

// A carried gradient that passes is recomputed before anything is claimed; *passed: the carried one did. f is
// recomputed with it: of an ill-conditioned problem that, too, may have drifted.
static tg_status verify(opt_driver *self, bool *passed)
{
  opt_run *run = &self->run;
  TG_TRY(opt_run_find_rounding(run));
  *passed = opt_run_is_stationary(run);
  if (!*passed) return TG_OK;
  if (!run->is_fresh) TG_TRY(refresh(self));
  return opt_run_find_rounding(run);
}

// The stopping test.
static tg_status test_convergence(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  bool passed = false;
  bool returned = false;
  TG_TRY(verify(self, &passed));
  if (!passed && !self->is_refuted) return TG_OK;
  self->is_refuted = false;
  if (opt_run_is_stationary(run)) TG_TRY(return_to_best(self, &returned, ended));
  if (*ended || (returned && !opt_run_is_stationary(run))) return TG_OK;
  if (opt_run_is_stationary(run)) return conclude(self, ended);
  go_on_from_true(self, ended);
  return TG_OK;
}

static bool test_limits(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_options *options = run->options;
  const int64_t evaluations = opt_evaluations(&run->problem->counts);
  if (run->iteration >= options->max_iterations) {
    opt_run_explain(run, "max_iterations: %" PRId64 " iterations done with %s", run->iteration,
                    opt_driver_standing(self));
    return end(self, OPT_ITERATION_LIMIT);
  }
  if (options->max_evaluations > 0 && evaluations >= options->max_evaluations) {
    opt_run_explain(run, "max_evaluations: %" PRId64 " evaluations done with %s", evaluations,
                    opt_driver_standing(self));
    return end(self, OPT_ITERATION_LIMIT);
  }
  return false;
}

// Iterations without a lower value or a smaller gradient after which the run is called stalled: few where the
// gradient is down to the rounding error of the one at the start, many where a method that is not monotone may be
// between two valleys. A tenth of that where the tolerance of the job is met and a lower one was asked for.
static int64_t patience(const opt_driver *self)
{
  const opt_run *run = &self->run;
  const int64_t most = run->solver->is_monotone ? 500 : 1000;
  if (self->window_g <= 16 * DBL_EPSILON * run->g_norm_start) return 20;
  return run->stationarity.cap < run->options->gradient_tolerance ? most / 10 : most;
}

static bool test_progress(opt_driver *self)
{
  opt_run *run = &self->run;
  int b = 0;
  const double share = opt_run_share(run, &b);
  if (run->f < self->window_f - 2 * DBL_EPSILON * fabs(self->window_f) || share < 0.99 * self->window_share) {
    self->window_f = fmin(run->f, self->window_f);
    self->window_g = fmin(run->g_norm, self->window_g);
    self->window_share = fmin(share, self->window_share);
    self->window_iteration = run->iteration;
    return false;
  }
  if (run->iteration - self->window_iteration < patience(self)) return false;
  opt_run_explain(run,
                  "no progress for %" PRId64 " iterations: the objective cannot be resolved %s %.17g, the %s does not "
                  "fall below %.6g, the target is %.6g; ask for a larger gradient_tolerance",
                  patience(self), run->options->wording->below, opt_run_shown(run, self->window_f),
                  opt_driver_measure(self), self->window_g, opt_run_target(run));
  return end(self, OPT_STALLED);
}

enum { SMALL_IN_A_ROW = 5 };

static tg_status test_tolerances(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  const opt_options *options = run->options;
  const double change = fabs(self->f_before - run->f);
  const bool is_small_change = change <= options->objective_tolerance * fmax(fabs(run->f), DBL_MIN);
  self->small_changes = options->objective_tolerance > 0 && is_small_change ? self->small_changes + 1 : 0;
  if (self->small_changes >= SMALL_IN_A_ROW) {
    opt_run_explain(run, "objective_tolerance: the objective changed by less than %.3g of itself for %d iterations",
                    options->objective_tolerance, SMALL_IN_A_ROW);
    *ended = end(self, OPT_STALLED);
  }
  if (options->step_tolerance <= 0) return TG_OK;
  double x_norm = 0;
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  const bool is_small_step = run->step_norm <= options->step_tolerance * x_norm;
  self->small_steps = is_small_step ? self->small_steps + 1 : 0;
  if (self->small_steps < SMALL_IN_A_ROW) return TG_OK;
  opt_run_explain(run, "step_tolerance: steps stayed below %.3g of |x| for %d iterations", options->step_tolerance,
                  SMALL_IN_A_ROW);
  *ended = end(self, OPT_STALLED);
  return TG_OK;
}

// A step that found nothing gets a second look from a gradient recomputed. A ray that falls without end is proof once
// the gradient was; any other failure also makes the solver forget what it knew.
static tg_status handle_failure(opt_driver *self, opt_verdict verdict, bool *ended)
{
  opt_run *run = &self->run;
  const bool is_proved = verdict == OPT_FALLING && run->is_fresh;
  if (!is_proved && self->last_failure != run->iteration) {
    self->last_failure = run->iteration;
    if (verdict != OPT_FALLING) {
      run->restarts++;
      run->solver->reset(self->state);
    }
    TG_TRY(refresh(self));
    return TG_OK;
  }
  switch (verdict) {
  case OPT_FALLING:
    *ended = end(self, OPT_UNBOUNDED);
    break;
  case OPT_OUT_OF_RANGE:
    *ended = end(self, OPT_NOT_FINITE);
    break;
  case OPT_STUCK:
  case OPT_MOVED:
  case OPT_GIVEN_UP:
    *ended = end(self, OPT_STALLED);
    break;
  }
  return TG_OK;
}

// A finite value so low that nothing bounded could have it. One that overflowed to minus infinity proves nothing: x -
// log(1 + exp(x)) does that on its way to 0.
static bool is_bottomless(const opt_run *run)
{
  return isfinite(run->f) && run->f_scale > 0 && run->f < -1e100 * run->f_scale;
}

// The size of f, from the start on: where that is zero, by what the first steps with a fall lower it. A first step may
// go to where f is at the end of the range already: it counts as no more than the slope at the start foretells.
static void find_value_scale(opt_run *run)
{
  const double change = fabs(run->f - run->f_start);
  const double foretold = run->g_norm_start * run->step_norm;
  if (!isfinite(run->f) || (run->iteration > 1 && run->f_scale > 0)) return;
  run->f_scale = fmax(run->f_scale, foretold > 0 ? fmin(change, foretold) : change);
}

// f or g is not finite after a move: back to the point before it, where that is still there.
static bool give_up_range(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_wording *wording = run->options->wording;
  const bool falls = is_bottomless(run);
  const char *const back = run->trial != NULL ? "; the point before it is returned" : "";
  if (falls)
    opt_run_explain(run,
                    "the objective is unbounded %s: it %s to %.3e in iteration %" PRId64
                    ", where its gradient is not finite%s",
                    wording->below, wording->fell, opt_run_shown(run, run->f), run->iteration, back);
  else
    opt_run_explain(run, "after iteration %" PRId64 " the %s is not finite%s", run->iteration,
                    isfinite(run->f) ? "gradient" : "objective", back);
  if (run->trial != NULL) opt_swap(&run->x, &run->trial);
  run->is_fresh = false;
  return end(self, falls ? OPT_UNBOUNDED : OPT_NOT_FINITE);
}

static tg_status keep_best(opt_driver *self)
{
  const opt_run *run = &self->run;
  if (!(run->f < self->best_f)) return TG_OK;
  self->best_f = run->f;
  if (self->best != NULL) TG_TRY(opt_copy(run->space, run->x, self->best));
  return TG_OK;
}

static bool test_floor(opt_driver *self)
{
  opt_run *run = &self->run;
  if (!is_bottomless(run)) return false;
  opt_run_explain(run, "the objective is unbounded %s: it %s to %.3e after %" PRId64 " iterations",
                  run->options->wording->below, run->options->wording->fell, opt_run_shown(run, run->f),
                  run->iteration);
  return end(self, OPT_UNBOUNDED);
}

// A quadratic that is bounded falls ever more slowly. After 16, 32, 64, ... iterations, where f fell by as much as in
// the half as many before, a direction is looked for along which it never ends.
static tg_status test_fall(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  const int64_t k = run->iteration;
  bool falls = false;
  if (run->degree != 2 || k < 8 || (k & (k - 1)) != 0) return TG_OK;
  const double fall = self->fall_f - run->f;
  const bool is_steady = k > 8 && fall > 0 && fall >= self->fall_before;
  self->fall_f = run->f;
  self->fall_before = fall;
  if (!is_steady) return TG_OK;
  TG_TRY(opt_run_probe_recession(run, &falls));
  if (falls) *ended = end(self, OPT_UNBOUNDED);
  return TG_OK;
}

// What follows a move: bookkeeping, then the tests that can end the run.
static tg_status after_move(opt_driver *self, bool *ended)
{
  opt_run *run = &self->run;
  bool passed = false;
  run->iteration++;
  find_value_scale(run);
  TG_TRY(opt_run_complete(run));
  if (is_range_lost(self)) {
    *ended = give_up_range(self);
    return TG_OK;
  }
  opt_run_update_references(run);
  TG_TRY(verify(self, &passed));
  self->is_refuted = passed && !opt_run_is_stationary(run);
  opt_examiner_follow(&self->examiner);
  TG_TRY(keep_best(self));
  TG_TRY(report_iteration(self));
  *ended = test_floor(self) || test_progress(self);
  if (!*ended) TG_TRY(test_fall(self, ended));
  if (!*ended) TG_TRY(test_tolerances(self, ended));
  return TG_OK;
}

// A preconditioner made of the Hessian at the start is made of that at x after 6, 18, 54, ... steps: soon, while x goes
// far, and then ever more seldom. Near a minimum the first one is later.
//
// One that a wrong forecast kept out comes in by its first renewal, one that it brought in goes.
static tg_status renew_preconditioner(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_preconditioner *preconditioner = run->options->preconditioning;
  bool is_new = false;
  if (preconditioner == NULL || self->renewed_at == run->iteration) return TG_OK;
  const bool goes = preconditioner->until > 0 && run->iteration == preconditioner->until;
  int64_t due = preconditioner->from > 0            ? preconditioner->from
                : preconditioner->first_renewal > 0 ? preconditioner->first_renewal
                                                    : 6;
  while (due < run->iteration) due *= 3;
  if (!goes &&
      (preconditioner->renew == NULL || due != run->iteration || !opt_preconditioner_is_used(preconditioner, due)))
    return TG_OK;
  self->renewed_at = run->iteration;
  if (goes)
    preconditioner->drop(preconditioner->self);
  else
    TG_TRY(preconditioner->renew(preconditioner->self, run->x, &is_new));
  run->renewals++;
  if (is_new && self->renewal_x != NULL) {
    TG_TRY(opt_copy(run->space, run->x, self->renewal_x));
    self->has_renewal_x = 1;
  }
  if (run->solver->remembers_preconditioner) run->solver->reset(self->state);
  return TG_OK;
}

// The iterations that the first method was allowed are over.
static void exchange_method(opt_driver *self)
{
  opt_run *run = &self->run;
  if (self->second == NULL || self->is_exchanged || run->iteration != run->options->second->after) return;
  opt_driver_exchange(self);
  run->solver->reset(self->state);
}

// The loop proper. At its head f and g belong to x.
static tg_status iterate(opt_driver *self)
{
  opt_run *run = &self->run;
  bool ended = false;
  if (run->options->ray != NULL) {
    opt_run_explain(run, "%s; add a constraint or a regularising term", run->options->ray);
    end(self, OPT_UNBOUNDED);
    return TG_OK;
  }
  if (!opt_ignores_start(run->options, run->solver) || run->iteration > 0) TG_TRY(test_convergence(self, &ended));
  while (!ended) {
    ended = test_limits(self);
    if (!ended) TG_TRY(opt_driver_poll(self, &ended));
    if (ended) break;
    self->f_before = run->f;
    exchange_method(self);
    TG_TRY(renew_preconditioner(self));
    opt_verdict verdict = OPT_STUCK;
    run->ray = NULL;
    TG_TRY(opt_driver_step(self, &verdict));
    if (verdict == OPT_GIVEN_UP) {
      opt_driver_give_up(self);
      break;
    }
    if (verdict == OPT_MOVED) {
      TG_TRY(after_move(self, &ended));
    } else {
      TG_TRY(handle_failure(self, verdict, &ended));
    }
    // A tolerance that ends the run does not hide that the gradient test is met.
    const bool may_test = !ended || self->result->outcome == OPT_STALLED;
    if (may_test && !is_range_lost(self)) TG_TRY(test_convergence(self, &ended));
  }
  if (self->result->outcome == OPT_STALLED && is_above_best(self)) TG_TRY(move_to_best(self));
  opt_examiner_conclude(&self->examiner, &self->result->outcome);
  return TG_OK;
}

static tg_status start_afresh(opt_driver *self)
{
  opt_run *run = &self->run;
  TG_TRY(opt_run_make_feasible(run));
  TG_TRY(opt_run_refresh(run));
  TG_TRY(opt_norm(run->space, run->x, &run->x_reach));
  run->g_norm_start = run->g_norm;
  run->f_start = run->f;
  // The bound of the rounding knows the sizes of the terms of f.
  const double terms = run->problem->value_error / DBL_EPSILON;
  const double known = fmax(run->options->value_scale, isfinite(terms) ? terms : 0);
  run->f_scale = fmax(fabs(run->f), fmax(known, run->g_norm * run->x_reach));
  self->best_f = INFINITY;
  self->fall_f = run->f;
  self->window_f = run->f;
  self->window_g = run->g_norm;
  self->window_share = INFINITY;
  self->failed_share = INFINITY;
  self->last_failure = -1;
  if (is_range_lost(self)) return TG_OK;
  TG_TRY(opt_run_start_references(run));
  run->space->ops->destroy(run->space, &run->spare);
  opt_examiner_follow(&self->examiner);
  TG_TRY(keep_best(self));
  TG_TRY(report_iteration(self));
  return TG_OK;
}

static tg_status start(opt_driver *self)
{
  bool restored = false;
  TG_TRY(opt_driver_restore(self, &restored));
  return restored ? TG_OK : start_afresh(self);
}

// Leaves the point to return in the user's x, with f and g recomputed there.
static tg_status hand_back(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_outcome outcome = self->result->outcome;
  run->stationarity.cap = (double)INFINITY; // the tolerance is that of the job again
  if (outcome != OPT_CONVERGED && is_above_best(self)) TG_TRY(move_to_best(self));
  if (outcome == OPT_NOT_FINITE) run->is_fresh = false;
  if (!run->is_fresh) TG_TRY(recompute(self));
  if (run->x != self->user_x) TG_TRY(opt_copy(run->space, run->x, self->user_x));
  opt_result *result = self->result;
  if (run->constraint != NULL) TG_TRY(run->constraint->ops->violation(run->constraint, run->x, &result->violation));
  result->objective = run->f;
  result->measure = opt_driver_measure(self);
  result->gradient_norm = run->g_norm;
  result->gradient_norm_start = run->g_norm_start;
  result->gradient_target = opt_run_target(run);
  opt_run_share(run, &result->worst);
  result->n_measured = run->stationarity.n;
  result->worst_norm = run->stationarity.norms[result->worst];
  result->worst_target = opt_run_target_of(run, result->worst);
  result->saddles = self->examiner.saddles;
  result->bend = self->examiner.bend;
  result->decrease_estimate =
      self->examiner.trend > self->examiner.decrease ? self->examiner.trend : self->examiner.decrease;
  result->condition_estimate = self->examiner.condition;
  result->iterations = run->iteration;
  result->restarts = run->restarts;
  result->counts = run->problem->counts;
  result->seconds = opt_driver_elapsed(self);
  result->earlier_seconds = self->earlier_seconds;
  memcpy(result->reason, run->reason, sizeof result->reason);
  return TG_OK;
}

// While what holds the direction is still there.
static tg_status show_ray(opt_driver *self)
{
  const opt_run *run = &self->run;
  if (self->result->outcome != OPT_UNBOUNDED || run->ray == NULL || self->observer->ray == NULL) return TG_OK;
  return self->observer->ray(self->observer->self, run->ray);
}

static tg_status run_to_end(opt_driver *self)
{
  opt_run *run = &self->run;
  TG_TRY(start(self));
  if (is_range_lost(self)) {
    opt_run_explain(run, "the %s is not finite at the start; choose another start",
                    isfinite(run->f) ? "gradient" : "objective");
    end(self, OPT_NOT_FINITE);
  } else {
    TG_TRY(iterate(self));
    TG_TRY(show_ray(self));
    if (opt_driver_can_go_on(self)) TG_TRY(opt_driver_save(self));
  }
  TG_TRY(hand_back(self));
  return TG_OK;
}

tg_status opt_minimise(opt_problem *problem, const opt_options *options, opt_point *x, const opt_observer *observer,
                       opt_result *result)
{
  static const opt_observer nobody = {0};
  *result = (opt_result){0};
  opt_driver self = {.observer = observer != NULL ? observer : &nobody, .result = result, .user_x = x};
  self.run = (opt_run){.problem = problem,
                       .space = problem->space,
                       .options = options,
                       .x = x,
                       .constraint = problem->constraint,
                       .gives_up = opt_driver_gives_up};
  self.clock_start = clock_seconds();
  tg_status status = TG_OK;
  TG_TRY_GOTO(opt_driver_set_up(&self));
  TG_TRY_GOTO(run_to_end(&self));
done:
  opt_driver_tear_down(&self);
  return status;
}
