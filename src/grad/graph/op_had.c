// Entrywise products X .* Y .* Z: commutative, powers of equal bases collected, scalars taken out.
#include <string.h>

#include "grad/graph/op.h"

typedef struct entrywise {
  double coef;
  bool zero;
  int32_t n_scalars;
  tg_node *scalars;
  int32_t n_factors;
  tg_node *factors;
  bool reopen; // a merged power is a product or has a coefficient: sqrt(2*X.*Y).^2
} entrywise;

// ones(m,n), ones(m,1)*ones(1,n)
static bool is_all_ones(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  if (info->kind != TG_PROD || info->n_scalars > 0 || info->n_args != 2) return info->kind == TG_ONES;
  const tg_info *left = tg_node_info(g, info->args[0]);
  return left->kind == TG_ONES && tg_node_info(g, info->args[1])->kind == TG_ONES && tg_dim_is_one(g, left->cols);
}

// Puts a factor among the others: equal bases add exponents, ones vanish, order is by structure.
static tg_status put_factor(tg_graph *g, tg_node factor, entrywise *e)
{
  double exponent = 1.0;
  const tg_node base = tg_pow_base(g, factor, &exponent);
  const tg_kind kind = tg_node_info(g, factor)->kind;
  if (is_all_ones(g, factor)) return TG_OK;
  for (int32_t at = 0; at < e->n_factors; at++) {
    double other = 1.0;
    if (tg_pow_base(g, e->factors[at], &other) != base) continue;
    if (tg_kind_is_zero_or_one(kind)) return TG_OK; // I .* I = I
    memmove(&e->factors[at], &e->factors[at + 1], sizeof(tg_node) * (size_t)(e->n_factors - at - 1));
    e->n_factors--;
    if (exponent + other == 0.0) return TG_OK;
    TG_TRY(tg_make_pow_number(g, base, exponent + other, &factor));
    const tg_kind merged = tg_node_info(g, factor)->kind;
    e->reopen = e->reopen || merged == TG_LIN || merged == TG_HAD || merged == TG_PROD ||
                tg_pow_base(g, factor, &other) != base;
    break;
  }
  int32_t place = e->n_factors;
  while (place > 0 && tg_node_compare(g, factor, e->factors[place - 1]) < 0) place--;
  memmove(&e->factors[place + 1], &e->factors[place], sizeof(tg_node) * (size_t)(e->n_factors - place));
  e->factors[place] = factor;
  e->n_factors++;
  return TG_OK;
}

static tg_status open_factor(tg_graph *g, tg_node factor, entrywise *e)
{
  if (tg_node_is_scalar(g, factor)) {
    e->scalars[e->n_scalars++] = factor;
    return TG_OK;
  }
  tg_split split;
  TG_TRY(tg_split_scalars(g, factor, &split));
  e->coef = tg_coef_product(e->coef, split.coef);
  if (split.scalars != TG_NONE) e->scalars[e->n_scalars++] = split.scalars;
  if (tg_node_is_zero(g, split.rest)) e->zero = true;
  const tg_info *info = tg_node_info(g, split.rest);
  if (info->kind != TG_HAD) return put_factor(g, split.rest, e);
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(put_factor(g, info->args[i], e));
  return TG_OK;
}

static int64_t opened_count(const tg_graph *g, int32_t n, const tg_node *factors)
{
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(g, factors[i]);
    if (info->kind == TG_LIN && info->n_args == 1) info = tg_node_info(g, info->args[0]);
    if (info->kind == TG_PROD) info = tg_node_info(g, info->args[info->n_args - 1]);
    count += 1 + (info->kind == TG_HAD ? info->n_args : 0);
  }
  return count;
}

tg_status tg_make_had(tg_graph *g, int32_t n, const tg_node *factors, tg_node *out)
{
  tg_node like = factors[0];
  for (int32_t i = 1; i < n; i++)
    if (tg_node_is_scalar(g, like)) like = factors[i];
  if (tg_node_is_scalar(g, like)) return tg_make_prod(g, n, factors, out);
  const tg_info *shape = tg_node_info(g, like);
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(g, factors[i]);
    if (!tg_node_is_scalar(g, factors[i]) && (info->rows != shape->rows || info->cols != shape->cols))
      TG_FAIL(TG_INTERNAL, "an entrywise product of different shapes reached the graph");
  }
  entrywise e = {.coef = 1.0};
  const int64_t room = opened_count(g, n, factors) + 2;
  TG_TRY(TG_SCRATCH(g, 2 * room, &e.scalars));
  TG_TRY(TG_SCRATCH(g, room, &e.factors));
  for (int32_t i = 0; i < n; i++) TG_TRY(open_factor(g, factors[i], &e));
  if (e.zero) return tg_make_zero_like(g, like, out);
  double merged = 1.0;
  bool is_merged = false;
  if (!e.reopen) TG_TRY(tg_merge_kinks(g, &e.n_factors, e.factors, &merged, &is_merged));
  e.coef *= merged;
  if (e.coef == 0.0) return tg_make_zero_like(g, like, out);
  if (e.reopen || is_merged) {
    memcpy(&e.scalars[e.n_scalars], e.factors, sizeof(tg_node) * (size_t)e.n_factors);
    TG_TRY(tg_make_had(g, e.n_scalars + e.n_factors, e.scalars, out));
    return tg_make_scale(g, e.coef, *out, out);
  }
  tg_node body = TG_NONE;
  if (e.n_factors == 0) {
    TG_TRY(tg_make_ones(g, shape->rows, shape->cols, &body));
  } else if (e.n_factors == 1) {
    body = e.factors[0];
  } else {
    TG_TRY(tg_intern(
        g,
        &(tg_info){.kind = TG_HAD, .rows = shape->rows, .cols = shape->cols, .n_args = e.n_factors, .args = e.factors},
        &body));
  }
  e.scalars[e.n_scalars++] = body;
  TG_TRY(tg_make_prod(g, e.n_scalars, e.scalars, &body));
  return tg_make_scale(g, e.coef, body, out);
}

static tg_status remake_had(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_had(g, tg_node_info(g, node)->n_args, args, out);
}

// d(X .* Y) = dX .* Y + X .* dY
static tg_status forward_had(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *factors = NULL;
  tg_node sum = TG_NONE;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (dargs[k] == TG_NONE) continue;
    tg_node term = TG_NONE;
    memcpy(factors, info->args, sizeof(tg_node) * (size_t)info->n_args);
    factors[k] = dargs[k];
    TG_TRY(tg_make_had(g, info->n_args, factors, &term));
    if (sum == TG_NONE)
      sum = term;
    else
      TG_TRY(tg_make_add(g, sum, term, &sum));
  }
  *out = sum;
  return TG_OK;
}

static tg_status others(tg_graph *g, tg_node node, tg_node replacement, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  int32_t n = 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (i != k)
      factors[n++] = info->args[i];
    else if (replacement != TG_NONE)
      factors[n++] = replacement;
  }
  return tg_make_had(g, n, factors, out);
}

// <G, dX .* Y> = <G .* Y, dX>
static tg_status reverse_had(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  return others(g, node, adjoint, k, out);
}

// vec(dX .* Y) = diag(vec(Y)) vec(dX)
static tg_status jacobian_had(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  TG_TRY(others(g, node, TG_NONE, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_diag(g, *out, out);
}

static tg_status sample_had(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_info *info = tg_node_info(g, node);
  for (int64_t i = 0; i < out->rows * out->cols; i++) {
    out->data[i] = 1.0;
    for (int32_t k = 0; k < info->n_args; k++) out->data[i] *= args[k].data[i];
  }
  return TG_OK;
}

const tg_op tg_op_had = {.name = "entrywise product",
                         .remake = remake_had,
                         .forward = forward_had,
                         .reverse = reverse_had,
                         .jacobian = jacobian_had,
                         .sample = sample_had,
                         .degree = tg_degree_product};
