// The larger and the smaller of two entries.
#include <math.h>

#include "grad/graph/op.h"

static double pick(tg_kind kind, double x, double y)
{
  const bool takes_x = kind == TG_MAX ? x > y : x < y;
  return takes_x || isnan(x) ? x : y;
}

// A scalar beside a matrix stands for every entry.
static tg_status spread(tg_graph *g, tg_node like, tg_node *a)
{
  const tg_info *info = tg_node_info(g, like);
  if (!tg_node_is_scalar(g, *a) || tg_node_is_scalar(g, like)) return TG_OK;
  return tg_make_filled(g, *a, info->rows, info->cols, a);
}

// max(x, 0) = relu(x), min(x, 0) = -relu(-x)
static tg_status make_relu(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  const double sign = kind == TG_MAX ? 1.0 : -1.0;
  TG_TRY(tg_make_scale(g, sign, a, out));
  TG_TRY(tg_make_function(g, TG_RELU, *out, out));
  return tg_make_scale(g, sign, *out, out);
}

tg_status tg_make_larger(tg_graph *g, tg_kind kind, tg_node a, tg_node b, tg_node *out)
{
  double x = 0.0;
  double y = 0.0;
  tg_node opposite = TG_NONE;
  TG_TRY(spread(g, a, &b));
  TG_TRY(spread(g, b, &a));
  const tg_info *info = tg_node_info(g, a);
  if (info->rows != tg_node_info(g, b)->rows || info->cols != tg_node_info(g, b)->cols)
    TG_FAIL(TG_INTERNAL, "the larger of different shapes reached the graph");
  *out = a;
  if (a == b) return TG_OK;
  if (tg_node_is_number(g, a, &x) && tg_node_is_number(g, b, &y)) return tg_make_num(g, pick(kind, x, y), out);
  if (tg_node_is_zero(g, b)) return make_relu(g, kind, a, out);
  if (tg_node_is_zero(g, a)) return make_relu(g, kind, b, out);
  TG_TRY(tg_make_scale(g, -1.0, a, &opposite));
  if (opposite == b) { // max(x, -x) = |x|
    TG_TRY(tg_make_function(g, TG_ABS, a, out));
    return tg_make_scale(g, kind == TG_MAX ? 1.0 : -1.0, *out, out);
  }
  const bool ordered = tg_node_compare(g, a, b) <= 0;
  const tg_node args[2] = {ordered ? a : b, ordered ? b : a};
  return tg_intern(g, &(tg_info){.kind = kind, .rows = info->rows, .cols = info->cols, .n_args = 2, .args = args}, out);
}

// Where argument k is taken: (1 + sign(x - y)) / 2, so that at a tie each has one half.
static tg_status step_of(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node ones = TG_NONE;
  TG_TRY(tg_make_sub(g, info->args[k], info->args[1 - k], out));
  TG_TRY(tg_make_function(g, TG_SIGN, *out, out));
  TG_TRY(tg_make_ones(g, info->rows, info->cols, &ones));
  const double coefs[2] = {0.5, info->kind == TG_MAX ? 0.5 : -0.5};
  return tg_make_lin(g, 2, coefs, (const tg_node[]){ones, *out}, out);
}

static tg_status remake_larger(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_larger(g, tg_node_info(g, node)->kind, args[0], args[1], out);
}

static tg_status forward_larger(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  tg_node sum = TG_NONE;
  for (int32_t k = 0; k < 2; k++) {
    if (dargs[k] == TG_NONE) continue;
    tg_node term = TG_NONE;
    TG_TRY(step_of(g, node, k, &term));
    TG_TRY(tg_make_had(g, 2, (const tg_node[]){term, dargs[k]}, &term));
    if (sum == TG_NONE)
      sum = term;
    else
      TG_TRY(tg_make_add(g, sum, term, &sum));
  }
  *out = sum;
  return TG_OK;
}

static tg_status reverse_larger(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  TG_TRY(step_of(g, node, k, out));
  return tg_make_had(g, 2, (const tg_node[]){*out, adjoint}, out);
}

static tg_status jacobian_larger(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  TG_TRY(step_of(g, node, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_diag(g, *out, out);
}

static tg_status sample_larger(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = pick(kind, args[0].data[i], args[1].data[i]);
  return TG_OK;
}

const tg_op tg_op_max = {
    .name = "max",
    .remake = remake_larger,
    .forward = forward_larger,
    .reverse = reverse_larger,
    .jacobian = jacobian_larger,
    .sample = sample_larger,
    .degree = tg_degree_none,
    .has_kinks = true,
    .templates = {"max(@, $)", "max(@, $)", "\\max\\left(@, $\\right)", "np.maximum(@, $)", "max(@, $)"}};
const tg_op tg_op_min = {
    .name = "min",
    .remake = remake_larger,
    .forward = forward_larger,
    .reverse = reverse_larger,
    .jacobian = jacobian_larger,
    .sample = sample_larger,
    .degree = tg_degree_none,
    .has_kinks = true,
    .templates = {"min(@, $)", "min(@, $)", "\\min\\left(@, $\\right)", "np.minimum(@, $)", "min(@, $)"}};
