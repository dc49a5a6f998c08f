// The nuclear and the spectral norm, their subgradients U V' and u v', and the derivatives of these.
//
// With X = U diag(s) V', s descending: nuclear_norm(X) = sum(s), d of it <U V', dX>; spectral_norm(X) = s_1, d of it
// <u_1 v_1', dX>. Where a singular value is 0, or the first two are equal, these are subgradients: U V' over the
// positive values has the least norm of all. Both are F(X) = U diag(f) V'; along W, with K = U'WV, dF has the entries
// (K + K')/2 .* (f_i - f_j)/(s_i - s_j) + (K - K')/2 .* (f_i + f_j)/(s_i + s_j) in that basis, and W - U U'W, W - W V
// V' times f_j/s_j beside it: a second derivative, symmetric in W.
#include <math.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/graph/sample_dense.h"

static bool is_norm(tg_kind kind)
{
  return kind == TG_NUCLEAR || kind == TG_SPECTRAL;
}

// The kind of the derivative: norm, subgradient, its derivative.
static tg_kind next(tg_kind kind)
{
  return (tg_kind)((int)kind + 2);
}

static bool is_nuclear(tg_kind kind)
{
  return kind == TG_NUCLEAR || kind == TG_POLAR || kind == TG_DPOLAR;
}

static bool is_vector(const tg_graph *g, tg_node a)
{
  const tg_info *info = tg_node_info(g, a);
  return tg_dim_is_one(g, info->rows) || tg_dim_is_one(g, info->cols);
}

static tg_status norm_of_vector(tg_graph *g, tg_node a, tg_node *out)
{
  if (tg_node_is_scalar(g, a)) return tg_make_function(g, TG_ABS, a, out);
  TG_TRY(tg_make_dot(g, a, a, out));
  return tg_make_pow_number(g, *out, 0.5, out);
}

// |coef| |scalars| in front of a norm; their signs in front of a subgradient.
static tg_status join(tg_graph *g, bool norm, const tg_split *split, tg_node node, tg_node *out)
{
  tg_node front = TG_NONE;
  const double sign = split->coef < 0 ? -1.0 : 1.0;
  *out = node;
  if (split->scalars != TG_NONE) {
    TG_TRY(tg_make_function(g, norm ? TG_ABS : TG_SIGN, split->scalars, &front));
    TG_TRY(tg_make_mul(g, front, *out, out));
  }
  return tg_make_scale(g, norm ? fabs(split->coef) : sign, *out, out);
}

tg_status tg_make_singular(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  const bool norm = is_norm(kind);
  const tg_info *info = tg_node_info(g, a);
  tg_node other = TG_NONE;
  tg_split split;
  tg_dim one = 0;
  if (tg_node_is_zero(g, a)) return norm ? tg_make_num(g, 0.0, out) : tg_make_zero_like(g, a, out);
  if (is_vector(g, a) && norm) return norm_of_vector(g, a, out);
  if (tg_node_is_scalar(g, a)) return tg_make_function(g, TG_SIGN, a, out);
  if (is_vector(g, a)) {
    TG_TRY(norm_of_vector(g, a, &other));
    TG_TRY(tg_make_pow_number(g, other, -1.0, &other));
    return tg_make_mul(g, other, a, out);
  }
  TG_TRY(tg_split_scalars(g, a, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    TG_TRY(tg_make_singular(g, kind, split.rest, out));
    return join(g, norm, &split, *out, out);
  }
  if (info->kind == TG_EYE && kind == TG_NUCLEAR) return tg_make_tr(g, a, out);
  if (info->kind == TG_EYE && kind == TG_SPECTRAL) return tg_make_num(g, 1.0, out);
  if (info->kind == TG_EYE && kind == TG_POLAR) {
    *out = a;
    return TG_OK;
  }
  TG_TRY(tg_make_trans(g, a, &other));
  const bool turned = tg_node_reads_better(g, other, a);
  if (turned) a = other;
  info = tg_node_info(g, a);
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_intern_unary(g, kind, norm ? one : info->rows, norm ? one : info->cols, a, out));
  return turned && !norm ? tg_make_trans(g, *out, out) : TG_OK;
}

// d (x/|x|) = (w - p <p,w>)/|x|, p = x/|x|
static tg_status along_vector(tg_graph *g, tg_node x, tg_node w, tg_node *out)
{
  tg_node size = TG_NONE;
  tg_node p = TG_NONE;
  tg_node part = TG_NONE;
  TG_TRY(norm_of_vector(g, x, &size));
  TG_TRY(tg_make_pow_number(g, size, -1.0, &size));
  TG_TRY(tg_make_mul(g, size, x, &p));
  TG_TRY(tg_make_dot(g, p, w, &part));
  TG_TRY(tg_make_mul(g, part, p, &part));
  TG_TRY(tg_make_sub(g, w, part, out));
  return tg_make_mul(g, size, *out, out);
}

// The derivative of the subgradient (TG_DPOLAR, TG_DDYAD) at x along w, in which it is linear.
tg_status tg_make_singular_along(tg_graph *g, tg_kind kind, tg_node x, tg_node w, tg_node *out)
{
  tg_split split;
  tg_node other = TG_NONE;
  if (tg_node_is_scalar(g, x) || tg_node_is_zero(g, w) || x == w) return tg_make_zero_like(g, x, out);
  TG_TRY(tg_split_scalars(g, w, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) {
    TG_TRY(tg_make_singular_along(g, kind, x, split.rest, out));
    return tg_join_scalars(g, &split, *out, out);
  }
  if (is_vector(g, x)) return along_vector(g, x, w, out);
  TG_TRY(tg_make_trans(g, x, &other));
  const bool turned = tg_node_reads_better(g, other, x);
  if (turned) {
    x = other;
    TG_TRY(tg_make_trans(g, w, &w));
  }
  const tg_info *info = tg_node_info(g, x);
  const tg_info draft = {
      .kind = kind, .rows = info->rows, .cols = info->cols, .n_args = 2, .args = (const tg_node[]){x, w}};
  TG_TRY(tg_intern(g, &draft, out));
  return turned ? tg_make_trans(g, *out, out) : TG_OK;
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  if (kind == TG_DPOLAR || kind == TG_DDYAD) return tg_make_singular_along(g, kind, args[0], args[1], out);
  return tg_make_singular(g, kind, args[0], out);
}

static tg_status refuse_next(const tg_graph *g, tg_node node)
{
  TG_FAIL(TG_UNSUPPORTED, "the derivative of %s by its point is not in the language",
          tg_kind_name(tg_node_info(g, node)->kind));
}

static tg_status forward(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  tg_node slope = TG_NONE;
  if (is_norm(info.kind)) {
    TG_TRY(tg_make_singular(g, next(info.kind), info.args[0], &slope));
    return tg_make_dot(g, slope, dargs[0], out);
  }
  if (info.n_args == 1) return tg_make_singular_along(g, next(info.kind), info.args[0], dargs[0], out);
  if (dargs[0] != TG_NONE) return refuse_next(g, node);
  return tg_make_singular_along(g, info.kind, info.args[0], dargs[1], out);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  if (is_norm(info.kind)) {
    TG_TRY(tg_make_singular(g, next(info.kind), info.args[0], out));
    return tg_make_mul(g, adjoint, *out, out);
  }
  if (info.n_args == 1) return tg_make_singular_along(g, next(info.kind), info.args[0], adjoint, out);
  if (k == 0) return refuse_next(g, node);
  return tg_make_singular_along(g, info.kind, info.args[0], adjoint, out);
}

static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  tg_node one = TG_NONE;
  if (!is_norm(kind))
    TG_FAIL(TG_UNSUPPORTED, "the Jacobian of %s has no formula in the language; the gradient of a scalar function has",
            tg_kind_name(kind));
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(reverse(g, node, one, k, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_trans(g, *out, out);
}

// ---- samples ----

typedef struct factors {
  int64_t m;
  int64_t n;
  int64_t k;
  double *u;
  double *s;
  double *v;
} factors;

static double weight(const factors *f, bool nuclear, int64_t i)
{
  return f->s[i] > 0 && (nuclear || i == 0) ? 1 : 0;
}

// sum_i sum_j a_i w_ij b_j for column i of a and column j of b.
static double between(int64_t m, int64_t n, const double *a, const double *w, const double *b)
{
  double sum = 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) sum += a[i] * w[i + j * m] * b[j];
  return sum;
}

static void add_outer(const factors *f, double scale, const double *a, const double *b, double *out)
{
  for (int64_t j = 0; j < f->n; j++)
    for (int64_t i = 0; i < f->m; i++) out[i + j * f->m] += scale * a[i] * b[j];
}

// Entry (i,j) of dF in the basis of the singular vectors, from K(i,j) and K(j,i).
static double entry_of(const factors *f, bool nuclear, int64_t i, int64_t j, double straight, double turned)
{
  const double fi = weight(f, nuclear, i);
  const double fj = weight(f, nuclear, j);
  const double sum = f->s[i] + f->s[j];
  const double difference = f->s[i] - f->s[j];
  const double even = fi == fj || difference == 0 ? 0 : (fi - fj) / difference;
  const double odd = sum > 0 ? (fi + fj) / sum : 0;
  return 0.5 * (straight + turned) * even + 0.5 * (straight - turned) * odd;
}

// f_j/s_j (W v_j - U U'W v_j) v_j' and u_j (u_j'W - u_j'W V V') f_j/s_j.
static tg_status add_outside(const factors *f, bool nuclear, const double *w, double *out)
{
  double *line = NULL;
  TG_TRY(TG_NEW(f->m + f->n, &line));
  for (int64_t j = 0; j < f->k; j++) {
    if (!(weight(f, nuclear, j) > 0)) continue;
    const double *uj = f->u + j * f->m;
    const double *vj = f->v + j * f->n;
    double *left = line;
    double *right = line + f->m;
    for (int64_t i = 0; i < f->m; i++) left[i] = 0;
    for (int64_t i = 0; i < f->n; i++) right[i] = 0;
    for (int64_t c = 0; c < f->n; c++)
      for (int64_t r = 0; r < f->m; r++) {
        left[r] += w[r + c * f->m] * vj[c];
        right[c] += w[r + c * f->m] * uj[r];
      }
    for (int64_t i = 0; i < f->k; i++) {
      const double a = between(f->m, f->n, f->u + i * f->m, w, vj);
      const double b = between(f->m, f->n, uj, w, f->v + i * f->n);
      for (int64_t r = 0; r < f->m; r++) left[r] -= a * f->u[r + i * f->m];
      for (int64_t c = 0; c < f->n; c++) right[c] -= b * f->v[c + i * f->n];
    }
    add_outer(f, 1 / f->s[j], left, vj, out);
    add_outer(f, 1 / f->s[j], uj, right, out);
  }
  tg_free(line);
  return TG_OK;
}

static tg_status add_derivative(const factors *f, bool nuclear, const double *w, double *out)
{
  for (int64_t i = 0; i < f->k; i++)
    for (int64_t j = 0; j < f->k; j++) {
      const double straight = between(f->m, f->n, f->u + i * f->m, w, f->v + j * f->n);
      const double turned = between(f->m, f->n, f->u + j * f->m, w, f->v + i * f->n);
      add_outer(f, entry_of(f, nuclear, i, j, straight, turned), f->u + i * f->m, f->v + j * f->n, out);
    }
  return add_outside(f, nuclear, w, out);
}

static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_info *info = tg_node_info(g, node);
  const bool nuclear = is_nuclear(info->kind);
  factors f = {.m = args[0].rows, .n = args[0].cols};
  tg_status status = TG_OK;
  f.k = f.m < f.n ? f.m : f.n;
  TG_TRY_GOTO(TG_NEW(f.m * f.k, &f.u));
  TG_TRY_GOTO(TG_NEW(f.k, &f.s));
  TG_TRY_GOTO(TG_NEW(f.n * f.k, &f.v));
  TG_TRY_GOTO(tg_dense_svd(f.m, f.n, args[0].data, f.u, f.s, f.v));
  for (int64_t i = 0; i < f.k && is_norm(info->kind); i++) out->data[0] += nuclear || i == 0 ? f.s[i] : 0;
  for (int64_t i = 0; i < f.k && info->n_args == 1 && !is_norm(info->kind); i++)
    add_outer(&f, weight(&f, nuclear, i), f.u + i * f.m, f.v + i * f.n, out->data);
  if (info->n_args == 2) status = add_derivative(&f, nuclear, args[1].data, out->data);
done:
  tg_free(f.u);
  tg_free(f.s);
  tg_free(f.v);
  return status;
}

#define SINGULAR_CALLS                                                                                                 \
  .remake = remake, .forward = forward, .reverse = reverse, .jacobian = jacobian, .sample = sample, .has_kinks = true, \
  .degree = tg_degree_none

const tg_op tg_op_nuclear = {
    .name = "nuclear_norm",
    SINGULAR_CALLS,
    .templates = {"nuclear_norm(@)", "‖@‖_*", "\\left\\|@\\right\\|_*", "np.linalg.norm(@, 'nuc')", "sum(svd(@))"},
    .rule = "d nuclear_norm(X) = tr(polar_factor(X)'*dX)"};
const tg_op tg_op_spectral = {
    .name = "spectral_norm",
    SINGULAR_CALLS,
    .templates = {"spectral_norm(@)", "‖@‖₂", "\\left\\|@\\right\\|_2", "np.linalg.norm(@, 2)", "norm(@, 2)"},
    .rule = "d spectral_norm(X) = tr(leading_dyad(X)'*dX)"};
const tg_op tg_op_polar = {.name = "polar_factor",
                           SINGULAR_CALLS,
                           .templates = {"polar_factor(@)", "polar_factor(@)",
                                         "\\operatorname{polar\\_factor}\\left(@\\right)", "polar_factor(@)",
                                         "polar_factor(@)"},
                           .rule = "d polar_factor(X) = dpolar_factor(X, dX), in the basis of the singular vectors"};
const tg_op tg_op_dyad = {.name = "leading_dyad",
                          SINGULAR_CALLS,
                          .templates = {"leading_dyad(@)", "leading_dyad(@)",
                                        "\\operatorname{leading\\_dyad}\\left(@\\right)", "leading_dyad(@)",
                                        "leading_dyad(@)"},
                          .rule = "d leading_dyad(X) = dleading_dyad(X, dX), in the basis of the singular vectors"};
const tg_op tg_op_dpolar = {.name = "dpolar_factor",
                            SINGULAR_CALLS,
                            .templates = {"dpolar_factor(@, $)", "dpolar_factor(@, $)",
                                          "\\operatorname{dpolar\\_factor}\\left(@, $\\right)", "dpolar_factor(@, $)",
                                          "dpolar_factor(@, $)"},
                            .rule = "d dpolar_factor(X, W) = dpolar_factor(X, dW)"};
const tg_op tg_op_ddyad = {.name = "dleading_dyad",
                           SINGULAR_CALLS,
                           .templates = {"dleading_dyad(@, $)", "dleading_dyad(@, $)",
                                         "\\operatorname{dleading\\_dyad}\\left(@, $\\right)", "dleading_dyad(@, $)",
                                         "dleading_dyad(@, $)"},
                           .rule = "d dleading_dyad(X, W) = dleading_dyad(X, dW)"};
