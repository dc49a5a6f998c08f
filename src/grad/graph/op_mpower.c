// Powers X^k of a matrix whose whole exponent k is a scalar of the expression, and their derivatives.
//
// D(X,k,V) = sum over i + j = k - 1 of X^i V X^j is the derivative along V, D2(X,k,V,W) the one of D along W; for k < 0
// they are those of the powers of inv(X). Both stand above the diagonal of a power of a block matrix:
// [X V; 0 X]^k = [X^k D; 0 X^k]. D(X,k,V)' = D(X',k,V'), <G, D(X,k,V)> = <D(X',k,G), V>.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/along.h"

// ---- X^k ----

static tg_status power_of_scaled(tg_graph *g, const tg_split *split, tg_node exponent, tg_node *out)
{
  tg_node factors[3] = {TG_NONE, TG_NONE, TG_NONE};
  TG_TRY(tg_make_num(g, split->coef, &factors[0]));
  TG_TRY(tg_make_pow(g, factors[0], exponent, &factors[0]));
  TG_TRY(tg_make_mpower(g, split->rest, exponent, &factors[1]));
  if (split->scalars == TG_NONE) return tg_make_prod(g, 2, factors, out);
  TG_TRY(tg_make_pow(g, split->scalars, exponent, &factors[2]));
  return tg_make_prod(g, 3, factors, out);
}

// A power of a power, of what is written out as one, of a Kronecker product, of a diagonal matrix; TG_NONE: none of
// them.
static tg_status match_base(tg_graph *g, tg_node base, tg_node exponent, tg_node *out)
{
  const tg_info *info = tg_node_info(g, base);
  tg_node root = TG_NONE;
  tg_node inner = TG_NONE;
  *out = TG_NONE;
  if (info->kind == TG_EYE) *out = base;
  if (info->kind == TG_DIAG) {
    TG_TRY(tg_make_pow(g, info->args[0], exponent, out));
    return tg_make_diag(g, *out, out);
  }
  if (info->kind == TG_KRON && tg_node_info(g, info->args[0])->rows == tg_node_info(g, info->args[0])->cols) {
    TG_TRY(tg_make_mpower(g, info->args[0], exponent, &root));
    TG_TRY(tg_make_mpower(g, info->args[1], exponent, &inner));
    return tg_make_kron(g, root, inner, out);
  }
  const int64_t times = info->kind == TG_PROD ? tg_chain_power(info) : 1;
  if (times > 1) {
    TG_TRY(tg_make_prod(g, (int32_t)(info->n_args / times), info->args, &root));
    TG_TRY(tg_make_num(g, (double)times, &inner));
  } else {
    TG_TRY(tg_power_read(g, base, &root, &inner));
  }
  if (root == base) return TG_OK;
  TG_TRY(tg_make_mul(g, inner, exponent, &inner));
  return tg_make_mpower(g, root, inner, out);
}

tg_status tg_make_mpower(tg_graph *g, tg_node base, tg_node exponent, tg_node *out)
{
  double number = 0.0;
  const tg_info *info = tg_node_info(g, base);
  if (tg_node_is_scalar(g, base)) return tg_make_pow(g, base, exponent, out);
  if (tg_node_is_number(g, exponent, &number)) {
    if (number != floor(number) || fabs(number) > 1e6)
      TG_FAIL(TG_VALUE, "the exponent of a matrix is a whole number, found %g", number);
    return tg_make_mpow(g, base, (int64_t)number, out);
  }
  tg_split split;
  TG_TRY(tg_split_scalars(g, base, &split));
  if (split.coef != 1.0 || split.scalars != TG_NONE) return power_of_scaled(g, &split, exponent, out);
  TG_TRY(match_base(g, base, exponent, out));
  if (*out != TG_NONE) return TG_OK;
  const tg_node args[2] = {base, exponent};
  return tg_intern(g, &(tg_info){.kind = TG_MPOWER, .rows = info->rows, .cols = info->cols, .n_args = 2, .args = args},
                   out);
}

// ---- derivatives ----

// Of a scalar: k x^(k-1) v, k (k-1) x^(k-2) v w.
static tg_status along_scalar(tg_graph *g, const tg_node args[4], tg_node *out)
{
  tg_node less = TG_NONE;
  tg_node lesser = TG_NONE;
  tg_node one = TG_NONE;
  const bool second = args[3] != TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(tg_make_sub(g, args[1], one, &less));
  TG_TRY(tg_make_sub(g, less, one, &lesser));
  TG_TRY(tg_make_pow(g, args[0], second ? lesser : less, out));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){args[1], *out, args[2]}, out));
  return second ? tg_make_prod(g, 3, (const tg_node[]){less, *out, args[3]}, out) : TG_OK;
}

// D2(k) = V D(k-1,W) + W D(k-1,V) + X D2(k-1), from X^k = X X^(k-1).
static tg_status second_of_number(tg_graph *g, tg_node x, int64_t k, tg_node v, tg_node w, tg_node *out)
{
  TG_TRY(tg_make_zero_like(g, x, out));
  for (int64_t m = 2; m <= k; m++) {
    static const double ones[3] = {1, 1, 1};
    tg_node terms[3] = {TG_NONE, TG_NONE, TG_NONE};
    TG_TRY(tg_power_sum_between(g, x, m - 1, w, &terms[0]));
    TG_TRY(tg_make_mul(g, v, terms[0], &terms[0]));
    TG_TRY(tg_power_sum_between(g, x, m - 1, v, &terms[1]));
    TG_TRY(tg_make_mul(g, w, terms[1], &terms[1]));
    TG_TRY(tg_make_mul(g, x, *out, &terms[2]));
    TG_TRY(tg_make_lin(g, 3, ones, terms, out));
  }
  return TG_OK;
}

// y v y, and y v y w y + y w y v y: the derivatives of y = inv(x) but for the sign of the first.
static tg_status turn(tg_graph *g, tg_node y, tg_node v, tg_node w, tg_node *out)
{
  tg_node other = TG_NONE;
  if (w == TG_NONE) return tg_make_prod(g, 3, (const tg_node[]){y, v, y}, out);
  TG_TRY(tg_make_prod(g, 5, (const tg_node[]){y, v, y, w, y}, out));
  TG_TRY(tg_make_prod(g, 5, (const tg_node[]){y, w, y, v, y}, &other));
  return tg_make_add(g, *out, other, out);
}

// With a number for k everything is written out; k < 0 by the powers of inv(X) along the derivatives of inv(X).
static tg_status along_number(tg_graph *g, const tg_node args[4], double number, tg_node *out)
{
  tg_node x = args[0];
  tg_node v = args[2];
  tg_node w = args[3];
  tg_node rest = TG_NONE;
  if (number != floor(number) || fabs(number) > 1e6)
    TG_FAIL(TG_VALUE, "the exponent of a matrix is a whole number, found %g", number);
  const int64_t k = (int64_t)fabs(number);
  if (k == 0) return tg_make_zero_like(g, x, out);
  if (number < 0) {
    TG_TRY(tg_make_inv(g, x, &x));
    if (w != TG_NONE) {
      TG_TRY(turn(g, x, v, w, &rest));
      TG_TRY(tg_power_sum_between(g, x, k, rest, &rest));
      TG_TRY(turn(g, x, w, TG_NONE, &w));
    }
    TG_TRY(turn(g, x, v, TG_NONE, &v));
    if (w == TG_NONE) TG_TRY(tg_make_scale(g, -1.0, v, &v));
  }
  if (w == TG_NONE) return tg_power_sum_between(g, x, k, v, out);
  TG_TRY(second_of_number(g, x, k, v, w, out));
  return rest != TG_NONE ? tg_make_add(g, *out, rest, out) : TG_OK;
}

// k X^(k-1+e) for V = X^e, which commutes with X; k D(X,k-1,W) for V = I. TG_NONE: V is neither.
static tg_status match_direction(tg_graph *g, const tg_node args[4], int which, tg_node *out)
{
  tg_node base = TG_NONE;
  tg_node exponent = TG_NONE;
  tg_node less = TG_NONE;
  tg_node one = TG_NONE;
  const tg_node v = args[which];
  const tg_node other = args[3] != TG_NONE ? args[5 - which] : TG_NONE;
  const bool is_eye = tg_node_info(g, v)->kind == TG_EYE;
  *out = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(tg_make_sub(g, args[1], one, &less));
  if (is_eye && other != TG_NONE) {
    TG_TRY(tg_make_mpower_along(g, args[0], less, other, TG_NONE, out));
    return tg_make_mul(g, args[1], *out, out);
  }
  if (other != TG_NONE) return TG_OK;
  tg_node own = TG_NONE;
  tg_node start = TG_NONE;
  TG_TRY(tg_power_read(g, v, &base, &exponent));
  TG_TRY(tg_power_read(g, args[0], &own, &start));
  if (is_eye) TG_TRY(tg_make_num(g, 0.0, &exponent));
  if (!is_eye && base != own) return TG_OK;
  TG_TRY(tg_make_mul(g, less, start, &less));
  TG_TRY(tg_make_add(g, less, exponent, &less));
  TG_TRY(tg_make_mpower(g, own, less, out));
  return tg_make_mul(g, args[1], *out, out);
}

// Numbers and scalars of a direction stand in front.
static tg_status take_scalars(tg_graph *g, const tg_node args[4], int k, tg_node *out)
{
  tg_split split;
  tg_node parts[4] = {args[0], args[1], args[2], args[3]};
  *out = TG_NONE;
  TG_TRY(tg_split_scalars(g, args[k], &split));
  if (split.coef == 1.0 && split.scalars == TG_NONE) return TG_OK;
  parts[k] = split.rest;
  TG_TRY(tg_make_mpower_along(g, parts[0], parts[1], parts[2], parts[3], out));
  return tg_join_scalars(g, &split, *out, out);
}

static tg_status intern_along(tg_graph *g, tg_node args[4], tg_node *out)
{
  tg_node other = TG_NONE;
  const int n = args[3] == TG_NONE ? 3 : 4;
  TG_TRY(tg_make_trans(g, args[0], &other));
  const bool turned = tg_node_reads_better(g, other, args[0]);
  if (turned) args[0] = other;
  for (int k = 2; turned && k < n; k++) TG_TRY(tg_make_trans(g, args[k], &args[k]));
  if (n == 4 && tg_node_compare(g, args[2], args[3]) > 0) {
    const tg_node held = args[2];
    args[2] = args[3];
    args[3] = held;
  }
  const tg_info *info = tg_node_info(g, args[0]);
  const tg_info draft = {
      .kind = n == 4 ? TG_D2MPOWER : TG_DMPOWER, .rows = info->rows, .cols = info->cols, .n_args = n, .args = args};
  TG_TRY(tg_intern(g, &draft, out));
  return turned ? tg_make_trans(g, *out, out) : TG_OK;
}

tg_status tg_make_mpower_along(tg_graph *g, tg_node x, tg_node exponent, tg_node v, tg_node w, tg_node *out)
{
  tg_node args[4] = {x, exponent, v, w};
  double number = 0.0;
  if (tg_node_is_scalar(g, x)) return along_scalar(g, args, out);
  for (int k = 2; k < (w == TG_NONE ? 3 : 4); k++)
    if (tg_node_is_zero(g, args[k])) return tg_make_zero_like(g, x, out);
  if (tg_node_is_number(g, exponent, &number)) return along_number(g, args, number, out);
  for (int k = 2; k < (w == TG_NONE ? 3 : 4); k++) {
    TG_TRY(take_scalars(g, args, k, out));
    if (*out == TG_NONE) TG_TRY(match_direction(g, args, k, out));
    if (*out != TG_NONE) return TG_OK;
  }
  return intern_along(g, args, out);
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  if (kind == TG_MPOWER) return tg_make_mpower(g, args[0], args[1], out);
  return tg_make_mpower_along(g, args[0], args[1], args[2], kind == TG_D2MPOWER ? args[3] : TG_NONE, out);
}

static tg_status refuse_exponent(void)
{
  TG_FAIL(TG_UNSUPPORTED, "the exponent of a matrix is a whole number: there is no derivative by it");
}

static tg_status refuse_third(const tg_graph *g, tg_node node)
{
  (void)g;
  (void)node;
  TG_FAIL(TG_UNSUPPORTED, "the third derivative of a power of a matrix with an open exponent is not in the language; "
                          "write the exponent as a number");
}

static tg_status make_along(tg_graph *g, const tg_info *of, tg_node s, tg_node v, tg_node w, tg_node *out)
{
  return tg_make_mpower_along(g, s, of->args[1], v, w, out);
}

static const tg_along along = {.first = 2, .make = make_along, .refuse_third = refuse_third};

static tg_status forward(tg_graph *g, tg_node node, const tg_node *d, tg_node *out)
{
  return d[1] != TG_NONE ? refuse_exponent() : tg_along_forward(g, &along, node, d, out);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  return k == 1 ? refuse_exponent() : tg_along_reverse(g, &along, node, adjoint, k, out);
}

// ---- Jacobians: corners of powers of block matrices ----

enum { CORNER_MAX = 3 };

// The last block of the first row of B^k, B with the blocks diagonal[i] and above them beside[i], all of one size:
// the sum of the words diagonal[0]^a beside[0] diagonal[1]^b ... whose exponents are k less the number of steps.
static tg_status corner(tg_graph *g, int n, const tg_node *diagonal, const tg_node *beside, tg_node k, tg_node *out)
{
  const tg_dim own = tg_node_info(g, diagonal[0])->rows;
  tg_dim whole = own;
  tg_dim first = 0;
  tg_node picks[CORNER_MAX][2]; // P, P'
  tg_node terms[2 * CORNER_MAX];
  static const double ones[2 * CORNER_MAX] = {1, 1, 1, 1, 1, 1};
  for (int i = 1; i < n; i++) TG_TRY(tg_dim_sum(g, whole, 1, own, &whole));
  TG_TRY(tg_dim_number(g, 1, &first));
  for (int i = 0; i < n; i++) {
    TG_TRY(tg_make_pick(g, own, whole, first, &picks[i][0]));
    TG_TRY(tg_make_trans(g, picks[i][0], &picks[i][1]));
    TG_TRY(tg_dim_sum(g, first, 1, own, &first));
  }
  for (int i = 0; i < n; i++) {
    TG_TRY(tg_make_prod(g, 3, (const tg_node[]){picks[i][1], diagonal[i], picks[i][0]}, &terms[2 * (ptrdiff_t)i]));
    if (i + 1 < n)
      TG_TRY(
          tg_make_prod(g, 3, (const tg_node[]){picks[i][1], beside[i], picks[i + 1][0]}, &terms[2 * (ptrdiff_t)i + 1]));
  }
  TG_TRY(tg_make_lin(g, 2 * n - 1, ones, terms, out));
  TG_TRY(tg_make_mpower(g, *out, k, out));
  return tg_make_prod(g, 3, (const tg_node[]){picks[0][0], *out, picks[n - 1][1]}, out);
}

// With C = kron(X',I) and A = kron(I,X), which commute: of X^k the sum of C^i A^(k-1-i), in the corner of [C I; 0 A]^k.
// Of D(X,k,V) by X, and of D2(X,k,.,V), the words X^a V X^b W X^c and X^a W X^b V X^c: those of [A kron(I,V) 0; 0 A I;
// 0 0 C]^k and of [C kron(V',I) 0; 0 C I; 0 0 A]^k.
static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  const tg_node x = info.args[0];
  const tg_node exponent = info.args[1];
  tg_node eye = TG_NONE;
  tg_node unit = TG_NONE; // eye of the Kronecker products' size
  tg_node right = TG_NONE;
  tg_node left = TG_NONE;
  tg_node v = TG_NONE;
  if (k == 1) return refuse_exponent();
  if (info.kind == TG_D2MPOWER && k == 0) return refuse_third(g, node);
  TG_TRY(tg_make_identity(g, info.rows, &eye));
  TG_TRY(tg_make_kron(g, eye, eye, &unit));
  TG_TRY(tg_make_trans(g, x, &right));
  TG_TRY(tg_make_kron(g, right, eye, &right));
  TG_TRY(tg_make_kron(g, eye, x, &left));
  if (info.kind == TG_MPOWER || (info.kind == TG_DMPOWER && k == 2))
    return corner(g, 2, (const tg_node[]){right, left}, &unit, exponent, out);
  const tg_node direction = info.kind == TG_DMPOWER ? info.args[2] : info.args[5 - k];
  TG_TRY(tg_make_kron(g, eye, direction, &v));
  TG_TRY(corner(g, 3, (const tg_node[]){left, left, right}, (const tg_node[]){v, unit}, exponent, out));
  TG_TRY(tg_make_trans(g, direction, &v));
  TG_TRY(tg_make_kron(g, v, eye, &v));
  TG_TRY(corner(g, 3, (const tg_node[]){right, right, left}, (const tg_node[]){v, unit}, exponent, &v));
  return tg_make_add(g, *out, v, out);
}

// ---- values ----

// a := a^k by repeated squaring; of a singular a and k < 0 no numbers.
static tg_status raise(int64_t n, double *a, int64_t k)
{
  double *result = NULL;
  double *next = NULL;
  double det = 0.0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(TG_NEW(n * n, &result));
  TG_TRY_GOTO(TG_NEW(n * n, &next));
  for (int64_t i = 0; i < n; i++) result[i + i * n] = 1.0;
  if (k < 0) {
    tg_sample_eliminate(n, a, n, result, &det);
    memcpy(a, result, sizeof(double) * (size_t)(n * n));
    memset(result, 0, sizeof(double) * (size_t)(n * n));
    for (int64_t i = 0; i < n; i++) result[i + i * n] = 1.0;
    k = -k;
  }
  for (int64_t p = 0; p < k; p++) {
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t m = 0; m < n; m++) sum += result[i + m * n] * a[m + j * n];
        next[i + j * n] = sum;
      }
    memcpy(result, next, sizeof(double) * (size_t)(n * n));
  }
  memcpy(a, result, sizeof(double) * (size_t)(n * n));
done:
  tg_free(result);
  tg_free(next);
  return status;
}

static void put_block(int64_t n, int64_t blocks, int64_t row, int64_t col, const double *from, double *into)
{
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) into[row * n + i + (col * n + j) * blocks * n] = from[i + j * n];
}

// With noise the exponent is near a whole number.
static tg_status sample(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  const int64_t n = out->rows;
  const double exponent = args[1].data[0];
  const double whole = nearbyint(exponent);
  const int order = kind == TG_MPOWER ? 0 : kind == TG_DMPOWER ? 1 : 2;
  const int64_t blocks = INT64_C(1) << order;
  const int64_t size = blocks * n;
  double *all = NULL;
  if (!(fabs(exponent - whole) < 1e-9 && fabs(whole) <= 1000.0)) {
    for (int64_t i = 0; i < n * n; i++) out->data[i] = NAN;
    return TG_OK;
  }
  TG_TRY(TG_NEW(size * size, &all));
  for (int64_t k = 0; k < blocks; k++) put_block(n, blocks, k, k, args[0].data, all);
  for (int64_t k = 0; order > 0 && k < blocks; k += 2) put_block(n, blocks, k, k + 1, args[2].data, all);
  for (int64_t k = 0; order > 1 && k < 2; k++) put_block(n, blocks, k, k + 2, args[3].data, all);
  const tg_status status = raise(size, all, (int64_t)whole);
  for (int64_t j = 0; status == TG_OK && j < n; j++)
    for (int64_t i = 0; i < n; i++) out->data[i + j * n] = all[i + ((blocks - 1) * n + j) * size];
  tg_free(all);
  return status;
}

#define POWER_CALLS                                                                                 \
  .remake = remake, .forward = forward, .reverse = reverse, .jacobian = jacobian, .sample = sample, \
  .degree = tg_degree_none

const tg_op tg_op_mpower = {
    .name = "matrix power", POWER_CALLS, .rule = "d X^k = dpower(X, k, dX): sum of X^i*dX*X^(k-1-i), i = 0..k-1"};
const tg_op tg_op_dmpower = {.name = "dpower",
                             POWER_CALLS,
                             .templates = {"dpower(@, $, #)", "dpower(@, $, #)",
                                           "\\operatorname{dpower}\\left(@, $, #\\right)", "dpower(@, $, #)",
                                           "dpower(@, $, #)"},
                             .rule = "d dpower(X, k, V) = d2power(X, k, V, dX) + dpower(X, k, dV)"};
const tg_op tg_op_d2mpower = {.name = "d2power",
                              POWER_CALLS,
                              .templates = {"d2power(@, $, #, %)", "d2power(@, $, #, %)",
                                            "\\operatorname{d2power}\\left(@, $, #, %\\right)", "d2power(@, $, #, %)",
                                            "d2power(@, $, #, %)"},
                              .rule = "d d2power(X, k, V, W) = d2power(X, k, dV, W) + d2power(X, k, V, dW)"};
