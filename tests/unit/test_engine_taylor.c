// The Taylor test: it passes right derivatives, finds wrong ones, and is not fooled by rounding.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/problem/taylor.h"
#include "support/hand_problem.h"

// ---- the judgement alone ----

static void judge(int n, double (*remainder)(double t), double floor, tg_taylor *out)
{
  *out = (tg_taylor){.n = n};
  double t = 1;
  for (int k = 0; k < n; k++) {
    t /= 10;
    out->rows[k] = (tg_taylor_row){.t = t, .remainder = remainder(t), .floor = floor};
  }
  tg_taylor_judge(out);
}

static double second_order(double t)
{
  return 3 * t * t;
}

static double third_order(double t)
{
  return t * t * t;
}

static double first_order(double t)
{
  return 0.01 * t + t * t;
}

static double slightly_wrong(double t)
{
  return 1e-5 * t + t * t;
}

static double nothing(double t)
{
  (void)t;
  return 0;
}

static double not_a_number(double t)
{
  (void)t;
  return (double)NAN;
}

static double domain_then_second(double t)
{
  return t > 0.05 ? (double)INFINITY : t * t;
}

static double second_then_noise(double t)
{
  return t * t + 1e-7 * (1 + 0.3 * sin(1e3 / t));
}

// softplus(k t) of a large k: first order until t is below 1/k.
static double steep(double t)
{
  return t > 1e-5 ? t * 1e4 : 1e9 * t * t;
}

// Below t = 1e-6 the values stand on one step of a staircase: the remainder is all of the change.
static double staircase(double t)
{
  return t > 1e-6 ? 1e-9 * t * t + 3e-17 : 7e-10 * t;
}

static void test_judgement(void **state)
{
  (void)state;
  tg_taylor t;
  judge(6, second_order, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
  assert_true(fabs(t.order - 2) < 1e-9);
  judge(6, third_order, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
  judge(6, first_order, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_FAILED);
  assert_true(fabs(t.order - 1) < 0.1);
  judge(10, slightly_wrong, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_FAILED);
  judge(6, nothing, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_EXACT);
  judge(6, not_a_number, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_UNRESOLVED);
  judge(6, domain_then_second, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
  // Rounding above the assumed floor ends the second order, it does not make it a first.
  judge(10, second_then_noise, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
  judge(8, steep, 1e-15, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
  judge(10, staircase, 1e-24, &t);
  assert_int_equal(t.verdict, TG_TAYLOR_PASSED);
}

// Rounding that hides all of a change is no proof of anything.
static void test_hidden(void **state)
{
  (void)state;
  tg_taylor t = {.n = 6, .scale = 1e-6};
  for (int k = 0; k < t.n; k++)
    t.rows[k] = (tg_taylor_row){.t = pow(10, -1 - k), .remainder = pow(10, -7 - k), .floor = 1};
  tg_taylor_judge(&t);
  assert_int_equal(t.verdict, TG_TAYLOR_UNRESOLVED);
  for (int k = 0; k < t.n; k++) t.rows[k].floor = 1e-15, t.rows[k].remainder = 0;
  tg_taylor_judge(&t);
  assert_int_equal(t.verdict, TG_TAYLOR_EXACT);
}

// ---- on objectives ----

static opt_problem_ops wrong_ops;
static const opt_problem_ops *right_ops;
static double wrong_by;

static tg_status wrong_gradient(opt_problem *problem, const opt_point *x, double *f, opt_point *gradient)
{
  TG_TRY(right_ops->gradient(problem, x, f, gradient));
  return problem->space->ops->axpby(problem->space, wrong_by, gradient, 1.0, gradient);
}

static tg_status wrong_hessian(opt_problem *problem, const opt_point *x, const opt_point *v, opt_point *hv)
{
  TG_TRY(right_ops->hessian(problem, x, v, hv));
  return problem->space->ops->axpby(problem->space, wrong_by, hv, 1.0, hv);
}

// Whether the start of this objective is a point where a Taylor test can say anything.
static bool is_regular(const hand_objective *objective)
{
  return objective->expected != OPT_NOT_FINITE && strstr(objective->name, "finite") == NULL;
}

static void with_point(const hand_objective *objective, void (*test)(hand_problem *problem, const opt_point *x))
{
  hand_problem problem;
  opt_point *x = NULL;
  hand_problem_init(&problem, objective);
  assert_int_equal(hand_problem_start(&problem, &x), TG_OK);
  test(&problem, x);
  problem.base.space->ops->destroy(problem.base.space, &x);
}

static int tested;

static void expect_right(hand_problem *problem, const opt_point *x)
{
  tg_taylor t;
  assert_int_equal(tg_taylor_gradient(&problem->base, x, 7, 6, &t), TG_OK);
  if (t.verdict == TG_TAYLOR_FAILED) print_error("%s: order %g\n", problem->objective->name, t.order);
  assert_int_not_equal(t.verdict, TG_TAYLOR_FAILED);
  tested += t.verdict == TG_TAYLOR_PASSED || t.verdict == TG_TAYLOR_EXACT;
  if (!problem->base.has_hessian) return;
  assert_int_equal(tg_taylor_hessian(&problem->base, x, 7, 6, &t), TG_OK);
  if (t.verdict == TG_TAYLOR_FAILED) print_error("%s: Hessian, order %g\n", problem->objective->name, t.order);
  assert_int_not_equal(t.verdict, TG_TAYLOR_FAILED);
}

static void test_right(void **state)
{
  (void)state;
  tested = 0;
  for (int k = 0; k < hand_objective_count(); k++)
    if (is_regular(hand_objective_at(k))) with_point(hand_objective_at(k), expect_right);
  assert_true(tested >= 5);
}

static int condemned;

static void expect_wrong(hand_problem *problem, const opt_point *x)
{
  tg_taylor t;
  right_ops = problem->base.ops;
  wrong_ops = *right_ops;
  wrong_ops.gradient = wrong_gradient;
  wrong_ops.hessian = wrong_hessian;
  problem->base.ops = &wrong_ops;
  wrong_by = 0.5;
  assert_int_equal(tg_taylor_gradient(&problem->base, x, 7, 6, &t), TG_OK);
  // Where the slope along the direction drowns in the curvature no test can tell; there are few such starts.
  condemned += t.verdict == TG_TAYLOR_FAILED;
  if (problem->base.has_hessian) {
    wrong_ops.gradient = right_ops->gradient;
    assert_int_equal(tg_taylor_hessian(&problem->base, x, 7, 6, &t), TG_OK);
    assert_int_not_equal(t.verdict, TG_TAYLOR_PASSED);
  }
  problem->base.ops = right_ops;
}

static void test_wrong(void **state)
{
  (void)state;
  condemned = 0;
  int regular = 0;
  for (int k = 0; k < hand_objective_count(); k++) {
    if (!is_regular(hand_objective_at(k))) continue;
    regular++;
    with_point(hand_objective_at(k), expect_wrong);
  }
  print_message("%d of %d wrong gradients found\n", condemned, regular);
  assert_true(2 * condemned > regular);
}

// ---- the probe of two values ----

static int values;
static int quick;

static tg_status counted_value(opt_problem *problem, const opt_point *x, double *f)
{
  values++;
  return right_ops->value(problem, x, f);
}

// The probe passes what the full test does not condemn, with two values where both are above the rounding; and it
// passes no gradient that the full test condemns, however small the error.
static void compare_probe(hand_problem *problem, const opt_point *x)
{
  static const double errors[] = {0, 0.5, -0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5};
  right_ops = problem->base.ops;
  wrong_ops = *right_ops;
  wrong_ops.gradient = wrong_gradient;
  wrong_ops.value = counted_value;
  problem->base.ops = &wrong_ops;
  for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
    tg_taylor full;
    tg_taylor probe;
    wrong_by = errors[k];
    assert_int_equal(tg_taylor_gradient(&problem->base, x, 7, 6, &full), TG_OK);
    values = 0;
    assert_int_equal(tg_taylor_probe(&problem->base, x, 7, 6, &probe), TG_OK);
    if (full.verdict == TG_TAYLOR_FAILED && probe.verdict == TG_TAYLOR_PASSED)
      fail_msg("%s: a gradient wrong by %g passes the probe: order %g down to t = %g", problem->objective->name,
               errors[k], probe.order, probe.rows[1].t);
    if (k > 0) continue;
    assert_int_not_equal(probe.verdict, TG_TAYLOR_FAILED);
    quick += values == 2 && probe.verdict == TG_TAYLOR_PASSED;
  }
  problem->base.ops = right_ops;
}

static void test_probe(void **state)
{
  (void)state;
  quick = 0;
  int regular = 0;
  for (int k = 0; k < hand_objective_count(); k++) {
    if (!is_regular(hand_objective_at(k))) continue;
    regular++;
    with_point(hand_objective_at(k), compare_probe);
  }
  print_message("%d of %d starts are probed by two values\n", quick, regular);
  assert_true(2 * quick > regular);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_judgement), cmocka_unit_test(test_hidden), cmocka_unit_test(test_right),
      cmocka_unit_test(test_wrong),     cmocka_unit_test(test_probe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
