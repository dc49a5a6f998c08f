// Terms w sumsq(X) of a sum, recognised.
#include "grad/structure/ridge.h"

#include <math.h>

#include "base/memory.h"
#include "grad/structure/curvature.h"

typedef struct squares {
  const tg_graph *graph;
  int32_t n;
  tg_node *nodes; // sumsq(X_k): equal expressions are one node
  double *weights;
  const double *values;
  const bool *is_known;
} squares;

static int32_t find_square(const squares *s, tg_node node)
{
  for (int32_t k = 0; k < s->n; k++)
    if (s->nodes[k] == node) return k;
  return -1;
}

// The number that the scalar node stands for, 0 where it is none that is known.
static double number_of(const squares *s, tg_node node)
{
  const tg_info *info = tg_node_info(s->graph, node);
  if (info->kind == TG_NUM) return info->value;
  return info->kind == TG_SYM && s->is_known[info->symbol] ? s->values[info->symbol] : 0;
}

// w and the position of X where the term is w sumsq(X); -1 where it is not.
static int32_t read_term(const squares *s, tg_node term, double *weight)
{
  const tg_info *info = tg_node_info(s->graph, term);
  int32_t found = -1;
  *weight = 1;
  if (find_square(s, term) >= 0) return find_square(s, term);
  if (info->kind != TG_PROD || info->n_scalars != info->n_args) return -1;
  for (int32_t i = 0; i < info->n_args; i++) {
    const int32_t k = find_square(s, info->args[i]);
    if (k >= 0 && found >= 0) return -1; // a product of two
    if (k >= 0)
      found = k;
    else
      *weight *= number_of(s, info->args[i]);
  }
  return found;
}

// The sum without the squares, whose weights are added up.
static tg_status split(tg_graph *graph, tg_node f, squares *s, tg_node *rest)
{
  const tg_info *info = tg_node_info(graph, f);
  const bool is_sum = info->kind == TG_LIN;
  const int32_t n_terms = is_sum ? info->n_args : 1;
  tg_node *nodes = NULL;
  double *coefs = NULL;
  int32_t n_rest = 0;
  tg_status status = TG_NEW(n_terms, &nodes);
  if (status == TG_OK) status = TG_NEW(n_terms, &coefs);
  for (int32_t i = 0; i < n_terms && status == TG_OK; i++) {
    const tg_node term = is_sum ? info->args[i] : f;
    const double coef = is_sum ? info->coefs[i] : 1;
    double weight = 0;
    const int32_t k = read_term(s, term, &weight);
    if (k >= 0 && coef * weight > 0) {
      s->weights[k] += coef * weight;
    } else {
      nodes[n_rest] = term;
      coefs[n_rest++] = coef;
    }
  }
  if (status == TG_OK)
    status = n_rest > 0 ? tg_make_lin(graph, n_rest, coefs, nodes, rest) : tg_make_num(graph, 0, rest);
  tg_free(nodes);
  tg_free(coefs);
  return status;
}

static tg_status make_squares(tg_graph *graph, const int32_t *wrt, const squares *s)
{
  for (int32_t k = 0; k < s->n; k++) {
    TG_TRY(tg_make_sym(graph, wrt[k], &s->nodes[k]));
    TG_TRY(tg_make_dot(graph, s->nodes[k], s->nodes[k], &s->nodes[k]));
  }
  return TG_OK;
}

static tg_status find_least(tg_graph *graph, tg_node f, const int32_t *wrt, squares *s, double *out)
{
  tg_node rest = TG_NONE;
  tg_curvature curvature = TG_CURVATURE_UNKNOWN;
  const char *reason = NULL;
  double least = INFINITY;
  TG_TRY(make_squares(graph, wrt, s));
  TG_TRY(split(graph, f, s, &rest));
  for (int32_t k = 0; k < s->n; k++) least = fmin(least, 2 * s->weights[k]);
  if (!(least > 0) || !isfinite(least)) return TG_OK;
  TG_TRY(tg_curvature_find(graph, rest, s->n, wrt, &curvature, &reason));
  if (curvature == TG_CURVATURE_CONVEX || curvature == TG_CURVATURE_AFFINE) *out = least;
  return TG_OK;
}

tg_status tg_ridge_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                        const bool *is_known, double *out)
{
  squares s = {.graph = graph, .n = n, .values = values, .is_known = is_known};
  *out = 0;
  tg_status status = TG_NEW(n, &s.nodes);
  if (status == TG_OK) status = TG_NEW(n, &s.weights);
  if (status == TG_OK) status = find_least(graph, f, wrt, &s, out);
  tg_free(s.nodes);
  tg_free(s.weights);
  return status;
}
