// Forward differentials and trace rules, one named step at a time.
//
// Every term of df is coef * scalars * tr(P * L(dZ) * Q): a differential dZ not yet worked out, between factors that do
// not contain it. A step either opens dZ by the differential rule of Z's outermost operator, or moves factors about the
// trace, until the term reads coef * scalars * tr(M * dX). The terms are gathered, and G = M' is the gradient.
#include <string.h>

#include "base/memory.h"
#include "grad/explain/explain_parts.h"
#include "grad/graph/op.h"

static tg_status reduce(tg_explainer *e, const tg_explain_term *t);

// Writes the terms that a rule made of one, then brings each to its end. Several terms get numbers of their own.
tg_status tg_explain_branch(tg_explainer *e, int32_t n, const tg_explain_term *terms, const char *rule)
{
  const int number = e->number;
  TG_TRY(tg_explain_write_terms(e, n, terms, rule));
  if (n == 1) return reduce(e, &terms[0]);
  for (int32_t i = 0; i < n; i++) {
    e->number = e->next_number++;
    TG_TRY(tg_explain_write_terms(e, 1, &terms[i], NULL)); // its heading
    TG_TRY(reduce(e, &terms[i]));
  }
  e->number = number;
  return TG_OK;
}

// ---- moving about the trace ----

// tr(P (dZ)' Q) = tr(Q' dZ P')
static tg_status transpose_trace(tg_explainer *e, const tg_explain_term *t)
{
  tg_explain_term moved = *t;
  tg_node *left = NULL;
  tg_node *right = NULL;
  TG_TRY(TG_SCRATCH(e->g, t->n_right + 1, &left));
  TG_TRY(TG_SCRATCH(e->g, t->n_left + 1, &right));
  for (int32_t i = 0; i < t->n_right; i++) TG_TRY(tg_make_trans(e->g, t->right[t->n_right - 1 - i], &left[i]));
  for (int32_t i = 0; i < t->n_left; i++) TG_TRY(tg_make_trans(e->g, t->left[t->n_left - 1 - i], &right[i]));
  moved.n_left = t->n_right;
  moved.left = left;
  moved.n_right = t->n_left;
  moved.right = right;
  moved.transposed = false;
  return tg_explain_branch(e, 1, &moved, "a trace equals that of the transpose: tr(X) = tr(X')");
}

tg_status tg_explain_shift(tg_explainer *e, const tg_explain_term *t)
{
  tg_explain_term moved = *t;
  TG_TRY(tg_explain_join(e, t->n_right, t->right, t->n_left, t->left, &moved.left));
  moved.n_left = t->n_left + t->n_right;
  moved.n_right = 0;
  return tg_explain_branch(e, 1, &moved, "cyclic shift: tr(X*Y) = tr(Y*X)");
}

// tr(M (Y .* dZ)) = tr((M .* Y') dZ)
static tg_status move_had(tg_explainer *e, const tg_explain_term *t)
{
  if (t->n_right > 0) return tg_explain_shift(e, t);
  tg_explain_term moved = *t;
  tg_node beside_it = TG_NONE;
  tg_node factors[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_explain_beside(e, t, tg_node_info(e->g, t->z)->rows, &beside_it));
  factors[0] = beside_it;
  TG_TRY(tg_make_trans(e->g, t->had, &factors[1]));
  tg_node *left = NULL;
  TG_TRY(TG_SCRATCH(e->g, 1, &left));
  TG_TRY(tg_make_had(e->g, 2, factors, &left[0]));
  tg_split split;
  TG_TRY(tg_split_scalars(e->g, left[0], &split));
  moved.coef = tg_coef_product(moved.coef, split.coef);
  if (split.scalars != TG_NONE) TG_TRY(tg_explain_times_scalar(e, split.scalars, &moved));
  left[0] = split.rest;
  moved.left = left;
  moved.n_left = 1;
  moved.had = TG_NONE;
  return tg_explain_branch(e, 1, &moved, "an entrywise factor moves across: tr(M*(Y.*Z)) = tr((M.*Y')*Z)");
}

// A scalar differential does not stay inside a trace: tr(P ds Q) = tr(P Q) ds.
static tg_status scalar_leaves(tg_explainer *e, const tg_explain_term *t)
{
  tg_explain_term moved = *t;
  tg_node rest = TG_NONE;
  tg_dim one = 0;
  TG_TRY(tg_dim_number(e->g, 1, &one));
  const tg_node *factors = NULL;
  TG_TRY(tg_explain_join(e, t->n_left, t->left, t->n_right, t->right, &factors));
  TG_TRY(tg_make_prod(e->g, t->n_left + t->n_right, factors, &rest));
  TG_TRY(tg_make_tr(e->g, rest, &rest));
  TG_TRY(tg_explain_times_scalar(e, rest, &moved));
  moved.n_left = moved.n_right = 0;
  return tg_explain_branch(e, 1, &moved, "a scalar leaves the trace: tr(s*X) = s*tr(X)");
}

// coef * scalars * tr(M dX): the term's part of G is coef * scalars * M'.
static tg_status finish(tg_explainer *e, const tg_explain_term *t)
{
  tg_node part = TG_NONE;
  if (t->n_right > 0) return tg_explain_shift(e, t);
  TG_TRY(tg_explain_beside(e, t, tg_node_info(e->g, t->z)->rows, &part));
  TG_TRY(tg_make_trans(e->g, part, &part));
  if (t->scalars != TG_NONE) TG_TRY(tg_make_mul(e->g, t->scalars, part, &part));
  TG_TRY(tg_make_scale(e->g, t->coef, part, &part));
  if (e->sum == TG_NONE)
    e->sum = part;
  else
    TG_TRY(tg_make_add(e->g, e->sum, part, &e->sum));
  return TG_OK;
}

// A product with a scalar value is its own trace: u'*A*v = tr(u'*A*v).
static bool is_scalar_chain(const tg_explainer *e, tg_node z)
{
  const tg_info *info = tg_node_info(e->g, z);
  return tg_node_is_scalar(e->g, z) && info->kind == TG_PROD && info->n_scalars == 0;
}

enum { EXPLAIN_DEPTH_MAX = 2000 };

static tg_status reduce_once(tg_explainer *e, const tg_explain_term *t)
{
  const tg_info *info = tg_node_info(e->g, t->z);
  if (t->had != TG_NONE) return move_had(e, t);
  if (t->transposed) return transpose_trace(e, t);
  if (tg_node_is_scalar(e->g, t->z) && t->n_left + t->n_right > 0) return scalar_leaves(e, t);
  if (info->kind == TG_SYM) return finish(e, t);
  if (info->kind == TG_TRANS) {
    tg_explain_term opened = *t;
    opened.z = info->args[0];
    opened.transposed = true;
    return tg_explain_branch(e, 1, &opened, "d(X') = (dX)'");
  }
  if (is_scalar_chain(e, t->z)) return tg_explain_open_prod(e, t, info);
  return tg_explain_open(e, t);
}

static tg_status reduce(tg_explainer *e, const tg_explain_term *t)
{
  if (e->out->shortened) return TG_OK;
  if (e->depth >= EXPLAIN_DEPTH_MAX) TG_FAIL(TG_LIMIT, "a derivation of more than %d nested steps", EXPLAIN_DEPTH_MAX);
  e->depth++;
  const tg_status status = reduce_once(e, t);
  e->depth--;
  return status;
}

// ---- the whole ----

static tg_status write_gathered(tg_explainer *e, tg_node gradient)
{
  tg_status status = TG_OK;
  tg_text text;
  tg_node inner = TG_NONE;
  tg_text_init(&text);
  const bool scalar = tg_node_is_scalar(e->g, gradient);
  tg_node symbol = TG_NONE;
  TG_TRY_GOTO(tg_make_sym(e->g, e->wrt, &symbol));
  TG_TRY_GOTO(tg_make_trans(e->g, gradient, &inner));
  if (!scalar) tg_text_add(&text, tg_explain_trace(e));
  TG_TRY_GOTO(tg_explain_print(e, inner, true, &text));
  tg_text_addf(&text, "%s%s", tg_explain_times(e), tg_explain_d(e));
  TG_TRY_GOTO(tg_explain_print(e, symbol, false, &text));
  if (!scalar) tg_text_add(&text, tg_explain_right(e));
  TG_TRY_GOTO(tg_text_status(&text));
  // A single term is gathered already.
  const tg_explanation *out = e->out;
  if (out->n_steps == 0 || strcmp(out->steps[out->n_steps - 1].text, tg_text_string(&text)) != 0)
    TG_TRY_GOTO(tg_explain_step(e, 0, tg_text_string(&text), "the terms gathered, common factors taken out"));
  tg_text_clear(&text);
  TG_TRY_GOTO(tg_explain_print(e, gradient, false, &text));
  TG_TRY_GOTO(
      tg_explain_step(e, -1, tg_text_string(&text),
                      scalar ? "read off df = G*dx" : "read off df = tr(G'*dX); transposes moved to the leaves"));
done:
  tg_text_fini(&text);
  return status;
}

tg_status tg_explain(tg_graph *graph, tg_node f, int32_t wrt, tg_format format, tg_explanation *out)
{
  *out = (tg_explanation){0};
  tg_arena_init(&out->arena);
  tg_explainer e = {.g = graph, .format = format, .wrt = wrt, .out = out, .next_number = 1};
  const tg_explain_term start = {.coef = 1.0, .z = f};
  tg_status status = TG_OK;
  if (tg_explain_active(&e, f)) TG_TRY_GOTO(reduce(&e, &start));
  // The terms that were left out can be too many to go through.
  if (out->shortened) TG_TRY_GOTO(tg_gradient(graph, f, 1, &wrt, &e.sum));
  if (e.sum == TG_NONE) {
    const tg_symbol *symbol = tg_symbol_info(graph, wrt);
    TG_TRY_GOTO(tg_make_zeros(graph, symbol->rows, symbol->cols, &e.sum));
  }
  out->gradient = e.sum;
  tg_node shown = TG_NONE;
  TG_TRY_GOTO(tg_factor_common(graph, e.sum, &shown));
  TG_TRY_GOTO(write_gathered(&e, shown));
done:
  if (status != TG_OK) tg_explanation_fini(out);
  return status;
}

void tg_explanation_fini(tg_explanation *explanation)
{
  tg_free(explanation->steps);
  tg_arena_fini(&explanation->arena);
  explanation->steps = NULL;
  explanation->n_steps = explanation->capacity = 0;
}
