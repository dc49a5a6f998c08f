// Scalars: one register per value, numbers folded into coefficients.
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

// Scalar code costs nothing beside a matrix: every scalar node has a register, and nothing is fused.
static tg_status scalar_code(tg_lowering *l, int32_t n_code, const tg_code *code, int32_t *out)
{
  tg_instr instr = tg_instr_make(TG_OP_SCALAR, tg_low_register_new(l));
  instr.n_code = n_code;
  instr.code = code;
  *out = instr.out;
  return tg_low_append(l, &instr);
}

tg_status tg_low_coef_mul(tg_lowering *l, tg_coef a, tg_coef b, tg_coef *out)
{
  const double value = a.value * b.value;
  *out = tg_coef_register(value, a.reg >= 0 ? a.reg : b.reg);
  if (a.reg < 0 || b.reg < 0) return TG_OK;
  const tg_code code[3] = {
      {.op = TG_CODE_REG, .operand = a.reg}, {.op = TG_CODE_REG, .operand = b.reg}, {.op = TG_CODE_MUL}};
  return scalar_code(l, 3, code, &out->reg);
}

// Pushes value * register; returns the number of steps.
static int32_t push_coef(tg_code *code, tg_coef coef)
{
  if (coef.reg < 0) {
    code[0] = (tg_code){.op = TG_CODE_NUMBER, .value = coef.value};
    return 1;
  }
  code[0] = (tg_code){.op = TG_CODE_REG, .operand = coef.reg};
  if (coef.value == 1.0) return 1;
  code[1] = (tg_code){.op = TG_CODE_NUMBER, .value = coef.value};
  code[2] = (tg_code){.op = TG_CODE_MUL};
  return 3;
}

int32_t tg_low_code_scale(tg_code *code, tg_coef coef)
{
  if (coef.reg < 0 && coef.value == 1.0) return 0;
  const int32_t n = push_coef(code, coef);
  code[n] = (tg_code){.op = TG_CODE_MUL};
  return n + 1;
}

tg_status tg_low_coef_register(tg_lowering *l, tg_coef coef, int32_t *out)
{
  *out = coef.reg;
  if (coef.reg >= 0 && coef.value == 1.0) return TG_OK;
  if (coef.reg < 0) return tg_low_register_constant(l, coef.value, out);
  tg_code code[3];
  return scalar_code(l, push_coef(code, coef), code, out);
}

tg_status tg_low_scalars(tg_lowering *l, tg_node product, tg_coef *out)
{
  const tg_info *info = tg_node_info(l->graph, product);
  *out = tg_coef_number(1);
  for (int32_t i = 0; i < info->n_scalars; i++) {
    tg_coef factor;
    TG_TRY(tg_low_scalar(l, info->args[i], &factor));
    TG_TRY(tg_low_coef_mul(l, *out, factor, out));
  }
  return TG_OK;
}

// A number of the job is a register with an initial content; a 1 x 1 matrix is fetched where it is needed first.
static tg_status make_symbol(tg_lowering *l, tg_node node, tg_coef *out)
{
  const int32_t symbol = tg_node_info(l->graph, node)->symbol;
  const tg_lower_options *options = l->options;
  *out = tg_coef_register(1, -1);
  // Directions are symbols made after the caller counted his.
  if (tg_low_is_constant(l, node) && options->has_scalar_value != NULL && options->has_scalar_value[symbol]) {
    TG_TRY(tg_low_register_constant(l, options->scalar_values[symbol], &out->reg));
    return TG_OK;
  }
  int32_t *known = NULL;
  TG_TRY(tg_low_at(&l->symbols, sizeof *known, symbol, (void **)&known));
  if (*known == 0) {
    int32_t buffer = -1;
    TG_TRY(tg_low_buffer_add(l, TG_BUFFER_DATA, -1, node, &buffer));
    *known = buffer + 1;
  }
  const int32_t buffer = *known - 1;
  out->reg = tg_low_register_new(l);
  return tg_low_unary(l, TG_OP_FETCH, out->reg, buffer);
}

static bool find_scalar(const tg_lowering *l, tg_node node, tg_coef *out)
{
  const tg_program_id programs[2] = {l->program, TG_PROGRAM_SETUP};
  for (int p = 0; p < 2; p++) {
    const tg_low_list *list = &l->memo[programs[p]];
    const tg_low_memo *memo = list->items;
    if (node >= list->count || !memo[node].has_scalar) continue;
    *out = memo[node].scalar;
    return true;
  }
  return false;
}

// Whether the term is an inner product that only this sum needs: it may be computed together with others.
static bool may_wait(tg_lowering *l, tg_node node)
{
  tg_coef known;
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->kind != TG_TR && (info->kind != TG_PROD || info->n_scalars > 0)) return false;
  if (l->options->without[TG_PASS_FUSION] || tg_low_uses(l, node) > 1 || find_scalar(l, node, &known)) return false;
  return l->program == TG_PROGRAM_SETUP || l->options->without[TG_PASS_HOISTING] || !tg_low_is_constant(l, node);
}

// One term: its value, or a pair that waits, scaled by the term's coefficient.
static tg_status add_term(tg_lowering *l, double coef, tg_node node, tg_low_list *pairs, tg_low_list *terms)
{
  tg_coef term;
  const int64_t before = pairs->count;
  if (!may_wait(l, node))
    TG_TRY(tg_low_scalar(l, node, &term));
  else if (tg_node_info(l->graph, node)->kind == TG_TR)
    TG_TRY(tg_low_trace(l, tg_node_info(l->graph, node)->args[0], pairs, &term));
  else
    TG_TRY(tg_low_inner(l, node, pairs, &term));
  for (int64_t k = before; k < pairs->count; k++) ((tg_low_pair *)pairs->items)[k].coef.value *= coef;
  term.value *= coef;
  return pairs->count > before ? TG_OK : tg_low_push(terms, sizeof term, &term);
}

// The order is the plan's, the same on every rank: sums of scalars round alike everywhere.
static tg_status add_up(tg_lowering *l, const tg_low_list *terms, tg_coef *out)
{
  const tg_coef *items = terms->items;
  tg_code *code = NULL;
  int32_t n = 0;
  *out = items[0];
  if (terms->count == 1) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&l->arena, 4 * (size_t)terms->count, &code));
  for (int64_t i = 0; i < terms->count; i++) {
    n += push_coef(code + n, items[i]);
    if (i > 0) code[n++] = (tg_code){.op = TG_CODE_ADD};
  }
  *out = tg_coef_number(1);
  return scalar_code(l, n, code, &out->reg);
}

static tg_status make_lin(tg_lowering *l, const tg_info *info, tg_coef *out)
{
  tg_low_list pairs = {.items = NULL};
  tg_low_list terms = {.items = NULL};
  tg_status status = TG_OK;
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY_GOTO(add_term(l, info->coefs[i], info->args[i], &pairs, &terms));
  TG_TRY_GOTO(tg_low_sum_pairs(l, &pairs, &terms));
  TG_TRY_GOTO(add_up(l, &terms, out));
done:
  tg_free(pairs.items);
  tg_free(terms.items);
  return status;
}

// Squares and roots by their own steps, as entry by entry.
static tg_status make_pow(tg_lowering *l, const tg_info *info, tg_coef *out)
{
  tg_coef base;
  tg_coef exponent;
  tg_code code[8];
  TG_TRY(tg_low_scalar(l, info->args[0], &base));
  TG_TRY(tg_low_scalar(l, info->args[1], &exponent));
  int32_t n = push_coef(code, base);
  if (exponent.reg < 0 && exponent.value == 2.0) {
    code[n++] = (tg_code){.op = TG_CODE_SQUARE};
  } else if (exponent.reg < 0 && exponent.value == 0.5) {
    code[n++] = (tg_code){.op = TG_CODE_SQRT};
  } else {
    n += push_coef(code + n, exponent);
    code[n++] = (tg_code){.op = TG_CODE_POW};
  }
  *out = tg_coef_number(1);
  return scalar_code(l, n, code, &out->reg);
}

static tg_status make_function(tg_lowering *l, const tg_info *info, tg_coef *out)
{
  tg_coef argument;
  tg_code code[4];
  TG_TRY(tg_low_scalar(l, info->args[0], &argument));
  const int32_t n = push_coef(code, argument);
  code[n] = (tg_code){.op = tg_low_code_of(info->kind)};
  *out = tg_coef_number(1);
  return scalar_code(l, n + 1, code, &out->reg);
}

static tg_status make_determinant(tg_lowering *l, const tg_info *info, tg_coef *out)
{
  bool trans = false;
  tg_instr instr = tg_instr_make(info->kind == TG_DET ? TG_OP_DET : TG_OP_LOGDET, -1);
  TG_TRY(tg_low_factor(l, info->args[0], &instr.factor, &trans)); // det A' = det A
  instr.out = tg_low_register_new(l);
  *out = tg_coef_register(1, instr.out);
  return tg_low_append(l, &instr);
}

// The larger or the smaller of two scalars.
static tg_status make_larger(tg_lowering *l, const tg_info *info, tg_coef *out)
{
  tg_code code[8];
  int32_t n = 0;
  for (int32_t k = 0; k < 2; k++) {
    tg_coef argument;
    TG_TRY(tg_low_scalar(l, info->args[k], &argument));
    n += push_coef(code + n, argument);
  }
  code[n++] = (tg_code){.op = info->kind == TG_MAX ? TG_CODE_MAX : TG_CODE_MIN};
  *out = tg_coef_number(1);
  return scalar_code(l, n, code, &out->reg);
}

// A 1 x 1 matrix that only a matrix operation makes: computed as such and fetched.
static tg_status make_fetched(tg_lowering *l, tg_node node, tg_opcode op, tg_coef *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t in[2] = {-1, -1};
  tg_instr instr = tg_instr_make(op, -1);
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(tg_low_plain(l, info->args[i], &in[i]));
  TG_TRY(tg_low_buffer_new(l, node, false, &instr.out));
  instr.n_in = info->n_args;
  instr.in = in;
  TG_TRY(tg_low_append(l, &instr));
  *out = tg_coef_register(1, tg_low_register_new(l));
  return tg_low_unary(l, TG_OP_FETCH, out->reg, instr.out);
}

static tg_status make_scalar(tg_lowering *l, tg_node node, tg_coef *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  switch (info->kind) {
  case TG_NUM:
    *out = tg_coef_number(info->value);
    return TG_OK;
  case TG_SYM:
    return make_symbol(l, node, out);
  case TG_LIN:
    return make_lin(l, info, out);
  case TG_PROD:
    return info->n_scalars > 0 ? tg_low_scalars(l, node, out) : tg_low_inner(l, node, NULL, out);
  case TG_POW:
    return make_pow(l, info, out);
  case TG_DET:
  case TG_LOGDET:
    return make_determinant(l, info, out);
  case TG_TR:
    return tg_low_trace(l, info->args[0], NULL, out);
  case TG_SUM:
    return tg_low_sum(l, info->args[0], out);
  case TG_KRONL:
    return make_fetched(l, node, TG_OP_KRON_LEFT, out);
  case TG_KRONR:
    return make_fetched(l, node, TG_OP_KRON_RIGHT, out);
  case TG_VAR: {
    tg_node expanded = TG_NONE;
    TG_TRY(tg_expand_var(l->graph, info->args[0], &expanded));
    return tg_low_scalar(l, expanded, out);
  }
  case TG_LOGSUMEXP:
    return make_fetched(l, node, TG_OP_LOGSUMEXP, out);
  case TG_MAX:
  case TG_MIN:
    return make_larger(l, info, out);
  default:
    if (tg_low_is_entrywise(l, node)) return make_function(l, info, out);
    TG_FAIL(TG_UNSUPPORTED, "a scalar made by '%s' cannot be executed", tg_kind_name(info->kind));
  }
}

tg_status tg_low_scalar(tg_lowering *l, tg_node node, tg_coef *out)
{
  if (find_scalar(l, node, out)) return TG_OK;
  const tg_program_id before = tg_low_enter(l, node);
  tg_status status = make_scalar(l, node, out);
  tg_low_memo *memo = NULL;
  if (status == TG_OK) status = tg_low_at(&l->memo[l->program], sizeof *memo, node, (void **)&memo);
  if (status == TG_OK) {
    memo->has_scalar = true;
    memo->scalar = *out;
  }
  l->program = before;
  return status;
}
