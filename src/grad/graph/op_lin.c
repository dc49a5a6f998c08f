// Sums with coefficients: sum_k c_k T_k, like terms collected, in a stable order.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grad/graph/op.h"

typedef struct term {
  double coef;
  tg_node node;
} term;

// Room that `n` operands need once nested sums are opened.
static int64_t opened_count(const tg_graph *g, int32_t n, const tg_node *terms)
{
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(g, terms[i]);
    count += info->kind == TG_LIN ? info->n_args : 1;
  }
  return count;
}

// Opens nested sums, drops zeros, turns numbers into coefficients of the number 1.
static tg_status open_terms(tg_graph *g, int32_t n, const double *coefs, const tg_node *nodes, term *out,
                            int32_t *count)
{
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  *count = 0;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(g, nodes[i]);
    if (coefs[i] == 0.0 || tg_node_is_zero(g, nodes[i])) continue;
    if (info->kind == TG_NUM) {
      out[(*count)++] = (term){tg_coef_product(coefs[i], info->value), one};
    } else if (info->kind == TG_LIN) {
      for (int32_t k = 0; k < info->n_args; k++)
        out[(*count)++] = (term){tg_coef_product(coefs[i], info->coefs[k]), info->args[k]};
    } else {
      out[(*count)++] = (term){coefs[i], nodes[i]};
    }
  }
  return TG_OK;
}

// Merge sort: stable, no recursion on the graph, and qsort has no context argument in C17.
static void sort_terms(const tg_graph *g, term *terms, term *buffer, int32_t n)
{
  for (int32_t width = 1; width < n; width *= 2) {
    for (int32_t begin = 0; begin < n; begin += 2 * width) {
      const int32_t middle = begin + width < n ? begin + width : n;
      const int32_t end = begin + 2 * width < n ? begin + 2 * width : n;
      int32_t i = begin;
      int32_t j = middle;
      for (int32_t k = begin; k < end; k++) {
        const bool left = j == end || (i < middle && tg_node_compare(g, terms[i].node, terms[j].node) <= 0);
        buffer[k] = left ? terms[i++] : terms[j++];
      }
    }
    memcpy(terms, buffer, sizeof(term) * (size_t)n);
  }
}

// Adds up neighbours of equal node; returns the number of terms left.
static int32_t merge_terms(term *terms, int32_t n)
{
  int32_t kept = 0;
  for (int32_t i = 0; i < n; i++) {
    if (kept > 0 && terms[kept - 1].node == terms[i].node) {
      terms[kept - 1].coef = tg_coef_sum(terms[kept - 1].coef, terms[i].coef);
    } else {
      if (kept > 0 && terms[kept - 1].coef == 0.0) kept--;
      terms[kept++] = terms[i];
    }
  }
  if (kept > 0 && terms[kept - 1].coef == 0.0) kept--;
  return kept;
}

static tg_status intern_terms(tg_graph *g, tg_node like, const term *terms, int32_t n, tg_node *out)
{
  tg_node *args = NULL;
  double *coefs = NULL;
  TG_TRY(TG_SCRATCH(g, n, &args));
  TG_TRY(TG_SCRATCH(g, n, &coefs));
  for (int32_t i = 0; i < n; i++) {
    args[i] = terms[i].node;
    coefs[i] = terms[i].coef;
    if (!isfinite(coefs[i])) TG_FAIL(TG_VALUE, "a coefficient in the expression overflows");
  }
  const tg_info *shape = tg_node_info(g, like);
  return tg_intern(
      g,
      &(tg_info){.kind = TG_LIN, .rows = shape->rows, .cols = shape->cols, .n_args = n, .args = args, .coefs = coefs},
      out);
}

tg_status tg_make_lin(tg_graph *g, int32_t n, const double *coefs, const tg_node *terms, tg_node *out)
{
  TG_ASSERT(n >= 1);
  const tg_node like = terms[0];
  for (int32_t i = 1; i < n; i++) {
    const tg_info *first = tg_node_info(g, like);
    const tg_info *info = tg_node_info(g, terms[i]);
    if (first->rows != info->rows || first->cols != info->cols)
      TG_FAIL(TG_INTERNAL, "a sum of different shapes reached the graph");
  }
  const int64_t room = opened_count(g, n, terms);
  term *list = NULL;
  term *buffer = NULL;
  int32_t count = 0;
  TG_TRY(TG_SCRATCH(g, room, &list));
  TG_TRY(TG_SCRATCH(g, room, &buffer));
  TG_TRY(open_terms(g, n, coefs, terms, list, &count));
  sort_terms(g, list, buffer, count);
  count = merge_terms(list, count);
  if (count == 0) return tg_make_zero_like(g, like, out);
  if (count == 1 && tg_node_is_number(g, list[0].node, NULL)) return tg_make_num(g, list[0].coef, out);
  if (count == 1 && list[0].coef == 1.0) {
    *out = list[0].node;
    return TG_OK;
  }
  return intern_terms(g, like, list, count, out);
}

tg_status tg_make_add(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_lin(g, 2, (const double[]){1.0, 1.0}, (const tg_node[]){a, b}, out);
}

tg_status tg_make_sub(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_lin(g, 2, (const double[]){1.0, -1.0}, (const tg_node[]){a, b}, out);
}

tg_status tg_make_scale(tg_graph *g, double factor, tg_node a, tg_node *out)
{
  return tg_make_lin(g, 1, &factor, &a, out);
}

static double greatest_common_divisor(double a, double b)
{
  while (b != 0.0) {
    const double rest = fmod(a, b);
    a = b;
    b = rest;
  }
  return a;
}

static int32_t factor_count(const tg_info *info)
{
  return info->kind == TG_PROD ? info->n_args : 1;
}

// The sign that makes the sum read best, the same for a sum and its transpose: that of most terms; between equal
// numbers, of the longest product.
static bool is_negative(const tg_graph *g, const tg_info *lin)
{
  int32_t balance = 0;
  int32_t leader = 0;
  for (int32_t i = 0; i < lin->n_args; i++) {
    const tg_info *best = tg_node_info(g, lin->args[leader]);
    const tg_info *info = tg_node_info(g, lin->args[i]);
    const int32_t longer = factor_count(info) - factor_count(best);
    balance += lin->coefs[i] > 0.0 ? 1 : -1;
    if (longer > 0 || (longer == 0 && info->mirror < best->mirror)) leader = i;
  }
  return balance != 0 ? balance < 0 : lin->coefs[leader] < 0.0;
}

tg_status tg_take_content(tg_graph *g, tg_node node, double *content, tg_node *out)
{
  *content = 1.0;
  *out = node;
  const tg_info *info = tg_node_info(g, node);
  if (info->kind != TG_LIN) return TG_OK;
  double divisor = 0.0;
  bool whole = true;
  bool equal = true;
  for (int32_t i = 0; i < info->n_args; i++) {
    const double size = fabs(info->coefs[i]);
    whole = whole && size == floor(size) && size < 1e15;
    equal = equal && size == fabs(info->coefs[0]);
    if (whole) divisor = greatest_common_divisor(divisor, size);
  }
  if (!whole) divisor = 1.0;
  if (equal) divisor = fabs(info->coefs[0]);
  if (is_negative(g, info)) divisor = -divisor;
  if (divisor == 1.0) return TG_OK;
  double *coefs = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &coefs));
  // Equal magnitudes become exactly +-1; whole numbers divide exactly.
  for (int32_t i = 0; i < info->n_args; i++) coefs[i] = info->coefs[i] / divisor;
  *content = divisor;
  return tg_make_lin(g, info->n_args, coefs, info->args, out);
}

static tg_status remake_lin(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  return tg_make_lin(g, info->n_args, info->coefs, args, out);
}

// d(sum c_k T_k) = sum c_k dT_k
static tg_status forward_lin(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node *terms = NULL;
  double *coefs = NULL;
  int32_t count = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args, &terms));
  TG_TRY(TG_SCRATCH(g, info->n_args, &coefs));
  for (int32_t i = 0; i < info->n_args; i++) {
    if (dargs[i] == TG_NONE) continue;
    terms[count] = dargs[i];
    coefs[count++] = info->coefs[i];
  }
  return tg_make_lin(g, count, coefs, terms, out);
}

static tg_status reverse_lin(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  return tg_make_scale(g, tg_node_info(g, node)->coefs[k], adjoint, out);
}

static tg_status jacobian_lin(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_dim size = 0;
  tg_node identity = TG_NONE;
  TG_TRY(tg_dim_product(g, info->rows, info->cols, &size));
  TG_TRY(tg_make_identity(g, size, &identity));
  return tg_make_scale(g, info->coefs[k], identity, out);
}

static tg_status sample_lin(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_info *info = tg_node_info(g, node);
  for (int32_t k = 0; k < info->n_args; k++)
    for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] += info->coefs[k] * args[k].data[i];
  return TG_OK;
}

int tg_degree_linear(const tg_graph *g, tg_node node, const int *args)
{
  const tg_info *info = tg_node_info(g, node);
  int degree = 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (args[i] < 0) return -1;
    if (args[i] > degree) degree = args[i];
  }
  return degree;
}

int tg_degree_product(const tg_graph *g, tg_node node, const int *args)
{
  const tg_info *info = tg_node_info(g, node);
  int degree = 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (args[i] < 0) return -1;
    degree += args[i];
  }
  return degree;
}

int tg_degree_none(const tg_graph *g, tg_node node, const int *args)
{
  (void)g;
  (void)node;
  (void)args;
  return -1;
}

const tg_op tg_op_lin = {.name = "sum",
                         .remake = remake_lin,
                         .forward = forward_lin,
                         .reverse = reverse_lin,
                         .jacobian = jacobian_lin,
                         .sample = sample_lin,
                         .degree = tg_degree_linear};
