// log(sum(exp(X))) of all entries, of rows or of columns, and the logarithms that are recognised as such.
//
// The node's shape says which: 1 x 1 of all entries, m x 1 of the rows, 1 x n of the columns of X. Its derivative is
// the softmax S = exp(X - logsumexp(X)), whose exponents are never positive: neither overflows.
#include <math.h>

#include "grad/graph/op.h"

// The number of terms of each sum; -1: symbolic.
static int64_t terms_of(const tg_graph *g, const tg_info *info, bool rows, bool columns)
{
  const int64_t height = columns || !rows ? tg_dim_value(g, info->rows) : 1;
  const int64_t width = rows || !columns ? tg_dim_value(g, info->cols) : 1;
  int64_t count = 0;
  return height < 0 || width < 0 || __builtin_mul_overflow(height, width, &count) ? -1 : count;
}

tg_status tg_make_logsumexp(tg_graph *g, tg_node a, bool rows, bool columns, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  *out = a;
  if (rows && tg_dim_is_one(g, info->cols)) return TG_OK; // each sum has one term
  if (columns && tg_dim_is_one(g, info->rows)) return TG_OK;
  if (tg_dim_is_one(g, info->rows) && tg_dim_is_one(g, info->cols)) return TG_OK;
  double entry = 0.0;
  const int64_t count = terms_of(g, info, rows, columns);
  if (count > 0 && tg_node_is_filled(g, a, &entry)) {
    TG_TRY(tg_make_ones(g, rows ? info->rows : one, columns ? info->cols : one, out));
    return tg_make_scale(g, entry + log((double)count), *out, out);
  }
  // logsumexp_columns(X') = logsumexp_rows(X)'
  tg_node other = TG_NONE;
  TG_TRY(tg_make_trans(g, a, &other));
  if (tg_node_reads_better(g, other, a)) {
    const tg_dim height = columns ? info->cols : one;
    const tg_dim width = rows ? info->rows : one;
    TG_TRY(tg_intern_unary(g, TG_LOGSUMEXP, height, width, other, out));
    return tg_make_trans(g, *out, out);
  }
  return tg_intern_unary(g, TG_LOGSUMEXP, rows ? info->rows : one, columns ? info->cols : one, a, out);
}

// v, of 1 x 1, of a column or of a row, over the shape of `like`.
static tg_status spread(tg_graph *g, tg_node v, tg_node like, tg_node *out)
{
  const tg_info *info = tg_node_info(g, like);
  tg_node ones = TG_NONE;
  tg_dim one = 0;
  if (tg_node_is_scalar(g, v)) return tg_make_filled(g, v, info->rows, info->cols, out);
  TG_TRY(tg_dim_number(g, 1, &one));
  if (tg_dim_is_one(g, tg_node_info(g, v)->cols)) {
    TG_TRY(tg_make_ones(g, one, info->cols, &ones));
    return tg_make_mul(g, v, ones, out);
  }
  TG_TRY(tg_make_ones(g, info->rows, one, &ones));
  return tg_make_mul(g, ones, v, out);
}

tg_status tg_make_row_sums(tg_graph *g, tg_node a, tg_node *out)
{
  tg_dim one = 0;
  tg_node ones = TG_NONE;
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_ones(g, tg_node_info(g, a)->cols, one, &ones));
  return tg_make_mul(g, a, ones, out);
}

tg_status tg_make_column_sums(tg_graph *g, tg_node a, tg_node *out)
{
  tg_dim one = 0;
  tg_node ones = TG_NONE;
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_ones(g, one, tg_node_info(g, a)->rows, &ones));
  return tg_make_mul(g, ones, a, out);
}

// The sums of the node's kind over a matrix of its argument's shape.
static tg_status gather(tg_graph *g, tg_node node, tg_node a, tg_node *out)
{
  if (tg_node_is_scalar(g, node)) return tg_make_sum(g, a, out);
  const bool rows = tg_dim_is_one(g, tg_node_info(g, node)->cols);
  return rows ? tg_make_row_sums(g, a, out) : tg_make_column_sums(g, a, out);
}

// exp(a - logsumexp(a)), the latter of all entries, of rows or of columns.
static tg_status softmax_by(tg_graph *g, tg_node a, tg_node logsumexp, tg_node *out)
{
  TG_TRY(spread(g, logsumexp, a, out));
  TG_TRY(tg_make_sub(g, a, *out, out));
  return tg_make_function(g, TG_EXP, *out, out);
}

tg_status tg_make_softmax(tg_graph *g, tg_node a, bool rows, bool columns, tg_node *out)
{
  TG_TRY(tg_make_logsumexp(g, a, rows, columns, out));
  return softmax_by(g, a, *out, out);
}

static tg_status softmax_of(tg_graph *g, tg_node node, tg_node *out)
{
  return softmax_by(g, tg_node_info(g, node)->args[0], node, out);
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  const bool rows = tg_dim_is_one(g, info->cols) && !tg_dim_is_one(g, info->rows);
  return tg_make_logsumexp(g, args[0], rows, tg_dim_is_one(g, info->rows) && !tg_dim_is_one(g, info->cols), out);
}

// d logsumexp(X) = the sums of S .* dX
static tg_status forward(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  TG_TRY(softmax_of(g, node, out));
  TG_TRY(tg_make_had(g, 2, (const tg_node[]){*out, dargs[0]}, out));
  return gather(g, node, *out, out);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  tg_node softmax = TG_NONE;
  TG_TRY(softmax_of(g, node, &softmax));
  TG_TRY(spread(g, adjoint, tg_node_info(g, node)->args[0], out));
  return tg_make_had(g, 2, (const tg_node[]){softmax, *out}, out);
}

// vec(S)', kron(ones', I) diag(vec(S)), kron(I, ones') diag(vec(S))
static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  const tg_info *arg = tg_node_info(g, info->args[0]);
  tg_node softmax = TG_NONE;
  tg_node sums = TG_NONE;
  tg_node eye = TG_NONE;
  tg_dim one = 0;
  TG_TRY(softmax_of(g, node, &softmax));
  TG_TRY(tg_make_vec(g, softmax, &softmax));
  if (tg_node_is_scalar(g, node)) return tg_make_trans(g, softmax, out);
  TG_TRY(tg_dim_number(g, 1, &one));
  const bool rows = tg_dim_is_one(g, info->cols);
  TG_TRY(tg_make_ones(g, one, rows ? arg->cols : arg->rows, &sums));
  TG_TRY(tg_make_identity(g, rows ? arg->rows : arg->cols, &eye));
  TG_TRY(tg_make_kron(g, rows ? sums : eye, rows ? eye : sums, out));
  TG_TRY(tg_make_diag(g, softmax, &softmax));
  return tg_make_mul(g, *out, softmax, out);
}

static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const tg_value *a = &args[0];
  for (int64_t t = 0; t < out->rows * out->cols; t++) {
    double most = -HUGE_VAL;
    double sum = 0.0;
    for (int pass = 0; pass < 2; pass++) {
      for (int64_t i = 0; i < a->rows * a->cols; i++) {
        const int64_t row = i % a->rows;
        const int64_t col = i / a->rows;
        const bool mine = (out->rows == 1 || row == t) && (out->cols == 1 || col == t);
        if (mine && pass == 0 && !(a->data[i] <= most)) most = a->data[i];
        if (mine && pass == 1) sum += exp(a->data[i] - most);
      }
    }
    out->data[t] = isfinite(most) ? most + log(sum) : most;
  }
  return TG_OK;
}

const tg_op tg_op_logsumexp = {.name = "logsumexp",
                               .remake = remake,
                               .forward = forward,
                               .reverse = reverse,
                               .jacobian = jacobian,
                               .sample = sample,
                               .degree = tg_degree_none,
                               .rule = "d logsumexp(X) sums softmax(X).*dX, as logsumexp sums"};

// ---- logarithms that have a name ----

static bool is_exp(const tg_graph *g, tg_node node)
{
  return tg_node_info(g, node)->kind == TG_EXP;
}

static bool is_ones(const tg_graph *g, tg_node node)
{
  double value = 0.0;
  return tg_node_info(g, node)->kind == TG_ONES || (tg_node_is_number(g, node, &value) && value == 1.0);
}

// log(1 + exp(x)) = softplus(x)
static tg_status match_softplus(tg_graph *g, const tg_info *sum, tg_node *out)
{
  for (int32_t k = 0; sum->kind == TG_LIN && sum->n_args == 2 && k < 2; k++) {
    const bool plain = sum->coefs[0] == 1.0 && sum->coefs[1] == 1.0;
    if (!plain || !is_exp(g, sum->args[k]) || !is_ones(g, sum->args[1 - k])) continue;
    return tg_make_function(g, TG_SOFTPLUS, tg_node_info(g, sum->args[k])->args[0], out);
  }
  return TG_OK;
}

// log(c*exp(x) + c*exp(y)) = log(c) + x + softplus(y - x); with y = -x it is log(2c) + logcosh(x).
static tg_status match_two_exps(tg_graph *g, const tg_info *sum, tg_node *out)
{
  tg_node difference = TG_NONE;
  tg_node total = TG_NONE;
  tg_node one = TG_NONE;
  if (sum->kind != TG_LIN || sum->n_args != 2 || sum->coefs[0] != sum->coefs[1] || sum->coefs[0] <= 0.0) return TG_OK;
  if (!is_exp(g, sum->args[0]) || !is_exp(g, sum->args[1])) return TG_OK;
  const tg_node x = tg_node_info(g, sum->args[0])->args[0];
  const tg_node y = tg_node_info(g, sum->args[1])->args[0];
  TG_TRY(tg_make_ones(g, sum->rows, sum->cols, &one));
  TG_TRY(tg_make_add(g, x, y, &total));
  const bool is_even = tg_node_is_zero(g, total);
  TG_TRY(tg_make_sub(g, y, x, &difference));
  TG_TRY(tg_make_function(g, is_even ? TG_LOGCOSH : TG_SOFTPLUS, is_even ? x : difference, out));
  const double shift = log(is_even ? 2.0 * sum->coefs[0] : sum->coefs[0]);
  return tg_make_lin(g, 3, (const double[]){1.0, is_even ? 0.0 : 1.0, shift}, (const tg_node[]){*out, x, one}, out);
}

// log(sigmoid(x)) = -softplus(-x), log(1 - sigmoid(x)) = -softplus(x): finite where sigmoid rounds to 0 or to 1.
static tg_status match_sigmoid(tg_graph *g, const tg_info *info, tg_node *out)
{
  tg_node x = TG_NONE;
  if (info->kind == TG_SIGMOID) TG_TRY(tg_make_scale(g, -1.0, info->args[0], &x));
  for (int32_t k = 0; info->kind == TG_LIN && info->n_args == 2 && k < 2; k++) {
    const tg_info *term = tg_node_info(g, info->args[k]);
    if (term->kind != TG_SIGMOID || info->coefs[k] != -1.0 || info->coefs[1 - k] != 1.0) continue;
    if (is_ones(g, info->args[1 - k])) x = term->args[0];
  }
  if (x == TG_NONE) return TG_OK;
  TG_TRY(tg_make_function(g, TG_SOFTPLUS, x, out));
  return tg_make_scale(g, -1.0, *out, out);
}

// log(exp(X)*ones(n,q)), log(ones(q,m)*exp(X))
static tg_status match_chain(tg_graph *g, const tg_info *chain, tg_node *out)
{
  if (chain->kind != TG_PROD || chain->n_scalars > 0 || chain->n_args != 2) return TG_OK;
  for (int32_t k = 0; k < 2; k++) {
    const tg_info *other = tg_node_info(g, chain->args[1 - k]);
    tg_node inner = chain->args[k];
    const tg_info *info = tg_node_info(g, inner);
    const bool turned = info->kind == TG_TRANS;
    if (turned) info = tg_node_info(g, info->args[0]);
    tg_node ones = TG_NONE;
    tg_dim one = 0;
    if (info->kind != TG_EXP || other->kind != TG_ONES) continue;
    inner = info->args[0];
    if (turned) TG_TRY(tg_make_trans(g, inner, &inner));
    // All q columns of ones(n,q) are the same.
    TG_TRY(tg_dim_number(g, 1, &one));
    TG_TRY(tg_make_ones(g, k == 0 ? one : other->rows, k == 0 ? other->cols : one, &ones));
    TG_TRY(tg_make_logsumexp(g, inner, k == 0, k == 1, out));
    return k == 0 ? tg_make_mul(g, *out, ones, out) : tg_make_mul(g, ones, *out, out);
  }
  return TG_OK;
}

tg_status tg_match_logarithm(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  *out = TG_NONE;
  if (info->kind == TG_DET) return tg_make_logdet(g, info->args[0], out);
  if (info->kind == TG_COSH) return tg_make_function(g, TG_LOGCOSH, info->args[0], out);
  if (info->kind == TG_EXP) {
    *out = info->args[0];
    return TG_OK;
  }
  if (info->kind == TG_SUM && is_exp(g, info->args[0]))
    return tg_make_logsumexp(g, tg_node_info(g, info->args[0])->args[0], false, false, out);
  if (info->kind == TG_LIN && info->n_args == 1 && info->coefs[0] > 0.0 && !tg_node_is_number(g, info->args[0], NULL)) {
    // log(c*y) = log(c) + log(y), where log(y) has a name
    tg_node shift = TG_NONE;
    TG_TRY(tg_match_logarithm(g, info->args[0], out));
    if (*out == TG_NONE) return TG_OK;
    TG_TRY(tg_make_ones(g, info->rows, info->cols, &shift));
    return tg_make_lin(g, 2, (const double[]){1.0, log(info->coefs[0])}, (const tg_node[]){*out, shift}, out);
  }
  TG_TRY(match_softplus(g, info, out));
  if (*out == TG_NONE) TG_TRY(match_two_exps(g, info, out));
  if (*out == TG_NONE) TG_TRY(match_sigmoid(g, info, out));
  return *out == TG_NONE ? match_chain(g, info, out) : TG_OK;
}
