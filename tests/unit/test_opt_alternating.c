// The alternating solver on a quadratic in two blocks, each minimised exactly: steps, ends, and what it refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "opt/driver.h"
#include "support/keeper.h"
#include "support/serial_space.h"

// f = (x^2 + y^2)/2 + a x y - x - 2 y: at its minimum x + a y = 1, a x + y = 2.
typedef struct coupled {
  opt_problem base;
  serial_space space;
  opt_options options;
  opt_block_solver blocks;
  double a;
  double spoil;         // added to what a block's solver returns
  opt_outcome reported; // what it says of it
  int reports_from;     // the first block whose solver does
  tg_status failure;    // of the last block's solver in its second pass
  int solved[2];
  double last_tolerance;
} coupled;

static tg_status gradient(opt_problem *base, const opt_point *point, double *f, opt_point *g)
{
  const coupled *p = base->self;
  const double x = *serial_block_const(point, 0);
  const double y = *serial_block_const(point, 1);
  base->counts.gradients++;
  *f = (x * x + y * y) / 2 + p->a * x * y - x - 2 * y;
  *serial_block(g, 0) = x + p->a * y - 1;
  *serial_block(g, 1) = y + p->a * x - 2;
  return TG_OK;
}

static tg_status line(opt_problem *base, const opt_point *point, const opt_point *direction, double *c)
{
  const coupled *p = base->self;
  const double x = *serial_block_const(point, 0);
  const double y = *serial_block_const(point, 1);
  const double u = *serial_block_const(direction, 0);
  const double v = *serial_block_const(direction, 1);
  base->counts.lines++;
  c[0] = (x * x + y * y) / 2 + p->a * x * y - x - 2 * y;
  c[1] = (x + p->a * y - 1) * u + (y + p->a * x - 2) * v;
  c[2] = (u * u + v * v) / 2 + p->a * u * v;
  return TG_OK;
}

static tg_status advance(opt_problem *base, double t, opt_point *x, const opt_point *d, double *f, opt_point *g)
{
  for (int k = 0; k < 2; k++) *serial_block(x, k) += t * *serial_block_const(d, k);
  return gradient(base, x, f, g);
}

static const opt_problem_ops problem_ops = {.gradient = gradient, .line = line, .advance = advance};

static tg_status solve(void *self, int k, double tolerance, opt_point *point, opt_result *result)
{
  coupled *p = self;
  memset(result, 0, sizeof *result);
  p->solved[k]++;
  p->last_tolerance = tolerance;
  *serial_block(point, k) = (k == 0 ? 1.0 : 2.0) - p->a * *serial_block_const(point, 1 - k) + p->spoil;
  result->outcome = k >= p->reports_from ? p->reported : OPT_CONVERGED;
  if (p->failure != TG_OK && k == 1 && p->solved[k] == 2)
    return tg_error_set(p->failure, TG_HERE, "no block after this one");
  strcpy(result->reason, "as the test says");
  return TG_OK;
}

static void set_up(coupled *p, double a)
{
  const int64_t ones[2] = {1, 1};
  memset(p, 0, sizeof *p);
  serial_space_init(&p->space, 2, ones, ones);
  opt_options_init(&p->options);
  assert_int_equal(opt_option_set(&p->options, "method", "alternating"), TG_OK);
  p->base = (opt_problem){.ops = &problem_ops, .space = &p->space.base, .degree = -1, .self = p};
  p->blocks = (opt_block_solver){.n = 2, .solve = solve, .self = p};
  p->options.blocks = &p->blocks;
  p->a = a;
  p->reported = OPT_CONVERGED;
}

static tg_status minimise_seen(coupled *p, const opt_observer *observer, double *x, opt_result *result)
{
  opt_point *point = NULL;
  assert_int_equal(p->space.base.ops->create(&p->space.base, &point), TG_OK);
  const tg_status status = opt_minimise(&p->base, &p->options, point, observer, result);
  for (int k = 0; k < 2; k++) x[k] = *serial_block_const(point, k);
  p->space.base.ops->destroy(&p->space.base, &point);
  assert_int_equal(p->space.live, 0);
  return status;
}

static tg_status minimise(coupled *p, double *x, opt_result *result)
{
  return minimise_seen(p, NULL, x, result);
}

// The error falls by a^2 a pass: 13 passes or so for a = 1/2 and 1e-8.
static void test_converges_at_its_rate(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_CONVERGED);
  assert_true(fabs(x[0] - 0) <= 1e-7 && fabs(x[1] - 2) <= 1e-7);
  assert_true(result.iterations >= 10 && result.iterations <= 16);
  assert_int_equal(p.solved[0], (int)result.iterations);
  assert_int_equal(p.solved[1], (int)result.iterations);
  assert_string_equal(result.line_search, "none");
  assert_true(p.last_tolerance > 0 && p.last_tolerance < 1e-7);
}

// As preconditioner of conjugate gradients the passes do not need the 700 that they take alone for a = 0.99: two
// dimensions are searched in a few.
static void test_conjugate_on_a_polynomial(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.99);
  p.base.degree = 2;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_CONVERGED);
  const double determinant = 1 - p.a * p.a;
  assert_true(fabs(x[0] - (1 - 2 * p.a) / determinant) <= 1e-5 && fabs(x[1] - (2 - p.a) / determinant) <= 1e-5);
  assert_true(result.iterations <= 5);
  assert_int_equal(p.solved[0], (int)result.iterations);
  assert_string_equal(result.line_search, "exact");
}

// A pass to a worse point is no direction, and is taken back as before.
static void test_pass_uphill_on_a_polynomial(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.base.degree = 2;
  p.spoil = -10;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_STALLED);
  assert_true(x[0] == 0 && x[1] == 0);
}

static void test_needs_blocks(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.options.blocks = NULL;
  assert_int_equal(minimise(&p, x, &result), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "method: alternating needs a solver for each block"));
}

// A pass that makes it worse is taken back.
static void test_never_rises(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.spoil = 10;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_STALLED);
  assert_non_null(strstr(result.reason, "a pass over the 2 variables improves neither"));
  assert_true(x[0] == 0 && x[1] == 0);
}

static void test_unbounded_block(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.reported = OPT_UNBOUNDED;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_UNBOUNDED);
  assert_string_equal(result.reason, "in variable 1 of 2 alone: as the test says");
  assert_true(x[0] == 0 && x[1] == 0);
}

// The first block was minimised already: the point returned is that before the pass all the same.
static void test_last_block_is_not_finite(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.reported = OPT_NOT_FINITE;
  p.reports_from = 1;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_NOT_FINITE);
  assert_non_null(strstr(result.reason, "in variable 2 of 2 alone: as the test says"));
  assert_int_equal(p.solved[0], p.solved[1]);
  assert_true(x[0] == 0 && x[1] == 0);
}

// A solver that stops early has still served: the passes go on.
static void test_block_that_stops_early(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.reported = OPT_ITERATION_LIMIT;
  assert_int_equal(minimise(&p, x, &result), TG_OK);
  assert_int_equal(result.outcome, OPT_CONVERGED);
  assert_true(fabs(x[0]) <= 1e-7 && fabs(x[1] - 2) <= 1e-7);
}

// An error in a block is that of the whole, with its words, and nothing is solved after it.
static void test_error_in_a_block(void **unused)
{
  (void)unused;
  coupled p;
  opt_result result;
  double x[2];
  set_up(&p, 0.5);
  p.failure = TG_IO;
  assert_int_equal(minimise(&p, x, &result), TG_IO);
  assert_non_null(strstr(tg_error_get()->message, "no block after this one"));
  assert_true(p.solved[0] == 2 && p.solved[1] == 2);
}

// As preconditioner and alone, interrupted after each pass.
static void test_restarts_continue_bit_for_bit(void **unused)
{
  (void)unused;
  static keeper k;
  for (int degree = -1; degree <= 2; degree += 3) {
    for (int64_t stop = 1; stop <= 4; stop++) {
      coupled p;
      opt_result results[2];
      double x[2][2];
      set_up(&p, 0.99);
      p.base.degree = degree;
      p.options.max_iterations = 30;
      assert_int_equal(minimise(&p, x[0], &results[0]), TG_OK);
      k = (keeper){.dimension = 2, .interrupt_at = stop};
      const opt_observer observer = keeper_observer(&k);
      for (int part = 0; part < 2; part++) {
        set_up(&p, 0.99);
        p.base.degree = degree;
        p.options.max_iterations = 30;
        assert_int_equal(minimise_seen(&p, &observer, x[1], &results[1]), TG_OK);
        if (results[1].outcome != OPT_INTERRUPTED) break;
        k.restores = true;
      }
      assert_int_equal(k.faults, 0);
      assert_memory_equal(x[0], x[1], sizeof x[0]);
      assert_int_equal(results[0].iterations, results[1].iterations);
      assert_int_equal(results[0].outcome, results[1].outcome);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_converges_at_its_rate),
      cmocka_unit_test(test_conjugate_on_a_polynomial),
      cmocka_unit_test(test_pass_uphill_on_a_polynomial),
      cmocka_unit_test(test_needs_blocks),
      cmocka_unit_test(test_never_rises),
      cmocka_unit_test(test_unbounded_block),
      cmocka_unit_test(test_last_block_is_not_finite),
      cmocka_unit_test(test_block_that_stops_early),
      cmocka_unit_test(test_error_in_a_block),
      cmocka_unit_test(test_restarts_continue_bit_for_bit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
