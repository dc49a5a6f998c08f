// Sums brought over one denominator where terms cancel: 1/d - u/d^2 with d = u + 1 is 1/d^2.
//
// Both sides are defined at the same values, for d^-p and d^(-p-1) with any p > 0.
#include "grad/graph/op.h"

enum { TERMS_MAX = 16 }; // of the sum and of the denominator: each pair of them is looked at

// The exponent of `base` among the commuting factors of a term, 0 where it is none.
static double exponent_in(const tg_graph *g, tg_node term, tg_node base)
{
  const tg_info *info = tg_node_info(g, term);
  double exponent = 1.0;
  if (tg_pow_base(g, term, &exponent) == base) return exponent;
  const int32_t n = info->kind == TG_HAD ? info->n_args : info->kind == TG_PROD ? info->n_scalars : 0;
  for (int32_t i = 0; i < n; i++)
    if (tg_pow_base(g, info->args[i], &exponent) == base) return exponent;
  // An entrywise product below scalar factors.
  if (info->kind == TG_PROD && info->n_args == info->n_scalars + 1 && !tg_node_is_scalar(g, base))
    return exponent_in(g, info->args[n], base);
  return 0.0;
}

static tg_status times(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_had(g, 2, (const tg_node[]){a, b}, out); // of scalars: their product
}

// The terms with base^lowest and base^(lowest+1), multiplied by base^-lowest: the sum of their numerators.
static tg_status add_numerators(tg_graph *g, const tg_info *lin, tg_node base, double lowest, int32_t *n_terms,
                                tg_node *out)
{
  const tg_info *d = tg_node_info(g, base);
  tg_node terms[TERMS_MAX * TERMS_MAX];
  double coefs[TERMS_MAX * TERMS_MAX];
  int32_t n = 0;
  *n_terms = 0;
  *out = TG_NONE;
  for (int32_t i = 0; i < lin->n_args; i++) {
    const double exponent = exponent_in(g, lin->args[i], base);
    tg_node inverse = TG_NONE;
    tg_node numerator = TG_NONE;
    if (exponent != lowest && exponent != lowest + 1.0) continue;
    (*n_terms)++;
    TG_TRY(tg_make_pow_number(g, base, -exponent, &inverse));
    TG_TRY(times(g, lin->args[i], inverse, &numerator));
    for (int32_t k = 0; k < (exponent == lowest ? 1 : d->n_args); k++) {
      terms[n] = numerator;
      coefs[n] = exponent == lowest ? lin->coefs[i] : tg_coef_product(lin->coefs[i], d->coefs[k]);
      if (exponent != lowest) TG_TRY(times(g, numerator, d->args[k], &terms[n]));
      n++;
    }
  }
  return n > 0 ? tg_make_lin(g, n, coefs, terms, out) : TG_OK;
}

static int32_t count_terms(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  return tg_node_is_zero(g, node) ? 0 : info->kind == TG_LIN ? info->n_args : 1;
}

// One denominator tried; *out stays the node where nothing cancels.
static tg_status try_base(tg_graph *g, tg_node node, tg_node base, double lowest, tg_node *out)
{
  const tg_info *lin = tg_node_info(g, node);
  tg_node sum = TG_NONE;
  tg_node power = TG_NONE;
  tg_node terms[TERMS_MAX + 1];
  double coefs[TERMS_MAX + 1];
  int32_t n_before = 0;
  int32_t n = 0;
  TG_TRY(add_numerators(g, lin, base, lowest, &n_before, &sum));
  if (n_before < 2 || count_terms(g, sum) >= n_before) return TG_OK;
  TG_TRY(tg_make_pow_number(g, base, lowest, &power));
  TG_TRY(times(g, power, sum, &terms[n]));
  coefs[n++] = 1.0;
  for (int32_t i = 0; i < lin->n_args; i++) {
    const double exponent = exponent_in(g, lin->args[i], base);
    if (exponent == lowest || exponent == lowest + 1.0) continue;
    coefs[n] = lin->coefs[i];
    terms[n++] = lin->args[i];
  }
  return tg_make_lin(g, n, coefs, terms, out);
}

// Every base of a negative power in the term, a sum of few terms, is tried.
static tg_status try_bases_of(tg_graph *g, tg_node node, tg_node term, tg_node *out)
{
  const tg_info *info = tg_node_info(g, term);
  const bool is_product = info->kind == TG_HAD || info->kind == TG_PROD;
  const bool is_scaled = info->kind == TG_PROD && info->n_args == info->n_scalars + 1; // scalars times one matrix
  const int32_t n = !is_product ? 1 : info->kind == TG_PROD && !is_scaled ? info->n_scalars : info->n_args;
  for (int32_t i = 0; i < n && *out == node; i++) {
    const tg_node factor = is_product ? info->args[i] : term;
    double exponent = 1.0;
    const tg_node base = tg_pow_base(g, factor, &exponent);
    const tg_info *d = tg_node_info(g, base);
    if (is_product && tg_node_info(g, factor)->kind == TG_HAD) TG_TRY(try_bases_of(g, node, factor, out));
    if (exponent >= 0.0 || d->kind != TG_LIN || d->n_args > TERMS_MAX) continue;
    TG_TRY(try_base(g, node, base, exponent, out));
  }
  return TG_OK;
}

tg_status tg_join_denominators(tg_graph *g, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  *out = node;
  if (info->kind != TG_LIN || info->n_args < 2 || info->n_args > TERMS_MAX) return TG_OK;
  for (int32_t i = 0; i < info->n_args && *out == node; i++) TG_TRY(try_bases_of(g, node, info->args[i], out));
  // The sum became shorter.
  return *out != node ? tg_join_denominators(g, *out, out) : TG_OK;
}
