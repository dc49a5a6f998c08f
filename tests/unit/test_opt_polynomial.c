// Roots of polynomials with known roots, single, clustered and multiple; minimisers on the half-line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opt/line/polynomial.h"

static void assert_near(double found, double expected, double tolerance)
{
  if (!(fabs(found - expected) <= tolerance)) print_error("found %.17g, expected %.17g\n", found, expected);
  assert_true(fabs(found - expected) <= tolerance);
}

// c := product over k of (t - roots[k])
static void expand(int n, const double *roots, double *c)
{
  c[0] = 1;
  for (int k = 0; k < n; k++) {
    c[k + 1] = c[k];
    for (int j = k; j > 0; j--) c[j] = c[j - 1] - roots[k] * c[j];
    c[0] *= -roots[k];
  }
}

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double uniform(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) * 0x1p-53;
}

static void test_random_roots_are_found(void **unused)
{
  (void)unused;
  uint64_t state = 1;
  for (int round = 0; round < 3000; round++) {
    double roots[OPT_DEGREE_MAX];
    double c[OPT_DEGREE_MAX + 1];
    double found[OPT_DEGREE_MAX];
    const int n = 1 + round % OPT_DEGREE_MAX;
    // One in each of n cells, so that the roots stay apart and well conditioned.
    for (int k = 0; k < n; k++) roots[k] = -4 + 8 * (k + 0.2 + 0.6 * uniform(&state)) / n;
    expand(n, roots, c);
    qsort(roots, (size_t)n, sizeof roots[0], compare);
    assert_int_equal(opt_polynomial_roots(n, c, -10, 10, found), n);
    for (int k = 0; k < n; k++) assert_near(found[k], roots[k], 1e-8);
  }
}

static void test_only_the_interval_counts(void **unused)
{
  (void)unused;
  const double roots[] = {-2, -1, 0.5, 3, 7};
  double c[6];
  double found[OPT_DEGREE_MAX];
  expand(5, roots, c);
  assert_int_equal(opt_polynomial_roots(5, c, 0, 5, found), 2);
  assert_near(found[0], 0.5, 1e-12);
  assert_near(found[1], 3, 1e-12);
  assert_int_equal(opt_polynomial_roots(5, c, 4, 5, found), 0);
  assert_int_equal(opt_polynomial_roots(5, c, 5, 4, found), 0);
  // The ends belong to the interval.
  assert_int_equal(opt_polynomial_roots(5, c, 3, 7, found), 2);
}

static void test_multiple_roots_are_found_once(void **unused)
{
  (void)unused;
  double c[OPT_DEGREE_MAX + 1];
  double found[OPT_DEGREE_MAX];
  expand(4, (const double[]){1, 1, 3, 3}, c);
  assert_int_equal(opt_polynomial_roots(4, c, -10, 10, found), 2);
  assert_near(found[0], 1, 1e-7);
  assert_near(found[1], 3, 1e-7);
  expand(3, (const double[]){2, 2, 2}, c);
  assert_int_equal(opt_polynomial_roots(3, c, -10, 10, found), 1);
  assert_near(found[0], 2, 1e-4);
  // Roots that are no binary fractions: the polynomial touches zero up to rounding only, from either side.
  for (int k = 1; k < 30; k++) {
    const double pair[] = {0.1 * k, 0.1 * k, 0.1 * k + 1.7, 0.1 * k + 1.7};
    expand(4, pair, c);
    for (int j = 0; j <= 4; j++) c[j] *= (k % 2 == 0 ? 1.0 : -1.0) / 3;
    assert_int_equal(opt_polynomial_roots(4, c, -10, 10, found), 2);
    assert_near(found[0], pair[0], 1e-6);
    assert_near(found[1], pair[2], 1e-6);
  }
  // Multiplicity 8: accurate to about eps^(1/8) = 0.01.
  expand(8, (const double[]){1, 1, 1, 1, 1, 1, 1, 1}, c);
  assert_int_equal(opt_polynomial_roots(8, c, -10, 10, found), 1);
  assert_near(found[0], 1, 0.05);
}

static void test_clustered_roots_are_apart(void **unused)
{
  (void)unused;
  double c[OPT_DEGREE_MAX + 1];
  double found[OPT_DEGREE_MAX];
  expand(4, (const double[]){1, 1.001, 2, 2.001}, c);
  assert_int_equal(opt_polynomial_roots(4, c, -10, 10, found), 4);
  assert_near(found[0], 1, 1e-9);
  assert_near(found[1], 1.001, 1e-9);
  assert_near(found[2], 2, 1e-9);
  assert_near(found[3], 2.001, 1e-9);
}

static void test_sizes_far_apart(void **unused)
{
  (void)unused;
  double c[OPT_DEGREE_MAX + 1];
  double found[OPT_DEGREE_MAX];
  expand(3, (const double[]){1e-9, 1, 1e9}, c);
  assert_int_equal(opt_polynomial_roots(3, c, 0, 1e12, found), 3);
  assert_near(found[0] / 1e-9, 1, 1e-9);
  assert_near(found[1], 1, 1e-9);
  assert_near(found[2] / 1e9, 1, 1e-9);
}

static void test_no_roots(void **unused)
{
  (void)unused;
  double found[OPT_DEGREE_MAX];
  assert_int_equal(opt_polynomial_roots(2, (const double[]){1, 0, 1}, -10, 10, found), 0);
  assert_int_equal(opt_polynomial_roots(4, (const double[]){1, 0, 0, 0, 1}, -10, 10, found), 0);
  assert_int_equal(opt_polynomial_roots(0, (const double[]){1}, -10, 10, found), 0);
  assert_int_equal(opt_polynomial_roots(3, (const double[]){0, 0, 0, 0}, -10, 10, found), 0);
  // Leading zeros lower the degree.
  assert_int_equal(opt_polynomial_roots(3, (const double[]){-2, 1, 0, 0}, -10, 10, found), 1);
  assert_near(found[0], 2, 1e-15);
}

// The oracle is a fine grid: no value on it may be below the minimum claimed.
static void test_minimiser_is_global(void **unused)
{
  (void)unused;
  uint64_t state = 9;
  for (int round = 0; round < 1000; round++) {
    const int degree = round % 2 == 0 ? 4 : 8;
    double c[OPT_DEGREE_MAX + 1];
    for (int k = 0; k <= degree; k++) c[k] = 2 * uniform(&state) - 1;
    c[degree] = 0.1 + uniform(&state);
    c[1] = -0.01 - uniform(&state);
    double t = 0;
    double rise = 0;
    assert_int_equal(opt_polynomial_minimise(degree, c, NULL, &t, &rise), OPT_POLYNOMIAL_MINIMUM);
    assert_true(t > 0);
    double slope = 0;
    const double value = opt_polynomial_value(degree, c, t, &slope);
    assert_near(value - c[0], rise, 1e-12 * fmax(1, fabs(value)));
    for (int i = 0; i <= 4000; i++)
      assert_true(opt_polynomial_value(degree, c, i * 0.005, NULL) >= value - 1e-12 * fmax(1, fabs(value)));
  }
}

static void test_rise_keeps_its_digits(void **unused)
{
  (void)unused;
  // f = 1e10 hides a decrease of 1e-12 altogether; the coefficients do not.
  double t = 0;
  double rise = 0;
  assert_int_equal(opt_polynomial_minimise(2, (const double[]){1e10, -2e-6, 1}, NULL, &t, &rise),
                   OPT_POLYNOMIAL_MINIMUM);
  assert_near(t, 1e-6, 1e-20);
  assert_near(rise, -1e-12, 1e-26);
}

static void test_shapes(void **unused)
{
  (void)unused;
  double t = 0;
  double rise = 0;
  const struct {
    int degree;
    opt_polynomial_shape shape;
    double c[OPT_DEGREE_MAX + 1];
  } rows[] = {
      {0, OPT_POLYNOMIAL_FLAT, {1}},
      {1, OPT_POLYNOMIAL_FALLING, {0, -1}},
      {1, OPT_POLYNOMIAL_FLAT, {0, 1}},
      {2, OPT_POLYNOMIAL_MINIMUM, {0, -1, 1}},
      {2, OPT_POLYNOMIAL_FLAT, {0, 1, 1}},
      {2, OPT_POLYNOMIAL_FALLING, {0, -1, 0}},
      {2, OPT_POLYNOMIAL_FALLING, {0, -1, -1}},
      {3, OPT_POLYNOMIAL_FALLING, {0, -1, 1, -1}},
      {4, OPT_POLYNOMIAL_FALLING, {0, -1, 0, 0, -1}},
      {4, OPT_POLYNOMIAL_MINIMUM, {0, 1, -3, 0, 1}},      // rises first, falls below further out
      {4, OPT_POLYNOMIAL_MINIMUM, {0, -1, 1, 0, -1e-20}}, // a zero that came as rounding error
      {4, OPT_POLYNOMIAL_FALLING, {0, -1, 1, 0, -1e-3}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_int_equal(opt_polynomial_minimise(rows[i].degree, rows[i].c, NULL, &t, &rise), rows[i].shape);
}

// Coefficients known to within errors: the step falls for every polynomial within them.
static void test_errors_bound_the_step(void **unused)
{
  (void)unused;
  double t = 0;
  double rise = 0;
  const double c[5] = {0, -1, 1, -1e-8, 1e-20};
  const double errors[5] = {0, 0, 1e-15, 1e-7, 1e-19};
  assert_int_equal(opt_polynomial_minimise(4, c, NULL, &t, &rise), OPT_POLYNOMIAL_MINIMUM);
  assert_true(t > 1e6); // as if the last digits meant something
  assert_int_equal(opt_polynomial_minimise(4, c, errors, &t, &rise), OPT_POLYNOMIAL_MINIMUM);
  assert_near(t, 0.5, 1e-6);
  // A negative leading coefficient within its error proves nothing, one beyond it does.
  assert_int_equal(
      opt_polynomial_minimise(4, (const double[]){0, -1, 0, 0, -1e-3}, (const double[]){0, 0, 0, 0, 2e-3}, &t, &rise),
      OPT_POLYNOMIAL_MINIMUM);
  assert_int_equal(
      opt_polynomial_minimise(4, (const double[]){0, -1, 0, 0, -1e-3}, (const double[]){0, 0, 0, 0, 5e-4}, &t, &rise),
      OPT_POLYNOMIAL_FALLING);
  uint64_t state = 17;
  for (int round = 0; round < 2000; round++) {
    double p[5] = {0};
    double e[5] = {0};
    for (int k = 1; k <= 4; k++) p[k] = (2 * uniform(&state) - 1) * pow(10, -10 * uniform(&state));
    for (int k = 2; k <= 4; k++) e[k] = pow(10, -16 * uniform(&state));
    p[1] = -fabs(p[1]);
    if (opt_polynomial_minimise(4, p, e, &t, &rise) != OPT_POLYNOMIAL_MINIMUM) continue;
    for (int trial = 0; trial < 8; trial++) {
      double other[5] = {0};
      for (int k = 1; k <= 4; k++) other[k] = p[k] + e[k] * (2 * uniform(&state) - 1);
      assert_true(opt_polynomial_rise(4, other, t) <= rise * (1 - 1e-9));
    }
  }
}

// Against the best of many points: inside, at the far end, and where nothing is lower.
static void test_minimise_within(void **unused)
{
  (void)unused;
  const struct {
    int degree;
    double c[5];
    double longest;
  } cases[] = {
      {2, {0, -2, 1}, 5},        {2, {0, -2, 1}, 0.5}, {2, {0, -2, -1}, 3},           {2, {0, 2, 1}, 4},
      {1, {0, -3}, 2},           {1, {0, 3}, 2},       {4, {0, -1, 3, -3.5, 1}, 2.2}, {4, {0, -1, 3, -3.5, 1}, 1},
      {3, {0, -1, 0, -1}, 1e-3}, {0, {7}, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    double t = -1;
    double rise = 1;
    double least = 0;
    opt_polynomial_minimise_within(cases[i].degree, cases[i].c, NULL, cases[i].longest, &t, &rise);
    for (int k = 0; k <= 4000; k++) {
      const double at = k * cases[i].longest / 4000;
      least = fmin(least, opt_polynomial_value(cases[i].degree, cases[i].c, at, NULL) - cases[i].c[0]);
    }
    assert_true(t >= 0 && t <= cases[i].longest);
    assert_true(fabs(opt_polynomial_value(cases[i].degree, cases[i].c, t, NULL) - cases[i].c[0] - rise) <= 1e-14);
    assert_true(rise <= least && rise >= least - 1e-5);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_minimise_within),
      cmocka_unit_test(test_errors_bound_the_step),
      cmocka_unit_test(test_random_roots_are_found),
      cmocka_unit_test(test_only_the_interval_counts),
      cmocka_unit_test(test_multiple_roots_are_found_once),
      cmocka_unit_test(test_clustered_roots_are_apart),
      cmocka_unit_test(test_sizes_far_apart),
      cmocka_unit_test(test_no_roots),
      cmocka_unit_test(test_minimiser_is_global),
      cmocka_unit_test(test_rise_keeps_its_digits),
      cmocka_unit_test(test_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
