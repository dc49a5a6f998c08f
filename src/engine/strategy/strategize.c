// The decision: which ways there are, in which order.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/strategy/strategy_parts.h"
#include "engine/strategy/strategy_words.h"
#include "grad/structure/kinks.h"
#include "grad/structure/nonnegative.h"
#include "opt/driver.h"
#include "opt/resolve.h"
#include "opt/solver.h"

tg_strategy_costs tg_strategy_costs_default(void)
{
  return (tg_strategy_costs){
      .most_factorising = 400, .most_half_factorising = 4, .coupled_iterations = 50, .longest_line = 256};
}

bool tg_strategy_has_norm1(const tg_strategy_facts *facts)
{
  for (int k = 0; k < facts->n_variables; k++)
    if (facts->variables[k].set.norm1 > 0) return true;
  return false;
}

bool tg_strategy_has_set(const tg_strategy_facts *facts)
{
  for (int k = 0; k < facts->n_variables; k++)
    if (facts->variables[k].set.kind != OPT_CONSTRAINT_FREE) return true;
  return false;
}

bool tg_way_is_direct(const tg_way *way)
{
  return way->solver->needs_closed_form;
}

// ---- closed forms ----

static tg_status find_form(const tg_deciding *d)
{
  const tg_strategy_facts *facts = d->facts;
  tg_strategy *s = d->out;
  s->form.kind = TG_CLOSED_NONE;
  s->no_form = TG_NO_FORM_SYMBOLS;
  if (tg_strategy_has_norm1(facts)) {
    s->no_form = TG_NO_FORM_NORM1;
    return TG_OK;
  }
  if (!tg_strategy_has_set(facts))
    return tg_closed_form_find(d->graph, facts->objective, facts->n_variables, facts->symbols, &s->form);
  if (facts->n_variables == 1 && facts->variables[0].set.kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS)
    return tg_closed_form_find_orthonormal(d->graph, facts->objective, facts->symbols[0], &s->form);
  s->no_form = TG_NO_FORM_SETS;
  return TG_OK;
}

double tg_strategy_form_cost(const tg_graph *graph, const tg_plan_data *x, const tg_closed_form *form)
{
  const double sizes[2] = {(double)x->rows, (double)x->cols};
  if (form->kind == TG_CLOSED_EIGENVECTORS) return 4.0 / 3 * sizes[0] / (2 * sizes[1]); // for few columns
  if (form->kind == TG_CLOSED_POLAR) return 0;                                          // a retraction costs as much
  const double per_entry = form->kind == TG_CLOSED_SPECTRAL ? 9.0 : 1.0 / 3;
  double factor = 0;
  double action = 0;
  for (int side = 0; side < 2; side++) {
    if (form->sides[side].base == TG_NONE) continue;
    const double n = (double)tg_dim_value(graph, tg_node_info(graph, form->sides[side].base)->rows);
    factor += per_entry * pow(n, 3);
    action += 2 * sizes[0] * sizes[1] * n;
  }
  return action > 0 ? factor / action : 0;
}

// ---- ways ----

static void add_way(const tg_deciding *d, const tg_way *way, tg_preconditioner_kind preconditioner, unsigned conditions)
{
  TG_ASSERT(d->out->n_ways < TG_STRATEGY_WAYS);
  tg_way *out = &d->out->ways[d->out->n_ways++];
  *out = *way;
  out->preconditioner = preconditioner;
  out->conditions |= conditions;
}

// The solver by its name, and the options that make the driver take it.
static tg_way make_way(const tg_deciding *d, const char *method, tg_way_reason reason)
{
  return (tg_way){.solver = opt_solver_find(method),
                  .method = opt_option_choice(OPT_KIND_METHOD, method),
                  .line_search = d->facts->options->line_search,
                  .reason = reason,
                  .n_groups = 1};
}

static void add_direct(const tg_deciding *d)
{
  const tg_closed_kind kind = d->out->form.kind;
  const bool is_on_set = kind == TG_CLOSED_EIGENVECTORS || kind == TG_CLOSED_POLAR;
  const tg_way way = make_way(d, "direct", TG_WAY_DIRECT);
  add_way(d, &way, TG_PRECONDITIONER_NONE, is_on_set ? 0 : TG_IF_DEFINITE);
}

// l-bfgs tells groups apart, also under bounds, and so does what steps by the line polynomial of a quadratic.
static int64_t count_groups(const tg_deciding *d, const tg_way *way)
{
  const bool is_exact = strcmp(tg_way_search(d->out, way), "exact") == 0;
  const bool steps_apart =
      d->out->degree == 2 && is_exact && d->facts->plan->has_hessian && !tg_strategy_has_set(d->facts);
  return tg_way_keeps_pairs(way) || steps_apart ? d->facts->n_groups : 1;
}

// ---- iterations ----

// How much a forecast may be exceeded before it counts as wrong.
enum { wrong = 3 };

static const char *const by_conjugate_gradients = "conjugate-gradient";

static bool asks_for_direct(const opt_options *options)
{
  return options->method == opt_option_choice(OPT_KIND_METHOD, "direct");
}

// What follows a closed form that does not serve is auto's.
static opt_options without_direct(const opt_options *options)
{
  opt_options out = *options;
  if (asks_for_direct(options)) out.method = 0;
  return out;
}

// Without constraints. A polynomial in several variables has the scales of its blocks to balance, and there pairs of
// old gradients mislead; in one variable l-bfgs is ahead. Where the domain ends at entries, these change by factors on
// the way, and old gradients belong to other scales.
static tg_way choose_free(const tg_deciding *d)
{
  const tg_strategy_facts *facts = d->facts;
  const tg_plan *plan = facts->plan;
  const opt_options options = without_direct(facts->options);
  if (options.method > 0) return make_way(d, opt_option_choices(OPT_KIND_METHOD)[options.method], TG_WAY_ASKED);
  if (facts->rounds != NULL && facts->rounds->has_envelopes && plan->has_hessian)
    return make_way(d, "newton-cg", TG_WAY_ENVELOPES);
  const bool couples = plan->has_line && plan->degree > 2 && facts->n_variables > 1;
  const char *name = couples || d->has_border ? by_conjugate_gradients : opt_resolved_method(&options, d->out->degree);
  const bool is_quadratic = plan->degree >= 0 && plan->degree <= 2;
  tg_way way = make_way(d, name, is_quadratic ? TG_WAY_QUADRATIC : plan->has_line ? TG_WAY_EXACT : TG_WAY_GENERAL);
  // Where the scales are no matter the pairs are ahead, and the more so the longer it takes.
  if (couples && facts->rounds == NULL) {
    way.second = opt_option_choice(OPT_KIND_METHOD, "l-bfgs");
    way.after = wrong * d->costs->coupled_iterations;
  }
  return way;
}

// Under constraints, and with proximal steps, methods mean other solvers.
static tg_status choose_on_set(const tg_deciding *d, tg_way *out)
{
  const opt_options *asked = d->facts->options;
  const opt_solver *solver = NULL;
  const char *search = NULL;
  const opt_options options = without_direct(asked);
  *d->key = TG_KEY_METHOD;
  TG_TRY(opt_constrained_solver(&options, &d->traits, &solver));
  *d->key = TG_KEY_LINE_SEARCH;
  TG_TRY(opt_constrained_search(asked, solver, &search));
  const tg_way_reason reason = d->traits.has_norm1 ? TG_WAY_PROXIMAL : d->is_auto ? TG_WAY_SET : TG_WAY_ASKED_SET;
  *out = make_way(d, opt_constrained_method(solver), reason);
  out->solver = solver;
  // Along a curve the search is one that bears a slope known to first order only.
  if (d->traits.geometry != OPT_GEOMETRY_CONVEX && strcmp(search, "none") != 0)
    out->line_search = opt_option_choice(OPT_KIND_LINE_SEARCH, search);
  return TG_OK;
}

// The conditions of Kronecker's: of the terms at the point, which are those of a logdet, nothing is judged.
static unsigned kronecker_conditions(const tg_deciding *d)
{
  const tg_offer *offer = &d->out->offer;
  const bool is_judged = d->facts->options->preconditioner == OPT_PRECONDITIONER_AUTO && !(offer->logdet > 0) &&
                         (d->facts->plan->degree != 2 || offer->n_weights > 0);
  return TG_IF_TERMS_DEFINITE | (is_judged ? TG_IF_IT_PAYS : 0U) | (d->out->n_signed > 0 ? TG_IF_NONNEGATIVE : 0U);
}

// One solver with each preconditioner that may serve it, the best first.
static tg_status add_iterations(const tg_deciding *d)
{
  const bool is_forced = d->facts->options->preconditioner == OPT_PRECONDITIONER_DIAGONAL ||
                         d->facts->options->preconditioner == OPT_PRECONDITIONER_KRONECKER;
  const tg_offer *offer = &d->out->offer;
  tg_way way = choose_free(d);
  if (d->traits.has_any) TG_TRY(choose_on_set(d, &way));
  way.n_groups = count_groups(d, &way);
  if (!way.solver->needs_blocks) TG_TRY(tg_strategy_find_offer(d, way.solver));
  if (offer->logdet > 0) add_way(d, &way, TG_PRECONDITIONER_LOGDET, TG_IF_REST_IS_LIGHT);
  if (offer->n_terms > 0) add_way(d, &way, TG_PRECONDITIONER_KRONECKER, kronecker_conditions(d));
  if (offer->n_diagonals > 0)
    add_way(d, &way, TG_PRECONDITIONER_DIAGONAL, offer->diagonals_follow ? 0 : TG_IF_POSITIVE);
  if (!is_forced || way.solver->needs_blocks) add_way(d, &way, TG_PRECONDITIONER_NONE, 0);
  return TG_OK;
}

// ---- what a job asks for and cannot have ----

// Without constraints: the method alone is at fault when it fails with its own line search as well.
static tg_status check_free(const tg_deciding *d)
{
  const opt_options *asked = d->facts->options;
  const bool has_hessian = d->facts->plan->has_hessian;
  opt_options alone = *asked;
  alone.line_search = 0;
  if (tg_strategy_has_set(d->facts)) return TG_OK;
  *d->key = TG_KEY_METHOD;
  TG_TRY(opt_options_verify(&alone, d->out->degree, has_hessian));
  *d->key = TG_KEY_LINE_SEARCH;
  return opt_options_verify(asked, d->out->degree, has_hessian);
}

static tg_status check_alternating(const tg_deciding *d)
{
  static const char instead[] = "take auto, conjugate-gradient or l-bfgs";
  const tg_strategy_facts *facts = d->facts;
  if (facts->options->method != opt_option_choice(OPT_KIND_METHOD, "alternating")) return TG_OK;
  *d->key = TG_KEY_METHOD;
  if (facts->n_variables == 1)
    TG_FAIL(TG_UNSUPPORTED, "method: alternating goes from one variable to the other, and %s is the only one; %s",
            tg_symbol_info(d->graph, facts->symbols[0])->name, instead);
  for (int k = 0; k < facts->n_variables; k++)
    if (facts->variables[k].has_metric)
      TG_FAIL(TG_UNSUPPORTED, "method: alternating does not go with the metric of %s; %s",
              tg_symbol_info(d->graph, facts->symbols[k])->name, instead);
  if (facts->rounds != NULL && facts->rounds->has_relations)
    TG_FAIL(TG_UNSUPPORTED, "method: alternating does not serve the rounds of subject_to; %s", instead);
  return TG_OK;
}

static tg_status refuse_direct(const tg_deciding *d)
{
  tg_text why;
  tg_text_init(&why);
  tg_strategy_explain_form(d->graph, d->out, &why);
  *d->key = TG_KEY_METHOD;
  const tg_status status =
      tg_error_set(TG_UNSUPPORTED, TG_HERE, "method direct: %s; take method: auto", tg_text_string(&why));
  tg_text_fini(&why);
  return status;
}

// ---- all ----

// The flops of an iteration on one rank, as those on any number: the iterations must not depend on the ranks.
static tg_status choose_pairs(const tg_deciding *d)
{
  const tg_cost_grid one_rank = {.rows = 1, .cols = 1, .block = 64, .threads = 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  const tg_plan *plan = d->facts->plan;
  double dimension = 0;
  tg_cost iteration;
  d->out->pairs = d->facts->options->memory;
  if (d->out->pairs > 0) return TG_OK;
  for (int32_t k = 0; k < plan->n_variables; k++)
    dimension += (double)plan->variables[k].rows * (double)plan->variables[k].cols;
  TG_TRY(tg_plan_iteration_cost(plan, &one_rank, &machine, &iteration));
  d->out->pairs = opt_automatic_pairs(iteration.flops, dimension);
  return TG_OK;
}

// What the numbers may leave, also where the job names direct: the numbers that refuse a closed form may be those of an
// objective that falls without end, or of one with many minima, and iterations show which. Where nothing else can be
// what the job asks for, direct is all there is.
static tg_status add_after_direct(const tg_deciding *d)
{
  const tg_status status = add_iterations(d);
  if (status != TG_UNSUPPORTED) return status;
  tg_error_clear();
  d->out->n_ways = 1;
  return TG_OK;
}

// What a closed form refuses for want of a minimum is no fault of the job: a method that descends shows the ray.
static bool has_no_minimum(const tg_strategy *s)
{
  return s->no_form == TG_NO_FORM_SYMBOLS &&
         (s->form.why.code == TG_CLOSED_WHY_NEGATIVE || s->form.why.code == TG_CLOSED_WHY_LOGDET_SIGN);
}

static tg_status choose_ways(const tg_deciding *d)
{
  const bool is_asked = asks_for_direct(d->facts->options);
  tg_strategy *s = d->out;
  bool alternates = false;
  s->no_form = TG_NO_FORM_NOT_LOOKED;
  if (d->is_auto || is_asked) TG_TRY(find_form(d));
  if (is_asked && s->form.kind == TG_CLOSED_NONE && !has_no_minimum(s)) return refuse_direct(d);
  if (s->form.kind != TG_CLOSED_NONE)
    s->form_cost = tg_strategy_form_cost(d->graph, &d->facts->plan->variables[0], &s->form);
  if (!is_asked && s->form_cost > d->costs->most_factorising) {
    s->form.kind = TG_CLOSED_NONE;
    s->no_form = TG_NO_FORM_COST;
  }
  if (s->form.kind != TG_CLOSED_NONE) {
    add_direct(d);
    return add_after_direct(d);
  }
  if (d->is_auto) TG_TRY(tg_strategy_find_halves(d, &alternates));
  if (!alternates) return add_iterations(d);
  const tg_way way = make_way(d, "alternating", TG_WAY_HALF_STEPS);
  add_way(d, &way, TG_PRECONDITIONER_NONE, 0);
  return TG_OK;
}

static tg_status find_traits(tg_deciding *d)
{
  const int n = d->facts->n_variables;
  opt_constraint_block *blocks = NULL;
  TG_TRY(TG_NEW(n, &blocks));
  for (int k = 0; k < n; k++) {
    blocks[k] = d->facts->variables[k].set;
    if (blocks[k].kind != OPT_CONSTRAINT_FREE) d->out->set = blocks[k].kind;
  }
  const tg_status status = opt_traits_find(n, blocks, &d->traits);
  tg_free(blocks);
  return status;
}

static tg_status find_signs_and_jumps(const tg_deciding *d)
{
  tg_node f = TG_NONE;
  TG_TRY(tg_strategy_with_numbers(d->graph, d->facts, &f));
  TG_TRY(tg_kinks_find_jumps(d->graph, f, d->facts->n_variables, d->facts->symbols, &d->out->has_jumps));
  return tg_nonnegative_find(d->graph, f, &d->out->is_nonnegative);
}

static tg_status decide(tg_deciding *d)
{
  const tg_strategy_facts *facts = d->facts;
  tg_strategy *s = d->out;
  TG_TRY(TG_NEW(facts->n_variables, &s->symbols));
  memcpy(s->symbols, facts->symbols, (size_t)facts->n_variables * sizeof *s->symbols);
  s->plan_degree = facts->plan->degree;
  s->degree = facts->plan->has_line ? facts->plan->degree : -1;
  s->n_variables = facts->n_variables;
  s->has_kinks = facts->has_kinks;
  s->is_asked = !d->is_auto;
  s->has_rounds = facts->rounds != NULL;
  if (s->has_rounds) s->rounds = *facts->rounds;
  TG_TRY(find_traits(d));
  TG_TRY(find_signs_and_jumps(d));
  TG_TRY(tg_strategy_find_border(d->graph, facts, &d->has_border));
  TG_TRY(check_free(d));
  TG_TRY(check_alternating(d));
  TG_TRY(choose_pairs(d));
  TG_TRY(choose_ways(d));
  TG_ASSERT(s->n_ways > 0);
  return TG_OK;
}

tg_status tg_strategize(tg_graph *graph, const tg_strategy_facts *facts, const tg_strategy_costs *costs,
                        tg_strategy_key *key, tg_strategy **out)
{
  *out = NULL;
  *key = TG_KEY_NONE;
  tg_strategy *s = NULL;
  TG_TRY(TG_NEW(1, &s));
  tg_deciding d = {
      .graph = graph, .facts = facts, .costs = costs, .is_auto = facts->options->method == 0, .out = s, .key = key};
  const tg_status status = decide(&d);
  if (status != TG_OK) {
    tg_strategy_destroy(&s);
    return tg_error_pass(status, TG_HERE);
  }
  *key = TG_KEY_NONE;
  *out = s;
  return TG_OK;
}

void tg_strategy_destroy(tg_strategy **strategy)
{
  if (*strategy == NULL) return;
  tg_free((*strategy)->offer.diagonals);
  tg_free((*strategy)->signed_symbols);
  tg_free((*strategy)->symbols);
  tg_free(*strategy);
  *strategy = NULL;
}
