// Equal objectives that may be cheaper: symmetric parts of quadratic forms, products of sums multiplied out.
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

enum { EXPAND_MAX = 64, KRON_POWER_MAX = 8 }; // terms of one product multiplied out; factors of a power

// Rebuilds everything below `node`, arguments first, and hands each rebuilt node to `visit`.
typedef tg_status visitor(tg_lowering *l, tg_node node, tg_node *out);

static tg_status rebuild(tg_lowering *l, tg_node node, const tg_node *image, tg_node *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  tg_node *args = NULL;
  bool same = true;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)info->n_args, &args));
  for (int32_t i = 0; i < info->n_args; i++) {
    args[i] = image[info->args[i]];
    same = same && args[i] == info->args[i];
  }
  *out = node;
  return same ? TG_OK : tg_make_like(l->graph, node, args, out);
}

// Arguments have smaller ids than their node: one pass down marks what is below, one pass up rebuilds it.
static tg_status rewrite(tg_lowering *l, tg_node root, visitor *visit, tg_node *out)
{
  tg_status status = TG_OK;
  tg_node *image = NULL;
  uint8_t *below = NULL;
  TG_TRY_GOTO(TG_NEW((int64_t)root + 1, &image));
  TG_TRY_GOTO(TG_NEW((int64_t)root + 1, &below));
  below[root] = 1;
  for (tg_node node = root; node > TG_NONE; node--) {
    const tg_info *info = tg_node_info(l->graph, node);
    for (int32_t i = 0; below[node] != 0 && i < info->n_args; i++) below[info->args[i]] = 1;
  }
  for (tg_node node = 1; node <= root; node++) {
    if (below[node] == 0) continue;
    TG_TRY_GOTO(rebuild(l, node, image, &image[node]));
    TG_TRY_GOTO(visit(l, image[node], &image[node]));
  }
  *out = image[root];
done:
  tg_free(image);
  tg_free(below);
  return status;
}

// ---- symmetric parts ----

// factors i+1 .. i+count of the cycle of n, as one product.
static tg_status run_of(tg_lowering *l, int32_t n, const tg_node *chain, int32_t first, int32_t count, tg_node *out)
{
  tg_node *run = NULL;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)count, &run));
  for (int32_t i = 0; i < count; i++) run[i] = chain[(first + i) % n];
  return tg_make_prod(l->graph, count, run, out);
}

// Length of the run of constant factors of the cycle that begins at `first`, 0 where none begins.
static int32_t constant_run(tg_lowering *l, int32_t n, const tg_node *chain, int32_t first)
{
  int32_t count = 0;
  if (tg_low_is_constant(l, chain[(first + n - 1) % n])) return 0;
  while (count < n && tg_low_is_constant(l, chain[(first + count) % n])) count++;
  return count;
}

// tr(M R) = tr((M + M')/2 R) where R is symmetric: then the gradient has one term instead of two.
static tg_status symmetrise_cycle(tg_lowering *l, int32_t n, const tg_node *chain, bool *changed, tg_node *out)
{
  *changed = false;
  for (int32_t first = 0; first < n; first++) {
    const int32_t count = constant_run(l, n, chain, first);
    if (count == 0 || count == n || (count > 1 && l->options->without[TG_PASS_HOISTING])) continue;
    tg_node pair[2] = {TG_NONE, TG_NONE};
    tg_node rest = TG_NONE;
    bool symmetric = false;
    TG_TRY(run_of(l, n, chain, first + count, n - count, &rest));
    if (tg_node_is_scalar(l->graph, rest)) continue;
    TG_TRY(tg_node_is_symmetric(l->graph, rest, &symmetric));
    if (!symmetric) continue;
    TG_TRY(run_of(l, n, chain, first, count, &pair[0]));
    TG_TRY(tg_make_trans(l->graph, pair[0], &pair[1]));
    if (pair[0] == pair[1]) continue;
    tg_node mean = TG_NONE;
    TG_TRY(tg_make_lin(l->graph, 2, (const double[]){0.5, 0.5}, pair, &mean));
    TG_TRY(tg_make_mul(l->graph, mean, rest, &rest));
    *changed = true;
    return tg_make_tr(l->graph, rest, out);
  }
  return TG_OK;
}

static tg_status symmetrise_node(tg_lowering *l, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  bool changed = false;
  *out = node;
  if (info->kind == TG_TR) info = tg_node_info(l->graph, info->args[0]);
  // A 1 x 1 chain is the trace of any of its rotations.
  if (info->kind != TG_PROD || info->n_scalars > 0 || !tg_node_is_scalar(l->graph, node)) return TG_OK;
  return symmetrise_cycle(l, info->n_args, info->args, &changed, out);
}

tg_status tg_low_symmetrise(tg_lowering *l, tg_node f, tg_node *out)
{
  return rewrite(l, f, symmetrise_node, out);
}

// ---- Kronecker products ----

// kron(A, B)*v = vec(B*V*A') with vec(V) = v: products of the factors' sizes, and the big matrix is never made.
static tg_status apply_kron(tg_lowering *l, tg_node kron, tg_node v, tg_node *out)
{
  const tg_info *info = tg_node_info(l->graph, kron);
  tg_node turned = TG_NONE;
  tg_node matrix = TG_NONE;
  const tg_dim rows = tg_node_info(l->graph, info->args[1])->cols;
  TG_TRY(tg_make_trans(l->graph, info->args[0], &turned));
  TG_TRY(tg_make_unvec(l->graph, v, rows, tg_node_info(l->graph, info->args[0])->cols, &matrix));
  const tg_node factors[3] = {info->args[1], matrix, turned};
  TG_TRY(tg_make_prod(l->graph, 3, factors, &matrix));
  return tg_make_unary(l->graph, TG_VEC, matrix, out);
}

// How often, and which, Kronecker product a factor multiplies by: kron(A, B)^k k times, anything else never.
static int64_t krons_in(const tg_lowering *l, tg_node factor, tg_node *kron)
{
  const tg_info *info = tg_node_info(l->graph, factor);
  *kron = info->kind == TG_MPOW ? info->args[0] : factor;
  if (tg_node_info(l->graph, *kron)->kind != TG_KRON) return 0;
  return info->kind == TG_MPOW ? info->exponent : 1;
}

// The matrix M of a node vec(M), TG_NONE for any other.
static tg_node stacked(const tg_lowering *l, tg_node node)
{
  const tg_info *info = tg_node_info(l->graph, node);
  return info->kind == TG_VEC ? info->args[0] : TG_NONE;
}

// v'*w where one of the two is vec(M): an inner product of matrices, nothing stacked.
static tg_status unstack_inner(tg_lowering *l, const tg_info *info, tg_node *out)
{
  tg_node left = TG_NONE;
  tg_node right = info->args[1];
  TG_TRY(tg_make_trans(l->graph, info->args[0], &left));
  const tg_node a = stacked(l, left);
  const tg_node b = stacked(l, right);
  if (a == TG_NONE && b == TG_NONE) return TG_OK;
  const tg_info *shape = tg_node_info(l->graph, a != TG_NONE ? a : b);
  left = a;
  if (a == TG_NONE) TG_TRY(tg_make_trans(l->graph, info->args[0], &left));
  if (a == TG_NONE) TG_TRY(tg_make_unvec(l->graph, left, shape->rows, shape->cols, &left));
  if (b == TG_NONE) TG_TRY(tg_make_unvec(l->graph, right, shape->rows, shape->cols, &right));
  return tg_make_dot(l->graph, left, b != TG_NONE ? b : right, out);
}

// The last Kronecker product of a chain that ends in one column.
static tg_status unstack_right(tg_lowering *l, const tg_info *info, bool *changed, tg_node *out)
{
  *changed = false;
  if (!tg_dim_is_one(l->graph, info->cols)) return TG_OK;
  for (int32_t i = info->n_args - 2; i >= info->n_scalars && !*changed; i--) {
    tg_node kron = TG_NONE;
    const int64_t times = krons_in(l, info->args[i], &kron);
    if (times == 0 || times > KRON_POWER_MAX) continue;
    tg_node *factors = NULL;
    tg_node v = TG_NONE;
    TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)info->n_args, &factors));
    memcpy(factors, info->args, sizeof(tg_node) * (size_t)i);
    TG_TRY(tg_make_prod(l->graph, info->n_args - i - 1, info->args + i + 1, &v));
    for (int64_t k = 0; k < times; k++) TG_TRY(apply_kron(l, kron, v, &v));
    factors[i] = v;
    TG_TRY(tg_make_prod(l->graph, i + 1, factors, out));
    *changed = true;
  }
  return TG_OK;
}

static tg_status unstack_node(tg_lowering *l, tg_node node, tg_node *out)
{
  bool changed = true;
  *out = node;
  while (changed) {
    const tg_info *product = tg_node_info(l->graph, *out);
    if (product->kind != TG_PROD) return TG_OK;
    TG_TRY(unstack_right(l, product, &changed, out));
  }
  const tg_info *info = tg_node_info(l->graph, *out);
  if (info->kind == TG_PROD && info->n_args == 2 && info->n_scalars == 0 && tg_node_is_scalar(l->graph, *out))
    return unstack_inner(l, info, out);
  return TG_OK;
}

tg_status tg_low_unstack(tg_lowering *l, tg_node f, tg_node *out)
{
  return rewrite(l, f, unstack_node, out);
}

// ---- products of sums ----

static tg_node first_factor(const tg_lowering *l, tg_node node, bool last)
{
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->kind != TG_PROD || info->n_scalars == info->n_args) return node;
  return info->args[last ? info->n_args - 1 : info->n_scalars];
}

// Whether some term of the sum begins (ends) with a constant.
static bool has_constant_edge(tg_lowering *l, tg_node factor, bool last)
{
  const tg_info *info = tg_node_info(l->graph, factor);
  if (info->kind != TG_LIN) return tg_low_is_constant(l, first_factor(l, factor, last));
  for (int32_t i = 0; i < info->n_args; i++)
    if (tg_low_is_constant(l, first_factor(l, info->args[i], last))) return true;
  return false;
}

static bool is_moving_sum(tg_lowering *l, tg_node factor)
{
  return tg_node_info(l->graph, factor)->kind == TG_LIN && !tg_low_is_constant(l, factor);
}

// Factor i + step of the chain, round the ends of a cycle; TG_NONE outside.
static tg_node neighbour(const tg_info *info, int32_t i, int32_t step, bool cyclic)
{
  const int32_t n = info->n_args - info->n_scalars;
  const int32_t at = i - info->n_scalars + step;
  if (n < 2 || (!cyclic && (at < 0 || at >= n))) return TG_NONE;
  return info->args[info->n_scalars + (at + n) % n];
}

// Multiplying out pays where it brings two constants together, for setup to join.
static bool meets_constant(tg_lowering *l, const tg_info *info, int32_t i, bool cyclic)
{
  const tg_node left = neighbour(info, i, -1, cyclic);
  const tg_node right = neighbour(info, i, 1, cyclic);
  if (!is_moving_sum(l, info->args[i])) return false;
  return (left != TG_NONE && has_constant_edge(l, left, true) && has_constant_edge(l, info->args[i], false)) ||
         (right != TG_NONE && has_constant_edge(l, right, false) && has_constant_edge(l, info->args[i], true));
}

static tg_status expand_node(tg_lowering *l, tg_node node, tg_node *out);

// Factor `at` of the product multiplied out; inside a trace, each term is a trace of its own.
static tg_status expand_at(tg_lowering *l, const tg_info *info, int32_t at, bool cyclic, tg_node *out)
{
  const tg_info *sum = tg_node_info(l->graph, info->args[at]);
  tg_node *factors = NULL;
  tg_node *terms = NULL;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)info->n_args, &factors));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)sum->n_args, &terms));
  memcpy(factors, info->args, sizeof(tg_node) * (size_t)info->n_args);
  for (int32_t i = 0; i < sum->n_args; i++) {
    factors[at] = sum->args[i];
    TG_TRY(tg_make_prod(l->graph, info->n_args, factors, &terms[i]));
    if (cyclic) TG_TRY(tg_make_tr(l->graph, terms[i], &terms[i]));
    TG_TRY(expand_node(l, terms[i], &terms[i]));
  }
  return tg_make_lin(l->graph, sum->n_args, sum->coefs, terms, out);
}

static tg_status expand_product(tg_lowering *l, tg_node product, bool cyclic, tg_node *out)
{
  const tg_info *info = tg_node_info(l->graph, product);
  int64_t terms = 1;
  if (info->kind != TG_PROD) return TG_OK;
  for (int32_t i = info->n_scalars; i < info->n_args && terms <= EXPAND_MAX; i++)
    if (is_moving_sum(l, info->args[i])) terms *= tg_node_info(l->graph, info->args[i])->n_args;
  if (terms > EXPAND_MAX) return TG_OK;
  for (int32_t i = info->n_scalars; i < info->n_args; i++)
    if (meets_constant(l, info, i, cyclic)) return expand_at(l, info, i, cyclic, out);
  return TG_OK;
}

// The terms of a sum of scalars: what was a trace of a sum has become a sum of traces.
static tg_status expand_terms(tg_lowering *l, const tg_info *info, tg_node *out)
{
  tg_node *terms = NULL;
  bool same = true;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)info->n_args, &terms));
  for (int32_t i = 0; i < info->n_args; i++) {
    TG_TRY(expand_node(l, info->args[i], &terms[i]));
    same = same && terms[i] == info->args[i];
  }
  return same ? TG_OK : tg_make_lin(l->graph, info->n_args, info->coefs, terms, out);
}

static tg_status expand_node(tg_lowering *l, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  *out = node;
  if (info->kind == TG_PROD) return expand_product(l, node, false, out);
  if (info->kind == TG_TR) return expand_product(l, info->args[0], true, out);
  return info->kind == TG_LIN && tg_node_is_scalar(l->graph, node) ? expand_terms(l, info, out) : TG_OK;
}

tg_status tg_low_expand(tg_lowering *l, tg_node f, tg_node *out)
{
  return rewrite(l, f, expand_node, out);
}
