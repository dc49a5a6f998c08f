// norm1 in the objective.
#include "engine/model/norm1_split.h"

#include <string.h>

#include "base/memory.h"
#include "engine/model/declare.h"
#include "engine/model/metric_change.h"
#include "grad/structure/kinks.h"
#include "grad/structure/norm1.h"
#include "opt/constraint.h"
#include "opt/driver.h"

bool tg_model_has_norm1(const tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++)
    if (task->variables[k].norm1 > 0) return true;
  return false;
}

// Sets of nonnegative matrices: norm1(X) is sum(X) there.
static bool is_nonnegative(const tg_task_variable *variable)
{
  const opt_constraint_row *row = opt_constraint_find(variable->constraint);
  return row != NULL && row->is_nonnegative;
}

static bool has_proximal_step(const tg_task_variable *variable)
{
  const opt_constraint_row *row = opt_constraint_find(variable->constraint);
  return row == NULL || row->kind == OPT_CONSTRAINT_BOX;
}

// Whether the method takes proximal steps. Under subject_to the objective is not the job's alone.
static bool takes_steps(const tg_task *task)
{
  const char *method = opt_option_choices(OPT_KIND_METHOD)[task->spec->solver.method];
  static const char *const steps[] = {"auto", "newton-cg", "conjugate-gradient", "barzilai-borwein", "alternating"};
  bool has_step = false;
  for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) has_step = has_step || strcmp(method, steps[k]) == 0;
  return has_step && task->spec->n_relations == 0;
}

// objective += weight * sum(X), or weight * norm1(X).
static tg_status put_back(tg_model *model, int k, double weight, bool is_plain_sum)
{
  tg_graph *graph = model->graph;
  tg_node term = TG_NONE;
  TG_TRY(tg_make_sym(graph, model->symbols[k], &term));
  if (!is_plain_sum) TG_TRY(tg_make_unary(graph, TG_ABS, term, &term));
  TG_TRY(tg_make_unary(graph, TG_SUM, term, &term));
  TG_TRY(tg_make_scale(graph, weight, term, &term));
  return tg_make_add(graph, model->objective, term, &model->objective);
}

static bool is_smooth_in(const tg_model *model, int k)
{
  return tg_node_depends_on(model->graph, model->objective, model->symbols[k]);
}

static tg_status place(tg_task *task, tg_model *model, int k, double weight)
{
  tg_task_variable *variable = &task->variables[k];
  const bool is_sum = is_nonnegative(variable);
  // A variable that has nothing but its norm1 would leave the objective altogether.
  if (is_sum || !takes_steps(task) || !is_smooth_in(model, k)) return put_back(model, k, weight, is_sum);
  if (!has_proximal_step(variable))
    TG_FAIL_MARK(
        TG_UNSUPPORTED, variable->spec->constraint_mark,
        "norm1(%s) in the objective and the constraint %s on %s: there is a proximal step for box or no constraint, "
        "and method: %s has no other way; take method: auto, or a smooth form, such as sum((X.^2 + 1e-6*ones).^0.5)",
        variable->spec->name, variable->constraint, variable->spec->name,
        opt_option_choices(OPT_KIND_METHOD)[task->spec->solver.method]);
  variable->norm1 = weight;
  return TG_OK;
}

// Whether the method minimises augmented Lagrangians, and nothing of the job is against that.
static bool may_split(const tg_task *task)
{
  const char *method = opt_option_choices(OPT_KIND_METHOD)[task->spec->solver.method];
  static const char *const others[] = {"alternating", "frank-wolfe", "direct"};
  bool may = true;
  for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) may = may && strcmp(method, others[k]) != 0;
  for (int k = 0; k < task->spec->n_variables; k++) may = may && tg_metric_change_datum(&task->variables[k]) < 0;
  return may;
}

// The kinks of the sum, those of variables alone among them, which have no proximal step in the rounds.
static tg_status split_all(const tg_task *task, tg_model *model, const double *weights, tg_kink *kinks, int n_kinks,
                           tg_node rest, tg_node bare)
{
  const tg_node whole = model->objective;
  model->objective = rest;
  for (int k = 0; k < model->n_variables; k++) {
    tg_kink kink = {.low = -weights[k], .high = weights[k]};
    if (!(weights[k] > 0)) continue;
    if (is_nonnegative(&task->variables[k])) {
      TG_TRY(put_back(model, k, weights[k], true));
      continue;
    }
    TG_TRY(tg_make_sym(model->graph, model->symbols[k], &kink.inside));
    TG_TRY(tg_kinks_add(model->graph, kink, kinks, &n_kinks));
  }
  rest = model->objective;
  model->objective = whole;
  if (n_kinks == 0) return TG_OK;
  model->bare = bare;
  return tg_constraints_split(model->graph, n_kinks, kinks, rest, &model->constraints, &model->objective);
}

static tg_status place_all(tg_task *task, tg_model *model, const double *weights, tg_node rest)
{
  model->objective = rest;
  for (int k = 0; k < model->n_variables; k++)
    if (weights[k] > 0) TG_TRY(place(task, model, k, weights[k]));
  return TG_OK;
}

// Whether a variable's norm1 has no proximal step: its set has none, the rounds of subject_to know nothing of it.
static bool lacks_step(const tg_task *task, const double *weights)
{
  bool lacks = false;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    const bool has_kinks = weights[k] > 0 && !is_nonnegative(x);
    lacks = lacks || (has_kinks && (task->spec->n_relations > 0 || !has_proximal_step(x)));
  }
  return lacks;
}

tg_status tg_model_split_norm1(tg_task *task, tg_model *model)
{
  const int n = model->n_variables;
  double *values = NULL;
  bool *is_known = NULL;
  double *weights = NULL;
  tg_kink kinks[TG_KINKS_MAX];
  int n_kinks = 0;
  tg_node smooth = TG_NONE; // without norm1 of variables
  tg_node rest = TG_NONE;   // without other kinks either
  tg_node bare = TG_NONE;   // f in that way
  tg_status status = TG_OK;
  for (int k = 0; k < task->spec->n_variables; k++) task->variables[k].norm1 = 0;
  TG_TRY_GOTO(tg_model_numbers(task, model->graph, &values, &is_known));
  TG_TRY_GOTO(TG_NEW(n, &weights));
  TG_TRY_GOTO(tg_norm1_split(model->graph, model->objective, n, model->symbols, values, is_known, weights, &smooth));
  TG_TRY_GOTO(tg_kinks_split(model->graph, smooth, n, model->symbols, values, is_known, kinks, &n_kinks, &rest));
  bare = rest;
  if (task->spec->n_relations > 0) {
    n_kinks = 0;
    TG_TRY_GOTO(tg_norm1_split(model->graph, model->bare, n, model->symbols, values, is_known, weights, &bare));
    TG_TRY_GOTO(tg_kinks_split(model->graph, bare, n, model->symbols, values, is_known, kinks, &n_kinks, &bare));
  }
  const bool splits = may_split(task) && (n_kinks > 0 || lacks_step(task, weights));
  status =
      splits ? split_all(task, model, weights, kinks, n_kinks, rest, bare) : place_all(task, model, weights, smooth);
done:
  tg_free(values);
  tg_free(is_known);
  tg_free(weights);
  return status;
}
