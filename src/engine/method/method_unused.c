// Keys of a job that what was chosen does not use: a warning, for the job means something else than it does.
#include <string.h>

#include "engine/method/method.h"
#include "opt/driver.h"

static const tg_yaml_node *given(const tg_job *job, const char *key)
{
  const tg_yaml_node *node = tg_yaml_get(tg_yaml_get(job->root, "solver"), key);
  return node != NULL && strcmp(node->text, opt_option_find(key)->initial) != 0 ? node : NULL;
}

// Options of one method each.
static const struct {
  const char *key;
  const char *method;
} rows[] = {{"beta", "conjugate-gradient"},
            {"memory", "l-bfgs"},
            {"nonmonotone_memory", "barzilai-borwein"},
            {"trust_radius", "newton-cg"}};

static void warn_of_methods(const tg_job *job, const char *method)
{
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const tg_yaml_node *node = given(job, rows[k].key);
    if (node == NULL || strcmp(method, rows[k].method) == 0) continue;
    tg_job_warn(job, node, "%s is an option of %s; this job is minimised by %s, which does not use it", rows[k].key,
                rows[k].method, method);
  }
}

static void warn_of_search(const tg_job *job, const char *method, const char *search)
{
  const tg_yaml_node *node = given(job, "line_search");
  const tg_yaml_node *step = given(job, "step_length");
  if (node != NULL && strcmp(search, "none") == 0)
    tg_job_warn(job, node, "%s has its own step rule and does not use line_search", method);
  if (step != NULL && strcmp(search, "fixed") != 0)
    tg_job_warn(job, step, "step_length is the step of line_search: fixed; this job's is %s", search);
}

static void warn_of_constraints(const tg_job *job, const tg_model *model)
{
  static const char *const keys[] = {"constraint_tolerance", "penalty"};
  bool has_columns = false;
  for (int k = 0; k < job->n_variables; k++) {
    const char *set = job->variables[k].constraint;
    has_columns = has_columns || (set != NULL && strcmp(set, "orthonormal_columns") == 0);
  }
  const tg_yaml_node *retraction = given(job, "retraction");
  if (retraction != NULL && !has_columns)
    tg_job_warn(job, retraction, "retraction is for orthonormal_columns, which no variable has");
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
    if (given(job, keys[k]) != NULL && model->subject == NULL)
      tg_job_warn(job, given(job, keys[k]), "%s is for subject_to, which this job does not have", keys[k]);
}

static void warn_of_starts(const tg_job *job)
{
  for (int k = 0; k < job->n_variables; k++) {
    const tg_job_variable *x = &job->variables[k];
    const tg_yaml_node *seed = tg_yaml_get(x->node, "seed");
    if (seed != NULL && !tg_job_starts_randomly(x) && !tg_job_on_manifold(x))
      tg_job_warn(job, seed, "seed is for a random start, which that of %s is not; take start: normal", x->name);
  }
}

void tg_method_warn_unused(const tg_job *job, const tg_model *model, const tg_method *method)
{
  const int degree = model->plan->has_line ? model->plan->degree : -1;
  const char *name = opt_resolved_method(&method->options, degree);
  warn_of_constraints(job, model);
  warn_of_starts(job);
  // Each half-step of alternating takes what it needs.
  if (strcmp(name, "alternating") == 0) return;
  warn_of_methods(job, name);
  warn_of_search(job, name, opt_resolved_line_search(&method->options, degree));
}
