// Diagonal matrix of a vector, diagonal of a square matrix.
#include "grad/graph/op.h"

// Proved by declarations: nothing off the diagonal.
static bool is_diagonal(const tg_graph *g, tg_node a)
{
  const tg_info *info = tg_node_info(g, a);
  bool all = info->kind == TG_PROD || info->kind == TG_INV || info->kind == TG_MPOW;
  if (info->kind == TG_DIAG || info->kind == TG_EYE) return true;
  if (info->kind == TG_SYM) {
    const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
    return !symbol->free && (symbol->properties & TG_DIAGONAL) != 0;
  }
  for (int32_t i = info->n_scalars; i < info->n_args && all; i++) all = is_diagonal(g, info->args[i]);
  return all;
}

// Diagonal-matrix argument: always a column; a row is turned.
tg_status tg_make_diag(tg_graph *g, tg_node v, tg_node *out)
{
  *out = v;
  if (tg_node_is_scalar(g, v)) return TG_OK;
  const tg_info *info = tg_node_info(g, v);
  if (!tg_dim_is_one(g, info->cols)) {
    TG_TRY(tg_make_trans(g, v, &v));
    info = tg_node_info(g, v);
  }
  if (!tg_dim_is_one(g, info->cols)) TG_FAIL(TG_INTERNAL, "diag of a matrix reached the graph");
  tg_split split;
  TG_TRY(tg_split_scalars(g, v, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    TG_TRY(tg_make_diag(g, split.rest, out));
    return tg_join_scalars(g, &split, *out, out);
  }
  if (info->kind == TG_ONES) return tg_make_eye(g, info->rows, out);
  if (info->kind == TG_DIAGVEC && is_diagonal(g, info->args[0])) {
    *out = info->args[0];
    return TG_OK;
  }
  if (info->kind == TG_ZEROS) return tg_make_zeros(g, info->rows, info->rows, out);
  return tg_intern_unary(g, TG_DIAG, info->rows, info->rows, v, out);
}

tg_status tg_make_diagvec(tg_graph *g, tg_node a, tg_node *out)
{
  bool done = false;
  *out = a;
  if (tg_node_is_scalar(g, a)) return TG_OK;
  TG_TRY(tg_map_linear(g, a, tg_make_diagvec, out, &done));
  if (done) return TG_OK;
  const tg_info *info = tg_node_info(g, a);
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  if (info->kind == TG_DIAG) {
    *out = info->args[0];
    return TG_OK;
  }
  if (info->kind == TG_EYE || info->kind == TG_ONES) return tg_make_ones(g, info->rows, one, out);
  if (info->kind == TG_ZEROS) return tg_make_zeros(g, info->rows, one, out);
  double sign = 1.0;
  bool skew = false;
  TG_TRY(tg_choose_transpose(g, a, &sign, &skew, &a));
  if (skew) return tg_make_zeros(g, info->rows, one, out);
  TG_TRY(tg_intern_unary(g, TG_DIAGVEC, info->rows, one, a, out));
  return tg_make_scale(g, sign, *out, out);
}

static tg_status remake_diag(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_diag(g, args[0], out);
}

static tg_status remake_diagvec(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_diagvec(g, args[0], out);
}

static tg_status forward_diag(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)node;
  return tg_make_diag(g, dargs[0], out);
}

static tg_status forward_diagvec(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)node;
  return tg_make_diagvec(g, dargs[0], out);
}

// <G, diag(dv)> = <diagvec(G), dv>, and the other way round.
static tg_status reverse_diag(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)node;
  (void)k;
  return tg_make_diagvec(g, adjoint, out);
}

static tg_status reverse_diagvec(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)node;
  (void)k;
  return tg_make_diag(g, adjoint, out);
}

// The n^2 x n matrix with column j = e_j kron e_j: kron(I, 1) .* kron(1, I).
static tg_status selection(tg_graph *g, tg_dim n, tg_node *out)
{
  tg_dim one = 0;
  tg_node eye = TG_NONE;
  tg_node ones = TG_NONE;
  tg_node factors[2];
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_eye(g, n, &eye));
  TG_TRY(tg_make_ones(g, n, one, &ones));
  TG_TRY(tg_make_kron(g, eye, ones, &factors[0]));
  TG_TRY(tg_make_kron(g, ones, eye, &factors[1]));
  return tg_make_had(g, 2, factors, out);
}

static tg_status jacobian_diag(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  return selection(g, tg_node_info(g, node)->rows, out);
}

static tg_status jacobian_diagvec(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(selection(g, tg_node_info(g, node)->rows, out));
  return tg_make_trans(g, *out, out);
}

static tg_status sample_diag(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  for (int64_t i = 0; i < out->rows; i++) out->data[i + i * out->rows] = args[0].data[i];
  return TG_OK;
}

static tg_status sample_diagvec(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  for (int64_t i = 0; i < out->rows; i++) out->data[i] = args[0].data[i + i * out->rows];
  return TG_OK;
}

const tg_op tg_op_diag = {.name = "diag",
                          .remake = remake_diag,
                          .forward = forward_diag,
                          .reverse = reverse_diag,
                          .jacobian = jacobian_diag,
                          .sample = sample_diag,
                          .degree = tg_degree_linear,
                          .rule = "tr(M*diag(x)) = diagvec(M)'*x",
                          .templates = {"diag(@)", "diag(@)", TG_LATEX_FUNCTION("diag"), "np.diagflat(@)", "diag(@)"}};
const tg_op tg_op_diagvec = {
    .name = "diagvec",
    .remake = remake_diagvec,
    .forward = forward_diagvec,
    .reverse = reverse_diagvec,
    .jacobian = jacobian_diagvec,
    .sample = sample_diagvec,
    .degree = tg_degree_linear,
    .rule = "u'*diagvec(X) = tr(diag(u)*X)",
    .templates = {"diagvec(@)", "diagvec(@)", TG_LATEX_FUNCTION("diagvec"), "np.diag(@).reshape(-1, 1)", "diag(@)"}};
