// Factors b I + a K'K of few rows in K: by the smaller Gram matrix K K'. Without the ridge b they are singular, and the
// pseudo-inverse solves where the linear term is in their range, as that of sumsq(K*X - B) is.
#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/structure/closed_form_parts.h"

// What a factor is read as.
typedef struct parts {
  int32_t n_ridges;
  double *coefs; // of the ridge's terms and their scalars
  tg_node *scalars;
  double coef; // of the one Gram term
  tg_node scalar;
  tg_node wide; // K; TG_NONE before it is found
} parts;

static tg_status product_of_scalars(tg_graph *g, const tg_info *info, tg_node *out)
{
  return info->kind == TG_PROD && info->n_scalars > 0 ? tg_make_prod(g, info->n_scalars, info->args, out)
                                                      : tg_make_num(g, 1, out);
}

// K where the chain reads K'K with fewer rows in K than columns, else TG_NONE.
static tg_status read_gram(tg_graph *g, const tg_info *info, tg_node *out)
{
  const int32_t n = info->kind == TG_PROD ? info->n_args - info->n_scalars : 0;
  tg_node half = TG_NONE;
  *out = TG_NONE;
  if (n == 0 || n % 2 != 0) return TG_OK;
  const tg_node *chain = info->args + info->n_scalars;
  for (int32_t i = 0; i < n / 2; i++) {
    tg_node transposed = TG_NONE;
    TG_TRY(tg_make_trans(g, chain[n - 1 - i], &transposed));
    if (transposed != chain[i]) return TG_OK;
  }
  TG_TRY(tg_make_prod(g, n / 2, chain + n / 2, &half));
  const int64_t rows = tg_dim_value(g, tg_node_info(g, half)->rows);
  if (rows > 0 && rows < tg_dim_value(g, tg_node_info(g, half)->cols)) *out = half;
  return TG_OK;
}

// Takes one term of the factor; *fits is false where it is neither.
static tg_status read_term(tg_graph *g, double coef, tg_node node, parts *p, bool *fits)
{
  const tg_info *info = tg_node_info(g, node);
  const bool is_scaled = info->kind == TG_PROD && info->n_args == info->n_scalars + 1;
  const tg_node core = is_scaled ? info->args[info->n_scalars] : node;
  if (tg_node_info(g, core)->kind == TG_EYE) {
    p->coefs[p->n_ridges] = coef;
    return product_of_scalars(g, info, &p->scalars[p->n_ridges++]);
  }
  *fits = p->wide == TG_NONE;
  if (!*fits) return TG_OK;
  TG_TRY(read_gram(g, info, &p->wide));
  *fits = p->wide != TG_NONE;
  p->coef = coef;
  return product_of_scalars(g, info, &p->scalar);
}

static tg_status take_parts(tg_graph *g, const parts *p, tg_closed_side *side)
{
  tg_node turned = TG_NONE;
  tg_node gram = TG_NONE;
  side->whole = side->base;
  side->wide = p->wide;
  TG_TRY(tg_make_scale(g, p->coef, p->scalar, &side->gain));
  TG_TRY(tg_make_trans(g, p->wide, &turned));
  TG_TRY(tg_make_mul(g, p->wide, turned, &gram));
  TG_TRY(tg_make_mul(g, side->gain, gram, &side->base));
  if (p->n_ridges == 0) return TG_OK;
  tg_node identity = TG_NONE;
  tg_node terms[2] = {side->base, TG_NONE};
  TG_TRY(tg_make_lin(g, p->n_ridges, p->coefs, p->scalars, &side->ridge));
  TG_TRY(tg_make_identity(g, tg_node_info(g, p->wide)->rows, &identity));
  TG_TRY(tg_make_mul(g, side->ridge, identity, &terms[1]));
  return tg_make_lin(g, 2, (const double[]){1, 1}, terms, &side->base);
}

tg_status tg_closed_find_wide(tg_graph *g, tg_closed_side *side, bool *found)
{
  parts p = {.wide = TG_NONE};
  bool fits = true;
  const double one = 1;
  *found = false;
  if (side->base == TG_NONE) return TG_OK;
  const tg_info *info = tg_node_info(g, side->base);
  const bool is_sum = info->kind == TG_LIN;
  const int32_t n = is_sum ? info->n_args : 1;
  const tg_node *terms = is_sum ? info->args : &side->base;
  const double *coefs = is_sum ? info->coefs : &one;
  TG_TRY(TG_SCRATCH(g, n, &p.coefs));
  TG_TRY(TG_SCRATCH(g, n, &p.scalars));
  for (int32_t i = 0; fits && i < n; i++) TG_TRY(read_term(g, coefs[i], terms[i], &p, &fits));
  if (!fits || p.wide == TG_NONE) return TG_OK;
  *found = true;
  return take_parts(g, &p, side);
}

// ---- the linear term ----

static int32_t chain_of(const tg_graph *g, const tg_node *node, const tg_node **chain)
{
  const tg_info *info = tg_node_info(g, *node);
  const bool is_product = info->kind == TG_PROD;
  *chain = is_product ? info->args + info->n_scalars : node;
  return is_product ? info->n_args - info->n_scalars : 1;
}

// Whether the product begins, or ends, with the factors of the other one.
static bool has_factor(const tg_graph *g, tg_node node, tg_node factor, bool at_end)
{
  const tg_node *chain = NULL;
  const tg_node *part = NULL;
  const int32_t n = chain_of(g, &node, &chain);
  const int32_t m = chain_of(g, &factor, &part);
  bool equal = m <= n;
  for (int32_t i = 0; equal && i < m; i++) equal = chain[at_end ? n - m + i : i] == part[i];
  return equal;
}

tg_status tg_closed_is_in_range(tg_graph *g, const tg_closed_side *side, bool on_right, tg_node linear, bool *out)
{
  const tg_info *info = tg_node_info(g, linear);
  const bool is_sum = info->kind == TG_LIN;
  tg_node factor = side->wide; // ... K on the right, K' ... on the left
  if (!on_right) TG_TRY(tg_make_trans(g, side->wide, &factor));
  *out = true;
  if (tg_node_is_zero(g, linear)) return TG_OK;
  for (int32_t i = 0; *out && i < (is_sum ? info->n_args : 1); i++)
    *out = has_factor(g, is_sum ? info->args[i] : linear, factor, on_right);
  return TG_OK;
}
