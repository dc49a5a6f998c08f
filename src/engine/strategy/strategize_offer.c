// Candidates for a preconditioner by symbols: what numbers will choose from.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/strategy/strategy_parts.h"
#include "opt/solver.h"

// ---- the objective as the signs see it ----

tg_status tg_strategy_with_numbers(tg_graph *graph, const tg_strategy_facts *facts, tg_node *f)
{
  *f = facts->objective;
  for (int k = 0; k < facts->n_data; k++) {
    const tg_strategy_datum *datum = &facts->data[k];
    tg_node number = TG_NONE;
    if (!datum->is_number) continue;
    TG_TRY(tg_make_num(graph, datum->number, &number));
    TG_TRY(tg_substitute(graph, *f, 1, &datum->symbol, &number, f));
  }
  return TG_OK;
}

// |W| in the place of W: what the signs decide, were W nonnegative.
static tg_status with_sign(tg_graph *graph, int32_t symbol, tg_node *f)
{
  tg_node size = TG_NONE;
  TG_TRY(tg_make_sym(graph, symbol, &size));
  TG_TRY(tg_make_unary(graph, TG_ABS, size, &size));
  return tg_substitute(graph, *f, 1, &symbol, &size, f);
}

// Any positive number in the place of the penalty of the rounds, which changes from one to the next: for its sign.
static tg_status with_positive_penalty(const tg_deciding *d, tg_node *f)
{
  tg_node number = TG_NONE;
  if (d->facts->rounds == NULL) return TG_OK;
  TG_TRY(tg_make_num(d->graph, 1.0, &number));
  return tg_substitute(d->graph, *f, 1, &d->facts->rounds->penalty, &number, f);
}

// ---- losses ----

// Whether the factors of a Kronecker term are no larger than the data: a wide K makes a K'K that is.
static bool has_room(const tg_plan *plan)
{
  const tg_plan_data *x = &plan->variables[0];
  double most = 0;
  for (int32_t k = 0; k < plan->n_data; k++) {
    const double entries = (double)plan->data[k].rows * (double)plan->data[k].cols;
    if (entries > most) most = entries;
  }
  const double side = (double)(x->rows > x->cols ? x->rows : x->cols);
  return side * side <= most;
}

// Whether f is convex with |W| in place of W for the data whose flag is set.
static tg_status is_convex(const tg_deciding *d, tg_node f, const bool *is_signed, bool *out)
{
  tg_structure structure;
  for (int k = 0; k < d->facts->n_data; k++)
    if (is_signed[k]) TG_TRY(with_sign(d->graph, d->facts->data[k].symbol, &f));
  TG_TRY(tg_structure_find(d->graph, f, d->facts->symbols[0], &structure));
  *out = structure.curvature == TG_CURVATURE_CONVEX;
  return TG_OK;
}

// Without those of the signs that make no difference.
static tg_status reduce_signs(const tg_deciding *d, tg_node f, bool *is_signed)
{
  for (int k = 0; k < d->facts->n_data; k++) {
    bool is_still = false;
    if (!is_signed[k]) continue;
    is_signed[k] = false;
    TG_TRY(is_convex(d, f, is_signed, &is_still));
    is_signed[k] = !is_still;
  }
  return TG_OK;
}

static tg_status keep_signs(const tg_deciding *d, const bool *is_signed)
{
  tg_strategy *s = d->out;
  TG_TRY(TG_NEW(d->facts->n_data + 1, &s->signed_symbols));
  for (int k = 0; k < d->facts->n_data; k++)
    if (is_signed[k]) s->signed_symbols[s->n_signed++] = d->facts->data[k].symbol;
  return TG_OK;
}

// By the symbols and the numbers of the job, else by the signs of data.
static tg_status find_convexity(const tg_deciding *d, bool *is_signed, bool *out)
{
  tg_node f = TG_NONE;
  TG_TRY(tg_strategy_with_numbers(d->graph, d->facts, &f));
  TG_TRY(with_positive_penalty(d, &f));
  TG_TRY(is_convex(d, f, is_signed, out));
  if (*out) return TG_OK;
  for (int k = 0; k < d->facts->n_data; k++) is_signed[k] = !d->facts->data[k].is_number;
  TG_TRY(is_convex(d, f, is_signed, out));
  if (!*out) return TG_OK;
  TG_TRY(reduce_signs(d, f, is_signed));
  return keep_signs(d, is_signed);
}

// Beyond degree 2 the Hessian at zero says something about the one elsewhere where f is convex; for losses it is a
// bound.
static tg_status is_loss(const tg_deciding *d, bool *out)
{
  bool *is_signed = NULL;
  *out = false;
  if (!d->is_auto || tg_strategy_has_set(d->facts) || d->facts->n_variables != 1 || d->facts->plan->degree == 2 ||
      !has_room(d->facts->plan))
    return TG_OK;
  TG_TRY(TG_NEW(d->facts->n_data + 1, &is_signed));
  const tg_status status = find_convexity(d, is_signed, out);
  tg_free(is_signed);
  return status;
}

static tg_status find_quadratic(const tg_deciding *d, tg_offer *offer)
{
  const int degree = d->facts->plan->degree;
  bool takes_zero = d->facts->options->preconditioner != OPT_PRECONDITIONER_AUTO;
  tg_node f = d->facts->objective;
  if (!takes_zero) TG_TRY(is_loss(d, &takes_zero));
  if (degree != 2 && !takes_zero) return TG_OK;
  if (degree != 2) TG_TRY(tg_strategy_with_numbers(d->graph, d->facts, &f));
  return tg_precondition_model(d->graph, f, d->facts->n_variables, d->facts->symbols, &offer->quadratic);
}

// ---- candidates ----

// One diagonal for each variable, or none at all.
static tg_status find_diagonals(const tg_deciding *d, tg_offer *offer)
{
  const int n = d->facts->n_variables;
  TG_TRY(TG_NEW(n, &offer->diagonals));
  if (offer->quadratic == TG_NONE) return TG_OK;
  for (int k = 0; k < n; k++) {
    TG_TRY(tg_precondition_diagonal(d->graph, offer->quadratic, d->facts->symbols[k], &offer->diagonals[k]));
    if (offer->diagonals[k] == TG_NONE) return TG_OK;
  }
  offer->n_diagonals = n;
  return TG_OK;
}

// A symbol for the value of a variable at the point, beside the variable that stands for the direction.
static tg_status make_point(const tg_deciding *d, int k, int32_t *symbol, tg_node *out)
{
  const tg_symbol x = *tg_symbol_info(d->graph, d->facts->symbols[k]);
  const unsigned domain = d->facts->variables[k].domain;
  char name[24]; // one that no user can write
  snprintf(name, sizeof name, "P#%d", k);
  *symbol = tg_symbol_find(d->graph, name);
  if (*symbol < 0) TG_TRY(tg_symbol_add(d->graph, name, x.rows, x.cols, domain, domain == 0, symbol));
  return tg_make_sym(d->graph, *symbol, out);
}

// The diagonals of the Hessian at the point, in the variables themselves.
static tg_status find_diagonals_at(const tg_deciding *d, int32_t *symbols, tg_node *points, tg_node *variables,
                                   tg_offer *offer)
{
  const int n = d->facts->n_variables;
  tg_graph *graph = d->graph;
  tg_node quadratic = TG_NONE;
  for (int k = 0; k < n; k++) {
    TG_TRY(make_point(d, k, &symbols[k], &points[k]));
    TG_TRY(tg_make_sym(graph, d->facts->symbols[k], &variables[k]));
  }
  TG_TRY(tg_precondition_model_at(graph, d->facts->objective, n, d->facts->symbols, points, &quadratic));
  for (int k = 0; k < n; k++) {
    tg_node *diagonal = &offer->diagonals[k];
    *diagonal = TG_NONE;
    if (quadratic != TG_NONE)
      TG_TRY(tg_precondition_partial_diagonal(graph, quadratic, d->facts->symbols[k], diagonal));
    if (*diagonal == TG_NONE || tg_node_is_zero(graph, *diagonal)) return TG_OK;
    TG_TRY(tg_substitute(graph, *diagonal, n, symbols, variables, diagonal));
  }
  offer->n_diagonals = n;
  offer->diagonals_follow = true;
  return TG_OK;
}

tg_status tg_strategy_find_border(tg_graph *graph, const tg_strategy_facts *facts, bool *out)
{
  bool has_border = false;
  *out = false;
  for (int k = 0; k < facts->n_variables; k++) {
    bool has_own = false;
    if (facts->variables[k].domain != 0) return TG_OK;
    TG_TRY(tg_precondition_has_border(graph, facts->objective, facts->symbols[k], &has_own));
    has_border = has_border || has_own;
  }
  *out = has_border && facts->plan->has_hessian;
  return TG_OK;
}

// Where the domain ends at entries that vanish, the entries of a minimiser may differ by any factor, and so do the
// second derivatives: the diagonal of the Hessian at the point knows their units, and no other does.
static tg_status follow_diagonals(const tg_deciding *d, tg_offer *offer)
{
  const int n = d->facts->n_variables;
  int32_t *symbols = NULL;
  tg_node *nodes = NULL;
  if (!d->has_border) return TG_OK;
  TG_TRY(TG_NEW(n, &symbols));
  tg_status status = TG_NEW((int64_t)2 * n, &nodes);
  if (status == TG_OK) status = find_diagonals_at(d, symbols, nodes, nodes + n, offer);
  tg_free(nodes);
  tg_free(symbols);
  return status;
}

// The terms of the Hessian at the point: found with a symbol for the point, beside the variable that stands for the
// direction, and then written with the variable.
static tg_status find_moving_terms(const tg_deciding *d, tg_offer *offer)
{
  tg_graph *graph = d->graph;
  const int32_t variable = d->facts->symbols[0];
  int32_t symbol = -1;
  tg_node points[2] = {TG_NONE, TG_NONE}; // as a symbol, as the variable
  tg_node quadratic = TG_NONE;
  tg_node f = TG_NONE;
  TG_TRY(tg_strategy_with_numbers(graph, d->facts, &f));
  TG_TRY(make_point(d, 0, &symbol, &points[0]));
  TG_TRY(tg_make_sym(graph, variable, &points[1]));
  TG_TRY(tg_precondition_model_at(graph, f, 1, &variable, points, &quadratic));
  if (quadratic == TG_NONE || !tg_node_depends_on(graph, quadratic, symbol)) return TG_OK;
  TG_TRY(tg_precondition_terms(graph, quadratic, variable, TG_STRATEGY_TERMS, &offer->n_moving, offer->moving));
  for (int k = 0; k < offer->n_moving; k++) {
    tg_node *factors[2] = {&offer->moving[k].left, &offer->moving[k].right};
    for (int side = 0; side < 2; side++)
      if (*factors[side] != TG_NONE)
        TG_TRY(tg_substitute(graph, *factors[side], 1, &symbol, &points[1], factors[side]));
  }
  return TG_OK;
}

// Under a logdet there is no Hessian at zero: the terms are those of the point from the beginning.
static tg_status find_logdet_terms(const tg_deciding *d, tg_offer *offer)
{
  tg_node f = TG_NONE;
  TG_TRY(tg_strategy_with_numbers(d->graph, d->facts, &f));
  TG_TRY(tg_strategy_find_logdet(d, f, offer));
  if (!(offer->logdet > 0)) return TG_OK;
  TG_TRY(find_moving_terms(d, offer));
  offer->n_terms = offer->n_moving;
  memcpy(offer->terms, offer->moving, sizeof offer->moving);
  return TG_OK;
}

static tg_status find_terms(const tg_deciding *d, tg_offer *offer)
{
  TG_TRY(find_logdet_terms(d, offer));
  if (offer->quadratic == TG_NONE || d->facts->n_variables != 1) return TG_OK;
  TG_TRY(tg_precondition_terms(d->graph, offer->quadratic, d->facts->symbols[0], TG_STRATEGY_TERMS, &offer->n_terms,
                               offer->terms));
  offer->n_moving = 0;
  return offer->n_terms > 0 ? find_moving_terms(d, offer) : TG_OK;
}

// ---- what auto leaves out ----

static tg_status find_weights(const tg_deciding *d, tg_offer *offer)
{
  for (int k = 0; offer->quadratic != TG_NONE && k < d->facts->n_variables; k++) {
    tg_weights weighting = TG_WEIGHTS_NONE;
    TG_TRY(tg_precondition_weights(d->graph, offer->quadratic, d->facts->symbols[k], TG_STRATEGY_TERMS, &weighting,
                                   &offer->n_weights, offer->weights));
    if (weighting > offer->weighting) offer->weighting = weighting;
  }
  return TG_OK;
}

// Where the Hessian has weights. The diagonal has nothing to mend but weights that stand in it: on masked least squares
// it takes more iterations than none. Diagonal terms alone are served by it at once. And terms that stand in for
// weights have factors on both sides, which must be no larger than the data.
static tg_status drop_by_weights(const tg_deciding *d, tg_offer *offer)
{
  TG_TRY(find_weights(d, offer));
  if (offer->weighting == TG_WEIGHTS_INSIDE && !offer->diagonals_follow) offer->n_diagonals = 0;
  if (offer->weighting == TG_WEIGHTS_NONE) return TG_OK;
  bool all_diagonal = true;
  for (int k = 0; k < offer->n_terms; k++)
    all_diagonal = all_diagonal && tg_precondition_is_diagonal(d->graph, &offer->terms[k]);
  offer->is_too_large = offer->n_terms > 0 && !all_diagonal && !has_room(d->facts->plan);
  if (offer->is_too_large || all_diagonal) offer->n_terms = 0;
  if (offer->n_terms == 0) return TG_OK;
  return tg_precondition_mismatch(d->graph, offer->quadratic, d->facts->symbols[0], &offer->mismatch);
}

// Beyond degree 2 the diagonal costs more than it gains, and terms that do not move with the point are soon outdated.
static tg_status drop_for_auto(const tg_deciding *d, tg_offer *offer)
{
  if (d->facts->plan->degree != 2) {
    if (!offer->diagonals_follow) offer->n_diagonals = 0;
    if (offer->n_moving == 0) offer->n_terms = 0;
  }
  return drop_by_weights(d, offer);
}

// ---- what the job asks for ----

// The step that has no use for a preconditioner, NULL where there is one.
static const char *step_without_metric(const tg_deciding *d)
{
  static const char two_point[] = "barzilai-borwein";
  const char *asked = opt_option_choices(OPT_KIND_METHOD)[d->facts->options->method];
  const bool is_newton = d->is_auto || strcmp(asked, "newton-cg") == 0 || strcmp(asked, "conjugate-gradient") == 0;
  if (d->traits.has_norm1 && !is_newton) return "the proximal step of norm1";
  return strcmp(asked, two_point) == 0 ? two_point : NULL;
}

static const char *asked_name(const tg_deciding *d)
{
  return opt_option_choices(OPT_KIND_PRECONDITIONER)[d->facts->options->preconditioner];
}

static tg_status check_step(const tg_deciding *d, const opt_solver *solver, bool *has_use)
{
  const int32_t asked = d->facts->options->preconditioner;
  const char *without = step_without_metric(d);
  *has_use = without == NULL && asked != OPT_PRECONDITIONER_NONE;
  *d->key = TG_KEY_PRECONDITIONER;
  if (asked == OPT_PRECONDITIONER_AUTO || asked == OPT_PRECONDITIONER_NONE) return TG_OK;
  if (without != NULL)
    TG_FAIL(TG_UNSUPPORTED, "preconditioner %s: %s has no use for one; take auto or none", asked_name(d), without);
  if (!d->traits.has_any) return TG_OK;
  if (asked == OPT_PRECONDITIONER_KRONECKER)
    TG_FAIL(TG_UNSUPPORTED, "preconditioner kronecker: does not go with constraints; take auto or none");
  if (!solver->keeps_faces)
    TG_FAIL(TG_UNSUPPORTED,
            "preconditioner diagonal: does not go with these constraints and this method; take auto or none");
  return TG_OK;
}

static tg_status check_offer(const tg_deciding *d, const tg_offer *offer)
{
  const int32_t asked = d->facts->options->preconditioner;
  const bool is_missing = (asked == OPT_PRECONDITIONER_DIAGONAL && offer->n_diagonals == 0) ||
                          (asked == OPT_PRECONDITIONER_KRONECKER && offer->n_terms == 0);
  if (!is_missing) return TG_OK;
  if (offer->quadratic == TG_NONE)
    TG_FAIL(TG_UNSUPPORTED,
            "preconditioner %s: the objective is not quadratic and has no Hessian at zero to take it from; take auto "
            "or none",
            asked_name(d));
  TG_FAIL(TG_UNSUPPORTED, "preconditioner %s: %s; take auto or none", asked_name(d),
          asked == OPT_PRECONDITIONER_KRONECKER ? "no term of the Hessian action of one variable has symmetric factors"
                                                : "the Hessian action is not a sum of products L*V*R");
}

// Simplices whose entries the objective keeps positive: what is left of them are the sums of lines.
static bool are_open_simplices(const tg_deciding *d)
{
  if (!d->has_border) return false;
  for (int k = 0; k < d->facts->n_variables; k++) {
    const tg_strategy_variable *x = &d->facts->variables[k];
    const bool is_simplex = x->set.kind == OPT_CONSTRAINT_SIMPLEX_ROWS || x->set.kind == OPT_CONSTRAINT_SIMPLEX_COLUMNS;
    bool ends = false;
    if (x->set.kind != OPT_CONSTRAINT_FREE && !is_simplex) return false;
    if (x->set.norm1 > 0) return false;
    if (!is_simplex) continue;
    if (tg_precondition_has_border(d->graph, d->facts->objective, x->symbol, &ends) != TG_OK || !ends) return false;
  }
  return true;
}

// A preconditioner knows nothing of a set; a diagonal one keeps the faces of bounds, that of -logdet those of norm1,
// and that of an objective that stays inside the simplices their sums.
static void drop_on_sets(const tg_deciding *d, const opt_solver *solver, tg_offer *offer)
{
  if (!d->traits.has_any) return;
  offer->n_terms = 0;
  const bool serves = offer->diagonals_follow && solver->takes_directions && are_open_simplices(d);
  if (!solver->keeps_faces && !serves) offer->n_diagonals = 0;
  offer->diagonals_follow = offer->diagonals_follow && offer->n_diagonals > 0;
}

tg_status tg_strategy_find_offer(const tg_deciding *d, const opt_solver *solver)
{
  const int32_t asked = d->facts->options->preconditioner;
  tg_offer *offer = &d->out->offer;
  bool has_use = false;
  TG_TRY(check_step(d, solver, &has_use));
  if (!has_use) return TG_OK;
  TG_TRY(find_quadratic(d, offer));
  TG_TRY(find_diagonals(d, offer));
  if (offer->quadratic == TG_NONE && asked != OPT_PRECONDITIONER_KRONECKER) TG_TRY(follow_diagonals(d, offer));
  // A job that names a method keeps that method: auto then adds only the diagonal of a quadratic, which costs nothing.
  if (asked == OPT_PRECONDITIONER_KRONECKER || d->is_auto) TG_TRY(find_terms(d, offer));
  if (asked == OPT_PRECONDITIONER_AUTO) TG_TRY(drop_for_auto(d, offer));
  TG_TRY(check_offer(d, offer));
  if (asked == OPT_PRECONDITIONER_DIAGONAL) offer->n_terms = 0;
  if (asked == OPT_PRECONDITIONER_DIAGONAL) offer->logdet = 0;
  if (asked == OPT_PRECONDITIONER_KRONECKER) offer->n_diagonals = 0;
  drop_on_sets(d, solver, offer);
  return TG_OK;
}

int tg_offer_nodes(const tg_offer *offer, tg_node *nodes)
{
  int n = 0;
  for (int k = 0; k < offer->n_terms; k++) {
    nodes[n++] = offer->terms[k].left;
    nodes[n++] = offer->terms[k].right;
  }
  for (int k = 0; k < offer->n_weights; k++) nodes[n++] = offer->weights[k];
  if (offer->n_weights > 0) nodes[n++] = offer->mismatch;
  return n;
}
