// Functions of symmetric matrices by their eigenvectors, and their derivatives: sqrtm, expm, logm.
//
// f(S) = Q diag(f(l)) Q' for S = Q diag(l) Q'. Its derivative along V is L(S,V) = Q (F .* (Q'VQ)) Q', F(i,j) =
// f[l_i,l_j] (J. Daleckii, S. Krein, 1965), the second one has the divided differences f[l_i,l_j,l_k]. Along every V,
// symmetric or not, these are the derivatives of the function that f's power series defines near S, so that entries are
// independent as everywhere: f(S)' = f(S'), L(S,V)' = L(S',V'), <G, L(S,V)> = <L(S',G), V>.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/along.h"
#include "grad/graph/sample_dense.h"

enum { FUNCTIONS = TG_DSQRTM - TG_SQRTM };

static int order_of(tg_kind kind)
{
  return ((int)kind - (int)TG_SQRTM) / FUNCTIONS;
}

static tg_kind of_order(tg_kind kind, int order)
{
  return (tg_kind)((int)kind + (order - order_of(kind)) * FUNCTIONS);
}

bool tg_kind_is_matfun(tg_kind kind, int order)
{
  return kind >= TG_SQRTM && kind <= TG_D2LOGM && order_of(kind) == order;
}

// The argument that reads better, S or S'; a function of the other is the transpose of that of this one.
static tg_status choose(tg_graph *g, tg_node *s, bool *turned)
{
  tg_node other = TG_NONE;
  TG_TRY(tg_make_trans(g, *s, &other));
  *turned = tg_node_reads_better(g, other, *s);
  if (*turned) *s = other;
  return TG_OK;
}

static tg_status entry_function(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  if (kind == TG_SQRTM) return tg_make_pow_number(g, a, 0.5, out);
  return tg_make_function(g, kind == TG_EXPM ? TG_EXP : TG_LOG, a, out);
}

// f of 0, of the identity, of a diagonal matrix, of another function; TG_NONE: none of them.
static tg_status match_argument(tg_graph *g, tg_kind kind, tg_node s, tg_node *out)
{
  const tg_info *info = tg_node_info(g, s);
  *out = TG_NONE;
  switch (info->kind) {
  case TG_ZEROS:
    if (kind == TG_LOGM) TG_FAIL(TG_VALUE, "the zero matrix has no logarithm");
    *out = s;
    return kind == TG_EXPM ? tg_make_identity(g, info->rows, out) : TG_OK;
  case TG_EYE:
    *out = s;
    if (kind == TG_EXPM) return tg_make_scale(g, exp(1.0), s, out);
    return kind == TG_LOGM ? tg_make_zero_like(g, s, out) : TG_OK;
  case TG_DIAG:
    TG_TRY(entry_function(g, kind, info->args[0], out));
    return tg_make_diag(g, *out, out);
  case TG_INV: // of a positive definite one
    if (kind == TG_EXPM) return TG_OK;
    TG_TRY(tg_make_matfun(g, kind, info->args[0], out));
    return kind == TG_LOGM ? tg_make_scale(g, -1.0, *out, out) : tg_make_inv(g, *out, out);
  case TG_EXPM:
  case TG_LOGM:
    if (kind + info->kind == TG_EXPM + TG_LOGM && kind != info->kind) *out = info->args[0];
    return TG_OK;
  default:
    return TG_OK;
  }
}

tg_status tg_make_matfun(tg_graph *g, tg_kind kind, tg_node s, tg_node *out)
{
  bool turned = false;
  if (tg_node_is_scalar(g, s)) return entry_function(g, kind, s, out);
  TG_TRY(match_argument(g, kind, s, out));
  if (*out != TG_NONE) return TG_OK;
  TG_TRY(choose(g, &s, &turned));
  const tg_info *info = tg_node_info(g, s);
  TG_TRY(tg_intern_unary(g, kind, info->rows, info->cols, s, out));
  return turned ? tg_make_trans(g, *out, out) : TG_OK;
}

// f'(S), which is L(S, I)
static tg_status slope(tg_graph *g, tg_kind kind, tg_node s, tg_node *out)
{
  const tg_kind f = of_order(kind, 0);
  if (f == TG_LOGM) return tg_make_inv(g, s, out);
  TG_TRY(tg_make_matfun(g, f, s, out));
  if (f == TG_EXPM) return TG_OK;
  TG_TRY(tg_make_inv(g, *out, out));
  return tg_make_scale(g, 0.5, *out, out);
}

// The derivative of f'(S) along V, which is the second one of f along I and V.
static tg_status slope_along(tg_graph *g, tg_kind kind, tg_node s, tg_node v, tg_node *out)
{
  const tg_kind first = of_order(kind, 1);
  tg_node inverse = TG_NONE;
  if (first == TG_DEXPM) return tg_make_matfun_along(g, first, s, v, TG_NONE, out);
  *out = v;
  if (first == TG_DSQRTM) TG_TRY(tg_make_matfun_along(g, first, s, v, TG_NONE, out));
  TG_TRY(slope(g, kind, s, &inverse)); // inv(S), or inv(sqrtm(S))/2
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){inverse, *out, inverse}, out));
  return tg_make_scale(g, first == TG_DSQRTM ? -2.0 : -1.0, *out, out);
}

// Of a scalar argument: the derivative of the order times the directions.
static tg_status of_scalar(tg_graph *g, tg_kind kind, const tg_node args[3], tg_node *out)
{
  tg_node f = TG_NONE;
  const tg_kind function = of_order(kind, 0);
  const bool second = order_of(kind) == 2;
  if (function == TG_EXPM)
    TG_TRY(tg_make_function(g, TG_EXP, args[0], &f));
  else
    TG_TRY(tg_make_pow_number(g, args[0], (function == TG_SQRTM ? 0.5 : 0.0) - (second ? 2.0 : 1.0), &f));
  if (function == TG_SQRTM) TG_TRY(tg_make_scale(g, second ? -0.25 : 0.5, f, &f));
  if (function == TG_LOGM && second) TG_TRY(tg_make_scale(g, -1.0, f, &f));
  TG_TRY(tg_make_mul(g, f, args[1], out));
  return second ? tg_make_mul(g, *out, args[2], out) : TG_OK;
}

// Linear in each direction: numbers and scalars of direction k stand in front.
static tg_status take_scalars(tg_graph *g, tg_kind kind, const tg_node args[3], int k, tg_node *out)
{
  tg_split split;
  tg_node parts[3] = {args[0], args[1], args[2]};
  *out = TG_NONE;
  TG_TRY(tg_split_scalars(g, args[k], &split));
  if (split.coef == 1.0 && split.scalars == TG_NONE) return TG_OK;
  parts[k] = split.rest;
  TG_TRY(tg_make_matfun_along(g, kind, parts[0], parts[1], parts[2], out));
  return tg_join_scalars(g, &split, *out, out);
}

// Along a power of S, which commutes with it: f'(S) S^e. Of the second order along S itself, log and sqrt are
// homogeneous: L(cS,W) = L(S,W)/c and L(S,W)/sqrt(c). TG_NONE: v is no such direction.
static tg_status along_power(tg_graph *g, tg_kind kind, const tg_node args[3], int which, tg_node *out)
{
  tg_node base = TG_NONE;
  tg_node exponent = TG_NONE;
  double number = 0.0;
  const bool second = order_of(kind) == 2;
  const tg_kind f = of_order(kind, 0);
  *out = TG_NONE;
  TG_TRY(tg_power_read(g, args[which], &base, &exponent));
  if (base != args[0] || !tg_node_is_number(g, exponent, &number)) return TG_OK;
  if (second) {
    if (f == TG_EXPM || number != 1.0) return TG_OK;
    TG_TRY(tg_make_matfun_along(g, of_order(kind, 1), args[0], args[3 - which], TG_NONE, out));
    return tg_make_scale(g, f == TG_LOGM ? -1.0 : -0.5, *out, out);
  }
  if (f == TG_LOGM) return tg_make_mpow(g, args[0], (int64_t)number - 1, out);
  TG_TRY(tg_make_matfun(g, f, args[0], out));
  if (f == TG_EXPM) return tg_make_mul(g, args[which], *out, out);
  TG_TRY(tg_make_mpow(g, *out, 2 * (int64_t)number - 1, out));
  return tg_make_scale(g, 0.5, *out, out);
}

// The derivative of f at s along v (order 1), along v and w (order 2).
tg_status tg_make_matfun_along(tg_graph *g, tg_kind kind, tg_node s, tg_node v, tg_node w, tg_node *out)
{
  const int order = order_of(kind);
  tg_node args[3] = {s, v, w};
  bool turned = false;
  if (tg_node_is_scalar(g, s)) return of_scalar(g, kind, args, out);
  for (int k = 1; k <= order; k++) {
    if (tg_node_is_zero(g, args[k])) return tg_make_zero_like(g, s, out);
    TG_TRY(take_scalars(g, kind, args, k, out));
    if (*out != TG_NONE) return TG_OK;
    TG_TRY(along_power(g, kind, args, k, out));
    if (*out != TG_NONE) return TG_OK;
    if (tg_node_info(g, args[k])->kind != TG_EYE) continue;
    return order == 1 ? slope(g, kind, s, out) : slope_along(g, kind, s, args[3 - k], out);
  }
  TG_TRY(choose(g, &args[0], &turned));
  for (int k = 1; turned && k <= order; k++) TG_TRY(tg_make_trans(g, args[k], &args[k]));
  if (order == 2 && tg_node_compare(g, args[1], args[2]) > 0) {
    const tg_node held = args[1];
    args[1] = args[2];
    args[2] = held;
  }
  const tg_info *info = tg_node_info(g, s);
  const tg_info draft = {.kind = kind, .rows = info->rows, .cols = info->cols, .n_args = order + 1, .args = args};
  TG_TRY(tg_intern(g, &draft, out));
  return turned ? tg_make_trans(g, *out, out) : TG_OK;
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  if (order_of(kind) == 0) return tg_make_matfun(g, kind, args[0], out);
  return tg_make_matfun_along(g, kind, args[0], args[1], order_of(kind) == 2 ? args[2] : TG_NONE, out);
}

static tg_status refuse_third(const tg_graph *g, tg_node node)
{
  const char *name = tg_kind_name(of_order(tg_node_info(g, node)->kind, 0));
  TG_FAIL(TG_UNSUPPORTED, "the third derivative of %s is not in the language", name);
}

static tg_status make_along(tg_graph *g, const tg_info *of, tg_node s, tg_node v, tg_node w, tg_node *out)
{
  return tg_make_matfun_along(g, of_order(of->kind, w == TG_NONE ? 1 : 2), s, v, w, out);
}

static const tg_along along = {.first = 1, .make = make_along, .refuse_third = refuse_third};

static tg_status forward(tg_graph *g, tg_node node, const tg_node *d, tg_node *out)
{
  return tg_along_forward(g, &along, node, d, out);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  return tg_along_reverse(g, &along, node, adjoint, k, out);
}

// R X + X R = V of the root R = sqrtm(S): inv(kron(I,R) + kron(R',I)).
static tg_status jacobian_of_root(tg_graph *g, tg_node s, tg_node *out)
{
  tg_node eye = TG_NONE;
  tg_node root = TG_NONE;
  tg_node other = TG_NONE;
  TG_TRY(tg_make_identity(g, tg_node_info(g, s)->rows, &eye));
  TG_TRY(tg_make_matfun(g, TG_SQRTM, s, &root));
  TG_TRY(tg_make_trans(g, root, &other));
  TG_TRY(tg_make_kron(g, other, eye, &other));
  TG_TRY(tg_make_kron(g, eye, root, out));
  TG_TRY(tg_make_add(g, *out, other, out));
  return tg_make_inv(g, *out, out);
}

// vec(Q (F .* (Q'VQ)) Q') = kron(Q,Q) diag(vec(F)) kron(Q',Q') vec(V), F(i,j) = f[l_i,l_j]: of f by S, and of L(S,V) by
// V. By S L(S,V) has the derivative L2(S,V,W) along W, which is no product of Kronecker's.
static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  const tg_kind f = of_order(info->kind, 0);
  const tg_node s = info->args[0];
  tg_node q = TG_NONE;
  tg_node parts[3] = {TG_NONE, TG_NONE, TG_NONE};
  if (order_of(info->kind) + (k == 0) > 1)
    TG_FAIL(TG_UNSUPPORTED,
            "the Jacobian of a second derivative of %s has no formula in the language; its action along W has: d2%s(S, "
            "V, W)",
            tg_kind_name(f), tg_kind_name(f));
  if (f == TG_SQRTM) return jacobian_of_root(g, s, out);
  TG_TRY(tg_make_eigvectors(g, s, &q));
  TG_TRY(tg_make_kron(g, q, q, &parts[0]));
  TG_TRY(tg_make_trans(g, parts[0], &parts[2]));
  TG_TRY(tg_make_eigvalues(g, s, TG_DOMAIN_REAL, &parts[1]));
  TG_TRY(tg_make_divided_pairs(g, f == TG_EXPM ? TG_DIVIDED_EXP : TG_DIVIDED_LOG, parts[1], &parts[1]));
  TG_TRY(tg_make_vec(g, parts[1], &parts[1]));
  TG_TRY(tg_make_diag(g, parts[1], &parts[1]));
  return tg_make_prod(g, 3, parts, out);
}

// The derivatives of f at S stand above the diagonal of f of a block matrix (R. Mathias, 1996):
// f([S V; 0 S]) = [f(S) L(S,V); 0 f(S)], and L2(S,V,W) in the corner for [S V W 0; 0 S 0 W; 0 0 S V; 0 0 0 S].
static void put_block(int64_t n, int64_t blocks, int64_t row, int64_t col, double scale, const double *from,
                      double *into)
{
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) into[row * n + i + (col * n + j) * blocks * n] = scale * from[i + j * n];
}

static double largest(const tg_value *a)
{
  double most = 0;
  for (int64_t i = 0; i < a->rows * a->cols; i++) most = fmax(most, fabs(a->data[i]));
  return most;
}

// Directions are brought to the size of S, which is linear: a large one would hide S in the block matrix.
static double scale_of(const tg_value *s, const tg_value *v)
{
  const double size = largest(s);
  const double own = largest(v);
  return own > 0 ? (size > 0 ? size : 1) / own : 1;
}

static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  static const tg_dense_function functions[FUNCTIONS] = {TG_DENSE_SQRT, TG_DENSE_EXP, TG_DENSE_LOG};
  const tg_kind kind = tg_node_info(g, node)->kind;
  const int64_t n = out->rows;
  const int order = order_of(kind);
  const int64_t blocks = 1 << order;
  double *all = NULL;
  TG_TRY(TG_NEW(blocks * n * blocks * n, &all));
  double scales[2] = {1, 1};
  for (int k = 0; k < order; k++) scales[k] = scale_of(&args[0], &args[k + 1]);
  for (int64_t k = 0; k < blocks; k++) put_block(n, blocks, k, k, 1, args[0].data, all);
  for (int64_t k = 0; order > 0 && k < blocks; k += 2) put_block(n, blocks, k, k + 1, scales[0], args[1].data, all);
  for (int64_t k = 0; order > 1 && k < 2; k++) put_block(n, blocks, k, k + 2, scales[1], args[2].data, all);
  const tg_status status = tg_dense_apply(functions[(kind - TG_SQRTM) % FUNCTIONS], blocks * n, all);
  for (int64_t j = 0; status == TG_OK && j < n; j++)
    for (int64_t i = 0; i < n; i++)
      out->data[i + j * n] = all[i + ((blocks - 1) * n + j) * blocks * n] / scales[0] / scales[1];
  tg_free(all);
  return status;
}

#define MATFUN_CALLS                                                                                \
  .remake = remake, .forward = forward, .reverse = reverse, .jacobian = jacobian, .sample = sample, \
  .degree = tg_degree_none

const tg_op tg_op_sqrtm = {
    .name = "sqrtm",
    MATFUN_CALLS,
    .templates = {"sqrtm(@)", "sqrtm(@)", "\\operatorname{sqrtm}\\left(@\\right)", "scipy.linalg.sqrtm(@)", "sqrtm(@)"},
    .rule = "d sqrtm(S) = dsqrtm(S, dS): divided differences in the eigenvectors of S"};
const tg_op tg_op_expm = {
    .name = "expm",
    MATFUN_CALLS,
    .templates = {"expm(@)", "expm(@)", "\\operatorname{expm}\\left(@\\right)", "scipy.linalg.expm(@)", "expm(@)"},
    .rule = "d expm(S) = dexpm(S, dS): divided differences in the eigenvectors of S"};
const tg_op tg_op_logm = {
    .name = "logm",
    MATFUN_CALLS,
    .templates = {"logm(@)", "logm(@)", "\\operatorname{logm}\\left(@\\right)", "scipy.linalg.logm(@)", "logm(@)"},
    .rule = "d logm(S) = dlogm(S, dS): divided differences in the eigenvectors of S"};
const tg_op tg_op_dsqrtm = {.name = "dsqrtm",
                            MATFUN_CALLS,
                            .templates = {"dsqrtm(@, $)", "dsqrtm(@, $)", "\\operatorname{dsqrtm}\\left(@, $\\right)",
                                          "dsqrtm(@, $)", "dsqrtm(@, $)"},
                            .rule = "d dsqrtm(S, V) = d2sqrtm(S, V, dS) + dsqrtm(S, dV)"};
const tg_op tg_op_dexpm = {.name = "dexpm",
                           MATFUN_CALLS,
                           .templates = {"dexpm(@, $)", "dexpm(@, $)", "\\operatorname{dexpm}\\left(@, $\\right)",
                                         "scipy.linalg.expm_frechet(@, $, compute_expm=False)", "dexpm(@, $)"},
                           .rule = "d dexpm(S, V) = d2expm(S, V, dS) + dexpm(S, dV)"};
const tg_op tg_op_dlogm = {.name = "dlogm",
                           MATFUN_CALLS,
                           .templates = {"dlogm(@, $)", "dlogm(@, $)", "\\operatorname{dlogm}\\left(@, $\\right)",
                                         "dlogm(@, $)", "dlogm(@, $)"},
                           .rule = "d dlogm(S, V) = d2logm(S, V, dS) + dlogm(S, dV)"};
const tg_op tg_op_d2sqrtm = {.name = "d2sqrtm",
                             MATFUN_CALLS,
                             .templates = {"d2sqrtm(@, $, #)", "d2sqrtm(@, $, #)",
                                           "\\operatorname{d2sqrtm}\\left(@, $, #\\right)", "d2sqrtm(@, $, #)",
                                           "d2sqrtm(@, $, #)"},
                             .rule = "d d2sqrtm(S, V, W) = d2sqrtm(S, dV, W) + d2sqrtm(S, V, dW)"};
const tg_op tg_op_d2expm = {.name = "d2expm",
                            MATFUN_CALLS,
                            .templates = {"d2expm(@, $, #)", "d2expm(@, $, #)",
                                          "\\operatorname{d2expm}\\left(@, $, #\\right)", "d2expm(@, $, #)",
                                          "d2expm(@, $, #)"},
                            .rule = "d d2expm(S, V, W) = d2expm(S, dV, W) + d2expm(S, V, dW)"};
const tg_op tg_op_d2logm = {.name = "d2logm",
                            MATFUN_CALLS,
                            .templates = {"d2logm(@, $, #)", "d2logm(@, $, #)",
                                          "\\operatorname{d2logm}\\left(@, $, #\\right)", "d2logm(@, $, #)",
                                          "d2logm(@, $, #)"},
                            .rule = "d d2logm(S, V, W) = d2logm(S, dV, W) + d2logm(S, V, dW)"};
