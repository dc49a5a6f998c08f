// Model, starts and method, one after the other.
#include "engine/problem/compile.h"

#include <inttypes.h>

#include "engine/method/feasible.h"
#include "engine/model/build.h"
#include "engine/model/default_start.h"

// Attempts from several starts must differ, and matter.
static tg_status verify_restarts(const tg_task *task, const tg_method *method)
{
  const tg_mark mark = tg_spec_solver_mark(task->spec, "restarts");
  bool any = false;
  if (task->spec->solver.restarts == 1) return TG_OK;
  for (int k = 0; k < task->spec->n_variables; k++) any = any || tg_task_starts_randomly(&task->variables[k]);
  if (!any)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "restarts: %" PRId64
                 " attempts would all begin at the same point, for no variable has a random start; "
                 "give start: normal, uniform or feasible",
                 task->spec->solver.restarts);
  if (tg_method_is_direct(&method->options))
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "restarts: the method is direct, whose result does not depend on the start; leave restarts out");
  return TG_OK;
}

tg_status tg_setup_compile(tg_task *task, const tg_lower_options *options, tg_model **model, tg_method **method)
{
  TG_TRY(tg_model_create(task, options, model));
  TG_TRY(tg_feasible_check(task));
  TG_TRY(tg_default_start_choose(task, *model));
  TG_TRY(tg_method_choose(task, *model, method));
  return verify_restarts(task, *method);
}
