// Sums in which sigmoid(-z) and sigmoid(z) meet: with sigmoid(-z) = 1 - sigmoid(z) and products multiplied out, terms
// may cancel, as in the gradient of a cross entropy, (1 - y).*sigmoid(z) - y.*sigmoid(-z) = sigmoid(z) - y.
#include <string.h>

#include "grad/graph/op.h"

enum { TERMS_MAX = 12, OPENED_MAX = 64 };

typedef struct opened {
  int32_t n;
  double coefs[OPENED_MAX];
  tg_node terms[OPENED_MAX];
} opened;

// The commuting factors of a term: those of an entrywise product, or the scalars of a product of scalars alone.
static int32_t factors_of(const tg_graph *g, const tg_node *term, const tg_node **factors)
{
  const tg_info *info = tg_node_info(g, *term);
  const bool is_product = info->kind == TG_HAD || (info->kind == TG_PROD && info->n_scalars == info->n_args);
  *factors = is_product ? info->args : term;
  return is_product ? info->n_args : 1;
}

// How long a sum reads: its factors, with the terms of sums among them.
static int32_t length_of(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  int32_t length = 0;
  if (tg_node_is_zero(g, node)) return 0;
  if (info->kind != TG_LIN) {
    const tg_node *factors = NULL;
    const int32_t n = factors_of(g, &node, &factors);
    for (int32_t i = 0; i < n; i++) {
      const tg_info *factor = tg_node_info(g, factors[i]);
      length += factor->kind == TG_LIN ? factor->n_args : 1;
    }
    return length;
  }
  for (int32_t i = 0; i < info->n_args; i++) length += length_of(g, info->args[i]);
  return length;
}

static bool has_factor(const tg_graph *g, const tg_info *lin, tg_node wanted)
{
  for (int32_t i = 0; i < lin->n_args; i++) {
    const tg_node *factors = NULL;
    const int32_t n = factors_of(g, &lin->args[i], &factors);
    for (int32_t k = 0; k < n; k++)
      if (factors[k] == wanted) return true;
  }
  return false;
}

// Each part times each term of the sum.
static tg_status multiply_out(tg_graph *g, opened *parts, int32_t n, const double *coefs, const tg_node *terms)
{
  opened product = {.n = 0};
  if (parts->n * n > OPENED_MAX) {
    parts->n = 0; // too long: given up
    return TG_OK;
  }
  for (int32_t i = 0; i < parts->n; i++)
    for (int32_t k = 0; k < n; k++) {
      const tg_node pair[2] = {parts->terms[i], terms[k]};
      product.coefs[product.n] = tg_coef_product(parts->coefs[i], coefs[k]);
      TG_TRY(tg_make_had(g, 2, pair, &product.terms[product.n++]));
    }
  *parts = product;
  return TG_OK;
}

// One term with `negative` = sigmoid(-z) as 1 - `positive` and the sums among its factors multiplied out.
static tg_status open_term(tg_graph *g, tg_node term, tg_node negative, tg_node positive, opened *out)
{
  const tg_info *info = tg_node_info(g, term);
  const tg_node *factors = NULL;
  const int32_t n = factors_of(g, &term, &factors);
  tg_node one = TG_NONE;
  TG_TRY(tg_make_ones(g, info->rows, info->cols, &one));
  *out = (opened){.n = 1, .coefs = {1.0}, .terms = {one}};
  for (int32_t k = 0; k < n; k++) {
    const tg_info *factor = tg_node_info(g, factors[k]);
    const double plain = 1.0;
    if (factors[k] == negative)
      TG_TRY(multiply_out(g, out, 2, (const double[]){1.0, -1.0}, (const tg_node[]){one, positive}));
    else if (factor->kind == TG_LIN)
      TG_TRY(multiply_out(g, out, factor->n_args, factor->coefs, factor->args));
    else
      TG_TRY(multiply_out(g, out, 1, &plain, &factors[k]));
  }
  return TG_OK;
}

static tg_status open_sum(tg_graph *g, const tg_info *lin, tg_node negative, tg_node positive, tg_node *out)
{
  double coefs[TERMS_MAX * OPENED_MAX];
  tg_node terms[TERMS_MAX * OPENED_MAX];
  int32_t n = 0;
  *out = TG_NONE;
  for (int32_t i = 0; i < lin->n_args; i++) {
    opened parts = {.n = 0};
    TG_TRY(open_term(g, lin->args[i], negative, positive, &parts));
    if (parts.n == 0) return TG_OK;
    for (int32_t k = 0; k < parts.n; k++) {
      coefs[n] = tg_coef_product(lin->coefs[i], parts.coefs[k]);
      terms[n++] = parts.terms[k];
    }
  }
  return tg_make_lin(g, n, coefs, terms, out);
}

static bool has_ones(const tg_graph *g, const tg_info *lin)
{
  bool found = false;
  for (int32_t i = 0; i < lin->n_args; i++) {
    const tg_kind kind = tg_node_info(g, lin->args[i])->kind;
    found = found || kind == TG_ONES || kind == TG_NUM;
  }
  return found;
}

// The sum with this sigmoid of z written by that of -z, where both occur, or a one beside sigmoid(-z); kept where it is
// shorter than the best so far.
static tg_status try_sigmoid(tg_graph *g, const tg_info *lin, tg_node sigmoid, tg_node *best)
{
  const tg_info *info = tg_node_info(g, sigmoid);
  double content = 1.0;
  tg_node other = TG_NONE;
  tg_node sum = TG_NONE;
  if (info->kind != TG_SIGMOID) return TG_OK;
  TG_TRY(tg_take_content(g, info->args[0], &content, &other));
  TG_TRY(tg_make_scale(g, -1.0, info->args[0], &other));
  TG_TRY(tg_make_function(g, TG_SIGMOID, other, &other));
  if (!has_factor(g, lin, other) && (content > 0.0 || !has_ones(g, lin))) return TG_OK;
  TG_TRY(open_sum(g, lin, sigmoid, other, &sum));
  if (sum != TG_NONE && length_of(g, sum) < length_of(g, *best)) *best = sum;
  return TG_OK;
}

tg_status tg_join_logistic(tg_graph *g, tg_node node, tg_node *out)
{
  const tg_info *lin = tg_node_info(g, node);
  *out = node;
  if (lin->kind != TG_LIN || lin->n_args < 2 || lin->n_args > TERMS_MAX) return TG_OK;
  for (int32_t i = 0; i < lin->n_args; i++) {
    const tg_node *factors = NULL;
    const int32_t n = factors_of(g, &lin->args[i], &factors);
    for (int32_t k = 0; k < n; k++) TG_TRY(try_sigmoid(g, lin, factors[k], out));
  }
  return *out == node ? TG_OK : tg_join_logistic(g, *out, out);
}
