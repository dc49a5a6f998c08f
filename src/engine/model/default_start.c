// Where the gradient vanishes at zero by its form: zeros are put for the variables, and what is left is looked at.
#include "engine/model/default_start.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/structure/curvature.h"
#include "opt/constraint.h"

// The start is ours to choose: the job says nothing of it, and the constraint has none of its own.
static bool is_open(const tg_task_variable *x)
{
  return x->start == TG_START_ZEROS && !x->spec->start_is_given && !tg_task_on_manifold(x);
}

static tg_node objective_of(const tg_model *model)
{
  return model->constraints != NULL ? model->constraints->objective : model->objective;
}

// Whether the gradients by symbols[wrt] vanish with zeros in the place of the n given symbols. Zeros may be outside the
// domain, as under inv and log: then nothing is said.
static tg_status vanishes(tg_model *model, int32_t wrt, int32_t n, const int32_t *symbols, bool *out)
{
  tg_node gradient = TG_NONE;
  tg_node at_zero = TG_NONE;
  tg_node *zeros = NULL;
  *out = false;
  TG_TRY(tg_gradient(model->graph, objective_of(model), 1, &wrt, &gradient));
  TG_TRY(TG_NEW(n, &zeros));
  tg_status status = TG_OK;
  for (int32_t k = 0; k < n && status == TG_OK; k++) {
    const tg_symbol *symbol = tg_symbol_info(model->graph, symbols[k]);
    status = tg_make_zeros(model->graph, symbol->rows, symbol->cols, &zeros[k]);
  }
  if (status == TG_OK) status = tg_substitute(model->graph, gradient, n, symbols, zeros, &at_zero);
  tg_free(zeros);
  if (status == TG_MEMORY || status == TG_LIMIT) return tg_error_pass(status, TG_HERE);
  if (status != TG_OK)
    tg_error_clear();
  else
    *out = tg_node_is_zero(model->graph, at_zero);
  return TG_OK;
}

// Without constraints a quadratic's curvature is found by its solver, and under linear equalities by the multipliers.
static bool is_settled(const tg_task *task, const tg_model *model)
{
  const int degree = tg_degree(model->graph, objective_of(model), model->n_variables, model->symbols);
  if (degree < 0 || degree > 2) return false;
  for (int k = 0; k < task->spec->n_variables; k++)
    if (task->variables[k].constraint != NULL) return false;
  for (int k = 0; model->constraints != NULL && k < model->constraints->n; k++) {
    const tg_constraints_term *term = &model->constraints->terms[k];
    const bool is_equality = isinf(term->low) != 0;
    if (!is_equality || tg_degree(model->graph, term->node, model->n_variables, model->symbols) != 1) return false;
  }
  return true;
}

// Whether zeros of the variable, which its set lets grow only, take the gradient from one on a manifold: where that
// stands badly, both stay, at a point that is none.
static tg_status holds_another(const tg_task *task, tg_model *model, int k, bool *out)
{
  const char *constraint = task->variables[k].constraint;
  const opt_constraint_row *row = constraint != NULL ? opt_constraint_find(constraint) : NULL;
  *out = false;
  if (row == NULL || !(row->is_nonnegative || row->is_bounds)) return TG_OK;
  for (int j = 0; j < task->spec->n_variables && !*out; j++)
    if (tg_task_on_manifold(&task->variables[j]))
      TG_TRY(vanishes(model, model->symbols[j], 1, &model->symbols[k], out));
  return TG_OK;
}

// The seed of a variable without one of its own: no two of them alike, or factors of one shape would be equal.
static void choose(tg_task *task, int k)
{
  tg_task_variable *x = &task->variables[k];
  const opt_constraint_row *row = opt_constraint_find(x->constraint);
  x->start = row != NULL && (row->is_nonnegative || row->is_bounds) ? TG_START_UNIFORM : TG_START_NORMAL;
  x->start_is_chosen = true;
  // Sums of 1 ask for entries of that share: a point well inside, not one that its projection puts at a corner.
  if (row != NULL && row->has_oracle && !row->is_bounds && !x->spec->scale_is_given)
    x->scale = 2.0 / (double)(x->rows > x->cols ? x->rows : x->cols);
  if (!x->spec->seed_is_given) x->seed += (uint64_t)(1000 * k);
}

tg_status tg_default_start_choose(tg_task *task, tg_model *model)
{
  int32_t n = 0;
  int32_t *open = NULL;
  bool *is_ours = NULL;
  tg_status status = TG_OK;
  if (is_settled(task, model)) return TG_OK;
  TG_TRY(TG_NEW(task->spec->n_variables, &open));
  TG_TRY_GOTO(TG_NEW(task->spec->n_variables, &is_ours));
  for (int k = 0; k < task->spec->n_variables; k++) {
    tg_curvature curvature = TG_CURVATURE_UNKNOWN;
    const char *reason = NULL;
    bool alone = false;
    if (!is_open(&task->variables[k])) continue;
    TG_TRY_GOTO(vanishes(model, model->symbols[k], 1, &model->symbols[k], &alone));
    TG_TRY_GOTO(tg_curvature_find(model->graph, objective_of(model), 1, &model->symbols[k], &curvature, &reason));
    // Zero is its minimum whatever the others are.
    if (alone && (curvature == TG_CURVATURE_CONVEX || curvature == TG_CURVATURE_AFFINE)) continue;
    is_ours[k] = alone;
    open[n++] = model->symbols[k];
  }
  for (int k = 0; k < task->spec->n_variables && n > 0; k++) {
    bool together = is_ours[k];
    for (int32_t i = 0; i < n && !together; i++)
      if (open[i] == model->symbols[k]) TG_TRY_GOTO(vanishes(model, model->symbols[k], n, open, &together));
    for (int32_t i = 0; i < n && !together; i++)
      if (open[i] == model->symbols[k]) TG_TRY_GOTO(holds_another(task, model, k, &together));
    if (together) choose(task, k);
  }
done:
  tg_free(open);
  tg_free(is_ours);
  return status;
}

void tg_default_start_print(const tg_task *task, const char *label, tg_text *out)
{
  int n = 0;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (!x->start_is_chosen) continue;
    tg_text_addf(out, "%s%s %s (seed %llu)", n++ == 0 ? label : ", ", x->spec->name, tg_start_label(x->start),
                 (unsigned long long)x->seed);
  }
  if (n > 0) tg_text_add(out, ", scaled to the data: at zero the gradient vanishes by its form\n");
}
