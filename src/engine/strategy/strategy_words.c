// The decision in sentences.
// What makes an objective fit a closed form, and what keeps it from one, is worded in
// grad/structure/closed_form_words.c.
#include "engine/strategy/strategy_words.h"

#include <inttypes.h>
#include <math.h>

#include "opt/driver.h"
#include "opt/solver.h"

// ---- closed forms ----

void tg_strategy_explain_form(tg_graph *graph, const tg_strategy *s, tg_text *out)
{
  switch (s->no_form) {
  case TG_NO_FORM_NORM1:
    tg_text_add(out, "no closed form: norm1 is in the objective");
    return;
  case TG_NO_FORM_SETS:
    tg_text_add(out, "no closed form: there are constraints, and closed forms are for one variable, without any or "
                     "with orthonormal_columns");
    return;
  case TG_NO_FORM_COST:
    tg_text_addf(out, "method: direct is possible, at the cost of some %.0f iterations for its factorisations",
                 s->form_cost);
    return;
  case TG_NO_FORM_SYMBOLS:
  case TG_NO_FORM_NOT_LOOKED:
    tg_closed_form_explain(graph, &s->form, out);
  }
}

// Why an iterative method, where a closed form would be.
static void add_no_form(tg_graph *graph, const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  if (v->refused[0] != '\0')
    tg_text_addf(out, "method: direct does not serve: %s", v->refused);
  else
    tg_strategy_explain_form(graph, s, out);
}

static void add_orthogonal(const tg_verdict *v, tg_text *out)
{
  switch (v->orthogonal) {
  case TG_ORTHOGONAL_UNUSED:
    return;
  case TG_ORTHOGONAL_NO_ROOM:
    tg_text_add(out, "; by the Gram matrix whatever its condition, for memory has no room for orthogonal factors");
    return;
  case TG_ORTHOGONAL_DEFICIENT:
    tg_text_addf(out,
                 "; by orthogonal factors, which have the rank %" PRId64 " for %" PRId64
                 " unknowns: the minimiser of least norm",
                 v->rank, v->unknowns);
    return;
  case TG_ORTHOGONAL_FULL:
    tg_text_addf(out, "; by orthogonal factors of condition %.1e, for the Gram matrix ", v->condition);
    if (isfinite(v->gram))
      tg_text_addf(out, "has the condition %.1e", v->gram);
    else
      tg_text_add(out, "is not positive definite");
  }
}

// Where the Hessian is taken that a preconditioner is made of.
static const char *point_of(const tg_strategy *s)
{
  if (s->plan_degree == 2) return "";
  if (s->offer.diagonals_follow) return " at each point";
  return s->offer.logdet > 0 ? " at the start" : " at zero";
}

// How a forecast was wrong.
static const char wrong[] = "more than three times as many as were expected";

// ---- methods ----

static void add_halves(const tg_verdict *v, tg_text *out)
{
  tg_text_add(out, "alternating");
  for (int k = 0; k < v->n_halves; k++)
    tg_text_addf(out, "%s %s by %s", k == 0 ? ":" : ",", v->halves[k].variable, v->halves[k].solver);
}

static void add_half_steps(tg_graph *graph, const tg_strategy *s, tg_text *out)
{
  static const char *const kinds[] = {[TG_HALVES_CLOSED] = "a closed form",
                                      [TG_HALVES_WEIGHTED] = "a convex quadratic with weights",
                                      [TG_HALVES_LINES] =
                                          "a closed form or, under bounds, one small matrix for all lines"};
  tg_text_addf(out, "alternating, because the objective has %s in", kinds[s->halves]);
  for (int k = 0; k < s->n_variables; k++)
    tg_text_addf(out, "%s %.64s", k > 0 ? "," : "", tg_symbol_info(graph, s->symbols[k])->name);
  tg_text_add(out, " alone, each with the others held, and no regularising term in one of them");
}

static void add_general(const tg_strategy *s, const tg_way *way, tg_text *out)
{
  tg_text_addf(out, "%s, because the objective is not a polynomial of degree at most %d", way->solver->name,
               TG_LINE_DEGREE_MAX);
  if (s->has_kinks)
    tg_text_add(out, "; abs, norm1 or relu of an expression has kinks, where the descent may stall: only w*norm1(X) of "
                     "a variable X has a proximal step; a smooth form is sum((E.^2 + 1e-6*ones).^0.5)");
}

static void add_set(tg_graph *graph, const tg_strategy *s, const tg_verdict *v, const tg_way *way, tg_text *out)
{
  const char *set = s->set != OPT_CONSTRAINT_FREE ? opt_constraint_row_of(s->set)->name : "";
  tg_text_addf(out, "%s, for the constraint %s", way->solver->name, set);
  // Where closed forms exist for some objectives.
  if (s->set != OPT_CONSTRAINT_ORTHONORMAL_COLUMNS) return;
  tg_text_add(out, "; ");
  add_no_form(graph, s, v, out);
}

static void add_method(tg_graph *graph, const tg_strategy *s, const tg_verdict *v, const tg_way *way, tg_text *out)
{
  const char *name = way->solver->name;
  switch (way->reason) {
  case TG_WAY_ASKED:
    tg_text_addf(out, "%s, as the job says", name);
    return;
  case TG_WAY_ASKED_SET:
    tg_text_addf(out, "%s, what the job's method is under %s", name,
                 s->set != OPT_CONSTRAINT_FREE ? opt_constraint_row_of(s->set)->name : "");
    return;
  case TG_WAY_DIRECT:
    tg_text_add(out, "direct, ");
    tg_closed_form_explain(graph, &s->form, out);
    add_orthogonal(v, out);
    return;
  case TG_WAY_HALF_STEPS:
    add_half_steps(graph, s, out);
    return;
  case TG_WAY_QUADRATIC:
    tg_text_addf(out, "%s, for a polynomial of degree %d; ", name, s->plan_degree);
    add_no_form(graph, s, v, out);
    return;
  case TG_WAY_EXACT:
    tg_text_addf(out, "%s, with exact steps along the line polynomial of degree %d in %d variable%s", name, s->degree,
                 s->n_variables, s->n_variables > 1 ? "s" : "");
    return;
  case TG_WAY_ENVELOPES:
    tg_text_addf(out, "%s, for the pieces of the envelopes are nearly quadratic", name);
    return;
  case TG_WAY_GENERAL:
    add_general(s, way, out);
    return;
  case TG_WAY_SET:
    add_set(graph, s, v, way, out);
    return;
  case TG_WAY_PROXIMAL:
    tg_text_addf(out, "%s, which takes norm1 of a variable by its proximal step", name);
  }
}

void tg_strategy_explain_exchange(const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  const tg_way *way = tg_strategy_way(s, v);
  tg_text_addf(out, "%s after %" PRId64 " iterations by %s, %s", tg_way_second(way), way->after, tg_way_method(way),
               wrong);
}

static void add_second(const tg_strategy *s, const tg_verdict *v, const tg_way *way, tg_text *out)
{
  if (tg_way_second(way) == NULL) return;
  tg_text_add(out, "; ");
  if (v->exchanges > 0)
    tg_strategy_explain_exchange(s, v, out);
  else
    tg_text_addf(out, "after %" PRId64 " iterations %s takes over", way->after, tg_way_second(way));
}

void tg_strategy_explain(tg_graph *graph, const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  const tg_way *way = tg_strategy_way(s, v);
  const bool has_both = s->rounds.has_relations && s->rounds.has_envelopes;
  if (s->has_rounds)
    tg_text_addf(out, "augmented Lagrangian for %s%s%s; in each round ", s->rounds.has_relations ? "subject_to" : "",
                 has_both ? " and " : "", s->rounds.has_envelopes ? "norm1 and relu of affine expressions" : "");
  if (v->n_halves > 0) {
    add_halves(v, out);
    return;
  }
  add_method(graph, s, v, way, out);
  const bool is_free = way->reason != TG_WAY_SET && way->reason != TG_WAY_PROXIMAL;
  // Whether it is taken, the numbers decide.
  if (!s->is_asked && is_free && !tg_way_is_direct(way) && tg_strategy_offered(s, v) != TG_PRECONDITIONER_NONE)
    tg_text_addf(out, "; the Hessian%s offers a preconditioner", point_of(s));
  add_second(s, v, way, out);
}

// ---- preconditioners ----

static void add_none(const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  tg_text_add(out, "none");
  if (s->offer.is_too_large) {
    tg_text_add(out, ": the factors of kronecker with separable weights are larger than the data");
    return;
  }
  switch (v->note) {
  case TG_PRECONDITIONER_NOTE_NO_TERM:
    tg_text_add(out, ": no term of the Hessian action has positive definite factors, separable weights included");
    return;
  case TG_PRECONDITIONER_NOTE_LOSS:
    tg_text_addf(out, ": kronecker would not pay: its condition is %.3g, about %.0f iterations are expected without it",
                 v->figures[0], v->figures[1]);
    return;
  case TG_PRECONDITIONER_NOTE_WEIGHTS:
    tg_text_addf(out,
                 ": kronecker with separable weights would not pay: its condition is %.3g, the weights determine %.2g "
                 "unknowns each, and the diagonals differ by factors of up to %.2g",
                 v->figures[0], v->figures[1], v->figures[2]);
    return;
  default:
    return;
  }
}

static void add_kronecker(const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  if (v->revisions > 0 && v->until > 0) {
    tg_text_addf(out, "none after %" PRId64 " iterations with kronecker, %s", v->until, wrong);
    return;
  }
  if (v->revisions > 0) {
    tg_text_addf(out, "kronecker after %" PRId64 " iterations without it, %s", v->from, wrong);
    return;
  }
  if (v->from > 0) {
    add_none(s, v, out);
    tg_text_addf(out, "; after %" PRId64 " it is taken", v->from);
    return;
  }
  tg_text_addf(out, "kronecker%s", s->offer.n_moving > 0 ? ", renewed after 6, 18, 54, ... iterations" : "");
  if (v->note == TG_PRECONDITIONER_NOTE_HEAVY || v->note == TG_PRECONDITIONER_NOTE_INDEFINITE)
    tg_text_addf(out, ", for the rest weighs %.3g times -logdet at the start%s", v->figures[0],
                 v->note == TG_PRECONDITIONER_NOTE_INDEFINITE ? " and its linear part is not semidefinite" : "");
}

void tg_strategy_explain_preconditioner(const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  switch (tg_strategy_way(s, v)->preconditioner) {
  case TG_PRECONDITIONER_LOGDET:
    tg_text_addf(out,
                 "kronecker: X*G*X, the inverse Hessian of -logdet at each point, against which the rest weighs %.3g "
                 "at the start",
                 v->figures[0]);
    return;
  case TG_PRECONDITIONER_KRONECKER:
    add_kronecker(s, v, out);
    return;
  case TG_PRECONDITIONER_DIAGONAL:
    tg_text_addf(out, "diagonal%s", s->offer.diagonals_follow ? ", of the Hessian at each point" : "");
    return;
  case TG_PRECONDITIONER_NONE:
    add_none(s, v, out);
  }
}

// ---- the header ----

static void print_metric(const tg_strategy *s, const tg_verdict *v, tg_text *out)
{
  const char *where = point_of(s);
  switch (tg_strategy_offered(s, v)) {
  case TG_PRECONDITIONER_NONE:
    return;
  case TG_PRECONDITIONER_DIAGONAL:
    tg_text_addf(out, "  precond.  diagonal, of the Hessian%s\n", where);
    return;
  case TG_PRECONDITIONER_LOGDET:
    tg_text_addf(out, "  precond.  kronecker: X*G*X, of -logdet at each point%s\n",
                 s->offer.n_terms > 0 ? "; or the Hessian at the start in the bases of its dominant terms" : "");
    return;
  case TG_PRECONDITIONER_KRONECKER:
    tg_text_addf(out, "  precond.  kronecker: the Hessian%s in the bases of its dominant terms\n", where);
  }
}

void tg_strategy_print(tg_graph *graph, const tg_strategy *s, const tg_verdict *v, const char *groups, tg_text *out)
{
  const tg_way *way = tg_strategy_way(s, v);
  tg_text_add(out, "  method    ");
  tg_strategy_explain(graph, s, v, out);
  tg_text_add(out, "\n");
  if (tg_way_is_direct(way)) return;
  tg_text_addf(out, "  search    %s\n", tg_way_search(s, way));
  if (tg_way_keeps_pairs(way)) tg_text_addf(out, "  memory    %" PRId64 " pairs\n", s->pairs);
  tg_text_add(out, groups);
  print_metric(s, v, out);
}

// ---- options without use ----

void tg_unused_explain(const tg_unused *unused, const tg_strategy *s, const tg_way *way, tg_text *out)
{
  const char *method = tg_way_method(way);
  switch (unused->reason) {
  case TG_UNUSED_OTHER_METHOD:
    tg_text_addf(out, "%s is an option of %s; this job is minimised by %s, which does not use it", unused->key,
                 unused->owner, method);
    return;
  case TG_UNUSED_OWN_STEP:
    tg_text_addf(out, "%s has its own step rule and does not use line_search", method);
    return;
  case TG_UNUSED_NOT_FIXED:
    tg_text_addf(out, "step_length is the step of line_search: fixed; this job's is %s", tg_way_search(s, way));
    return;
  case TG_UNUSED_NO_COLUMNS:
    tg_text_addf(out, "%s is for orthonormal_columns, which no variable has", unused->key);
    return;
  case TG_UNUSED_NO_ROUNDS:
    tg_text_addf(out, "%s is for subject_to, which this job does not have", unused->key);
  }
}
