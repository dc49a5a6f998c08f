// From relations to the augmented Lagrangian.
#include "engine/model/constraints.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/declare.h"

// ---- relations to nodes ----

// A side alone; false where its sizes follow from the other side only, or where it is wrong: the whole will tell.
static bool compile_alone(tg_graph *graph, const tg_excerpt *side, const tg_compile_options *options, tg_node *out)
{
  tg_compile_options alone = *options;
  alone.errors = NULL;
  const bool is_known = tg_compile(graph, side->text, side->length, &alone, out) == TG_OK;
  if (!is_known) tg_error_clear();
  return is_known;
}

// The scalar as a matrix of the shape of `like`, every entry of it.
static tg_status spread(tg_graph *graph, tg_node scalar, tg_node like, tg_node *out)
{
  const tg_info *info = tg_node_info(graph, like);
  return tg_make_filled(graph, scalar, info->rows, info->cols, out);
}

// LEFT - RIGHT. A scalar beside a matrix bounds every entry of it.
static tg_status compile_difference(tg_graph *graph, const tg_spec_relation *relation,
                                    const tg_compile_options *options, tg_node *out)
{
  tg_node left = TG_NONE;
  tg_node right = TG_NONE;
  const bool is_known =
      compile_alone(graph, &relation->left, options, &left) && compile_alone(graph, &relation->right, options, &right);
  if (is_known && tg_node_is_scalar(graph, left) != tg_node_is_scalar(graph, right)) {
    if (tg_node_is_scalar(graph, left))
      TG_TRY(spread(graph, left, right, &left));
    else
      TG_TRY(spread(graph, right, left, &right));
    return tg_make_sub(graph, left, right, out);
  }
  const tg_excerpt *whole = &relation->difference;
  return tg_model_compile_excerpt(graph, whole, options, out);
}

static bool has_variable(const tg_task *task, const tg_graph *graph, tg_node node)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    const int32_t symbol = tg_symbol_find(graph, task->spec->variables[k].name);
    if (symbol >= 0 && tg_node_depends_on(graph, node, symbol)) return true;
  }
  return false;
}

static tg_status make_term(const tg_task *task, tg_graph *graph, const tg_spec_relation *relation,
                           const tg_compile_options *options, tg_constraints_term *out)
{
  out->text = relation->whole.text;
  out->low = relation->sign == TG_RELATION_EQUAL ? -(double)INFINITY : 0;
  out->high = (double)INFINITY;
  TG_TRY(compile_difference(graph, relation, options, &out->node));
  if (!has_variable(task, graph, out->node))
    TG_FAIL_MARK(TG_VALUE, relation->whole.mark,
                 "'%.200s' does not depend on any variable: it holds or not, whatever they are", relation->whole.text);
  if (relation->sign == TG_RELATION_AT_LEAST) TG_TRY(tg_make_scale(graph, -1.0, out->node, &out->node));
  return TG_OK;
}

// ---- multipliers and penalty ----

// Names that nobody can have written.
static tg_status add_multiplier(tg_graph *graph, int index, tg_constraints_term *term)
{
  char name[32];
  snprintf(name, sizeof name, "multiplier#%d", index + 1);
  const tg_info *info = tg_node_info(graph, term->node);
  return tg_symbol_add(graph, name, info->rows, info->cols, 0, false, &term->multiplier);
}

static tg_status add_penalty(tg_graph *graph, tg_constraints *constraints)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(graph, 1, &one));
  return tg_symbol_add(graph, "penalty#", one, one, 0, false, &constraints->penalty);
}

static tg_status fill(const tg_task *task, tg_graph *graph, const tg_compile_options *options,
                      tg_constraints *constraints)
{
  tg_compile_options general = *options;
  general.require_scalar = false;
  TG_TRY(TG_NEW(task->spec->n_relations, &constraints->terms));
  constraints->n = task->spec->n_relations;
  for (int k = 0; k < constraints->n; k++) {
    tg_constraints_term *term = &constraints->terms[k];
    TG_TRY(tg_errors_take(options->errors, make_term(task, graph, &task->spec->relations[k], &general, term)));
    if (term->node != TG_NONE) TG_TRY(add_multiplier(graph, k, term));
  }
  TG_TRY(tg_errors_raise(options->errors));
  return add_penalty(graph, constraints);
}

tg_status tg_constraints_create(const tg_task *task, tg_graph *graph, const tg_compile_options *options, tg_node f,
                                tg_constraints **out)
{
  *out = NULL;
  tg_constraints *constraints = NULL;
  TG_TRY(TG_NEW(1, &constraints));
  tg_arena_init(&constraints->arena);
  constraints->objective = f;
  const tg_status status = fill(task, graph, options, constraints);
  if (status != TG_OK) {
    tg_constraints_destroy(&constraints);
    return tg_error_pass(status, TG_HERE);
  }
  *out = constraints;
  return TG_OK;
}

void tg_constraints_destroy(tg_constraints **constraints)
{
  if (*constraints == NULL) return;
  tg_free((*constraints)->terms);
  tg_arena_fini(&(*constraints)->arena);
  tg_free(*constraints);
  *constraints = NULL;
}

int tg_constraints_nodes(const tg_constraints *constraints, tg_node *nodes)
{
  if (nodes != NULL) nodes[0] = constraints->objective;
  for (int k = 0; k < constraints->n && nodes != NULL; k++) {
    nodes[1 + k] = constraints->terms[k].node;
    nodes[1 + constraints->n + k] = constraints->terms[k].weight;
  }
  return 1 + 2 * constraints->n;
}

bool tg_constraints_has_kinks(const tg_constraints *constraints)
{
  for (int k = 0; constraints != NULL && k < constraints->n; k++)
    if (constraints->terms[k].is_kink) return true;
  return false;
}

int tg_constraints_find(const tg_constraints *constraints, const tg_graph *graph, const char *name)
{
  for (int k = 0; k <= constraints->n; k++) {
    const int32_t symbol = k < constraints->n ? constraints->terms[k].multiplier : constraints->penalty;
    if (strcmp(tg_symbol_info(graph, symbol)->name, name) == 0) return k;
  }
  return -1;
}

// ---- the augmented Lagrangian ----

// factor * penalty^power * |a|^2
static tg_status scaled_square(tg_graph *graph, double factor, tg_node penalty, double power, tg_node a, tg_node *out)
{
  tg_node scale = TG_NONE;
  tg_node square = TG_NONE;
  TG_TRY(tg_make_dot(graph, a, a, &square));
  TG_TRY(tg_make_pow_number(graph, penalty, power, &scale));
  TG_TRY(tg_make_mul(graph, scale, square, out));
  return tg_make_scale(graph, factor, *out, out);
}

// <M, H> + r/2 |H|^2
static tg_status equality_term(tg_graph *graph, tg_node h, tg_node m, tg_node penalty, tg_node *out)
{
  tg_node dot = TG_NONE;
  tg_node square = TG_NONE;
  TG_TRY(tg_make_dot(graph, m, h, &dot));
  TG_TRY(scaled_square(graph, 0.5, penalty, 1.0, h, &square));
  return tg_make_add(graph, dot, square, out);
}

// r/2 |max(0, H + M / r)|^2 - |M|^2 / (2 r)
static tg_status inequality_term(tg_graph *graph, tg_node g, tg_node m, tg_node penalty, tg_node *out)
{
  tg_node shift = TG_NONE;
  tg_node square = TG_NONE;
  TG_TRY(tg_make_pow_number(graph, penalty, -1.0, &shift));
  TG_TRY(tg_make_mul(graph, shift, m, &shift));
  TG_TRY(tg_make_add(graph, g, shift, &shift));
  TG_TRY(tg_make_unary(graph, TG_RELU, shift, &shift));
  TG_TRY(scaled_square(graph, 0.5, penalty, 1.0, shift, out));
  TG_TRY(scaled_square(graph, 0.5, penalty, -1.0, m, &square));
  return tg_make_sub(graph, *out, square, out);
}

// -|max(0, sign (t - bound / r))|^2
static tg_status beyond(tg_graph *graph, tg_node t, double sign, double bound, tg_node inverse, tg_node *sum)
{
  tg_node rest = TG_NONE;
  tg_node limit = TG_NONE;
  tg_node square = TG_NONE;
  TG_TRY(tg_make_scale(graph, bound, inverse, &limit));
  if (!tg_node_is_scalar(graph, t)) TG_TRY(spread(graph, limit, t, &limit));
  TG_TRY(tg_make_sub(graph, t, limit, &rest));
  TG_TRY(tg_make_scale(graph, sign, rest, &rest));
  TG_TRY(tg_make_unary(graph, TG_RELU, rest, &rest));
  TG_TRY(tg_make_dot(graph, rest, rest, &square));
  return tg_make_sub(graph, *sum, square, sum);
}

// r/2 (|T|^2 - |max(0, T - b / r)|^2 - |max(0, a / r - T)|^2) - |M|^2 / (2 r), T = H + M / r
static tg_status kink_term(tg_graph *graph, const tg_constraints_term *term, tg_node m, tg_node penalty, tg_node *out)
{
  tg_node inverse = TG_NONE;
  tg_node t = TG_NONE;
  tg_node square = TG_NONE;
  TG_TRY(tg_make_pow_number(graph, penalty, -1.0, &inverse));
  TG_TRY(tg_make_mul(graph, inverse, m, &t));
  TG_TRY(tg_make_add(graph, term->node, t, &t));
  TG_TRY(tg_make_dot(graph, t, t, &square));
  TG_TRY(beyond(graph, t, 1, term->high, inverse, &square));
  TG_TRY(beyond(graph, t, -1, term->low, inverse, &square));
  TG_TRY(tg_make_mul(graph, penalty, square, out));
  TG_TRY(tg_make_scale(graph, 0.5, *out, out));
  TG_TRY(scaled_square(graph, 0.5, penalty, -1.0, m, &square));
  return tg_make_sub(graph, *out, square, out);
}

static tg_status make_envelope(tg_graph *graph, const tg_constraints_term *term, tg_node penalty, tg_node *out)
{
  tg_node m = TG_NONE;
  TG_TRY(tg_make_sym(graph, term->multiplier, &m));
  if (term->is_kink) return kink_term(graph, term, m, penalty, out);
  return isinf(term->low) ? equality_term(graph, term->node, m, penalty, out)
                          : inequality_term(graph, term->node, m, penalty, out);
}

// *out += what stands in L for the terms from `first` on.
static tg_status add_envelopes(const tg_constraints *constraints, tg_graph *graph, int first, tg_node *out)
{
  tg_node penalty = TG_NONE;
  TG_TRY(tg_make_sym(graph, constraints->penalty, &penalty));
  for (int k = first; k < constraints->n; k++) {
    tg_node more = TG_NONE;
    TG_TRY(make_envelope(graph, &constraints->terms[k], penalty, &more));
    TG_TRY(tg_make_add(graph, *out, more, out));
  }
  return TG_OK;
}

tg_status tg_constraints_lagrangian(const tg_constraints *constraints, tg_graph *graph, tg_node *out)
{
  *out = constraints->objective;
  return add_envelopes(constraints, graph, 0, out);
}

// ---- kinks ----

// "norm1(A*X - B)", "sum(max(-0.3*E, 0.7*E)), E = A*X - B".
static tg_status describe_kink(tg_arena *arena, tg_graph *graph, const tg_kink *kink, const char **out)
{
  tg_text text;
  tg_text inside;
  tg_text_init(&text);
  tg_text_init(&inside);
  tg_status status = tg_print_start(graph, kink->inside, TG_FORMAT_EXPR, 120, &inside);
  const char *e = tg_text_string(&inside);
  if (kink->low == -kink->high) {
    if (kink->high != 1) tg_text_addf(&text, "%g*", kink->high);
    tg_text_addf(&text, "norm1(%s)", e);
  } else if (kink->low == 0) {
    if (kink->high != 1) tg_text_addf(&text, "%g*", kink->high);
    tg_text_addf(&text, "sum(relu(%s))", e);
  } else {
    tg_text_addf(&text, "%g*sum(relu(E)) + %g*sum(relu(-E)), E = %s", kink->high, -kink->low, e);
  }
  if (status == TG_OK) status = tg_arena_string(arena, tg_text_string(&text), text.length, out);
  tg_text_fini(&inside);
  tg_text_fini(&text);
  return status;
}

static tg_status fill_kinks(tg_graph *graph, int n_kinks, const tg_kink *kinks, tg_constraints *constraints)
{
  for (int k = 0; k < n_kinks; k++) {
    tg_constraints_term *term = &constraints->terms[constraints->n];
    *term = (tg_constraints_term){.is_kink = true,
                                  .low = kinks[k].low,
                                  .high = kinks[k].high,
                                  .node = kinks[k].inside,
                                  .weight = kinks[k].weight};
    TG_TRY(describe_kink(&constraints->arena, graph, &kinks[k], &term->text));
    TG_TRY(add_multiplier(graph, constraints->n, term));
    constraints->n++;
  }
  return TG_OK;
}

tg_status tg_constraints_split(tg_graph *graph, int n_kinks, const tg_kink *kinks, tg_node rest,
                               tg_constraints **constraints, tg_node *objective)
{
  const bool is_new = *constraints == NULL;
  if (is_new) TG_TRY(TG_NEW(1, constraints));
  tg_constraints *self = *constraints;
  if (is_new) tg_arena_init(&self->arena);
  const int first = self->n;
  if (is_new) self->objective = *objective;
  if (is_new) TG_TRY(add_penalty(graph, self));
  void *terms = self->terms;
  TG_TRY(tg_grow(first + n_kinks, sizeof *self->terms, &terms));
  self->terms = terms;
  TG_TRY(fill_kinks(graph, n_kinks, kinks, self));
  *objective = rest;
  return add_envelopes(self, graph, first, objective);
}
