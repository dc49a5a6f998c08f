// Whether this program can do what a job asks for, judged by the job and its symbols.
#include "engine/problem/job_verify.h"

#include "engine/method/feasible.h"
#include "engine/problem/alternating.h"
#include "opt/driver.h"

tg_status tg_job_executable(tg_job *job)
{
  TG_TRY(tg_feasible_check(job));
  return tg_alternating_check(job);
}

tg_status tg_job_verify_solver(tg_job *job, int degree, bool has_hessian)
{
  // Under constraints methods mean something else: tg_feasible_check has judged them.
  for (int k = 0; k < job->n_variables; k++)
    if (job->variables[k].constraint != NULL) return TG_OK;
  const tg_status status = opt_options_verify(&job->solver, degree, has_hessian);
  if (status == TG_OK) return TG_OK;
  // The method alone is at fault when it fails with the default line search as well.
  opt_options alone = job->solver;
  opt_options_init(&alone);
  alone.method = job->solver.method;
  tg_text message;
  tg_text_init(&message);
  tg_text_add(&message, tg_error_get()->message);
  const bool by_method = opt_options_verify(&alone, degree, has_hessian) != TG_OK;
  const tg_yaml_node *solver = tg_yaml_get(job->root, "solver");
  const tg_yaml_node *node = tg_yaml_get(solver, by_method ? "method" : "line_search");
  if (node == NULL) node = solver != NULL ? solver : job->root;
  tg_error_set_mark(status, TG_HERE, node->mark, "%s", tg_text_string(&message));
  tg_text_fini(&message);
  return status;
}
