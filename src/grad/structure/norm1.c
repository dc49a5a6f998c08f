// Terms w norm1(X) of a sum, recognised.
#include "grad/structure/norm1.h"

#include "base/memory.h"

// The position in wrt of X where the node is norm1(X): sum(abs(X)), or abs(x) of a scalar; else -1.
static int32_t find_norm1(const tg_graph *graph, tg_node node, int32_t n, const int32_t *wrt)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_SUM) info = tg_node_info(graph, info->args[0]);
  if (info->kind != TG_ABS) return -1;
  const tg_info *inside = tg_node_info(graph, info->args[0]);
  if (inside->kind == TG_TRANS) inside = tg_node_info(graph, inside->args[0]);
  for (int32_t k = 0; k < n; k++)
    if (inside->kind == TG_SYM && inside->symbol == wrt[k]) return k;
  return -1;
}

// The number that the scalar node stands for, 0 where it is none that is known.
static double number_of(const tg_graph *graph, tg_node node, const double *values, const bool *is_known)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_NUM) return info->value;
  return info->kind == TG_SYM && is_known[info->symbol] ? values[info->symbol] : 0;
}

// w and the position of X where the term is w norm1(X); -1 where it is not.
static int32_t read_term(const tg_graph *graph, tg_node term, int32_t n, const int32_t *wrt, const double *values,
                         const bool *is_known, double *weight)
{
  const tg_info *info = tg_node_info(graph, term);
  int32_t found = -1;
  *weight = 1;
  if (info->kind != TG_PROD) return find_norm1(graph, term, n, wrt);
  if (info->n_scalars != info->n_args) return -1;
  for (int32_t i = 0; i < info->n_args; i++) {
    const int32_t k = find_norm1(graph, info->args[i], n, wrt);
    if (k >= 0 && found >= 0) return -1; // a product of two
    if (k >= 0)
      found = k;
    else
      *weight *= number_of(graph, info->args[i], values, is_known);
  }
  return found;
}

tg_status tg_norm1_split(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                         const bool *is_known, double *weights, tg_node *smooth)
{
  const tg_info *info = tg_node_info(graph, f);
  const bool is_sum = info->kind == TG_LIN;
  const int32_t n_terms = is_sum ? info->n_args : 1;
  tg_node *rest = NULL;
  double *coefs = NULL;
  int32_t n_rest = 0;
  tg_status status = TG_OK;
  for (int32_t k = 0; k < n; k++) weights[k] = 0;
  TG_TRY_GOTO(TG_NEW(n_terms, &rest));
  TG_TRY_GOTO(TG_NEW(n_terms, &coefs));
  for (int32_t i = 0; i < n_terms; i++) {
    const tg_node term = is_sum ? info->args[i] : f;
    const double coef = is_sum ? info->coefs[i] : 1;
    double weight = 0;
    const int32_t k = read_term(graph, term, n, wrt, values, is_known, &weight);
    if (k >= 0 && coef * weight > 0) {
      weights[k] += coef * weight;
    } else {
      rest[n_rest] = term;
      coefs[n_rest++] = coef;
    }
  }
  status = n_rest > 0 ? tg_make_lin(graph, n_rest, coefs, rest, smooth) : tg_make_num(graph, 0, smooth);
done:
  tg_free(rest);
  tg_free(coefs);
  return status;
}
