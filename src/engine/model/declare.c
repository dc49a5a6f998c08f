// A spec's names and texts as the calculus takes them.
#include "engine/model/declare.h"

#include "base/memory.h"

tg_status tg_model_declare(const tg_task *task, tg_declaration **out, int32_t *count)
{
  tg_declaration *list = NULL;
  TG_TRY(TG_NEW(task->spec->n_variables + task->spec->n_data, &list));
  *count = 0;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *v = &task->variables[k];
    // Within its domain a variable is its own transpose; its gradient is then taken as the symmetric part.
    list[(*count)++] = (tg_declaration){
        .name = v->spec->name, .rows = v->rows, .cols = v->cols, .properties = v->domain, .is_free = v->domain == 0};
  }
  for (int k = 0; k < task->spec->n_data; k++) {
    const tg_task_data *d = &task->data[k];
    // The sign of a number: for the rules of curvature.
    const unsigned sign = d->spec->source == TG_SOURCE_NUMBER && d->spec->number > 0 ? TG_POSITIVE : 0;
    if (d->used)
      list[(*count)++] = (tg_declaration){.name = d->spec->name,
                                          .rows = d->rows,
                                          .cols = d->cols,
                                          .properties = d->spec->properties | d->found | sign,
                                          .has_number = d->spec->source == TG_SOURCE_NUMBER,
                                          .number = d->spec->number};
  }
  *out = list;
  return TG_OK;
}

tg_status tg_model_parts(const tg_task *task, tg_part **out)
{
  TG_TRY(TG_NEW((int64_t)task->spec->n_parts + 1, out));
  for (int k = 0; k < task->spec->n_parts; k++)
    (*out)[k] = (tg_part){.name = task->spec->parts[k].name, .value = task->spec->parts[k].value};
  return TG_OK;
}

tg_status tg_model_compile_excerpt(tg_graph *graph, const tg_excerpt *excerpt, const tg_compile_options *options,
                                   tg_node *out)
{
  tg_errors *errors = options->errors;
  const int kept = errors != NULL ? errors->count : 0;
  if (excerpt->text == NULL && kept > 0) return tg_errors_raise(errors); // it was refused where it was read
  const tg_status status = tg_compile(graph, excerpt->text, excerpt->length, options, out);
  if (status == TG_OK || errors == NULL || errors->count == kept) return tg_error_in_excerpt(excerpt, status);
  for (int k = kept; k < errors->count; k++) {
    tg_error_in_excerpt(excerpt, tg_errors_restore(errors, k));
    errors->items[k] = *tg_error_get();
  }
  return tg_errors_restore(errors, kept);
}

tg_status tg_model_numbers(const tg_task *task, const tg_graph *graph, double **values, bool **is_known)
{
  const int32_t n_symbols = tg_symbol_count(graph);
  *is_known = NULL;
  TG_TRY(TG_NEW(n_symbols, values));
  TG_TRY(TG_NEW(n_symbols, is_known));
  for (int k = 0; k < task->spec->n_data; k++) {
    const int32_t symbol = task->data[k].used ? tg_symbol_find(graph, task->spec->data[k].name) : -1;
    if (symbol < 0 || task->spec->data[k].source != TG_SOURCE_NUMBER) continue;
    (*values)[symbol] = task->spec->data[k].number;
    (*is_known)[symbol] = true;
  }
  return TG_OK;
}
