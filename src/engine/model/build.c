// From the texts of a spec to the graph of its objective and the plan.
#include "engine/model/build.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/declare.h"
#include "engine/model/domain.h"
#include "engine/model/metric_change.h"
#include "engine/model/norm1_split.h"
#include "engine/model/probe_files.h"
#include "engine/model/set_data.h"
#include "grad/graph/op.h"
#include "grad/structure/curvature.h"
#include "grad/structure/groups.h"
#include "grad/structure/ridge.h"
#include "opt/constraint.h"

// ---- graph ----

static tg_status compile_objective(const tg_task *task, const tg_compile_options *options, tg_model *model)
{
  TG_TRY(tg_model_compile_excerpt(model->graph, &task->spec->objective, options, &model->objective));
  if (task->spec->maximize && !task->only_evaluates)
    TG_TRY(tg_make_scale(model->graph, -1.0, model->objective, &model->objective));
  return TG_OK;
}

// A part that nothing uses is most often misspelt where it is used.
static tg_status refuse_unused_parts(const tg_task *task, const bool *used)
{
  if (task->only_evaluates && task->spec->n_relations > 0) return TG_OK; // subject_to, which is not read, may use it
  for (int k = 0; k < task->spec->n_parts; k++) {
    if (used[k]) continue;
    const tg_status status = tg_error_set_mark(
        TG_NAME, TG_HERE, task->spec->parts[k].mark, "the part '%s' is not used%s", task->spec->parts[k].name,
        task->spec->n_relations > 0 ? ", in the objective or in subject_to" : "");
    TG_TRY(tg_errors_take(task->spec->errors, status));
  }
  return TG_OK;
}

static tg_status compile_all(const tg_task *task, const tg_compile_options *options, tg_model *model)
{
  tg_status status = tg_errors_take(task->spec->errors, compile_objective(task, options, model));
  if (status == TG_OK && task->spec->n_relations > 0 && !task->only_evaluates) {
    status = tg_constraints_create(task, model->graph, options, model->objective, &model->constraints);
    if (status == TG_OK) model->bare = model->constraints->objective;
    if (status == TG_OK) status = tg_errors_raise(task->spec->errors);
    if (status == TG_OK) status = tg_constraints_lagrangian(model->constraints, model->graph, &model->objective);
  }
  if (status == TG_OK) status = refuse_unused_parts(task, options->parts_used);
  return status == TG_OK ? tg_errors_raise(task->spec->errors) : status;
}

static tg_status compile(const tg_task *task, tg_model *model)
{
  tg_status status = TG_OK;
  tg_declaration *declarations = NULL;
  tg_part *parts = NULL;
  bool *used = NULL;
  int32_t count = 0;
  tg_text notices;
  tg_text_init(&notices);
  TG_TRY_GOTO(tg_model_declare(task, &declarations, &count));
  TG_TRY_GOTO(tg_model_parts(task, &parts));
  TG_TRY_GOTO(TG_NEW((int64_t)task->spec->n_parts + 1, &used));
  const tg_compile_options options = {.n_declarations = count,
                                      .declarations = declarations,
                                      .require_scalar = true,
                                      .errors = task->spec->errors,
                                      .notices = &notices,
                                      .n_parts = task->spec->n_parts,
                                      .parts = parts,
                                      .parts_used = used};
  TG_TRY_GOTO(compile_all(task, &options, model));
  // Once, also where the text is compiled again.
  if (!model->is_noted) tg_message_lines(task->spec->messages, TG_MESSAGE_NOTE, &notices);
  model->is_noted = true;
done:
  tg_text_fini(&notices);
  tg_free(declarations);
  tg_free(parts);
  tg_free(used);
  return status;
}

static tg_status find_errors(tg_task *task, bool is_incomplete)
{
  tg_errors *errors = task->spec->errors;
  tg_model *model = NULL;
  const tg_status probed = is_incomplete ? tg_errors_raise(errors) : tg_task_probe(task);
  // With a file missing the sizes are not known.
  for (int k = 0; k < task->spec->n_data && !is_incomplete; k++)
    is_incomplete = task->data[k].used && (task->data[k].rows == 0 || task->data[k].cols == 0);
  if (is_incomplete || task->spec->objective.text == NULL) return probed;
  TG_TRY(TG_NEW(1, &model));
  tg_status status = tg_graph_create(&model->graph);
  if (status == TG_OK) status = tg_errors_take(errors, compile(task, model));
  tg_model_destroy(&model);
  TG_TRY(status);
  return tg_errors_raise(errors);
}

tg_status tg_model_find_errors(const tg_spec *spec, bool is_incomplete)
{
  tg_task *task = NULL;
  TG_TRY(tg_task_create(spec, &task));
  const tg_status status = find_errors(task, is_incomplete);
  tg_task_destroy(&task);
  return status;
}

// A variable that the objective does not depend on could be anything: surely not what was meant.
static tg_status find_variables(const tg_task *task, tg_model *model)
{
  TG_TRY(TG_NEW(task->spec->n_variables, &model->symbols));
  model->n_variables = task->spec->n_variables;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *variable = &task->variables[k];
    model->symbols[k] = tg_symbol_find(model->graph, variable->spec->name);
    if (model->symbols[k] >= 0 && tg_node_depends_on(model->graph, model->objective, model->symbols[k])) continue;
    TG_FAIL_MARK(TG_NAME, variable->spec->mark, "the objective does not depend on the variable %s",
                 variable->spec->name);
  }
  return TG_OK;
}

tg_status tg_model_find_kinks(const tg_graph *graph, tg_node f, bool *out)
{
  uint8_t *below = NULL;
  TG_TRY(tg_node_find_below(graph, f, &below));
  *out = false;
  for (tg_node node = 1; node <= f; node++) {
    *out = *out || (below[node] != 0 && tg_kind_has_kinks(tg_node_info(graph, node)->kind));
  }
  tg_free(below);
  return TG_OK;
}

static tg_status find_kinks(tg_model *model)
{
  bool has_any = false;
  TG_TRY(tg_model_find_kinks(model->graph, model->objective, &has_any));
  model->is_smooth = !has_any;
  return tg_model_find_kinks(model->graph, model->bare != TG_NONE ? model->bare : model->objective, &model->has_kinks);
}

static tg_status find_curvature(const tg_model *model, tg_node f, tg_curvature *out)
{
  const char *reason = NULL;
  return tg_curvature_find(model->graph, f, model->n_variables, model->symbols, out, &reason);
}

// Whether a term adds something convex to the augmented Lagrangian, whose multiplier may be any number that it can
// become: h and the argument of a kink are affine, g is convex.
static tg_status is_convex_term(const tg_model *model, const tg_constraints_term *term, bool *out)
{
  tg_curvature curvature = TG_CURVATURE_UNKNOWN;
  tg_node multiplier = TG_NONE;
  tg_node f = TG_NONE;
  TG_TRY(tg_make_sym(model->graph, term->multiplier, &multiplier));
  TG_TRY(tg_make_dot(model->graph, multiplier, term->node, &f));
  TG_TRY(find_curvature(model, f, &curvature));
  *out = curvature == TG_CURVATURE_AFFINE;
  if (*out || term->is_kink || !isfinite(term->low)) return TG_OK;
  TG_TRY(tg_make_unary(model->graph, TG_ABS, multiplier, &multiplier));
  TG_TRY(tg_make_dot(model->graph, multiplier, term->node, &f));
  TG_TRY(find_curvature(model, f, &curvature));
  *out = curvature == TG_CURVATURE_CONVEX;
  return TG_OK;
}

static tg_status find_ridge(const tg_task *task, tg_model *model)
{
  double *values = NULL;
  bool *known = NULL;
  if (!model->is_convex || model->constraints != NULL) return TG_OK;
  tg_status status = tg_model_numbers(task, model->graph, &values, &known);
  if (status == TG_OK)
    status = tg_ridge_find(model->graph, model->objective, model->n_variables, model->symbols, values, known,
                           &model->convexity);
  tg_free(known);
  tg_free(values);
  return status;
}

// Finds the convexity of an augmented Lagrangian by its parts, since the penalty is a symbol without a sign.
static tg_status find_convexity(tg_model *model)
{
  const tg_constraints *constraints = model->constraints;
  tg_curvature curvature = TG_CURVATURE_UNKNOWN;
  TG_TRY(find_curvature(model, constraints != NULL ? constraints->objective : model->objective, &curvature));
  model->is_convex = curvature == TG_CURVATURE_CONVEX || curvature == TG_CURVATURE_AFFINE;
  for (int k = 0; constraints != NULL && k < constraints->n && model->is_convex; k++)
    TG_TRY(is_convex_term(model, &constraints->terms[k], &model->is_convex));
  return TG_OK;
}

static tg_status find_groups(const tg_task *task, tg_model *model)
{
  TG_TRY(TG_NEW(model->n_variables, &model->group_rows));
  model->n_groups = 1;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    const opt_constraint_row *row = opt_constraint_find(x->constraint);
    if (x->norm1 > 0 || (row != NULL && !row->is_bounds)) return TG_OK;
  }
  return tg_find_groups(model->graph, model->objective, model->n_variables, model->symbols, &model->n_groups,
                        model->group_rows);
}

// ---- plan ----

// Without the Hessian action, which may have no formula where value and gradient do: in third derivatives of functions
// of matrices. Methods by gradients need none; what asks for it is refused by name, and no end is examined.
static tg_status lower_without_hessian(const tg_spec *job, tg_graph *graph, tg_node f, int n, const int32_t *symbols,
                                       tg_lower_options *options, tg_plan **out)
{
  const tg_error first = *tg_error_get();
  options->want_hessian = false;
  const tg_status status = tg_lower(graph, f, n, symbols, options, out);
  if (status != TG_OK) {
    *tg_error_get() = first;
    return first.code;
  }
  tg_error_clear();
  tg_message_warn_at(job->messages, job->objective.mark,
                     "%s: the objective has no Hessian action, so methods go by its gradients, and where a run ends is "
                     "not examined for a saddle",
                     first.message);
  return TG_OK;
}

tg_status tg_model_lower(const tg_task *task, tg_graph *graph, tg_node f, int n, const int32_t *symbols,
                         const tg_lower_options *given, tg_plan **out)
{
  double *values = NULL;
  bool *known = NULL;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_model_numbers(task, graph, &values, &known));
  tg_lower_options options = *given;
  options.scalar_values = values;
  options.has_scalar_value = known;
  status = tg_lower(graph, f, n, symbols, &options, out);
  if (status == TG_UNSUPPORTED && options.want_hessian)
    status = lower_without_hessian(task->spec, graph, f, n, symbols, &options, out);
  // The whole objective is the place: which operator cannot be compiled, the message says.
  tg_error_locate(task->spec->objective.mark, status);
done:
  tg_free(known);
  tg_free(values);
  return status;
}

static tg_status match_data(const tg_task *task, tg_model *model)
{
  TG_TRY(TG_NEW(model->plan->n_data, &model->data));
  for (int32_t k = 0; k < model->plan->n_data; k++) {
    const char *name = model->plan->data[k].name;
    model->data[k] = tg_spec_find_data(task->spec, name);
    if (model->data[k] >= 0 || tg_metric_change_find(model, name) >= 0) continue;
    const int own = model->constraints != NULL ? tg_constraints_find(model->constraints, model->graph, name) : -1;
    model->data[k] = task->spec->n_data + own;
    if (own < 0) TG_FAIL(TG_INTERNAL, "the plan asks for '%s', which the job does not declare", name);
  }
  return TG_OK;
}

static tg_status read_text(const tg_task *task, tg_model *model)
{
  TG_TRY(tg_set_data_check(task));
  TG_TRY(tg_graph_create(&model->graph));
  TG_TRY(compile(task, model));
  return find_variables(task, model);
}

// The text, read once more where it restricts its variables.
static tg_status read_with_domain(tg_task *task, tg_model *model)
{
  bool is_restricted = false;
  tg_domain_forget(task);
  TG_TRY(read_text(task, model));
  TG_TRY(tg_domain_find(task, model, &is_restricted));
  if (!is_restricted) return TG_OK;
  tg_constraints_destroy(&model->constraints);
  tg_graph_destroy(&model->graph);
  tg_free(model->symbols);
  model->symbols = NULL;
  return read_text(task, model);
}

static tg_status build(tg_task *task, const tg_lower_options *options, tg_model *model)
{
  TG_TRY(read_with_domain(task, model));
  TG_TRY(tg_model_split_norm1(task, model));
  TG_TRY(tg_metric_change_substitute(task, model));
  TG_TRY(find_kinks(model));
  TG_TRY(find_convexity(model));
  TG_TRY(find_ridge(task, model));
  TG_TRY(find_groups(task, model));
  TG_TRY(
      tg_model_lower(task, model->graph, model->objective, model->n_variables, model->symbols, options, &model->plan));
  return match_data(task, model);
}

static tg_status build_plain(tg_task *task, const tg_lower_options *options, tg_model *model)
{
  TG_TRY(read_with_domain(task, model));
  TG_TRY(tg_metric_change_substitute(task, model)); // finds none
  TG_TRY(find_kinks(model));
  model->n_groups = 1;
  TG_TRY(TG_NEW(model->n_variables, &model->group_rows));
  TG_TRY(
      tg_model_lower(task, model->graph, model->objective, model->n_variables, model->symbols, options, &model->plan));
  return match_data(task, model);
}

typedef tg_status builder(tg_task *task, const tg_lower_options *options, tg_model *model);

static tg_status create(tg_task *task, const tg_lower_options *options, builder *build_model, tg_model **out)
{
  *out = NULL;
  tg_task_mark_used(task, false);
  tg_model *model = NULL;
  TG_TRY(TG_NEW(1, &model));
  const tg_status status = build_model(task, options, model);
  if (status != TG_OK) {
    tg_model_destroy(&model);
    return tg_error_pass(status, TG_HERE);
  }
  *out = model;
  return TG_OK;
}

tg_status tg_model_create(tg_task *task, const tg_lower_options *options, tg_model **out)
{
  return create(task, options, build, out);
}

tg_status tg_model_create_plain(tg_task *task, const tg_lower_options *options, tg_model **out)
{
  return create(task, options, build_plain, out);
}
