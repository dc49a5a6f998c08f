// Passes that run together, tile by tile, against the serial executor, which runs one after another.
#include "exec_pair.h"
#include "mpi/exec/exec_parts.h"
#include "support/plan_emit.h"

typedef struct chain {
  tg_plan_builder *b;
  int32_t data[2];
  int32_t temps[3];
  int32_t registers[6];
} chain;

static void dot(const chain *c, int32_t reg, int32_t x, int32_t y)
{
  plan_emit_binary(c->b, TG_PROGRAM_VALUE, TG_OP_DOT, c->registers[reg], x, y);
}

static void combine(const chain *c, int32_t out, int32_t x, tg_coef factor, int32_t y)
{
  const tg_coef coefs[] = {tg_coef_number(1), factor};
  const int32_t terms[] = {x, y};
  plan_emit_lincomb(c->b, TG_PROGRAM_VALUE, out, 2, coefs, terms);
}

static void add(const chain *c, int32_t out, int32_t x, int32_t y)
{
  const tg_code code[] = {{TG_CODE_REG, c->registers[x], 0}, {TG_CODE_REG, c->registers[y], 0}, {TG_CODE_ADD, 0, 0}};
  plan_emit_code(c->b, TG_PROGRAM_VALUE, TG_OP_SCALAR, c->registers[out], 0, NULL, 3, code);
}

// Results read by the next pass, written in place, sums and scalars between them; the last combination needs a sum, and
// so begins a second group.
enum { FIRST_GROUP = 7, SECOND_GROUP = 2 };

static tg_plan *plan_of(int64_t rows, int64_t cols)
{
  tg_plan *plan = NULL;
  chain c;
  REQUIRE_OK(tg_plan_builder_create(&c.b));
  for (int k = 0; k < 2; k++) c.data[k] = tg_plan_builder_data(c.b, k == 0 ? "A" : "B", rows, cols);
  for (int k = 0; k < 3; k++) c.temps[k] = tg_plan_builder_buffer(c.b, TG_BUFFER_TEMP, rows, cols, "T");
  for (int k = 0; k < 6; k++) c.registers[k] = tg_plan_builder_register(c.b);
  const int32_t third = tg_plan_builder_constant(c.b, 1.0 / 3);
  combine(&c, c.temps[0], c.data[0], tg_coef_number(-2), c.data[1]);
  dot(&c, 0, c.temps[0], c.data[0]);
  const int32_t in[] = {c.temps[0], c.data[1]};
  const tg_code code[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_TANH, 0, 0},    {TG_CODE_LOAD, 1, 0},
                          {TG_CODE_MUL, 0, 0},  {TG_CODE_REG, third, 0}, {TG_CODE_ADD, 0, 0}};
  plan_emit_code(c.b, TG_PROGRAM_VALUE, TG_OP_ENTRYWISE, c.temps[1], 2, in, 6, code);
  plan_emit_code(c.b, TG_PROGRAM_VALUE, TG_OP_EWSUM, c.registers[1], 2, in, 6, code);
  add(&c, 2, 0, 1);
  combine(&c, c.temps[0], c.temps[0], tg_coef_register(0.5, third), c.temps[1]);
  dot(&c, 3, c.temps[0], c.temps[0]);
  combine(&c, c.temps[2], c.data[0], tg_coef_register(1e-6, c.registers[2]), c.temps[0]);
  dot(&c, 4, c.temps[2], c.data[1]);
  add(&c, 5, 3, 4);
  tg_plan_builder_set_value(c.b, c.registers[5]);
  tg_plan_builder_set_degree(c.b, -1);
  REQUIRE_OK(tg_plan_builder_finish(c.b, &plan));
  tg_plan_builder_destroy(&c.b);
  return plan;
}

static void check_shape(const tg_grid *grid, int64_t rows, int64_t cols)
{
  pair p = pair_create(grid, plan_of(rows, cols));
  const tg_program *program = &p.plan->programs[TG_PROGRAM_VALUE];
  int32_t found = tg_exec_fusion_length(p.plan, program, 0);
  CHECK(found == FIRST_GROUP, "the first group has %" PRId32 " instructions, expected %d", found, FIRST_GROUP);
  found = tg_exec_fusion_length(p.plan, program, FIRST_GROUP);
  CHECK(found == SECOND_GROUP, "the second group has %" PRId32 " instructions, expected %d", found, SECOND_GROUP);
  found = tg_exec_fusion_length(p.plan, program, FIRST_GROUP + SECOND_GROUP);
  CHECK(found == 1, "a scalar begins a group of %" PRId32, found);
  run_both(&p, TG_PROGRAM_VALUE);
  compare_registers(&p, "groups");
  compare_storage(&p, TG_BUFFER_TEMP, "groups");
  const double value = tg_exec_register(p.exec, p.plan->value_register);
  REQUIRE_OK(tg_exec_run(p.exec, TG_PROGRAM_VALUE));
  CHECK(tg_exec_register(p.exec, p.plan->value_register) == value, "a second run gives other bits");
  pair_destroy(&p);
}

// Square, tall and wide; the last is too small to be cut.
static void shapes(const tg_grid *grid)
{
  check_shape(grid, 610, 590);
  check_shape(grid, 90001, 3);
  check_shape(grid, 5, 50002);
  check_shape(grid, 30, 20);
}

static bool group_pays(tg_exec *exec)
{
  return tg_exec_fusion_pays(exec, tg_exec_plan(exec)->programs[TG_PROGRAM_VALUE].instrs);
}

static void sizes(const tg_grid *grid)
{
  pair large = pair_create(grid, plan_of(610, 590));
  pair small = pair_create(grid, plan_of(30, 20));
  CHECK(group_pays(large.exec), "a large matrix is cut into tiles");
  CHECK(!group_pays(small.exec), "a small matrix is not");
  pair_destroy(&small);
  pair_destroy(&large);
}

static void run(void)
{
  const int64_t blocks[] = {64, 200, 0};
  const int64_t one[] = {64, 0};
  check_on_grids(blocks, shapes);
  check_on_grids(one, sizes);
}

CHECK_PROGRAM(program_exec_fusion, run)
