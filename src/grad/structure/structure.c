// Structure of an objective, read off its normal form.
#include "grad/structure/structure.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

// ---- homogeneity ----

// Degree of homogeneity of a node for t > 0 from its arguments'; NaN when it has none.
static double homogeneity_of(const tg_graph *g, const tg_info *info, const double *degrees, int32_t wrt)
{
  double sum = 0.0;
  double exponent = 0.0;
  switch (info->kind) {
  case TG_SYM:
    return info->symbol == wrt ? 1.0 : 0.0;
  case TG_PROD:
  case TG_HAD:
  case TG_KRON:
  case TG_KRONL:
  case TG_KRONR:
    for (int32_t i = 0; i < info->n_args; i++) sum += degrees[info->args[i]];
    return sum;
  case TG_LIN:
    for (int32_t i = 1; i < info->n_args; i++)
      if (degrees[info->args[i]] != degrees[info->args[0]]) return nan("");
    return degrees[info->args[0]];
  case TG_POW:
    if (tg_node_is_number(g, info->args[1], &exponent)) return exponent * degrees[info->args[0]];
    return degrees[info->args[0]] == 0.0 && degrees[info->args[1]] == 0.0 ? 0.0 : nan("");
  case TG_MPOW:
    return (double)info->exponent * degrees[info->args[0]];
  case TG_INV:
    return -degrees[info->args[0]];
  case TG_DET:
    if (degrees[info->args[0]] == 0.0) return 0.0;
    if (tg_dim_value(g, tg_node_info(g, info->args[0])->rows) < 0) return nan("");
    return degrees[info->args[0]] * (double)tg_dim_value(g, tg_node_info(g, info->args[0])->rows);
  case TG_TRANS:
  case TG_TR:
  case TG_SUM:
  case TG_DIAG:
  case TG_DIAGVEC:
  case TG_VEC:
  case TG_UNVEC:
    return degrees[info->args[0]];
  case TG_VAR:
    return 2.0 * degrees[info->args[0]];
  case TG_MAX:
  case TG_MIN:
    return degrees[info->args[0]] == degrees[info->args[1]] ? degrees[info->args[0]] : nan("");
  default:
    // s(c x) = c^p s(x)
    if (tg_entry(info->kind) != NULL && !isnan(tg_entry(info->kind)->homogeneity))
      return tg_entry(info->kind)->homogeneity * degrees[info->args[0]];
    for (int32_t i = 0; i < info->n_args; i++)
      if (degrees[info->args[i]] != 0.0) return nan("");
    return 0.0;
  }
}

static tg_status find_homogeneity(const tg_graph *g, tg_node f, int32_t wrt, tg_structure *out)
{
  double *degrees = NULL;
  TG_TRY(TG_NEW((int64_t)f + 1, &degrees));
  for (tg_node node = 1; node <= f; node++) degrees[node] = homogeneity_of(g, tg_node_info(g, node), degrees, wrt);
  out->homogeneity = degrees[f];
  out->homogeneous = !isnan(degrees[f]);
  tg_free(degrees);
  return TG_OK;
}

// ---- the operator of a quadratic ----

// Nodes looked at on all ways from the Hessian action to its direction: where what is shared doubles their number again
// and again, no operator is listed.
enum { VISITS_MAX = 20000 };

typedef struct operator_list {
  tg_graph *g;
  int32_t visits;
  int32_t v; // symbol of the direction
  int32_t count;
  int32_t capacity;
  tg_operator_term *terms;
  int32_t n_weighted;
  int32_t room_weighted;
  tg_weighted_term *weighted;
  bool fits; // false once something is not of the form L V R, weighted once or not
} operator_list;

static tg_status times(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  *out = a != TG_NONE ? a : b;
  if (a != TG_NONE && b != TG_NONE) return tg_make_mul(g, a, b, out);
  return TG_OK;
}

static tg_status transpose_of(tg_graph *g, tg_node a, tg_node *out)
{
  *out = a;
  return a != TG_NONE ? tg_make_trans(g, a, out) : TG_OK;
}

static bool same_operator(const tg_operator_term *a, const tg_operator_term *b)
{
  return a->scalars == b->scalars && a->left == b->left && a->right == b->right && a->transposed == b->transposed;
}

// Room for one more of `count` items in the graph's memory.
static tg_status make_room(tg_graph *g, int32_t count, size_t item_bytes, int32_t *capacity, void **items)
{
  if (count < *capacity) return TG_OK;
  const int32_t wider = *capacity > 0 ? 2 * *capacity : 8;
  void *grown = NULL;
  TG_TRY(tg_scratch(g, wider, item_bytes, &grown));
  if (count > 0) memcpy(grown, *items, item_bytes * (size_t)count);
  *items = grown;
  *capacity = wider;
  return TG_OK;
}

static tg_status push_term(operator_list *list, const tg_operator_term *term)
{
  for (int32_t i = 0; i < list->count; i++) {
    if (!same_operator(&list->terms[i], term)) continue;
    list->terms[i].coef += term->coef;
    return TG_OK;
  }
  TG_TRY(make_room(list->g, list->count, sizeof *term, &list->capacity, (void **)&list->terms));
  list->terms[list->count++] = *term;
  return TG_OK;
}

// Weights between equal sides add up: those of sum(softplus(A X B + C)) at zero are sigmoid(C) and -sigmoid(C).^2.
static tg_status add_weight(tg_graph *g, const tg_weighted_term *term, tg_weighted_term *sum)
{
  if (sum->weight == term->weight && sum->inner.scalars == term->inner.scalars) {
    sum->inner.coef += term->inner.coef;
    return TG_OK;
  }
  const double coefs[2] = {sum->inner.coef, term->inner.coef};
  tg_node weights[2] = {TG_NONE, TG_NONE};
  TG_TRY(times(g, sum->inner.scalars, sum->weight, &weights[0]));
  TG_TRY(times(g, term->inner.scalars, term->weight, &weights[1]));
  sum->inner.coef = 1.0;
  sum->inner.scalars = TG_NONE;
  return tg_make_lin(g, 2, coefs, weights, &sum->weight);
}

static tg_status push_weighted(operator_list *list, const tg_weighted_term *term)
{
  for (int32_t i = 0; i < list->n_weighted; i++) {
    tg_weighted_term *known = &list->weighted[i];
    if (known->left != term->left || known->right != term->right || known->inner.left != term->inner.left ||
        known->inner.right != term->inner.right || known->inner.transposed != term->inner.transposed)
      continue;
    return add_weight(list->g, term, known);
  }
  TG_TRY(make_room(list->g, list->n_weighted, sizeof *term, &list->room_weighted, (void **)&list->weighted));
  list->weighted[list->n_weighted++] = *term;
  return TG_OK;
}

static tg_status push(operator_list *list, const tg_weighted_term *term)
{
  return term->weight != TG_NONE ? push_weighted(list, term) : push_term(list, &term->inner);
}

// Splits context(node), linear in V, into terms; context is the coefficient and what stands around the node: `inner`
// up to a weight, where there is one, the rest beyond it.
static tg_status collect(operator_list *list, tg_node node, tg_weighted_term context);

static tg_status collect_product(operator_list *list, const tg_info *info, tg_weighted_term around)
{
  tg_operator_term context = around.inner;
  tg_graph *g = list->g;
  tg_node inner = TG_NONE;
  tg_node after = TG_NONE;
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_node factor = info->args[i];
    if (tg_node_depends_on(g, factor, list->v)) {
      list->fits = list->fits && inner == TG_NONE && i >= info->n_scalars;
      inner = factor;
    } else if (i < info->n_scalars) {
      TG_TRY(times(g, context.scalars, factor, &context.scalars));
    } else if (inner == TG_NONE) {
      TG_TRY(times(g, context.left, factor, &context.left));
    } else {
      TG_TRY(times(g, after, factor, &after));
    }
  }
  TG_TRY(times(g, after, context.right, &context.right));
  around.inner = context;
  return collect(list, inner, around);
}

// Q .* Z: of one column it is diag(Q) Z and of one row Z diag(Q'), products like any other; else Q becomes the weight.
static tg_status collect_entrywise(operator_list *list, const tg_info *info, tg_weighted_term around)
{
  tg_graph *g = list->g;
  tg_node inner = TG_NONE;
  tg_node *weights = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args, &weights));
  for (int32_t i = 0; i < info->n_args; i++) {
    const bool moves = tg_node_depends_on(g, info->args[i], list->v);
    list->fits = list->fits && (!moves || inner == TG_NONE);
    if (moves)
      inner = info->args[i];
    else
      weights[n++] = info->args[i];
  }
  if (!list->fits) return TG_OK;
  tg_operator_term *near = &around.inner;
  tg_node weight = TG_NONE;
  TG_TRY(tg_make_had(g, n, weights, &weight));
  if (tg_dim_is_one(g, info->cols)) {
    TG_TRY(tg_make_unary(g, TG_DIAG, weight, &weight));
    TG_TRY(times(g, near->left, weight, &near->left));
  } else if (tg_dim_is_one(g, info->rows)) {
    TG_TRY(tg_make_trans(g, weight, &weight));
    TG_TRY(tg_make_unary(g, TG_DIAG, weight, &weight));
    TG_TRY(times(g, weight, near->right, &near->right));
  } else {
    list->fits = around.weight == TG_NONE;
    around = (tg_weighted_term){{near->coef, near->scalars, TG_NONE, TG_NONE, false}, weight, near->left, near->right};
  }
  return collect(list, inner, around);
}

static tg_status collect(operator_list *list, tg_node node, tg_weighted_term context)
{
  list->fits = list->fits && list->visits++ < VISITS_MAX;
  if (!list->fits) return TG_OK;
  const tg_info *info = tg_node_info(list->g, node);
  if (info->kind == TG_SYM) return push(list, &context);
  if (info->kind == TG_PROD && !tg_node_is_scalar(list->g, node)) return collect_product(list, info, context);
  if (info->kind == TG_HAD) return collect_entrywise(list, info, context);
  if (info->kind == TG_TRANS && tg_node_info(list->g, info->args[0])->kind == TG_SYM) {
    context.inner.transposed = true;
    return push(list, &context);
  }
  list->fits = info->kind == TG_LIN;
  for (int32_t i = 0; list->fits && i < info->n_args; i++) {
    tg_weighted_term term = context;
    term.inner.coef *= info->coefs[i];
    TG_TRY(collect(list, info->args[i], term));
  }
  return TG_OK;
}

// <U, L V R> = <L' U R', V>; <U, L V' R> = <R U' L, V>: the operator is self-adjoint when these are its terms too.
static tg_status find_self_adjoint(tg_graph *g, tg_structure *s)
{
  s->self_adjoint = true;
  for (int32_t i = 0; i < s->n_terms; i++) {
    tg_operator_term adjoint = s->terms[i];
    if (s->terms[i].transposed) {
      adjoint.left = s->terms[i].right;
      adjoint.right = s->terms[i].left;
    } else {
      TG_TRY(transpose_of(g, s->terms[i].left, &adjoint.left));
      TG_TRY(transpose_of(g, s->terms[i].right, &adjoint.right));
    }
    bool found = false;
    for (int32_t k = 0; k < s->n_terms; k++)
      found = found || (same_operator(&s->terms[k], &adjoint) && s->terms[k].coef == adjoint.coef);
    s->self_adjoint = s->self_adjoint && found;
  }
  return TG_OK;
}

// The symbol V of the direction: one that f does not know, of an earlier call where there is one.
static tg_status find_direction(tg_graph *g, tg_node f, int32_t wrt, int32_t *out)
{
  const tg_symbol symbol = *tg_symbol_info(g, wrt);
  tg_status status = TG_OK;
  tg_text name;
  tg_text_init(&name);
  tg_text_add(&name, "V");
  TG_TRY_GOTO(tg_text_status(&name));
  for (*out = tg_symbol_find(g, "V"); *out >= 0; *out = tg_symbol_find(g, tg_text_string(&name))) {
    const tg_symbol *known = tg_symbol_info(g, *out);
    const bool fits =
        known->free && known->twin < 0 && known->rows == symbol.rows && known->cols == symbol.cols && *out != wrt;
    if (fits && !tg_node_depends_on(g, f, *out)) goto done;
    tg_text_add(&name, "_");
    TG_TRY_GOTO(tg_text_status(&name));
  }
  TG_TRY_GOTO(tg_symbol_add(g, tg_text_string(&name), symbol.rows, symbol.cols, 0, true, out));
done:
  tg_text_fini(&name);
  return status;
}

static tg_status find_operator(tg_graph *g, tg_node f, int32_t wrt, tg_structure *out)
{
  operator_list list = {.g = g, .fits = true};
  tg_node gradient = TG_NONE;
  tg_node v = TG_NONE;
  tg_node action = TG_NONE;
  TG_TRY(find_direction(g, f, wrt, &list.v));
  TG_TRY(tg_make_sym(g, list.v, &v));
  out->direction = tg_symbol_info(g, list.v)->name;
  TG_TRY(tg_gradient(g, f, 1, &wrt, &gradient));
  TG_TRY(tg_forward(g, gradient, 1, &wrt, &v, &action));
  if (!tg_node_is_zero(g, action)) TG_TRY(collect(&list, action, (tg_weighted_term){.inner = {.coef = 1.0}}));
  out->has_operator = list.fits && list.n_weighted == 0 && list.count > 0;
  out->n_terms = list.count;
  out->terms = list.terms;
  out->has_weights = list.fits && list.n_weighted > 0;
  out->n_weighted = list.n_weighted;
  out->weighted = list.weighted;
  return out->has_operator ? find_self_adjoint(g, out) : TG_OK;
}

tg_status tg_structure_find(tg_graph *graph, tg_node f, int32_t wrt, tg_structure *out)
{
  *out = (tg_structure){.degree = -1};
  TG_TRY(tg_degree_find(graph, f, 1, &wrt, &out->degree));
  TG_TRY(find_homogeneity(graph, f, wrt, out));
  if (out->degree == 2) TG_TRY(find_operator(graph, f, wrt, out));
  return tg_curvature_find(graph, f, 1, &wrt, &out->curvature, &out->reason);
}
