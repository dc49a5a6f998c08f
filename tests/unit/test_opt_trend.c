// What is left by the gains of a run: gradients and values that are made up.
#include "opt/examine/trend.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// A run of which only its gradient, as a share of the reference, and its value are known.
typedef struct made_up {
  double norm;
  double reference;
  double unit; // of f
  opt_problem problem;
  opt_run run;
  opt_trend trend;
} made_up;

static void begin(made_up *m, double unit)
{
  memset(m, 0, sizeof *m);
  m->reference = 7;
  m->unit = unit;
  m->problem.value_error = NAN;
  m->run.problem = &m->problem;
  m->run.stationarity = (opt_stationarity){.n = 1, .norms = &m->norm, .references = &m->reference};
}

static void go(made_up *m, double power, double f)
{
  m->norm = m->reference * pow(10, -power);
  m->run.f = m->unit * f;
  opt_trend_follow(&m->run, &m->trend);
}

static double left(const made_up *m)
{
  return opt_trend_left(&m->run, &m->trend) / m->unit;
}

static double most(const made_up *m)
{
  return opt_trend_most(&m->run, &m->trend) / m->unit;
}

// f goes like the square of the gradient: a hundredth of the last gain is left.
static void test_a_well_conditioned_run(void **unused)
{
  (void)unused;
  for (double unit = 1e-12; unit <= 1e12; unit *= 1e12) {
    made_up m;
    begin(&m, unit);
    for (double power = 0; power < 4.5; power += 0.25) go(&m, power, pow(10, -2 * power));
    const double true_left = pow(10, -2 * 4.25);
    assert_true(left(&m) > 0.1 * true_left && left(&m) < 10 * true_left);
    assert_true(most(&m) > left(&m));
  }
}

// The same gain for each power of ten: as much is left again.
static void test_a_run_that_gains_the_same(void **unused)
{
  (void)unused;
  for (double unit = 1e-12; unit <= 1e12; unit *= 1e12) {
    made_up m;
    begin(&m, unit);
    for (double power = 0; power < 8.5; power += 0.25) go(&m, power, 1 - 0.1 * power);
    assert_true(left(&m) > 0.05 && left(&m) < 0.2);
  }
}

// One step over several powers gains nothing: what was gained before it counts.
static void test_a_leap(void **unused)
{
  (void)unused;
  made_up m;
  begin(&m, 1);
  for (double power = 0; power < 6; power += 0.25) go(&m, power, 1 - 0.1 * power);
  const double f = m.run.f;
  go(&m, 8.5, f);
  assert_true(left(&m) >= 0.05);
  // And one from the start on tells nothing but its own gain.
  begin(&m, 1);
  go(&m, 0, 1);
  go(&m, 12, 0.5);
  assert_true(left(&m) == 0.5);
}

static void test_what_is_not_known(void **unused)
{
  (void)unused;
  made_up m;
  begin(&m, 1);
  go(&m, 0, 1);
  assert_true(left(&m) == 0);
  go(&m, 1.5, 0.5);
  assert_true(left(&m) == 0); // less than two powers
  begin(&m, 1);
  for (double power = 0; power < 12; power += 0.25) go(&m, power, 1 + 1e-17 * power);
  assert_true(left(&m) == 0 && most(&m) == 0); // rounding
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_well_conditioned_run),
      cmocka_unit_test(test_a_run_that_gains_the_same),
      cmocka_unit_test(test_a_leap),
      cmocka_unit_test(test_what_is_not_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
