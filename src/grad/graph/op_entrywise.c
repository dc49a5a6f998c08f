// Entrywise functions: one row each for the value and the slope.
#include <math.h>

#include "grad/graph/op.h"

typedef struct function {
  double (*value)(double x);
  // s'(x) as a node of the same shape as x; `node` is s(x) itself.
  tg_status (*slope)(tg_graph *g, tg_node node, tg_node x, tg_node *out);
} function;

static tg_status ones_like(tg_graph *g, tg_node x, tg_node *out)
{
  const tg_info *info = tg_node_info(g, x);
  return tg_make_ones(g, info->rows, info->cols, out);
}

// a + b * y .* z
static tg_status affine_product(tg_graph *g, double a, double b, tg_node y, tg_node z, tg_node *out)
{
  tg_node ones = TG_NONE;
  TG_TRY(ones_like(g, y, &ones));
  TG_TRY(tg_make_had(g, 2, (const tg_node[]){y, z}, out));
  return tg_make_lin(g, 2, (const double[]){a, b}, (const tg_node[]){ones, *out}, out);
}

static tg_status slope_exp(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)g;
  (void)x;
  *out = node;
  return TG_OK;
}

static tg_status slope_log(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  return tg_make_pow_number(g, x, -1.0, out);
}

static tg_status slope_sin(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  return tg_make_function(g, TG_COS, x, out);
}

static tg_status slope_cos(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  TG_TRY(tg_make_function(g, TG_SIN, x, out));
  return tg_make_scale(g, -1.0, *out, out);
}

// 1 + tan^2
static tg_status slope_tan(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)x;
  return affine_product(g, 1.0, 1.0, node, node, out);
}

// 1 - tanh^2
static tg_status slope_tanh(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)x;
  return affine_product(g, 1.0, -1.0, node, node, out);
}

static tg_status slope_abs(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  return tg_make_function(g, TG_SIGN, x, out);
}

static tg_status slope_sign(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  return tg_make_zero_like(g, x, out);
}

// s (1 - s)
static tg_status slope_sigmoid(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)x;
  tg_node ones = TG_NONE;
  TG_TRY(ones_like(g, node, &ones));
  TG_TRY(tg_make_sub(g, ones, node, &ones));
  return tg_make_had(g, 2, (const tg_node[]){node, ones}, out);
}

// (1 + sign x) / 2: 1/2 at 0, a subgradient.
static tg_status slope_relu(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  tg_node sign = TG_NONE;
  tg_node ones = TG_NONE;
  TG_TRY(tg_make_function(g, TG_SIGN, x, &sign));
  TG_TRY(ones_like(g, x, &ones));
  return tg_make_lin(g, 2, (const double[]){0.5, 0.5}, (const tg_node[]){ones, sign}, out);
}

static tg_status slope_softplus(tg_graph *g, tg_node node, tg_node x, tg_node *out)
{
  (void)node;
  return tg_make_function(g, TG_SIGMOID, x, out);
}

static double value_sign(double x)
{
  return (double)((x > 0.0) - (x < 0.0));
}

static double value_sigmoid(double x)
{
  return x >= 0.0 ? 1.0 / (1.0 + exp(-x)) : exp(x) / (1.0 + exp(x));
}

static double value_relu(double x)
{
  return x > 0.0 ? x : 0.0;
}

static double value_softplus(double x)
{
  return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

static const function functions[TG_KIND_COUNT] = {
    [TG_EXP] = {exp, slope_exp},
    [TG_LOG] = {log, slope_log},
    [TG_SIN] = {sin, slope_sin},
    [TG_COS] = {cos, slope_cos},
    [TG_TAN] = {tan, slope_tan},
    [TG_TANH] = {tanh, slope_tanh},
    [TG_ABS] = {fabs, slope_abs},
    [TG_SIGN] = {value_sign, slope_sign},
    [TG_SIGMOID] = {value_sigmoid, slope_sigmoid},
    [TG_RELU] = {value_relu, slope_relu},
    [TG_SOFTPLUS] = {value_softplus, slope_softplus},
};

// Whether all entries of the matrix are this number: zeros, ones, 2*ones.
static bool is_filled(const tg_graph *g, tg_node a, double *entry)
{
  const tg_info *info = tg_node_info(g, a);
  *entry = info->kind == TG_ONES ? 1.0 : 0.0;
  if (info->kind == TG_ONES || info->kind == TG_ZEROS) return true;
  if (info->kind != TG_LIN || info->n_args != 1 || tg_node_info(g, info->args[0])->kind != TG_ONES) return false;
  *entry = info->coefs[0];
  return true;
}

tg_status tg_make_function(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  TG_ASSERT(functions[kind].value != NULL);
  const tg_info *info = tg_node_info(g, a);
  double x = 0.0;
  if (kind == TG_LOG && info->kind == TG_DET) return tg_make_logdet(g, info->args[0], out);
  if (tg_node_is_number(g, a, &x)) {
    if (kind == TG_LOG && x <= 0.0) TG_FAIL(TG_VALUE, "log(%g) is not a real number", x);
    return tg_make_num(g, functions[kind].value(x), out);
  }
  double entry = 0.0;
  if (is_filled(g, a, &entry) && isfinite(functions[kind].value(entry))) {
    tg_node ones = TG_NONE;
    TG_TRY(tg_make_ones(g, info->rows, info->cols, &ones));
    return tg_make_scale(g, functions[kind].value(entry), ones, out);
  }
  // f(X') = f(X)': the smaller of X and X' goes inside.
  tg_node other = TG_NONE;
  TG_TRY(tg_make_trans(g, a, &other));
  if (tg_node_reads_better(g, other, a)) {
    TG_TRY(tg_intern_unary(g, kind, info->cols, info->rows, other, out));
    return tg_make_trans(g, *out, out);
  }
  return tg_intern_unary(g, kind, info->rows, info->cols, a, out);
}

static tg_status slope_of(tg_graph *g, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  return functions[info->kind].slope(g, node, info->args[0], out);
}

static tg_status remake_function(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_function(g, tg_node_info(g, node)->kind, args[0], out);
}

// d s(X) = s'(X) .* dX
static tg_status forward_function(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  TG_TRY(slope_of(g, node, out));
  return tg_make_had(g, 2, (const tg_node[]){*out, dargs[0]}, out);
}

static tg_status reverse_function(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(slope_of(g, node, out));
  return tg_make_had(g, 2, (const tg_node[]){*out, adjoint}, out);
}

static tg_status jacobian_function(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(slope_of(g, node, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_diag(g, *out, out);
}

static tg_status sample_function(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const function *f = &functions[tg_node_info(g, node)->kind];
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = f->value(args[0].data[i]);
  return TG_OK;
}

// The descriptors differ in their name alone.
#define ENTRYWISE(symbol, text)                        \
  const tg_op symbol = {.name = text,                  \
                        .remake = remake_function,     \
                        .forward = forward_function,   \
                        .reverse = reverse_function,   \
                        .jacobian = jacobian_function, \
                        .sample = sample_function,     \
                        .degree = tg_degree_none}
ENTRYWISE(tg_op_exp, "exp");
ENTRYWISE(tg_op_log, "log");
ENTRYWISE(tg_op_sin, "sin");
ENTRYWISE(tg_op_cos, "cos");
ENTRYWISE(tg_op_tan, "tan");
ENTRYWISE(tg_op_tanh, "tanh");
ENTRYWISE(tg_op_abs, "abs");
ENTRYWISE(tg_op_sign, "sign");
ENTRYWISE(tg_op_sigmoid, "sigmoid");
ENTRYWISE(tg_op_relu, "relu");
ENTRYWISE(tg_op_softplus, "softplus");
