// The mean of the squared distances of all entries from their mean.
//
// A kind of its own for its derivative: that of the mean drops out, 2/N (X - mean(X)), and the value is made of the
// differences, so that a large mean costs no digits.
#include "grad/graph/op.h"

// 1/N, N the number of entries.
static tg_status share_of(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  TG_TRY(tg_make_ones(g, info->rows, info->cols, out));
  TG_TRY(tg_make_sum(g, *out, out));
  return tg_make_pow_number(g, *out, -1.0, out);
}

tg_status tg_make_mean(tg_graph *g, tg_node a, tg_node *out)
{
  tg_node share = TG_NONE;
  TG_TRY(share_of(g, a, &share));
  TG_TRY(tg_make_sum(g, a, out));
  return tg_make_mul(g, share, *out, out);
}

// a - mean(a)*ones, and 1/N
static tg_status centre(tg_graph *g, tg_node a, tg_node *out, tg_node *share)
{
  const tg_info *info = tg_node_info(g, a);
  TG_TRY(share_of(g, a, share));
  TG_TRY(tg_make_mean(g, a, out));
  TG_TRY(tg_make_filled(g, *out, info->rows, info->cols, out));
  return tg_make_sub(g, a, *out, out);
}

tg_status tg_make_var(tg_graph *g, tg_node a, tg_node *out)
{
  double entry = 0.0;
  tg_node other = TG_NONE;
  tg_split split;
  tg_dim one = 0;
  if (tg_node_is_scalar(g, a) || tg_node_is_filled(g, a, &entry)) return tg_make_num(g, 0.0, out);
  TG_TRY(tg_split_scalars(g, a, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) { // var(c X) = c^2 var(X)
    TG_TRY(tg_make_var(g, split.rest, out));
    TG_TRY(tg_make_scale(g, split.coef * split.coef, *out, out));
    if (split.scalars == TG_NONE) return TG_OK;
    TG_TRY(tg_make_pow_number(g, split.scalars, 2.0, &other));
    return tg_make_mul(g, other, *out, out);
  }
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_trans(g, a, &other));
  if (tg_node_reads_better(g, other, a)) a = other;
  return tg_intern_unary(g, TG_VAR, one, one, a, out);
}

tg_status tg_expand_var(tg_graph *g, tg_node a, tg_node *out)
{
  tg_node share = TG_NONE;
  TG_TRY(centre(g, a, out, &share));
  TG_TRY(tg_make_dot(g, *out, *out, out));
  return tg_make_mul(g, share, *out, out);
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_var(g, args[0], out);
}

// d var(X) = 2/N <X - mean(X), dX>
static tg_status forward(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  tg_node share = TG_NONE;
  TG_TRY(centre(g, tg_node_info(g, node)->args[0], out, &share));
  TG_TRY(tg_make_dot(g, *out, dargs[0], out));
  TG_TRY(tg_make_mul(g, share, *out, out));
  return tg_make_scale(g, 2.0, *out, out);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  tg_node share = TG_NONE;
  TG_TRY(centre(g, tg_node_info(g, node)->args[0], out, &share));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){adjoint, share, *out}, out));
  return tg_make_scale(g, 2.0, *out, out);
}

static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(reverse(g, node, one, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_trans(g, *out, out);
}

static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const int64_t count = args[0].rows * args[0].cols;
  double mean = 0.0;
  for (int64_t i = 0; i < count; i++) mean += args[0].data[i] / (double)count;
  for (int64_t i = 0; i < count; i++) {
    const double distance = args[0].data[i] - mean;
    out->data[0] += distance * distance / (double)count;
  }
  return TG_OK;
}

static int degree(const tg_graph *g, tg_node node, const int *args)
{
  (void)g;
  (void)node;
  return args[0] < 0 || args[0] > 500 ? -1 : 2 * args[0];
}

const tg_op tg_op_var = {.name = "var",
                         .remake = remake,
                         .forward = forward,
                         .reverse = reverse,
                         .jacobian = jacobian,
                         .sample = sample,
                         .degree = degree,
                         .templates = {"var(@)", "var(@)", TG_LATEX_FUNCTION("var"), "np.var(@)", "var((@)(:), 1)"}};
