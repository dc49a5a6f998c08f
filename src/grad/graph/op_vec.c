// Column-major stacking vec(X) and its inverse.
#include <string.h>

#include "grad/graph/op.h"

tg_status tg_make_vec(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  bool done = false;
  *out = a;
  if (tg_dim_is_one(g, info->cols)) return TG_OK;
  if (tg_dim_is_one(g, info->rows)) return tg_make_trans(g, a, out);
  TG_TRY(tg_map_linear(g, a, tg_make_vec, out, &done));
  if (done) return TG_OK;
  tg_dim size = 0;
  tg_dim one = 0;
  TG_TRY(tg_dim_product(g, info->rows, info->cols, &size));
  TG_TRY(tg_dim_number(g, 1, &one));
  if (info->kind == TG_ONES) return tg_make_ones(g, size, one, out);
  if (info->kind == TG_ZEROS) return tg_make_zeros(g, size, one, out);
  if (info->kind == TG_UNVEC) {
    *out = info->args[0];
    return TG_OK;
  }
  return tg_intern_unary(g, TG_VEC, size, one, a, out);
}

// unvec(vec(X) + 2*v) = X + 2*unvec(v): a sum is unstacked where that undoes a stacking.
static tg_status unstack_terms(tg_graph *g, tg_node v, tg_dim rows, tg_dim cols, bool *done, tg_node *out)
{
  const tg_info *info = tg_node_info(g, v);
  tg_node *terms = NULL;
  *done = false;
  for (int32_t i = 0; info->kind == TG_LIN && i < info->n_args && !*done; i++) {
    tg_split split;
    TG_TRY(tg_split_scalars(g, info->args[i], &split));
    const tg_info *rest = tg_node_info(g, split.rest);
    const tg_info *inner = rest->kind == TG_VEC ? tg_node_info(g, rest->args[0]) : NULL;
    *done = inner != NULL && inner->rows == rows && inner->cols == cols;
  }
  if (!*done) return TG_OK;
  TG_TRY(TG_SCRATCH(g, info->n_args, &terms));
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(tg_make_unvec(g, info->args[i], rows, cols, &terms[i]));
  return tg_make_lin(g, info->n_args, info->coefs, terms, out);
}

tg_status tg_make_unvec(tg_graph *g, tg_node v, tg_dim rows, tg_dim cols, tg_node *out)
{
  *out = v;
  if (tg_dim_is_one(g, cols)) return TG_OK;
  if (tg_dim_is_one(g, rows)) return tg_make_trans(g, v, out);
  const tg_info *info = tg_node_info(g, v);
  tg_split split;
  TG_TRY(tg_split_scalars(g, v, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    TG_TRY(tg_make_unvec(g, split.rest, rows, cols, out));
    return tg_join_scalars(g, &split, *out, out);
  }
  if (info->kind == TG_ONES) return tg_make_ones(g, rows, cols, out);
  if (info->kind == TG_ZEROS) return tg_make_zeros(g, rows, cols, out);
  if (info->kind == TG_VEC) {
    const tg_info *inner = tg_node_info(g, info->args[0]);
    if (inner->rows == rows && inner->cols == cols) {
      *out = info->args[0];
      return TG_OK;
    }
  }
  bool done = false;
  TG_TRY(unstack_terms(g, v, rows, cols, &done, out));
  return done ? TG_OK : tg_intern_unary(g, TG_UNVEC, rows, cols, v, out);
}

static tg_status remake_vec(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_vec(g, args[0], out);
}

static tg_status remake_unvec(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  return tg_make_unvec(g, args[0], info->rows, info->cols, out);
}

static tg_status forward_vec(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  return remake_vec(g, node, dargs, out);
}

static tg_status forward_unvec(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  return remake_unvec(g, node, dargs, out);
}

static tg_status reverse_vec(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *arg = tg_node_info(g, tg_node_info(g, node)->args[0]);
  return tg_make_unvec(g, adjoint, arg->rows, arg->cols, out);
}

static tg_status reverse_unvec(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)node;
  (void)k;
  return tg_make_vec(g, adjoint, out);
}

// Stacking does not change vec: the Jacobian is the identity.
static tg_status jacobian_vec(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  tg_dim size = 0;
  TG_TRY(tg_dim_product(g, info->rows, info->cols, &size));
  return tg_make_identity(g, size, out);
}

static tg_status sample_copy(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  memcpy(out->data, args[0].data, sizeof(double) * (size_t)(out->rows * out->cols));
  return TG_OK;
}

const tg_op tg_op_vec = {
    .name = "vec",
    .remake = remake_vec,
    .forward = forward_vec,
    .reverse = reverse_vec,
    .jacobian = jacobian_vec,
    .sample = sample_copy,
    .degree = tg_degree_linear,
    .rule = "vec(M)'*vec(X) = tr(M'*X)",
    .templates = {"vec(@)", "vec(@)", TG_LATEX_FUNCTION("vec"), "(@).reshape((-1, 1), order=\"F\")", "(@)(:)"}};
const tg_op tg_op_unvec = {.name = "inverse of vec",
                           .remake = remake_unvec,
                           .forward = forward_unvec,
                           .reverse = reverse_unvec,
                           .jacobian = jacobian_vec,
                           .sample = sample_copy,
                           .degree = tg_degree_linear,
                           .rule = "tr(M'*X) = vec(M)'*vec(X)"};
