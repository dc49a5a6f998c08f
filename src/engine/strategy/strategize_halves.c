// Whether auto takes alternating: what the objective is in each variable alone.
//
// On sumsq(A - U*V') and its kin the half-steps cost a few products and know the scales of the factors, which a joint
// step has to learn (docs/measurements/solvers.md has the figures).
//
// A term in one variable alone, such as mu*sumsq(U), settles how large U is beside V; passes over the variables move
// that slowly. So every term of each half-step's Hessian has to have another variable in it.
//
// With weights, sumsq(W .* (A - U*V)), the half-steps are iterations of their own. They are taken for their units:
// joint steps from a start whose units are not those of A end far from a solution, or not at all.
#include <math.h>

#include "engine/strategy/strategy_parts.h"

// Nothing that alternating would not heed, or that would change the half-steps.
static bool is_free(const tg_strategy_facts *facts)
{
  const int32_t asked = facts->options->preconditioner;
  return facts->rounds == NULL && !tg_strategy_has_norm1(facts) && facts->options->line_search == 0 &&
         (asked == OPT_PRECONDITIONER_AUTO || asked == OPT_PRECONDITIONER_NONE);
}

static bool depends_on_others(const tg_deciding *d, int variable, tg_node node)
{
  for (int k = 0; k < d->facts->n_variables && node != TG_NONE; k++)
    if (k != variable && tg_node_depends_on(d->graph, node, d->facts->symbols[k])) return true;
  return false;
}

static bool is_coupled_term(const tg_deciding *d, int variable, const tg_operator_term *term)
{
  return depends_on_others(d, variable, term->left) || depends_on_others(d, variable, term->right) ||
         depends_on_others(d, variable, term->scalars);
}

// Whether another variable stands in each term of the Hessian in this one.
static bool is_coupled(const tg_deciding *d, int variable, const tg_structure *structure)
{
  bool is_so = structure->n_terms > 0 || structure->n_weighted > 0;
  for (int32_t k = 0; k < structure->n_terms && is_so; k++) is_so = is_coupled_term(d, variable, &structure->terms[k]);
  for (int32_t k = 0; k < structure->n_weighted && is_so; k++)
    is_so = is_coupled_term(d, variable, &structure->weighted[k].inner);
  return is_so && (structure->has_operator || structure->has_weights);
}

// Bounds that are numbers: nonnegative, or a box of them.
static bool has_plain_bounds(const tg_strategy_variable *x, tg_strategy_lines *out)
{
  *out = (tg_strategy_lines){.low = 0, .high = (double)INFINITY};
  if (x->set.kind == OPT_CONSTRAINT_NONNEGATIVE) return true;
  if (x->set.kind != OPT_CONSTRAINT_BOX || x->has_matrix_bounds) return false;
  out->low = x->set.low;
  out->high = x->set.high;
  return out->low <= out->high;
}

tg_status tg_strategy_find_lines(tg_graph *graph, const tg_strategy_facts *facts, const tg_strategy_costs *costs,
                                 int variable, tg_strategy_lines *out)
{
  const tg_strategy_variable *x = &facts->variables[variable];
  const tg_plan_data *shape = &facts->plan->variables[variable];
  tg_structure structure;
  *out = (tg_strategy_lines){.serves = false};
  if (x->set.norm1 > 0 || x->domain != 0 || !has_plain_bounds(x, out)) return TG_OK;
  TG_TRY(tg_structure_find(graph, facts->objective, x->symbol, &structure));
  bool has_left = false;
  bool has_right = false;
  bool serves = structure.has_operator && structure.n_terms > 0 && structure.curvature == TG_CURVATURE_CONVEX;
  for (int32_t k = 0; k < structure.n_terms && serves; k++) {
    serves = !structure.terms[k].transposed;
    has_left = has_left || structure.terms[k].left != TG_NONE;
    has_right = has_right || structure.terms[k].right != TG_NONE;
  }
  const int64_t line = has_left ? shape->rows : shape->cols;
  const int64_t lines = has_left ? shape->cols : shape->rows;
  out->by_rows = !has_left;
  out->serves = serves && has_left != has_right && line <= lines && line <= costs->longest_line;
  return TG_OK;
}

static tg_status has_half_step(const tg_deciding *d, int variable, bool *out)
{
  const tg_strategy_variable *x = &d->facts->variables[variable];
  const bool has_set = x->set.kind != OPT_CONSTRAINT_FREE;
  tg_closed_form form;
  tg_structure structure;
  TG_TRY(tg_structure_find(d->graph, d->facts->objective, x->symbol, &structure));
  *out = is_coupled(d, variable, &structure);
  if (!*out) return TG_OK;
  if (structure.has_weights) {
    *out = structure.curvature == TG_CURVATURE_CONVEX && !has_set;
    d->out->halves = TG_HALVES_WEIGHTED;
    return TG_OK;
  }
  if (has_set) {
    tg_strategy_lines lines;
    TG_TRY(tg_strategy_find_lines(d->graph, d->facts, d->costs, variable, &lines));
    *out = lines.serves;
    return TG_OK;
  }
  TG_TRY(tg_closed_form_find(d->graph, d->facts->objective, 1, &x->symbol, &form));
  *out =
      (form.kind == TG_CLOSED_CHOLESKY || form.kind == TG_CLOSED_SPECTRAL) &&
      tg_strategy_form_cost(d->graph, &d->facts->plan->variables[variable], &form) <= d->costs->most_half_factorising;
  return TG_OK;
}

tg_status tg_strategy_find_halves(const tg_deciding *d, bool *out)
{
  const tg_plan *plan = d->facts->plan;
  *out = d->facts->n_variables > 1 && plan->has_line && plan->degree > 2 && is_free(d->facts);
  d->out->halves = TG_HALVES_CLOSED;
  for (int k = 0; k < d->facts->n_variables && *out; k++) TG_TRY(has_half_step(d, k, out));
  if (tg_strategy_has_set(d->facts)) d->out->halves = TG_HALVES_LINES;
  return TG_OK;
}
