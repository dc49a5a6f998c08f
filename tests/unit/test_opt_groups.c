// Sums of functions of separate groups of unknowns: each goes as it would alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "support/hand_tools.h"
#include "unit/opt_fixture.h"

enum { ROWS = 7, COLUMNS = 5 };

// Column q is a function of its own, of condition 10^(q + 1): phi(u) = <u, A_q u> / 2 - <b_q, u>, A_q = Q D_q Q'; the
// general one adds sum u^4 / 4. `first` and `count` choose columns: a problem of one column is that column alone.
typedef struct family {
  int first;
  int count;
  bool is_quartic;
} family;

static family chosen;

static const double *matrix_of(const hand_problem *problem, int64_t q)
{
  return problem->a + q * ROWS * ROWS;
}

static void set_up_columns(hand_problem *problem)
{
  for (int q = 0; q < chosen.count; q++) {
    double lambda[ROWS];
    for (int i = 0; i < ROWS; i++) lambda[i] = pow(10, -(double)(chosen.first + q + 1) * i / (ROWS - 1));
    for (int i = 0; i < ROWS; i++) problem->b[q * ROWS + i] = hand_wobble(10 * (chosen.first + q) + i);
    hand_reflect_diagonal(ROWS, lambda, problem->a + (int64_t)q * ROWS * ROWS);
  }
  problem->optimum = NAN;
}

static void apply_column(const hand_problem *problem, int64_t q, const double *u, double *out)
{
  const double *a = matrix_of(problem, q);
  for (int i = 0; i < ROWS; i++) {
    out[i] = 0;
    for (int j = 0; j < ROWS; j++) out[i] += a[i + j * ROWS] * u[j];
  }
}

static double value_columns(const hand_problem *problem, const double *x)
{
  double sum = 0;
  for (int64_t q = 0; q < chosen.count; q++) {
    double au[ROWS];
    const double *u = x + q * ROWS;
    apply_column(problem, q, u, au);
    for (int i = 0; i < ROWS; i++)
      sum += u[i] * (au[i] / 2 - problem->b[q * ROWS + i]) + (chosen.is_quartic ? pow(u[i], 4) / 4 : 0);
  }
  return sum;
}

static void gradient_columns(const hand_problem *problem, const double *x, double *g)
{
  for (int64_t q = 0; q < chosen.count; q++) {
    apply_column(problem, q, x + q * ROWS, g + q * ROWS);
    for (int i = 0; i < ROWS; i++) {
      g[q * ROWS + i] -= problem->b[q * ROWS + i];
      if (chosen.is_quartic) g[q * ROWS + i] += pow(x[q * ROWS + i], 3);
    }
  }
}

static void hessian_columns(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  for (int64_t q = 0; q < chosen.count; q++) {
    apply_column(problem, q, v + q * ROWS, hv + q * ROWS);
    for (int i = 0; i < ROWS && chosen.is_quartic; i++)
      hv[q * ROWS + i] += 3 * x[q * ROWS + i] * x[q * ROWS + i] * v[q * ROWS + i];
  }
}

static void line_columns(const hand_problem *problem, const double *x, const double *d, double *c)
{
  double g[ROWS * COLUMNS];
  double hd[ROWS * COLUMNS];
  const int64_t n = hand_size(problem);
  gradient_columns(problem, x, g);
  hessian_columns(problem, x, d, hd);
  c[0] = value_columns(problem, x);
  c[1] = hand_dot(n, g, d);
  c[2] = hand_dot(n, d, hd) / 2;
}

// Minimises columns first .. first + count, the columns told apart or not.
static void run_columns(fixture *f, family which, const char *method, bool apart)
{
  hand_objective objective = {.name = "columns",
                              .n_blocks = 1,
                              .rows = {ROWS},
                              .cols = {which.count},
                              .degree = which.is_quartic ? -1 : 2,
                              .set_up = set_up_columns,
                              .start = hand_start_zeros,
                              .value = value_columns,
                              .gradient = gradient_columns,
                              .line = which.is_quartic ? NULL : line_columns,
                              .hessian = hessian_columns};
  chosen = which;
  *f = (fixture){0};
  hand_problem_init(&f->problem, &objective);
  if (apart) serial_space_group_columns(&f->problem.space);
  opt_options_init(&f->options);
  assert_int_equal(opt_option_set(&f->options, "method", method), TG_OK);
  assert_int_equal(hand_problem_start(&f->problem, &f->x), TG_OK);
  f->options.gradient_tolerance = 1e-9;
  f->options.examines = OPT_EXAMINE_NEVER; // actions are counted
  f->options.max_iterations = 100000;
  assert_int_equal(minimise(f, NULL), TG_OK);
  if (f->result.outcome != OPT_CONVERGED) print_error("%s: %s\n", method, f->result.reason);
  assert_int_equal(f->result.outcome, OPT_CONVERGED);
}

// Conjugate gradients on a quadratic: after as many iterations as the column took alone each has the point it had, and
// the whole takes those of the slowest.
static void test_conjugate_gradients_go_as_alone(void **unused)
{
  (void)unused;
  fixture together;
  fixture alone;
  fixture mixed;
  int64_t slowest = 0;
  run_columns(&together, (family){0, COLUMNS, false}, "conjugate-gradient", true);
  for (int q = 0; q < COLUMNS; q++) {
    run_columns(&alone, (family){q, 1, false}, "conjugate-gradient", false);
    slowest = alone.result.iterations > slowest ? alone.result.iterations : slowest;
    for (int i = 0; i < ROWS; i++) {
      const double found = serial_block(together.x, 0)[q * ROWS + i];
      const double expected = serial_block(alone.x, 0)[i];
      if (fabs(found - expected) > 1e-4 * fmax(1, fabs(expected)))
        fail_msg("column %d, entry %d: %.9g, alone %.9g", q, i, found, expected);
    }
    tear_down(&alone);
  }
  chosen = (family){0, COLUMNS, false};
  run_columns(&mixed, (family){0, COLUMNS, false}, "conjugate-gradient", false);
  print_message("%d iterations apart, %d of the slowest alone, %d as one\n", (int)together.result.iterations,
                (int)slowest, (int)mixed.result.iterations);
  assert_in_range(together.result.iterations, 1, slowest + 1);
  assert_true(2 * together.result.iterations < mixed.result.iterations);
  assert_int_equal(together.result.counts.hessians, together.result.iterations);
  tear_down(&mixed);
  tear_down(&together);
}

static void test_apart_is_faster(void **unused)
{
  (void)unused;
  static const struct {
    const char *method;
    bool is_quartic;
  } rows[] = {{"l-bfgs", false}, {"l-bfgs", true}, {"gradient-descent", false}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    fixture apart;
    fixture mixed;
    run_columns(&apart, (family){0, 3, rows[k].is_quartic}, rows[k].method, true);
    run_columns(&mixed, (family){0, 3, rows[k].is_quartic}, rows[k].method, false);
    print_message("%s: %d iterations apart, %d as one\n", rows[k].method, (int)apart.result.iterations,
                  (int)mixed.result.iterations);
    assert_true(apart.result.iterations < mixed.result.iterations);
    assert_true(fabs(apart.result.objective - mixed.result.objective) <= 1e-10 * fabs(mixed.result.objective));
    tear_down(&mixed);
    tear_down(&apart);
  }
}

// One column falls without end, the others do not: that is found, though the sum of the curvatures is positive.
static void turn_down(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  hessian_columns(problem, x, v, hv);
  for (int i = 0; i < ROWS; i++) hv[i] = -0.01 * v[i];
}

static void gradient_turned_down(const hand_problem *problem, const double *x, double *g)
{
  gradient_columns(problem, x, g);
  for (int i = 0; i < ROWS; i++) g[i] = -0.01 * x[i] - problem->b[i];
}

static double value_turned_down(const hand_problem *problem, const double *x)
{
  double g[ROWS * COLUMNS];
  double sum = 0;
  gradient_turned_down(problem, x, g);
  for (int64_t i = 0; i < hand_size(problem); i++) sum += x[i] * (g[i] - problem->b[i]) / 2;
  return sum;
}

static void test_one_group_that_falls_is_found(void **unused)
{
  (void)unused;
  const hand_objective objective = {.name = "turned down",
                                    .n_blocks = 1,
                                    .rows = {ROWS},
                                    .cols = {3},
                                    .degree = 2,
                                    .set_up = set_up_columns,
                                    .start = hand_start_zeros,
                                    .value = value_turned_down,
                                    .gradient = gradient_turned_down,
                                    .line = line_columns,
                                    .hessian = turn_down};
  chosen = (family){0, 3, false};
  fixture f = {0};
  hand_problem_init(&f.problem, &objective);
  serial_space_group_columns(&f.problem.space);
  opt_options_init(&f.options);
  assert_int_equal(opt_option_set(&f.options, "method", "conjugate-gradient"), TG_OK);
  assert_int_equal(hand_problem_start(&f.problem, &f.x), TG_OK);
  assert_int_equal(minimise(&f, NULL), TG_OK);
  assert_int_equal(f.result.outcome, OPT_UNBOUNDED);
  assert_in_range(f.result.iterations, 0, 1);
  assert_true(reason_has(&f, "unbounded below"));
  tear_down(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_conjugate_gradients_go_as_alone),
                                     cmocka_unit_test(test_apart_is_faster),
                                     cmocka_unit_test(test_one_group_that_falls_is_found)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
