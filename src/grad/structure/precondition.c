// The Hessian's diagonal and its Kronecker terms, from the operator of a quadratic.
#include "grad/structure/precondition.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

// ---- the quadratic at zero ----

// Whether the node, as a function of its arguments, has derivatives whatever these are; inverses, determinants,
// logarithms and roots have them inside the domain of f, where zero need not be.
static bool is_smooth_kind(const tg_graph *g, const tg_info *info, bool at_zero)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  double exponent = 0.0;
  switch (info->kind) {
  case TG_INV:
  case TG_DET:
  case TG_LOGDET:
  case TG_SQRTM:
  case TG_LOGM:
    return !at_zero;
  case TG_POW:
    return tg_node_is_number(g, info->args[1], &exponent) &&
           (!at_zero || (exponent >= 0.0 && floor(exponent) == exponent) || tg_node_is_positive(g, info->args[0]));
  default:
    if (tg_kind_has_kinks(info->kind)) return false;
    if (f == NULL || !at_zero) return true;
    return (f->domain.low < -DBL_MAX || (f->domain.low <= 0.0 && tg_node_is_positive(g, info->args[0]))) &&
           f->domain.high > DBL_MAX;
  }
}

// Arguments have smaller ids than their node: one pass upwards finds what depends on a variable.
static tg_status is_smooth(const tg_graph *g, tg_node f, int32_t n, const int32_t *wrt, bool at_zero, bool *out)
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
    *out = is_smooth_kind(g, info, at_zero);
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

// 1/2 <X, H[X]> of one variable; points are the values of all in H.
static tg_status half_square(tg_graph *g, tg_node f, int32_t wrt, int32_t n, const int32_t *all, const tg_node *points,
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
  TG_TRY(tg_substitute(g, action, n, all, points, &action));
  TG_TRY(tg_make_sym(g, wrt, &point));
  TG_TRY(tg_substitute(g, action, 1, &direction, &point, &action));
  TG_TRY(tg_make_dot(g, point, action, out));
  return tg_make_scale(g, 0.5, *out, out);
}

static tg_status make_model(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_node *points,
                            bool at_zero, tg_node *out)
{
  int degree = -1;
  bool smooth = false;
  *out = TG_NONE;
  TG_TRY(tg_degree_find(graph, f, n, wrt, &degree));
  if (degree >= 0 && degree <= 2) return TG_OK;
  TG_TRY(is_smooth(graph, f, n, wrt, at_zero, &smooth));
  if (!smooth) return TG_OK;
  for (int32_t k = 0; k < n; k++) {
    tg_node part = TG_NONE;
    TG_TRY(half_square(graph, f, wrt[k], n, wrt, points, &part));
    if (*out == TG_NONE)
      *out = part;
    else
      TG_TRY(tg_make_add(graph, *out, part, out));
  }
  if (tg_node_is_zero(graph, *out)) *out = TG_NONE;
  return TG_OK;
}

tg_status tg_precondition_model_at(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_node *points,
                                   tg_node *out)
{
  return make_model(graph, f, n, wrt, points, false, out);
}

tg_status tg_precondition_model(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out)
{
  int degree = -1;
  tg_node *zeros = NULL;
  *out = f;
  TG_TRY(tg_degree_find(graph, f, n, wrt, &degree));
  if (degree >= 0 && degree <= 2) return TG_OK;
  TG_TRY(TG_SCRATCH(graph, n, &zeros));
  TG_TRY(tg_make_zero_symbols(graph, n, wrt, zeros));
  return make_model(graph, f, n, wrt, zeros, true, out);
}

// Whether an argument is an entry of the variable, but for a factor and a constant.
static bool is_entry(const tg_graph *g, tg_node node, int32_t wrt)
{
  const tg_info *info = tg_node_info(g, node);
  int32_t moving = 0;
  if (info->kind == TG_TRANS) return is_entry(g, info->args[0], wrt);
  if (info->kind == TG_SYM) return info->symbol == wrt;
  for (int32_t k = 0; info->kind == TG_LIN && k < info->n_args; k++) {
    if (!tg_node_depends_on(g, info->args[k], wrt)) continue;
    if (!is_entry(g, info->args[k], wrt)) return false;
    moving++;
  }
  return moving == 1;
}

// A function of entries whose domain ends where they vanish, or at another number.
static bool ends_at_entry(const tg_graph *g, const tg_info *info, int32_t wrt)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  double exponent = 0.0;
  if (info->n_args < 1 || !is_entry(g, info->args[0], wrt)) return false;
  if (info->kind == TG_POW)
    return tg_node_is_number(g, info->args[1], &exponent) && (exponent < 0.0 || floor(exponent) != exponent);
  return f != NULL && f->domain.low > -DBL_MAX && !tg_kind_has_kinks(info->kind);
}

tg_status tg_precondition_has_border(const tg_graph *graph, tg_node f, int32_t wrt, bool *out)
{
  uint8_t *below = NULL;
  *out = false;
  TG_TRY(tg_node_find_below(graph, f, &below));
  for (tg_node node = 1; node <= f && !*out; node++)
    *out = below[node] != 0 && ends_at_entry(graph, tg_node_info(graph, node), wrt);
  tg_free(below);
  return TG_OK;
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
  return tg_make_row_sums(g, halves[0], out);
}

static tg_status or_eye(tg_graph *g, tg_node node, tg_dim n, tg_node *out)
{
  *out = node;
  return node == TG_NONE ? tg_make_identity(g, n, out) : TG_OK;
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

static tg_status add_to(tg_graph *g, tg_node part, tg_node *sum)
{
  if (*sum != TG_NONE) return tg_make_add(g, *sum, part, sum);
  *sum = part;
  return TG_OK;
}

// a .* b' for factors of n rows, where TG_NONE is the identity; two of them give TG_NONE.
static tg_status entrywise_factor(tg_graph *g, tg_node a, tg_node b, tg_dim n, tg_node *out)
{
  tg_node parts[2] = {a, b};
  *out = TG_NONE;
  if (a == TG_NONE && b == TG_NONE) return TG_OK;
  if (a == TG_NONE || b == TG_NONE) {
    TG_TRY(diagonal_of(g, a == TG_NONE ? b : a, n, out));
    return tg_make_unary(g, TG_DIAG, *out, out);
  }
  TG_TRY(tg_make_trans(g, b, &parts[1]));
  return tg_make_had(g, 2, parts, out);
}

// Entry (i,j) of the diagonal of L (Q .* (J V K)) R is sum_ab L(i,a) J(a,i) Q(a,b) K(j,b) R(b,j).
static tg_status weighted_diagonal(tg_graph *g, const tg_weighted_term *term, const tg_symbol *x, tg_node *out)
{
  tg_node left = TG_NONE;
  tg_node right = TG_NONE;
  TG_TRY(entrywise_factor(g, term->left, term->inner.left, x->rows, &left));
  TG_TRY(entrywise_factor(g, term->inner.right, term->right, x->cols, &right));
  *out = term->weight;
  if (left != TG_NONE) TG_TRY(tg_make_mul(g, left, *out, out));
  if (right != TG_NONE) TG_TRY(tg_make_trans(g, right, &right));
  if (right != TG_NONE) TG_TRY(tg_make_mul(g, *out, right, out));
  if (term->inner.scalars != TG_NONE) TG_TRY(tg_make_mul(g, term->inner.scalars, *out, out));
  return tg_make_scale(g, term->inner.coef, *out, out);
}

tg_status tg_precondition_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out)
{
  *out = TG_NONE;
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (!structure.has_operator && !structure.has_weights) return TG_OK;
  const tg_symbol x = *tg_symbol_info(graph, wrt);
  tg_node sum = TG_NONE;
  tg_node part = TG_NONE;
  for (int32_t k = 0; k < structure.n_terms; k++) {
    TG_TRY(term_diagonal(graph, &structure.terms[k], &x, &part));
    TG_TRY(add_to(graph, part, &sum));
  }
  for (int32_t k = 0; k < structure.n_weighted; k++) {
    if (structure.weighted[k].inner.transposed) return TG_OK; // entries of V' and of V mix: no product of factors
    TG_TRY(weighted_diagonal(graph, &structure.weighted[k], &x, &part));
    TG_TRY(add_to(graph, part, &sum));
  }
  *out = sum;
  return TG_OK;
}

tg_status tg_precondition_partial_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out)
{
  tg_node action = TG_NONE; // H[X]
  tg_node x = TG_NONE;
  *out = TG_NONE;
  TG_TRY(tg_gradient(graph, f, 1, &wrt, &action));
  TG_TRY(tg_make_sym(graph, wrt, &x));
  const tg_info info = *tg_node_info(graph, action);
  for (int32_t k = 0; info.kind == TG_LIN && k < info.n_args; k++) {
    tg_node part = TG_NONE;
    TG_TRY(tg_make_dot(graph, x, info.args[k], &part));
    TG_TRY(tg_make_scale(graph, info.coefs[k] / 2, part, &part));
    TG_TRY(tg_precondition_diagonal(graph, part, wrt, &part));
    if (part != TG_NONE) TG_TRY(add_to(graph, part, out));
  }
  return info.kind == TG_LIN ? TG_OK : tg_precondition_diagonal(graph, f, wrt, out);
}

// ---- weights ----

static bool is_diagonal(const tg_graph *g, tg_node node)
{
  if (node == TG_NONE) return true;
  const tg_info *info = tg_node_info(g, node);
  if (info->kind == TG_EYE || info->kind == TG_DIAG) return true;
  if (info->kind == TG_SYM) return (tg_symbol_info(g, info->symbol)->properties & TG_DIAGONAL) != 0;
  bool all = info->kind == TG_LIN || info->kind == TG_PROD;
  for (int32_t k = info->kind == TG_PROD ? info->n_scalars : 0; all && k < info->n_args; k++)
    all = is_diagonal(g, info->args[k]);
  return all;
}

bool tg_precondition_is_diagonal(const tg_graph *graph, const tg_closed_group *term)
{
  return is_diagonal(graph, term->left) && is_diagonal(graph, term->right);
}

tg_status tg_precondition_weights(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, tg_weights *out,
                                  int32_t *n_out, tg_node *nodes)
{
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  *out = structure.has_weights ? TG_WEIGHTS_DIAGONAL : TG_WEIGHTS_NONE;
  *n_out = 0;
  for (int32_t k = 0; structure.has_weights && k < structure.n_weighted; k++) {
    const tg_weighted_term *term = &structure.weighted[k];
    if (*n_out < room) nodes[(*n_out)++] = term->weight;
    const tg_node factors[4] = {term->left, term->inner.left, term->inner.right, term->right};
    for (int i = 0; i < 4; i++)
      if (!is_diagonal(graph, factors[i])) *out = TG_WEIGHTS_INSIDE;
  }
  return TG_OK;
}

// diag(Q ones) with the shift; of Q' for the columns.
static tg_status marginal(tg_graph *g, tg_node weight, tg_node total, tg_node *out)
{
  const tg_info info = *tg_node_info(g, weight);
  const int64_t n = tg_dim_value(g, info.rows);
  tg_dim one = 0;
  tg_node shift = TG_NONE;
  TG_TRY(tg_make_row_sums(g, weight, out));
  if (n > 0) {
    TG_TRY(tg_dim_number(g, 1, &one));
    TG_TRY(tg_make_filled(g, total, info.rows, one, &shift));
    TG_TRY(tg_make_lin(g, 2, (const double[]){1.0, TG_WEIGHT_SHIFT / (double)n}, (const tg_node[]){*out, shift}, out));
  }
  return tg_make_unary(g, TG_DIAG, *out, out);
}

static tg_status multiply_three(tg_graph *g, tg_node a, tg_node b, tg_node c, tg_node *out)
{
  *out = b;
  if (a != TG_NONE) TG_TRY(tg_make_mul(g, a, *out, out));
  return c != TG_NONE ? tg_make_mul(g, *out, c, out) : TG_OK;
}

// L diag(r) J V K (diag(c) / s) R for L (Q .* (J V K)) R. The sign of the coefficient goes with that of r into the left
// side, and c / s has none: weights may come as -1 times a matrix that is nowhere positive.
static tg_status separate(tg_graph *g, const tg_weighted_term *term, tg_operator_term *out)
{
  tg_node total = TG_NONE;
  tg_node across = TG_NONE;
  tg_node rows = TG_NONE;
  tg_node cols = TG_NONE;
  *out = (tg_operator_term){.coef = 1.0, .transposed = term->inner.transposed};
  TG_TRY(tg_make_trans(g, term->weight, &across));
  TG_TRY(tg_make_unary(g, TG_SUM, term->weight, &total));
  TG_TRY(marginal(g, term->weight, total, &rows));
  TG_TRY(marginal(g, across, total, &cols));
  TG_TRY(multiply_three(g, term->left, rows, term->inner.left, &out->left));
  TG_TRY(multiply_three(g, term->inner.right, cols, term->right, &out->right));
  if (term->inner.scalars != TG_NONE) TG_TRY(tg_make_mul(g, term->inner.scalars, out->left, &out->left));
  TG_TRY(tg_make_scale(g, term->inner.coef, out->left, &out->left));
  TG_TRY(tg_make_pow_number(g, total, -1.0, &total));
  return tg_make_mul(g, total, out->right, &out->right);
}

// The operator of the weighted terms alone, by separable stand-ins; without weights an empty one.
static tg_status separate_weights(tg_graph *g, const tg_structure *s, tg_structure *out)
{
  *out = (tg_structure){.degree = s->degree, .has_operator = s->has_weights};
  if (!s->has_weights) return TG_OK;
  TG_TRY(TG_SCRATCH(g, s->n_weighted, &out->terms));
  for (int32_t k = 0; k < s->n_weighted; k++) TG_TRY(separate(g, &s->weighted[k], &out->terms[out->n_terms++]));
  return TG_OK;
}

tg_status tg_precondition_mismatch(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out)
{
  *out = TG_NONE;
  tg_structure structure;
  tg_structure fits;
  tg_node parts[2] = {TG_NONE, TG_NONE};
  tg_node part = TG_NONE;
  const tg_symbol x = *tg_symbol_info(graph, wrt);
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (!structure.has_weights) return TG_OK;
  TG_TRY(tg_precondition_diagonal(graph, f, wrt, &parts[0]));
  if (parts[0] == TG_NONE) return TG_OK;
  TG_TRY(separate_weights(graph, &structure, &fits));
  for (int32_t k = 0; k < structure.n_terms + fits.n_terms; k++) {
    const tg_operator_term *term = k < structure.n_terms ? &structure.terms[k] : &fits.terms[k - structure.n_terms];
    TG_TRY(term_diagonal(graph, term, &x, &part));
    TG_TRY(add_to(graph, part, &parts[1]));
  }
  TG_TRY(tg_make_pow_number(graph, parts[1], -1.0, &parts[1]));
  return tg_make_had(graph, 2, parts, out);
}

// ---- terms ----

static tg_status is_symmetric(tg_graph *g, tg_node node, bool *out)
{
  *out = true;
  return node == TG_NONE ? TG_OK : tg_node_is_symmetric(g, node, out);
}

// The sums in a diagonal matrix of weights have a sign that the normal form chooses, w.*(s - 1) for w.*(1 - s): the
// sign before the term says nothing then, and numbers decide what is definite.
static tg_status has_free_sign(const tg_graph *g, tg_node side, bool *out)
{
  uint8_t *below = NULL;
  uint8_t *weights = NULL;
  tg_status status = TG_OK;
  if (side == TG_NONE || *out) return TG_OK;
  TG_TRY_GOTO(tg_node_find_below(g, side, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)side + 1, &weights));
  for (tg_node node = 1; node <= side; node++)
    weights[node] = below[node] != 0 && tg_node_info(g, node)->kind == TG_DIAG;
  tg_node_mark_below(g, side, weights);
  for (tg_node node = 1; node <= side && !*out; node++) {
    const tg_info *info = tg_node_info(g, node);
    int32_t balance = 0;
    for (int32_t k = 0; weights[node] != 0 && info->kind == TG_LIN && k < info->n_args; k++)
      balance += info->coefs[k] > 0.0 ? 1 : -1;
    *out = weights[node] != 0 && info->kind == TG_LIN && info->n_args > 1 && balance != info->n_args;
  }
done:
  tg_free(below);
  tg_free(weights);
  return status;
}

// A negative coefficient with such a sign goes into the side that has it.
static tg_status settle_sign(tg_graph *g, tg_closed_group *group)
{
  bool is_left = false;
  bool is_right = false;
  if (group->coef > 0) return TG_OK;
  TG_TRY(has_free_sign(g, group->left, &is_left));
  TG_TRY(has_free_sign(g, group->right, &is_right));
  if (!is_left && !is_right) return TG_OK;
  group->coef = -group->coef;
  return is_left ? tg_make_scale(g, -1.0, group->left, &group->left)
                 : tg_make_scale(g, -1.0, group->right, &group->right);
}

// Groups of the operator that serve, after the *count that are there.
static tg_status add_terms(tg_graph *g, const tg_structure *s, int32_t wrt, bool is_fit, int32_t room, int32_t *count,
                           tg_closed_group *out)
{
  int32_t n = 0;
  tg_closed_group *groups = NULL;
  TG_TRY(tg_closed_groups(g, s, wrt, &n, &groups));
  for (int32_t k = 0; k < n && *count < room; k++) {
    bool left = false;
    bool right = false;
    TG_TRY(is_symmetric(g, groups[k].left, &left));
    TG_TRY(is_symmetric(g, groups[k].right, &right));
    groups[k].is_fit = is_fit;
    TG_TRY(settle_sign(g, &groups[k]));
    if (left && right && groups[k].coef > 0) out[(*count)++] = groups[k];
  }
  return TG_OK;
}

tg_status tg_precondition_terms(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, int32_t *n_out,
                                tg_closed_group *out)
{
  *n_out = 0;
  tg_structure structure;
  tg_structure fits;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (!structure.has_operator && !structure.has_weights) return TG_OK;
  TG_TRY(separate_weights(graph, &structure, &fits));
  TG_TRY(add_terms(graph, &fits, wrt, true, room, n_out, out));
  structure.has_operator = structure.n_terms > 0;
  return add_terms(graph, &structure, wrt, false, room, n_out, out);
}
