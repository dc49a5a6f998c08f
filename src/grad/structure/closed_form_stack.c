// A factor sum_k w_k K_k'K_k of a quadratic, read as the stacked least-squares problem that it comes from.
//
// sumsq(A*X - B) + mu*sumsq(X) has the factor 2 A'A + 2 mu I and the linear term -2 A'B: rows A and I with the weights
// 2 and 2 mu, and L = -2 B for the first of them. Orthogonal factors of the rows solve it without the squared
// condition.
#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/structure/closed_form_parts.h"

// A product with its powers written out: scalars apart, then n matrices.
typedef struct chain {
  tg_node scalars;
  int32_t n;
  tg_node *factors;
} chain;

enum { CHAIN_MAX = 64 };

static tg_status append(tg_graph *g, tg_node node, int64_t times, chain *out)
{
  const tg_info *info = tg_node_info(g, node);
  if (info->kind == TG_MPOW && info->exponent > 0) return append(g, info->args[0], times * info->exponent, out);
  for (int64_t k = 0; k < times && out->n <= CHAIN_MAX; k++) {
    if (out->n < CHAIN_MAX) out->factors[out->n] = node;
    out->n++; // one too many: no chain of ours
  }
  return TG_OK;
}

static tg_status read_chain(tg_graph *g, tg_node node, chain *out)
{
  const tg_info *info = tg_node_info(g, node);
  const bool is_product = info->kind == TG_PROD;
  const int32_t n_scalars = is_product ? info->n_scalars : 0;
  const int32_t n_args = is_product ? info->n_args : 1;
  const tg_node *args = is_product ? info->args : &node;
  out->n = 0;
  TG_TRY(TG_SCRATCH(g, CHAIN_MAX, &out->factors));
  for (int32_t k = n_scalars; k < n_args; k++) TG_TRY(append(g, args[k], 1, out));
  return n_scalars > 0 ? tg_make_prod(g, n_scalars, args, &out->scalars) : tg_make_num(g, 1, &out->scalars);
}

// K of a chain that reads K'K, and K' as the chain's first half; TG_NONE for any other. The identity is its own.
static tg_status read_root(tg_graph *g, const chain *c, tg_node *out)
{
  *out = TG_NONE;
  if (c->n == 1 && tg_node_info(g, c->factors[0])->kind == TG_EYE) *out = c->factors[0];
  if (c->n % 2 != 0 || c->n > CHAIN_MAX) return TG_OK;
  for (int32_t i = 0; i < c->n / 2; i++) {
    tg_node transposed = TG_NONE;
    TG_TRY(tg_make_trans(g, c->factors[c->n - 1 - i], &transposed));
    if (transposed != c->factors[i]) return TG_OK;
  }
  return tg_make_prod(g, c->n / 2, c->factors + c->n / 2, out);
}

// Where a chain begins with K' (at_end: ends with K) of the Gram chain `gram`.
static bool has_factor(const chain *c, const chain *gram, bool at_end)
{
  const int32_t n = gram->n / 2; // 0 of the identity
  bool equal = c->n >= n && c->n <= CHAIN_MAX;
  for (int32_t i = 0; equal && i < n; i++)
    equal = at_end ? c->factors[c->n - n + i] == gram->factors[n + i] : c->factors[i] == gram->factors[i];
  return equal;
}

// linear += coef * what is left of the chain without K' (or K), transposed for the right side.
static tg_status add_rest(tg_graph *g, double coef, const chain *c, int32_t taken, bool on_right, tg_dim rows,
                          tg_node *linear)
{
  const int32_t left = c->n - taken;
  tg_node rest = TG_NONE;
  if (left > 0)
    TG_TRY(tg_make_prod(g, left, on_right ? c->factors : c->factors + taken, &rest));
  else
    TG_TRY(tg_make_identity(g, rows, &rest));
  TG_TRY(tg_make_mul(g, c->scalars, rest, &rest));
  TG_TRY(tg_make_scale(g, coef, rest, &rest));
  if (on_right) TG_TRY(tg_make_trans(g, rest, &rest));
  if (*linear == TG_NONE) {
    *linear = rest;
    return TG_OK;
  }
  return tg_make_add(g, *linear, rest, linear);
}

// Gives each term of the gradient at X = 0 to the part whose K' it begins with; to the identity what no other takes.
static tg_status share_linear(tg_graph *g, tg_node linear, const chain *grams, bool on_right, tg_closed_stack *stack,
                              bool *fits)
{
  const tg_info *info = tg_node_info(g, linear);
  const bool is_sum = info->kind == TG_LIN;
  if (tg_node_is_zero(g, linear)) return TG_OK;
  for (int32_t t = 0; *fits && t < (is_sum ? info->n_args : 1); t++) {
    chain c;
    int32_t best = -1;
    TG_TRY(read_chain(g, is_sum ? info->args[t] : linear, &c));
    for (int32_t k = 0; k < stack->n; k++)
      if (has_factor(&c, &grams[k], on_right) && (best < 0 || grams[k].n > grams[best].n)) best = k;
    *fits = best >= 0;
    if (!*fits) return TG_OK;
    const tg_dim rows = tg_node_info(g, stack->factors[best])->rows;
    TG_TRY(add_rest(g, is_sum ? info->coefs[t] : 1, &c, grams[best].n / 2, on_right, rows, &stack->linear[best]));
  }
  return TG_OK;
}

static tg_status read_parts(tg_graph *g, const tg_closed_form *form, int side, chain *grams, tg_closed_stack *stack,
                            bool *fits)
{
  const tg_node base = form->sides[side].base;
  const tg_info *info = tg_node_info(g, base);
  const bool is_sum = info->kind == TG_LIN;
  const int32_t n = is_sum ? info->n_args : 1;
  *fits = n <= TG_CLOSED_STACK;
  for (int32_t k = 0; *fits && k < n; k++) {
    TG_TRY(read_chain(g, is_sum ? info->args[k] : base, &grams[k]));
    TG_TRY(read_root(g, &grams[k], &stack->factors[k]));
    *fits = stack->factors[k] != TG_NONE;
    if (!*fits) return TG_OK;
    if (grams[k].n == 1) grams[k].n = 0; // the identity: any chain begins with it
    TG_TRY(tg_make_scale(g, form->scale * (is_sum ? info->coefs[k] : 1), grams[k].scalars, &stack->weights[k]));
    stack->linear[k] = TG_NONE;
    stack->n = k + 1;
  }
  return TG_OK;
}

tg_status tg_closed_find_stack(tg_graph *g, tg_node f, int32_t wrt, tg_closed_form *form)
{
  const bool has_left = form->sides[0].base != TG_NONE;
  const int side = has_left ? 0 : 1;
  chain grams[TG_CLOSED_STACK];
  tg_closed_stack stack = {.side = side};
  tg_node linear = TG_NONE;
  bool fits =
      form->kind == TG_CLOSED_CHOLESKY && form->sides[side].base != TG_NONE && form->sides[1 - side].base == TG_NONE;
  if (!fits) return TG_OK;
  TG_TRY(read_parts(g, form, side, grams, &stack, &fits));
  if (!fits) return TG_OK;
  TG_TRY(tg_closed_linear_term(g, f, wrt, &linear));
  TG_TRY(share_linear(g, linear, grams, side == 1, &stack, &fits));
  if (fits) form->stack = stack;
  return TG_OK;
}
