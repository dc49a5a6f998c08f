// What closed forms and preconditioners cost: their steps by kind, flops by hand, and one rank against many.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grad/plan/closed_cost.h"

enum { M = 120, N = 40, R = 8 };

static tg_closed_plan of_kind(tg_closed_kind kind)
{
  return (tg_closed_plan){.kind = kind, .rows = M, .cols = N, .scale = 1};
}

static double flops_of(const tg_closed_plan *plan, tg_closed_phase phase)
{
  const tg_cost_grid grid = {1, 1, 64, 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_cost cost;
  assert_int_equal(tg_closed_cost(plan, phase, &grid, &machine, &cost), TG_OK);
  assert_true(cost.seconds >= 0 && cost.bytes_sent == 0 && cost.latencies == 0);
  return cost.flops;
}

static void assert_flops(const tg_closed_plan *plan, double make, double use)
{
  assert_true(fabs(flops_of(plan, TG_CLOSED_MAKE) - make) <= 1e-9 * make);
  assert_true(fabs(flops_of(plan, TG_CLOSED_USE) - use) <= 1e-9 * use);
}

static void test_flops(void **unused)
{
  (void)unused;
  const double m = M;
  const double n = N;
  const double r = R;
  tg_closed_plan plan = of_kind(TG_CLOSED_CHOLESKY);
  assert_flops(&plan, 0, 0);
  plan.sides[0].has[TG_CLOSED_BASE] = true;
  assert_flops(&plan, m * m * m / 3, 2 * m * m * n);
  plan.sides[1].has[TG_CLOSED_BASE] = true;
  assert_flops(&plan, (m * m * m + n * n * n) / 3, 2 * m * n * (m + n));
  // The left factor by the smaller Gram matrix, with a ridge and without.
  plan.sides[0].has[TG_CLOSED_WIDE] = true;
  plan.sides[0].wide_rows = R;
  assert_flops(&plan, (r * r * r + n * n * n) / 3, 4 * m * n * r + 4 * r * r * n + 2 * m * n * n);
  plan.sides[0].has[TG_CLOSED_RIDGE] = true;
  assert_flops(&plan, (r * r * r + n * n * n) / 3, 4 * m * n * r + 2 * r * r * n + 2 * m * n * n);
  plan = of_kind(TG_CLOSED_SPECTRAL);
  plan.sides[0].has[TG_CLOSED_BASE] = true;
  assert_flops(&plan, 9 * m * m * m, 4 * m * m * n);
  plan.sides[1].has[TG_CLOSED_BASE] = plan.sides[1].has[TG_CLOSED_METRIC] = true;
  assert_flops(&plan, 9 * m * m * m + 24 * n * n * n, 4 * m * n * (m + n));
  plan.n_extras = 1;
  plan.extras[0].has[0] = true;
  assert_flops(&plan, 11 * m * m * m + 24 * n * n * n, 4 * m * n * (m + n));
  plan = of_kind(TG_CLOSED_INVERSE);
  plan.cols = M;
  plan.sides[0].has[TG_CLOSED_BASE] = true;
  assert_flops(&plan, m * m * m / 3, 2.0 / 3 * m * m * m);
  plan = of_kind(TG_CLOSED_EIGENVECTORS);
  assert_flops(&plan, 4.0 / 3 * m * m * m + 2 * m * m * n, 0);
  plan.cols = 100; // more than half of them
  plan.sides[1].has[TG_CLOSED_BASE] = true;
  assert_flops(&plan, 9 * m * m * m + 9e6 + 2 * m * 1e4, 0);
  plan = of_kind(TG_CLOSED_POLAR);
  assert_flops(&plan, 16 * m * n * n + 8 * n * n * n, 0);
}

static void test_ranks(void **unused)
{
  (void)unused;
  const tg_cost_grid grids[] = {{1, 1, 8, 1}, {2, 2, 8, 1}, {4, 4, 8, 1}};
  const tg_cost_machine machine = tg_cost_machine_default();
  for (int kind = TG_CLOSED_NONE + 1; kind < TG_CLOSED_KINDS; kind++) {
    double share = HUGE_VAL;
    for (size_t k = 0; k < sizeof grids / sizeof grids[0]; k++) {
      tg_closed_plan plan = of_kind((tg_closed_kind)kind);
      tg_cost cost;
      plan.sides[0].has[TG_CLOSED_BASE] = plan.sides[1].has[TG_CLOSED_BASE] = true;
      if (kind == TG_CLOSED_INVERSE) plan.cols = M;
      assert_int_equal(tg_closed_cost(&plan, TG_CLOSED_MAKE, &grids[k], &machine, &cost), TG_OK);
      assert_true(cost.rank_flops < share);
      assert_true((cost.bytes_sent > 0) == (k > 0) && (cost.latencies > 0) == (k > 0));
      share = cost.rank_flops;
    }
  }
  const tg_closed_plan plan = of_kind(TG_CLOSED_POLAR);
  tg_cost cost;
  assert_int_equal(tg_closed_cost(&plan, TG_CLOSED_MAKE, &(tg_cost_grid){0, 1, 8, 1}, &machine, &cost), TG_VALUE);
}

static void test_words(void **unused)
{
  (void)unused;
  tg_text text;
  tg_text_init(&text);
  for (int op = 0; op < TG_CLOSED_OPS; op++) {
    const tg_closed_step step = {.op = (tg_closed_op)op, .m = 12, .n = 7, .k = 5};
    tg_text_clear(&text);
    tg_closed_step_print(&step, &text);
    assert_non_null(strstr(tg_text_string(&text), "12"));
  }
  tg_text_fini(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_flops), cmocka_unit_test(test_ranks),
                                     cmocka_unit_test(test_words)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
