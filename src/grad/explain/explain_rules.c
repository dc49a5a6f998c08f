// Differential rules: one for each operator, each naming itself.
#include "grad/explain/explain_parts.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

// d(sum c_k T_k) = sum c_k dT_k
static tg_status open_lin(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term *terms = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!tg_explain_active(e, info->args[i])) continue;
    terms[n] = *t;
    terms[n].coef *= info->coefs[i];
    terms[n++].z = info->args[i];
  }
  return tg_explain_branch(
      e, n, terms, n < info->n_args ? "d(X + Y) = dX + dY; constants have differential zero" : "d(X + Y) = dX + dY");
}

// One term of the product rule: the differential of factor k, the others beside it.
static tg_status product_term(tg_explainer *e, const tg_info *info, int32_t k, tg_explain_term *t)
{
  t->z = info->args[k];
  for (int32_t i = 0; i < info->n_scalars; i++)
    if (i != k) TG_TRY(tg_explain_times_scalar(e, info->args[i], t));
  const tg_node *chain = info->args + info->n_scalars;
  const int32_t n_chain = info->n_args - info->n_scalars;
  if (k < info->n_scalars) return n_chain > 0 ? tg_explain_push_left(e, t, n_chain, chain) : TG_OK;
  TG_TRY(tg_explain_push_left(e, t, k - info->n_scalars, chain));
  return tg_explain_push_right(e, t, info->n_args - 1 - k, info->args + k + 1);
}

tg_status tg_explain_open_prod(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term *terms = NULL;
  int32_t n = 0;
  int32_t n_active = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!tg_explain_active(e, info->args[k])) continue;
    n_active++;
    terms[n] = *t;
    TG_TRY(product_term(e, info, k, &terms[n++]));
  }
  return tg_explain_branch(
      e, n, terms, n_active > 1 ? "product rule: d(X*Y) = dX*Y + X*dY" : "constant factors stay: d(A*X*B) = A*dX*B");
}

static tg_status open_had(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term *terms = NULL;
  tg_node *others = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &others));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!tg_explain_active(e, info->args[k])) continue;
    int32_t m = 0;
    for (int32_t i = 0; i < info->n_args; i++)
      if (i != k) others[m++] = info->args[i];
    terms[n] = *t;
    terms[n].z = info->args[k];
    TG_TRY(tg_make_had(e->g, m, others, &terms[n++].had));
  }
  return tg_explain_branch(e, n, terms,
                           n > 1 ? "product rule: d(X.*Y) = dX.*Y + X.*dY" : "a constant entrywise factor stays");
}

// ds(Z) = s'(Z) .* dZ, and for scalars s'(z) dz: one term, by argument k of the function.
static tg_status entrywise_term(tg_explainer *e, const tg_explain_term *t, int32_t k, tg_explain_term *out)
{
  const tg_info *info = tg_node_info(e->g, t->z);
  tg_node ones = TG_NONE;
  tg_node dargs[2] = {TG_NONE, TG_NONE};
  tg_node slope = TG_NONE;
  const tg_info *arg = tg_node_info(e->g, info->args[k]);
  *out = *t;
  // The slope is the differential along ones.
  TG_TRY(tg_make_ones(e->g, arg->rows, arg->cols, &ones));
  dargs[k] = ones;
  TG_TRY(tg_op_get(info->kind)->forward(e->g, t->z, dargs, &slope));
  out->z = info->args[k];
  if (tg_node_is_scalar(e->g, t->z)) return tg_explain_times_scalar(e, slope, out);
  if (tg_node_is_scalar(e->g, info->args[k])) return tg_explain_push_left(e, out, 1, &slope);
  tg_split split;
  TG_TRY(tg_split_scalars(e->g, slope, &split));
  out->coef *= split.coef;
  if (split.scalars != TG_NONE) TG_TRY(tg_explain_times_scalar(e, split.scalars, out));
  out->had = tg_node_info(e->g, split.rest)->kind == TG_ONES ? TG_NONE : split.rest;
  return TG_OK;
}

static tg_status open_entrywise(tg_explainer *e, const tg_explain_term *t, int32_t k, const char *rule)
{
  tg_explain_term opened;
  TG_TRY(entrywise_term(e, t, k, &opened));
  return tg_explain_branch(e, 1, &opened, rule);
}

static tg_status open_pow(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  if (tg_explain_active(e, info->args[0]) && tg_explain_active(e, info->args[1])) {
    tg_explain_term terms[2];
    for (int32_t k = 0; k < 2; k++) TG_TRY(entrywise_term(e, t, k, &terms[k]));
    return tg_explain_branch(e, 2, terms, "d(x^p) = p*x^(p-1) dx + x^p*log(x) dp");
  }
  if (tg_explain_active(e, info->args[1])) return open_entrywise(e, t, 1, "d(a^x) = a^x*log(a) dx");
  double exponent = 0.0;
  if (tg_node_is_number(e->g, info->args[1], &exponent) && exponent == 0.5)
    return open_entrywise(e, t, 0, "d sqrt(x) = dx / (2*sqrt(x))");
  return open_entrywise(e, t, 0, "d(x^p) = p*x^(p-1) dx");
}

// d inv(Z) = -inv(Z) dZ inv(Z)
static tg_status open_inv(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term opened = *t;
  opened.coef = -t->coef;
  opened.z = info->args[0];
  TG_TRY(tg_explain_push_left(e, &opened, 1, &t->z));
  TG_TRY(tg_explain_push_right(e, &opened, 1, &t->z));
  return tg_explain_branch(e, 1, &opened, "d inv(X) = -inv(X)*dX*inv(X)");
}

static tg_status open_mpow(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term *terms = NULL;
  TG_TRY(TG_SCRATCH(e->g, info->exponent, &terms));
  for (int64_t i = 0; i < info->exponent; i++) {
    tg_node left = TG_NONE;
    tg_node right = TG_NONE;
    TG_TRY(tg_make_mpow(e->g, info->args[0], i, &left));
    TG_TRY(tg_make_mpow(e->g, info->args[0], info->exponent - 1 - i, &right));
    terms[i] = *t;
    terms[i].z = info->args[0];
    if (i > 0) TG_TRY(tg_explain_push_left(e, &terms[i], 1, &left));
    if (i + 1 < info->exponent) TG_TRY(tg_explain_push_right(e, &terms[i], 1, &right));
  }
  return tg_explain_branch(e, (int32_t)info->exponent, terms,
                           "power rule: d(X^k) = dX*X^(k-1) + X*dX*X^(k-2) + ... + X^(k-1)*dX");
}

// d det Z = det(Z) tr(inv(Z) dZ); d logdet Z = tr(inv(Z) dZ)
static tg_status open_determinant(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term opened = *t;
  tg_node inverse = TG_NONE;
  if (info->kind == TG_DET) TG_TRY(tg_explain_times_scalar(e, t->z, &opened));
  TG_TRY(tg_make_inv_by_parts(e->g, info->args[0], &inverse));
  opened.z = info->args[0];
  TG_TRY(tg_explain_push_left(e, &opened, 1, &inverse));
  return tg_explain_branch(e, 1, &opened,
                           info->kind == TG_DET ? "Jacobi's formula: d det(X) = det(X)*tr(inv(X)*dX)"
                                                : "d logdet(X) = tr(inv(X)*dX)");
}

// d sum(Z) = tr(ones' dZ)
static tg_status open_sum(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term opened = *t;
  tg_node ones = TG_NONE;
  const tg_info *arg = tg_node_info(e->g, info->args[0]);
  TG_TRY(tg_make_ones(e->g, arg->cols, arg->rows, &ones));
  opened.z = info->args[0];
  TG_TRY(tg_explain_push_left(e, &opened, 1, &ones));
  return tg_explain_branch(e, 1, &opened, "a sum of entries is a trace: sum(X) = tr(ones'*X)");
}

static tg_status open_tr(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term opened = *t;
  opened.z = info->args[0];
  return tg_explain_branch(e, 1, &opened, "the trace is linear: d tr(X) = tr(dX)");
}

// For the linear rearrangements (diag, diagvec, vec, its inverse, kron) and what has a linear differential (logsumexp):
// tr(M T(dZ)) = tr(N dZ), by T's adjoint.
static tg_status open_rearrangement(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  if (t->n_right > 0) return tg_explain_shift(e, t);
  const char *rule = tg_op_get(info->kind)->rule;
  TG_ASSERT(rule != NULL);
  tg_explain_term *terms = NULL;
  int32_t n = 0;
  tg_node weight = TG_NONE;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  TG_TRY(tg_explain_beside(e, t, info->rows, &weight));
  TG_TRY(tg_make_trans(e->g, weight, &weight));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!tg_explain_active(e, info->args[k])) continue;
    tg_node *left = NULL;
    TG_TRY(TG_SCRATCH(e->g, 1, &left));
    TG_TRY(tg_op_get(info->kind)->reverse(e->g, t->z, weight, k, &left[0]));
    TG_TRY(tg_make_trans(e->g, left[0], &left[0]));
    terms[n] = *t;
    terms[n].z = info->args[k];
    terms[n].n_left = 1;
    terms[n++].left = left;
  }
  return tg_explain_branch(e, n, terms, rule);
}

// d logsumexp(Z) = tr(S' dZ)
static tg_status open_logsumexp(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term opened = *t;
  tg_node softmax = TG_NONE;
  TG_TRY(tg_make_softmax(e->g, info->args[0], false, false, &softmax));
  TG_TRY(tg_make_trans(e->g, softmax, &softmax));
  opened.z = info->args[0];
  TG_TRY(tg_explain_push_left(e, &opened, 1, &softmax));
  return tg_explain_branch(e, 1, &opened, "d logsumexp(X) = tr(softmax(X)'*dX)");
}

// d f(Z) = tr(G' dZ) of a scalar f whose adjoint is G
static tg_status open_slope(tg_explainer *e, const tg_explain_term *t, const tg_info *info, const char *rule)
{
  tg_explain_term opened = *t;
  tg_node one = TG_NONE;
  tg_node slope = TG_NONE;
  TG_TRY(tg_make_num(e->g, 1.0, &one));
  TG_TRY(tg_op_get(info->kind)->reverse(e->g, t->z, one, 0, &slope));
  TG_TRY(tg_make_trans(e->g, slope, &slope));
  opened.z = info->args[0];
  TG_TRY(tg_explain_push_left(e, &opened, 1, &slope));
  return tg_explain_branch(e, 1, &opened, rule);
}

static tg_status open_larger(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  tg_explain_term terms[2];
  int32_t n = 0;
  for (int32_t k = 0; k < 2; k++)
    if (tg_explain_active(e, info->args[k])) TG_TRY(entrywise_term(e, t, k, &terms[n++]));
  return tg_explain_branch(e, n, terms,
                           info->kind == TG_MAX ? "d max(X,Y) = step(X-Y).*dX + step(Y-X).*dY, step = (1 + sign)/2"
                                                : "d min(X,Y) = step(Y-X).*dX + step(X-Y).*dY, step = (1 + sign)/2");
}

static tg_status open_function(tg_explainer *e, const tg_explain_term *t, const tg_info *info)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  TG_ASSERT(f != NULL);
  if (f->rule[0] == '\0') return TG_OK; // constant wherever it has a differential
  return open_entrywise(e, t, 0, f->rule);
}

tg_status tg_explain_open(tg_explainer *e, const tg_explain_term *t)
{
  const tg_info *info = tg_node_info(e->g, t->z);
  switch (info->kind) {
  case TG_LIN:
    return open_lin(e, t, info);
  case TG_PROD:
    return tg_explain_open_prod(e, t, info);
  case TG_HAD:
    return open_had(e, t, info);
  case TG_POW:
    return open_pow(e, t, info);
  case TG_MPOW:
    return open_mpow(e, t, info);
  case TG_INV:
    return open_inv(e, t, info);
  case TG_DET:
  case TG_LOGDET:
    return open_determinant(e, t, info);
  case TG_TR:
    return open_tr(e, t, info);
  case TG_SUM:
    return open_sum(e, t, info);
  case TG_DIAG:
  case TG_DIAGVEC:
  case TG_VEC:
  case TG_UNVEC:
  case TG_KRON:
  case TG_KRONL:
  case TG_KRONR:
  case TG_SQRTM:
  case TG_EXPM:
  case TG_LOGM:
  case TG_DSQRTM:
  case TG_DEXPM:
  case TG_DLOGM:
  case TG_D2SQRTM:
  case TG_D2EXPM:
  case TG_D2LOGM:
  case TG_MPOWER:
  case TG_DMPOWER:
  case TG_D2MPOWER:
  case TG_POLAR:
  case TG_DYAD:
  case TG_DPOLAR:
  case TG_DDYAD:
    return open_rearrangement(e, t, info);
  case TG_LOGSUMEXP:
    return tg_node_is_scalar(e->g, t->z) ? open_logsumexp(e, t, info) : open_rearrangement(e, t, info);
  case TG_VAR:
    return open_slope(e, t, info, "d var(X) = 2/N*tr((X - mean(X)*ones)'*dX), N entries");
  case TG_NUCLEAR:
  case TG_SPECTRAL:
    return open_slope(e, t, info, tg_op_get(info->kind)->rule);
  case TG_MAX:
  case TG_MIN:
    return open_larger(e, t, info);
  default:
    return open_function(e, t, info);
  }
}
