// The distributed executor against the serial one: every operation, whole programs, failures, allocations.
#include "check.h"

#include "mpi/exec.h"
#include "support/sample_plans.h"
#include "support/serial_exec.h"

enum { DATA_MAX = 32 };

static const double tolerance = 1e-11;

// A plan with both executors on the same operands.
typedef struct pair {
  tg_plan *plan;
  double *arrays[DATA_MAX];
  tg_dmat *data[DATA_MAX];
  serial_exec *serial;
  tg_exec *exec;
} pair;

static tg_dmat *scattered(const tg_grid *grid, int64_t rows, int64_t cols, const double *entries)
{
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_dmat_create(grid, rows, cols, &m));
  tg_dmat_scatter_small(entries, m);
  return m;
}

static pair pair_create(const tg_grid *grid, tg_plan *plan)
{
  pair p = {.plan = plan};
  for (int32_t k = 0; k < plan->n_data; k++) {
    const tg_plan_data *entry = &plan->data[k];
    REQUIRE_OK(tg_alloc_numbers(entry->rows * entry->cols, &p.arrays[k]));
    sample_fill(entry->name, entry->rows, entry->cols, (uint64_t)k + 1, p.arrays[k]);
    p.data[k] = scattered(grid, entry->rows, entry->cols, p.arrays[k]);
  }
  REQUIRE_OK(serial_exec_create(plan, (const double *const *)p.arrays, &p.serial));
  REQUIRE_OK(tg_exec_create(grid, plan, p.data, NULL, &p.exec));
  return p;
}

static void pair_destroy(pair *p)
{
  tg_exec_destroy(&p->exec);
  serial_exec_destroy(&p->serial);
  for (int k = 0; k < DATA_MAX; k++) {
    tg_free(p->arrays[k]);
    tg_dmat_destroy(&p->data[k]);
  }
  tg_plan_destroy(&p->plan);
}

static void run_both(pair *p, tg_program_id program)
{
  REQUIRE_OK(serial_exec_run(p->serial, program));
  REQUIRE_OK(tg_exec_run(p->exec, program));
}

static void compare_registers(pair *p, const char *what)
{
  for (int32_t r = 0; r < p->plan->n_registers; r++) {
    const double expected = serial_exec_register(p->serial, r);
    const double found = tg_exec_register(p->exec, r);
    const double distance = check_distance(&found, &expected, 1);
    CHECK(distance <= tolerance, "%s: register %" PRId32 " is %.17g, expected %.17g", what, r, found, expected);
  }
}

static void compare_buffer(pair *p, int32_t id, const char *what)
{
  CHECK_MATRIX(tg_exec_buffer(p->exec, id), serial_exec_buffer(p->serial, id), tolerance, what);
}

static void compare_storage(pair *p, tg_buffer_kind kind, const char *what)
{
  for (int32_t b = 0; b < p->plan->n_buffers; b++)
    if (p->plan->buffers[b].kind == kind) compare_buffer(p, b, what);
}

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

// A point outside the domain: NaN where it is asked for, an error with its place where it is not.
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
  CHECK(isnan(f), "f is %g outside the domain", f);
  CHECK(strstr(tg_exec_reason(p.exec), "value[1] cholesky: ") != NULL, "reason: %s", tg_exec_reason(p.exec));
  REQUIRE_OK(tg_exec_evaluate(p.exec, TG_PROGRAM_GRADIENT, &f));
  double *gradient = check_gather(g.matrix);
  CHECK(isnan(f) && isnan(gradient[0]) && isnan(gradient[35]), "f is %g, gradient %g", f, gradient[0]);
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

// ---- registers ----

// More open sums than one batch holds, registers written again while open or awaited, scalars over scalars.
static void open_registers(const tg_grid *grid)
{
  enum { SUMS = 150 };
  tg_plan_builder *b = NULL;
  REQUIRE_OK(tg_plan_builder_create(&b));
  const int32_t a = tg_plan_builder_data(b, "A", 6, 6);
  const int32_t x = tg_plan_builder_data(b, "X", 6, 6);
  const int32_t sum = tg_plan_builder_register(b);
  const int32_t total = tg_plan_builder_register(b);
  const int32_t twice = tg_plan_builder_register(b);
  tg_plan_builder_unary(b, TG_PROGRAM_VALUE, TG_OP_TRACE, total, a);
  const tg_code add[] = {{TG_CODE_REG, total, 0}, {TG_CODE_REG, sum, 0}, {TG_CODE_ADD, 0, 0}};
  const tg_code two[] = {{TG_CODE_REG, total, 0}, {TG_CODE_NUMBER, 0, 2}, {TG_CODE_MUL, 0, 0}};
  for (int k = 0; k < 5; k++) {
    // total is read and written by a scalar while sum is open, then sum is written again.
    tg_plan_builder_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, sum, a, k % 2 == 0 ? x : a);
    tg_plan_builder_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, total, 0, NULL, 3, add);
    tg_plan_builder_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, twice, 0, NULL, 3, two);
  }
  for (int k = 0; k < SUMS; k++)
    tg_plan_builder_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, tg_plan_builder_register(b), k % 2 == 0 ? x : a, a);
  tg_plan_builder_set_value(b, twice);
  tg_plan *plan = NULL;
  REQUIRE_OK(tg_plan_builder_finish(b, &plan));
  tg_plan_builder_destroy(&b);
  pair p = pair_create(grid, plan);
  run_both(&p, TG_PROGRAM_VALUE);
  compare_registers(&p, "open registers");
  pair_destroy(&p);
}

// A known register that a deferred scalar reads is overwritten before the scalar's turn: by a scalar, by a sum, by
// a determinant.
static void awaited_registers(const tg_grid *grid)
{
  tg_plan_builder *b = NULL;
  REQUIRE_OK(tg_plan_builder_create(&b));
  const int32_t a = tg_plan_builder_data(b, "S", 5, 5);
  const int32_t factor = tg_plan_builder_factor(b, 5);
  const int32_t sum = tg_plan_builder_register(b);
  const int32_t known = tg_plan_builder_register(b);
  const tg_code number[] = {{TG_CODE_NUMBER, 0, 7}};
  const tg_code add[] = {{TG_CODE_REG, known, 0}, {TG_CODE_REG, sum, 0}, {TG_CODE_ADD, 0, 0}};
  tg_plan_builder_unary(b, TG_PROGRAM_VALUE, TG_OP_CHOLESKY, factor, a);
  for (int k = 0; k < 3; k++) {
    const int32_t late = tg_plan_builder_register(b);
    tg_plan_builder_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, known, 0, NULL, 1, number);
    tg_plan_builder_unary(b, TG_PROGRAM_VALUE, TG_OP_TRACE, sum, a);
    tg_plan_builder_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, late, 0, NULL, 3, add);
    const tg_code other[] = {{TG_CODE_NUMBER, 0, 100}};
    if (k == 0) tg_plan_builder_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, known, 0, NULL, 1, other);
    if (k == 1) tg_plan_builder_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, known, a, a);
    if (k == 2) tg_plan_builder_factored(b, TG_PROGRAM_VALUE, TG_OP_LOGDET, known, factor, false);
  }
  tg_plan_builder_set_value(b, sum);
  tg_plan *plan = NULL;
  REQUIRE_OK(tg_plan_builder_finish(b, &plan));
  tg_plan_builder_destroy(&b);
  pair p = pair_create(grid, plan);
  run_both(&p, TG_PROGRAM_VALUE);
  compare_registers(&p, "awaited registers");
  pair_destroy(&p);
}

// ---- random programs ----

enum { SIZES = 3, SLOTS = 3, REGISTERS = 4, STEPS = 60 };

// SLOTS matrices of each of SIZES x SIZES shapes, and registers kept in (-1, 1) by tanh.
typedef struct soup {
  tg_plan_builder *b;
  uint64_t state;
  int32_t matrices[SIZES][SIZES][SLOTS];
  int32_t sums[REGISTERS];
  int32_t bounded[REGISTERS];
} soup;

static int pick(soup *s, int n)
{
  s->state = s->state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
  return (int)((s->state >> 33) % (uint64_t)n);
}

static tg_coef pick_coef(soup *s)
{
  const double value = 0.1 * (1 + pick(s, 5));
  return pick(s, 2) == 0 ? tg_coef_number(value) : tg_coef_register(value, s->bounded[pick(s, REGISTERS)]);
}

static void soup_product(soup *s)
{
  const int m = pick(s, SIZES);
  const int n = pick(s, SIZES);
  const int k = pick(s, SIZES);
  const bool ta = pick(s, 2) != 0;
  const bool tb = pick(s, 2) != 0;
  const int32_t a = s->matrices[ta ? k : m][ta ? m : k][0];
  const int32_t b = s->matrices[tb ? n : k][tb ? k : n][1];
  tg_plan_builder_gemm(s->b, TG_PROGRAM_VALUE, s->matrices[m][n][2], pick_coef(s), a, ta, b, tb, pick(s, 2));
}

// In place or not, over any of the slots; tanh keeps everything bounded.
static void soup_local(soup *s)
{
  const int m = pick(s, SIZES);
  const int n = pick(s, SIZES);
  const int32_t *slots = s->matrices[m][n];
  const int32_t out = slots[pick(s, SLOTS)];
  if (pick(s, 2) == 0) {
    const tg_coef coefs[SLOTS] = {pick_coef(s), pick_coef(s), pick_coef(s)};
    tg_plan_builder_lincomb(s->b, TG_PROGRAM_VALUE, out, 1 + pick(s, SLOTS), coefs, slots);
    return;
  }
  const tg_code code[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_LOAD, 1, 0}, {TG_CODE_REG, s->bounded[pick(s, REGISTERS)], 0},
                          {TG_CODE_ADD, 0, 0},  {TG_CODE_MUL, 0, 0},  {TG_CODE_TANH, 0, 0}};
  tg_plan_builder_code(s->b, TG_PROGRAM_VALUE, TG_OP_ENTRYWISE, out, SLOTS, slots, 6, code);
}

static void soup_sum(soup *s)
{
  const int m = pick(s, SIZES);
  const int n = pick(s, SIZES);
  const int32_t *slots = s->matrices[m][n];
  const int32_t sum = s->sums[pick(s, REGISTERS)];
  if (pick(s, 2) == 0)
    tg_plan_builder_binary(s->b, TG_PROGRAM_VALUE, TG_OP_DOT, sum, slots[pick(s, SLOTS)], slots[pick(s, SLOTS)]);
  else
    tg_plan_builder_unary(s->b, TG_PROGRAM_VALUE, TG_OP_TRACE, sum, s->matrices[m][m][pick(s, SLOTS)]);
}

static void soup_scalar(soup *s)
{
  const int32_t out = s->bounded[pick(s, REGISTERS)];
  const tg_code code[] = {{TG_CODE_REG, s->bounded[pick(s, REGISTERS)], 0},
                          {TG_CODE_REG, s->sums[pick(s, REGISTERS)], 0},
                          {TG_CODE_ADD, 0, 0},
                          {TG_CODE_TANH, 0, 0}};
  tg_plan_builder_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, out, 0, NULL, 4, code);
}

static void soup_prepare(soup *s)
{
  static const int64_t sizes[SIZES] = {2, 5, 9};
  for (int m = 0; m < SIZES; m++)
    for (int n = 0; n < SIZES; n++)
      for (int k = 0; k < SLOTS; k++) {
        const int32_t data = tg_plan_builder_data(s->b, "A", sizes[m], sizes[n]);
        const tg_coef half = tg_coef_number(0.5);
        s->matrices[m][n][k] = tg_plan_builder_buffer(s->b, TG_BUFFER_TEMP, sizes[m], sizes[n], "slot");
        tg_plan_builder_lincomb(s->b, TG_PROGRAM_VALUE, s->matrices[m][n][k], 1, &half, &data);
      }
  for (int k = 0; k < REGISTERS; k++) {
    const tg_code code[] = {{TG_CODE_NUMBER, 0, 0.2 * (k + 1)}};
    s->sums[k] = tg_plan_builder_register(s->b);
    s->bounded[k] = tg_plan_builder_register(s->b);
    tg_plan_builder_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, s->sums[k], 0, NULL, 1, code);
    tg_plan_builder_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, s->bounded[k], 0, NULL, 1, code);
  }
}

static void random_program(const tg_grid *grid, uint64_t seed)
{
  static void (*const steps[])(soup * s) = {soup_product, soup_local, soup_sum, soup_scalar};
  soup s = {.state = seed};
  REQUIRE_OK(tg_plan_builder_create(&s.b));
  soup_prepare(&s);
  for (int k = 0; k < STEPS; k++) steps[pick(&s, 4)](&s);
  tg_plan_builder_set_value(s.b, s.bounded[0]);
  tg_plan *plan = NULL;
  REQUIRE_OK(tg_plan_builder_finish(s.b, &plan));
  tg_plan_builder_destroy(&s.b);
  pair p = pair_create(grid, plan);
  run_both(&p, TG_PROGRAM_VALUE);
  compare_registers(&p, "random program");
  compare_storage(&p, TG_BUFFER_TEMP, "random program");
  pair_destroy(&p);
}

static void random_programs(const tg_grid *grid)
{
  for (uint64_t seed = 1; seed <= 20; seed++) random_program(grid, seed);
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
  check_on_grids(middle, open_registers);
  check_on_grids(middle, awaited_registers);
  check_on_grids(middle, random_programs);
  check_on_grids(blocks, no_allocation);
  check_on_grids(middle, no_allocation_in_operations);
  check_on_grids(middle, same_bits);
  check_on_grids(middle, wrong_bindings);
  check_on_grids(middle, different_plans);
  check_on_grids(middle, lack_of_memory);
}

int main(int argc, char **argv)
{
  return check_main(&argc, &argv, run);
}
