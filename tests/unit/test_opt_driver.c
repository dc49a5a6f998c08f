// The driver: stopping, limits, interruption, checkpoints, honesty about convergence, memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "base/memory.h"
#include "opt/resolve.h"
#include "support/keeper.h"
#include "unit/opt_fixture.h"

// An observer that counts, remembers and disturbs.
typedef struct recorder {
  int64_t records;
  int64_t last_iteration;
  double last_objective;
  int64_t polls;
  int64_t interrupt_at; // poll at which to interrupt, 0: never
  bool time_is_over;
  int64_t checkpoint_every; // polls, 0: never
  int64_t checkpoints;
  int64_t allocations_at_first;
  int64_t allocations_at_last;
  tg_status fail_iteration;
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
  poll->checkpoint_due = r->checkpoint_every > 0 && r->polls % r->checkpoint_every == 0;
  return TG_OK;
}

static tg_status on_checkpoint(void *self, opt_listing *listing)
{
  recorder *r = self;
  assert_true(listing->n_vectors > 0 && listing->n_scalars > 0);
  r->checkpoints++;
  return TG_OK;
}

static opt_observer observe(recorder *r)
{
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
  const opt_observer observer = observe(&r);
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
  const opt_observer observer = observe(&r);
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
  opt_observer observer = observe(&r);
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

// What a restart is tested with.
typedef struct trial {
  const char *method;
  const char *objective;
  opt_constraint_kind kind; // of a set around the objective; FREE: as the objective says
  bool has_preconditioner;  // renewed after 6, 18, ... iterations
  double tolerance;         // of the gradient; 0: the default
} trial;

// A preconditioner that depends on the point where it was made.
typedef struct local_preconditioner {
  const opt_space *space;
  opt_point *weights;
  opt_preconditioner base;
} local_preconditioner;

static tg_status apply_preconditioner(void *self, const opt_point *r, opt_point *z)
{
  const local_preconditioner *m = self;
  TG_TRY(m->space->ops->copy(m->space, r, z));
  return m->space->ops->divide_entries(m->space, m->weights, z);
}

static tg_status renew_preconditioner(void *self, const opt_point *x, bool *is_new)
{
  const local_preconditioner *m = self;
  const double *at = serial_block_const(x, 0);
  *is_new = at[0] != 0;
  for (int64_t k = 0; *is_new && k < m->space->dimension; k++)
    serial_block(m->weights, 0)[k] = 1 + 0.5 * sin(100 * at[k]);
  return TG_OK;
}

static void create_preconditioner(local_preconditioner *m, const opt_space *space)
{
  *m = (local_preconditioner){.space = space};
  m->base =
      (opt_preconditioner){.name = "local", .apply = apply_preconditioner, .renew = renew_preconditioner, .self = m};
  assert_int_equal(space->ops->create(space, &m->weights), TG_OK);
  for (int64_t k = 0; k < space->dimension; k++) serial_block(m->weights, 0)[k] = 1;
}

// The carried gradient is off by a little, so that it matters when it is recomputed.
static const double carried_error = 1e-9;

static void run_trial(const trial *t, int64_t iterations, keeper *k, fixture *f)
{
  local_preconditioner preconditioner;
  set_up(f, t->objective, t->method);
  if (t->kind != OPT_CONSTRAINT_FREE) {
    opt_constraint_block blocks[SERIAL_BLOCKS_MAX];
    for (int i = 0; i < SERIAL_BLOCKS_MAX; i++)
      blocks[i] = (opt_constraint_block){.kind = t->kind, .low = -0.4, .high = 0.7};
    assert_int_equal(serial_constraint_init(&f->set, &f->problem.space, blocks), TG_OK);
    f->problem.base.constraint = &f->set.base;
    assert_int_equal(opt_constraint_random(&f->set.base, 7, f->x), TG_OK);
  }
  create_preconditioner(&preconditioner, &f->problem.space.base);
  if (t->has_preconditioner) f->options.preconditioning = &preconditioner.base;
  if (t->tolerance > 0) f->options.gradient_tolerance = t->tolerance;
  f->options.memory = 3;
  f->options.max_iterations = iterations;
  f->problem.carried_error = carried_error;
  if (k != NULL) k->dimension = f->problem.space.base.dimension;
  const opt_observer observer = k != NULL ? keeper_observer(k) : (opt_observer){0};
  assert_int_equal(minimise(f, &observer), TG_OK);
  if (k != NULL) assert_int_equal(k->faults, 0);
  f->problem.space.base.ops->destroy(&f->problem.space.base, &preconditioner.weights);
}

static void check_equal(const trial *t, const char *what, int64_t stop, const fixture *found, const fixture *expected)
{
  const opt_result *a = &found->result;
  const opt_result *b = &expected->result;
  const bool is_equal = a->iterations == b->iterations && a->objective == b->objective &&
                        a->gradient_norm == b->gradient_norm && a->outcome == b->outcome && a->drift == b->drift &&
                        a->restarts == b->restarts && memcmp(&a->counts, &b->counts, sizeof a->counts) == 0 &&
                        memcmp(serial_block_const(found->x, 0), serial_block_const(expected->x, 0),
                               (size_t)found->problem.space.base.dimension * sizeof(double)) == 0;
  if (!is_equal)
    print_error("%s on %s, %s at %lld: %.17g after %lld (%s), straight %.17g after %lld (%s)\n", t->method,
                t->objective, what, (long long)stop, a->objective, (long long)a->iterations,
                opt_outcome_label(a->outcome), b->objective, (long long)b->iterations, opt_outcome_label(b->outcome));
  assert_true(is_equal);
}

// A run that was saved at each iteration, one that was interrupted and restarted in a fresh problem, and one that
// nobody looked at: the same bits, the same counts.
static bool check_restart_at(const trial *t, int64_t stop)
{
  static keeper k;
  const int64_t iterations = stop + 10;
  fixture straight = {0};
  fixture other = {0};
  run_trial(t, iterations, NULL, &straight);
  k = (keeper){.every = 1};
  run_trial(t, iterations, &k, &other);
  check_equal(t, "saved", stop, &other, &straight);
  tear_down(&other);

  memset(&other, 0, sizeof other);
  k = (keeper){.interrupt_at = stop};
  run_trial(t, iterations, &k, &other);
  const bool is_over = other.result.outcome != OPT_INTERRUPTED; // converged before
  tear_down(&other);
  if (!is_over) {
    assert_int_equal(k.checkpoints, 1);
    memset(&other, 0, sizeof other);
    k.restores = true;
    run_trial(t, iterations, &k, &other);
    assert_int_equal(k.restored, 1);
    check_equal(t, "restarted", stop, &other, &straight);
    tear_down(&other);
  }
  tear_down(&straight);
  return is_over;
}

static void check_restart(const trial *t)
{
  for (int64_t stop = 1; stop <= 21; stop += stop < 4 ? 1 : 5)
    if (check_restart_at(t, stop)) return;
}

static void test_restarts_continue_bit_for_bit(void **unused)
{
  (void)unused;
  const char *const objectives[] = {"quadratic-1e4", "rosenbrock", "rosenbrock-general", "logdet", "factorisation"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++)
      check_restart(&(trial){.method = methods[m], .objective = objectives[i]});
    if (serves_manifolds(methods[m])) check_restart(&(trial){.method = methods[m], .objective = "trace-ratio"});
  }
}

// An examination that found more to be had has lowered the tolerance: a restart does not examine that point again.
static void test_restarts_with_a_lower_tolerance(void **unused)
{
  (void)unused;
  const char *const methods[] = {"conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
    const trial t = {.method = methods[m], .objective = "quadratic-1e8-general", .tolerance = 1e-6};
    for (int64_t stop = 1; stop <= 400; stop++)
      if (check_restart_at(&t, stop)) break;
  }
}

static void test_restarts_with_a_metric(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
    check_restart(&(trial){.method = methods[m], .objective = "logistic", .has_preconditioner = true});
    check_restart(&(trial){.method = methods[m], .objective = "rosenbrock", .has_preconditioner = true});
  }
}

static void test_restarts_on_convex_sets(void **unused)
{
  (void)unused;
  const opt_constraint_kind kinds[] = {OPT_CONSTRAINT_NONNEGATIVE, OPT_CONSTRAINT_BOX, OPT_CONSTRAINT_FROBENIUS_BALL};
  const char *const objectives[] = {"quadratic-1e4", "rosenbrock", "rosenbrock-general", "factorisation"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  int64_t served = 0;
  for (int m = 0; methods[m] != NULL; m++) {
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
      const opt_constraint_block block = {.kind = kinds[k], .low = -0.4, .high = 0.7};
      opt_options options;
      opt_traits traits;
      const opt_solver *solver = NULL;
      opt_options_init(&options);
      assert_int_equal(opt_option_set(&options, "method", methods[m]), TG_OK);
      assert_int_equal(opt_traits_find(1, &block, &traits), TG_OK);
      if (opt_constrained_solver(&options, &traits, &solver) != TG_OK) continue;
      if (solver->needs_closed_form || solver->needs_blocks) continue;
      served++;
      for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++)
        check_restart(&(trial){.method = methods[m], .objective = objectives[i], .kind = kinds[k]});
    }
  }
  assert_true(served >= 8);
}

// Steps of many products are given up in their middle; the restart makes the whole step again.
static void test_steps_are_given_up(void **unused)
{
  (void)unused;
  enum { INTERRUPTED_AT = 40, ITERATIONS = 12 };
  static keeper k;
  const trial trials[] = {{.method = "newton-cg", .objective = "quadratic-1e4"},
                          {.method = "newton-cg", .objective = "rosenbrock-general"},
                          {.method = "newton-cg", .objective = "trace-ratio"},
                          {.method = "newton-cg", .objective = "logistic", .has_preconditioner = true},
                          {.method = "newton-cg", .objective = "factorisation", .kind = OPT_CONSTRAINT_BOX},
                          {.method = "newton-cg", .objective = "quadratic-1e4", .kind = OPT_CONSTRAINT_BOX}};
  for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
    fixture straight = {0};
    int64_t inside = 0;
    run_trial(&trials[i], ITERATIONS, NULL, &straight);
    for (int64_t stop = 1; stop <= INTERRUPTED_AT; stop++) {
      fixture other = {0};
      k = (keeper){.interrupt_at = stop};
      run_trial(&trials[i], ITERATIONS, &k, &other);
      const bool is_over = other.result.outcome != OPT_INTERRUPTED;
      inside += !is_over && other.result.iterations + 1 < stop;
      tear_down(&other);
      if (is_over) break;
      memset(&other, 0, sizeof other);
      k.restores = true;
      run_trial(&trials[i], ITERATIONS, &k, &other);
      check_equal(&trials[i], "given up", stop, &other, &straight);
      tear_down(&other);
    }
    tear_down(&straight);
    assert_true(inside > 1);
  }
}

// What converged or stalled is saved where that is asked for; restarted it says the same at once, and goes on with a
// smaller tolerance.
static void test_the_end_is_saved(void **unused)
{
  (void)unused;
  static keeper k;
  fixture f = {0};
  fixture again = {0};
  k = (keeper){0};
  for (int saves = 0; saves < 2; saves++) {
    memset(&f, 0, sizeof f);
    set_up(&f, "quadratic-1e4", "conjugate-gradient");
    f.options.gradient_tolerance = 1e-4;
    k.dimension = f.problem.space.base.dimension;
    opt_observer observer = keeper_observer(&k);
    observer.saves_end = saves != 0;
    assert_int_equal(minimise(&f, &observer), TG_OK);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    assert_int_equal(k.checkpoints, saves);
    if (saves == 0) tear_down(&f);
  }
  k.restores = true;
  for (int tighter = 0; tighter < 2; tighter++) {
    memset(&again, 0, sizeof again);
    set_up(&again, "quadratic-1e4", "conjugate-gradient");
    again.options.gradient_tolerance = tighter ? 1e-8 : 1e-4;
    const opt_observer observer = keeper_observer(&k);
    assert_int_equal(minimise(&again, &observer), TG_OK);
    assert_int_equal(again.result.outcome, OPT_CONVERGED);
    assert_true(tighter ? again.result.iterations > f.result.iterations
                        : again.result.iterations == f.result.iterations);
    if (!tighter) assert_true(again.result.objective == f.result.objective);
    tear_down(&again);
  }
  tear_down(&f);
}

// A limit on time is that of each run; the seconds of all are added up.
static void test_time_counts_from_the_restart(void **unused)
{
  (void)unused;
  static keeper k;
  fixture f = {0};
  k = (keeper){.interrupt_at = 3};
  run_trial(&(trial){.method = "l-bfgs", .objective = "rosenbrock-general"}, 100, &k, &f);
  tear_down(&f);
  for (int i = 0; i < k.n_scalars; i++)
    if (strcmp(k.scalars[i].name, "seconds") == 0) k.scalars[i].number = 1000;
  memset(&f, 0, sizeof f);
  k.restores = true;
  set_up(&f, "rosenbrock-general", "l-bfgs");
  f.options.memory = 3;
  f.options.time_limit = 500;
  const opt_observer observer = keeper_observer(&k);
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_CONVERGED);
  assert_true(f.result.seconds >= 1000 && f.result.seconds < 1100);
  assert_true(f.result.earlier_seconds == 1000);
  tear_down(&f);
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
      opt_observer observer = observe(&r);
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
  const opt_observer observer = observe(&r);
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
  const opt_observer observer = observe(&r);
  assert_int_equal(minimise(&f, &observer), TG_OK);
  assert_int_equal(f.result.outcome, OPT_NOT_FINITE);
  assert_true(reason_has(&f, "not finite at the start"));
  assert_int_equal(r.records, 0);
  tear_down(&f);
}

// A run from a stationary point: of polynomials and of the same shown as general functions.
static void start_stationary(fixture *f, const char *objective, const char *method, opt_saddles saddles)
{
  set_up(f, objective, method);
  f->options.saddles = (int32_t)saddles;
  memset(f->problem.c, 0, sizeof f->problem.c); // the linear part of quadratics
  memset(serial_block(f->x, 0), 0, (size_t)f->problem.space.base.dimension * sizeof(double));
  assert_int_equal(minimise(f, NULL), TG_OK);
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
      start_stationary(&f, saddles[k], methods[m], OPT_SADDLES_STOP);
      assert_int_equal(f.result.iterations, 0);
      assert_int_equal(f.result.outcome, OPT_STALLED);
      assert_true(reason_has(&f, "stationary at the start"));
      assert_true(reason_has(&f, "start elsewhere"));
      tear_down(&f);
    }
  }
}

static void test_a_saddle_is_left(void **unused)
{
  (void)unused;
  const char *const saddles[] = {"orbital", "orbital-general", "saddle", "saddle-general"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    for (size_t k = 0; k < sizeof saddles / sizeof saddles[0]; k++) {
      fixture f = {0};
      start_stationary(&f, saddles[k], methods[m], OPT_SADDLES_LEAVE);
      if (f.result.outcome != OPT_CONVERGED || f.result.saddles == 0 ||
          fabs(f.result.objective - f.problem.optimum) > 1e-8 * fmax(1, fabs(f.problem.optimum)))
        fail_msg("%s on %s: %s, %lld saddles, f = %.12g for %.12g, %s", methods[m], saddles[k],
                 opt_outcome_label(f.result.outcome), (long long)f.result.saddles, f.result.objective,
                 f.problem.optimum, f.result.reason);
      tear_down(&f);
    }
  }
}

// Four of the 24 eigenvalues are negative and small: one random direction would miss them.
static void test_a_saddle_of_a_quadratic_is_unbounded(void **unused)
{
  (void)unused;
  fixture f = {0};
  start_stationary(&f, "indefinite", "auto", OPT_SADDLES_STOP);
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
    start_stationary(&f, minima[k], "auto", OPT_SADDLES_LEAVE);
    assert_int_equal(f.result.iterations, 0);
    assert_int_equal(f.result.saddles, 0);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    assert_true(f.result.counts.hessians <= 20);
    tear_down(&f);
  }
  for (int is_trusted = 0; is_trusted < 2; is_trusted++) { // or without a Hessian action
    fixture f = {0};
    set_up(&f, "saddle", "l-bfgs");
    f.problem.base.has_hessian = is_trusted != 0;
    if (is_trusted) f.options.examines = OPT_EXAMINE_NEVER;
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
      cmocka_unit_test(test_restarts_with_a_lower_tolerance),
      cmocka_unit_test(test_restarts_with_a_metric),
      cmocka_unit_test(test_restarts_on_convex_sets),
      cmocka_unit_test(test_steps_are_given_up),
      cmocka_unit_test(test_the_end_is_saved),
      cmocka_unit_test(test_time_counts_from_the_restart),
      cmocka_unit_test(test_no_allocation_inside_iterations),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_observers_failures_are_passed_on),
      cmocka_unit_test(test_unfit_options_are_refused),
      cmocka_unit_test(test_non_finite_start_is_said),
      cmocka_unit_test(test_a_saddle_at_the_start_is_said),
      cmocka_unit_test(test_a_saddle_is_left),
      cmocka_unit_test(test_a_saddle_of_a_quadratic_is_unbounded),
      cmocka_unit_test(test_a_stationary_minimum_is_converged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
