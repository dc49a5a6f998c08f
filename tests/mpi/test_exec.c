// The distributed executor against the serial one: every operation, whole programs, failures, allocations.
#include "exec_pair.h"

// ---- every operation ----

static void check_opcode(const tg_grid *grid, tg_opcode op, int64_t m, int64_t n, int64_t k)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_of_opcode(op, m, n, k, &plan));
  pair p = pair_create(grid, plan);
  run_both(&p, TG_PROGRAM_SETUP);
  compare_registers(&p, tg_opcode_label(op));
  compare_storage(&p, TG_BUFFER_CONSTANT, tg_opcode_label(op));
  CHECK(tg_exec_program_usage(p.exec, TG_PROGRAM_SETUP)->runs == 1, "runs");
  pair_destroy(&p);
}

static void every_operation(const tg_grid *grid)
{
  static const int64_t sizes[][3] = {{1, 1, 1}, {5, 3, 4}, {13, 2, 7}, {4, 70, 9}};
  for (int op = 0; op < TG_OPCODE_COUNT; op++)
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
      check_opcode(grid, (tg_opcode)op, sizes[s][0], sizes[s][1], sizes[s][2]);
}

static void large_operands(const tg_grid *grid)
{
  for (int op = 0; op < TG_OPCODE_COUNT; op++) check_opcode(grid, (tg_opcode)op, 70, 40, 65);
}

// ---- whole programs ----

// Random blocks of the point for both executors.
typedef struct block {
  double *array;
  tg_dmat *matrix;
} block;

static block block_create(pair *p, const tg_grid *grid, tg_buffer_kind kind, const char *name, uint64_t seed)
{
  const tg_plan_data *shape = &p->plan->variables[0];
  block b = {0};
  REQUIRE_OK(tg_alloc_numbers(shape->rows * shape->cols, &b.array));
  sample_fill(name, shape->rows, shape->cols, seed, b.array);
  b.matrix = scattered(grid, shape->rows, shape->cols, b.array);
  serial_exec_bind(p->serial, kind, 0, b.array);
  REQUIRE_OK(tg_exec_bind(p->exec, kind, 0, b.matrix));
  return b;
}

static void block_destroy(block *b)
{
  tg_free(b->array);
  tg_dmat_destroy(&b->matrix);
}

static void ridge_programs(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(17, 9, 4, 0.3, &plan));
  pair p = pair_create(grid, plan);
  block w = block_create(&p, grid, TG_BUFFER_VARIABLE, "W", 11);
  block d = block_create(&p, grid, TG_BUFFER_DIRECTION, "D", 12);
  block g = block_create(&p, grid, TG_BUFFER_GRADIENT, "G", 13);
  block h = block_create(&p, grid, TG_BUFFER_HESSIAN, "H", 14);
  static const tg_program_id order[] = {TG_PROGRAM_SETUP,    TG_PROGRAM_REFRESH, TG_PROGRAM_VALUE,
                                        TG_PROGRAM_GRADIENT, TG_PROGRAM_HESSIAN, TG_PROGRAM_DIRECTION,
                                        TG_PROGRAM_ADVANCE,  TG_PROGRAM_GRADIENT};
  serial_exec_set_register(p.serial, plan->step_register, 0.25);
  tg_exec_set_register(p.exec, plan->step_register, 0.25);
  for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
    run_both(&p, order[k]);
    compare_registers(&p, tg_program_label(order[k]));
    compare_storage(&p, TG_BUFFER_STATE, tg_program_label(order[k]));
    compare_storage(&p, TG_BUFFER_GRADIENT, tg_program_label(order[k]));
    compare_storage(&p, TG_BUFFER_HESSIAN, tg_program_label(order[k]));
  }
  // Two inner products and the scalar over them: one collective.
  const tg_exec_usage *value = tg_exec_program_usage(p.exec, TG_PROGRAM_VALUE);
  CHECK(value->reductions == 1, "a value costs %" PRId64 " collectives", value->reductions);
  const tg_exec_usage *line = tg_exec_program_usage(p.exec, TG_PROGRAM_DIRECTION);
  CHECK(line->reductions == 1 && line->products == 1, "a line costs %" PRId64 " collectives, %" PRId64 " products",
        line->reductions, line->products);
  const tg_exec_usage *gradient = tg_exec_program_usage(p.exec, TG_PROGRAM_GRADIENT);
  CHECK(gradient->runs == 2 && gradient->products == 2, "%" PRId64 " gradients, %" PRId64 " products", gradient->runs,
        gradient->products);
  CHECK(tg_exec_program_usage(p.exec, TG_PROGRAM_REFRESH)->flops == 2.0 * 17 * 9 * 4, "flops of the refresh");
  CHECK(tg_exec_counters(p.exec)->products == 6, "%" PRId64 " products", tg_exec_counters(p.exec)->products);
  CHECK(gradient->seconds > 0 && tg_exec_instr_seconds(p.exec, TG_PROGRAM_REFRESH, 0) > 0, "no time was taken");
  block_destroy(&w);
  block_destroy(&d);
  block_destroy(&g);
  block_destroy(&h);
  pair_destroy(&p);
}

static void trace_programs(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_trace(11, 7, &plan));
  pair p = pair_create(grid, plan);
  block a = block_create(&p, grid, TG_BUFFER_VARIABLE, "A", 21);
  block g = block_create(&p, grid, TG_BUFFER_GRADIENT, "G", 22);
  for (int program = TG_PROGRAM_VALUE; program <= TG_PROGRAM_GRADIENT; program++) {
    run_both(&p, (tg_program_id)program);
    compare_registers(&p, "trace");
  }
  compare_storage(&p, TG_BUFFER_GRADIENT, "gradient of the trace");
  block_destroy(&a);
  block_destroy(&g);
  pair_destroy(&p);
}

// A point outside the domain: +inf where it is asked for, an error with its place where it is not.
static void infeasible_points(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_logdet(6, &plan));
  pair p = pair_create(grid, plan);
  block x = block_create(&p, grid, TG_BUFFER_VARIABLE, "S", 31);
  block g = block_create(&p, grid, TG_BUFFER_GRADIENT, "G", 32);
  double f = 0;
  run_both(&p, TG_PROGRAM_GRADIENT);
  compare_registers(&p, "logdet");
  compare_storage(&p, TG_BUFFER_GRADIENT, "gradient of logdet");
  CHECK(tg_exec_reason(p.exec)[0] == '\0', "a reason without a failure: %s", tg_exec_reason(p.exec));
  x.array[2 + 2 * 6] = -5;
  tg_dmat_scatter_small(x.array, x.matrix);
  CHECK_FAILS(tg_exec_run(p.exec, TG_PROGRAM_VALUE), TG_NUMERIC, "value[1] cholesky: ");
  REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_VALUE, &f));
  CHECK(isinf(f) && f > 0, "f is %g outside the domain", f);
  CHECK(strstr(tg_exec_reason(p.exec), "value[1] cholesky: ") != NULL, "reason: %s", tg_exec_reason(p.exec));
  REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_GRADIENT, &f));
  double *gradient = check_gather(g.matrix);
  CHECK(isinf(f) && isnan(gradient[0]) && isnan(gradient[35]), "f is %g, gradient %g", f, gradient[0]);
  tg_free(gradient);
  // Back inside, the sums that were open at the failure leave nothing behind, not even a collective.
  const tg_exec_usage *usage = tg_exec_program_usage(p.exec, TG_PROGRAM_GRADIENT);
  const int64_t reductions = usage->reductions;
  x.array[2 + 2 * 6] = 9;
  tg_dmat_scatter_small(x.array, x.matrix);
  run_both(&p, TG_PROGRAM_GRADIENT);
  compare_registers(&p, "logdet again");
  REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_VALUE, &f));
  CHECK(isfinite(f), "f is %g inside the domain", f);
  CHECK(usage->reductions == reductions + 1, "%" PRId64 " collectives in a gradient", usage->reductions - reductions);
  block_destroy(&x);
  block_destroy(&g);
  pair_destroy(&p);
}

// Values that overflow are results, and the reason names where the first arose.
static void overflowing_points(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_trace(6, 5, &plan));
  pair p = pair_create(grid, plan);
  block a = block_create(&p, grid, TG_BUFFER_VARIABLE, "A", 21);
  block g = block_create(&p, grid, TG_BUFFER_GRADIENT, "G", 22);
  double f = 0;
  for (int k = 0; k < 30; k++) a.array[k] = 1e200;
  tg_dmat_scatter_small(a.array, a.matrix);
  REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_VALUE, &f));
  CHECK(!isfinite(f), "f is %g", f);
  CHECK(strstr(tg_exec_reason(p.exec), "value[2] dot: a scalar becomes nan: <A, ") != NULL, "reason '%s'",
        tg_exec_reason(p.exec));
  CHECK(tg_exec_program_usage(p.exec, TG_PROGRAM_VALUE)->runs == 1, "the search for the reason is counted");
  a.array[7] = (double)INFINITY;
  tg_dmat_scatter_small(a.array, a.matrix);
  REQUIRE_OK(tg_exec_explain(p.exec, TG_PROGRAM_GRADIENT));
  CHECK(strcmp(tg_exec_reason(p.exec), "gradient[0] gemm: the variable A has entries that are not finite") == 0,
        "reason '%s'", tg_exec_reason(p.exec));
  for (int k = 0; k < 30; k++) a.array[k] = 0x1p1022;
  a.array[7] = -0x1p1022;
  tg_dmat_scatter_small(a.array, a.matrix);
  REQUIRE_OK(tg_exec_explain(p.exec, TG_PROGRAM_GRADIENT));
  CHECK(strncmp(tg_exec_reason(p.exec), "gradient[", 9) == 0, "reason '%s'", tg_exec_reason(p.exec));
  for (int k = 0; k < 30; k++) a.array[k] = 1;
  tg_dmat_scatter_small(a.array, a.matrix);
  REQUIRE_OK(tg_exec_explain(p.exec, TG_PROGRAM_GRADIENT));
  CHECK(strcmp(tg_exec_reason(p.exec), "") == 0, "reason '%s'", tg_exec_reason(p.exec));
  run_both(&p, TG_PROGRAM_GRADIENT);
  compare_storage(&p, TG_BUFFER_GRADIENT, "gradient after an explanation");
  block_destroy(&a);
  block_destroy(&g);
  pair_destroy(&p);
}

// ---- promises ----

static void run_all(pair *p)
{
  for (int k = 0; k < TG_PROGRAM_COUNT; k++) REQUIRE_OK(tg_exec_run(p->exec, (tg_program_id)k));
}

// After the first run of each program nothing is allocated.
static void no_allocation(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(40, 20, 3, 0.1, &plan));
  pair p = pair_create(grid, plan);
  block blocks[4];
  for (int k = 0; k < 4; k++) blocks[k] = block_create(&p, grid, (tg_buffer_kind)(TG_BUFFER_VARIABLE + k), "B", 5);
  run_all(&p);
  const int64_t before = tg_alloc_count();
  const int64_t bytes = tg_exec_bytes(p.exec);
  for (int repeat = 0; repeat < 3; repeat++) run_all(&p);
  CHECK(tg_alloc_count() == before, "%" PRId64 " allocations in repeated programs", tg_alloc_count() - before);
  CHECK(tg_exec_bytes(p.exec) == bytes, "the executor grew from %" PRId64 " bytes", bytes);
  for (int k = 0; k < 4; k++) block_destroy(&blocks[k]);
  pair_destroy(&p);
}

// The same for every operation that may run in an iteration.
static void no_allocation_in_operations(const tg_grid *grid)
{
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    tg_plan *plan = NULL;
    REQUIRE_OK(sample_plan_of_opcode((tg_opcode)op, 13, 5, 7, &plan));
    pair p = pair_create(grid, plan);
    REQUIRE_OK(tg_exec_run(p.exec, TG_PROGRAM_SETUP));
    const int64_t before = tg_alloc_count();
    REQUIRE_OK(tg_exec_run(p.exec, TG_PROGRAM_SETUP));
    CHECK(tg_alloc_count() == before, "%s: %" PRId64 " allocations in the second run", tg_opcode_label((tg_opcode)op),
          tg_alloc_count() - before);
    pair_destroy(&p);
  }
}

// The same program twice gives the same bits, and all ranks hold the same.
static void same_bits(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(40, 20, 3, 0.1, &plan));
  pair p = pair_create(grid, plan);
  block w = block_create(&p, grid, TG_BUFFER_VARIABLE, "W", 5);
  block g = block_create(&p, grid, TG_BUFFER_GRADIENT, "G", 6);
  double f[2] = {0};
  for (int k = 0; k < 2; k++) {
    REQUIRE_OK(tg_exec_run(p.exec, TG_PROGRAM_REFRESH));
    REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_GRADIENT, &f[k]));
  }
  double of_root = f[0];
  MPI_Bcast(&of_root, 1, MPI_DOUBLE, 0, grid->comm);
  CHECK(f[0] == f[1], "%.17g, then %.17g", f[0], f[1]);
  CHECK(f[0] == of_root, "%.17g here, %.17g on rank 0", f[0], of_root);
  block_destroy(&w);
  block_destroy(&g);
  pair_destroy(&p);
}

// ---- failures ----

static void wrong_bindings(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(8, 5, 2, 0.1, &plan));
  pair p = pair_create(grid, plan);
  CHECK_FAILS(tg_exec_run(p.exec, TG_PROGRAM_REFRESH), TG_INTERNAL,
              "refresh[0] gemm: buffer 'W' of kind 1 is not bound");
  tg_dmat *wrong = NULL;
  REQUIRE_OK(tg_dmat_create(grid, 5, 3, &wrong));
  CHECK_FAILS(tg_exec_bind(p.exec, TG_BUFFER_VARIABLE, 0, wrong), TG_SHAPE, "'W' is 5 x 3, expected 5 x 2");
  CHECK_FAILS(tg_exec_bind(p.exec, TG_BUFFER_DATA, 0, wrong), TG_INTERNAL, "'X' cannot be bound");
  tg_dmat_destroy(&wrong);
  REQUIRE_OK(tg_dmat_create_block(grid, 5, 2, grid->block + 1, &wrong));
  CHECK_FAILS(tg_exec_bind(p.exec, TG_BUFFER_VARIABLE, 0, wrong), TG_INTERNAL, "'W' has block size");
  tg_dmat *const data[2] = {wrong, p.data[1]};
  tg_exec *second = NULL;
  CHECK_FAILS(tg_exec_create(grid, plan, data, NULL, &second), TG_SHAPE, "'X' is 5 x 2, expected 8 x 5");
  CHECK(second == NULL, "an executor came of a failure");
  tg_dmat_destroy(&wrong);
  pair_destroy(&p);
}

// One rank with another plan: all ranks say so instead of hanging.
static void different_plans(const tg_grid *grid)
{
  if (grid->size == 1) return;
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(8, 5, 2, grid->rank == grid->size - 1 ? 0.2 : 0.1, &plan));
  tg_dmat *data[2] = {0};
  REQUIRE_OK(tg_dmat_create(grid, 8, 5, &data[0]));
  REQUIRE_OK(tg_dmat_create(grid, 8, 2, &data[1]));
  tg_exec *exec = NULL;
  CHECK_FAILS(tg_exec_create(grid, plan, data, NULL, &exec), TG_INTERNAL, "the ranks run different programs");
  CHECK(exec == NULL, "an executor came of a failure");
  tg_dmat_destroy(&data[0]);
  tg_dmat_destroy(&data[1]);
  tg_plan_destroy(&plan);
}

// Memory that runs out on one rank alone, at every allocation of creation in turn.
static void lack_of_memory(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_logdet(5, &plan));
  tg_dmat *data[1] = {0};
  REQUIRE_OK(tg_dmat_create(grid, 5, 5, &data[0]));
  tg_status status = TG_MEMORY;
  for (int64_t n = 1; status != TG_OK && n < 100; n++) {
    tg_exec *exec = NULL;
    tg_alloc_fail_after(grid->rank == grid->size - 1 ? n : 0);
    status = tg_exec_create(grid, plan, data, NULL, &exec);
    tg_alloc_fail_after(0);
    CHECK(status == TG_OK || status == TG_MEMORY, "%s: %s", tg_status_label(status), tg_error_get()->message);
    tg_exec_destroy(&exec);
  }
  CHECK(status == TG_OK, "creation still fails with %s", tg_status_label(status));
  tg_dmat_destroy(&data[0]);
  tg_plan_destroy(&plan);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 3, 64, 0};
  static const int64_t middle[] = {3, 0};
  static const int64_t large[] = {16, 0};
  check_on_grids(blocks, every_operation);
  check_on_grids(large, large_operands);
  check_on_grids(blocks, ridge_programs);
  check_on_grids(blocks, trace_programs);
  check_on_grids(blocks, infeasible_points);
  check_on_grids(middle, overflowing_points);
  check_on_grids(blocks, no_allocation);
  check_on_grids(middle, no_allocation_in_operations);
  check_on_grids(middle, same_bits);
  check_on_grids(middle, wrong_bindings);
  check_on_grids(middle, different_plans);
  check_on_grids(middle, lack_of_memory);
}

CHECK_PROGRAM(program_exec, run)
