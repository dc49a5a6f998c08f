// Entrywise expressions as postfix code: a whole chain of them in one pass over memory.
#include "base/memory.h"
#include "grad/graph/entry.h"
#include "grad/lower/lower_parts.h"

// Deeper subexpressions get a pass of their own; the rest of TG_CODE_DEPTH is for the constants of one step.
enum { DEPTH_MAX = TG_CODE_DEPTH - 5 };

typedef struct code_writer {
  tg_low_list code; // tg_code
  tg_low_list in;   // int32_t
} code_writer;

bool tg_low_is_entrywise(const tg_lowering *l, tg_node node)
{
  const tg_kind kind = tg_node_info(l->graph, node)->kind;
  return kind == TG_HAD || kind == TG_POW || kind == TG_MAX || kind == TG_MIN || kind == TG_DIVIDED ||
         tg_entry(kind) != NULL;
}

// The rows of the table stand in one order in both enumerations.
tg_code_op tg_low_code_of(tg_kind kind)
{
  TG_ASSERT(tg_entry(kind) != NULL);
  return (tg_code_op)((int)TG_CODE_ENTRY_FIRST + (int)kind - (int)TG_ENTRY_FIRST);
}

static tg_status put(code_writer *w, tg_code_op op, int32_t operand, double value)
{
  const tg_code step = {.op = op, .operand = operand, .value = value};
  return tg_low_push(&w->code, sizeof step, &step);
}

static tg_status put_op(code_writer *w, tg_code_op op)
{
  return put(w, op, 0, 0);
}

static tg_status put_coef(code_writer *w, tg_coef coef)
{
  if (coef.reg < 0) return put(w, TG_CODE_NUMBER, 0, coef.value);
  TG_TRY(put(w, TG_CODE_REG, coef.reg, 0));
  if (coef.value == 1.0) return TG_OK;
  TG_TRY(put(w, TG_CODE_NUMBER, 0, coef.value));
  return put_op(w, TG_CODE_MUL);
}

static tg_status put_factor(code_writer *w, tg_coef coef)
{
  if (coef.reg < 0 && coef.value == 1.0) return TG_OK;
  if (coef.reg < 0 && coef.value == -1.0) return put_op(w, TG_CODE_NEG);
  TG_TRY(put_coef(w, coef));
  return put_op(w, TG_CODE_MUL);
}

// Each buffer is one input, however often the code loads it: in place is then safe entry by entry.
static tg_status put_load(code_writer *w, int32_t buffer)
{
  const int32_t *in = w->in.items;
  int32_t k = 0;
  while (k < w->in.count && in[k] != buffer) k++;
  if (k == w->in.count) TG_TRY(tg_low_push(&w->in, sizeof buffer, &buffer));
  return put(w, TG_CODE_LOAD, k, 0);
}

// ---- walking the expression ----

static tg_status write(tg_lowering *l, code_writer *w, tg_node node, int depth);

// A scale costs a step of code, a transpose a pass over memory: the first is applied here, the second made plain.
static tg_status write_leaf(tg_lowering *l, code_writer *w, tg_node node)
{
  tg_low_value value;
  int32_t buffer = -1;
  TG_TRY(tg_low_matrix(l, node, &value));
  tg_coef scale = tg_coef_number(1);
  if (value.trans) {
    TG_TRY(tg_low_plain(l, node, &buffer));
  } else {
    buffer = value.buffer;
    scale = value.scale;
  }
  TG_TRY(put_load(w, buffer));
  return put_factor(w, scale);
}

// Whether the node's code is written in place: entrywise, needed here only, not made by setup.
static bool inlines(tg_lowering *l, tg_node node, int depth)
{
  tg_low_value value;
  const tg_kind kind = tg_node_info(l->graph, node)->kind;
  if (!tg_low_is_entrywise(l, node) && kind != TG_LIN) return false;
  if (l->options->without[TG_PASS_FUSION] || depth >= DEPTH_MAX) return false;
  if (tg_low_uses(l, node) > 1 || tg_low_find(l, node, &value)) return false;
  const bool hoists = !l->options->without[TG_PASS_HOISTING] && l->program != TG_PROGRAM_SETUP;
  return !hoists || !tg_low_is_constant(l, node);
}

// An operand of an entrywise operator: scalar, ones, code in place, or a buffer.
static tg_status write_operand(tg_lowering *l, code_writer *w, tg_node node, int depth)
{
  tg_coef scalar;
  if (tg_node_is_scalar(l->graph, node)) {
    TG_TRY(tg_low_scalar(l, node, &scalar));
    return put_coef(w, scalar);
  }
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->kind == TG_ONES) return put(w, TG_CODE_NUMBER, 0, 1);
  if (info->kind == TG_PROD && info->n_args == info->n_scalars + 1 &&
      tg_node_info(l->graph, info->args[info->n_scalars])->kind == TG_ONES) { // s*ones
    TG_TRY(tg_low_scalars(l, node, &scalar));
    return put_coef(w, scalar);
  }
  return inlines(l, node, depth) ? write(l, w, node, depth) : write_leaf(l, w, node);
}

// v*ones(1,n) or ones(m,1)*v' as the vector alone, spread over the rows or the columns.
static tg_status write_spread(tg_lowering *l, code_writer *w, tg_node node, int depth)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t buffer = -1;
  const bool is_outer = info->kind == TG_PROD && info->n_scalars == 0 && info->n_args == 2;
  for (int k = 0; is_outer && k < 2; k++) {
    if (tg_node_info(l->graph, info->args[1 - k])->kind != TG_ONES) continue;
    if (tg_dim_value(l->graph, k == 0 ? tg_node_info(l->graph, info->args[0])->cols
                                      : tg_node_info(l->graph, info->args[1])->rows) != 1)
      continue;
    TG_TRY(tg_low_plain(l, info->args[k], &buffer));
    TG_TRY(put_load(w, buffer));
    tg_code *step = (tg_code *)w->code.items + w->code.count - 1;
    step->op = k == 0 ? TG_CODE_ROW : TG_CODE_COL;
    return TG_OK;
  }
  return write_operand(l, w, node, depth);
}

static tg_status write_lin(tg_lowering *l, code_writer *w, const tg_info *info, int depth)
{
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_info *term = tg_node_info(l->graph, info->args[i]);
    tg_coef coef = tg_coef_number(1);
    tg_node core = info->args[i];
    if (term->kind == TG_PROD && term->n_scalars > 0) {
      TG_TRY(tg_low_scalars(l, core, &coef));
      TG_TRY(tg_make_prod(l->graph, term->n_args - term->n_scalars, term->args + term->n_scalars, &core));
    }
    coef.value *= info->coefs[i];
    const bool subtract = i > 0 && coef.value < 0;
    if (subtract) coef.value = -coef.value;
    TG_TRY(write_operand(l, w, core, depth + (i > 0)));
    TG_TRY(put_factor(w, coef));
    if (i > 0) TG_TRY(put_op(w, subtract ? TG_CODE_SUB : TG_CODE_ADD));
  }
  return TG_OK;
}

// Quotients, squares and roots have steps of their own: pow() is ten times dearer.
static tg_status write_pow(tg_lowering *l, code_writer *w, const tg_info *info, int depth)
{
  double exponent = 0;
  const bool number = tg_node_is_number(l->graph, info->args[1], &exponent);
  if (number && exponent == -1.0) TG_TRY(put(w, TG_CODE_NUMBER, 0, 1));
  TG_TRY(write_operand(l, w, info->args[0], depth + (number && exponent == -1.0)));
  if (number && exponent == -1.0) return put_op(w, TG_CODE_DIV);
  if (number && exponent == 2.0) return put_op(w, TG_CODE_SQUARE);
  if (number && exponent == 0.5) return put_op(w, TG_CODE_SQRT);
  TG_TRY(write_operand(l, w, info->args[1], depth + 1));
  return put_op(w, TG_CODE_POW);
}

static tg_status write(tg_lowering *l, code_writer *w, tg_node node, int depth)
{
  const tg_info *info = tg_node_info(l->graph, node);
  switch (info->kind) {
  case TG_LIN:
    return write_lin(l, w, info, depth);
  case TG_HAD:
    for (int32_t i = 0; i < info->n_args; i++) {
      TG_TRY(write_operand(l, w, info->args[i], depth + (i > 0)));
      if (i > 0) TG_TRY(put_op(w, TG_CODE_MUL));
    }
    return TG_OK;
  case TG_POW:
    return write_pow(l, w, info, depth);
  case TG_DIVIDED:
    for (int32_t i = 0; i < 2; i++) TG_TRY(write_spread(l, w, info->args[i], depth + i));
    return put(w, TG_CODE_DIVIDED, (int32_t)info->exponent, 0);
  case TG_MAX:
  case TG_MIN:
    for (int32_t i = 0; i < 2; i++) TG_TRY(write_operand(l, w, info->args[i], depth + i));
    return put_op(w, info->kind == TG_MAX ? TG_CODE_MAX : TG_CODE_MIN);
  default:
    TG_TRY(write_operand(l, w, info->args[0], depth));
    return put_op(w, tg_low_code_of(info->kind));
  }
}

// ---- instructions ----

static tg_status append(tg_lowering *l, const code_writer *w, tg_opcode op, int32_t out)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.n_in = (int32_t)w->in.count;
  instr.in = w->in.items;
  instr.n_code = (int32_t)w->code.count;
  instr.code = w->code.items;
  return tg_low_append(l, &instr);
}

static void fini(code_writer *w)
{
  tg_free(w->code.items);
  tg_free(w->in.items);
}

tg_status tg_low_entrywise(tg_lowering *l, tg_node node, tg_low_value *out)
{
  code_writer w = {.code = {.items = NULL}, .in = {.items = NULL}};
  *out = (tg_low_value){-1, false, tg_coef_number(1)};
  tg_status status = write(l, &w, node, 0);
  if (status == TG_OK) status = tg_low_buffer_new(l, node, false, &out->buffer);
  if (status == TG_OK) status = append(l, &w, TG_OP_ENTRYWISE, out->buffer);
  fini(&w);
  return status;
}

// ---- inner products without storing their halves ----

enum { TURN_CONSTANT = 1, TURN_MOVING = 1000 };

// What it costs to have the node, or what it is made of, in its own layout: transpositions in setup, and in every run.
static int turns_of(tg_lowering *l, tg_node node)
{
  tg_low_value value;
  bool symmetric = false;
  const tg_info *info = tg_node_info(l->graph, node);
  const int turn = tg_low_is_constant(l, node) ? TURN_CONSTANT : TURN_MOVING;
  if (tg_node_is_scalar(l->graph, node)) return 0;
  if (tg_node_is_symmetric(l->graph, node, &symmetric) == TG_OK && symmetric) return 0;
  if (tg_low_find(l, node, &value)) return value.trans ? turn : 0;
  if (info->kind == TG_TRANS) return tg_node_info(l->graph, info->args[0])->kind == TG_INV ? 0 : turn;
  const bool scaled = info->kind == TG_PROD && info->n_args - info->n_scalars == 1;
  if (info->kind != TG_LIN && !scaled && !tg_low_is_entrywise(l, node)) return 0;
  int sum = 0;
  for (int32_t i = 0; i < info->n_args && sum < TURN_MOVING; i++) sum += turns_of(l, info->args[i]);
  return sum;
}

// Whether only this inner product needs the node, counting its transpose; it has `own` of the uses.
static bool is_mine(tg_lowering *l, tg_node node, tg_node turned, int32_t own)
{
  const int32_t uses = tg_low_uses(l, node) + (turned == node ? 0 : tg_low_uses(l, turned));
  const tg_kind kind = tg_node_info(l->graph, node)->kind;
  tg_low_value value;
  if (l->options->without[TG_PASS_FUSION] || uses > own || (kind != TG_LIN && !tg_low_is_entrywise(l, node)))
    return false;
  if (tg_low_find(l, node, &value)) return false;
  return l->options->without[TG_PASS_HOISTING] || !tg_low_is_constant(l, node);
}

// An operand of the inner product: code in place if it is nobody else's.
static tg_status write_half(tg_lowering *l, code_writer *w, tg_node node, bool mine, int depth)
{
  return mine ? write(l, w, node, depth) : write_operand(l, w, node, depth);
}

// Storing a half costs a write and a read of it; here its operands are read once and the rest stays in cache.
tg_status tg_low_entry_inner(tg_lowering *l, tg_node a, tg_node b, bool *done, tg_coef *out)
{
  tg_node turned[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_make_trans(l->graph, a, &turned[0]));
  TG_TRY(tg_make_trans(l->graph, b, &turned[1]));
  const bool mine[2] = {is_mine(l, a, turned[0], a == b ? 2 : 1), is_mine(l, b, turned[1], a == b ? 2 : 1)};
  const int turns = turns_of(l, a) + turns_of(l, b);
  const int other = turns_of(l, turned[0]) + turns_of(l, turned[1]);
  *done = (mine[0] || mine[1]) && (turns < TURN_MOVING || other < TURN_MOVING);
  if (!*done) return TG_OK;
  if (other < turns) { // <A, B> = <A', B'>
    a = turned[0];
    b = turned[1];
  }
  code_writer w = {.code = {.items = NULL}, .in = {.items = NULL}};
  tg_status status = write_half(l, &w, a, mine[0], 0);
  if (status == TG_OK && a != b) status = write_half(l, &w, b, mine[1], 1);
  if (status == TG_OK) status = put_op(&w, a == b ? TG_CODE_SQUARE : TG_CODE_MUL);
  *done = status == TG_OK && w.in.count > 0;
  if (*done) {
    *out = tg_coef_register(1, tg_low_register_new(l));
    status = append(l, &w, TG_OP_EWSUM, out->reg);
  }
  fini(&w);
  return status;
}

// Code that loads no matrix has one value, that of all entries: their sum is that times their number.
static tg_status sum_of_equals(tg_lowering *l, code_writer *w, tg_node node, int32_t out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  const double count = (double)tg_dim_value(l->graph, info->rows) * (double)tg_dim_value(l->graph, info->cols);
  TG_TRY(put_factor(w, tg_coef_number(count)));
  return append(l, w, TG_OP_SCALAR, out);
}

tg_status tg_low_entry_sum(tg_lowering *l, tg_node node, tg_coef *out)
{
  code_writer w = {.code = {.items = NULL}, .in = {.items = NULL}};
  *out = tg_coef_register(1, tg_low_register_new(l));
  const bool fused = !l->options->without[TG_PASS_FUSION] && tg_low_is_entrywise(l, node);
  tg_status status = fused && inlines(l, node, 0) ? write(l, &w, node, 0) : write_leaf(l, &w, node);
  if (status == TG_OK && w.in.count == 0)
    status = sum_of_equals(l, &w, node, out->reg);
  else if (status == TG_OK)
    status = append(l, &w, TG_OP_EWSUM, out->reg);
  fini(&w);
  return status;
}
