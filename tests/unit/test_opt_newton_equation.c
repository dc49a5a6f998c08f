// The Newton equation at a point: solved, and what is said where H is singular or indefinite.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "opt/newton_equation.h"
#include "opt/vector.h"
#include "unit/opt_fixture.h"

typedef struct equation {
  fixture f;
  const opt_space *space;
  opt_point *g;
  opt_point *b;
  opt_point *y;
  opt_newton_equation by;
  opt_newton_result result;
} equation;

// At the objective's start, or at zero.
static void set_up_equation(equation *e, const char *objective, bool at_zero)
{
  double value = 0;
  *e = (equation){0};
  set_up(&e->f, objective, "auto");
  e->space = &e->f.problem.space.base;
  opt_problem *problem = &e->f.problem.base;
  opt_point **const points[] = {&e->g, &e->b, &e->y};
  for (size_t k = 0; k < 3; k++) assert_int_equal(e->space->ops->create(e->space, points[k]), TG_OK);
  if (at_zero) assert_int_equal(opt_copy(e->space, e->y, e->f.x), TG_OK);
  assert_int_equal(problem->ops->gradient(problem, e->f.x, &value, e->g), TG_OK);
  assert_int_equal(e->space->ops->random(e->space, 7, e->b), TG_OK);
  e->by = (opt_newton_equation){.problem = problem, .constraint = problem->constraint, .x = e->f.x, .g = e->g};
}

static void tear_down_equation(equation *e)
{
  e->space->ops->destroy(e->space, &e->g);
  e->space->ops->destroy(e->space, &e->b);
  e->space->ops->destroy(e->space, &e->y);
  tear_down(&e->f);
}

static opt_newton_verdict solve(equation *e, int64_t iterations)
{
  assert_int_equal(opt_newton_equation_solve(&e->by, e->b, 1e-10, iterations, e->y, &e->result), TG_OK);
  return e->result.verdict;
}

static void test_a_quadratic_is_solved(void **unused)
{
  (void)unused;
  equation e;
  double size = 0;
  double rest = 0;
  set_up_equation(&e, "quadratic-1e2", false);
  assert_int_equal(solve(&e, 1000), OPT_NEWTON_SOLVED);
  assert_true(e.result.residual <= 1e-10);
  opt_problem *problem = &e.f.problem.base;
  assert_int_equal(problem->ops->hessian(problem, e.f.x, e.y, e.g), TG_OK);
  assert_int_equal(opt_norm(e.space, e.b, &size), TG_OK);
  assert_int_equal(opt_axpby(e.space, -1, e.g, 1, e.b), TG_OK);
  assert_int_equal(opt_norm(e.space, e.b, &rest), TG_OK);
  assert_true(rest <= 1e-10 * size);
  tear_down_equation(&e);
}

static void test_too_few_iterations_are_said(void **unused)
{
  (void)unused;
  equation e;
  set_up_equation(&e, "quadratic-1e2", false);
  assert_int_equal(solve(&e, 2), OPT_NEWTON_UNFINISHED);
  assert_int_equal(e.result.iterations, 2);
  tear_down_equation(&e);
}

static void test_nothing_on_the_right_gives_zero(void **unused)
{
  (void)unused;
  equation e;
  double size = 1;
  set_up_equation(&e, "quadratic-1e2", false);
  assert_int_equal(opt_axpby(e.space, 0, e.g, 0, e.b), TG_OK);
  assert_int_equal(solve(&e, 1000), OPT_NEWTON_SOLVED);
  assert_int_equal(opt_norm(e.space, e.y, &size), TG_OK);
  assert_true(size == 0 && e.result.residual == 0 && e.result.iterations == 0);
  tear_down_equation(&e);
}

static void test_no_curvature_is_said(void **unused)
{
  (void)unused;
  equation e;
  set_up_equation(&e, "linear", false);
  assert_int_equal(solve(&e, 1000), OPT_NEWTON_FLAT);
  tear_down_equation(&e);
}

static void test_negative_curvature_is_said(void **unused)
{
  (void)unused;
  equation e;
  set_up_equation(&e, "saddle", true);
  assert_int_equal(solve(&e, 1000), OPT_NEWTON_NEGATIVE);
  tear_down_equation(&e);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_quadratic_is_solved),           cmocka_unit_test(test_too_few_iterations_are_said),
      cmocka_unit_test(test_nothing_on_the_right_gives_zero), cmocka_unit_test(test_no_curvature_is_said),
      cmocka_unit_test(test_negative_curvature_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
