// One matrix node to instructions: leaves, transposes, factors and the operators with an operation of their own.
#include <string.h>

#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

int64_t tg_low_rows(const tg_lowering *l, tg_node node)
{
  return tg_dim_value(l->graph, tg_node_info(l->graph, node)->rows);
}

int64_t tg_low_cols(const tg_lowering *l, tg_node node)
{
  return tg_dim_value(l->graph, tg_node_info(l->graph, node)->cols);
}

static bool moves(const tg_lowering *l, int32_t symbol)
{
  for (int32_t k = 0; k < l->n; k++)
    if (symbol == l->wrt[k] || symbol == l->along[k]) return true;
  return false;
}

// Arguments have smaller ids, and a graph's depth is bounded by its parser's: recursion, remembered by node.
bool tg_low_is_constant(tg_lowering *l, tg_node node)
{
  uint8_t *mark = NULL;
  if (tg_low_at(&l->constant, sizeof *mark, node, (void **)&mark) != TG_OK) return false;
  if (*mark != 0) return *mark == 2;
  const tg_info *info = tg_node_info(l->graph, node);
  bool constant = info->kind != TG_SYM || !moves(l, info->symbol);
  for (int32_t i = 0; constant && i < info->n_args; i++) constant = tg_low_is_constant(l, info->args[i]);
  if (tg_low_at(&l->constant, sizeof *mark, node, (void **)&mark) == TG_OK) *mark = constant ? 2 : 1;
  return constant;
}

tg_program_id tg_low_enter(tg_lowering *l, tg_node node)
{
  const tg_program_id before = l->program;
  // GRADIENT_AT_ZERO is constant as a whole and runs once: what setup does not make anyway it makes itself.
  const bool hoists = !l->options->without[TG_PASS_HOISTING] && l->program != TG_PROGRAM_GRADIENT_AT_ZERO;
  if (hoists && tg_low_is_constant(l, node)) l->program = TG_PROGRAM_SETUP;
  return before;
}

// ---- what is known already ----

static const tg_low_memo *recall(const tg_lowering *l, tg_program_id program, tg_node node)
{
  static const tg_low_memo nothing = {.has_value = false};
  const tg_low_list *memo = &l->memo[program];
  return node < memo->count ? (const tg_low_memo *)memo->items + node : &nothing;
}

// A buffer of its own entries is the best answer; else the value, or the transposed one's with its flag turned.
static bool find_in(tg_lowering *l, tg_program_id program, tg_node node, tg_node transposed, tg_low_value *out)
{
  const tg_low_memo *memo = recall(l, program, node);
  const tg_low_memo *other = recall(l, program, transposed);
  if (memo->has_plain) {
    *out = (tg_low_value){memo->plain, false, tg_coef_number(1)};
    return true;
  }
  if (memo->has_value) *out = memo->value;
  if (!memo->has_value && other->has_value) {
    *out = other->value;
    out->trans = !out->trans;
  }
  return memo->has_value || other->has_value;
}

bool tg_low_find(tg_lowering *l, tg_node node, tg_low_value *out)
{
  tg_node transposed = TG_NONE;
  if (tg_make_trans(l->graph, node, &transposed) != TG_OK) return false;
  return find_in(l, l->program, node, transposed, out) || find_in(l, TG_PROGRAM_SETUP, node, transposed, out);
}

static tg_status note(tg_lowering *l, tg_node node, tg_low_memo **out)
{
  return tg_low_at(&l->memo[l->program], sizeof **out, node, (void **)out);
}

tg_status tg_low_remember(tg_lowering *l, tg_node node, tg_low_value value)
{
  tg_low_memo *memo = NULL;
  TG_TRY(note(l, node, &memo));
  memo->has_value = true;
  memo->value = value;
  return TG_OK;
}

// ---- leaves ----

static tg_low_value whole(int32_t buffer)
{
  return (tg_low_value){buffer, false, tg_coef_number(1)};
}

// The buffer of a symbol, made at its first use.
static tg_status symbol_buffer(tg_lowering *l, tg_node node, int32_t *out)
{
  const int32_t symbol = tg_node_info(l->graph, node)->symbol;
  int32_t *known = NULL;
  TG_TRY(tg_low_at(&l->symbols, sizeof *known, symbol, (void **)&known));
  if (*known == 0) {
    TG_TRY(tg_low_buffer_add(l, TG_BUFFER_DATA, -1, node, out));
    *known = *out + 1;
  }
  *out = *known - 1;
  return TG_OK;
}

static tg_status make_leaf(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t buffer = -1;
  TG_TRY(tg_low_buffer_new(l, node, false, &buffer));
  tg_instr instr = tg_instr_make(info->kind == TG_EYE ? TG_OP_EYE : TG_OP_FILL, buffer);
  if (info->kind == TG_ZEROS) instr.alpha = tg_coef_number(0);
  if (info->kind == TG_TRIU || info->kind == TG_TRIL) {
    instr = tg_instr_make(TG_OP_TRIANGLE, buffer);
    instr.trans[0] = info->kind == TG_TRIL;
  }
  if (info->kind == TG_PICK) {
    instr = tg_instr_make(TG_OP_PICK, buffer);
    instr.dims[0] = tg_dim_value(l->graph, info->dims[0]) - 1;
  }
  if (info->kind == TG_COMM) {
    instr = tg_instr_make(TG_OP_COMM, buffer);
    instr.dims[0] = tg_dim_value(l->graph, info->dims[0]);
    instr.dims[1] = tg_dim_value(l->graph, info->dims[1]);
  }
  *out = whole(buffer);
  return tg_low_append(l, &instr);
}

// ---- plain entries ----

tg_status tg_low_unscaled(tg_lowering *l, tg_node node, tg_low_value value, tg_low_value *out)
{
  *out = value;
  if (value.scale.reg < 0 && value.scale.value == 1.0) return TG_OK;
  out->scale = tg_coef_number(1);
  TG_TRY(tg_low_buffer_new(l, node, value.trans, &out->buffer));
  tg_instr instr = tg_instr_make(TG_OP_LINCOMB, out->buffer);
  instr.n_in = 1;
  instr.in = &value.buffer;
  instr.coefs = &value.scale;
  return tg_low_append(l, &instr);
}

// Writes scale * op(buffer) to `out`.
static tg_status copy_value(tg_lowering *l, tg_low_value value, int32_t out)
{
  tg_instr instr = tg_instr_make(value.trans ? TG_OP_TRANSPOSE : TG_OP_LINCOMB, out);
  instr.n_in = 1;
  instr.in = &value.buffer;
  if (value.trans)
    instr.alpha = value.scale;
  else
    instr.coefs = &value.scale;
  return tg_low_append(l, &instr);
}

static tg_status plain(tg_lowering *l, tg_node node, int32_t *out)
{
  tg_low_value value;
  tg_low_memo *memo = NULL;
  TG_TRY(tg_low_matrix(l, node, &value));
  *out = value.buffer;
  if (value.trans || value.scale.reg >= 0 || value.scale.value != 1.0) {
    TG_TRY(tg_low_buffer_new(l, node, false, out));
    TG_TRY(copy_value(l, value, *out));
  }
  TG_TRY(note(l, node, &memo));
  memo->has_plain = true;
  memo->plain = *out;
  return TG_OK;
}

// The copy of a constant is a constant: made once, in setup.
tg_status tg_low_plain(tg_lowering *l, tg_node node, int32_t *out)
{
  const tg_program_id before = tg_low_enter(l, node);
  const tg_status status = plain(l, node, out);
  l->program = before;
  return status;
}

// Only temporaries may be renamed: states and constants are read by other programs under their own name.
static bool is_output(const tg_lowering *l, int32_t buffer)
{
  return tg_low_buffer_get(l, buffer)->kind == TG_BUFFER_TEMP;
}

tg_status tg_low_into(tg_lowering *l, tg_node node, int32_t buffer)
{
  tg_low_value value;
  tg_coef scalar;
  if (tg_node_is_scalar(l->graph, node)) {
    TG_TRY(tg_low_scalar(l, node, &scalar));
    tg_instr instr = tg_instr_make(TG_OP_STORE, buffer);
    instr.alpha = scalar;
    return tg_low_append(l, &instr);
  }
  if (tg_node_is_zero(l->graph, node)) {
    tg_instr instr = tg_instr_make(TG_OP_FILL, buffer);
    instr.alpha = tg_coef_number(0);
    return tg_low_append(l, &instr);
  }
  TG_TRY(tg_low_matrix(l, node, &value));
  tg_low_absorb(l, &value);
  const bool is_plain = !value.trans && value.scale.reg < 0 && value.scale.value == 1.0;
  if (is_plain && is_output(l, value.buffer) && tg_low_retarget(l, value.buffer, buffer)) return TG_OK;
  return copy_value(l, value, buffer);
}

// ---- factorisations ----

// The factorisation is of the buffer as it stands: where that holds the transpose, solves turn their flag instead.
// Positive definite matrices take half the work, and no pivoting.
static tg_status make_factor(tg_lowering *l, tg_node node, int32_t *factor, bool *trans)
{
  tg_low_value value;
  tg_low_memo *memo = NULL;
  const bool spd = tg_node_is_spd(l->graph, node);
  TG_TRY(tg_low_matrix(l, node, &value));
  TG_TRY(tg_low_unscaled(l, node, value, &value));
  TG_TRY(tg_low_factor_new(l, TG_FACTOR_OF_SYSTEM, node, factor));
  TG_TRY(tg_low_unary(l, spd ? TG_OP_CHOLESKY : TG_OP_LU, *factor, value.buffer));
  *trans = value.trans;
  TG_TRY(note(l, node, &memo));
  memo->has_factor = true;
  memo->factor = *factor;
  memo->value = value;
  memo->has_value = true;
  return TG_OK;
}

static bool find_factor(const tg_lowering *l, tg_node node, int32_t *factor, bool *trans)
{
  const tg_program_id programs[2] = {l->program, TG_PROGRAM_SETUP};
  for (int p = 0; p < 2; p++) {
    const tg_low_memo *memo = recall(l, programs[p], node);
    if (!memo->has_factor) continue;
    *factor = memo->factor;
    *trans = memo->value.trans;
    return true;
  }
  return false;
}

tg_status tg_low_factor(tg_lowering *l, tg_node node, int32_t *factor, bool *trans)
{
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(l->graph, node, &transposed));
  if (find_factor(l, node, factor, trans)) return TG_OK;
  if (find_factor(l, transposed, factor, trans)) {
    *trans = !*trans;
    return TG_OK;
  }
  const tg_program_id before = tg_low_enter(l, node);
  const tg_status status = make_factor(l, node, factor, trans);
  l->program = before;
  return status;
}

// inv(A), or its transpose where `node` is that.
static tg_status make_inverse(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  const bool turned = info->kind == TG_TRANS;
  bool trans = false;
  tg_instr instr = tg_instr_make(TG_OP_INVERSE, -1);
  if (turned) info = tg_node_info(l->graph, info->args[0]);
  TG_TRY(tg_low_factor(l, info->args[0], &instr.factor, &trans));
  TG_TRY(tg_low_buffer_new(l, node, false, &instr.out));
  instr.trans[0] = trans != turned;
  *out = whole(instr.out);
  return tg_low_append(l, &instr);
}

// ---- operators with an operation of their own ----

// Operands as they are, one or two of them.
static tg_status make_plain(tg_lowering *l, tg_node node, tg_opcode op, tg_low_value *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t in[2] = {-1, -1};
  int32_t buffer = -1;
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(tg_low_plain(l, info->args[i], &in[i]));
  TG_TRY(tg_low_buffer_new(l, node, false, &buffer));
  tg_instr instr = tg_instr_make(op, buffer);
  instr.n_in = info->n_args;
  instr.in = in;
  *out = whole(buffer);
  return tg_low_append(l, &instr);
}

// diag(A*B) = (A .* B')*1: no product of the size of A*B. Cut where the two halves are cheapest.
static tg_status make_diagvec(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_node argument = tg_node_info(l->graph, node)->args[0];
  int32_t n = 0;
  tg_node *factors = NULL;
  tg_low_chain chain;
  tg_low_value known;
  TG_TRY(tg_low_factors(l, argument, &n, &factors));
  if (n < 2 || tg_low_find(l, argument, &known)) return make_plain(l, node, TG_OP_DIAGVEC, out);
  TG_TRY(tg_low_chain_plan(l, n, factors, n, &chain));
  int32_t best = 0;
  for (int32_t k = 1; k + 1 < n; k++)
    if (chain.cost[k] + chain.cost[(k + 1) * n + n - 1] < chain.cost[best] + chain.cost[(best + 1) * n + n - 1])
      best = k;
  const tg_node left = chain.nodes[best];
  const tg_node right = chain.nodes[(best + 1) * n + n - 1];
  tg_node pair[2] = {left, TG_NONE};
  tg_node sum[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_make_trans(l->graph, right, &pair[1]));
  TG_TRY(tg_make_had(l->graph, 2, pair, &sum[0]));
  tg_dim one = 0;
  TG_TRY(tg_dim_number(l->graph, 1, &one));
  if (tg_dim_is_one(l->graph, tg_node_info(l->graph, left)->cols)) return tg_low_matrix(l, sum[0], out);
  TG_TRY(tg_make_ones(l->graph, tg_node_info(l->graph, left)->cols, one, &sum[1]));
  tg_node product = TG_NONE;
  TG_TRY(tg_make_prod(l->graph, 2, sum, &product));
  TG_TRY(tg_low_matrix(l, product, out));
  const tg_info *info = tg_node_info(l->graph, argument);
  if (info->kind != TG_PROD || info->n_scalars == 0) return TG_OK;
  TG_TRY(tg_low_scalars(l, argument, &known.scale));
  return tg_low_coef_mul(l, out->scale, known.scale, &out->scale);
}

// By squaring; the smaller powers are nodes of their own, remembered and shared like any product.
static tg_status make_power(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  tg_node half[2] = {TG_NONE, info->args[0]};
  const bool even = info->exponent % 2 == 0;
  TG_TRY(tg_make_mpow(l->graph, info->args[0], even ? info->exponent / 2 : info->exponent - 1, &half[0]));
  if (even) half[1] = half[0];
  tg_low_value a;
  tg_low_value b;
  TG_TRY(tg_low_matrix(l, half[0], &a));
  TG_TRY(tg_low_matrix(l, half[1], &b));
  tg_instr instr = tg_instr_make(TG_OP_GEMM, -1);
  TG_TRY(tg_low_coef_mul(l, a.scale, b.scale, &instr.alpha));
  TG_TRY(tg_low_buffer_new(l, node, false, &instr.out));
  const int32_t in[2] = {a.buffer, b.buffer};
  instr.n_in = 2;
  instr.in = in;
  instr.trans[0] = a.trans;
  instr.trans[1] = b.trans;
  *out = whole(instr.out);
  return tg_low_append(l, &instr);
}

static tg_status make_product(tg_lowering *l, tg_node node, tg_low_value *out)
{
  int32_t n = 0;
  tg_node *factors = NULL;
  tg_low_chain chain;
  tg_coef scale;
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->n_scalars > 0) {
    // Scalars stay a coefficient of the value: the chain alone is what others may share.
    tg_node core = TG_NONE;
    TG_TRY(tg_low_scalars(l, node, &scale));
    TG_TRY(tg_make_prod(l->graph, info->n_args - info->n_scalars, info->args + info->n_scalars, &core));
    TG_TRY(tg_low_matrix(l, core, out));
    return tg_low_coef_mul(l, out->scale, scale, &out->scale);
  }
  TG_TRY(tg_low_factors(l, node, &n, &factors));
  TG_TRY(tg_low_chain_plan(l, n, factors, n, &chain));
  return tg_low_chain_emit(l, &chain, 0, n - 1, false, out);
}

static tg_status make_transposed(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_node argument = tg_node_info(l->graph, node)->args[0];
  if (tg_node_info(l->graph, argument)->kind == TG_INV) return make_inverse(l, node, out);
  TG_TRY(tg_low_matrix(l, argument, out));
  out->trans = !out->trans;
  return TG_OK;
}

static tg_status make_matrix(tg_lowering *l, tg_node node, tg_low_value *out)
{
  int32_t buffer = -1;
  const tg_info *info = tg_node_info(l->graph, node);
  switch (info->kind) {
  case TG_SYM:
    TG_TRY(symbol_buffer(l, node, &buffer));
    *out = whole(buffer);
    return TG_OK;
  case TG_EYE:
  case TG_ONES:
  case TG_ZEROS:
  case TG_COMM:
  case TG_TRIU:
  case TG_TRIL:
  case TG_PICK:
    return make_leaf(l, node, out);
  case TG_TRANS:
    return make_transposed(l, node, out);
  case TG_PROD:
    return make_product(l, node, out);
  case TG_MPOW:
    return make_power(l, node, out);
  case TG_LIN:
    return tg_low_lin(l, node, out);
  case TG_INV:
    return make_inverse(l, node, out);
  case TG_DIAG:
    return make_plain(l, node, TG_OP_DIAG, out);
  case TG_DIAGVEC:
    return make_diagvec(l, node, out);
  case TG_VEC:
  case TG_UNVEC:
    return make_plain(l, node, TG_OP_RESHAPE, out);
  case TG_LOGSUMEXP:
    return make_plain(l, node, TG_OP_LOGSUMEXP, out);
  case TG_EIGVECTORS:
  case TG_EIGVALUES:
  case TG_LEFTVECTORS:
  case TG_RIGHTVECTORS:
  case TG_SINGULARVALUES:
    TG_TRY(tg_low_spectrum_part(l, node, &buffer));
    *out = whole(buffer);
    return TG_OK;
  case TG_KRON:
    return make_plain(l, node, TG_OP_KRON, out);
  case TG_KRONL:
    return make_plain(l, node, TG_OP_KRON_LEFT, out);
  case TG_KRONR:
    return make_plain(l, node, TG_OP_KRON_RIGHT, out);
  default:
    if (tg_low_is_entrywise(l, node)) return tg_low_entrywise(l, node, out);
    TG_FAIL(TG_UNSUPPORTED, "a matrix made by '%s' cannot be executed", tg_kind_name(info->kind));
  }
}

tg_status tg_low_matrix(tg_lowering *l, tg_node node, tg_low_value *out)
{
  if (tg_node_is_scalar(l->graph, node)) TG_FAIL(TG_INTERNAL, "a 1 x 1 value was asked for as a matrix");
  if (tg_low_find(l, node, out)) return TG_OK;
  const tg_program_id before = tg_low_enter(l, node);
  tg_status status = make_matrix(l, node, out);
  bool symmetric = false;
  if (status == TG_OK) status = tg_node_is_symmetric(l->graph, node, &symmetric);
  if (symmetric) out->trans = false; // its transpose is itself: a flag would only cost
  if (status == TG_OK) status = tg_low_remember(l, node, *out);
  l->program = before;
  return status;
}
