// The Hessian's diagonal and its Kronecker terms, from the operator of a quadratic.
#include "grad/precondition.h"

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
