// The methods: what an iteration costs, how many are needed, preconditioners, the precision floor, unbounded
// objectives.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "opt/resolve.h"
#include "unit/opt_fixture.h"

static void test_linear_conjugate_gradients_cost_one_hessian_action_an_iteration(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e2", "auto");
  f.options.examines = OPT_EXAMINE_NEVER; // which has actions of its own
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_string_equal(f.result.method, "conjugate-gradient");
  assert_string_equal(f.result.line_search, "exact");
  assert_int_equal(f.result.counts.hessians, f.result.iterations);
  assert_int_equal(f.result.counts.lines, 0);
  assert_int_equal(f.result.counts.gradients, 2); // at the start and at the end
  assert_int_equal(f.result.counts.values, 0);
  // 24 unknowns: Krylov's space is exhausted by then, rounding aside.
  assert_in_range(f.result.iterations, 1, 30);
  tear_down(&f);
}

// No tolerance at all: every method must notice that it is at the floor, and say so, near the optimum.
static void test_precision_floor_is_noticed(void **unused)
{
  (void)unused;
  const char *const objectives[] = {"quadratic-1e2", "quadratic-1e2-general", "orbital", "logistic", "logdet"};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!stands_alone(methods[m])) continue;
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
      fixture f = {0};
      set_up(&f, objectives[i], methods[m]);
      f.options.gradient_tolerance = 0;
      f.options.max_iterations = 20000;
      assert_int_equal(minimise(&f, NULL), TG_OK);
      const double error = f.result.objective - f.problem.optimum;
      // A gradient of exactly zero is converged under any tolerance.
      const bool is_honest =
          f.result.outcome == OPT_STALLED || (f.result.outcome == OPT_CONVERGED && f.result.gradient_norm == 0);
      if (!is_honest || fabs(error) > 1e-11 * fmax(1, fabs(f.problem.optimum)))
        print_error("%s on %s: %s after %lld, error %.3g, |g| %.3g: %s\n", methods[m], objectives[i],
                    opt_outcome_label(f.result.outcome), (long long)f.result.iterations, error, f.result.gradient_norm,
                    f.result.reason);
      assert_true(is_honest);
      assert_true(fabs(error) <= 1e-11 * fmax(1, fabs(f.problem.optimum)));
      assert_true(f.result.gradient_norm <= 1e-5 * f.result.gradient_norm_start);
      tear_down(&f);
    }
  }
}

static void test_fixed_steps(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "quadratic-1e2", "gradient-descent"); // eigenvalues between 0.01 and 1
  assert_int_equal(opt_option_set(&f.options, "line_search", "fixed"), TG_OK);
  f.options.step_length = 1.5;
  f.options.max_iterations = 10000;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_CONVERGED);
  assert_string_equal(f.result.line_search, "fixed");
  tear_down(&f);
  // Beyond 2 / L it diverges: the end is honest.
  set_up(&f, "quadratic-1e2-general", "gradient-descent");
  assert_int_equal(opt_option_set(&f.options, "line_search", "fixed"), TG_OK);
  f.options.step_length = 3;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_true(f.result.outcome != OPT_CONVERGED);
  tear_down(&f);
}

// The preconditioner: exact inverse Hessian of "quadratic" by its own solver is out of reach here, but any positive
// scaling by entries is a legal preconditioner. It must be used, and the optimum must not depend on it.
typedef struct scaling {
  const opt_space *space;
  opt_point *weights;
  int64_t calls;
  int64_t renewals;
  int64_t drops;
} scaling;

static tg_status apply_scaling(void *self, const opt_point *r, opt_point *z)
{
  scaling *s = self;
  s->calls++;
  TG_TRY(s->space->ops->copy(s->space, r, z));
  return s->space->ops->divide_entries(s->space, s->weights, z);
}

static void test_preconditioner_is_used_everywhere(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg"};
  const char *const objectives[] = {"quadratic-1e2", "orbital", "logistic"};
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
      fixture f = {0};
      set_up(&f, objectives[i], methods[m]);
      const opt_space *space = &f.problem.space.base;
      scaling s = {.space = space};
      assert_int_equal(space->ops->create(space, &s.weights), TG_OK);
      for (int64_t k = 0; k < space->dimension; k++) serial_block(s.weights, 0)[k] = 1 + 0.5 * sin((double)k);
      const opt_preconditioner preconditioner = {.name = "scaling", .apply = apply_scaling, .self = &s};
      f.options.preconditioning = &preconditioner;
      f.options.max_iterations = 5000;
      const int64_t before = f.problem.space.created;
      assert_int_equal(minimise(&f, NULL), TG_OK);
      assert_int_equal(f.result.outcome, OPT_CONVERGED);
      assert_true(s.calls >= f.result.iterations);
      assert_true(fabs(f.result.objective - f.problem.optimum) <= 1e-9 * fmax(1, fabs(f.problem.optimum)));
      assert_int_equal(f.problem.space.created - before, opt_working_points(&f.options, f.problem.base.degree));
      space->ops->destroy(space, &s.weights);
      tear_down(&f);
    }
  }
}

// A preconditioner that depends on the point: another one at each renewal.
static tg_status renew_scaling(void *self, const opt_point *x, bool *is_new)
{
  scaling *s = self;
  (void)x;
  s->renewals++;
  *is_new = true;
  for (int64_t k = 0; k < s->space->dimension; k++)
    serial_block(s->weights, 0)[k] = 1 + 0.5 * sin((double)(k + 7 * s->renewals));
  return TG_OK;
}

static void drop_scaling(void *self)
{
  scaling *s = self;
  s->drops++;
  s->calls = 0;
}

enum { CHANGE = 3 };

// A preconditioner that a wrong forecast kept out until iteration CHANGE, or brought in until then; *s: what was asked
// of it.
static void minimise_for_a_time(const char *method, bool drops, bool is_stopped, scaling *s)
{
  fixture f = {0};
  set_up(&f, "logistic", method);
  const opt_space *space = &f.problem.space.base;
  *s = (scaling){.space = space};
  assert_int_equal(space->ops->create(space, &s->weights), TG_OK);
  for (int64_t k = 0; k < space->dimension; k++) serial_block(s->weights, 0)[k] = 1;
  const opt_preconditioner preconditioner = {.name = "scaling",
                                             .apply = apply_scaling,
                                             .renew = drops ? NULL : renew_scaling,
                                             .from = drops ? 0 : CHANGE,
                                             .until = drops ? CHANGE : 0,
                                             .drop = drop_scaling,
                                             .self = s};
  f.options.preconditioning = &preconditioner;
  f.options.examines = OPT_EXAMINE_NEVER;
  f.options.max_iterations = is_stopped ? CHANGE - 1 : 5000;
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, is_stopped ? OPT_ITERATION_LIMIT : OPT_CONVERGED);
  assert_true(is_stopped || f.result.iterations > CHANGE);
  assert_true(is_stopped || fabs(f.result.objective - f.problem.optimum) <= 1e-9 * fmax(1, fabs(f.problem.optimum)));
  space->ops->destroy(space, &s->weights);
  tear_down(&f);
}

static void test_preconditioner_is_used_for_a_time(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
    scaling s;
    minimise_for_a_time(methods[m], false, true, &s);
    assert_true(s.calls == 0 && s.renewals == 0);
    minimise_for_a_time(methods[m], false, false, &s);
    assert_true(s.calls > 0 && s.renewals >= 1);
    minimise_for_a_time(methods[m], true, true, &s);
    assert_true(s.calls > 0 && s.drops == 0);
    minimise_for_a_time(methods[m], true, false, &s);
    assert_true(s.calls == 0 && s.drops == 1); // since it was dropped
  }
}

static void test_preconditioner_is_renewed_ever_more_seldom(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
    fixture f = {0};
    set_up(&f, "logistic", methods[m]);
    const opt_space *space = &f.problem.space.base;
    scaling s = {.space = space};
    assert_int_equal(space->ops->create(space, &s.weights), TG_OK);
    for (int64_t k = 0; k < space->dimension; k++) serial_block(s.weights, 0)[k] = 1;
    const opt_preconditioner preconditioner = {
        .name = "scaling", .apply = apply_scaling, .renew = renew_scaling, .self = &s};
    f.options.preconditioning = &preconditioner;
    f.options.max_iterations = 5000;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    int64_t expected = 0;
    for (int64_t due = 6; due < f.result.iterations; due *= 3) expected++;
    assert_int_equal(s.renewals, expected);
    assert_true(fabs(f.result.objective - f.problem.optimum) <= 1e-9 * fmax(1, fabs(f.problem.optimum)));
    space->ops->destroy(space, &s.weights);
    tear_down(&f);
  }
}

// With the Hessian itself as the preconditioner, one preconditioned step suffices.
static tg_status apply_inverse_diagonal(void *self, const opt_point *r, opt_point *z)
{
  const double *weights = self;
  for (int64_t i = 0; i < 4; i++) serial_block(z, 0)[i] = serial_block_const(r, 0)[i] / weights[i];
  return TG_OK;
}

static const double diagonal_weights[] = {1, 1e2, 1e4, 1e6};

static void set_up_diagonal(hand_problem *problem)
{
  problem->optimum = 0;
}

static double value_diagonal(const hand_problem *problem, const double *x)
{
  (void)problem;
  double sum = 0;
  for (int64_t i = 0; i < 4; i++) sum += diagonal_weights[i] * (x[i] - 1) * (x[i] - 1) / 2;
  return sum;
}

static void gradient_diagonal(const hand_problem *problem, const double *x, double *g)
{
  (void)problem;
  for (int64_t i = 0; i < 4; i++) g[i] = diagonal_weights[i] * (x[i] - 1);
}

static void line_diagonal(const hand_problem *problem, const double *x, const double *d, double *c)
{
  double g[4];
  gradient_diagonal(problem, x, g);
  c[0] = value_diagonal(problem, x);
  c[1] = c[2] = 0;
  for (int64_t i = 0; i < 4; i++) {
    c[1] += g[i] * d[i];
    c[2] += diagonal_weights[i] * d[i] * d[i] / 2;
  }
}

static void start_diagonal(const hand_problem *problem, double *x)
{
  (void)problem;
  for (int64_t i = 0; i < 4; i++) x[i] = (double)i;
}

static void test_the_hessian_as_metric_gives_one_step(void **unused)
{
  (void)unused;
  const hand_objective diagonal = {.name = "diagonal",
                                   .n_blocks = 1,
                                   .rows = {2},
                                   .cols = {2},
                                   .degree = 2,
                                   .set_up = set_up_diagonal,
                                   .start = start_diagonal,
                                   .value = value_diagonal,
                                   .gradient = gradient_diagonal,
                                   .line = line_diagonal};
  double weights[4];
  memcpy(weights, diagonal_weights, sizeof weights);
  const opt_preconditioner preconditioner = {.name = "hessian", .apply = apply_inverse_diagonal, .self = weights};
  const char *const methods[] = {"gradient-descent", "conjugate-gradient", "l-bfgs"};
  for (size_t m = 0; m < 3; m++) {
    fixture f = {0};
    hand_problem_init(&f.problem, &diagonal);
    opt_options_init(&f.options);
    assert_int_equal(opt_option_set(&f.options, "method", methods[m]), TG_OK);
    assert_int_equal(hand_problem_start(&f.problem, &f.x), TG_OK);
    f.options.preconditioning = &preconditioner;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    assert_int_equal(f.result.iterations, 1);
    tear_down(&f);
  }
}

static void test_every_beta_works(void **unused)
{
  (void)unused;
  const char *const objectives[] = {"quadratic-1e4", "rosenbrock", "rosenbrock-general", "logistic", "orbital-general"};
  const char *const *betas = opt_option_choices(OPT_KIND_BETA);
  for (int b = 0; betas[b] != NULL; b++) {
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
      fixture f = {0};
      set_up(&f, objectives[i], "conjugate-gradient");
      assert_int_equal(opt_option_set(&f.options, "beta", betas[b]), TG_OK);
      f.options.max_iterations = 5000;
      assert_int_equal(minimise(&f, NULL), TG_OK);
      if (f.result.outcome != OPT_CONVERGED) print_error("%s on %s: %s\n", betas[b], objectives[i], f.result.reason);
      assert_int_equal(f.result.outcome, OPT_CONVERGED);
      tear_down(&f);
    }
  }
}

// Near an optimum the slope among the line's coefficients is all rounding; the inner product <g, d> is not.
static void test_slopes_come_from_inner_products(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "barzilai-borwein", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    fixture f = {0};
    set_up(&f, "orbital", methods[i]);
    f.problem.line_error = 1e-6;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    tear_down(&f);
  }
}

static tg_status note_rise(void *self, const opt_record *record, const opt_point *x)
{
  (void)x;
  double *worst = self; // the least value so far, the largest rise above it
  worst[1] = fmax(worst[1], record->objective - worst[0]);
  worst[0] = fmin(worst[0], record->objective);
  return TG_OK;
}

// Coefficients that are wrong promise a distant minimum: f tells, and the step is taken back and shortened.
static void test_a_minimum_of_wrong_coefficients_is_not_taken(void **unused)
{
  (void)unused;
  const char *const methods[] = {"gradient-descent", "barzilai-borwein", "conjugate-gradient", "l-bfgs", "newton-cg"};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    fixture f = {0};
    double worst[2] = {INFINITY, 0};
    const opt_observer observer = {.self = worst, .iteration = note_rise};
    set_up(&f, "factorisation", methods[i]);
    f.problem.cubic_error = 1e9;
    f.options.max_iterations = 200;
    f.options.nonmonotone_memory = 1;
    assert_int_equal(minimise(&f, &observer), TG_OK);
    assert_true(f.result.outcome == OPT_CONVERGED || f.result.outcome == OPT_ITERATION_LIMIT);
    assert_true(worst[1] <= 1e-9 * fabs(worst[0]) + 1e-13);
    assert_true(f.result.objective <= worst[0] + 1e-9 * fabs(worst[0]) + 1e-13);
    tear_down(&f);
  }
}

// Measured counts with a margin of a half: a formula gone wrong still converges, but not in these.
static void test_iteration_budgets(void **unused)
{
  (void)unused;
  const struct {
    const char *method;
    const char *objective;
    int64_t iterations;
  } budgets[] = {
      {"gradient-descent", "quadratic-1e2", 700},
      {"barzilai-borwein", "quadratic-1e4", 1000},
      {"barzilai-borwein", "logdet", 210},
      {"nesterov", "quadratic-1e4", 1700},
      {"nesterov", "logistic", 105},
      {"conjugate-gradient", "quadratic-1e4", 60},
      {"conjugate-gradient", "orbital", 40},
      {"l-bfgs", "rosenbrock-general", 100},
      {"l-bfgs", "logdet", 33},
      {"l-bfgs", "orbital", 60},
      {"newton-cg", "rosenbrock-general", 38},
      {"newton-cg", "logdet", 16},
  };
  for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
    fixture f = {0};
    set_up(&f, budgets[i].objective, budgets[i].method);
    f.options.max_iterations = budgets[i].iterations;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    if (f.result.outcome != OPT_CONVERGED)
      print_error("%s on %s: %s\n", budgets[i].method, budgets[i].objective, f.result.reason);
    assert_int_equal(f.result.outcome, OPT_CONVERGED);
    tear_down(&f);
  }
}

// The start is 0, so that |x| after one iteration is the length of the first step: the radius, when that is short.
static void test_trust_region_is_kept(void **unused)
{
  (void)unused;
  const double radii[] = {0.01, 0.3, 1};
  for (size_t i = 0; i < sizeof radii / sizeof radii[0]; i++) {
    fixture f = {0};
    double norm = 0;
    set_up(&f, "quadratic-1e2-general", "newton-cg");
    f.options.trust_radius = radii[i];
    f.options.max_iterations = 1;
    assert_int_equal(minimise(&f, NULL), TG_OK);
    assert_int_equal(opt_norm(&f.problem.space.base, f.x, &norm), TG_OK);
    assert_true(fabs(norm - radii[i]) <= 1e-12);
    tear_down(&f);
  }
}

static void test_unbounded_names_the_ray(void **unused)
{
  (void)unused;
  fixture f = {0};
  set_up(&f, "indefinite", "auto");
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_UNBOUNDED);
  assert_true(reason_has(&f, "unbounded below: f(x + t d) - f(x) = -"));
  assert_true(reason_has(&f, "t^2"));
  tear_down(&f);
  set_up(&f, "linear-general", "l-bfgs");
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_true(reason_has(&f, "still falls at distance"));
  tear_down(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linear_conjugate_gradients_cost_one_hessian_action_an_iteration),
      cmocka_unit_test(test_precision_floor_is_noticed),
      cmocka_unit_test(test_fixed_steps),
      cmocka_unit_test(test_preconditioner_is_used_everywhere),
      cmocka_unit_test(test_preconditioner_is_renewed_ever_more_seldom),
      cmocka_unit_test(test_preconditioner_is_used_for_a_time),
      cmocka_unit_test(test_the_hessian_as_metric_gives_one_step),
      cmocka_unit_test(test_every_beta_works),
      cmocka_unit_test(test_slopes_come_from_inner_products),
      cmocka_unit_test(test_a_minimum_of_wrong_coefficients_is_not_taken),
      cmocka_unit_test(test_iteration_budgets),
      cmocka_unit_test(test_trust_region_is_kept),
      cmocka_unit_test(test_unbounded_names_the_ray),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
