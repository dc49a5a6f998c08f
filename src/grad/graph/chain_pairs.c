// What two neighbours in a chain of matrices become: powers of one base, inverses, orthogonal factors, rows of
// identities, maps before a stacked matrix.
#include "grad/graph/chain_pairs.h"

#include <string.h>

#include "grad/graph/op.h"

// Far more than a text writes down; the derivative has a term for each. Named parts double it as often as they like.
enum { EXPONENT_SUM_MAX = 1000000 };

// node = base^exponent as a matrix power, exponent 1 if it is none.
static tg_status power_base(tg_graph *g, tg_node node, tg_node *base, int64_t *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  *base = node;
  *exponent = 1;
  const bool transposed = info->kind == TG_TRANS;
  if (transposed) info = tg_node_info(g, info->args[0]);
  if (info->kind == TG_MPOW) {
    *exponent = info->exponent;
    *base = info->args[0];
    info = tg_node_info(g, *base);
    if (info->kind == TG_TRANS) info = tg_node_info(g, info->args[0]); // (inv(X)')^k
    if (info->kind == TG_INV) {
      const bool outer = tg_node_info(g, *base)->kind == TG_TRANS;
      *base = info->args[0];
      *exponent = -*exponent;
      if (outer) TG_TRY(tg_make_trans(g, *base, base));
    }
    return TG_OK;
  }
  if (info->kind == TG_INV) {
    *base = info->args[0];
    *exponent = -1;
    if (transposed) TG_TRY(tg_make_trans(g, *base, base));
  }
  return TG_OK;
}

tg_status tg_power_read(tg_graph *g, tg_node node, tg_node *base, tg_node *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  int64_t number = 1;
  if (info->kind == TG_MPOWER) {
    *base = info->args[0];
    *exponent = info->args[1];
    return TG_OK;
  }
  TG_TRY(power_base(g, node, base, &number));
  return tg_make_num(g, (double)number, exponent);
}

// X^k beside a power of X.
static tg_status match_powers(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  tg_node bases[2] = {TG_NONE, TG_NONE};
  tg_node exponents[2] = {TG_NONE, TG_NONE};
  *out = TG_NONE;
  if (tg_node_info(g, a)->kind != TG_MPOWER && tg_node_info(g, b)->kind != TG_MPOWER) return TG_OK;
  TG_TRY(tg_power_read(g, a, &bases[0], &exponents[0]));
  TG_TRY(tg_power_read(g, b, &bases[1], &exponents[1]));
  if (bases[0] != bases[1]) return TG_OK;
  TG_TRY(tg_make_add(g, exponents[0], exponents[1], &exponents[0]));
  return tg_make_mpower(g, bases[0], exponents[0], out);
}

static bool is_orthogonal(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  if (info->kind != TG_SYM) return false;
  const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
  return !symbol->free && (symbol->properties & TG_ORTHOGONAL) != 0;
}

// Q' Q = I; Q Q' = I too when Q is square.
static bool cancels_orthogonal(const tg_graph *g, tg_node a, tg_node b)
{
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  if (x->kind == TG_TRANS && x->args[0] == b) return is_orthogonal(g, b);
  if (y->kind == TG_TRANS && y->args[0] == a) return is_orthogonal(g, a) && x->rows == x->cols;
  return a == b && x->kind == TG_SYM && is_orthogonal(g, a) &&
         (tg_symbol_info(g, x->symbol)->properties & TG_SYMMETRIC);
}

// K(m,n) K(n,m) = I.
static bool cancels_commutation(const tg_graph *g, tg_node a, tg_node b)
{
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  return x->kind == TG_COMM && y->kind == TG_COMM && x->dims[0] == y->dims[1] && x->dims[1] == y->dims[0];
}

// Rows of rows: row i of P is row p + i - 1 of Q, and that row q + p + i - 2 of the identity.
static tg_status compose_picks(tg_graph *g, const tg_info *p, const tg_info *q, tg_node *out)
{
  tg_dim first = 0;
  TG_TRY(tg_dim_sum(g, p->dims[0], 1, q->dims[0], &first));
  TG_TRY(tg_dim_offset(g, first, -1, &first));
  return tg_make_pick(g, p->rows, q->cols, first, out);
}

typedef enum overlap { SAME_ROWS, OTHER_ROWS, SOME_ROWS } overlap;

// What the rows that p and q pick have in common, as far as it is known.
static tg_status compare_picks(tg_graph *g, const tg_info *p, const tg_info *q, overlap *out)
{
  tg_dim behind_p = 0;
  tg_dim behind_q = 0;
  *out = SAME_ROWS;
  if (p == q) return TG_OK;
  TG_TRY(tg_dim_sum(g, p->dims[0], 1, p->rows, &behind_p));
  TG_TRY(tg_dim_sum(g, q->dims[0], 1, q->rows, &behind_q));
  const bool apart = tg_dim_is_at_least(g, q->dims[0], behind_p) || tg_dim_is_at_least(g, p->dims[0], behind_q);
  *out = apart ? OTHER_ROWS : SOME_ROWS;
  return TG_OK;
}

// P P' = I for rows P of the identity, P Q' = 0 for rows that they do not share; rows of rows are rows.
static tg_status match_picks(tg_graph *g, tg_node a, tg_node b, bool *cancels, tg_node *out)
{
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  const tg_info *left = x->kind == TG_TRANS ? tg_node_info(g, x->args[0]) : x;
  const tg_info *right = y->kind == TG_TRANS ? tg_node_info(g, y->args[0]) : y;
  overlap common = SOME_ROWS;
  *out = TG_NONE;
  if (x->kind == TG_PICK && y->kind == TG_ONES) return tg_make_ones(g, x->rows, y->cols, out);
  if (x->kind == TG_ONES && right != y && right->kind == TG_PICK) return tg_make_ones(g, x->rows, right->rows, out);
  if (left->kind != TG_PICK || right->kind != TG_PICK) return TG_OK;
  if (left == x && right == y) return compose_picks(g, x, y, out);
  if (left != x && right != y) { // P' Q' = (Q P)'
    TG_TRY(compose_picks(g, right, left, out));
    return tg_make_trans(g, *out, out);
  }
  if (left != x) return TG_OK;
  TG_TRY(compare_picks(g, left, right, &common));
  *cancels = common == SAME_ROWS;
  return common == OTHER_ROWS ? tg_make_zero(g, left->rows, right->rows, out) : TG_OK;
}

// ---- blocks ----

enum { BLOCKS_JOINED_MAX = 64 };

// The terms of a factor, each with the rows of an identity at its end (at its beginning, transposed): [A, B] is A P + B
// Q, [A; B] is P' A + Q' B. 0: it is made of no such terms.
static int32_t read_blocks(const tg_graph *g, tg_node node, bool at_end, const tg_info **picks)
{
  const tg_info *info = tg_node_info(g, node);
  const int32_t n = info->kind == TG_LIN ? info->n_args : 1;
  if (n > BLOCKS_JOINED_MAX) return 0;
  for (int32_t i = 0; i < n; i++) {
    tg_node end = info->kind == TG_LIN ? info->args[i] : node;
    const tg_info *term = tg_node_info(g, end);
    if (term->kind == TG_PROD && term->n_args == term->n_scalars) return 0;
    if (term->kind == TG_PROD) end = term->args[at_end ? term->n_args - 1 : term->n_scalars];
    if (!tg_node_is_padding(g, end, !at_end)) return 0;
    const tg_info *pick = tg_node_info(g, end);
    picks[i] = at_end ? pick : tg_node_info(g, pick->args[0]);
  }
  return n;
}

static tg_node block_of(const tg_graph *g, tg_node node, int32_t i, double *coef)
{
  const tg_info *info = tg_node_info(g, node);
  *coef = info->kind == TG_LIN ? info->coefs[i] : 1.0;
  return info->kind == TG_LIN ? info->args[i] : node;
}

// [A, B]*P, P rows of an identity: [A, B] among zeros, each block by itself, and so are [A; B] behind P'.
static tg_status spread_padding(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  const tg_info *picks[BLOCKS_JOINED_MAX];
  const bool at_end = tg_node_info(g, b)->kind == TG_PICK;
  const tg_node sum = at_end ? a : b;
  const int32_t n = tg_node_info(g, sum)->kind == TG_LIN ? read_blocks(g, sum, at_end, picks) : 0;
  *out = TG_NONE;
  if (n == 0 || !tg_node_is_padding(g, at_end ? b : a, !at_end)) return TG_OK;
  for (int32_t i = 0; i < n; i++) {
    double coef = 1.0;
    const tg_node block = block_of(g, sum, i, &coef);
    tg_node product = TG_NONE;
    TG_TRY(tg_make_prod(g, 2, (const tg_node[]){at_end ? block : a, at_end ? b : block}, &product));
    TG_TRY(tg_make_scale(g, coef, product, &product));
    if (*out != TG_NONE) TG_TRY(tg_make_add(g, *out, product, &product));
    *out = product;
  }
  return TG_OK;
}

// [A, B]*[C; D] = A*C + B*D, and likewise where rows or columns are taken out of blocks.
static tg_status match_blocks(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  const tg_info *left[BLOCKS_JOINED_MAX];
  const tg_info *right[BLOCKS_JOINED_MAX];
  const bool is_sum = tg_node_info(g, a)->kind == TG_LIN || tg_node_info(g, b)->kind == TG_LIN;
  const int32_t n = is_sum ? read_blocks(g, a, true, left) : 0;
  const int32_t m = n > 0 ? read_blocks(g, b, false, right) : 0;
  tg_node sum = TG_NONE;
  *out = TG_NONE;
  for (int pass = 0; pass < 2; pass++) // nothing is made unless all of it can be
    for (int32_t i = 0; i < n; i++)
      for (int32_t j = 0; j < m; j++) {
        overlap common = SOME_ROWS;
        double coefs[2];
        tg_node product = TG_NONE;
        TG_TRY(compare_picks(g, left[i], right[j], &common));
        if (common == SOME_ROWS) return TG_OK;
        if (pass == 0 || common == OTHER_ROWS) continue;
        const tg_node blocks[2] = {block_of(g, a, i, &coefs[0]), block_of(g, b, j, &coefs[1])};
        TG_TRY(tg_make_prod(g, 2, blocks, &product));
        TG_TRY(tg_make_scale(g, tg_coef_product(coefs[0], coefs[1]), product, &product));
        if (sum != TG_NONE) TG_TRY(tg_make_add(g, sum, product, &product));
        sum = product;
      }
  if (n > 0 && m > 0 && sum == TG_NONE)
    TG_TRY(tg_make_zero(g, tg_node_info(g, a)->rows, tg_node_info(g, b)->cols, &sum));
  *out = sum;
  return TG_OK;
}

// kron(vec(I_n)', I_m) * kron(I_n, v) is v reshaped to m x n: how expressions spell UNVEC.
static tg_status match_unvec(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  *out = TG_NONE;
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  if (x->kind != TG_KRON || y->kind != TG_KRON) return TG_OK;
  const tg_info *row = tg_node_info(g, x->args[0]);
  const tg_info *left = tg_node_info(g, x->args[1]);
  const tg_info *right = tg_node_info(g, y->args[0]);
  const tg_info *v = tg_node_info(g, y->args[1]);
  if (row->kind != TG_TRANS || left->kind != TG_EYE || right->kind != TG_EYE || !tg_dim_is_one(g, v->cols))
    return TG_OK;
  const tg_info *vec = tg_node_info(g, row->args[0]);
  if (vec->kind != TG_VEC || tg_node_info(g, vec->args[0])->kind != TG_EYE) return TG_OK;
  if (tg_node_info(g, vec->args[0])->rows != right->rows) return TG_OK;
  return tg_make_unvec(g, y->args[1], left->rows, right->rows, out);
}

static tg_status apply_to_vec(tg_graph *g, tg_node map, tg_node vec, tg_node *out);

// The terms of a sum, or the one chain factor of a scaled map, applied; TG_NONE unless all of them can be.
static tg_status apply_parts(tg_graph *g, tg_node map, tg_node vec, tg_node *out)
{
  const tg_info *info = tg_node_info(g, map);
  const int32_t first = info->kind == TG_PROD ? info->n_scalars : 0;
  tg_node *parts = NULL;
  *out = TG_NONE;
  if (info->kind == TG_PROD && info->n_args != first + 1) return TG_OK;
  TG_TRY(TG_SCRATCH(g, info->n_args, &parts));
  memcpy(parts, info->args, sizeof(tg_node) * (size_t)first);
  for (int32_t i = first; i < info->n_args; i++) {
    TG_TRY(apply_to_vec(g, info->args[i], vec, &parts[i]));
    if (parts[i] == TG_NONE) return TG_OK;
  }
  if (info->kind == TG_PROD) return tg_make_prod(g, info->n_args, parts, out);
  return tg_make_lin(g, info->n_args, info->coefs, parts, out);
}

// kron(A, B)*vec(X) = vec(B*X*A') where the sizes fit, comm(m,n)*vec(X) = vec(X') for X m x n, and sums of such maps:
// neither is ever formed. TG_NONE for other maps.
static tg_status apply_to_vec(tg_graph *g, tg_node map, tg_node vec, tg_node *out)
{
  const tg_info *info = tg_node_info(g, map);
  const tg_node inner = tg_node_info(g, vec)->args[0];
  const tg_info *x = tg_node_info(g, inner);
  tg_node turned = TG_NONE;
  *out = TG_NONE;
  if (info->kind == TG_LIN || info->kind == TG_PROD) return apply_parts(g, map, vec, out);
  if (info->kind == TG_EYE) *out = vec;
  if (info->kind == TG_COMM && info->dims[0] == x->rows && info->dims[1] == x->cols) {
    TG_TRY(tg_make_trans(g, inner, &turned));
    return tg_make_vec(g, turned, out);
  }
  if (info->kind != TG_KRON) return TG_OK;
  if (tg_node_info(g, info->args[0])->cols != x->cols || tg_node_info(g, info->args[1])->cols != x->rows) return TG_OK;
  TG_TRY(tg_make_trans(g, info->args[0], &turned));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){info->args[1], inner, turned}, out));
  return tg_make_vec(g, *out, out);
}

// vec(X)' before vec(Y); a map before vec(X), or vec(X)' before one; diag(v) before ones, or behind them: v.
static tg_status match_vector(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  const tg_info *left = x->kind == TG_TRANS ? tg_node_info(g, x->args[0]) : x;
  *out = TG_NONE;
  if (y->kind == TG_VEC && left->kind == TG_VEC && x->kind == TG_TRANS) { // vec(X)'*vec(Y) = tr(X'*Y)
    const tg_info *p = tg_node_info(g, left->args[0]);
    const tg_info *q = tg_node_info(g, y->args[0]);
    return p->rows == q->rows && p->cols == q->cols ? tg_make_dot(g, left->args[0], y->args[0], out) : TG_OK;
  }
  if (y->kind == TG_VEC) return apply_to_vec(g, a, b, out);
  if (x->kind == TG_DIAG && y->kind == TG_ONES && tg_dim_is_one(g, y->cols)) *out = x->args[0];
  if (y->kind == TG_DIAG && x->kind == TG_ONES && tg_dim_is_one(g, x->rows)) return tg_make_trans(g, y->args[0], out);
  if (x->kind != TG_TRANS || left->kind != TG_VEC) return TG_OK;
  tg_node map = TG_NONE;
  TG_TRY(tg_make_trans(g, b, &map));
  TG_TRY(apply_to_vec(g, map, x->args[0], out));
  return *out != TG_NONE ? tg_make_trans(g, *out, out) : TG_OK;
}

tg_status tg_chain_join_pair(tg_graph *g, tg_node a, tg_node b, bool *joined, tg_node *out)
{
  *joined = true;
  *out = TG_NONE;
  if (cancels_orthogonal(g, a, b) || cancels_commutation(g, a, b)) return TG_OK;
  tg_node base_a = TG_NONE;
  tg_node base_b = TG_NONE;
  int64_t exponent_a = 1;
  int64_t exponent_b = 1;
  TG_TRY(power_base(g, a, &base_a, &exponent_a));
  TG_TRY(power_base(g, b, &base_b, &exponent_b));
  const tg_info *info = tg_node_info(g, base_a);
  if (base_a == base_b && info->rows == info->cols) {
    const int64_t sum = exponent_a + exponent_b;
    if (sum > EXPONENT_SUM_MAX || sum < -EXPONENT_SUM_MAX)
      TG_FAIL(TG_LIMIT, "a product has more than %d equal factors in a row", EXPONENT_SUM_MAX);
    if (sum == 0) return TG_OK;
    return tg_make_mpow(g, base_a, sum, out);
  }
  bool cancels = false;
  TG_TRY(match_powers(g, a, b, out));
  if (*out != TG_NONE && tg_node_info(g, *out)->kind == TG_EYE) *out = TG_NONE, cancels = true;
  if (!cancels && *out == TG_NONE) TG_TRY(match_picks(g, a, b, &cancels, out));
  if (cancels) return TG_OK;
  if (*out == TG_NONE) TG_TRY(match_blocks(g, a, b, out));
  if (*out == TG_NONE) TG_TRY(spread_padding(g, a, b, out));
  if (*out == TG_NONE) TG_TRY(match_unvec(g, a, b, out));
  if (*out == TG_NONE) TG_TRY(match_vector(g, a, b, out));
  *joined = *out != TG_NONE;
  return TG_OK;
}

tg_status tg_chain_read_inverse(tg_graph *g, tg_node node, tg_node *base, int64_t *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  *exponent = 0;
  if (info->kind == TG_TRANS || info->kind == TG_MPOW) info = tg_node_info(g, info->args[0]);
  if (info->kind == TG_TRANS) info = tg_node_info(g, info->args[0]);
  if (info->kind != TG_INV || tg_node_info(g, info->args[0])->kind != TG_PROD) return TG_OK;
  TG_TRY(power_base(g, node, base, exponent));
  const tg_info *chain = tg_node_info(g, *base);
  if (chain->kind != TG_PROD || chain->n_scalars > 0) *exponent = 0;
  return TG_OK;
}
