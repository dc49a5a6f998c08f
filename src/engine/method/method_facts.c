// From a job and its model to the facts that a strategy is decided by.
#include "engine/method/method_facts.h"

#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/model/metric_change.h"
#include "engine/model/set_data.h"
#include "mpi/space/space.h"

static bool has_matrix_bounds(const tg_task *task, const tg_task_variable *x)
{
  bool has_any = false;
  for (int a = 0; a < 2 && x->constraint != NULL; a++) {
    const int datum = tg_set_data_find(x, a);
    has_any = has_any || (datum >= 0 && task->spec->data[datum].source != TG_SOURCE_NUMBER);
  }
  return has_any;
}

static tg_status read_variables(const tg_task *task, const tg_model *model, tg_method_facts *out)
{
  TG_TRY(TG_NEW(task->spec->n_variables, &out->variables));
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    out->variables[k] = (tg_strategy_variable){.symbol = model->symbols[k],
                                               .domain = x->domain,
                                               .has_matrix_bounds = has_matrix_bounds(task, x),
                                               .has_metric = tg_metric_change_datum(x) >= 0};
    TG_TRY(tg_feasible_read(task, x, &out->variables[k].set));
  }
  out->base.n_variables = task->spec->n_variables;
  out->base.variables = out->variables;
  return TG_OK;
}

// Numbers, and the matrices that the plan reads.
static tg_status read_data(const tg_task *task, const tg_model *model, tg_method_facts *out)
{
  int n = 0;
  TG_TRY(TG_NEW(task->spec->n_data + 1, &out->data));
  for (int k = 0; k < task->spec->n_data; k++) {
    const tg_task_data *datum = &task->data[k];
    const int32_t symbol = tg_symbol_find(model->graph, datum->spec->name);
    if (symbol < 0 || (datum->spec->source != TG_SOURCE_NUMBER && tg_model_find_data(model, k) < 0)) continue;
    out->data[n++] = (tg_strategy_datum){
        .symbol = symbol, .is_number = datum->spec->source == TG_SOURCE_NUMBER, .number = datum->spec->number};
  }
  out->base.n_data = n;
  out->base.data = out->data;
  return TG_OK;
}

static void read_rounds(const tg_model *model, tg_method_facts *out)
{
  if (model->constraints == NULL) return;
  out->rounds = (tg_strategy_rounds){.has_relations = !model->constraints->terms[0].is_kink, // they come first
                                     .has_envelopes = tg_constraints_has_kinks(model->constraints),
                                     .penalty = model->constraints->penalty};
  out->base.rounds = &out->rounds;
}

tg_status tg_method_facts_read(const tg_task *task, const tg_model *model, tg_method_facts *out)
{
  *out = (tg_method_facts){.base = {.objective = model->objective,
                                    .plan = model->plan,
                                    .symbols = model->symbols,
                                    .n_groups = model->n_groups < TG_GROUPS_MAX ? model->n_groups : TG_GROUPS_MAX,
                                    .has_kinks = model->has_kinks,
                                    .options = &task->spec->solver}};
  TG_TRY(read_variables(task, model, out));
  TG_TRY(read_data(task, model, out));
  read_rounds(model, out);
  return TG_OK;
}

void tg_method_facts_fini(tg_method_facts *facts)
{
  tg_free(facts->variables);
  tg_free(facts->data);
}
