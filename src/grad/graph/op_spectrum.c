// What functions of matrices are computed from: eigenvectors, eigenvalues, divided differences. Made by lowering, which
// has no derivatives left to take.
#include <math.h>

#include "grad/graph/op.h"

static tg_status intern(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, int64_t number, int32_t n,
                        const tg_node *args, tg_node *out)
{
  const tg_info draft = {.kind = kind, .rows = rows, .cols = cols, .n_args = n, .args = args, .exponent = number};
  return tg_intern(g, &draft, out);
}

tg_status tg_make_eigvectors(tg_graph *g, tg_node s, tg_node *out)
{
  const tg_info *info = tg_node_info(g, s);
  return intern(g, TG_EIGVECTORS, info->rows, info->rows, 0, 1, &s, out);
}

tg_status tg_make_eigvalues(tg_graph *g, tg_node s, int64_t domain, tg_node *out)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  return intern(g, TG_EIGVALUES, tg_node_info(g, s)->rows, one, domain, 1, &s, out);
}

tg_status tg_make_singular_part(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const tg_dim k = tg_dim_value(g, info->rows) < tg_dim_value(g, info->cols) ? info->rows : info->cols;
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  return intern(g, kind, kind == TG_LEFTVECTORS ? info->rows : k,
                kind == TG_RIGHTVECTORS  ? info->cols
                : kind == TG_LEFTVECTORS ? k
                                         : one,
                0, 1, &a, out);
}

tg_status tg_make_divided(tg_graph *g, tg_divided which, tg_node a, tg_node b, tg_node *out)
{
  const bool swaps = tg_divided_is_symmetric(which) && tg_node_compare(g, a, b) > 0;
  const tg_info *info = tg_node_info(g, a);
  return intern(g, TG_DIVIDED, info->rows, info->cols, (int64_t)which, 2,
                (const tg_node[]){swaps ? b : a, swaps ? a : b}, out);
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  if (info.kind == TG_DIVIDED) return tg_make_divided(g, (tg_divided)info.exponent, args[0], args[1], out);
  return intern(g, info.kind, info.rows, info.cols, info.exponent, info.n_args, args, out);
}

static tg_status refuse(const tg_graph *g, tg_node node)
{
  TG_FAIL(TG_INTERNAL, "%s of a plan has no derivative", tg_kind_name(tg_node_info(g, node)->kind));
}

static tg_status forward(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)dargs;
  (void)out;
  return refuse(g, node);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)adjoint;
  (void)k;
  (void)out;
  return refuse(g, node);
}

static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  (void)out;
  return refuse(g, node);
}

static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_info *info = tg_node_info(g, node);
  if (info->kind != TG_DIVIDED) return refuse(g, node);
  for (int64_t i = 0; i < out->rows * out->cols; i++)
    out->data[i] = tg_divided_value((tg_divided)info->exponent, args[0].data[i], args[1].data[i]);
  return TG_OK;
}

#define SPECTRUM(text, arguments)                                                                                   \
  {                                                                                                                 \
    .name = text, .remake = remake, .forward = forward, .reverse = reverse, .jacobian = jacobian, .sample = sample, \
    .degree = tg_degree_none, .templates = {                                                                        \
      text arguments,                                                                                               \
      text arguments,                                                                                               \
      text arguments,                                                                                               \
      text arguments,                                                                                               \
      text arguments                                                                                                \
    }                                                                                                               \
  }

const tg_op tg_op_eigvectors = SPECTRUM("eigvectors", "(@)");
const tg_op tg_op_eigvalues = SPECTRUM("eigvalues", "(@)");
const tg_op tg_op_leftvectors = SPECTRUM("leftvectors", "(@)");
const tg_op tg_op_rightvectors = SPECTRUM("rightvectors", "(@)");
const tg_op tg_op_singularvalues = SPECTRUM("singularvalues", "(@)");
const tg_op tg_op_divided = SPECTRUM("divided", "(@, $)");
