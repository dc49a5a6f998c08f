// The plan builder: growing tables while building, one arena in the end.
#include "grad/plan/plan_builder.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

// A growing array.
typedef struct list {
  void *items;
  int32_t count;
  int32_t capacity;
} list;

struct tg_plan_builder {
  tg_plan *plan; // tables are NULL until finish; its arena owns names and the instructions' arrays
  list buffers;  // tg_plan_buffer
  list data;     // tg_plan_data
  list variables;
  list factors;                    // tg_plan_factor
  list inits;                      // tg_register_init
  list programs[TG_PROGRAM_COUNT]; // tg_instr
  int32_t n_storages;
  tg_status status;
};

tg_status tg_plan_builder_create(tg_plan_builder **out)
{
  *out = NULL;
  tg_plan_builder *builder = NULL;
  TG_TRY(TG_NEW(1, &builder));
  const tg_status status = TG_NEW(1, &builder->plan);
  if (status != TG_OK) {
    tg_free(builder);
    return status;
  }
  tg_arena_init(&builder->plan->arena);
  builder->plan->degree = -1;
  builder->plan->value_register = -1;
  builder->plan->step_register = -1;
  for (int k = 0; k <= TG_LINE_DEGREE_MAX; k++) builder->plan->line_registers[k] = -1;
  *out = builder;
  return TG_OK;
}

void tg_plan_builder_destroy(tg_plan_builder **builder)
{
  if (*builder == NULL) return;
  tg_plan_builder *b = *builder;
  tg_plan_destroy(&b->plan);
  tg_free(b->buffers.items);
  tg_free(b->data.items);
  tg_free(b->variables.items);
  tg_free(b->factors.items);
  tg_free(b->inits.items);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) tg_free(b->programs[p].items);
  tg_free(b);
  *builder = NULL;
}

tg_status tg_plan_builder_status(const tg_plan_builder *builder)
{
  return builder->status;
}

// Remembers the first failure; true while there is none.
static bool keep(tg_plan_builder *builder, tg_status status)
{
  if (builder->status == TG_OK) builder->status = status;
  return builder->status == TG_OK;
}

static tg_status push(list *items, size_t item_bytes, const void *item)
{
  if (items->count == items->capacity) {
    if (items->capacity >= INT32_MAX / 2)
      TG_FAIL(TG_LIMIT, "a plan table of %" PRId32 " entries is full", items->count);
    const int32_t capacity = items->capacity > 0 ? 2 * items->capacity : 16;
    TG_TRY(tg_grow(capacity, item_bytes, &items->items));
    items->capacity = capacity;
  }
  memcpy((char *)items->items + (size_t)items->count * item_bytes, item, item_bytes);
  items->count++;
  return TG_OK;
}

static tg_status add_buffer(tg_plan_builder *builder, tg_plan_buffer buffer, int32_t *out)
{
  *out = -1;
  const char *name = buffer.name != NULL ? buffer.name : "";
  if (buffer.rows < 1 || buffer.cols < 1)
    TG_FAIL(TG_INTERNAL, "buffer '%s' has size %" PRId64 " x %" PRId64, name, buffer.rows, buffer.cols);
  TG_TRY(tg_arena_string(&builder->plan->arena, name, strlen(name), &buffer.name));
  TG_TRY(push(&builder->buffers, sizeof buffer, &buffer));
  *out = builder->buffers.count - 1;
  return TG_OK;
}

// A new entry of the data or variable table and its buffer.
static int32_t add_operand(tg_plan_builder *builder, list *table, tg_plan_buffer buffer)
{
  int32_t id = -1;
  if (!keep(builder, TG_OK)) return -1;
  buffer.index = table->count;
  buffer.storage = -1;
  if (!keep(builder, add_buffer(builder, buffer, &id))) return -1;
  const tg_plan_data entry = {tg_plan_builder_buffer_info(builder, id)->name, buffer.rows, buffer.cols};
  return keep(builder, push(table, sizeof entry, &entry)) ? id : -1;
}

int32_t tg_plan_builder_data(tg_plan_builder *builder, const char *name, int64_t rows, int64_t cols)
{
  return add_operand(builder, &builder->data,
                     (tg_plan_buffer){.kind = TG_BUFFER_DATA, .rows = rows, .cols = cols, .name = name});
}

int32_t tg_plan_builder_variable(tg_plan_builder *builder, const char *name, int64_t rows, int64_t cols)
{
  return add_operand(builder, &builder->variables,
                     (tg_plan_buffer){.kind = TG_BUFFER_VARIABLE, .rows = rows, .cols = cols, .name = name});
}

static tg_status add_block(tg_plan_builder *builder, tg_buffer_kind kind, int32_t index, int32_t *out)
{
  *out = -1;
  if (kind != TG_BUFFER_DIRECTION && kind != TG_BUFFER_GRADIENT && kind != TG_BUFFER_HESSIAN)
    TG_FAIL(TG_INTERNAL, "buffers of kind %d do not belong to a block", (int)kind);
  if (index < 0 || index >= builder->variables.count)
    TG_FAIL(TG_INTERNAL, "there is no block %" PRId32 " of the point, which has %" PRId32, index,
            builder->variables.count);
  const tg_plan_buffer *buffers = builder->buffers.items;
  for (int32_t b = 0; b < builder->buffers.count; b++)
    if (buffers[b].kind == kind && buffers[b].index == index) {
      *out = b;
      return TG_OK;
    }
  const tg_plan_data *block = (const tg_plan_data *)builder->variables.items + index;
  return add_buffer(builder, (tg_plan_buffer){kind, index, -1, block->rows, block->cols, block->name}, out);
}

int32_t tg_plan_builder_block(tg_plan_builder *builder, tg_buffer_kind kind, int32_t index)
{
  int32_t id = -1;
  if (keep(builder, TG_OK)) keep(builder, add_block(builder, kind, index, &id));
  return id;
}

static tg_status add_storage(tg_plan_builder *builder, tg_plan_buffer buffer, int32_t *out)
{
  *out = -1;
  if (buffer.kind != TG_BUFFER_CONSTANT && buffer.kind != TG_BUFFER_STATE && buffer.kind != TG_BUFFER_TEMP)
    TG_FAIL(TG_INTERNAL, "buffers of kind %d have no storage in the plan", (int)buffer.kind);
  buffer.storage = builder->n_storages;
  TG_TRY(add_buffer(builder, buffer, out));
  builder->n_storages++;
  return TG_OK;
}

int32_t tg_plan_builder_buffer(tg_plan_builder *builder, tg_buffer_kind kind, int64_t rows, int64_t cols,
                               const char *name)
{
  int32_t id = -1;
  if (keep(builder, TG_OK)) keep(builder, add_storage(builder, (tg_plan_buffer){kind, -1, -1, rows, cols, name}, &id));
  return id;
}

static tg_status share(tg_plan_builder *builder, int32_t buffer, int32_t with)
{
  const int32_t count = builder->buffers.count;
  if (buffer < 0 || buffer >= count || with < 0 || with >= count)
    TG_FAIL(TG_INTERNAL, "buffers %" PRId32 " and %" PRId32 " cannot share: there are %" PRId32, buffer, with, count);
  tg_plan_buffer *buffers = builder->buffers.items;
  if (buffers[buffer].kind != TG_BUFFER_TEMP || buffers[with].kind != TG_BUFFER_TEMP)
    TG_FAIL(TG_INTERNAL, "buffers %" PRId32 " and %" PRId32 " cannot share: both must be temporaries", buffer, with);
  buffers[buffer].storage = buffers[with].storage;
  return TG_OK;
}

void tg_plan_builder_share(tg_plan_builder *builder, int32_t buffer, int32_t with)
{
  if (keep(builder, TG_OK)) keep(builder, share(builder, buffer, with));
}

const tg_plan_buffer *tg_plan_builder_buffer_info(const tg_plan_builder *builder, int32_t buffer)
{
  static const tg_plan_buffer unknown = {.index = -1, .storage = -1, .name = ""};
  if (buffer < 0 || buffer >= builder->buffers.count) return &unknown;
  return (const tg_plan_buffer *)builder->buffers.items + buffer;
}

int32_t tg_plan_builder_register(tg_plan_builder *builder)
{
  return keep(builder, TG_OK) ? builder->plan->n_registers++ : -1;
}

int32_t tg_plan_builder_constant(tg_plan_builder *builder, double value)
{
  const tg_register_init init = {tg_plan_builder_register(builder), value};
  if (init.reg < 0) return -1;
  return keep(builder, push(&builder->inits, sizeof init, &init)) ? init.reg : -1;
}

int32_t tg_plan_builder_factor(tg_plan_builder *builder, int64_t n)
{
  return tg_plan_builder_factor_for(builder, (tg_plan_factor){.use = TG_FACTOR_OF_SYSTEM, .rows = n, .cols = n});
}

int32_t tg_plan_builder_factor_for(tg_plan_builder *builder, tg_plan_factor factor)
{
  if (!keep(builder, TG_OK)) return -1;
  return keep(builder, push(&builder->factors, sizeof factor, &factor)) ? builder->factors.count - 1 : -1;
}

void tg_plan_builder_set_value(tg_plan_builder *builder, int32_t reg)
{
  if (keep(builder, TG_OK)) builder->plan->value_register = reg;
}

void tg_plan_builder_set_step(tg_plan_builder *builder, int32_t reg)
{
  if (keep(builder, TG_OK)) builder->plan->step_register = reg;
}

void tg_plan_builder_set_degree(tg_plan_builder *builder, int32_t degree)
{
  if (keep(builder, TG_OK)) builder->plan->degree = degree;
}

void tg_plan_builder_set_line(tg_plan_builder *builder, int32_t power, int32_t reg)
{
  if (!keep(builder, TG_OK)) return;
  if (power >= 1 && power <= TG_LINE_DEGREE_MAX)
    builder->plan->line_registers[power] = reg;
  else
    keep(builder, tg_error_set(TG_INTERNAL, TG_HERE, "a line has no coefficient of t^%" PRId32, power));
}

// Copies `count` items into the arena.
static tg_status copy_items(tg_arena *arena, int32_t count, size_t item_bytes, const void *items, const void **out)
{
  void *copy = NULL;
  TG_TRY(tg_arena_alloc(arena, (size_t)count, item_bytes, &copy));
  if (count > 0) memcpy(copy, items, (size_t)count * item_bytes);
  *out = copy;
  return TG_OK;
}

static tg_status append(tg_plan_builder *builder, tg_program_id program, const tg_instr *instr)
{
  if (program >= TG_PROGRAM_COUNT) TG_FAIL(TG_INTERNAL, "there is no program %d", (int)program);
  if (instr->n_in < 0 || instr->n_code < 0)
    TG_FAIL(TG_INTERNAL, "an instruction of %" PRId32 " inputs and %" PRId32 " steps", instr->n_in, instr->n_code);
  tg_arena *arena = &builder->plan->arena;
  tg_instr copy = *instr;
  const int32_t n_coefs = instr->coefs != NULL ? instr->n_in : 0;
  TG_TRY(copy_items(arena, instr->n_in, sizeof *instr->in, instr->in, (const void **)&copy.in));
  TG_TRY(copy_items(arena, n_coefs, sizeof *instr->coefs, instr->coefs, (const void **)&copy.coefs));
  TG_TRY(copy_items(arena, instr->n_code, sizeof *instr->code, instr->code, (const void **)&copy.code));
  if (instr->coefs == NULL) copy.coefs = NULL;
  return push(&builder->programs[program], sizeof copy, &copy);
}

void tg_plan_builder_append(tg_plan_builder *builder, tg_program_id program, const tg_instr *instr)
{
  if (keep(builder, TG_OK)) keep(builder, append(builder, program, instr));
}

// Storage ids without gaps, in order of first use.
static tg_status compact_storage(tg_plan_builder *builder)
{
  tg_plan_buffer *buffers = builder->buffers.items;
  int32_t *renamed = NULL;
  TG_TRY(TG_NEW(builder->n_storages, &renamed));
  int32_t used = 0;
  for (int32_t b = 0; b < builder->buffers.count; b++) {
    if (buffers[b].storage < 0) continue;
    int32_t *name = &renamed[buffers[b].storage]; // 0: not seen yet
    if (*name == 0) *name = ++used;
    buffers[b].storage = *name - 1;
  }
  tg_free(renamed);
  builder->n_storages = used;
  return TG_OK;
}

static tg_status take_tables(tg_plan_builder *builder, tg_plan *plan)
{
  tg_arena *arena = &plan->arena;
  plan->n_buffers = builder->buffers.count;
  TG_TRY(
      copy_items(arena, plan->n_buffers, sizeof *plan->buffers, builder->buffers.items, (const void **)&plan->buffers));
  plan->n_data = builder->data.count;
  TG_TRY(copy_items(arena, plan->n_data, sizeof *plan->data, builder->data.items, (const void **)&plan->data));
  plan->n_variables = builder->variables.count;
  TG_TRY(copy_items(arena, plan->n_variables, sizeof *plan->variables, builder->variables.items,
                    (const void **)&plan->variables));
  plan->n_factors = builder->factors.count;
  TG_TRY(
      copy_items(arena, plan->n_factors, sizeof *plan->factors, builder->factors.items, (const void **)&plan->factors));
  plan->n_inits = builder->inits.count;
  TG_TRY(copy_items(arena, plan->n_inits, sizeof *plan->inits, builder->inits.items, (const void **)&plan->inits));
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    tg_program *program = &plan->programs[p];
    program->n_instrs = builder->programs[p].count;
    TG_TRY(copy_items(arena, program->n_instrs, sizeof *program->instrs, builder->programs[p].items,
                      (const void **)&program->instrs));
  }
  return TG_OK;
}

tg_status tg_plan_builder_finish(tg_plan_builder *builder, tg_plan **out)
{
  *out = NULL;
  TG_TRY(builder->status);
  tg_plan *plan = builder->plan;
  if (plan == NULL) TG_FAIL(TG_INTERNAL, "the plan has been handed over already");
  TG_TRY(compact_storage(builder));
  TG_TRY(take_tables(builder, plan));
  plan->has_state = plan->programs[TG_PROGRAM_REFRESH].n_instrs > 0;
  plan->has_hessian = plan->programs[TG_PROGRAM_HESSIAN].n_instrs > 0;
  plan->has_line = plan->degree >= 1 && plan->degree <= TG_LINE_DEGREE_MAX;
  for (int32_t k = 1; plan->has_line && k <= plan->degree; k++) plan->has_line = plan->line_registers[k] >= 0;
  plan->line_by_hessian = plan->degree == 2 && plan->has_hessian && !plan->has_line;
  plan->has_line = plan->has_line || plan->line_by_hessian;
  TG_TRY(tg_plan_verify(plan));
  builder->plan = NULL;
  builder->status = tg_error_set(TG_INTERNAL, TG_HERE, "the plan has been handed over already");
  *out = plan;
  return TG_OK;
}

// ---- values of instructions ----

tg_coef tg_coef_number(double value)
{
  return (tg_coef){value, -1};
}

tg_coef tg_coef_register(double value, int32_t reg)
{
  return (tg_coef){value, reg};
}

tg_instr tg_instr_make(tg_opcode op, int32_t out)
{
  return (tg_instr){.op = op, .out = out, .factor = -1, .alpha = tg_coef_number(1)};
}
