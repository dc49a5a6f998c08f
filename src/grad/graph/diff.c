// Differentiation by walking the graph: reverse accumulation, forward differentials, Jacobians, lines, degrees.
//
// A node's arguments have smaller ids, so one pass upwards (values, differentials) or downwards (adjoints) visits
// every node after what it needs.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/op.h"

// active[node]: node is at or below root and depends on one of the symbols.
static tg_status find_active(const tg_graph *g, tg_node root, int32_t n, const int32_t *symbols, uint8_t **out)
{
  uint8_t *active = NULL;
  uint8_t *below = NULL;
  tg_status status = TG_OK;
  *out = NULL;
  TG_TRY_GOTO(TG_NEW((int64_t)root + 1, &active));
  TG_TRY_GOTO(tg_node_find_below(g, root, &below));
  for (tg_node node = 1; node <= root; node++) {
    const tg_info *info = tg_node_info(g, node);
    if (below[node] == 0) continue;
    for (int32_t k = 0; info->kind == TG_SYM && k < n; k++) active[node] |= info->symbol == symbols[k];
    for (int32_t i = 0; i < info->n_args; i++) active[node] |= active[info->args[i]];
  }
  *out = active;
  active = NULL;
done:
  tg_free(active);
  tg_free(below);
  return status;
}

// ---- reverse ----

// The contributions a node has received, summed when the node is visited.
typedef struct adjoints {
  tg_node *terms;
  int32_t count;
  int32_t capacity;
} adjoints;

static tg_status adjoints_add(adjoints *list, tg_node term)
{
  if (list->count == list->capacity) {
    const int32_t capacity = list->capacity > 0 ? 2 * list->capacity : 4;
    TG_TRY(tg_grow(capacity, sizeof(tg_node), (void **)&list->terms));
    list->capacity = capacity;
  }
  list->terms[list->count++] = term;
  return TG_OK;
}

static tg_status adjoints_sum(tg_graph *g, const adjoints *list, tg_node *out)
{
  double *coefs = NULL;
  TG_TRY(TG_SCRATCH(g, list->count, &coefs));
  for (int32_t i = 0; i < list->count; i++) coefs[i] = 1.0;
  return tg_make_lin(g, list->count, coefs, list->terms, out);
}

static tg_status sweep_down(tg_graph *g, tg_node f, const uint8_t *active, adjoints *lists)
{
  tg_node seed = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &seed));
  TG_TRY(adjoints_add(&lists[f], seed));
  for (tg_node node = f; node > 0; node--) {
    const tg_info *info = tg_node_info(g, node);
    if (active[node] == 0 || lists[node].count == 0 || info->n_args == 0) continue;
    tg_node adjoint = TG_NONE;
    TG_TRY(adjoints_sum(g, &lists[node], &adjoint));
    if (tg_node_is_zero(g, adjoint)) continue;
    for (int32_t k = 0; k < info->n_args; k++) {
      if (active[info->args[k]] == 0) continue;
      tg_node part = TG_NONE;
      TG_TRY(tg_op_get(info->kind)->reverse(g, node, adjoint, k, &part));
      TG_TRY(adjoints_add(&lists[info->args[k]], part));
    }
  }
  return TG_OK;
}

tg_status tg_gradient(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out)
{
  TG_ASSERT(tg_node_is_scalar(graph, f));
  tg_status status = TG_OK;
  uint8_t *active = NULL;
  adjoints *lists = NULL;
  TG_TRY_GOTO(find_active(graph, f, n, wrt, &active));
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &lists));
  TG_TRY_GOTO(sweep_down(graph, f, active, lists));
  for (int32_t k = 0; k < n; k++) {
    tg_node symbol = TG_NONE;
    TG_TRY_GOTO(tg_make_sym(graph, wrt[k], &symbol));
    if (symbol <= f && lists[symbol].count > 0)
      TG_TRY_GOTO(adjoints_sum(graph, &lists[symbol], &out[k]));
    else
      TG_TRY_GOTO(tg_make_zero_like(graph, symbol, &out[k]));
  }
done:
  for (tg_node node = 0; lists != NULL && node <= f; node++) tg_free(lists[node].terms);
  tg_free(lists);
  tg_free(active);
  return status;
}

// ---- forward ----

// One node's differential from those of its arguments.
static tg_status differential(tg_graph *g, tg_node node, const tg_node *d, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *dargs = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &dargs));
  for (int32_t i = 0; i < info->n_args; i++) dargs[i] = d[info->args[i]];
  return tg_op_get(info->kind)->forward(g, node, dargs, out);
}

tg_status tg_forward(tg_graph *graph, tg_node node, int32_t n, const int32_t *wrt, const tg_node *along, tg_node *out)
{
  tg_status status = TG_OK;
  uint8_t *active = NULL;
  tg_node *d = NULL;
  TG_TRY_GOTO(find_active(graph, node, n, wrt, &active));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &d));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(graph, at);
    if (active[at] == 0) continue;
    for (int32_t k = 0; info->kind == TG_SYM && k < n; k++)
      if (info->symbol == wrt[k]) d[at] = along[k];
    if (info->kind != TG_SYM) TG_TRY_GOTO(differential(graph, at, d, &d[at]));
  }
  *out = d[node];
  if (*out == TG_NONE) TG_TRY_GOTO(tg_make_zero_like(graph, node, out));
done:
  tg_free(active);
  tg_free(d);
  return status;
}

// ---- Jacobian ----

static tg_status jacobian_of(tg_graph *g, tg_node node, const uint8_t *active, const tg_node *jacobians, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  *out = TG_NONE;
  for (int32_t k = 0; k < info->n_args; k++) {
    if (active[info->args[k]] == 0) continue;
    tg_node part = TG_NONE;
    TG_TRY(tg_op_get(info->kind)->jacobian(g, node, k, &part));
    TG_TRY(tg_make_mul(g, part, jacobians[info->args[k]], &part));
    if (*out == TG_NONE)
      *out = part;
    else
      TG_TRY(tg_make_add(g, *out, part, out));
  }
  return TG_OK;
}

// Whether the scalar node is made of matrices: then its Jacobian is a gradient in one row, and shorter so.
static bool is_scalar_of_matrices(const tg_graph *g, tg_node node, const uint8_t *active)
{
  const tg_info *info = tg_node_info(g, node);
  if (!tg_node_is_scalar(g, node)) return false;
  for (int32_t i = 0; i < info->n_args; i++)
    if (active[info->args[i]] != 0 && !tg_node_is_scalar(g, info->args[i])) return true;
  return false;
}

// vec(G)'
static tg_status row_of_gradient(tg_graph *g, tg_node node, int32_t wrt, tg_node *out)
{
  TG_TRY(tg_gradient(g, node, 1, &wrt, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_trans(g, *out, out);
}

tg_status tg_jacobian(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out)
{
  tg_status status = TG_OK;
  uint8_t *active = NULL;
  tg_node *jacobians = NULL;
  const tg_symbol *symbol = tg_symbol_info(graph, wrt);
  tg_dim columns = 0;
  tg_dim rows = 0;
  TG_TRY(tg_dim_product(graph, symbol->rows, symbol->cols, &columns));
  TG_TRY_GOTO(find_active(graph, f, 1, &wrt, &active));
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &jacobians));
  for (tg_node node = 1; node <= f; node++) {
    if (active[node] == 0) continue;
    if (tg_node_info(graph, node)->kind == TG_SYM)
      TG_TRY_GOTO(tg_make_identity(graph, columns, &jacobians[node]));
    else if (is_scalar_of_matrices(graph, node, active))
      TG_TRY_GOTO(row_of_gradient(graph, node, wrt, &jacobians[node]));
    else
      TG_TRY_GOTO(jacobian_of(graph, node, active, jacobians, &jacobians[node]));
  }
  *out = jacobians[f];
  if (*out == TG_NONE) {
    const tg_info *info = tg_node_info(graph, f);
    TG_TRY_GOTO(tg_dim_product(graph, info->rows, info->cols, &rows));
    TG_TRY_GOTO(tg_make_zero(graph, rows, columns, out));
  }
done:
  tg_free(active);
  tg_free(jacobians);
  return status;
}

// ---- rewriting ----

tg_status tg_substitute(tg_graph *g, tg_node node, int32_t n, const int32_t *symbols, const tg_node *values,
                        tg_node *out)
{
  tg_status status = TG_OK;
  uint8_t *active = NULL;
  tg_node *image = NULL;
  TG_TRY_GOTO(find_active(g, node, n, symbols, &active));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &image));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(g, at);
    image[at] = at;
    if (active[at] == 0) continue;
    for (int32_t k = 0; info->kind == TG_SYM && k < n; k++)
      if (info->symbol == symbols[k]) image[at] = values[k];
    if (info->kind == TG_SYM) continue;
    tg_node *args = NULL;
    TG_TRY_GOTO(TG_SCRATCH(g, info->n_args, &args));
    for (int32_t i = 0; i < info->n_args; i++) args[i] = image[info->args[i]];
    TG_TRY_GOTO(tg_make_like(g, at, args, &image[at]));
  }
  *out = image[node];
done:
  tg_free(active);
  tg_free(image);
  return status;
}

// ---- degree and line polynomial ----

static int degree_of(const tg_graph *g, tg_node node, const uint8_t *active, const int *degrees)
{
  const tg_info *info = tg_node_info(g, node);
  int args[64];
  if (info->kind == TG_SYM) return 1;
  if (info->n_args <= 64) {
    for (int32_t i = 0; i < info->n_args; i++) args[i] = active[info->args[i]] != 0 ? degrees[info->args[i]] : 0;
    return tg_op_get(info->kind)->degree(g, node, args);
  }
  int *many = NULL;
  if (TG_NEW(info->n_args, &many) != TG_OK) return -1; // a safe answer: treated as not polynomial
  for (int32_t i = 0; i < info->n_args; i++) many[i] = active[info->args[i]] != 0 ? degrees[info->args[i]] : 0;
  const int degree = tg_op_get(info->kind)->degree(g, node, many);
  tg_free(many);
  return degree;
}

tg_status tg_degree_find(const tg_graph *graph, tg_node node, int32_t n, const int32_t *symbols, int *out)
{
  uint8_t *active = NULL;
  int *degrees = NULL;
  tg_status status = TG_OK;
  *out = -1;
  TG_TRY_GOTO(find_active(graph, node, n, symbols, &active));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &degrees));
  for (tg_node at = 1; at <= node; at++)
    if (active[at] != 0) degrees[at] = degree_of(graph, at, active, degrees);
  *out = degrees[node];
done:
  tg_free(active);
  tg_free(degrees);
  return status;
}

int tg_degree(const tg_graph *graph, tg_node node, int32_t n, const int32_t *symbols)
{
  int degree = -1;
  return tg_degree_find(graph, node, n, symbols, &degree) == TG_OK ? degree : -1;
}

// f(X + tD) = sum_k t^k / k! d^k f(X)[D, ..., D]
tg_status tg_line_polynomial(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_node *directions,
                             int degree, tg_node *out)
{
  tg_node derivative = f;
  out[0] = f;
  double factorial = 1.0;
  for (int k = 1; k <= degree; k++) {
    TG_TRY(tg_forward(graph, derivative, n, wrt, directions, &derivative));
    factorial *= k;
    TG_TRY(tg_make_scale(graph, 1.0 / factorial, derivative, &out[k]));
  }
  return TG_OK;
}
