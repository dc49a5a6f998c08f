// Sums over entries: traces and 1 x 1 products as inner products of two halves, sums of entries in one pass.
//
// tr(U V) = <U', V>. The cycle of a trace may be cut anywhere, so the halves are chosen among all runs of the cycle
// by what they still cost: those that the gradient needs as well cost nothing.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

// Inner product <U', V> of two values; of the two layouts that do not meet, the constant one is turned. With a list of
// pairs it is not computed yet: the pair joins the list, and what is left to add is 0.
static tg_status dot(tg_lowering *l, tg_node u_node, tg_low_value u, tg_node v_node, tg_low_value v, tg_low_list *pairs,
                     tg_coef *out)
{
  bool u_symmetric = false;
  bool v_symmetric = false;
  TG_TRY(tg_node_is_symmetric(l->graph, u_node, &u_symmetric));
  TG_TRY(tg_node_is_symmetric(l->graph, v_node, &v_symmetric));
  if (u.trans == v.trans && !u_symmetric && !v_symmetric) {
    const bool turn_u = tg_low_is_constant(l, u_node) || !tg_low_is_constant(l, v_node);
    tg_low_value *turned = turn_u ? &u : &v;
    tg_node node = turn_u ? u_node : v_node;
    if (!turned->trans) TG_TRY(tg_make_trans(l->graph, node, &node));
    TG_TRY(tg_low_plain(l, node, &turned->buffer));
    turned->scale = tg_coef_number(1);
  }
  tg_coef scale;
  TG_TRY(tg_low_coef_mul(l, u.scale, v.scale, &scale));
  if (pairs != NULL) {
    const tg_low_pair pair = {.buffers = {u.buffer, v.buffer}, .coef = scale};
    *out = tg_coef_number(0);
    return tg_low_push(pairs, sizeof pair, &pair);
  }
  const int32_t reg = tg_low_register_new(l);
  TG_TRY(tg_low_binary(l, TG_OP_DOT, reg, u.buffer, v.buffer));
  return tg_low_coef_mul(l, tg_coef_register(1, reg), scale, out);
}

// The layout that a half must have: 0 free, 1 as it stands, 2 transposed.
static int layout_of(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t j)
{
  bool symmetric = false;
  tg_low_value value;
  const tg_node node = c->nodes[i * c->n + j];
  if (tg_node_is_symmetric(l->graph, node, &symmetric) != TG_OK || symmetric) return 0;
  if (tg_low_find(l, node, &value)) return value.trans ? 2 : 1;
  if (i < j || tg_low_has_free_layout(l, node)) return 0;
  return tg_node_info(l->graph, node)->kind == TG_TRANS ? 2 : 1;
}

// Cost of the cut into i..k and k+1..j, a transposition counted as a pass over the matrix.
static double cut_cost(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t k, int32_t j)
{
  tg_node transposed = TG_NONE;
  const tg_node u = c->nodes[i * c->n + k];
  const tg_node v = c->nodes[(k + 1) * c->n + j];
  const double size = (double)tg_low_rows(l, u) * (double)tg_low_cols(l, u);
  double cost = c->cost[i * c->n + k] + 2 * size;
  if (tg_make_trans(l->graph, v, &transposed) != TG_OK || transposed != u || l->options->without[TG_PASS_SHARING])
    cost += c->cost[(k + 1) * c->n + j];
  const int layout = layout_of(l, c, i, k);
  const bool constant = tg_low_is_constant(l, u) || tg_low_is_constant(l, v);
  if (layout != 0 && layout == layout_of(l, c, k + 1, j)) cost += constant ? 0.01 * size : 4 * size;
  return cost;
}

static tg_status inner(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t k, int32_t j, tg_low_list *pairs,
                       tg_coef *out)
{
  tg_low_value u;
  tg_low_value v;
  const tg_node u_node = c->nodes[i * c->n + k];
  const tg_node v_node = c->nodes[(k + 1) * c->n + j];
  if (i == k && k + 1 == j) {
    tg_node turned = TG_NONE;
    bool done = false;
    TG_TRY(tg_make_trans(l->graph, u_node, &turned));
    TG_TRY(tg_low_entry_inner(l, turned, v_node, &done, out));
    if (done) return TG_OK;
  }
  // The half with a layout of its own goes first, the other one is made to fit.
  if (layout_of(l, c, i, k) != 0) {
    TG_TRY(tg_low_chain_emit(l, c, i, k, false, &u));
    TG_TRY(tg_low_chain_emit(l, c, k + 1, j, !u.trans, &v));
  } else {
    TG_TRY(tg_low_chain_emit(l, c, k + 1, j, false, &v));
    TG_TRY(tg_low_chain_emit(l, c, i, k, !v.trans, &u));
  }
  return dot(l, u_node, u, v_node, v, pairs, out);
}

// A chain whose cycle may be cut at any two places (tr), or a 1 x 1 chain with one cut.
// The cycle is laid out twice, so that every run of it is a segment of one table.
static tg_status cut(tg_lowering *l, int32_t n, const tg_node *factors, bool cyclic, tg_low_list *pairs, tg_coef *out)
{
  tg_node *doubled = NULL;
  tg_low_chain chain;
  const int32_t length = cyclic ? 2 * n : n;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)length, &doubled));
  for (int32_t i = 0; i < length; i++) doubled[i] = factors[i % n];
  TG_TRY(tg_low_chain_plan(l, length, doubled, n - 1, &chain));
  const bool fixed = l->options->without[TG_PASS_ASSOCIATION];
  int32_t best_shift = 0;
  int32_t best_cut = n - 2;
  double best = cut_cost(l, &chain, 0, n - 2, n - 1);
  for (int32_t shift = 0; shift < (cyclic && !fixed ? n : 1); shift++)
    for (int32_t k = 0; k + 1 < n && !fixed; k++) {
      const double cost = cut_cost(l, &chain, shift, shift + k, shift + n - 1);
      if (cost >= best) continue;
      best = cost;
      best_shift = shift;
      best_cut = k;
    }
  return inner(l, &chain, best_shift, best_shift + best_cut, best_shift + n - 1, pairs, out);
}

// What is no product, or stands in a buffer already: its diagonal.
static tg_status trace_of(tg_lowering *l, tg_node argument, tg_coef *out)
{
  tg_low_value value;
  TG_TRY(tg_low_matrix(l, argument, &value));
  const int32_t reg = tg_low_register_new(l);
  TG_TRY(tg_low_unary(l, TG_OP_TRACE, reg, value.buffer));
  return tg_low_coef_mul(l, tg_coef_register(1, reg), value.scale, out);
}

tg_status tg_low_trace(tg_lowering *l, tg_node argument, tg_low_list *pairs, tg_coef *out)
{
  int32_t n = 0;
  tg_node *factors = NULL;
  tg_coef scale;
  tg_low_value known;
  TG_TRY(tg_low_factors(l, argument, &n, &factors));
  if (n < 2 || l->options->without[TG_PASS_TRACES] || tg_low_find(l, argument, &known))
    return trace_of(l, argument, out);
  const tg_info *info = tg_node_info(l->graph, argument);
  const bool scaled = info->kind == TG_PROD && info->n_scalars > 0;
  TG_TRY(cut(l, n, factors, true, scaled ? NULL : pairs, out));
  if (!scaled) return TG_OK;
  TG_TRY(tg_low_scalars(l, argument, &scale));
  return tg_low_coef_mul(l, *out, scale, out);
}

tg_status tg_low_inner(tg_lowering *l, tg_node product, tg_low_list *pairs, tg_coef *out)
{
  int32_t n = 0;
  tg_node *factors = NULL;
  TG_TRY(tg_low_factors(l, product, &n, &factors));
  return cut(l, n, factors, false, pairs, out);
}

// ---- sums of inner products ----

// Position of the buffer among the inputs, added if it is new.
static int32_t input_of(int32_t *in, int32_t *n_in, int32_t buffer)
{
  for (int32_t k = 0; k < *n_in; k++)
    if (in[k] == buffer) return k;
  in[*n_in] = buffer;
  return (*n_in)++;
}

// <S, c1 A + c2 B + ...>: one pass that reads S once.
static tg_status sum_around(tg_lowering *l, int32_t shared, int32_t n, const tg_low_pair *group, tg_coef *out)
{
  int32_t *in = NULL;
  tg_code *code = NULL;
  int32_t n_in = 0;
  int32_t n_code = 0;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n + 1, &in));
  TG_TRY(TG_ARENA_NEW(&l->arena, 6 * (size_t)n + 2, &code));
  code[n_code++] = (tg_code){.op = TG_CODE_LOAD, .operand = input_of(in, &n_in, shared)};
  for (int32_t k = 0; k < n; k++) {
    const int32_t other = group[k].buffers[group[k].buffers[0] == shared ? 1 : 0];
    code[n_code++] = (tg_code){.op = TG_CODE_LOAD, .operand = input_of(in, &n_in, other)};
    n_code += tg_low_code_scale(code + n_code, group[k].coef);
    if (k > 0) code[n_code++] = (tg_code){.op = TG_CODE_ADD};
  }
  code[n_code++] = (tg_code){.op = TG_CODE_MUL};
  tg_instr instr = tg_instr_make(TG_OP_EWSUM, tg_low_register_new(l));
  instr.n_in = n_in;
  instr.in = in;
  instr.n_code = n_code;
  instr.code = code;
  *out = tg_coef_register(1, instr.out);
  return tg_low_append(l, &instr);
}

static bool has_buffer(const tg_low_pair *pair, int32_t buffer)
{
  return pair->buffers[0] == buffer || pair->buffers[1] == buffer;
}

// Moves the pairs with the buffer behind position `from`, next to each other; returns their number.
static int32_t gather(tg_low_pair *pairs, int32_t from, int32_t n, int32_t buffer)
{
  int32_t count = 0;
  for (int32_t k = from; k < n; k++) {
    if (!has_buffer(&pairs[k], buffer)) continue;
    const tg_low_pair pair = pairs[k];
    pairs[k] = pairs[from + count];
    pairs[from + count++] = pair;
  }
  return count;
}

tg_status tg_low_sum_pairs(tg_lowering *l, tg_low_list *pairs, tg_low_list *terms)
{
  tg_low_pair *items = pairs->items;
  const int32_t n = (int32_t)pairs->count;
  for (int32_t k = 0; k < n;) {
    tg_coef term;
    int32_t shared = items[k].buffers[0];
    int32_t count = gather(items, k, n, shared);
    if (count == 1) {
      shared = items[k].buffers[1];
      count = gather(items, k, n, shared);
    }
    if (count == 1) {
      const int32_t reg = tg_low_register_new(l);
      TG_TRY(tg_low_binary(l, TG_OP_DOT, reg, items[k].buffers[0], items[k].buffers[1]));
      TG_TRY(tg_low_coef_mul(l, tg_coef_register(1, reg), items[k].coef, &term));
    } else {
      TG_TRY(sum_around(l, shared, count, &items[k], &term));
    }
    TG_TRY(tg_low_push(terms, sizeof term, &term));
    k += count;
  }
  return TG_OK;
}

// sum(A*B) = 1' A B 1, from either end a vector at a time.
static tg_status sum_of_product(tg_lowering *l, tg_node argument, tg_coef *out)
{
  int32_t n = 0;
  int32_t count = 0;
  tg_node *factors = NULL;
  tg_node *all = NULL;
  tg_dim one = 0;
  tg_coef scale;
  const tg_info *info = tg_node_info(l->graph, argument);
  TG_TRY(tg_low_factors(l, argument, &n, &factors));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n + 2, &all));
  TG_TRY(tg_dim_number(l->graph, 1, &one));
  if (!tg_dim_is_one(l->graph, info->rows)) TG_TRY(tg_make_ones(l->graph, one, info->rows, &all[count++]));
  for (int32_t i = 0; i < n; i++) all[count++] = factors[i];
  if (!tg_dim_is_one(l->graph, info->cols)) TG_TRY(tg_make_ones(l->graph, info->cols, one, &all[count++]));
  TG_TRY(cut(l, count, all, false, NULL, out));
  if (info->kind != TG_PROD || info->n_scalars == 0) return TG_OK;
  TG_TRY(tg_low_scalars(l, argument, &scale));
  return tg_low_coef_mul(l, *out, scale, out);
}

tg_status tg_low_sum(tg_lowering *l, tg_node argument, tg_coef *out)
{
  tg_low_value known;
  const tg_kind kind = tg_node_info(l->graph, argument)->kind;
  const bool product = (kind == TG_PROD || kind == TG_MPOW) && !l->options->without[TG_PASS_TRACES];
  if (product && !tg_low_find(l, argument, &known)) return sum_of_product(l, argument, out);
  return tg_low_entry_sum(l, argument, out);
}
