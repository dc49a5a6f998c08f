// The quasi-Newton method for a few variables in a box.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "opt/tuner.h"

typedef double function(const double *x, double *g);

// Like a score over the logarithm of a ridge: flat at both ends.
static double valley(const double *x, double *g)
{
  const double u = x[0] - 3;
  g[0] = 2 * u / ((1 + u * u) * (1 + u * u));
  return 2 - 1 / (1 + u * u);
}

static double tilted(const double *x, double *g)
{
  const double a = x[0] - 2;
  const double b = x[1] + 4;
  g[0] = sinh(a / 3) + 0.3 * (a + b);
  g[1] = 5 * b + 0.3 * (a + b);
  return 10 + 3 * cosh(a / 3) + 2.5 * b * b + 0.15 * (a + b) * (a + b);
}

static double falling(const double *x, double *g)
{
  g[0] = -exp(-x[0]);
  return 1 + exp(-x[0]);
}

// Has no value beyond 1.
static double bordered(const double *x, double *g)
{
  g[0] = 2 * (x[0] - 0.9);
  return x[0] > 1 ? (double)NAN : 1 + (x[0] - 0.9) * (x[0] - 0.9);
}

static int run(opt_tuner *t, function *f, int n, const double *start, double low, double high)
{
  const double lows[2] = {low, low};
  const double highs[2] = {high, high};
  double g[2] = {0, 0};
  int count = 0;
  bool goes_on = true;
  opt_tuner_init(t, n, start, lows, highs, 2.3, 1e-8);
  while (goes_on && count < 100) {
    count++;
    for (int i = 0; i < n; i++) assert_true(t->trial[i] >= low && t->trial[i] <= high);
    const double value = f(t->trial, g);
    goes_on = opt_tuner_tell(t, value, g);
  }
  assert_false(goes_on);
  assert_non_null(t->reason);
  return count;
}

static void test_minimum(void **state)
{
  (void)state;
  opt_tuner t;
  for (double start = -6; start <= 12; start += 1.5) {
    assert_in_range(run(&t, valley, 1, &start, -15, 15), 1, 15);
    assert_true(fabs(t.x[0] - 3) < 1e-3);
  }
  const double starts[][2] = {{0, 0}, {10, -10}, {-8, 3}};
  for (int k = 0; k < 3; k++) {
    assert_in_range(run(&t, tilted, 2, starts[k], -20, 20), 4, 15);
    assert_true(fabs(t.x[0] - 2) < 1e-2 && fabs(t.x[1] + 4) < 1e-2);
  }
}

// The second number is best at zero, which is at minus infinity here.
static double levelling(const double *x, double *g)
{
  const double a = x[0] - 1;
  g[0] = a;
  g[1] = 0.1 * exp(x[1]);
  return 5 + a * a / 2 + 0.1 * exp(x[1]);
}

static void test_levelling(void **state)
{
  (void)state;
  opt_tuner t;
  const double start[2] = {0, 0};
  assert_in_range(run(&t, levelling, 2, start, -14, 14), 3, 20);
  assert_true(t.f < 5.00001);
}

static void test_bounds(void **state)
{
  (void)state;
  opt_tuner t;
  const double start = 0;
  run(&t, falling, 1, &start, -5, 5);
  assert_true(t.x[0] == 5);
  run(&t, bordered, 1, &start, -5, 5);
  assert_true(fabs(t.x[0] - 0.9) < 1e-3);
  const double outside = 2;
  assert_int_equal(run(&t, bordered, 1, &outside, -5, 5), 1);
  assert_false(t.has_point);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_minimum), cmocka_unit_test(test_levelling),
                                     cmocka_unit_test(test_bounds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
