// The cost model by itself: layout arithmetic, laws of scaling, sizes of 16,384 ranks, refusals.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grad/plan/cost.h"
#include "grad/plan/cost_layout.h"
#include "support/sample_plans.h"

static const tg_cost_grid one_rank = {1, 1, 256, 1};

static tg_plan *ridge(int64_t m, int64_t n, int64_t p)
{
  tg_plan *plan = NULL;
  if (sample_plan_ridge(m, n, p, 0.1, &plan) != TG_OK) fail_msg("%s", tg_error_get()->message);
  return plan;
}

static tg_cost cost_of(const tg_plan *plan, tg_program_id program, tg_cost_grid grid)
{
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_cost cost;
  if (tg_plan_cost(plan, program, &grid, &machine, &cost) != TG_OK) fail_msg("%s", tg_error_get()->message);
  return cost;
}

static tg_memory_cost memory_of(const tg_plan *plan, tg_cost_grid grid)
{
  tg_memory_cost memory;
  if (tg_plan_memory(plan, &grid, &memory) != TG_OK) fail_msg("%s", tg_error_get()->message);
  return memory;
}

static void shares_add_up(void **state)
{
  (void)state;
  for (int64_t n = 1; n < 60; n++)
    for (int64_t block = 1; block < 9; block++)
      for (int64_t np = 1; np < 8; np++) {
        int64_t sum = 0;
        for (int64_t p = 0; p < np; p++) sum += tg_cost_share(n, block, p, np);
        assert_int_equal(sum, n);
        assert_true(tg_cost_share(n, block, 0, np) >= tg_cost_share(n, block, np - 1, np));
      }
}

static void one_rank_sends_nothing(void **state)
{
  (void)state;
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    tg_plan *plan = NULL;
    assert_int_equal(sample_plan_of_opcode((tg_opcode)op, 30, 20, 10, &plan), TG_OK);
    const tg_cost cost = cost_of(plan, TG_PROGRAM_SETUP, one_rank);
    if (cost.bytes_sent != 0 || cost.messages != 0 || cost.latencies != 0)
      fail_msg("%s sends %g bytes, waits for %g", tg_opcode_label((tg_opcode)op), cost.bytes_sent, cost.latencies);
    assert_true(cost.seconds >= 0 && isfinite(cost.seconds));
    tg_plan_destroy(&plan);
  }
}

// On many ranks every operation has a finite, not negative cost, and no rank more work than all together.
static void every_operation_has_a_cost(void **state)
{
  (void)state;
  const tg_cost_grid grid = {3, 5, 8, 2};
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    tg_plan *plan = NULL;
    assert_int_equal(sample_plan_of_opcode((tg_opcode)op, 30, 20, 10, &plan), TG_OK);
    const tg_cost cost = cost_of(plan, TG_PROGRAM_SETUP, grid);
    assert_true(isfinite(cost.seconds) && cost.seconds > 0 && cost.bytes_sent >= cost.product_bytes);
    assert_true(cost.rank_flops <= cost.flops * (1 + 1e-12));
    tg_plan_destroy(&plan);
  }
}

// 2 x 2 ranks, n = 512: each rank sends its quarter of both operands once, as a 2-D algorithm must.
static void product_bytes_are_those_of_summa(void **state)
{
  (void)state;
  const double n = 512;
  tg_plan *plan = ridge(512, 512, 512);
  const tg_cost cost = cost_of(plan, TG_PROGRAM_REFRESH, (tg_cost_grid){2, 2, 64, 1});
  assert_true(cost.product_bytes / 4 == 2 * (n * n / 4) * 8);
  assert_true(cost.rank_flops == cost.flops / 4);
  assert_int_equal(cost.products, 1);
  tg_plan_destroy(&plan);
}

// X (n x p) on P x 1: only the small factor and the sums move, never the tall operand.
static void tall_operands_stay(void **state)
{
  (void)state;
  tg_plan *plan = ridge(1000000, 64, 8);
  const tg_cost_grid tall = {16, 1, 256, 1};
  const double small = 8.0 * 64 * 8;
  const tg_cost refresh = cost_of(plan, TG_PROGRAM_REFRESH, tall);
  const tg_cost gradient = cost_of(plan, TG_PROGRAM_GRADIENT, tall);
  assert_true(refresh.product_bytes == small * 15);
  assert_true(gradient.product_bytes == small * 15);
  tg_plan_destroy(&plan);
}

static void large_grids_do_not_overflow(void **state)
{
  (void)state;
  const tg_cost_grid huge = {128, 128, 256, 8};
  tg_plan *plan = ridge(4000000, 4000000, 4000000);
  const tg_cost cost = cost_of(plan, TG_PROGRAM_REFRESH, huge);
  const tg_memory_cost memory = memory_of(plan, huge);
  assert_true(cost.flops == 2.0 * 4e6 * 4e6 * 4e6);
  assert_true(isfinite(cost.seconds) && cost.seconds > cost.flops / (16384.0 * 8 * 30e9) * 0.99);
  assert_true(cost.product_bytes == 8 * 2 * 16e12 * 127);
  // X and Y over 16,384 ranks, a little more for padding and uneven shares.
  const double even = 2 * 8 * 16e12 / 16384;
  assert_true(memory.data > even && memory.data < 1.1 * even);
  assert_true(memory.total == memory.data + memory.points + memory.storage + memory.factors + memory.workspace);
  tg_plan_destroy(&plan);
}

// More ranks: not more memory a rank, not more time for products of this size, more bytes in all.
static void scaling_is_monotone(void **state)
{
  (void)state;
  tg_plan *plan = ridge(20000, 20000, 20000);
  tg_cost before = cost_of(plan, TG_PROGRAM_REFRESH, one_rank);
  double bytes_before = memory_of(plan, one_rank).storage;
  for (int64_t side = 2; side <= 16; side *= 2) {
    const tg_cost_grid grid = {side, side, 256, 1};
    const tg_cost cost = cost_of(plan, TG_PROGRAM_REFRESH, grid);
    const double bytes = memory_of(plan, grid).storage;
    assert_true(cost.seconds < before.seconds && cost.bytes_sent > before.bytes_sent && bytes < bytes_before);
    before = cost;
    bytes_before = bytes;
  }
  tg_plan_destroy(&plan);
}

static void memory_counts_shared_storage_once(void **state)
{
  (void)state;
  tg_plan *plan = ridge(100, 64, 10);
  const tg_memory_cost memory = memory_of(plan, one_rank);
  assert_true(memory.data == 8.0 * (100 * 64 + 100 * 10));
  assert_true(memory.points == 8.0 * 4 * 64 * 10);   // point, direction, gradient, Hessian action
  assert_true(memory.storage == 8.0 * 3 * 100 * 10); // X*W, X*D, one for the residual and X*V
  assert_true(memory.workspace == 0 && memory.factors == 0);
  tg_plan_destroy(&plan);
  assert_int_equal(sample_plan_logdet(50, &plan), TG_OK);
  assert_true(memory_of(plan, one_rank).factors == 8.0 * (50 * 50 + 50) + sizeof(int) * (50 + 256));
  tg_plan_destroy(&plan);
}

// The machine enters as it should: each rate makes its own part slower.
static void machine_rates_count(void **state)
{
  (void)state;
  tg_plan *plan = ridge(3000, 3000, 3000);
  const tg_cost_grid grid = {2, 2, 256, 1};
  const tg_cost_machine usual = tg_cost_machine_default();
  const double base = cost_of(plan, TG_PROGRAM_GRADIENT, grid).seconds;
  for (int rate = 0; rate < 4; rate++) {
    tg_cost_machine slow = usual;
    if (rate == 0) slow.flops_per_thread /= 10;
    if (rate == 1) slow.link_bytes /= 1000;
    if (rate == 2) slow.memory_bytes /= 10;
    if (rate == 3) slow.latency_sec *= 1000;
    tg_cost cost;
    assert_int_equal(tg_plan_cost(plan, TG_PROGRAM_GRADIENT, &grid, &slow, &cost), TG_OK);
    if (!(cost.seconds > base)) fail_msg("rate %d: %g s, %g s before", rate, cost.seconds, base);
  }
  tg_cost_grid threads = grid;
  threads.threads = 4;
  assert_true(cost_of(plan, TG_PROGRAM_GRADIENT, threads).seconds < base);
  tg_plan_destroy(&plan);
}

// The gradient X'(X W - Y) of square matrices: SUMMA reaches the bound on square grids, and no grid goes below it.
static void products_keep_to_the_lower_bound(void **state)
{
  (void)state;
  const tg_cost_machine machine = tg_cost_machine_default();
  static const tg_cost_grid grids[] = {{1, 1, 64, 1}, {2, 2, 64, 1}, {128, 128, 64, 1}, {1, 4, 64, 1}, {2, 3, 64, 1}};
  for (size_t k = 0; k < sizeof grids / sizeof grids[0]; k++) {
    tg_plan *plan = ridge(8192, 8192, 8192);
    tg_cost cost;
    tg_cost_bound bound;
    assert_int_equal(tg_plan_iteration_cost(plan, &grids[k], &machine, &cost), TG_OK);
    assert_int_equal(tg_plan_iteration_bound(plan, &grids[k], &bound), TG_OK);
    const double ranks = tg_cost_ranks(&grids[k]);
    const double n2 = 8 * 8192.0 * 8192.0;
    const double expected = (double)cost.products * 2 * (n2 / sqrt(ranks) - n2 / ranks);
    assert_int_equal(cost.products, 2);
    if (!(fabs(bound.bytes - expected) <= 1e-9 * expected)) fail_msg("%g bytes, expected %g", bound.bytes, expected);
    const double sent = cost.product_bytes / ranks;
    if (grids[k].rows == grids[k].cols)
      assert_true(fabs(sent - bound.bytes) <= 1e-9 * sent);
    else
      assert_true(sent > 1.01 * bound.bytes);
    assert_true(cost.latencies >= bound.messages);
    tg_plan_destroy(&plan);
  }
}

// Thin shapes, where a square arrangement of ranks would have less than a row each.
static void thin_products_keep_to_the_lower_bound(void **state)
{
  (void)state;
  const tg_cost_machine machine = tg_cost_machine_default();
  static const int64_t shapes[][3] = {{100000, 64, 10}, {64, 100000, 10}, {64, 10, 100000}, {3, 2, 1}, {500, 400, 300}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (int64_t rows = 1; rows <= 8; rows++) {
      const tg_cost_grid grid = {rows, 8 / rows, 16, 1};
      tg_plan *plan = ridge(shapes[s][0], shapes[s][1], shapes[s][2]);
      tg_cost cost;
      tg_cost_bound bound;
      assert_int_equal(tg_plan_iteration_cost(plan, &grid, &machine, &cost), TG_OK);
      assert_int_equal(tg_plan_iteration_bound(plan, &grid, &bound), TG_OK);
      const double sent = cost.product_bytes / tg_cost_ranks(&grid);
      if (!(bound.bytes >= 0 && bound.bytes <= sent * (1 + 1e-12)))
        fail_msg("shape %zu on %d rows: %g bytes, the bound is %g", s, (int)rows, sent, bound.bytes);
      tg_plan_destroy(&plan);
    }
}

static void nonsense_is_refused(void **state)
{
  (void)state;
  tg_plan *plan = ridge(4, 3, 2);
  tg_cost cost;
  tg_memory_cost memory;
  tg_cost_bound bound;
  tg_cost_machine machine = tg_cost_machine_default();
  const tg_cost_grid grids[] = {{0, 1, 4, 1}, {1, -1, 4, 1}, {1, 1, 0, 1}, {1, 1, 4, 0}};
  for (size_t k = 0; k < sizeof grids / sizeof grids[0]; k++) {
    assert_int_equal(tg_plan_cost(plan, TG_PROGRAM_VALUE, &grids[k], &machine, &cost), TG_VALUE);
    assert_non_null(strstr(tg_error_get()->message, "a grid of"));
    assert_int_equal(tg_plan_memory(plan, &grids[k], &memory), TG_VALUE);
    assert_int_equal(tg_plan_iteration_bound(plan, &grids[k], &bound), TG_VALUE);
    assert_int_equal(tg_plan_iteration_cost(plan, &grids[k], &machine, &cost), TG_VALUE);
  }
  machine.link_bytes = 0;
  assert_int_equal(tg_plan_cost(plan, TG_PROGRAM_VALUE, &one_rank, &machine, &cost), TG_VALUE);
  assert_non_null(strstr(tg_error_get()->message, "a machine of"));
  tg_plan_destroy(&plan);
}

static void dump_has_columns(void **state)
{
  (void)state;
  tg_plan *plan = ridge(3000, 3000, 3000);
  const tg_cost_grid grid = {2, 2, 256, 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_text text;
  tg_text_init(&text);
  assert_int_equal(tg_plan_dump_cost(plan, TG_PROGRAM_REFRESH, &grid, &machine, &text), TG_OK);
  const char *const expected[] = {"refresh  ", "sent/rank", "  S4 (3000x3000) = X * W", "5.4e+10  34.33 MiB",
                                  "\n  total  "};
  for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
    if (strstr(tg_text_string(&text), expected[k]) == NULL)
      fail_msg("'%s' is not in\n%s", expected[k], tg_text_string(&text));
  tg_text_fini(&text);
  tg_plan_destroy(&plan);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shares_add_up),
      cmocka_unit_test(one_rank_sends_nothing),
      cmocka_unit_test(every_operation_has_a_cost),
      cmocka_unit_test(product_bytes_are_those_of_summa),
      cmocka_unit_test(tall_operands_stay),
      cmocka_unit_test(large_grids_do_not_overflow),
      cmocka_unit_test(scaling_is_monotone),
      cmocka_unit_test(memory_counts_shared_storage_once),
      cmocka_unit_test(machine_rates_count),
      cmocka_unit_test(products_keep_to_the_lower_bound),
      cmocka_unit_test(thin_products_keep_to_the_lower_bound),
      cmocka_unit_test(nonsense_is_refused),
      cmocka_unit_test(dump_has_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
