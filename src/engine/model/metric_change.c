// The metric of orthonormal columns by symbols.
#include "engine/model/metric_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "opt/constraint.h"

// ---- the job ----

int tg_metric_change_datum(const tg_task_variable *variable)
{
  const opt_constraint_row *row = opt_constraint_find(variable->constraint);
  const bool has_metric = row != NULL && row->argument == OPT_ARGUMENT_METRIC;
  return has_metric && variable->spec->arguments[0].kind == TG_ARGUMENT_DATUM ? variable->spec->arguments[0].datum : -1;
}

bool tg_metric_change_needs(const tg_task *task, int datum)
{
  for (int k = 0; k < task->spec->n_variables; k++)
    if (tg_metric_change_datum(&task->variables[k]) == datum) return true;
  return false;
}

static tg_status check_metric(const tg_task *task, const tg_task_variable *variable, int datum)
{
  const tg_task_data *s = &task->data[datum];
  const tg_mark mark = variable->spec->arguments[0].mark;
  if (s->rows != variable->rows || s->cols != variable->rows)
    TG_FAIL_MARK(TG_SHAPE, mark,
                 "the metric %s of %s is %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64
                 ", a row and a column for each row of %s",
                 s->spec->name, variable->spec->name, s->rows, s->cols, variable->rows, variable->rows,
                 variable->spec->name);
  if (s->spec->source == TG_SOURCE_NUMBER)
    TG_FAIL_MARK(TG_VALUE, mark, "the metric %s is a number, expected a positive definite matrix", s->spec->name);
  if (task->spec->n_relations > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark, "a metric does not go with subject_to; write X'*S*X = eye there instead");
  return TG_OK;
}

// ---- symbols ----

// A name for Q that nothing has.
static tg_status name_root(const tg_task *task, const tg_graph *graph, const char *metric, char *out, size_t room)
{
  int length = snprintf(out, room, "Q_%s", metric);
  while (length > 0 && (size_t)length + 1 < room &&
         (tg_spec_find_data(task->spec, out) >= 0 || tg_spec_find_variable(task->spec, out) >= 0 ||
          tg_symbol_find(graph, out) >= 0)) {
    out[length++] = '_';
    out[length] = '\0';
  }
  if (length < 0 || (size_t)length + 1 >= room) TG_FAIL(TG_LIMIT, "the name of the metric %s is too long", metric);
  return TG_OK;
}

// The change of the metric, one for all variables that have it.
static tg_status find_change(const tg_task *task, tg_model *model, int datum, int32_t variable, int *out)
{
  for (*out = 0; *out < model->n_changes; (*out)++)
    if (model->changes[*out].datum == datum) return TG_OK;
  tg_change *change = &model->changes[model->n_changes++];
  const tg_dim n = tg_symbol_info(model->graph, variable)->rows;
  change->datum = datum;
  TG_TRY(name_root(task, model->graph, task->spec->data[datum].name, change->name, sizeof change->name));
  return tg_symbol_add(model->graph, change->name, n, n, 0, false, &change->symbol);
}

static tg_status substitute(tg_graph *graph, int32_t variable, int32_t root, tg_node *f)
{
  tg_node factors[2] = {TG_NONE, TG_NONE};
  tg_node product = TG_NONE;
  TG_TRY(tg_make_sym(graph, root, &factors[0]));
  TG_TRY(tg_make_sym(graph, variable, &factors[1]));
  TG_TRY(tg_make_prod(graph, 2, factors, &product));
  return tg_substitute(graph, *f, 1, &variable, &product, f);
}

tg_status tg_metric_change_substitute(const tg_task *task, tg_model *model)
{
  TG_TRY(TG_NEW(task->spec->n_variables, &model->changes));
  TG_TRY(TG_NEW(task->spec->n_variables, &model->change_of));
  for (int k = 0; k < task->spec->n_variables; k++) {
    model->change_of[k] = -1;
    const int datum = tg_metric_change_datum(&task->variables[k]);
    if (datum < 0) continue;
    TG_TRY(check_metric(task, &task->variables[k], datum));
    TG_TRY(find_change(task, model, datum, model->symbols[k], &model->change_of[k]));
    TG_TRY(substitute(model->graph, model->symbols[k], model->changes[model->change_of[k]].symbol, &model->objective));
  }
  return TG_OK;
}

int tg_metric_change_find(const tg_model *model, const char *name)
{
  for (int k = 0; k < model->n_changes; k++)
    if (strcmp(model->changes[k].name, name) == 0) return k;
  return -1;
}

void tg_metric_change_print(const tg_task *task, const tg_model *model, const char *label, tg_text *out)
{
  for (int k = 0; k < model->n_variables; k++) {
    if (model->change_of[k] < 0) continue;
    const tg_change *change = &model->changes[model->change_of[k]];
    const char *x = task->spec->variables[k].name;
    const char *s = task->spec->data[change->datum].name;
    tg_text_addf(out, "%s%s'*%s*%s = eye by %s = %s*Y, %s = inv(L') with %s = L*L'; below, %s stands for Y\n", label, x,
                 s, x, x, change->name, change->name, s, x);
  }
}
