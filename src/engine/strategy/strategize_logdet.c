// The preconditioner of -c logdet(X) by its symbols: what else the objective has, a polynomial of degree 2, and its
// Hessian.
#include <stddef.h>

#include "engine/strategy/strategy_parts.h"

// The number c of a term -c logdet(X) of f, and f without it.
static tg_status split(tg_graph *g, tg_node f, int32_t wrt, double *c, tg_node *rest)
{
  const tg_info info = *tg_node_info(g, f);
  tg_node logdet = TG_NONE;
  *c = 0;
  *rest = TG_NONE;
  TG_TRY(tg_make_sym(g, wrt, &logdet));
  TG_TRY(tg_make_unary(g, TG_LOGDET, logdet, &logdet));
  for (int32_t k = 0; info.kind == TG_LIN && k < info.n_args; k++)
    if (info.args[k] == logdet) *c = -info.coefs[k];
  if (!(*c > 0)) return TG_OK;
  return tg_make_lin(g, 2, (const double[]){1, *c}, (const tg_node[]){f, logdet}, rest);
}

// The symmetric part of the gradient of f at zero, TG_NONE where it vanishes.
static tg_status find_linear(tg_graph *g, tg_node f, int32_t wrt, tg_node *out)
{
  tg_node turned = TG_NONE;
  TG_TRY(tg_closed_linear_term(g, f, wrt, out));
  if (tg_node_is_zero(g, *out)) {
    *out = TG_NONE;
    return TG_OK;
  }
  TG_TRY(tg_make_trans(g, *out, &turned));
  return turned == *out ? TG_OK : tg_make_lin(g, 2, (const double[]){0.5, 0.5}, (const tg_node[]){*out, turned}, out);
}

tg_status tg_strategy_find_logdet(const tg_deciding *d, tg_node f, tg_offer *offer)
{
  const tg_strategy_variable *x = &d->facts->variables[0];
  double c = 0;
  tg_node rest = TG_NONE;
  offer->logdet = 0;
  offer->n_rest = 0;
  if (d->facts->n_variables != 1 || x->set.kind != OPT_CONSTRAINT_FREE || d->facts->rounds != NULL ||
      (x->domain & TG_SPD) == 0)
    return TG_OK;
  TG_TRY(split(d->graph, f, x->symbol, &c, &rest));
  if (!(c > 0)) return TG_OK;
  const int degree = tg_degree(d->graph, rest, 1, &x->symbol);
  if (degree < 0 || degree > 2) return TG_OK;
  offer->logdet = c;
  TG_TRY(find_linear(d->graph, rest, x->symbol, &offer->linear));
  if (degree < 2) return TG_OK;
  return tg_precondition_terms(d->graph, rest, x->symbol, TG_STRATEGY_TERMS, &offer->n_rest, offer->rest);
}
