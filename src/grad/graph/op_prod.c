// Products: scalar factors, sorted, times a chain of matrices in order.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/chain_pairs.h"
#include "grad/graph/op.h"

// A product being normalised. Scalars and chain have room for every opened factor.
typedef struct product {
  double coef;
  bool zero;
  int32_t n_scalars;
  tg_node *scalars;
  int32_t n_chain;
  tg_node *chain;
  tg_dim rows; // of the result
  tg_dim cols;
} product;

static int64_t opened_count(const tg_graph *g, int32_t n, const tg_node *factors)
{
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(g, factors[i]);
    if (info->kind == TG_LIN && info->n_args == 1) info = tg_node_info(g, info->args[0]);
    count += info->kind == TG_PROD ? info->n_args + 1 : 1;
  }
  return count;
}

// Takes one factor apart into coefficient, scalars and chain; nesting is one deep by the normal form.
static tg_status open_factor(tg_graph *g, tg_node factor, product *p)
{
  double content = 1.0;
  TG_TRY(tg_take_content(g, factor, &content, &factor));
  p->coef = tg_coef_product(p->coef, content);
  const tg_info *info = tg_node_info(g, factor);
  const bool scalar = tg_node_is_scalar(g, factor);
  if (tg_node_is_zero(g, factor)) p->zero = true;
  if (info->kind == TG_NUM) {
    p->coef = tg_coef_product(p->coef, info->value);
  } else if (info->kind == TG_PROD && scalar && info->n_scalars == 0) {
    p->scalars[p->n_scalars++] = factor; // a 1 x 1 chain is one scalar factor
  } else if (info->kind == TG_PROD) {
    for (int32_t i = 0; i < info->n_scalars; i++) p->scalars[p->n_scalars++] = info->args[i];
    // s*I has the identity as its chain; it is dropped as one that stands alone is.
    for (int32_t i = info->n_scalars; i < info->n_args; i++)
      if (tg_node_info(g, info->args[i])->kind != TG_EYE) p->chain[p->n_chain++] = info->args[i];
  } else if (scalar) {
    p->scalars[p->n_scalars++] = factor;
  } else if (info->kind != TG_EYE) {
    p->chain[p->n_chain++] = factor;
  }
  return TG_OK;
}

// The result's shape is that of the chain of all matrix factors, identities included.
static tg_status chain_shape(tg_graph *g, int32_t n, const tg_node *factors, product *p)
{
  bool any = false;
  TG_TRY(tg_dim_number(g, 1, &p->rows));
  p->cols = p->rows;
  for (int32_t i = 0; i < n; i++) {
    if (tg_node_is_scalar(g, factors[i])) continue;
    const tg_info *info = tg_node_info(g, factors[i]);
    if (any && info->rows != p->cols) TG_FAIL(TG_INTERNAL, "a product of mismatched shapes reached the graph");
    if (!any) p->rows = info->rows;
    p->cols = info->cols;
    any = true;
  }
  return TG_OK;
}

static bool ends_with(const tg_graph *g, const product *p, int32_t top, tg_node chain)
{
  const tg_info *info = tg_node_info(g, chain);
  const size_t bytes = sizeof(tg_node) * (size_t)info->n_args;
  return top >= info->n_args && memcmp(&p->chain[top - info->n_args], info->args, bytes) == 0;
}

// A*B*inv(A*B)^k, the inverse the last of the stack: *top goes down by the factors that cancel.
static tg_status cancel_before_inverse(tg_graph *g, product *p, int32_t *top, bool *has_inverse)
{
  tg_node base = TG_NONE;
  int64_t exponent = 0;
  TG_TRY(tg_chain_read_inverse(g, p->chain[*top - 1], &base, &exponent));
  if (exponent == 0) return TG_OK;
  *has_inverse = true;
  for (; exponent < 0 && ends_with(g, p, *top - 1, base); exponent++) {
    *top -= tg_node_info(g, base)->n_args;
    TG_TRY(tg_make_mpow(g, base, exponent + 1, &p->chain[*top - 1]));
  }
  if (exponent == 0) (*top)--; // the identity
  return TG_OK;
}

// inv(A*B)^k*A*B, the last of A*B the last of the stack.
static tg_status cancel_behind_inverse(tg_graph *g, product *p, int32_t *top)
{
  for (int32_t length = 2; length <= TG_WRITTEN_OUT_MAX && length < *top; length++) {
    tg_node base = TG_NONE;
    int64_t exponent = 0;
    TG_TRY(tg_chain_read_inverse(g, p->chain[*top - 1 - length], &base, &exponent));
    if (exponent == 0 || tg_node_info(g, base)->n_args != length || !ends_with(g, p, *top, base)) continue;
    *top -= length;
    if (exponent == -1) (*top)--;
    if (exponent != -1) TG_TRY(tg_make_mpow(g, base, exponent + 1, &p->chain[*top - 1]));
    return TG_OK;
  }
  return TG_OK;
}

// Whether a node may stand in a chain as it is: no product, no multiple, no identity.
static bool is_chain_factor(const tg_graph *g, tg_node node)
{
  const tg_kind kind = tg_node_info(g, node)->kind;
  return kind != TG_PROD && kind != TG_LIN && kind != TG_EYE && kind != TG_ZEROS;
}

// The product with what neighbours i - 1 and i became in place of both, made again: it may have factors of its own.
static tg_status make_again(tg_graph *g, const product *p, int32_t top, tg_node joined, int32_t i, tg_node *out)
{
  const int32_t n = p->n_scalars + top + p->n_chain - i;
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, n, &factors));
  memcpy(factors, p->scalars, sizeof(tg_node) * (size_t)p->n_scalars);
  memcpy(factors + p->n_scalars, p->chain, sizeof(tg_node) * (size_t)top);
  factors[p->n_scalars + top] = joined;
  memcpy(factors + p->n_scalars + top + 1, p->chain + i + 1, sizeof(tg_node) * (size_t)(p->n_chain - i - 1));
  TG_TRY(tg_make_prod(g, n, factors, out));
  return tg_make_scale(g, p->coef, *out, out);
}

// Joins neighbours until none join: a stack, each factor pushed at most once more than it is replaced. *out is the
// whole product where it had to be made again, else TG_NONE.
static tg_status join_chain(tg_graph *g, product *p, tg_node *out)
{
  int32_t top = 0;
  bool has_inverse = false;
  *out = TG_NONE;
  for (int32_t i = 0; i < p->n_chain; i++) {
    tg_node factor = p->chain[i];
    bool joined = true;
    while (factor != TG_NONE && top > 0 && joined) {
      tg_node merged = TG_NONE;
      TG_TRY(tg_chain_join_pair(g, p->chain[top - 1], factor, &joined, &merged));
      if (!joined) break;
      top--;
      factor = merged;
      double number = 1.0;
      if (factor != TG_NONE && tg_node_is_number(g, factor, &number)) {
        p->zero = p->zero || number == 0.0;
        p->coef = tg_coef_product(p->coef, number);
        factor = TG_NONE;
      } else if (factor != TG_NONE && tg_node_is_scalar(g, factor)) {
        p->scalars[p->n_scalars++] = factor;
        factor = TG_NONE;
      }
      if (factor != TG_NONE && !is_chain_factor(g, factor)) return make_again(g, p, top, factor, i, out);
    }
    if (factor == TG_NONE) continue;
    p->chain[top++] = factor;
    TG_TRY(cancel_before_inverse(g, p, &top, &has_inverse));
    if (has_inverse) TG_TRY(cancel_behind_inverse(g, p, &top));
  }
  p->n_chain = top;
  return TG_OK;
}

// Whether the chain is cut by a size of 1 before factor i (i = n_chain: at its end).
static bool cut_before(const tg_graph *g, const product *p, int32_t i)
{
  if (i == p->n_chain) return tg_dim_is_one(g, tg_node_info(g, p->chain[i - 1])->cols);
  return tg_dim_is_one(g, tg_node_info(g, p->chain[i])->rows);
}

// u*(v'*w)*z': the segments between sizes of 1 are scalars and leave the chain. A whole 1 x 1 chain without an
// inner size of 1 is left to close_scalar_chain.
static tg_status extract_scalar_segments(tg_graph *g, product *p)
{
  int32_t *cuts = NULL;
  int32_t n_cuts = 0;
  TG_TRY(TG_SCRATCH(g, p->n_chain + 1, &cuts));
  for (int32_t i = 0; p->n_chain > 0 && i <= p->n_chain; i++)
    if (cut_before(g, p, i)) cuts[n_cuts++] = i;
  if (n_cuts < 2) return TG_OK;
  const int32_t first = cuts[0];
  const int32_t last = cuts[n_cuts - 1];
  if (n_cuts == 2 && first == 0 && last == p->n_chain) return TG_OK;
  for (int32_t k = 0; k + 1 < n_cuts; k++) {
    tg_node segment = TG_NONE;
    TG_TRY(tg_make_prod(g, cuts[k + 1] - cuts[k], &p->chain[cuts[k]], &segment));
    TG_TRY(open_factor(g, segment, p));
  }
  memmove(&p->chain[first], &p->chain[last], sizeof(tg_node) * (size_t)(p->n_chain - last));
  p->n_chain -= last - first;
  return TG_OK;
}

static tg_status intern_product(tg_graph *g, const product *p, int32_t n_scalars, tg_node *out)
{
  const int32_t n = n_scalars + p->n_chain;
  tg_node *args = NULL;
  TG_TRY(TG_SCRATCH(g, n, &args));
  memcpy(args, p->scalars, sizeof(tg_node) * (size_t)n_scalars);
  memcpy(args + n_scalars, p->chain, sizeof(tg_node) * (size_t)p->n_chain);
  return tg_intern(
      g,
      &(tg_info){.kind = TG_PROD, .rows = p->rows, .cols = p->cols, .n_args = n, .n_scalars = n_scalars, .args = args},
      out);
}

tg_status tg_chain_sums_to_zero(tg_graph *g, int32_t n, const tg_node *chain, bool *zero)
{
  *zero = false;
  for (int32_t k = 0; n == 2 && k < 2 && !*zero; k++) {
    const tg_info *terms = tg_node_info(g, chain[1 - k]);
    tg_node sum = TG_NONE;
    if (tg_node_info(g, chain[k])->kind != TG_ONES || terms->kind != TG_LIN || terms->n_args < 2) continue;
    TG_TRY(tg_make_sum(g, chain[1 - k], &sum));
    *zero = tg_node_is_zero(g, sum);
  }
  return TG_OK;
}

// A 1 x 1 chain equals its transpose: the smaller of the two stands for both, and is one scalar factor.
static tg_status close_scalar_chain(tg_graph *g, product *p)
{
  bool zero = false;
  TG_TRY(tg_chain_sums_to_zero(g, p->n_chain, p->chain, &zero));
  p->zero = p->zero || zero;
  tg_node chain = TG_NONE;
  TG_TRY(intern_product(g, p, 0, &chain));
  product reversed = *p;
  TG_TRY(TG_SCRATCH(g, p->n_chain, &reversed.chain));
  double sign = 1.0;
  TG_TRY(tg_transpose_chain(g, p->n_chain, p->chain, &sign, reversed.chain));
  tg_node other = TG_NONE;
  TG_TRY(intern_product(g, &reversed, 0, &other));
  if (other == chain && sign < 0.0) p->zero = true; // u' K u with K' = -K
  if (tg_node_reads_better(g, other, chain)) {
    chain = other;
    p->coef *= sign;
  }
  p->scalars[p->n_scalars++] = chain;
  p->n_chain = 0;
  return TG_OK;
}

// Whether a merged power is a product or has a coefficient, as sqrt(2*x*y)^2 has, or is a power of something else, as
// sqrt(x^2)^-2 is: then it must be opened again and meet the others.
static bool needs_opening(const tg_graph *g, tg_node base, tg_node factor)
{
  const tg_info *info = tg_node_info(g, factor);
  double exponent = 1.0;
  return info->kind == TG_LIN || (info->kind == TG_PROD && info->n_scalars > 0) ||
         tg_pow_base(g, factor, &exponent) != base;
}

// The factors kept so far, the merged one and the rest as one product: fewer powers than before, so this ends.
static tg_status collect_again(tg_graph *g, product *p, int32_t kept, tg_node merged, int32_t rest)
{
  tg_node *factors = NULL;
  tg_node whole = TG_NONE;
  TG_TRY(TG_SCRATCH(g, p->n_scalars + 1, &factors));
  memcpy(factors, p->scalars, sizeof(tg_node) * (size_t)kept);
  factors[kept] = merged;
  memcpy(factors + kept + 1, p->scalars + rest, sizeof(tg_node) * (size_t)(p->n_scalars - rest));
  TG_TRY(tg_make_prod(g, kept + 1 + p->n_scalars - rest, factors, &whole));
  const int64_t room = opened_count(g, 1, &whole) + 1;
  TG_TRY(TG_SCRATCH(g, room, &p->scalars));
  p->n_scalars = 0;
  return open_factor(g, whole, p);
}

// s^p * s and s^p * s^q where an exponent is no number: s^(p+1), s^(p+q).
static tg_status collect_symbolic_powers(tg_graph *g, product *p)
{
  for (int32_t i = 0; i < p->n_scalars; i++) {
    const tg_info *power = tg_node_info(g, p->scalars[i]);
    if (power->kind != TG_POW || tg_node_is_number(g, power->args[1], NULL)) continue;
    for (int32_t j = 0; j < p->n_scalars; j++) {
      const tg_info *other = tg_node_info(g, p->scalars[j]);
      const bool is_power = other->kind == TG_POW && other->args[0] == power->args[0];
      tg_node merged = TG_NONE;
      if (j == i || (!is_power && p->scalars[j] != power->args[0])) continue;
      TG_TRY(tg_make_num(g, 1.0, &merged));
      TG_TRY(tg_make_add(g, power->args[1], is_power ? other->args[1] : merged, &merged));
      TG_TRY(tg_make_pow(g, power->args[0], merged, &merged));
      int32_t kept = 0;
      for (int32_t k = 0; k < p->n_scalars; k++)
        if (k != i && k != j) p->scalars[kept++] = p->scalars[k];
      p->n_scalars = kept;
      return collect_again(g, p, kept, merged, kept);
    }
  }
  return TG_OK;
}

// sign(s)*abs(s) and its kin: what they become is opened again.
static tg_status collect_kinks(tg_graph *g, product *p)
{
  double coef = 1.0;
  bool changed = false;
  TG_TRY(tg_merge_kinks(g, &p->n_scalars, p->scalars, &coef, &changed));
  if (!changed) return TG_OK;
  p->coef *= coef;
  if (coef == 0.0) p->zero = true;
  return collect_again(g, p, p->n_scalars - 1, p->scalars[p->n_scalars - 1], p->n_scalars);
}

// Collects equal bases: s^a * s^b = s^(a+b). Insertion sort by base keeps the list ordered.
static tg_status collect_scalars(tg_graph *g, product *p)
{
  int32_t kept = 0;
  for (int32_t i = 0; i < p->n_scalars; i++) {
    tg_node factor = p->scalars[i];
    double exponent = 1.0;
    const tg_node base = tg_pow_base(g, factor, &exponent);
    int32_t at = 0;
    double other = 1.0;
    while (at < kept && tg_pow_base(g, p->scalars[at], &other) != base) at++;
    if (at < kept) {
      TG_TRY(tg_make_pow_number(g, base, exponent + other, &factor));
      memmove(&p->scalars[at], &p->scalars[at + 1], sizeof(tg_node) * (size_t)(kept - at - 1));
      kept--;
      if (tg_node_is_number(g, factor, NULL)) {
        p->coef = tg_coef_product(p->coef, tg_node_info(g, factor)->value);
        continue;
      }
      if (needs_opening(g, base, factor)) return collect_again(g, p, kept, factor, i + 1);
    }
    int32_t place = kept;
    while (place > 0 && tg_node_compare(g, factor, p->scalars[place - 1]) < 0) place--;
    memmove(&p->scalars[place + 1], &p->scalars[place], sizeof(tg_node) * (size_t)(kept - place));
    p->scalars[place] = factor;
    kept++;
  }
  p->n_scalars = kept;
  TG_TRY(collect_symbolic_powers(g, p));
  return collect_kinks(g, p);
}

static tg_status finish_product(tg_graph *g, product *p, tg_node *out)
{
  const bool scalar = tg_dim_is_one(g, p->rows) && tg_dim_is_one(g, p->cols);
  if (!scalar && p->n_chain == 0) {
    TG_TRY(tg_make_eye(g, p->rows, &p->chain[0]));
    p->n_chain = 1;
  }
  if (p->n_scalars == 0 && p->n_chain == 0) return tg_make_num(g, p->coef, out);
  if (p->n_scalars + p->n_chain == 1) {
    *out = p->n_chain == 1 ? p->chain[0] : p->scalars[0];
  } else {
    TG_TRY(intern_product(g, p, p->n_scalars, out));
  }
  return tg_make_scale(g, p->coef, *out, out);
}

// kron(A, B) kron(C, D) = kron(A C, B D) where the sizes fit. What comes of it may have scalars, so the whole is opened
// again, with one factor fewer.
static tg_status join_krons(tg_graph *g, const product *p, bool *joined, tg_node *out)
{
  *joined = false;
  for (int32_t i = 0; i + 1 < p->n_chain && !*joined; i++) {
    const tg_info *x = tg_node_info(g, p->chain[i]);
    const tg_info *y = tg_node_info(g, p->chain[i + 1]);
    tg_node halves[2] = {TG_NONE, TG_NONE};
    // A column times a row stays what it is: of rank one.
    *joined = x->kind == TG_KRON && y->kind == TG_KRON && !tg_dim_is_one(g, x->cols);
    for (int k = 0; k < 2 && *joined; k++)
      *joined = tg_node_info(g, x->args[k])->cols == tg_node_info(g, y->args[k])->rows;
    if (!*joined) continue;
    for (int k = 0; k < 2; k++) TG_TRY(tg_make_mul(g, x->args[k], y->args[k], &halves[k]));
    TG_TRY(tg_make_kron(g, halves[0], halves[1], &halves[0]));
    return make_again(g, p, i, halves[0], i + 1, out);
  }
  return TG_OK;
}

tg_status tg_make_prod(tg_graph *g, int32_t n, const tg_node *factors, tg_node *out)
{
  bool joined = false;
  product p = {.coef = 1.0};
  const int64_t room = 2 * opened_count(g, n, factors) + 2;
  TG_TRY(TG_SCRATCH(g, room, &p.scalars));
  TG_TRY(TG_SCRATCH(g, room, &p.chain));
  TG_TRY(chain_shape(g, n, factors, &p));
  for (int32_t i = 0; i < n; i++) TG_TRY(open_factor(g, factors[i], &p));
  if (p.zero || p.coef == 0.0) return tg_make_zero(g, p.rows, p.cols, out);
  TG_TRY(join_chain(g, &p, out));
  if (*out != TG_NONE) return TG_OK;
  TG_TRY(join_krons(g, &p, &joined, out));
  if (joined) return TG_OK;
  TG_TRY(extract_scalar_segments(g, &p));
  if (p.n_chain > 0 && tg_dim_is_one(g, p.rows) && tg_dim_is_one(g, p.cols)) TG_TRY(close_scalar_chain(g, &p));
  if (p.zero) return tg_make_zero(g, p.rows, p.cols, out);
  TG_TRY(collect_scalars(g, &p));
  if (p.zero) return tg_make_zero(g, p.rows, p.cols, out);
  return finish_product(g, &p, out);
}

tg_status tg_make_mul(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_prod(g, 2, (const tg_node[]){a, b}, out);
}

static tg_status remake_prod(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_prod(g, tg_node_info(g, node)->n_args, args, out);
}

// d(X Y Z) = dX Y Z + X dY Z + X Y dZ
static tg_status forward_prod(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *factors = NULL;
  tg_node *terms = NULL;
  double *coefs = NULL;
  int32_t count = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  TG_TRY(TG_SCRATCH(g, info->n_args, &terms));
  TG_TRY(TG_SCRATCH(g, info->n_args, &coefs));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (dargs[k] == TG_NONE) continue;
    memcpy(factors, info->args, sizeof(tg_node) * (size_t)info->n_args);
    factors[k] = dargs[k];
    coefs[count] = 1.0;
    TG_TRY(tg_make_prod(g, info->n_args, factors, &terms[count++]));
  }
  return tg_make_lin(g, count, coefs, terms, out);
}

// For a matrix factor: <G, s L dX R> = <s L' G R', dX>. For a scalar one: <G, ds (rest)> = <G, rest> ds.
static tg_status reverse_prod(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *factors = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args + 1, &factors));
  for (int32_t i = 0; i < info->n_scalars; i++)
    if (i != k) factors[n++] = info->args[i];
  if (k < info->n_scalars) {
    for (int32_t i = info->n_scalars; i < info->n_args; i++) factors[n++] = info->args[i];
    tg_node rest = TG_NONE;
    if (n == 0)
      TG_TRY(tg_make_num(g, 1.0, &rest));
    else
      TG_TRY(tg_make_prod(g, n, factors, &rest));
    return tg_make_dot(g, adjoint, rest, out);
  }
  for (int32_t i = k - 1; i >= info->n_scalars; i--) TG_TRY(tg_make_trans(g, info->args[i], &factors[n++]));
  factors[n++] = adjoint;
  for (int32_t i = info->n_args - 1; i > k; i--) TG_TRY(tg_make_trans(g, info->args[i], &factors[n++]));
  return tg_make_prod(g, n, factors, out);
}

// vec(L dX R) = (R' kron L) vec(dX)
static tg_status jacobian_prod(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args + 1, &factors));
  if (k < info->n_scalars) {
    int32_t n = 0;
    for (int32_t i = 0; i < info->n_args; i++)
      if (i != k) factors[n++] = info->args[i];
    tg_node rest = TG_NONE;
    TG_TRY(tg_make_prod(g, n, factors, &rest));
    return tg_make_vec(g, rest, out);
  }
  const tg_info *arg = tg_node_info(g, info->args[k]);
  tg_node left = TG_NONE;
  tg_node right = TG_NONE;
  if (k > info->n_scalars)
    TG_TRY(tg_make_prod(g, k - info->n_scalars, info->args + info->n_scalars, &left));
  else
    TG_TRY(tg_make_identity(g, arg->rows, &left));
  if (k + 1 < info->n_args)
    TG_TRY(tg_make_prod(g, info->n_args - k - 1, info->args + k + 1, &right));
  else
    TG_TRY(tg_make_identity(g, arg->cols, &right));
  TG_TRY(tg_make_trans(g, right, &right));
  TG_TRY(tg_make_kron(g, right, left, &factors[info->n_scalars]));
  memcpy(factors, info->args, sizeof(tg_node) * (size_t)info->n_scalars);
  return tg_make_prod(g, info->n_scalars + 1, factors, out);
}

static void sample_multiply(const tg_value *a, const tg_value *b, double *c)
{
  for (int64_t j = 0; j < b->cols; j++)
    for (int64_t k = 0; k < a->cols; k++)
      for (int64_t i = 0; i < a->rows; i++) c[i + j * a->rows] += a->data[i + k * a->rows] * b->data[k + j * b->rows];
}

// The chain from left to right, then the scalar factors.
static tg_status sample_prod(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_value left = {out->rows, out->cols, NULL};
  tg_status status = TG_OK;
  double scale = 1.0;
  for (int32_t i = 0; i < info->n_scalars; i++) scale *= args[i].data[0];
  if (info->n_scalars == info->n_args) {
    out->data[0] = scale;
    return TG_OK;
  }
  double *current = NULL;
  for (int32_t k = info->n_scalars; k < info->n_args; k++) {
    double *next = NULL;
    const int64_t rows = out->rows;
    TG_TRY_GOTO(TG_NEW(rows * args[k].cols, &next));
    if (current == NULL)
      memcpy(next, args[k].data, sizeof(double) * (size_t)(rows * args[k].cols));
    else
      sample_multiply(&(tg_value){rows, left.cols, current}, &args[k], next);
    tg_free(current);
    current = next;
    left.cols = args[k].cols;
  }
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = scale * current[i];
done:
  tg_free(current);
  return status;
}

const tg_op tg_op_prod = {.name = "product",
                          .remake = remake_prod,
                          .forward = forward_prod,
                          .reverse = reverse_prod,
                          .jacobian = jacobian_prod,
                          .sample = sample_prod,
                          .degree = tg_degree_product};
