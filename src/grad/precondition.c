// The Hessian's diagonal and its Kronecker terms, from the operator of a quadratic.
#include "grad/precondition.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "grad/op.h"

// ---- the quadratic at zero ----

// Whether the node, as a function of its arguments, has derivatives at zero whatever these are there.
static bool is_smooth_kind(const tg_graph *g, const tg_info *info)
{
  double exponent = 0.0;
  switch (info->kind) {
  case TG_INV:
  case TG_DET:
  case TG_LOGDET:
  case TG_ABS:
  case TG_SIGN:
  case TG_RELU:
  case TG_LOG:
    return false;
  case TG_POW:
    return tg_node_is_number(g, info->args[1], &exponent) && exponent >= 0.0 && floor(exponent) == exponent;
  default:
    return true;
  }
}

// Arguments have smaller ids than their node: one pass upwards finds what depends on a variable.
static tg_status is_smooth(const tg_graph *g, tg_node f, int32_t n, const int32_t *wrt, bool *out)
{
  *out = true;
  bool *reached = NULL;
  TG_TRY(TG_NEW((int64_t)f + 1, &reached));
  reached[f] = true;
  for (tg_node node = f; node > TG_NONE && *out; node--) {
    const tg_info *info = tg_node_info(g, node);
    bool moves = false;
    for (int32_t k = 0; reached[node] && k < n && !moves; k++) moves = tg_node_depends_on(g, node, wrt[k]);
    if (!moves) continue;
    *out = is_smooth_kind(g, info);
    for (int32_t k = 0; k < info->n_args; k++) reached[info->args[k]] = true;
  }
  tg_free(reached);
  return TG_OK;
}

static tg_status add_direction(tg_graph *g, const tg_symbol *x, int32_t *symbol, tg_node *out)
{
  char name[24];
  int number = 0;
  do {
    snprintf(name, sizeof name, "V__%d", number++);
  } while (tg_symbol_find(g, name) >= 0);
  TG_TRY(tg_symbol_add(g, name, x->rows, x->cols, 0, true, symbol));
  return tg_make_sym(g, *symbol, out);
}

// 1/2 <X, H(0)[X]> of one variable; zeros are the values of all.
static tg_status half_square(tg_graph *g, tg_node f, int32_t wrt, int32_t n, const int32_t *all, const tg_node *zeros,
                             tg_node *out)
{
  const tg_symbol x = *tg_symbol_info(g, wrt);
  tg_node gradient = TG_NONE;
  tg_node action = TG_NONE;
  tg_node v = TG_NONE;
  tg_node point = TG_NONE;
  int32_t direction = -1;
  TG_TRY(add_direction(g, &x, &direction, &v));
  TG_TRY(tg_gradient(g, f, 1, &wrt, &gradient));
  TG_TRY(tg_forward(g, gradient, 1, &wrt, &v, &action));
  TG_TRY(tg_substitute(g, action, n, all, zeros, &action));
  TG_TRY(tg_make_sym(g, wrt, &point));
  TG_TRY(tg_substitute(g, action, 1, &direction, &point, &action));
  TG_TRY(tg_make_dot(g, point, action, out));
  return tg_make_scale(g, 0.5, *out, out);
}

static tg_status expand_at_zero(tg_graph *g, tg_node f, int32_t n, const int32_t *wrt, tg_node *zeros, tg_node *out)
{
  for (int32_t k = 0; k < n; k++) {
    const tg_symbol x = *tg_symbol_info(g, wrt[k]);
    TG_TRY(tg_make_zero(g, x.rows, x.cols, &zeros[k]));
  }
  for (int32_t k = 0; k < n; k++) {
    tg_node part = TG_NONE;
    TG_TRY(half_square(g, f, wrt[k], n, wrt, zeros, &part));
    if (*out == TG_NONE)
      *out = part;
    else
      TG_TRY(tg_make_add(g, *out, part, out));
  }
  if (tg_node_is_zero(g, *out)) *out = TG_NONE;
  return TG_OK;
}

tg_status tg_precondition_model(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out)
{
  const int degree = tg_degree(graph, f, n, wrt);
  bool smooth = false;
  tg_node *zeros = NULL;
  *out = degree >= 0 && degree <= 2 ? f : TG_NONE;
  if (*out != TG_NONE) return TG_OK;
  TG_TRY(is_smooth(graph, f, n, wrt, &smooth));
  if (!smooth) return TG_OK;
  TG_TRY(TG_SCRATCH(graph, n, &zeros));
  return expand_at_zero(graph, f, n, wrt, zeros, out);
}

// ---- the diagonal ----

// The diagonal of a square factor as a column: of P Q it is (P .* Q') ones.
static tg_status diagonal_of(tg_graph *g, tg_node factor, tg_dim n, tg_node *out)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  if (tg_dim_is_one(g, n)) {
    if (factor == TG_NONE) return tg_make_num(g, 1.0, out);
    *out = factor;
    return TG_OK;
  }
  if (factor == TG_NONE) return tg_make_ones(g, n, one, out);
  const tg_info info = *tg_node_info(g, factor);
  if (info.kind == TG_LIN) {
    tg_node sum = TG_NONE;
    for (int32_t i = 0; i < info.n_args; i++) {
      tg_node part = TG_NONE;
      TG_TRY(diagonal_of(g, info.args[i], n, &part));
      TG_TRY(tg_make_scale(g, info.coefs[i], part, &part));
      if (sum == TG_NONE)
        sum = part;
      else
        TG_TRY(tg_make_add(g, sum, part, &sum));
    }
    *out = sum;
    return TG_OK;
  }
  tg_node ones = TG_NONE;
  tg_node halves[2] = {TG_NONE, TG_NONE};
  if (info.kind == TG_PROD && info.n_scalars == 0 && info.n_args >= 2) {
    TG_TRY(tg_make_prod(g, info.n_args - 1, info.args + 1, &halves[1]));
    halves[0] = info.args[0];
  } else if (info.kind == TG_MPOW) {
    TG_TRY(tg_make_mpow(g, info.args[0], info.exponent - 1, &halves[1]));
    halves[0] = info.args[0];
  } else {
    return tg_make_unary(g, TG_DIAGVEC, factor, out);
  }
  TG_TRY(tg_make_trans(g, halves[1], &halves[1]));
  TG_TRY(tg_make_had(g, 2, halves, &halves[0]));
  TG_TRY(tg_make_ones(g, tg_node_info(g, halves[0])->cols, one, &ones));
  return tg_make_mul(g, halves[0], ones, out);
}

static tg_status or_eye(tg_graph *g, tg_node node, tg_dim n, tg_node *out)
{
  *out = node;
  return node == TG_NONE ? tg_make_eye(g, n, out) : TG_OK;
}

static tg_status term_diagonal(tg_graph *g, const tg_operator_term *term, const tg_symbol *x, tg_node *out)
{
  tg_node parts[2] = {TG_NONE, TG_NONE};
  if (term->transposed) {
    TG_TRY(or_eye(g, term->left, x->rows, &parts[0]));
    TG_TRY(or_eye(g, term->right, x->rows, &parts[1]));
    TG_TRY(tg_make_had(g, 2, parts, out));
  } else {
    TG_TRY(diagonal_of(g, term->left, x->rows, &parts[0]));
    TG_TRY(diagonal_of(g, term->right, x->cols, &parts[1]));
    TG_TRY(tg_make_trans(g, parts[1], &parts[1]));
    TG_TRY(tg_make_mul(g, parts[0], parts[1], out));
  }
  if (term->scalars != TG_NONE) TG_TRY(tg_make_mul(g, term->scalars, *out, out));
  return tg_make_scale(g, term->coef, *out, out);
}

tg_status tg_precondition_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out)
{
  *out = TG_NONE;
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (!structure.has_operator) return TG_OK;
  const tg_symbol x = *tg_symbol_info(graph, wrt);
  tg_node sum = TG_NONE;
  for (int32_t k = 0; k < structure.n_terms; k++) {
    tg_node part = TG_NONE;
    TG_TRY(term_diagonal(graph, &structure.terms[k], &x, &part));
    if (sum == TG_NONE)
      sum = part;
    else
      TG_TRY(tg_make_add(graph, sum, part, &sum));
  }
  *out = sum;
  return TG_OK;
}

// ---- terms ----

static tg_status is_symmetric(tg_graph *g, tg_node node, bool *out)
{
  *out = true;
  return node == TG_NONE ? TG_OK : tg_node_is_symmetric(g, node, out);
}

tg_status tg_precondition_terms(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, int32_t *n_out,
                                tg_closed_group *out)
{
  *n_out = 0;
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  int32_t n = 0;
  tg_closed_group *groups = NULL;
  TG_TRY(tg_closed_groups(graph, &structure, wrt, &n, &groups));
  for (int32_t k = 0; k < n && *n_out < room; k++) {
    bool left = false;
    bool right = false;
    TG_TRY(is_symmetric(graph, groups[k].left, &left));
    TG_TRY(is_symmetric(graph, groups[k].right, &right));
    if (left && right && groups[k].coef > 0) out[(*n_out)++] = groups[k];
  }
  return TG_OK;
}
