// The plan under construction: buffers, registers and instructions, shared storage, hand-over to the builder.
#include <string.h>

#include "base/memory.h"
#include "grad/lower/lower_parts.h"

// Maximum length of the label of an intermediate result. A symbol keeps its whole name, by which data and variables
// are found.
enum { LABEL_LENGTH = 48 };

tg_status tg_low_push(tg_low_list *list, size_t item_bytes, const void *item)
{
  void *slot = NULL;
  TG_TRY(tg_low_at(list, item_bytes, list->count, &slot));
  memcpy(slot, item, item_bytes);
  return TG_OK;
}

tg_status tg_low_at(tg_low_list *list, size_t item_bytes, int64_t at, void **out)
{
  if (at >= list->capacity) {
    const int64_t capacity = at < 32 ? 64 : 2 * at;
    TG_TRY(tg_grow(capacity, item_bytes, &list->items));
    memset((char *)list->items + (size_t)list->capacity * item_bytes, 0,
           (size_t)(capacity - list->capacity) * item_bytes);
    list->capacity = capacity;
  }
  if (at >= list->count) list->count = at + 1;
  *out = (char *)list->items + (size_t)at * item_bytes;
  return TG_OK;
}

// The printed expression, cut where it gets long.
static tg_status name_of(tg_lowering *l, tg_node node, const char **out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->kind == TG_SYM) {
    const char *symbol = tg_symbol_info(l->graph, info->symbol)->name;
    return tg_arena_string(&l->arena, symbol, strlen(symbol), out);
  }
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_print_start(l->graph, node, TG_FORMAT_EXPR, LABEL_LENGTH, &text);
  if (status == TG_OK) status = tg_text_status(&text);
  const char *string = tg_text_string(&text);
  size_t length = strlen(string);
  char name[LABEL_LENGTH + 4] = "";
  if (length > LABEL_LENGTH) length = LABEL_LENGTH;
  memcpy(name, string, length);
  if (string[length] != '\0') memcpy(name + length, "...", 3);
  tg_text_fini(&text);
  TG_TRY(status);
  return tg_arena_string(&l->arena, name, strlen(name), out);
}

static tg_status add(tg_lowering *l, tg_low_buffer buffer, tg_node like, int32_t *out)
{
  buffer.id = -1;
  TG_TRY(name_of(l, like, &buffer.name));
  TG_TRY(tg_low_push(&l->buffers, sizeof buffer, &buffer));
  *out = (int32_t)l->buffers.count - 1;
  return TG_OK;
}

tg_status tg_low_buffer_add(tg_lowering *l, tg_buffer_kind kind, int32_t index, tg_node like, int32_t *out)
{
  return add(l,
             (tg_low_buffer){.kind = kind, .index = index, .rows = tg_low_rows(l, like), .cols = tg_low_cols(l, like)},
             like, out);
}

int32_t tg_low_buffer_find(const tg_lowering *l, tg_buffer_kind kind, int32_t index)
{
  for (int32_t k = 0; k < l->buffers.count; k++) {
    const tg_low_buffer *buffer = tg_low_buffer_get(l, k);
    if (buffer->kind == kind && buffer->index == index) return k;
  }
  return -1;
}

tg_status tg_low_buffer_new(tg_lowering *l, tg_node like, bool trans, int32_t *out)
{
  if (trans) TG_TRY(tg_make_trans(l->graph, like, &like));
  return tg_low_buffer_add(l, l->program == TG_PROGRAM_SETUP ? TG_BUFFER_CONSTANT : TG_BUFFER_TEMP, -1, like, out);
}

const tg_low_buffer *tg_low_buffer_get(const tg_lowering *l, int32_t buffer)
{
  return (const tg_low_buffer *)l->buffers.items + buffer;
}

int32_t tg_low_register_new(tg_lowering *l)
{
  return l->n_registers++;
}

tg_status tg_low_register_constant(tg_lowering *l, double value, int32_t *out)
{
  const tg_register_init init = {tg_low_register_new(l), value};
  *out = init.reg;
  return tg_low_push(&l->inits, sizeof init, &init);
}

tg_status tg_low_factor_new(tg_lowering *l, tg_factor_use use, tg_node of, int32_t *out)
{
  const tg_plan_factor factor = {.use = use, .rows = tg_low_rows(l, of), .cols = tg_low_cols(l, of)};
  TG_TRY(tg_low_push(&l->factors, sizeof factor, &factor));
  *out = (int32_t)l->factors.count - 1;
  return TG_OK;
}

static tg_status copy_items(tg_arena *arena, int32_t count, size_t item_bytes, const void *items, const void **out)
{
  void *copy = NULL;
  TG_TRY(tg_arena_alloc(arena, (size_t)count, item_bytes, &copy));
  if (count > 0) memcpy(copy, items, (size_t)count * item_bytes);
  *out = copy;
  return TG_OK;
}

tg_status tg_low_append(tg_lowering *l, const tg_instr *instr)
{
  tg_instr copy = *instr;
  TG_TRY(copy_items(&l->arena, instr->n_in, sizeof *instr->in, instr->in, (const void **)&copy.in));
  if (instr->coefs != NULL)
    TG_TRY(copy_items(&l->arena, instr->n_in, sizeof *instr->coefs, instr->coefs, (const void **)&copy.coefs));
  TG_TRY(copy_items(&l->arena, instr->n_code, sizeof *instr->code, instr->code, (const void **)&copy.code));
  return tg_low_push(&l->programs[l->program], sizeof copy, &copy);
}

tg_status tg_low_unary(tg_lowering *l, tg_opcode op, int32_t out, int32_t in)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.n_in = 1;
  instr.in = &in;
  return tg_low_append(l, &instr);
}

tg_status tg_low_binary(tg_lowering *l, tg_opcode op, int32_t out, int32_t a, int32_t b)
{
  tg_instr instr = tg_instr_make(op, out);
  const int32_t in[2] = {a, b};
  instr.n_in = 2;
  instr.in = in;
  return tg_low_append(l, &instr);
}

// ---- renaming ----

// An output is computed in its own buffer rather than copied there: all mentions of the temporary are renamed. The
// outputs may be read in the program that writes them, so readers that come later are renamed just the same.
bool tg_low_retarget(tg_lowering *l, int32_t from, int32_t to)
{
  const tg_low_buffer *source = tg_low_buffer_get(l, from);
  const tg_low_buffer *target = tg_low_buffer_get(l, to);
  if (source->kind != TG_BUFFER_TEMP || source->rows != target->rows || source->cols != target->cols) return false;
  tg_instr *instrs = l->programs[l->program].items;
  for (int64_t k = 0; k < l->programs[l->program].count; k++) {
    if (instrs[k].out == from && tg_opcode_traits(instrs[k].op)->result == TG_RESULT_BUFFER) instrs[k].out = to;
    int32_t *in = (int32_t *)(uintptr_t)instrs[k].in; // our own copy, in the arena
    for (int32_t i = 0; i < instrs[k].n_in; i++)
      if (in[i] == from) in[i] = to;
  }
  tg_low_memo *memo = l->memo[l->program].items;
  for (int64_t k = 0; k < l->memo[l->program].count; k++) {
    if (memo[k].has_value && memo[k].value.buffer == from) memo[k].value.buffer = to;
    if (memo[k].has_plain && memo[k].plain == from) memo[k].plain = to;
  }
  return true;
}

// Registers that setup or an initial content fixes are not written here and stay as they are.
bool tg_low_retarget_register(tg_lowering *l, int32_t from, int32_t to)
{
  tg_instr *instrs = l->programs[l->program].items;
  tg_low_memo *memo = l->memo[l->program].items;
  bool written = false;
  for (int64_t k = 0; k < l->programs[l->program].count; k++)
    written |= tg_opcode_traits(instrs[k].op)->result == TG_RESULT_REGISTER && instrs[k].out == from;
  if (!written) return false;
  for (int64_t k = 0; k < l->programs[l->program].count; k++) {
    tg_instr *instr = &instrs[k];
    tg_coef *coefs = (tg_coef *)(uintptr_t)instr->coefs; // our own copies, in the arena
    tg_code *code = (tg_code *)(uintptr_t)instr->code;
    if (tg_opcode_traits(instr->op)->result == TG_RESULT_REGISTER && instr->out == from) instr->out = to;
    if (instr->alpha.reg == from) instr->alpha.reg = to;
    for (int32_t i = 0; coefs != NULL && i < instr->n_in; i++)
      if (coefs[i].reg == from) coefs[i].reg = to;
    for (int32_t i = 0; i < instr->n_code; i++)
      if (code[i].op == TG_CODE_REG && code[i].operand == from) code[i].operand = to;
  }
  for (int64_t k = 0; k < l->memo[l->program].count; k++) {
    if (memo[k].has_scalar && memo[k].scalar.reg == from) memo[k].scalar.reg = to;
    if (memo[k].has_value && memo[k].value.scale.reg == from) memo[k].value.scale.reg = to;
  }
  return true;
}

// The instruction that alone writes a temporary which nothing has read, NULL when there is none.
static tg_instr *only_writer(const tg_lowering *l, int32_t buffer)
{
  tg_instr *instrs = l->programs[l->program].items;
  tg_instr *writer = NULL;
  if (tg_low_buffer_get(l, buffer)->kind != TG_BUFFER_TEMP) return NULL;
  for (int64_t k = 0; k < l->programs[l->program].count; k++) {
    for (int32_t i = 0; i < instrs[k].n_in; i++)
      if (instrs[k].in[i] == buffer) return NULL;
    if (instrs[k].out != buffer || tg_opcode_traits(instrs[k].op)->result != TG_RESULT_BUFFER) continue;
    if (writer != NULL) return NULL;
    writer = &instrs[k];
  }
  return writer;
}

// What the memo knows of the buffer, after its content was scaled and perhaps transposed.
static void adjust_memo(tg_lowering *l, int32_t buffer, double scale, bool turned)
{
  tg_low_memo *memo = l->memo[l->program].items;
  for (int64_t k = 0; k < l->memo[l->program].count; k++) {
    if (memo[k].has_plain && memo[k].plain == buffer) memo[k].has_plain = false;
    if (!memo[k].has_value || memo[k].value.buffer != buffer) continue;
    memo[k].value.scale.value /= scale;
    memo[k].value.trans = memo[k].value.trans != turned;
  }
}

// (A B)' = B' A'
static void turn_product(tg_lowering *l, tg_instr *instr)
{
  int32_t *in = (int32_t *)(uintptr_t)instr->in;
  tg_low_buffer *out = (tg_low_buffer *)l->buffers.items + instr->out;
  const int32_t first = in[0];
  const bool trans[2] = {!instr->trans[1], !instr->trans[0]};
  const bool symmetric[2] = {instr->symmetric[1], instr->symmetric[0]};
  const int64_t rows = out->rows;
  in[0] = in[1];
  in[1] = first;
  for (int s = 0; s < 2; s++) {
    instr->trans[s] = trans[s] && !symmetric[s];
    instr->symmetric[s] = symmetric[s];
  }
  out->rows = out->cols;
  out->cols = rows;
}

// Scaling by a register is left alone: the register may be written only after the product.
void tg_low_absorb(tg_lowering *l, tg_low_value *value)
{
  tg_instr *instr = only_writer(l, value->buffer);
  if (instr == NULL || instr->op != TG_OP_GEMM || instr->beta != 0) return;
  const double scale = value->scale.reg < 0 && value->scale.value != 0 ? value->scale.value : 1;
  const bool turned = value->trans;
  if (turned) turn_product(l, instr);
  instr->alpha.value *= scale;
  adjust_memo(l, value->buffer, scale, turned);
  value->scale.value /= scale;
  value->trans = false;
}

// ---- storage ----

typedef struct storage_pool {
  int64_t *last; // by buffer: last instruction of the program that reads or writes it, -1 none
  int32_t *with; // by buffer: the buffer whose storage it takes, -1 its own
  bool *is_free; // by buffer: a storage head that nothing lives in
} storage_pool;

static bool broadcasts(const tg_instr *instr, int32_t k)
{
  for (int32_t s = 0; s < instr->n_code; s++)
    if ((instr->code[s].op == TG_CODE_ROW || instr->code[s].op == TG_CODE_COL) && instr->code[s].operand == k)
      return true;
  return false;
}

static void note_last_uses(const tg_lowering *l, tg_program_id id, int64_t *last)
{
  const tg_instr *instrs = l->programs[id].items;
  for (int64_t b = 0; b < l->buffers.count; b++) last[b] = -1;
  for (int64_t k = 0; k < l->programs[id].count; k++) {
    for (int32_t i = 0; i < instrs[k].n_in; i++) last[instrs[k].in[i]] = k;
    if (tg_opcode_traits(instrs[k].op)->result == TG_RESULT_BUFFER) last[instrs[k].out] = k;
  }
}

static int32_t head_of(const storage_pool *pool, int32_t buffer)
{
  return pool->with[buffer] >= 0 ? pool->with[buffer] : buffer;
}

// Gives the storage of inputs that die at instruction k back: before its result is placed, where the result may
// stand in the input's place, or after.
static void release(const tg_lowering *l, storage_pool *pool, const tg_instr *instr, int64_t k, bool before)
{
  const bool in_place = tg_opcode_traits(instr->op)->in_place;
  for (int32_t i = 0; i < instr->n_in; i++) {
    const int32_t in = instr->in[i];
    if (tg_low_buffer_get(l, in)->kind != TG_BUFFER_TEMP || pool->last[in] != k) continue;
    if ((in_place && !broadcasts(instr, i)) == before) pool->is_free[head_of(pool, in)] = true;
  }
}

static void place(const tg_lowering *l, storage_pool *pool, int32_t out)
{
  const tg_low_buffer *buffer = tg_low_buffer_get(l, out);
  for (int32_t b = 0; b < l->buffers.count; b++) {
    const tg_low_buffer *other = tg_low_buffer_get(l, b);
    if (!pool->is_free[b] || other->rows != buffer->rows || other->cols != buffer->cols) continue;
    pool->is_free[b] = false;
    pool->with[out] = b;
    return;
  }
}

// Linear scan over straight-line code: lives are intervals between the first write and the last read, and only
// equal shapes share, so the first free storage is as good as any.
// One program: each temporary takes the storage of a dead one of its shape.
static void share_program(const tg_lowering *l, tg_program_id id, storage_pool *pool, bool *placed)
{
  const tg_instr *instrs = l->programs[id].items;
  note_last_uses(l, id, pool->last);
  for (int64_t k = 0; k < l->programs[id].count; k++) {
    const tg_opcode_info *traits = tg_opcode_traits(instrs[k].op);
    release(l, pool, &instrs[k], k, true);
    const int32_t out = instrs[k].out;
    if (traits->result == TG_RESULT_BUFFER && tg_low_buffer_get(l, out)->kind == TG_BUFFER_TEMP && !placed[out]) {
      placed[out] = true;
      place(l, pool, out);
    }
    release(l, pool, &instrs[k], k, false);
  }
  for (int32_t b = 0; b < l->buffers.count; b++)
    if (placed[b]) pool->is_free[head_of(pool, b)] = true;
}

// Temporaries live within one program, so programs may share all of theirs.
static tg_status share_storage(tg_lowering *l, int32_t *with)
{
  tg_status status = TG_OK;
  bool *placed = NULL;
  storage_pool pool = {.with = with};
  TG_TRY_GOTO(TG_NEW(l->buffers.count, &placed));
  TG_TRY_GOTO(TG_NEW(l->buffers.count, &pool.last));
  TG_TRY_GOTO(TG_NEW(l->buffers.count, &pool.is_free));
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) share_program(l, (tg_program_id)p, &pool, placed);
done:
  tg_free(placed);
  tg_free(pool.last);
  tg_free(pool.is_free);
  return status;
}

// ---- hand-over ----

static void replay_buffer(tg_plan_builder *b, tg_low_buffer *buffer)
{
  switch (buffer->kind) {
  case TG_BUFFER_DATA:
    buffer->id = tg_plan_builder_data(b, buffer->name, buffer->rows, buffer->cols);
    break;
  case TG_BUFFER_VARIABLE:
    buffer->id = tg_plan_builder_variable(b, buffer->name, buffer->rows, buffer->cols);
    break;
  case TG_BUFFER_DIRECTION:
  case TG_BUFFER_GRADIENT:
  case TG_BUFFER_HESSIAN:
    buffer->id = tg_plan_builder_block(b, buffer->kind, buffer->index);
    break;
  default:
    buffer->id = tg_plan_builder_buffer(b, buffer->kind, buffer->rows, buffer->cols, buffer->name);
    break;
  }
}

// Buffers that no instruction touches stay out of the plan; operands of the point always belong to it.
static tg_status replay_buffers(tg_lowering *l, tg_plan_builder *b)
{
  bool *touched = NULL;
  tg_low_buffer *buffers = l->buffers.items;
  TG_TRY(TG_NEW(l->buffers.count, &touched));
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    const tg_instr *instrs = l->programs[p].items;
    for (int64_t k = 0; k < l->programs[p].count; k++) {
      for (int32_t i = 0; i < instrs[k].n_in; i++) touched[instrs[k].in[i]] = true;
      if (tg_opcode_traits(instrs[k].op)->result == TG_RESULT_BUFFER) touched[instrs[k].out] = true;
    }
  }
  for (int64_t k = 0; k < l->buffers.count; k++)
    if (touched[k] || buffers[k].kind == TG_BUFFER_VARIABLE) replay_buffer(b, &buffers[k]);
  tg_free(touched);
  return TG_OK;
}

static tg_status replay_instr(tg_lowering *l, tg_plan_builder *b, tg_program_id id, const tg_instr *instr)
{
  tg_instr copy = *instr;
  int32_t *in = NULL;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)instr->n_in, &in));
  for (int32_t i = 0; i < instr->n_in; i++) in[i] = tg_low_buffer_get(l, instr->in[i])->id;
  copy.in = in;
  if (tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER) copy.out = tg_low_buffer_get(l, instr->out)->id;
  tg_plan_builder_append(b, id, &copy);
  return TG_OK;
}

// Initial contents first: the builder numbers registers in the order of their making, and so do we.
static void replay_registers(const tg_lowering *l, tg_plan_builder *b)
{
  const tg_register_init *inits = l->inits.items;
  int64_t next = 0;
  for (int32_t r = 0; r < l->n_registers; r++) {
    if (next < l->inits.count && inits[next].reg == r)
      tg_plan_builder_constant(b, inits[next++].value);
    else
      tg_plan_builder_register(b);
  }
  for (int64_t f = 0; f < l->factors.count; f++)
    tg_plan_builder_factor_for(b, ((const tg_plan_factor *)l->factors.items)[f]);
}

static void replay_roots(const tg_lowering *l, tg_plan_builder *b)
{
  tg_plan_builder_set_value(b, l->value_register);
  tg_plan_builder_set_step(b, l->step_register);
  tg_plan_builder_set_degree(b, l->degree);
  for (int32_t k = 1; k <= l->degree && k <= TG_LINE_DEGREE_MAX; k++)
    if (l->line_registers[k] >= 0) tg_plan_builder_set_line(b, k, l->line_registers[k]);
}

tg_status tg_low_finish(tg_lowering *l, tg_plan **out)
{
  tg_status status = TG_OK;
  tg_plan_builder *b = NULL;
  int32_t *with = NULL;
  TG_TRY_GOTO(tg_plan_builder_create(&b));
  TG_TRY_GOTO(TG_NEW(l->buffers.count, &with));
  for (int64_t k = 0; k < l->buffers.count; k++) with[k] = -1;
  if (!l->options->without[TG_PASS_REUSE]) TG_TRY_GOTO(share_storage(l, with));
  TG_TRY_GOTO(replay_buffers(l, b));
  for (int32_t k = 0; k < l->buffers.count; k++)
    if (with[k] >= 0) tg_plan_builder_share(b, tg_low_buffer_get(l, k)->id, tg_low_buffer_get(l, with[k])->id);
  replay_registers(l, b);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int64_t k = 0; k < l->programs[p].count; k++)
      TG_TRY_GOTO(replay_instr(l, b, (tg_program_id)p, (const tg_instr *)l->programs[p].items + k));
  replay_roots(l, b);
  TG_TRY_GOTO(tg_plan_builder_finish(b, out));
done:
  tg_free(with);
  tg_plan_builder_destroy(&b);
  return status;
}
