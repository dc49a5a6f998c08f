// Functions of matrices and their derivatives written by eigenvectors: products and entrywise divided differences.
//
// With S = Q diag(l) Q', A = Q'VQ and B = Q'WQ: f(S) = Q diag(f(l)) Q', L(S,V) = Q (F .* A) Q', F(i,j) = f[l_i,l_j],
// and L2(S,V,W) = Q (C + C~) Q', C(i,k) = sum_j f[l_i,l_j,l_k] A(i,j) B(j,k), C~ the same with A and B exchanged. Where
// l_i and l_k are apart f[l_i,l_j,l_k] = (F(i,j) - F(j,k))/(l_i - l_k), and where they are close the mean of T(i,j) and
// T(k,j), T(i,j) = f[l_i,l_i,l_j]: both are products of matrices, and masks choose (grad/divided.h). sqrt needs
// neither, for d2 solves R X + X R = -(L(V) L(W) + L(W) L(V)).
#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

// Which function; its divided differences and where its argument must lie.
typedef struct function {
  tg_domain domain;
  tg_divided first;
  tg_divided twice;
  tg_divided far;
  tg_divided near;
} function;

static function function_of(tg_kind kind)
{
  switch (kind) {
  case TG_SQRTM:
  case TG_DSQRTM:
  case TG_D2SQRTM:
    return (function){.domain = TG_DOMAIN_NONNEGATIVE, .first = TG_DIVIDED_SQRT};
  case TG_EXPM:
  case TG_DEXPM:
  case TG_D2EXPM:
    return (function){TG_DOMAIN_REAL, TG_DIVIDED_EXP, TG_DIVIDED_EXP_TWICE, TG_DIVIDED_EXP_FAR, TG_DIVIDED_EXP_NEAR};
  default:
    return (function){TG_DOMAIN_POSITIVE, TG_DIVIDED_LOG, TG_DIVIDED_LOG_TWICE, TG_DIVIDED_LOG_FAR,
                      TG_DIVIDED_LOG_NEAR};
  }
}

// The basis: Q, Q', and the eigenvalues as a column.
typedef struct basis {
  tg_node q;
  tg_node turned;
  tg_node values;
} basis;

static tg_status find_basis(tg_graph *g, tg_node s, tg_domain domain, basis *out)
{
  TG_TRY(tg_make_eigvectors(g, s, &out->q));
  TG_TRY(tg_make_trans(g, out->q, &out->turned));
  return tg_make_eigvalues(g, s, (int64_t)domain, &out->values);
}

static tg_status values_of(tg_graph *g, tg_kind kind, const basis *b, tg_node *out)
{
  if (kind == TG_SQRTM) return tg_make_pow_number(g, b->values, 0.5, out);
  return tg_make_function(g, kind == TG_EXPM ? TG_EXP : TG_LOG, b->values, out);
}

static tg_status into_basis(tg_graph *g, const basis *b, tg_node v, tg_node *out)
{
  return tg_make_prod(g, 3, (const tg_node[]){b->turned, v, b->q}, out);
}

static tg_status out_of_basis(tg_graph *g, const basis *b, tg_node inner, tg_node *out)
{
  return tg_make_prod(g, 3, (const tg_node[]){b->q, inner, b->turned}, out);
}

static tg_status had(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_had(g, 2, (const tg_node[]){a, b}, out);
}

// coef (X.*A) B + other A (Y.*B), added to *sum.
static tg_status add_pair(tg_graph *g, const tg_node weights[2], const double coefs[2], tg_node a, tg_node b,
                          tg_node *sum)
{
  tg_node terms[3] = {TG_NONE, TG_NONE, *sum};
  const double all[3] = {coefs[0], coefs[1], 1};
  TG_TRY(had(g, weights[0], a, &terms[0]));
  TG_TRY(tg_make_mul(g, terms[0], b, &terms[0]));
  TG_TRY(had(g, weights[1], b, &terms[1]));
  TG_TRY(tg_make_mul(g, a, terms[1], &terms[1]));
  return tg_make_lin(g, *sum == TG_NONE ? 2 : 3, all, terms, sum);
}

// C + C~ of the top of this file.
static tg_status second_by_quotients(tg_graph *g, const function *f, const basis *b, tg_node v, tg_node w, tg_node *out)
{
  static const double minus[2] = {1, -1};
  static const double plus[2] = {1, 1};
  tg_node first[2] = {TG_NONE, TG_NONE};
  tg_node twice[2] = {TG_NONE, TG_NONE};
  tg_node masks[2] = {TG_NONE, TG_NONE};
  tg_node sums[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_make_divided_pairs(g, f->first, b->values, &first[0]));
  first[1] = first[0];
  TG_TRY(tg_make_divided_pairs(g, f->twice, b->values, &twice[0]));
  TG_TRY(tg_make_trans(g, twice[0], &twice[1]));
  TG_TRY(tg_make_divided_pairs(g, f->far, b->values, &masks[0]));
  TG_TRY(tg_make_divided_pairs(g, f->near, b->values, &masks[1]));
  for (int k = 0; k < 2; k++) {
    TG_TRY(add_pair(g, k == 0 ? first : twice, k == 0 ? minus : plus, v, w, &sums[k]));
    TG_TRY(add_pair(g, k == 0 ? first : twice, k == 0 ? minus : plus, w, v, &sums[k]));
    TG_TRY(had(g, masks[k], sums[k], &sums[k]));
  }
  return tg_make_add(g, sums[0], sums[1], out);
}

static tg_status second_of_root(tg_graph *g, const basis *b, tg_node v, tg_node w, tg_node *out)
{
  tg_node f = TG_NONE;
  tg_node products[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_make_divided_pairs(g, TG_DIVIDED_SQRT, b->values, &f));
  TG_TRY(had(g, f, v, &v));
  TG_TRY(had(g, f, w, &w));
  TG_TRY(tg_make_mul(g, v, w, &products[0]));
  TG_TRY(tg_make_mul(g, w, v, &products[1]));
  TG_TRY(tg_make_lin(g, 2, (const double[]){-1, -1}, products, out));
  return had(g, f, *out, out);
}

static tg_status open_matfun(tg_graph *g, tg_kind kind, const tg_node *args, tg_node *out)
{
  const function f = function_of(kind);
  basis b;
  tg_node inner[2] = {TG_NONE, TG_NONE};
  TG_TRY(find_basis(g, args[0], f.domain, &b));
  if (tg_kind_is_matfun(kind, 0)) {
    TG_TRY(values_of(g, kind, &b, &inner[0]));
    TG_TRY(tg_make_diag(g, inner[0], &inner[0]));
    return out_of_basis(g, &b, inner[0], out);
  }
  TG_TRY(into_basis(g, &b, args[1], &inner[0]));
  if (tg_kind_is_matfun(kind, 1)) {
    TG_TRY(tg_make_divided_pairs(g, f.first, b.values, &inner[1]));
    TG_TRY(had(g, inner[1], inner[0], &inner[0]));
    return out_of_basis(g, &b, inner[0], out);
  }
  TG_TRY(into_basis(g, &b, args[2], &inner[1]));
  if (kind == TG_D2SQRTM)
    TG_TRY(second_of_root(g, &b, inner[0], inner[1], &inner[0]));
  else
    TG_TRY(second_by_quotients(g, &f, &b, inner[0], inner[1], &inner[0]));
  return out_of_basis(g, &b, inner[0], out);
}

static bool is_singular(tg_kind kind)
{
  return kind >= TG_NUCLEAR && kind <= TG_DDYAD;
}

// tr(f(S)) is the sum of the f(l_i). f(S)' is f(S): the argument is symmetric, or the program fails.
static tg_status open_node(tg_lowering *l, tg_node node, const tg_node *args, tg_node *out)
{
  tg_graph *g = l->graph;
  const tg_info *info = tg_node_info(g, node);
  const tg_info *arg = info->n_args == 1 ? tg_node_info(g, info->args[0]) : NULL;
  const bool is_over = arg != NULL && tg_kind_is_matfun(arg->kind, 0);
  if (is_over && info->kind == TG_TRANS) {
    *out = args[0];
    return TG_OK;
  }
  if (is_over && info->kind == TG_TR) {
    basis b;
    TG_TRY(tg_low_open_spectra(l, arg->args[0], out));
    TG_TRY(find_basis(g, *out, function_of(arg->kind).domain, &b));
    TG_TRY(values_of(g, arg->kind, &b, out));
    return tg_make_sum(g, *out, out);
  }
  for (int order = 0; order < 3; order++)
    if (tg_kind_is_matfun(info->kind, order)) return open_matfun(g, info->kind, args, out);
  if (is_singular(info->kind)) return tg_low_open_singular(g, info->kind, args, out);
  return tg_make_like(g, node, args, out);
}

static bool opens(tg_kind kind)
{
  return tg_kind_is_matfun(kind, 0) || tg_kind_is_matfun(kind, 1) || tg_kind_is_matfun(kind, 2) || is_singular(kind);
}

// Arguments have smaller ids than their node.
tg_status tg_low_open_spectra(tg_lowering *l, tg_node node, tg_node *out)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  tg_node *images = NULL;
  TG_TRY_GOTO(tg_node_find_below(l->graph, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &images));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(l->graph, at);
    tg_node *args = NULL;
    images[at] = at;
    if (below[at] == 0) continue;
    bool changes = opens(info->kind);
    TG_TRY_GOTO(TG_ARENA_NEW(&l->arena, (size_t)info->n_args + 1, &args));
    for (int32_t i = 0; i < info->n_args; i++) {
      args[i] = images[info->args[i]];
      changes = changes || args[i] != info->args[i];
    }
    if (changes) TG_TRY_GOTO(open_node(l, at, args, &images[at]));
  }
  *out = images[node];
done:
  tg_free(below);
  tg_free(images);
  return status;
}

// ---- instructions ----

// The factor of a matrix. Programs that run at one point share it: the executor does not decompose the same bits again.
static tg_status factor_of(tg_lowering *l, tg_node node, bool is_svd, int32_t *factor)
{
  int32_t *known = NULL;
  TG_TRY(tg_low_at(&l->spectra[is_svd], sizeof *known, node, (void **)&known));
  *factor = *known - 1;
  if (*known > 0) return TG_OK;
  TG_TRY(tg_low_factor_new(l, is_svd ? TG_FACTOR_OF_SVD : TG_FACTOR_OF_EIGEN, node, factor));
  *known = *factor + 1;
  return TG_OK;
}

// The decomposition of a matrix, made at its first use in setup or in the program.
static tg_status decompose(tg_lowering *l, tg_node node, bool is_svd, int32_t *factor)
{
  tg_low_memo *memo = NULL;
  int32_t buffer = -1;
  const tg_program_id programs[2] = {l->program, TG_PROGRAM_SETUP};
  for (int p = 0; p < 2; p++) {
    const tg_low_list *list = &l->memo[programs[p]];
    if (node >= list->count) continue;
    memo = (tg_low_memo *)list->items + node;
    if (memo->has_spectrum[is_svd]) return factor_of(l, node, is_svd, factor);
  }
  const tg_program_id before = tg_low_enter(l, node);
  tg_status status = tg_low_plain(l, node, &buffer);
  if (status == TG_OK) status = factor_of(l, node, is_svd, factor);
  if (status == TG_OK) status = tg_low_unary(l, is_svd ? TG_OP_SVD : TG_OP_EIGEN, *factor, buffer);
  if (status == TG_OK) status = tg_low_at(&l->memo[l->program], sizeof *memo, node, (void **)&memo);
  if (status == TG_OK) memo->has_spectrum[is_svd] = true;
  l->program = before;
  return status;
}

tg_status tg_low_spectrum_part(tg_lowering *l, tg_node node, int32_t *buffer)
{
  const tg_info *info = tg_node_info(l->graph, node);
  const bool is_values = info->kind == TG_EIGVALUES || info->kind == TG_SINGULARVALUES;
  const bool is_svd = info->kind != TG_EIGVALUES && info->kind != TG_EIGVECTORS;
  tg_instr instr = tg_instr_make(is_values ? TG_OP_VALUES : TG_OP_VECTORS, -1);
  TG_TRY(decompose(l, info->args[0], is_svd, &instr.factor));
  TG_TRY(tg_low_buffer_new(l, node, false, buffer));
  instr.out = *buffer;
  instr.trans[0] = info->kind == TG_RIGHTVECTORS;
  instr.dims[0] = info->exponent;
  return tg_low_append(l, &instr);
}
