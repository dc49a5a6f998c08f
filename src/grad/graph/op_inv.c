// Inverse, determinant and log-determinant of square matrices.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"

bool tg_node_is_spd(const tg_graph *graph, tg_node node)
{
  const tg_info *info = tg_node_info(graph, node);
  double value = 0.0;
  switch (info->kind) {
  case TG_EYE:
    return true;
  case TG_NUM:
    return tg_node_is_number(graph, node, &value) && value > 0.0;
  case TG_SYM: {
    const tg_symbol *symbol = tg_symbol_info(graph, info->symbol);
    return !symbol->free && (symbol->properties & TG_SPD) != 0;
  }
  case TG_INV:
    return tg_node_is_spd(graph, info->args[0]);
  case TG_MPOW:
  case TG_MPOWER:
  case TG_SQRTM:
    return tg_node_is_spd(graph, info->args[0]);
  case TG_EXPM: { // of a symmetric argument, of which there is no other
    const tg_info *s = tg_node_info(graph, info->args[0]);
    return s->transposed == info->args[0];
  }
  case TG_LIN: {
    // Positive multiples of definite matrices, and of A A' which is at least semidefinite.
    bool definite = false;
    for (int32_t i = 0; i < info->n_args; i++) {
      const tg_info *term = tg_node_info(graph, info->args[i]);
      const bool spd = tg_node_is_spd(graph, info->args[i]);
      bool gram = term->kind == TG_PROD && term->n_scalars == 0 && term->n_args == 2;
      if (gram) {
        const tg_info *first = tg_node_info(graph, term->args[0]);
        const tg_info *second = tg_node_info(graph, term->args[1]);
        gram = (first->kind == TG_TRANS && first->args[0] == term->args[1]) ||
               (second->kind == TG_TRANS && second->args[0] == term->args[0]);
      }
      if (info->coefs[i] <= 0.0 || (!spd && !gram)) return false;
      definite = definite || spd;
    }
    return definite;
  }
  default:
    return false;
  }
}

static bool is_orthogonal_square(const tg_graph *g, const tg_info *info)
{
  if (info->kind != TG_SYM || info->rows != info->cols) return false;
  const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
  return !symbol->free && (symbol->properties & TG_ORTHOGONAL) != 0;
}

static tg_status inv_of_kron(tg_graph *g, const tg_info *info, tg_node *out)
{
  tg_node left = TG_NONE;
  tg_node right = TG_NONE;
  TG_TRY(tg_make_inv(g, info->args[0], &left));
  TG_TRY(tg_make_inv(g, info->args[1], &right));
  return tg_make_kron(g, left, right, out);
}

static bool has_square_factors(const tg_graph *g, const tg_info *info)
{
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_info *arg = tg_node_info(g, info->args[i]);
    if (arg->rows != arg->cols) return false;
  }
  return true;
}

// The end of the shortest square part of a chain that begins at factor `begin`: parts as large as the whole.
static int32_t square_part(const tg_graph *g, const tg_info *chain, int32_t begin)
{
  int32_t end = begin + 1;
  while (end < chain->n_args && tg_node_info(g, chain->args[end])->rows != chain->rows) end++;
  return end;
}

// inv(P^k) = inv(P)^k of a power that is written out.
static tg_status inv_of_power(tg_graph *g, const tg_info *chain, int64_t exponent, tg_node *out)
{
  tg_node root = TG_NONE;
  TG_TRY(tg_make_prod(g, (int32_t)(chain->n_args / exponent), chain->args, &root));
  TG_TRY(tg_make_inv(g, root, out));
  return tg_make_mpow(g, *out, exponent, out);
}

tg_status tg_make_inv(tg_graph *g, tg_node a, tg_node *out)
{
  if (tg_node_is_scalar(g, a)) return tg_make_pow_number(g, a, -1.0, out);
  tg_split split;
  TG_TRY(tg_split_scalars(g, a, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    tg_node scale = TG_NONE;
    TG_TRY(tg_make_inv(g, split.rest, out));
    if (split.scalars != TG_NONE) {
      TG_TRY(tg_make_pow_number(g, split.scalars, -1.0, &scale));
      TG_TRY(tg_make_mul(g, scale, *out, out));
    }
    return tg_make_scale(g, 1.0 / split.coef, *out, out);
  }
  const tg_info *info = tg_node_info(g, a);
  if (info->kind == TG_ZEROS) TG_FAIL(TG_VALUE, "the zero matrix has no inverse");
  if (info->kind == TG_COMM || is_orthogonal_square(g, info)) return tg_make_trans(g, a, out);
  if (info->kind == TG_KRON && has_square_factors(g, info)) return inv_of_kron(g, info, out);
  if (info->kind == TG_EYE || info->kind == TG_INV) {
    *out = info->kind == TG_INV ? info->args[0] : a;
    return TG_OK;
  }
  if (info->kind == TG_TRANS) {
    TG_TRY(tg_make_inv(g, info->args[0], out));
    return tg_make_trans(g, *out, out);
  }
  if (info->kind == TG_MPOW) {
    TG_TRY(tg_make_inv(g, info->args[0], out));
    return tg_make_mpow(g, *out, info->exponent, out);
  }
  if (info->kind == TG_MPOWER) {
    tg_node exponent = TG_NONE;
    TG_TRY(tg_make_scale(g, -1.0, info->args[1], &exponent));
    return tg_make_mpower(g, info->args[0], exponent, out);
  }
  if (tg_chain_power(info) > 1) return inv_of_power(g, info, tg_chain_power(info), out);
  if (info->kind == TG_DIAG) {
    TG_TRY(tg_make_pow_number(g, info->args[0], -1.0, out));
    return tg_make_diag(g, *out, out);
  }
  double sign = 1.0;
  bool skew = false;
  tg_node chosen = TG_NONE;
  TG_TRY(tg_choose_transpose(g, a, &sign, &skew, &chosen));
  TG_TRY(tg_intern_unary(g, TG_INV, info->rows, info->cols, chosen, out));
  if (chosen != a) TG_TRY(tg_make_trans(g, *out, out));
  return tg_make_scale(g, sign, *out, out);
}

tg_status tg_make_inv_by_parts(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  tg_node *parts = NULL;
  int32_t n = info->n_args;
  if (info->kind != TG_PROD || info->n_scalars > 0) return tg_make_inv(g, a, out);
  TG_TRY(TG_SCRATCH(g, n, &parts));
  for (int32_t begin = 0, end = 0; begin < info->n_args; begin = end) {
    end = square_part(g, info, begin);
    TG_TRY(tg_make_prod(g, end - begin, info->args + begin, &parts[--n]));
    TG_TRY(tg_make_inv(g, parts[n], &parts[n]));
  }
  return tg_make_prod(g, info->n_args - n, parts + n, out);
}

static tg_status remake_inv(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_inv(g, args[0], out);
}

// d inv(X) = -inv(X) dX inv(X)
static tg_status forward_inv(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){node, dargs[0], node}, out));
  return tg_make_scale(g, -1.0, *out, out);
}

static tg_status reverse_inv(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(g, node, &transposed));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){transposed, adjoint, transposed}, out));
  return tg_make_scale(g, -1.0, *out, out);
}

static tg_status jacobian_inv(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(g, node, &transposed));
  TG_TRY(tg_make_kron(g, transposed, node, out));
  return tg_make_scale(g, -1.0, *out, out);
}

void tg_sample_eliminate(int64_t n, double *a, int64_t cols, double *x, double *det)
{
  *det = 1.0;
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(a[i + k * n]) > fabs(a[pivot + k * n])) pivot = i;
    if (pivot != k) *det = -*det;
    for (int64_t j = 0; j < n && pivot != k; j++) {
      const double held = a[k + j * n];
      a[k + j * n] = a[pivot + j * n];
      a[pivot + j * n] = held;
    }
    for (int64_t j = 0; j < cols && pivot != k; j++) {
      const double held = x[k + j * n];
      x[k + j * n] = x[pivot + j * n];
      x[pivot + j * n] = held;
    }
    *det *= a[k + k * n];
    for (int64_t i = 0; i < n; i++) {
      if (i == k) continue;
      const double factor = a[i + k * n] / a[k + k * n];
      for (int64_t j = k; j < n; j++) a[i + j * n] -= factor * a[k + j * n];
      for (int64_t j = 0; j < cols; j++) x[i + j * n] -= factor * x[k + j * n];
    }
  }
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < n; i++) x[i + j * n] /= a[i + i * n];
}

static tg_status sample_inv(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const int64_t n = out->rows;
  double *copy = NULL;
  double det = 0.0;
  TG_TRY(TG_NEW(n * n, &copy));
  memcpy(copy, args[0].data, sizeof(double) * (size_t)(n * n));
  for (int64_t i = 0; i < n; i++) out->data[i + i * n] = 1.0;
  tg_sample_eliminate(n, copy, n, out->data, &det);
  tg_free(copy);
  return TG_OK;
}

const tg_op tg_op_inv = {.name = "inv",
                         .remake = remake_inv,
                         .forward = forward_inv,
                         .reverse = reverse_inv,
                         .jacobian = jacobian_inv,
                         .sample = sample_inv,
                         .degree = tg_degree_none};

// ---- determinant and its logarithm ----

// det of a product of square matrices is the product of their determinants; X'*X*A has the parts X'*X and A.
static tg_status det_of_product(tg_graph *g, const tg_info *info, tg_node *out)
{
  tg_node *factors = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  for (int32_t begin = 0, end = 0; begin < info->n_args; begin = end) {
    end = square_part(g, info, begin);
    TG_TRY(tg_make_prod(g, end - begin, info->args + begin, &factors[n]));
    TG_TRY(tg_make_det(g, factors[n], &factors[n]));
    n++;
  }
  return tg_make_prod(g, n, factors, out);
}

// Largest size for which det(c X) = c^n det(X) is written out: c^n must neither overflow nor underflow.
static bool power_fits(double coef, int64_t n)
{
  return n > 0 && isfinite(pow(coef, (double)n)) && fabs(pow(coef, (double)n)) > 1e-100;
}

// X' may stand for X, and -X' too where the sign can be told: det(-X) = (-1)^n det(X). A factor that tg_make_det or
// tg_make_logdet could not take out, for n is not known, stays with the matrix.
static tg_status intern_determinant(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  double content = 1.0;
  double sign = 1.0;
  bool skew = false;
  tg_dim one = 0;
  tg_node chosen = TG_NONE;
  const int64_t n = tg_dim_value(g, tg_node_info(g, a)->rows);
  TG_TRY(tg_take_content(g, a, &content, &a));
  TG_TRY(tg_choose_transpose(g, a, &sign, &skew, &chosen));
  const bool comes_out = kind == TG_DET && n >= 0 && content * sign == -1.0;
  if (!comes_out) TG_TRY(tg_make_scale(g, content * sign, chosen, &chosen));
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_intern_unary(g, kind, one, one, chosen, out));
  return tg_make_scale(g, comes_out && n % 2 != 0 ? -1.0 : 1.0, *out, out);
}

tg_status tg_make_det(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const int64_t n = tg_dim_value(g, info->rows);
  *out = a;
  if (tg_node_is_scalar(g, a)) return TG_OK;
  tg_split split;
  TG_TRY(tg_split_scalars(g, a, &split));
  if ((split.coef != 1.0 || split.scalars != TG_NONE) && power_fits(split.coef, n)) {
    tg_node scale = TG_NONE;
    TG_TRY(tg_make_num(g, pow(split.coef, (double)n), &scale));
    TG_TRY(tg_make_det(g, split.rest, out));
    TG_TRY(tg_make_mul(g, scale, *out, out));
    if (split.scalars == TG_NONE) return TG_OK;
    TG_TRY(tg_make_pow_number(g, split.scalars, (double)n, &scale));
    return tg_make_mul(g, scale, *out, out);
  }
  if (info->kind == TG_EYE) return tg_make_num(g, 1.0, out);
  if (info->kind == TG_ZEROS) return tg_make_num(g, 0.0, out);
  if (info->kind == TG_PROD && info->n_scalars == 0 && square_part(g, info, 0) < info->n_args)
    return det_of_product(g, info, out);
  if (info->kind == TG_INV || info->kind == TG_MPOW) {
    TG_TRY(tg_make_det(g, info->args[0], out));
    return tg_make_pow_number(g, *out, info->kind == TG_INV ? -1.0 : (double)info->exponent, out);
  }
  if (info->kind == TG_MPOWER) {
    TG_TRY(tg_make_det(g, info->args[0], out));
    return tg_make_pow(g, *out, info->args[1], out);
  }
  if (info->kind == TG_TRANS) return tg_make_det(g, info->args[0], out);
  return intern_determinant(g, TG_DET, a, out);
}

tg_status tg_make_logdet(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const int64_t n = tg_dim_value(g, info->rows);
  if (tg_node_is_scalar(g, a)) return tg_make_function(g, TG_LOG, a, out);
  double content = 1.0;
  tg_node rest = TG_NONE;
  TG_TRY(tg_take_content(g, a, &content, &rest));
  if (content != 1.0 && content > 0.0 && n > 0) {
    tg_node shift = TG_NONE;
    TG_TRY(tg_make_num(g, (double)n * log(content), &shift));
    TG_TRY(tg_make_logdet(g, rest, out));
    return tg_make_add(g, *out, shift, out);
  }
  if (info->kind == TG_EYE) return tg_make_num(g, 0.0, out);
  if (info->kind == TG_ZEROS) TG_FAIL(TG_VALUE, "logdet of the zero matrix is minus infinity");
  if (info->kind == TG_INV) {
    TG_TRY(tg_make_logdet(g, info->args[0], out));
    return tg_make_scale(g, -1.0, *out, out);
  }
  if (info->kind == TG_TRANS) return tg_make_logdet(g, info->args[0], out);
  if (info->kind == TG_MPOWER && tg_node_is_spd(g, info->args[0])) {
    TG_TRY(tg_make_logdet(g, info->args[0], out));
    return tg_make_mul(g, info->args[1], *out, out);
  }
  if (info->kind == TG_EXPM) return tg_make_tr(g, info->args[0], out);
  if (info->kind == TG_SQRTM) {
    TG_TRY(tg_make_logdet(g, info->args[0], out));
    return tg_make_scale(g, 0.5, *out, out);
  }
  return intern_determinant(g, TG_LOGDET, a, out);
}

static tg_status remake_det(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_det(g, args[0], out);
}

static tg_status remake_logdet(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_logdet(g, args[0], out);
}

// d det X = det X tr(inv(X) dX); d logdet X = tr(inv(X) dX)
static tg_status forward_determinant(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node inverse = TG_NONE;
  TG_TRY(tg_make_inv_by_parts(g, info->args[0], &inverse));
  TG_TRY(tg_make_mul(g, inverse, dargs[0], out));
  TG_TRY(tg_make_tr(g, *out, out));
  return info->kind == TG_DET ? tg_make_mul(g, node, *out, out) : TG_OK;
}

static tg_status reverse_determinant(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *info = tg_node_info(g, node);
  tg_node inverse = TG_NONE;
  TG_TRY(tg_make_inv_by_parts(g, info->args[0], &inverse));
  TG_TRY(tg_make_trans(g, inverse, &inverse));
  TG_TRY(tg_make_mul(g, adjoint, inverse, out));
  return info->kind == TG_DET ? tg_make_mul(g, node, *out, out) : TG_OK;
}

// Row vec(gradient)', for every operator whose value is a scalar.
static tg_status jacobian_determinant(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(reverse_determinant(g, node, one, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_trans(g, *out, out);
}

static tg_status sample_determinant(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const int64_t n = args[0].rows;
  double *copy = NULL;
  TG_TRY(TG_NEW(n * n, &copy));
  memcpy(copy, args[0].data, sizeof(double) * (size_t)(n * n));
  tg_sample_eliminate(n, copy, 0, NULL, &out->data[0]);
  if (tg_node_info(g, node)->kind == TG_LOGDET) out->data[0] = log(out->data[0]);
  tg_free(copy);
  return TG_OK;
}

const tg_op tg_op_det = {.name = "det",
                         .remake = remake_det,
                         .forward = forward_determinant,
                         .reverse = reverse_determinant,
                         .jacobian = jacobian_determinant,
                         .sample = sample_determinant,
                         // A polynomial of degree n, but its line coefficients by differentials need inv(X): of no use
                         // to an exact line search near singular matrices.
                         .degree = tg_degree_none,
                         .templates = {"det(@)", "det(@)", "\\det\\left(@\\right)", "np.linalg.det(@)", "det(@)"}};
const tg_op tg_op_logdet = {
    .name = "logdet",
    .remake = remake_logdet,
    .forward = forward_determinant,
    .reverse = reverse_determinant,
    .jacobian = jacobian_determinant,
    .sample = sample_determinant,
    .degree = tg_degree_none,
    .templates = {"logdet(@)", "logdet(@)", "\\log\\det\\left(@\\right)", "np.linalg.slogdet(@)[1]", "log(det(@))"}};
