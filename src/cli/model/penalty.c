// norm1 in the objective.
#include "cli/model/penalty.h"

#include <string.h>

#include "base/memory.h"
#include "grad/structure/norm1.h"
#include "opt/driver.h"

bool tg_penalty_any(const tg_job *job)
{
  for (int k = 0; k < job->n_variables; k++)
    if (job->variables[k].norm1 > 0) return true;
  return false;
}

static bool has_constraint(const tg_job_variable *variable, const char *name)
{
  return variable->constraint != NULL && strcmp(variable->constraint, name) == 0;
}

// Whether the method takes proximal steps. Under subject_to the objective is not the job's alone.
static bool takes_steps(const tg_job *job)
{
  const char *method = opt_option_choices(OPT_KIND_METHOD)[job->solver.method];
  static const char *const steps[] = {"auto", "newton-cg", "conjugate-gradient", "barzilai-borwein", "alternating"};
  bool has_step = false;
  for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) has_step = has_step || strcmp(method, steps[k]) == 0;
  return has_step && job->n_relations == 0;
}

// objective += weight * sum(X), or weight * norm1(X).
static tg_status put_back(tg_model *model, int k, double weight, bool is_nonnegative)
{
  tg_graph *graph = model->graph;
  tg_node term = TG_NONE;
  TG_TRY(tg_make_sym(graph, model->symbols[k], &term));
  if (!is_nonnegative) TG_TRY(tg_make_unary(graph, TG_ABS, term, &term));
  TG_TRY(tg_make_unary(graph, TG_SUM, term, &term));
  TG_TRY(tg_make_scale(graph, weight, term, &term));
  return tg_make_add(graph, model->objective, term, &model->objective);
}

static bool is_smooth_in(const tg_model *model, int k)
{
  return tg_node_depends_on(model->graph, model->objective, model->symbols[k]);
}

static tg_status place(tg_job *job, tg_model *model, int k, double weight)
{
  tg_job_variable *variable = &job->variables[k];
  const bool is_nonnegative = has_constraint(variable, "nonnegative");
  // A variable that has nothing but its norm1 would leave the objective altogether.
  if (is_nonnegative || !takes_steps(job) || !is_smooth_in(model, k)) return put_back(model, k, weight, is_nonnegative);
  if (variable->constraint != NULL && !has_constraint(variable, "box"))
    TG_FAIL_NODE(
        job, variable->constraint_node, TG_UNSUPPORTED,
        "norm1(%s) in the objective and the constraint %s on %s: there is a proximal step for nonnegative, box or "
        "no constraint; write a smooth form, such as sum((X.^2 + 1e-6*ones).^0.5), or leave one of them out",
        variable->name, variable->constraint, variable->name);
  variable->norm1 = weight;
  return TG_OK;
}

tg_status tg_penalty_split(tg_job *job, tg_model *model)
{
  double *values = NULL;
  bool *is_known = NULL;
  double *weights = NULL;
  tg_status status = TG_OK;
  for (int k = 0; k < job->n_variables; k++) job->variables[k].norm1 = 0;
  TG_TRY_GOTO(tg_model_numbers(job, model->graph, &values, &is_known));
  TG_TRY_GOTO(TG_NEW(model->n_variables, &weights));
  TG_TRY_GOTO(tg_norm1_split(model->graph, model->objective, model->n_variables, model->symbols, values, is_known,
                             weights, &model->objective));
  for (int k = 0; k < model->n_variables && status == TG_OK; k++)
    if (weights[k] > 0) status = place(job, model, k, weights[k]);
done:
  tg_free(values);
  tg_free(is_known);
  tg_free(weights);
  return status;
}
