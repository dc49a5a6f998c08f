// A task is made from its spec, and goes back to it.
#include "engine/task.h"

#include "base/memory.h"
#include "opt/constraint.h"

static void take_start(tg_task_variable *x)
{
  x->start = x->spec->start;
  x->start_is_chosen = false;
  x->seed = x->spec->seed;
  x->scale = x->spec->scale;
}

static tg_status fill(const tg_spec *spec, tg_task *out)
{
  TG_TRY(TG_NEW(spec->n_variables, &out->variables));
  TG_TRY(TG_NEW(spec->n_data, &out->data));
  for (int k = 0; k < spec->n_variables; k++) {
    const tg_spec_variable *x = &spec->variables[k];
    out->variables[k] = (tg_task_variable){.spec = x, .rows = x->rows, .cols = x->cols, .constraint = x->constraint};
    take_start(&out->variables[k]);
  }
  for (int k = 0; k < spec->n_data; k++)
    out->data[k] = (tg_task_data){.spec = &spec->data[k], .rows = spec->data[k].rows, .cols = spec->data[k].cols};
  return TG_OK;
}

tg_status tg_task_create(const tg_spec *spec, tg_task **out)
{
  *out = NULL;
  tg_task *task = NULL;
  TG_TRY(TG_NEW(1, &task));
  task->spec = spec;
  const tg_status status = fill(spec, task);
  if (status != TG_OK) {
    tg_task_destroy(&task);
    return tg_error_pass(status, TG_HERE);
  }
  *out = task;
  return TG_OK;
}

void tg_task_destroy(tg_task **task)
{
  if (*task == NULL) return;
  tg_free((*task)->variables);
  tg_free((*task)->data);
  tg_free(*task);
  *task = NULL;
}

void tg_task_drop_restrictions(tg_task *task)
{
  task->only_evaluates = true;
  for (int k = 0; k < task->spec->n_variables; k++) task->variables[k].constraint = NULL;
}

void tg_task_forget_starts(tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++) take_start(&task->variables[k]);
}

bool tg_task_on_manifold(const tg_task_variable *variable)
{
  return tg_spec_on_manifold(variable->constraint);
}

bool tg_task_starts_randomly(const tg_task_variable *variable)
{
  return tg_start_is_random(variable->start);
}
