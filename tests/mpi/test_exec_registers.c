// Registers whose sums are under way: the distributed executor may defer, but must not be seen to.
#include "exec_pair.h"

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
  plan_emit_unary(b, TG_PROGRAM_VALUE, TG_OP_TRACE, total, a);
  const tg_code add[] = {{TG_CODE_REG, total, 0}, {TG_CODE_REG, sum, 0}, {TG_CODE_ADD, 0, 0}};
  const tg_code two[] = {{TG_CODE_REG, total, 0}, {TG_CODE_NUMBER, 0, 2}, {TG_CODE_MUL, 0, 0}};
  for (int k = 0; k < 5; k++) {
    // total is read and written by a scalar while sum is open, then sum is written again.
    plan_emit_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, sum, a, k % 2 == 0 ? x : a);
    plan_emit_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, total, 0, NULL, 3, add);
    plan_emit_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, twice, 0, NULL, 3, two);
  }
  for (int k = 0; k < SUMS; k++)
    plan_emit_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, tg_plan_builder_register(b), k % 2 == 0 ? x : a, a);
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
  plan_emit_unary(b, TG_PROGRAM_VALUE, TG_OP_CHOLESKY, factor, a);
  for (int k = 0; k < 3; k++) {
    const int32_t late = tg_plan_builder_register(b);
    plan_emit_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, known, 0, NULL, 1, number);
    plan_emit_unary(b, TG_PROGRAM_VALUE, TG_OP_TRACE, sum, a);
    plan_emit_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, late, 0, NULL, 3, add);
    const tg_code other[] = {{TG_CODE_NUMBER, 0, 100}};
    if (k == 0) plan_emit_code(b, TG_PROGRAM_VALUE, TG_OP_SCALAR, known, 0, NULL, 1, other);
    if (k == 1) plan_emit_binary(b, TG_PROGRAM_VALUE, TG_OP_DOT, known, a, a);
    if (k == 2) plan_emit_factored(b, TG_PROGRAM_VALUE, TG_OP_LOGDET, known, factor, false);
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
  plan_emit_gemm(s->b, TG_PROGRAM_VALUE, s->matrices[m][n][2], pick_coef(s), a, ta, b, tb, pick(s, 2));
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
    plan_emit_lincomb(s->b, TG_PROGRAM_VALUE, out, 1 + pick(s, SLOTS), coefs, slots);
    return;
  }
  const tg_code code[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_LOAD, 1, 0}, {TG_CODE_REG, s->bounded[pick(s, REGISTERS)], 0},
                          {TG_CODE_ADD, 0, 0},  {TG_CODE_MUL, 0, 0},  {TG_CODE_TANH, 0, 0}};
  plan_emit_code(s->b, TG_PROGRAM_VALUE, TG_OP_ENTRYWISE, out, SLOTS, slots, 6, code);
}

static void soup_sum(soup *s)
{
  const int m = pick(s, SIZES);
  const int n = pick(s, SIZES);
  const int32_t *slots = s->matrices[m][n];
  const int32_t sum = s->sums[pick(s, REGISTERS)];
  if (pick(s, 2) == 0)
    plan_emit_binary(s->b, TG_PROGRAM_VALUE, TG_OP_DOT, sum, slots[pick(s, SLOTS)], slots[pick(s, SLOTS)]);
  else
    plan_emit_unary(s->b, TG_PROGRAM_VALUE, TG_OP_TRACE, sum, s->matrices[m][m][pick(s, SLOTS)]);
}

static void soup_scalar(soup *s)
{
  const int32_t out = s->bounded[pick(s, REGISTERS)];
  const tg_code code[] = {{TG_CODE_REG, s->bounded[pick(s, REGISTERS)], 0},
                          {TG_CODE_REG, s->sums[pick(s, REGISTERS)], 0},
                          {TG_CODE_ADD, 0, 0},
                          {TG_CODE_TANH, 0, 0}};
  plan_emit_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, out, 0, NULL, 4, code);
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
        plan_emit_lincomb(s->b, TG_PROGRAM_VALUE, s->matrices[m][n][k], 1, &half, &data);
      }
  for (int k = 0; k < REGISTERS; k++) {
    const tg_code code[] = {{TG_CODE_NUMBER, 0, 0.2 * (k + 1)}};
    s->sums[k] = tg_plan_builder_register(s->b);
    s->bounded[k] = tg_plan_builder_register(s->b);
    plan_emit_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, s->sums[k], 0, NULL, 1, code);
    plan_emit_code(s->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, s->bounded[k], 0, NULL, 1, code);
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

static void run(void)
{
  static const int64_t blocks[] = {3, 0};
  check_on_grids(blocks, open_registers);
  check_on_grids(blocks, awaited_registers);
  check_on_grids(blocks, random_programs);
}

CHECK_PROGRAM(program_exec_registers, run)
