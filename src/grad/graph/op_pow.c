// Powers: X .^ p entry by entry and s ^ p of scalars (sqrt is p = 1/2, a quotient is p = -1); matrix powers X^k.
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "grad/graph/op.h"

static bool is_whole(double x)
{
  return x == floor(x);
}

tg_node tg_pow_base(const tg_graph *g, tg_node node, double *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  *exponent = 1.0;
  if (info->kind != TG_POW || !tg_node_is_number(g, info->args[1], exponent)) {
    *exponent = 1.0;
    return node;
  }
  return info->args[0];
}

static tg_status number_power(tg_graph *g, double base, double exponent, tg_node *out)
{
  const double value = tg_coef_power(base, exponent);
  if (base == 0.0 && exponent < 0.0) TG_FAIL(TG_VALUE, "division by zero");
  if (isnan(value)) TG_FAIL(TG_VALUE, "%g ^ %g is not a real number", base, exponent);
  return tg_make_num(g, value, out);
}

// Applies the power to each argument of a product, where (xy)^p = x^p y^p holds: p a whole number.
static tg_status power_of_product(tg_graph *g, tg_node base, double exponent, tg_node *out)
{
  const tg_info *info = tg_node_info(g, base);
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(tg_make_pow_number(g, info->args[i], exponent, &factors[i]));
  return tg_make_had(g, info->n_args, factors, out);
}

static tg_status intern_pow(tg_graph *g, tg_node base, tg_node exponent, tg_node *out)
{
  const tg_info *shape = tg_node_info(g, tg_node_is_scalar(g, base) ? exponent : base);
  const tg_node args[2] = {base, exponent};
  return tg_intern(g, &(tg_info){.kind = TG_POW, .rows = shape->rows, .cols = shape->cols, .n_args = 2, .args = args},
                   out);
}

tg_status tg_make_pow_number(tg_graph *g, tg_node base, double exponent, tg_node *out)
{
  const tg_info *info = tg_node_info(g, base);
  tg_node one = TG_NONE;
  if (exponent == 1.0) {
    *out = base;
    return TG_OK;
  }
  if (exponent == 0.0 || info->kind == TG_ONES) return tg_make_ones(g, info->rows, info->cols, out);
  if (info->kind == TG_NUM) return number_power(g, info->value, exponent, out);
  if (exponent < 0.0 && tg_kind_is_zero_or_one(info->kind)) TG_FAIL(TG_VALUE, "division by zero");
  if (tg_kind_is_zero_or_one(info->kind)) {
    *out = base;
    return TG_OK;
  }
  const bool whole = is_whole(exponent);
  const bool even = is_whole(exponent / 2.0);
  const bool turned = info->kind == TG_TRANS;
  const tg_info *function = turned ? tg_node_info(g, info->args[0]) : info;
  if (function->kind == TG_SIGN && whole && exponent > 2.0) // -1, 0, 1 as sign or its square
    return tg_make_pow_number(g, base, even ? 2.0 : 1.0, out);
  if (function->kind == TG_ABS && even) { // |x|^2 = x^2
    base = function->args[0];
    if (turned) TG_TRY(tg_make_trans(g, base, &base));
    return tg_make_pow_number(g, base, exponent, out);
  }
  tg_split split;
  TG_TRY(tg_split_scalars(g, base, &split));
  if (split.coef != 1.0 && (whole || split.coef > 0.0)) {
    // (c X)^p = c^p X^p for a whole p or a positive c.
    tg_split bare = split;
    bare.coef = 1.0;
    TG_TRY(tg_join_scalars(g, &bare, split.rest, out));
    TG_TRY(tg_make_pow_number(g, *out, exponent, out));
    TG_TRY(number_power(g, split.coef, exponent, &one));
    return tg_make_mul(g, one, *out, out);
  }
  double inner = 1.0;
  const tg_node root = tg_pow_base(g, base, &inner);
  if (root != base && whole) return tg_make_pow_number(g, root, inner * exponent, out);
  if (whole && info->kind == TG_HAD) return power_of_product(g, base, exponent, out);
  if (whole && info->kind == TG_PROD && tg_node_is_scalar(g, base) && info->n_scalars == info->n_args)
    return power_of_product(g, base, exponent, out);
  if (whole && info->kind == TG_PROD && split.scalars != TG_NONE && !tg_node_is_scalar(g, base)) {
    tg_node scalars = TG_NONE;
    TG_TRY(tg_make_pow_number(g, split.scalars, exponent, &scalars));
    TG_TRY(tg_make_pow_number(g, split.rest, exponent, out));
    return tg_make_mul(g, scalars, *out, out);
  }
  TG_TRY(tg_make_num(g, exponent, &one));
  return intern_pow(g, base, one, out);
}

tg_status tg_make_pow(tg_graph *g, tg_node base, tg_node exponent, tg_node *out)
{
  double p = 0.0;
  if (tg_node_is_number(g, exponent, &p)) return tg_make_pow_number(g, base, p, out);
  return intern_pow(g, base, exponent, out);
}

static tg_status remake_pow(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_pow(g, args[0], args[1], out);
}

// Partial derivative of x^p entry by entry: by the base p x^(p-1), by the exponent x^p log x.
static tg_status pow_slope(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  const tg_node base = info->args[0];
  const tg_node exponent = info->args[1];
  tg_node factors[2] = {TG_NONE, TG_NONE};
  if (k == 0) {
    tg_node one = TG_NONE;
    const tg_info *shape = tg_node_info(g, exponent);
    TG_TRY(tg_make_ones(g, shape->rows, shape->cols, &one));
    TG_TRY(tg_make_sub(g, exponent, one, &one));
    TG_TRY(tg_make_pow(g, base, one, &factors[0]));
    factors[1] = exponent;
  } else {
    factors[0] = node;
    TG_TRY(tg_make_function(g, TG_LOG, base, &factors[1]));
  }
  return tg_make_had(g, 2, factors, out);
}

static tg_status forward_pow(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  tg_node sum = TG_NONE;
  for (int32_t k = 0; k < 2; k++) {
    if (dargs[k] == TG_NONE) continue;
    tg_node slope = TG_NONE;
    TG_TRY(pow_slope(g, node, k, &slope));
    TG_TRY(tg_make_had(g, 2, (const tg_node[]){slope, dargs[k]}, &slope));
    if (sum == TG_NONE)
      sum = slope;
    else
      TG_TRY(tg_make_add(g, sum, slope, &sum));
  }
  *out = sum;
  return TG_OK;
}

static tg_status reverse_pow(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  tg_node slope = TG_NONE;
  TG_TRY(pow_slope(g, node, k, &slope));
  // A scalar argument under a matrix result meets every entry.
  if (tg_node_is_scalar(g, tg_node_info(g, node)->args[k]) && !tg_node_is_scalar(g, node)) {
    tg_split split;
    TG_TRY(tg_split_scalars(g, adjoint, &split));
    if (tg_node_info(g, split.rest)->kind != TG_ONES) return tg_make_dot(g, adjoint, slope, out);
    TG_TRY(tg_make_sum(g, slope, out));
    return tg_join_scalars(g, &split, *out, out);
  }
  return tg_make_had(g, 2, (const tg_node[]){slope, adjoint}, out);
}

static tg_status jacobian_pow(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  TG_TRY(pow_slope(g, node, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  if (tg_node_is_scalar(g, tg_node_info(g, node)->args[k])) return TG_OK;
  return tg_make_diag(g, *out, out);
}

static tg_status sample_pow(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const bool scalar_base = args[0].rows * args[0].cols == 1;
  const bool scalar_exponent = args[1].rows * args[1].cols == 1;
  for (int64_t i = 0; i < out->rows * out->cols; i++)
    out->data[i] = pow(args[0].data[scalar_base ? 0 : i], args[1].data[scalar_exponent ? 0 : i]);
  return TG_OK;
}

static int degree_pow(const tg_graph *g, tg_node node, const int *args)
{
  double p = 0.0;
  if (!tg_node_is_number(g, tg_node_info(g, node)->args[1], &p)) return -1;
  if (args[0] < 0 || p < 0.0 || !is_whole(p) || p * args[0] > 1000.0) return -1;
  return (int)p * args[0];
}

const tg_op tg_op_pow = {.name = "power",
                         .remake = remake_pow,
                         .forward = forward_pow,
                         .reverse = reverse_pow,
                         .jacobian = jacobian_pow,
                         .sample = sample_pow,
                         .degree = degree_pow};

// ---- matrix powers ----

// (A B)^3 is A B A B A B: however it was written, it meets what it equals. Long ones stay powers: squaring is cheaper.
static bool is_written_out(const tg_info *base, int64_t exponent)
{
  return base->kind == TG_PROD && base->n_args <= TG_WRITTEN_OUT_MAX / exponent;
}

static tg_status write_out(tg_graph *g, const tg_info *base, int64_t exponent, tg_node *out)
{
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, base->n_args * exponent, &factors));
  for (int64_t k = 0; k < base->n_args * exponent; k++) factors[k] = base->args[k % base->n_args];
  return tg_make_prod(g, (int32_t)(base->n_args * exponent), factors, out);
}

static bool is_square(const tg_graph *g, tg_node node)
{
  return tg_node_info(g, node)->rows == tg_node_info(g, node)->cols;
}

int64_t tg_chain_power(const tg_info *chain)
{
  const int32_t n = chain->n_args;
  if (chain->kind != TG_PROD || chain->n_scalars > 0 || chain->rows != chain->cols) return 1;
  for (int32_t length = 2; length <= n / 2; length++) {
    int32_t same = length;
    while (n % length == 0 && same < n && chain->args[same] == chain->args[same - length]) same++;
    if (same == n) return n / length;
  }
  return 1;
}

tg_status tg_make_mpow(tg_graph *g, tg_node base, int64_t exponent, tg_node *out)
{
  const tg_info *info = tg_node_info(g, base);
  if (tg_node_is_scalar(g, base)) return tg_make_pow_number(g, base, (double)exponent, out);
  if (info->rows != info->cols) TG_FAIL(TG_INTERNAL, "a power of a matrix that is not square reached the graph");
  if (exponent == 0) return tg_make_eye(g, info->rows, out);
  if (exponent < 0) {
    TG_TRY(tg_make_inv(g, base, &base));
    return tg_make_mpow(g, base, -exponent, out);
  }
  if (exponent == 1 || info->kind == TG_EYE || info->kind == TG_ZEROS) {
    *out = base;
    return TG_OK;
  }
  if (info->kind == TG_MPOW) {
    // The derivative has as many terms as the exponent: (X^100)^100 would have 10,000.
    const int64_t product = info->exponent * exponent;
    if (product > TG_EXPONENT_MAX)
      TG_FAIL(TG_LIMIT, "the exponent of a matrix is at most %d, found %" PRId64, TG_EXPONENT_MAX, product);
    return tg_make_mpow(g, info->args[0], product, out);
  }
  if (info->kind == TG_SQRTM) { // R^2 = S
    tg_node rest = TG_NONE;
    TG_TRY(tg_make_mpow(g, base, exponent % 2, &rest));
    TG_TRY(tg_make_mpow(g, info->args[0], exponent / 2, out));
    return tg_make_mul(g, *out, rest, out);
  }
  tg_split split;
  TG_TRY(tg_split_scalars(g, base, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    tg_node number = TG_NONE;
    tg_node scalars = TG_NONE;
    TG_TRY(number_power(g, split.coef, (double)exponent, &number));
    TG_TRY(tg_make_mpow(g, split.rest, exponent, out));
    if (split.scalars == TG_NONE) return tg_make_mul(g, number, *out, out);
    TG_TRY(tg_make_pow_number(g, split.scalars, (double)exponent, &scalars));
    return tg_make_prod(g, 3, (const tg_node[]){number, scalars, *out}, out);
  }
  if (info->kind == TG_KRON && is_square(g, info->args[0])) {
    tg_node halves[2] = {TG_NONE, TG_NONE};
    for (int k = 0; k < 2; k++) TG_TRY(tg_make_mpow(g, info->args[k], exponent, &halves[k]));
    return tg_make_kron(g, halves[0], halves[1], out);
  }
  if (is_written_out(info, exponent)) return write_out(g, info, exponent, out);
  return tg_intern(
      g,
      &(tg_info){
          .kind = TG_MPOW, .rows = info->rows, .cols = info->cols, .n_args = 1, .args = &base, .exponent = exponent},
      out);
}

static tg_status remake_mpow(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_mpow(g, args[0], tg_node_info(g, node)->exponent, out);
}

// X^i middle X^j
static tg_status between_powers(tg_graph *g, tg_node x, int64_t i, tg_node middle, int64_t j, tg_node *out)
{
  tg_node left = TG_NONE;
  tg_node right = TG_NONE;
  TG_TRY(tg_make_mpow(g, x, i, &left));
  TG_TRY(tg_make_mpow(g, x, j, &right));
  return tg_make_prod(g, 3, (const tg_node[]){left, middle, right}, out);
}

// Up to here the terms of the derivative of a power are written beside one another.
enum { TERMS_MAX = 12 };

// By halves, S(k) = sum over i + j = k - 1 of X^i M X^j: S(2m) = X^m S(m) + S(m) X^m and S(2m+1) = X^(m+1) S(m) + X^m M
// X^m + S(m) X^(m+1), each of which reads the same from the other side, as S(k) does.
static tg_status sum_by_halves(tg_graph *g, tg_node x, int64_t exponent, tg_node middle, tg_node *out)
{
  static const double ones[3] = {1, 1, 1};
  const int64_t half = exponent / 2;
  const bool is_odd = exponent % 2 != 0;
  tg_node power = TG_NONE;
  tg_node inner = TG_NONE;
  tg_node terms[3] = {TG_NONE, TG_NONE, TG_NONE};
  *out = middle;
  if (exponent == 1) return TG_OK;
  TG_TRY(tg_make_mpow(g, x, half, &power));
  if (is_odd) TG_TRY(tg_make_prod(g, 3, (const tg_node[]){power, middle, power}, &terms[2]));
  TG_TRY(tg_make_mpow(g, x, exponent - half, &power));
  TG_TRY(sum_by_halves(g, x, half, middle, &inner));
  TG_TRY(tg_make_mul(g, power, inner, &terms[0]));
  TG_TRY(tg_make_mul(g, inner, power, &terms[1]));
  return tg_make_lin(g, is_odd ? 3 : 2, ones, terms, out);
}

// d X^k = sum over i + j = k - 1 of X^i dX X^j
tg_status tg_power_sum_between(tg_graph *g, tg_node x, int64_t exponent, tg_node middle, tg_node *out)
{
  tg_node *terms = NULL;
  double *coefs = NULL;
  if (tg_node_info(g, middle)->kind == TG_EYE) {
    TG_TRY(tg_make_mpow(g, x, exponent - 1, out));
    return tg_make_scale(g, (double)exponent, *out, out);
  }
  if (exponent > TERMS_MAX) return sum_by_halves(g, x, exponent, middle, out);
  TG_TRY(TG_SCRATCH(g, exponent, &terms));
  TG_TRY(TG_SCRATCH(g, exponent, &coefs));
  for (int64_t i = 0; i < exponent; i++) {
    coefs[i] = 1.0;
    TG_TRY(between_powers(g, x, i, middle, exponent - 1 - i, &terms[i]));
  }
  return tg_make_lin(g, (int32_t)exponent, coefs, terms, out);
}

static tg_status forward_mpow(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  return tg_power_sum_between(g, info->args[0], info->exponent, dargs[0], out);
}

static tg_status reverse_mpow(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(g, info->args[0], &transposed));
  return tg_power_sum_between(g, transposed, info->exponent, adjoint, out);
}

// sum over i + j = k - 1 of (X')^j kron X^i
static tg_status jacobian_mpow(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  tg_node sum = TG_NONE;
  for (int64_t i = 0; i < info->exponent; i++) {
    tg_node left = TG_NONE;
    tg_node right = TG_NONE;
    TG_TRY(tg_make_mpow(g, info->args[0], i, &left));
    TG_TRY(tg_make_mpow(g, info->args[0], info->exponent - 1 - i, &right));
    TG_TRY(tg_make_trans(g, right, &right));
    TG_TRY(tg_make_kron(g, right, left, &left));
    if (sum == TG_NONE)
      sum = left;
    else
      TG_TRY(tg_make_add(g, sum, left, &sum));
  }
  *out = sum;
  return TG_OK;
}

static tg_status sample_mpow(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const int64_t n = out->rows;
  double *next = NULL;
  TG_TRY(TG_NEW(n * n, &next));
  for (int64_t i = 0; i < n; i++) out->data[i + i * n] = 1.0;
  for (int64_t p = 0; p < tg_node_info(g, node)->exponent; p++) {
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < n; k++) sum += out->data[i + k * n] * args[0].data[k + j * n];
        next[i + j * n] = sum;
      }
    for (int64_t i = 0; i < n * n; i++) out->data[i] = next[i];
  }
  tg_free(next);
  return TG_OK;
}

static int degree_mpow(const tg_graph *g, tg_node node, const int *args)
{
  const int64_t exponent = tg_node_info(g, node)->exponent;
  return args[0] < 0 || exponent * args[0] > 1000 ? -1 : (int)exponent * args[0];
}

const tg_op tg_op_mpow = {.name = "matrix power",
                          .remake = remake_mpow,
                          .forward = forward_mpow,
                          .reverse = reverse_mpow,
                          .jacobian = jacobian_mpow,
                          .sample = sample_mpow,
                          .degree = degree_mpow};
