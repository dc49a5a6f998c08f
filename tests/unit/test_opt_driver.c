// The driver: stopping, limits, interruption, checkpoints, honesty about convergence, memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "base/memory.h"
#include "unit/opt_fixture.h"

// An observer that counts, remembers and disturbs.
typedef struct recorder {
  int64_t records;
  int64_t last_iteration;
  double last_objective;
  int64_t polls;
  int64_t interrupt_at; // poll at which to interrupt, 0: never
  bool time_is_over;
  int64_t checkpoint_every;  // polls, 0: never
  int64_t checkpoint_not_at; // the poll at which a restarted run stands on its own checkpoint
  int64_t checkpoints;
  int64_t allocations_at_first;
  int64_t allocations_at_last;
  tg_status fail_iteration;
  // The last checkpoint, copied.
  int n_vectors;
  int n_scalars;
  double vectors[64][HAND_DATA_MAX];
  double numbers[256];
  int64_t counts[256];
  int64_t dimension;
} recorder;

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  recorder *r = self;
  assert_non_null(x);
  if (record->iteration == 1) r->allocations_at_first = tg_alloc_count();
  r->allocations_at_last = tg_alloc_count();
  r->records++;
  r->last_iteration = record->iteration;
  r->last_objective = record->objective;
  if (r->fail_iteration != TG_OK) TG_FAIL(r->fail_iteration, "the observer fails on purpose");
  return TG_OK;
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  recorder *r = self;
  r->polls++;
  if (r->time_is_over) poll->time_over = true;
  poll->interrupted = r->polls == r->interrupt_at;
  poll->checkpoint_due =
      r->checkpoint_every > 0 && r->polls % r->checkpoint_every == 0 && r->polls != r->checkpoint_not_at;
  return TG_OK;
}

static tg_status on_checkpoint(void *self, const opt_listing *listing)
{
  recorder *r = self;
  r->checkpoints++;
  r->n_vectors = listing->n_vectors;
  r->n_scalars = listing->n_scalars;
  assert_true(listing->n_vectors <= 64 && listing->n_scalars <= 256);
  for (int i = 0; i < listing->n_vectors; i++)
    memcpy(r->vectors[i], serial_block_const(listing->vectors[i].point, 0), (size_t)r->dimension * sizeof(double));
  for (int i = 0; i < listing->n_scalars; i++) {
    const opt_listed_scalar *entry = &listing->scalars[i];
    assert_true((entry->number != NULL) != (entry->count != NULL));
    if (entry->number != NULL) r->numbers[i] = *entry->number;
    if (entry->count != NULL) r->counts[i] = *entry->count;
  }
  return TG_OK;
}

static tg_status on_restore(void *self, const opt_listing *listing, bool *restored)
{
  recorder *r = self;
  assert_int_equal(listing->n_vectors, r->n_vectors);
  assert_int_equal(listing->n_scalars, r->n_scalars);
  for (int i = 0; i < listing->n_vectors; i++)
    memcpy(serial_block(listing->vectors[i].point, 0), r->vectors[i], (size_t)r->dimension * sizeof(double));
  for (int i = 0; i < listing->n_scalars; i++) {
    if (listing->scalars[i].number != NULL) *listing->scalars[i].number = r->numbers[i];
    if (listing->scalars[i].count != NULL) *listing->scalars[i].count = r->counts[i];
  }
  *restored = true;
  return TG_OK;
}

static opt_observer observe(recorder *r, const fixture *f)
{
  r->dimension = f->problem.space.base.dimension;
  return (opt_observer){.self = r, .iteration = on_iteration, .poll = on_poll};
}

static void test_outcomes_have_labels_and_exits(void **unused)
{
  (void)unused;
  assert_string_equal(opt_outcome_label(OPT_CONVERGED), "converged");
  assert_string_equal(opt_outcome_label(OPT_ITERATION_LIMIT), "iteration_limit");
  assert_string_equal(opt_outcome_label(OPT_TIME_LIMIT), "time_limit");
  assert_string_equal(opt_outcome_label(OPT_STALLED), "stalled");
  assert_string_equal(opt_outcome_label(OPT_UNBOUNDED), "unbounded");
  assert_string_equal(opt_outcome_label(OPT_INTERRUPTED), "interrupted");
  assert_string_equal(opt_outcome_label(OPT_NOT_FINITE), "not_finite");
  assert_int_equal(opt_outcome_exit(OPT_CONVERGED), 0);
  assert_int_equal(opt_outcome_exit(OPT_STALLED), 3);
  assert_int_equal(opt_outcome_exit(OPT_UNBOUNDED), 4);
  assert_int_equal(opt_outcome_exit(OPT_INTERRUPTED), 75);
}

static void test_every_iteration_is_recorded(void **unused)
{
  (void)unused;
  fixture f = {0};
  recorder r = {0};
  set_up(&f, "quadratic-1e2", "conjugate-gradient");
  const opt_observer observer = observe(&r, &f);
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_CONVERGED);
  assert_int_equal(r.records, f.result.iterations + 1);
  assert_int_equal(r.last_iteration, f.result.iterations);
  assert_int_equal(r.polls, f.result.iterations);
  assert_true(fabs(r.last_objective - f.result.objective) <= 1e-14);
  tear_down(&f);
}

static void test_limits(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e8", "gradient-descent");
  f.options.max_iterations = 7;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_ITERATION_LIMIT);
  assert_int_equal(f.result.iterations, 7);
  assert_true(reason_has(&f, "max_iterations: 7"));
  tear_down(&f);

  set_up(&f, "quadratic-1e8", "gradient-descent");
  f.options.max_iterations = 0;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_ITERATION_LIMIT);
  assert_int_equal(f.result.counts.gradients, 1);
  tear_down(&f);

  set_up(&f, "quadratic-1e8", "gradient-descent");
  f.options.max_evaluations = 5;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_ITERATION_LIMIT);
  assert_true(reason_has(&f, "max_evaluations: 5"));
  tear_down(&f);

  // The power iteration before the first step of nesterov counts.
  set_up(&f, "quadratic-1e8", "nesterov");
  f.options.max_evaluations = 5;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_ITERATION_LIMIT);
  assert_in_range(opt_evaluations(&f.result.counts), 5, 7);
  tear_down(&f);
}

static void test_time_limit(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e8", "gradient-descent");
  f.options.time_limit = 1e-9; // over at once, by this process's own clock
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_TIME_LIMIT);
  assert_true(reason_has(&f, "time_limit"));
  tear_down(&f);

  recorder r = {.time_is_over = true}; // by agreement
  set_up(&f, "quadratic-1e8", "gradient-descent");
  const opt_observer observer = observe(&r, &f);
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_TIME_LIMIT);
  assert_int_equal(r.polls, 1);
  tear_down(&f);
}

static void test_interruption_leaves_a_checkpoint(void **unused)
{
  (void)unused;
  fixture f = {0};
  recorder r = {.interrupt_at = 4};
  set_up(&f, "quadratic-1e4", "l-bfgs");
  opt_observer observer = observe(&r, &f);
  observer.checkpoint = on_checkpoint;
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_INTERRUPTED);
  assert_int_equal(f.result.iterations, 3);
  assert_int_equal(r.checkpoints, 1);
  assert_true(reason_has(&f, "interrupted after 3 iterations"));
  tear_down(&f);
}

static void test_tolerances_end_the_run(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e8", "gradient-descent");
  f.options.objective_tolerance = 1e-2;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_STALLED);
  assert_true(reason_has(&f, "objective_tolerance"));
  tear_down(&f);

  set_up(&f, "rosenbrock", "gradient-descent");
  f.options.step_tolerance = 1e-2;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_STALLED);
  assert_true(reason_has(&f, "step_tolerance"));
  tear_down(&f);
}

static void test_absolute_tolerance(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e2", "l-bfgs");
  f.options.gradient_tolerance = 0;
  f.options.absolute_gradient_tolerance = 1e-3;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_CONVERGED);
  assert_true(f.result.gradient_norm <= 1e-3 && f.result.gradient_target == 1e-3);
  tear_down(&f);
}

// The carried gradient is too small by ten orders, or that of a quadratic follows a wrong Hessian: nobody may fall for
// it.
static void test_a_carried_gradient_is_not_believed(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "barzilai-borwein", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t i = 0; i < 2 * sizeof methods / sizeof methods[0]; i++) {
    fixture f = {0};
    set_up(&f, i % 2 == 0 ? "orbital" : "quadratic-1e2", methods[i / 2]);
    f.problem.carried_error = i % 2 == 0 ? 1e-10 - 1 : 1e-3;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    double g[HAND_DATA_MAX];
    double norm = 0;
    f.problem.objective->gradient(&f.problem, serial_block_const(f.x, 0), g);
    for (int64_t k = 0; k < f.problem.space.base.dimension; k++) norm += g[k] * g[k];
    assert_true(fabs(sqrt(norm) - f.result.gradient_norm) <= 1e-12);
    if (f.result.outcome == OPT_CONVERGED) assert_true(sqrt(norm) <= f.result.gradient_target * (1 + 1e-9));
    assert_true(f.result.drift > 1e-9);
    tear_down(&f);
  }
}

// Interrupted and restarted from the checkpoint in a fresh problem: the same bits as a run that wrote the same
// checkpoint and went on. The carried gradient is off by a little, so that it matters when it is recomputed.
static const double carried_error = 1e-9;

static void check_restart(const char *method, const char *objective)
{
  for (int64_t stop = 2; stop <= 12; stop += 5) {
    fixture straight = {0};
    recorder r = {.checkpoint_every = stop};
    set_up(&straight, objective, method);
    straight.options.memory = 3;
    straight.options.max_iterations = stop + 10;
    opt_observer observer = observe(&r, &straight);
    observer.checkpoint = on_checkpoint;
    straight.problem.carried_error = carried_error;
    assert_int_equal(minimise(&straight, &observer), TG_OK);

    fixture broken = {0};
    recorder saved = {.interrupt_at = stop};
    set_up(&broken, objective, method);
    broken.options = straight.options;
    broken.problem.carried_error = carried_error;
    observer = observe(&saved, &broken);
    observer.checkpoint = on_checkpoint;
    assert_int_equal(minimise(&broken, &observer), TG_OK);
    tear_down(&broken);
    if (broken.result.outcome != OPT_INTERRUPTED) { // converged before
      tear_down(&straight);
      return;
    }
    set_up(&broken, objective, method);
    broken.options = straight.options;
    saved.interrupt_at = 0;
    broken.problem.carried_error = carried_error;
    saved.polls = stop - 1; // the checkpoints to come fall on the same iterations
    saved.checkpoint_not_at = stop;
    saved.checkpoint_every = stop;
    observer.restore = on_restore;
    assert_int_equal(minimise(&broken, &observer), TG_OK);
    const bool is_equal = broken.result.iterations == straight.result.iterations &&
                          broken.result.objective == straight.result.objective &&
                          broken.result.gradient_norm == straight.result.gradient_norm &&
                          broken.result.outcome == straight.result.outcome &&
                          broken.result.counts.gradients == straight.result.counts.gradients &&
                          memcmp(serial_block_const(broken.x, 0), serial_block_const(straight.x, 0),
                                 (size_t)r.dimension * sizeof(double)) == 0;
    if (!is_equal)
      print_error("%s on %s, stopped at %lld: %.17g after %lld, straight %.17g after %lld\n", method, objective,
                  (long long)stop, broken.result.objective, (long long)broken.result.iterations,
                  straight.result.objective, (long long)straight.result.iterations);
    assert_true(is_equal);
    tear_down(&broken);
    tear_down(&straight);
  }
}

static void test_restarts_continue_bit_for_bit(void **unused)
{
  (void)unused;
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    check_restart(methods[m], "quadratic-1e4");
    check_restart(methods[m], "rosenbrock");
    check_restart(methods[m], "logdet");
    check_restart(methods[m], "factorisation");
    if (serves_manifolds(methods[m])) check_restart(methods[m], "trace-ratio");
  }
}

static void test_no_allocation_inside_iterations(void **unused)
{
  (void)unused;
  const char *const objectives[] = {"quadratic-1e4", "rosenbrock-general", "brockett"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    for (size_t i = 0; i < (serves_manifolds(methods[m]) ? 3 : 2); i++) {
      fixture f = {0};
      recorder r = {.checkpoint_every = 3};
      set_up(&f, objectives[i], methods[m]);
      f.options.max_iterations = 20;
      opt_observer observer = observe(&r, &f);
      observer.checkpoint = on_checkpoint;
      assert_int_equal(minimise(&f, &observer), TG_OK);
      assert_true(r.records > 2);
      assert_int_equal(r.allocations_at_first, r.allocations_at_last);
      tear_down(&f);
    }
  }
}

// Each allocation of the set-up fails once: a clean error every time, nothing leaked, the user's point kept.
static void test_failing_allocations(void **unused)
{
  (void)unused;
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    bool has_succeeded = false;
    for (int64_t n = 1; !has_succeeded; n++) {
      fixture f = {0};
      set_up(&f, "logistic", methods[m]);
      f.options.memory = 2;
      f.options.max_iterations = 2;
      tg_alloc_fail_after(n);
      const tg_status status = minimise(&f, NULL);
      tg_alloc_fail_after(0);
      has_succeeded = status == TG_OK;
      if (!has_succeeded) assert_int_equal(status, TG_MEMORY);
      tear_down(&f);
      assert_true(n < 200);
    }
  }
}

static void test_observers_failures_are_passed_on(void **unused)
{
  (void)unused;
  fixture f = {0};
  recorder r = {.fail_iteration = TG_IO};
  set_up(&f, "logistic", "l-bfgs");
  const opt_observer observer = observe(&r, &f);
  assert_int_equal(minimise(&f, &observer), TG_IO);
  assert_string_equal(tg_error_get()->message, "the observer fails on purpose");
  tear_down(&f);
}

static void test_unfit_options_are_refused(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "logistic", "l-bfgs");
  assert_int_equal(opt_option_set(&f.options, "line_search", "exact"), TG_OK);
  assert_int_equal(minimise(&f, NULL), TG_UNSUPPORTED);
  tear_down(&f);
  set_up(&f, "logistic", "newton-cg");
  f.problem.base.has_hessian = false;
  assert_int_equal(minimise(&f, NULL), TG_UNSUPPORTED);
  tear_down(&f);
}

static void test_non_finite_start_is_said(void **unused)
{
  (void)unused;
  fixture f = {0};
  recorder r = {0};
  set_up(&f, "logdet-outside", "l-bfgs");
  const opt_observer observer = observe(&r, &f);
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_NOT_FINITE);
  assert_true(reason_has(&f, "not finite at the start"));
  assert_int_equal(r.records, 0);
  tear_down(&f);
}

// A run from a stationary point: of polynomials and of the same shown as general functions.
static void start_stationary(fixture *f, const char *objective, const char *method)
{
  set_up(f, objective, method);
  memset(f->problem.c, 0, sizeof f->problem.c); // the linear part of quadratics
  memset(serial_block(f->x, 0), 0, (size_t)f->problem.space.base.dimension * sizeof(double));
  assert_int_equal(minimise(f, NULL), TG_OK);
  assert_int_equal(f->result.iterations, 0);
}

static void test_a_saddle_at_the_start_is_said(void **unused)
{
  (void)unused;
  const char *const saddles[] = {"orbital", "orbital-general", "saddle", "saddle-general", "indefinite-general"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    for (size_t k = 0; k < sizeof saddles / sizeof saddles[0]; k++) {
      fixture f = {0};
      start_stationary(&f, saddles[k], methods[m]);
      assert_int_equal(f.result.outcome, OPT_STALLED);
      assert_true(reason_has(&f, "stationary at the start"));
      assert_true(reason_has(&f, "start elsewhere"));
      tear_down(&f);
    }
  }
}

// Four of the 24 eigenvalues are negative and small: one random direction would miss them.
static void test_a_saddle_of_a_quadratic_is_unbounded(void **unused)
{
  (void)unused;
  fixture f = {0};
  start_stationary(&f, "indefinite", "auto");
  assert_int_equal(f.result.outcome, OPT_UNBOUNDED);
  assert_true(f.result.counts.hessians > 1);
  assert_true(reason_has(&f, "unbounded below"));
  tear_down(&f);
}

// Semidefinite, singular, constant: nothing to complain of; and nothing is asked where the start is trusted.
static void test_a_stationary_minimum_is_converged(void **unused)
{
  (void)unused;
  const char *const minima[] = {"quadratic-1e8", "singular", "singular-general", "constant"};
  for (size_t k = 0; k < sizeof minima / sizeof minima[0]; k++) {
    fixture f = {0};
    start_stationary(&f, minima[k], "auto");
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    assert_true(f.result.counts.hessians <= 20);
    tear_down(&f);
  }
  for (int is_trusted = 0; is_trusted < 2; is_trusted++) { // or without a Hessian action
    fixture f = {0};
    set_up(&f, "saddle", "l-bfgs");
    f.problem.base.has_hessian = is_trusted != 0;
    f.options.trusts_start = is_trusted != 0;
    memset(serial_block(f.x, 0), 0, (size_t)f.problem.space.base.dimension * sizeof(double));
    assert_int_equal(minimise(&f, NULL), TG_OK);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    assert_int_equal(f.result.counts.hessians, 0);
    tear_down(&f);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outcomes_have_labels_and_exits),
      cmocka_unit_test(test_every_iteration_is_recorded),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_time_limit),
      cmocka_unit_test(test_interruption_leaves_a_checkpoint),
      cmocka_unit_test(test_tolerances_end_the_run),
      cmocka_unit_test(test_absolute_tolerance),
      cmocka_unit_test(test_a_carried_gradient_is_not_believed),
      cmocka_unit_test(test_restarts_continue_bit_for_bit),
      cmocka_unit_test(test_no_allocation_inside_iterations),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_observers_failures_are_passed_on),
      cmocka_unit_test(test_unfit_options_are_refused),
      cmocka_unit_test(test_non_finite_start_is_said),
      cmocka_unit_test(test_a_saddle_at_the_start_is_said),
      cmocka_unit_test(test_a_saddle_of_a_quadratic_is_unbounded),
      cmocka_unit_test(test_a_stationary_minimum_is_converged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
