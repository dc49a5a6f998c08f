// norm1 carried by a set: the law of the proximal step, and what the solver makes of it, on plain arrays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "opt/solver.h"
#include "support/hand_problem.h"
#include "support/serial_constraint.h"

static const opt_constraint_block blocks[] = {
    {.kind = OPT_CONSTRAINT_FREE, .norm1 = 0.3},
    {.kind = OPT_CONSTRAINT_NONNEGATIVE, .norm1 = 0.3},
    {.kind = OPT_CONSTRAINT_BOX, .low = -0.4, .high = 0.7, .norm1 = 0.3},
    {.kind = OPT_CONSTRAINT_BOX, .low = 0.1, .high = 0.7, .norm1 = 0.3},
};
enum { BLOCKS = sizeof blocks / sizeof blocks[0] };

// Nothing of the set has a smaller |z - y|^2 / 2 + a norm1(z): convex, so that small moves tell.
static void test_law(void **unused)
{
  (void)unused;
  const double a = 0.8;
  for (int k = 0; k < BLOCKS; k++) {
    const serial_set set = {.block = blocks[k], .rows = 1, .cols = 1};
    for (double y = -2; y <= 2; y += 0.0625) {
      double z = y;
      serial_set_proximal(&set, a, &z);
      assert_true(serial_set_violation(&set, &z) == 0);
      const double cost = (z - y) * (z - y) / 2 + a * serial_set_norm1(&set, &z);
      for (double move = -0.5; move <= 0.5; move += 0.03125) {
        double rival = z + move;
        serial_set_project(&set, &rival);
        const double other = (rival - y) * (rival - y) / 2 + a * serial_set_norm1(&set, &rival);
        if (other < cost - 1e-15) fail_msg("set %d at %g: %g costs %g, %g only %g", k, y, z, cost, rival, other);
      }
    }
  }
}

// |P(x - g) - x| with the norm1 term, from the objective's own gradient.
static double distance_from_stationary(const hand_problem *problem, const serial_set *set, const double *x)
{
  const int64_t n = problem->space.base.dimension;
  double g[HAND_DATA_MAX];
  double p[HAND_DATA_MAX];
  double square = 0;
  problem->objective->gradient(problem, x, g);
  for (int64_t i = 0; i < n; i++) p[i] = x[i] - g[i];
  serial_set_proximal(set, 1, p);
  for (int64_t i = 0; i < n; i++) square += (p[i] - x[i]) * (p[i] - x[i]);
  return sqrt(square);
}

static double check_solver(const char *objective, const char *method, const opt_constraint_block *block)
{
  hand_problem problem;
  serial_constraint set;
  opt_options options;
  opt_result result;
  opt_point *x = NULL;
  hand_problem_init(&problem, hand_objective_find(objective));
  assert_int_equal(serial_constraint_init(&set, &problem.space, block), TG_OK);
  problem.base.constraint = &set.base;
  opt_options_init(&options);
  options.max_iterations = 5000;
  assert_int_equal(opt_option_set(&options, "method", strcmp(method, "auto") == 0 ? method : "barzilai-borwein"),
                   TG_OK);
  assert_int_equal(hand_problem_start(&problem, &x), TG_OK);
  assert_int_equal(opt_minimise(&problem.base, &options, x, NULL, &result), TG_OK);
  const double *at = serial_block_const(x, 0);
  const double f = problem.objective->value(&problem, at) + serial_set_norm1(&set.sets[0], at);
  const double away = distance_from_stationary(&problem, &set.sets[0], at);
  if (result.outcome != OPT_CONVERGED || problem.violations > 0)
    fail_msg("%s: %s, %s", objective, opt_outcome_label(result.outcome), result.reason);
  assert_string_equal(result.method, strcmp(method, "auto") == 0 ? "proximal-newton-cg" : method);
  assert_string_equal(result.measure, "proximal gradient norm");
  assert_true(fabs(f - result.objective) <= 1e-13 * fmax(1, fabs(f)));
  assert_true(away <= result.gradient_target && fabs(away - result.gradient_norm) <= 1e-12);
  problem.space.base.ops->destroy(&problem.space.base, &x);
  assert_int_equal(problem.space.live, 0);
  return f;
}

// The polynomial and the same function shown as a general one agree; entries are exactly zero.
static void test_solver(void **unused)
{
  static const char *const methods[] = {"auto", "spectral-proximal-gradient"};
  (void)unused;
  for (int k = 0; k < BLOCKS; k++) {
    double best[2];
    for (int m = 0; m < 2; m++) {
      const double f = check_solver("quadratic-1e2", methods[m], &blocks[k]);
      const double general = check_solver("quadratic-1e2-general", methods[m], &blocks[k]);
      assert_true(fabs(f - general) <= 1e-10 * fmax(1, fabs(f)));
      best[m] = check_solver("logistic", methods[m], &blocks[k]);
    }
    assert_true(fabs(best[0] - best[1]) <= 1e-10 * fmax(1, fabs(best[0])));
  }
}

static void test_refusals(void **unused)
{
  (void)unused;
  serial_space space;
  serial_constraint set;
  const int64_t sides[2] = {3, 3};
  const opt_constraint_block simplex[1] = {{.kind = OPT_CONSTRAINT_SIMPLEX_ROWS, .norm1 = 1}};
  const opt_constraint_block mixed[2] = {{.kind = OPT_CONSTRAINT_FREE, .norm1 = 1},
                                         {.kind = OPT_CONSTRAINT_UNIT_COLUMNS}};
  serial_space_init(&space, 1, sides, sides);
  assert_int_equal(serial_constraint_init(&set, &space, simplex), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "no proximal step under the constraint simplex_rows"));
  serial_space_init(&space, 2, sides, sides);
  assert_int_equal(serial_constraint_init(&set, &space, mixed), TG_OK);
  assert_int_equal(set.base.traits.geometry, OPT_GEOMETRY_MIXED);
  tg_error_clear();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_law), cmocka_unit_test(test_solver),
                                     cmocka_unit_test(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
