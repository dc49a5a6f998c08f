// Transposition, pushed down to symbols and to atoms that do not transpose further inside; scalars taken out.
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

tg_status tg_split_scalars(tg_graph *g, tg_node node, tg_split *out)
{
  *out = (tg_split){.coef = 1.0, .scalars = TG_NONE, .rest = node};
  TG_TRY(tg_take_content(g, node, &out->coef, &out->rest));
  const tg_info *info = tg_node_info(g, out->rest);
  if (info->kind != TG_PROD || info->n_scalars == 0 || tg_node_is_scalar(g, node)) return TG_OK;
  TG_TRY(tg_make_prod(g, info->n_scalars, info->args, &out->scalars));
  return tg_make_prod(g, info->n_args - info->n_scalars, info->args + info->n_scalars, &out->rest);
}

tg_status tg_join_scalars(tg_graph *g, const tg_split *split, tg_node node, tg_node *out)
{
  if (split->scalars != TG_NONE) TG_TRY(tg_make_mul(g, split->scalars, node, &node));
  return tg_make_scale(g, split->coef, node, out);
}

tg_status tg_map_linear(tg_graph *g, tg_node a, tg_make_one *make, tg_node *out, bool *done)
{
  *done = true;
  const tg_info *info = tg_node_info(g, a);
  if (info->kind == TG_LIN) {
    tg_node *terms = NULL;
    TG_TRY(TG_SCRATCH(g, info->n_args, &terms));
    for (int32_t i = 0; i < info->n_args; i++) TG_TRY(make(g, info->args[i], &terms[i]));
    return tg_make_lin(g, info->n_args, info->coefs, terms, out);
  }
  tg_split split;
  TG_TRY(tg_split_scalars(g, a, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    TG_TRY(make(g, split.rest, out));
    return tg_join_scalars(g, &split, *out, out);
  }
  *done = false;
  return TG_OK;
}

static tg_status transpose_each(tg_graph *g, const tg_info *info, bool reversed, tg_node *out)
{
  for (int32_t i = 0; i < info->n_args; i++) {
    const int32_t from = reversed && i >= info->n_scalars ? info->n_args - 1 - (i - info->n_scalars) : i;
    TG_TRY(tg_make_trans(g, info->args[from], &out[i]));
  }
  return TG_OK;
}

// A symbol declared symmetric is its own transpose, unless it is being differentiated by.
static bool symbol_is_symmetric(const tg_graph *g, const tg_info *info)
{
  const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
  return !symbol->free && (symbol->properties & TG_SYMMETRIC) != 0;
}

// An atom f(X) with f(X)' = f(X'): symmetric when its argument is.
static tg_status transpose_atom(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const bool commutes = info->kind == TG_INV || tg_kind_is_matfun(info->kind, 0) || info->kind == TG_POLAR ||
                        info->kind == TG_DYAD || tg_entry(info->kind) != NULL;
  if (commutes) {
    tg_node inner = TG_NONE;
    TG_TRY(tg_make_trans(g, info->args[0], &inner));
    if (inner == info->args[0]) {
      *out = a;
      return TG_OK;
    }
  }
  return tg_intern_unary(g, TG_TRANS, info->cols, info->rows, a, out);
}

// A derivative L(S,V), L(S,V)' = L(S',V'): the transpose goes inside where S is its own.
static tg_status transpose_derivative(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  tg_node *args = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &args));
  TG_TRY(transpose_each(g, info, false, args));
  if (args[0] == info->args[0]) return tg_make_like(g, a, args, out);
  return tg_intern_unary(g, TG_TRANS, info->cols, info->rows, a, out);
}

static tg_status transpose(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  tg_node *args = NULL;
  *out = a;
  if (tg_node_is_scalar(g, a)) return TG_OK;
  switch (info->kind) {
  case TG_EYE:
  case TG_DIAG:
    return TG_OK;
  case TG_ONES:
    return tg_make_ones(g, info->cols, info->rows, out);
  case TG_ZEROS:
    return tg_make_zeros(g, info->cols, info->rows, out);
  case TG_COMM:
    return tg_make_comm(g, info->dims[1], info->dims[0], out);
  case TG_TRIU:
    return tg_make_triangle(g, TG_TRIL, info->cols, info->rows, out);
  case TG_TRIL:
    return tg_make_triangle(g, TG_TRIU, info->cols, info->rows, out);
  case TG_TRANS:
    *out = info->args[0];
    return TG_OK;
  case TG_SYM:
    return symbol_is_symmetric(g, info) ? TG_OK : tg_intern_unary(g, TG_TRANS, info->cols, info->rows, a, out);
  case TG_PROD:
    TG_TRY(TG_SCRATCH(g, info->n_args, &args));
    TG_TRY(transpose_each(g, info, true, args));
    return tg_make_prod(g, info->n_args, args, out);
  case TG_LIN:
  case TG_HAD:
  case TG_MAX:
  case TG_MIN:
  case TG_DIVIDED:
  case TG_POW:
  case TG_MPOW:
  case TG_MPOWER:
  case TG_KRON:
  case TG_KRONL:
  case TG_KRONR:
    TG_TRY(TG_SCRATCH(g, info->n_args, &args));
    TG_TRY(transpose_each(g, info, false, args));
    return tg_make_like(g, a, args, out);
  case TG_DSQRTM:
  case TG_DEXPM:
  case TG_DLOGM:
  case TG_D2SQRTM:
  case TG_D2EXPM:
  case TG_D2LOGM:
  case TG_DMPOWER:
  case TG_D2MPOWER:
  case TG_DPOLAR:
  case TG_DDYAD:
    return transpose_derivative(g, a, out);
  default:
    return transpose_atom(g, a, out);
  }
}

tg_status tg_make_trans(tg_graph *g, tg_node a, tg_node *out)
{
  *out = tg_node_info(g, a)->transposed;
  if (*out != TG_NONE) return TG_OK;
  TG_TRY(transpose(g, a, out));
  tg_remember_trans(g, a, *out);
  return TG_OK;
}

tg_status tg_choose_transpose(tg_graph *g, tg_node a, double *sign, bool *skew, tg_node *out)
{
  tg_node other = TG_NONE;
  double content = 1.0;
  TG_TRY(tg_make_trans(g, a, &other));
  TG_TRY(tg_take_content(g, other, &content, &other));
  const bool swapped = tg_node_reads_better(g, other, a);
  *skew = other == a && content < 0.0;
  *sign = swapped ? content : 1.0;
  *out = swapped ? other : a;
  return TG_OK;
}

tg_status tg_transpose_chain(tg_graph *g, int32_t n, const tg_node *chain, double *sign, tg_node *out)
{
  *sign = 1.0;
  for (int32_t i = 0; i < n; i++) {
    double content = 1.0;
    TG_TRY(tg_make_trans(g, chain[n - 1 - i], &out[i]));
    TG_TRY(tg_take_content(g, out[i], &content, &out[i]));
    *sign *= content;
  }
  return TG_OK;
}

static tg_status remake_trans(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_trans(g, args[0], out);
}

// d(X') = (dX)'
static tg_status forward_trans(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)node;
  return tg_make_trans(g, dargs[0], out);
}

static tg_status reverse_trans(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)node;
  (void)k;
  return tg_make_trans(g, adjoint, out);
}

// vec(X') = K vec(X)
static tg_status jacobian_trans(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  return tg_make_comm(g, info->cols, info->rows, out);
}

static tg_status sample_trans(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  for (int64_t j = 0; j < out->cols; j++)
    for (int64_t i = 0; i < out->rows; i++) out->data[i + j * out->rows] = args[0].data[j + i * out->cols];
  return TG_OK;
}

const tg_op tg_op_trans = {.name = "transpose",
                           .remake = remake_trans,
                           .forward = forward_trans,
                           .reverse = reverse_trans,
                           .jacobian = jacobian_trans,
                           .sample = sample_trans,
                           .degree = tg_degree_linear};
