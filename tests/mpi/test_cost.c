// The cost model against what the executor counts and allocates: bytes, messages and memory, exactly.
#include "check.h"

#include "grad/plan/cost.h"
#include "mpi/exec/exec.h"
#include "support/sample_plans.h"

static tg_cost_grid cost_grid(const tg_grid *grid)
{
  return (tg_cost_grid){grid->rows, grid->cols, grid->block, 1};
}

// Operands with contents, the executor over them, and the program run once.
typedef struct running {
  tg_plan *plan;
  tg_dmat *data[8];
  tg_exec *exec;
} running;

static running start(const tg_grid *grid, tg_plan *plan)
{
  running r = {.plan = plan};
  for (int32_t k = 0; k < plan->n_data; k++) {
    const tg_plan_data *entry = &plan->data[k];
    double *entries = NULL;
    REQUIRE_OK(tg_alloc_numbers(entry->rows * entry->cols, &entries));
    sample_fill(entry->name, entry->rows, entry->cols, 1, entries);
    REQUIRE_OK(tg_dmat_create(grid, entry->rows, entry->cols, &r.data[k]));
    tg_dmat_scatter_small(entries, r.data[k]);
    tg_free(entries);
  }
  REQUIRE_OK(tg_exec_create(grid, plan, r.data, NULL, &r.exec));
  REQUIRE_OK(tg_exec_run(r.exec, TG_PROGRAM_SETUP));
  return r;
}

static void stop(running *r)
{
  tg_exec_destroy(&r->exec);
  for (int k = 0; k < 8; k++) tg_dmat_destroy(&r->data[k]);
  tg_plan_destroy(&r->plan);
}

// Scratch and storage of a plan: no byte more or less on rank 0, and never more elsewhere.
static void check_bytes(const tg_grid *grid, tg_plan *plan, const char *what, int64_t size)
{
  running r = start(grid, plan);
  const tg_cost_grid where = cost_grid(grid);
  tg_memory_cost cost;
  REQUIRE_OK(tg_plan_memory(plan, &where, &cost));
  const double expected = cost.storage + cost.factors + cost.workspace;
  const double found = (double)tg_exec_bytes(r.exec);
  CHECK(grid->rank == 0 ? found == expected : found <= expected,
        "%s on %d x %d, block %" PRId64 ", size %" PRId64 ": %.0f bytes, predicted %.0f", what, grid->rows, grid->cols,
        grid->block, size, found, expected);
  stop(&r);
}

static void check_memory(const tg_grid *grid, tg_opcode op, int64_t m, int64_t n, int64_t k)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_of_opcode(op, m, n, k, &plan));
  check_bytes(grid, plan, tg_opcode_label(op), m);
}

static void memory(const tg_grid *grid)
{
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    check_memory(grid, (tg_opcode)op, 13, 5, 7);
    check_memory(grid, (tg_opcode)op, 70, 90, 40);
  }
  check_memory(grid, TG_OP_GEMM, 200, 2, 90);
}

// Padded columns, which small matrices do not have.
static void large_memory(const tg_grid *grid)
{
  check_memory(grid, TG_OP_GEMM, 1100, 600, 20);
  check_memory(grid, TG_OP_LINCOMB, 1100, 600, 20);
  check_memory(grid, TG_OP_CHOLESKY, 530, 3, 1);
}

// op(A) op(B), or of the same A twice.
static tg_plan *plan_of_product(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b, bool is_same)
{
  tg_plan_builder *b = NULL;
  tg_plan *plan = NULL;
  REQUIRE_OK(tg_plan_builder_create(&b));
  const int32_t left = tg_plan_builder_data(b, "A", trans_a ? k : m, trans_a ? m : k);
  const int32_t right = is_same ? left : tg_plan_builder_data(b, "B", trans_b ? n : k, trans_b ? k : n);
  const int32_t out = tg_plan_builder_buffer(b, TG_BUFFER_CONSTANT, m, n, "A*B");
  plan_emit_gemm(b, TG_PROGRAM_SETUP, out, tg_coef_number(1), left, trans_a, right, trans_b, 0);
  tg_plan_builder_set_value(b, tg_plan_builder_constant(b, 0));
  REQUIRE_OK(tg_plan_builder_finish(b, &plan));
  tg_plan_builder_destroy(&b);
  return plan;
}

static tg_plan *one_product(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b)
{
  return plan_of_product(m, n, k, trans_a, trans_b, false);
}

// A' A, or A A'.
static tg_plan *one_update(int64_t n, int64_t k, bool trans_a)
{
  return plan_of_product(n, n, k, trans_a, !trans_a, true);
}

// Bytes and messages that all ranks booked are those predicted, for each form and shape of a product.
static void check_product(const tg_grid *grid, tg_plan *plan, int64_t m, int64_t n, int64_t k, int form)
{
  running r = start(grid, plan);
  const tg_cost_grid where = cost_grid(grid);
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_cost cost;
  REQUIRE_OK(tg_plan_cost(r.plan, TG_PROGRAM_SETUP, &where, &machine, &cost));
  const tg_counters *counters = tg_exec_counters(r.exec);
  double found[2] = {counters->bytes_sent, (double)counters->messages};
  REQUIRE_OK(tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, found, 2, MPI_DOUBLE, MPI_SUM, grid->comm), TG_HERE));
  // Allreduces are booked in fractions of a number.
  CHECK(fabs(found[0] - cost.product_bytes) <= 1e-12 * found[0] && found[1] == cost.messages,
        "form %d, %" PRId64 " x %" PRId64 " x %" PRId64 " on %d x %d, block %" PRId64
        ": %.0f bytes, predicted %.0f; %.0f messages, predicted %.0f",
        form, m, n, k, grid->rows, grid->cols, grid->block, found[0], cost.product_bytes, found[1], cost.messages);
  CHECK(cost.flops == counters->flops, "%.0f flops, predicted %.0f", counters->flops, cost.flops);
  // Half of a symmetric result, or all of it.
  const double least = grid->size > 1 && r.plan->n_data == 1 ? 0.5 : 1;
  CHECK(cost.rank_flops * grid->size >= least * cost.flops || grid->size == 1,
        "the busiest rank does less than the average");
  stop(&r);
}

static void products(const tg_grid *grid)
{
  static const int64_t sizes[][3] = {{1, 1, 1},    {50, 40, 30},  {7, 300, 20}, {400, 3, 90},
                                     {3, 400, 90}, {20, 20, 900}, {90, 80, 2}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
    for (int form = 0; form < 4; form++) {
      const int64_t *at = sizes[s];
      check_product(grid, one_product(at[0], at[1], at[2], (form & 1) != 0, (form & 2) != 0), at[0], at[1], at[2],
                    form);
    }
}

// Half of the flops, and a mirror image: bytes, messages and memory.
static void updates(const tg_grid *grid)
{
  static const int64_t sizes[][2] = {{400, 260}, {513, 300}, {70, 300}, {400, 20}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
    for (int form = 1; form <= 2; form++) {
      const int64_t n = sizes[s][0];
      check_product(grid, one_update(n, sizes[s][1], form == 1), n, n, sizes[s][1], form);
      check_bytes(grid, one_update(n, sizes[s][1], form == 1), form == 1 ? "A'A" : "AA'", n);
    }
}

static void run(void)
{
  static const int64_t blocks[] = {1, 5, 64, 350, 0};
  static const int64_t middle[] = {16, 0};
  check_on_grids(blocks, memory);
  check_on_grids(middle, large_memory);
  check_on_grids(blocks, products);
  static const int64_t halves[] = {32, 50, 64, 0};
  check_on_grids(halves, updates);
}

CHECK_PROGRAM(program_cost, run)
