// What holds a model: life, and lookups.
#include "engine/model/model.h"

#include "base/memory.h"

void tg_model_destroy(tg_model **model)
{
  if (*model == NULL) return;
  tg_plan_destroy(&(*model)->plan);
  tg_constraints_destroy(&(*model)->constraints);
  tg_graph_destroy(&(*model)->graph);
  tg_free((*model)->symbols);
  tg_free((*model)->group_rows);
  tg_free((*model)->data);
  tg_free((*model)->changes);
  tg_free((*model)->change_of);
  tg_free(*model);
  *model = NULL;
}

int32_t tg_model_find_data(const tg_model *model, int datum)
{
  for (int32_t k = 0; k < model->plan->n_data; k++)
    if (model->data[k] == datum) return k;
  return -1;
}

void tg_model_describe_groups(const tg_model *model, tg_text *out)
{
  for (int k = 0; k < model->n_variables; k++)
    tg_text_addf(out, "%sthe %s of %s", k > 0 ? ", " : "", model->group_rows[k] ? "rows" : "columns",
                 tg_symbol_info(model->graph, model->symbols[k])->name);
}

void tg_model_largest(const tg_plan *plan, int64_t *rows, int64_t *cols)
{
  *rows = 1;
  *cols = 1;
  for (int32_t k = 0; k < plan->n_data + plan->n_variables; k++) {
    const tg_plan_data *matrix = k < plan->n_data ? &plan->data[k] : &plan->variables[k - plan->n_data];
    if (matrix->rows * matrix->cols <= *rows * *cols) continue;
    *rows = matrix->rows;
    *cols = matrix->cols;
  }
}
