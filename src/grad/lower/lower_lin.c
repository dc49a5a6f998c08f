// Sums: products accumulate into their sum (beta = 1), everything else is one pass over the terms.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

// One term: coefficient times a node without scalar factors.
typedef struct lin_term {
  tg_coef coef;
  tg_node core;
  bool product; // joins the sum as a product
  tg_low_value value;
} lin_term;

static tg_status open_term(tg_lowering *l, double coef, tg_node node, lin_term *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  *out = (lin_term){.coef = tg_coef_number(coef), .core = node};
  if (info->kind != TG_PROD || info->n_scalars == 0) return TG_OK;
  TG_TRY(tg_low_scalars(l, node, &out->coef));
  out->coef.value *= coef;
  return tg_make_prod(l->graph, info->n_args - info->n_scalars, info->args + info->n_scalars, &out->core);
}

// A product that nobody else needs, and that setup does not make, may be accumulated.
static bool accumulates(tg_lowering *l, tg_node core)
{
  tg_low_value value;
  if (l->options->without[TG_PASS_FUSION] || tg_node_info(l->graph, core)->kind != TG_PROD) return false;
  if (tg_low_find(l, core, &value) || tg_low_uses(l, core) > 1) return false;
  return l->options->without[TG_PASS_HOISTING] || l->program == TG_PROGRAM_SETUP || !tg_low_is_constant(l, core);
}

// Whether the sum has the transpose of term i as well, X'*A*D + D'*A*X: then one product serves both.
static tg_status has_twin(tg_lowering *l, int32_t n, const lin_term *terms, int32_t i, bool *out)
{
  tg_node transposed = TG_NONE;
  *out = false;
  if (l->options->without[TG_PASS_SHARING]) return TG_OK;
  TG_TRY(tg_make_trans(l->graph, terms[i].core, &transposed));
  for (int32_t k = 0; k < n; k++) *out = *out || (k != i && terms[k].core == transposed);
  return TG_OK;
}

// Values first, products last: the sum takes the layout that most of the values have, and products fit any layout.
static tg_status prepare(tg_lowering *l, const tg_info *info, lin_term *terms, bool *trans)
{
  int32_t balance = 0;
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(open_term(l, info->coefs[i], info->args[i], &terms[i]));
  for (int32_t i = 0; i < info->n_args; i++) {
    bool twin = false;
    TG_TRY(has_twin(l, info->n_args, terms, i, &twin));
    terms[i].product = !twin && accumulates(l, terms[i].core);
    if (terms[i].product) continue;
    TG_TRY(tg_low_matrix(l, terms[i].core, &terms[i].value));
    bool symmetric = false;
    TG_TRY(tg_node_is_symmetric(l->graph, terms[i].core, &symmetric));
    if (!symmetric) balance += terms[i].value.trans ? 1 : -1;
  }
  *trans = balance > 0;
  return TG_OK;
}

// Term i in the layout of the sum.
static tg_status settle(tg_lowering *l, lin_term *term, bool trans, int32_t *buffer, tg_coef *coef)
{
  bool symmetric = false;
  TG_TRY(tg_node_is_symmetric(l->graph, term->core, &symmetric));
  if (symmetric || term->value.trans == trans) {
    *buffer = term->value.buffer;
    return tg_low_coef_mul(l, term->coef, term->value.scale, coef);
  }
  tg_node node = term->core;
  if (trans) TG_TRY(tg_make_trans(l->graph, node, &node));
  *coef = term->coef;
  return tg_low_plain(l, node, buffer);
}

// All terms but the products, in one pass.
static tg_status combine(tg_lowering *l, int32_t n, lin_term *terms, bool trans, int32_t out, int32_t *count)
{
  tg_instr instr = tg_instr_make(TG_OP_LINCOMB, out);
  int32_t *in = NULL;
  tg_coef *coefs = NULL;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &in));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &coefs));
  *count = 0;
  for (int32_t i = 0; i < n; i++) {
    if (terms[i].product) continue;
    TG_TRY(settle(l, &terms[i], trans, &in[*count], &coefs[*count]));
    (*count)++;
  }
  if (*count == 0) return TG_OK;
  instr.n_in = *count;
  instr.in = in;
  instr.coefs = coefs;
  return tg_low_append(l, &instr);
}

static tg_status accumulate(tg_lowering *l, const lin_term *term, bool trans, double beta, int32_t out)
{
  int32_t n = 0;
  tg_node *factors = NULL;
  tg_low_chain chain;
  tg_low_value value;
  bool done = false;
  TG_TRY(tg_low_factors(l, term->core, &n, &factors));
  TG_TRY(tg_low_chain_plan(l, n, factors, n, &chain));
  TG_TRY(tg_low_chain_accumulate(l, &chain, term->coef, trans, beta, out, &done));
  if (done) return TG_OK;
  // The product ends in a solve or a scaling of lines: computed apart, then added.
  lin_term apart = *term;
  TG_TRY(tg_low_chain_emit(l, &chain, 0, n - 1, trans, &value));
  TG_TRY(tg_low_remember(l, term->core, value));
  apart.value = value;
  int32_t in[2] = {-1, out};
  tg_coef coefs[2] = {tg_coef_number(1), tg_coef_number(1)};
  TG_TRY(settle(l, &apart, trans, &in[0], &coefs[0]));
  tg_instr instr = tg_instr_make(TG_OP_LINCOMB, out);
  instr.n_in = beta == 0 ? 1 : 2;
  instr.in = in;
  instr.coefs = coefs;
  return tg_low_append(l, &instr);
}

// Ones and entrywise terms have no buffer to add: code writes them in place.
static bool needs_code(const tg_lowering *l, const tg_info *info)
{
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_info *term = tg_node_info(l->graph, info->args[i]);
    const bool scaled = term->kind == TG_PROD && term->n_args - term->n_scalars == 1;
    const tg_node core = scaled ? term->args[term->n_scalars] : info->args[i];
    if (tg_node_info(l->graph, core)->kind == TG_ONES || tg_low_is_entrywise(l, core)) return true;
  }
  return false;
}

tg_status tg_low_lin(tg_lowering *l, tg_node node, tg_low_value *out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  lin_term *terms = NULL;
  bool trans = false;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)info->n_args, &terms));
  if (info->n_args == 1) {
    TG_TRY(tg_low_matrix(l, info->args[0], out));
    out->scale.value *= info->coefs[0];
    return TG_OK;
  }
  if (needs_code(l, info) && !l->options->without[TG_PASS_FUSION]) return tg_low_entrywise(l, node, out);
  TG_TRY(prepare(l, info, terms, &trans));
  *out = (tg_low_value){-1, trans, tg_coef_number(1)};
  TG_TRY(tg_low_buffer_new(l, node, trans, &out->buffer));
  int32_t count = 0;
  TG_TRY(combine(l, info->n_args, terms, trans, out->buffer, &count));
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!terms[i].product) continue;
    TG_TRY(accumulate(l, &terms[i], trans, count > 0 ? 1 : 0, out->buffer));
    count++;
  }
  return TG_OK;
}
