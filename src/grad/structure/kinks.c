// Absolute values and positive parts of affine functions, recognised among the terms of a sum.
#include "grad/structure/kinks.h"

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/entry.h"

tg_status tg_kinks_add(tg_graph *graph, tg_kink kink, tg_kink *kinks, int *n_kinks)
{
  tg_node opposite = TG_NONE;
  TG_TRY(tg_make_scale(graph, -1, kink.inside, &opposite));
  for (int k = 0; k < *n_kinks; k++) {
    const bool is_same = kinks[k].inside == kink.inside;
    if ((!is_same && kinks[k].inside != opposite) || kinks[k].weight != kink.weight) continue;
    kinks[k].low += is_same ? kink.low : -kink.high;
    kinks[k].high += is_same ? kink.high : -kink.low;
    return TG_OK;
  }
  if (*n_kinks == TG_KINKS_MAX)
    TG_FAIL(TG_LIMIT, "more than %d terms norm1 and sum(relu) of different expressions", TG_KINKS_MAX);
  kinks[(*n_kinks)++] = kink;
  return TG_OK;
}

static bool has_kink(const tg_info *info)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  return f != NULL && f->kink.kind == TG_KINK_AT_ZERO;
}

static tg_kink kink_of(const tg_info *info)
{
  const tg_entry_kink kink = tg_entry(info->kind)->kink;
  return (tg_kink){.low = kink.low, .high = kink.high};
}

// The node as one kink of weight 1; false: it is none.
static bool is_kink(const tg_graph *graph, tg_node node, int32_t n, const int32_t *wrt, tg_kink *out)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_SUM)
    info = tg_node_info(graph, info->args[0]);
  else if (!tg_node_is_scalar(graph, node))
    return false;
  if (!has_kink(info)) return false;
  *out = kink_of(info);
  out->inside = info->args[0];
  return tg_degree(graph, out->inside, n, wrt) == 1;
}

// The number that the scalar node stands for, 0 where it is none that is known.
static double number_of(const tg_graph *graph, tg_node node, const double *values, const bool *is_known)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_NUM) return info->value;
  return info->kind == TG_SYM && is_known[info->symbol] ? values[info->symbol] : 0;
}

// tr(W*abs(E)') and its kin, w'*abs(e): the constant factor as it stands, which is to be turned where abs(E) is not.
static bool is_weighted(const tg_graph *graph, tg_node node, int32_t n, const int32_t *wrt, tg_node *function,
                        tg_node *weight, bool *turn)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind != TG_TR && !tg_node_is_scalar(graph, node)) return false;
  if (info->kind == TG_TR) info = tg_node_info(graph, info->args[0]);
  if (info->kind != TG_PROD || info->n_scalars != 0 || info->n_args != 2) return false;
  for (int k = 0; k < 2; k++) {
    const tg_info *factor = tg_node_info(graph, info->args[k]);
    *turn = factor->kind != TG_TRANS;
    *function = *turn ? info->args[k] : factor->args[0];
    *weight = info->args[1 - k];
    const tg_info *f = tg_node_info(graph, *function);
    if (!has_kink(f)) continue;
    if (tg_degree(graph, *weight, n, wrt) == 0 && tg_degree(graph, f->args[0], n, wrt) == 1) return true;
  }
  return false;
}

// A term with weights as a kink of W.*E, the term's number in W; out->inside is TG_NONE where it is none.
static tg_status read_weighted_term(tg_graph *graph, tg_node term, double coef, int32_t n, const int32_t *wrt,
                                    const double *values, const bool *is_known, tg_kink *out)
{
  const tg_info *info = tg_node_info(graph, term);
  const bool is_scaled = info->kind == TG_PROD && info->n_scalars == info->n_args;
  tg_node found = is_scaled ? TG_NONE : term;
  tg_node function = TG_NONE;
  tg_node weight = TG_NONE;
  bool turn = false;
  *out = (tg_kink){.inside = TG_NONE};
  for (int32_t i = 0; i < info->n_args && is_scaled; i++) {
    const bool is_one = is_weighted(graph, info->args[i], n, wrt, &function, &weight, &turn);
    if (is_one && found != TG_NONE) return TG_OK; // a product of two
    if (is_one) found = info->args[i];
    if (!is_one) coef *= number_of(graph, info->args[i], values, is_known);
  }
  if (found == TG_NONE || coef == 0 || !is_weighted(graph, found, n, wrt, &function, &weight, &turn)) return TG_OK;
  if (turn) TG_TRY(tg_make_trans(graph, weight, &weight));
  TG_TRY(tg_make_scale(graph, coef, weight, &weight));
  info = tg_node_info(graph, function);
  *out = kink_of(info);
  out->weight = weight;
  return tg_make_had(graph, 2, (const tg_node[]){weight, info->args[0]}, &out->inside);
}

static bool read_term(const tg_graph *graph, tg_node term, double coef, int32_t n, const int32_t *wrt,
                      const double *values, const bool *is_known, tg_kink *out)
{
  const tg_info *info = tg_node_info(graph, term);
  double weight = coef;
  bool found = false;
  if (info->kind != TG_PROD) {
    found = is_kink(graph, term, n, wrt, out);
  } else {
    if (info->n_scalars != info->n_args) return false;
    for (int32_t i = 0; i < info->n_args; i++) {
      tg_kink kink;
      const bool is_one = is_kink(graph, info->args[i], n, wrt, &kink);
      if (is_one && found) return false; // a product of two
      if (is_one) *out = kink;
      found = found || is_one;
      if (!is_one) weight *= number_of(graph, info->args[i], values, is_known);
    }
  }
  if (!found || !(weight > 0)) return false;
  out->low *= weight;
  out->high *= weight;
  return true;
}

tg_status tg_kinks_split(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                         const bool *is_known, tg_kink *kinks, int *n_kinks, tg_node *rest)
{
  const tg_info *info = tg_node_info(graph, f);
  const bool is_sum = info->kind == TG_LIN;
  const int32_t n_terms = is_sum ? info->n_args : 1;
  tg_node *others = NULL;
  double *coefs = NULL;
  int32_t n_others = 0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(TG_NEW(n_terms, &others));
  TG_TRY_GOTO(TG_NEW(n_terms, &coefs));
  for (int32_t i = 0; i < n_terms; i++) {
    info = tg_node_info(graph, f); // the graph may have grown
    const tg_node term = is_sum ? info->args[i] : f;
    const double coef = is_sum ? info->coefs[i] : 1;
    tg_kink kink;
    TG_TRY_GOTO(read_weighted_term(graph, term, coef, n, wrt, values, is_known, &kink));
    if (kink.inside != TG_NONE || read_term(graph, term, coef, n, wrt, values, is_known, &kink)) {
      TG_TRY_GOTO(tg_kinks_add(graph, kink, kinks, n_kinks));
    } else {
      others[n_others] = term;
      coefs[n_others++] = coef;
    }
  }
  status = n_others > 0 ? tg_make_lin(graph, n_others, coefs, others, rest) : tg_make_num(graph, 0, rest);
done:
  tg_free(others);
  tg_free(coefs);
  return status;
}

static bool is_of_vectors(tg_kind kind)
{
  return kind == TG_POLAR || kind == TG_DYAD || kind == TG_DPOLAR || kind == TG_DDYAD;
}

tg_status tg_kinks_find_jumps(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, bool *out)
{
  uint8_t *below = NULL;
  *out = false;
  TG_TRY(tg_node_find_below(graph, f, &below));
  for (tg_node node = 1; node <= f && !*out; node++) {
    if (below[node] == 0 || !is_of_vectors(tg_node_info(graph, node)->kind)) continue;
    for (int32_t k = 0; k < n && !*out; k++) *out = tg_node_depends_on(graph, node, wrt[k]);
  }
  tg_free(below);
  return TG_OK;
}
