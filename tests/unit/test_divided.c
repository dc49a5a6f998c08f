// Divided differences against their definitions in long double, also where points are close, equal or far apart.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grad/divided.h"

static void assert_near(tg_divided which, double a, double b, long double expected, double tolerance)
{
  const double found = tg_divided_value(which, a, b);
  if (!(fabsl((long double)found - expected) <= (long double)tolerance * fabsl(expected)))
    fail_msg("%s of %.17g and %.17g is %.17g, expected %.17Lg", tg_divided_label(which), a, b, found, expected);
}

// (e^t - 1)/t and (e^t - 1 - t)/t^2 by their series where that converges fast.
static long double exp_series(int first, long double t)
{
  long double term = 1;
  long double sum = 0;
  for (int k = 1; k <= first; k++) term /= k;
  for (int k = first + 1; k < 80; k++) {
    sum += term;
    term *= t / k;
  }
  return sum;
}

static void exponentials(void **unused)
{
  static const double points[] = {0, 1, -1, 0.3, -7, 20, 1e-9, -1e-3, 5};
  static const double steps[] = {0, 1e-15, -1e-12, 1e-7, 3e-5, -0.01, 0.49, 0.51, -0.5, 1, 2};
  (void)unused;
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
      const double a = points[i];
      const double b = a + steps[k];
      const long double t = (long double)b - a;
      assert_near(TG_DIVIDED_EXP, a, b, expl(a) * exp_series(1, t), 1e-15);
      assert_near(TG_DIVIDED_EXP, b, a, expl(a) * exp_series(1, t), 1e-15);
      assert_near(TG_DIVIDED_EXP_TWICE, a, b, expl(a) * exp_series(2, t), 1e-14);
    }
  // e^800 alone is no double.
  assert_near(TG_DIVIDED_EXP, 400, -400, expl(400) / 800, 1e-14);
  assert_near(TG_DIVIDED_EXP_TWICE, -400, 400, expl(400) / (800.0L * 800.0L), 1e-14);
  assert_near(TG_DIVIDED_EXP_TWICE, 400, -400, expl(400) * 799 / (800.0L * 800.0L), 1e-14);
}

static long double log_difference(long double a, long double b)
{
  if (a == b) return 1 / a;
  return (a > 2 * b || b > 2 * a ? logl(a / b) : log1pl((a - b) / b)) / (a - b);
}

static void logarithms(void **unused)
{
  static const double points[] = {1, 1e-20, 3e-5, 0.5, 7, 1e10};
  static const double ratios[] = {1, 1.0625, 0.9375, 2, 0.5, 1000, 1e-9, 1e-18, 1e15};
  (void)unused;
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
    for (size_t k = 0; k < sizeof ratios / sizeof ratios[0]; k++) {
      const double a = points[i];
      const double b = a * ratios[k];
      const long double t = ((long double)b - a) / a;
      const bool small = fabsl(t) < 0.01L;
      assert_near(TG_DIVIDED_LOG, a, b, log_difference(a, b), 1e-14);
      assert_near(TG_DIVIDED_LOG, b, a, log_difference(a, b), 1e-14);
      if (!small)
        assert_near(TG_DIVIDED_LOG_TWICE, a, b, (1.0L / a - log_difference(a, b)) / ((long double)a - b), 1e-12);
    }
  assert_near(TG_DIVIDED_LOG_TWICE, 3, 3, -1.0L / 18, 1e-15);
  assert_near(TG_DIVIDED_LOG_TWICE, 2, 2 * (1 + 1e-9), -1.0L / 8 * (1 - 2e-9L / 3), 1e-15);
  assert_near(TG_DIVIDED_SQRT, 4, 9, 0.2L, 1e-15);
  assert_near(TG_DIVIDED_SQRT, 4, 4, 0.25L, 1e-15);
}

// Where two points are apart the quotient is taken, where they are close the mean: one of the two everywhere.
static void masks(void **unused)
{
  static const double steps[] = {0, 1e-9, 1e-6, 2e-5, 1};
  (void)unused;
  for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
    const double far = tg_divided_value(TG_DIVIDED_EXP_FAR, 1 + steps[k], 1);
    const double near = tg_divided_value(TG_DIVIDED_EXP_NEAR, 1 + steps[k], 1);
    assert_true((far == 0) != (near == 0));
    assert_true(steps[k] < 1e-5 ? near == 0.5 : fabs(far * steps[k] - 1) < 1e-10);
    assert_true((tg_divided_value(TG_DIVIDED_LOG_FAR, 1e-8 * (1 + steps[k]), 1e-8) == 0) == (far == 0));
  }
  assert_true(tg_divided_value(TG_DIVIDED_SIGNS, 0, 0) == 0 && tg_divided_value(TG_DIVIDED_SIGNS, 2, 0) == 0.5);
  assert_true(tg_divided_value(TG_DIVIDED_SIGNS, 1, 3) == 0.5 && tg_divided_value(TG_DIVIDED_STEP, 1, 3) == 0);
  assert_true(tg_divided_value(TG_DIVIDED_STEP, 0, 4) == 0.25 && tg_divided_value(TG_DIVIDED_STEP, 0, 0) == 0);
  assert_true(tg_divided_value(TG_DIVIDED_TOP, 2, 2) == 0 && tg_divided_value(TG_DIVIDED_BELOW_TOP, 2, 2) == 0);
  assert_near(TG_DIVIDED_TOP, 3, 1, 3.0L / 8, 1e-15);
  assert_near(TG_DIVIDED_BELOW_TOP, 3, 1, 1.0L / 8, 1e-15);
  assert_string_equal(tg_divided_label(TG_DIVIDED_COUNT), "unknown");
  for (int which = 0; which < TG_DIVIDED_COUNT; which++) {
    const double x = tg_divided_value((tg_divided)which, 2, 5);
    const double y = tg_divided_value((tg_divided)which, 5, 2);
    if (tg_divided_is_symmetric((tg_divided)which)) assert_true(x == y);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponentials), cmocka_unit_test(logarithms),
                                     cmocka_unit_test(masks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
