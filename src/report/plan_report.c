// What a job compiles to and costs, as text.
#include "report/plan_report.h"

#include "engine/model/domain.h"
#include "engine/model/infer_sizes.h"
#include "engine/model/metric_change.h"
#include "engine/problem/found_use.h"
#include "engine/problem/lagrangian.h"
#include "report/cost_report.h"

// The numbers, which are not read here, may give another plan.
static void print_open(const tg_task *task, const tg_model *model, tg_text *out)
{
  bool is_supposed = false;
  tg_text open;
  for (int k = 0; k < task->spec->n_data; k++) is_supposed = is_supposed || task->data[k].found != 0;
  tg_text_init(&open);
  tg_found_print_open(task, model, &open);
  if (tg_text_string(&open)[0] != '\0')
    tg_text_addf(out, "data %s: %s\n", tg_text_string(&open),
                 is_supposed ? "supposed to be symmetric, which run demands of the numbers"
                             : "run looks whether the numbers are symmetric, and may then find a better method");
  tg_text_fini(&open);
}

tg_status tg_plan_print(tg_preview *p, int threads, tg_text *out)
{
  const tg_task *task = p->task;
  const tg_spec *spec = task->spec;
  const tg_model *model = p->model;
  tg_text_addf(out, "%s: %s\n", spec->maximize ? "maximize" : "minimize", spec->objective.text);
  tg_spec_print_parts(spec, "", out);
  tg_lagrangian_print(task, "", out);
  tg_sizes_print(task, "sizes ", out);
  if (model->plan->degree >= 0)
    tg_text_addf(out, "objective is a polynomial of degree %d in the variables\n", (int)model->plan->degree);
  tg_domain_print(task, "", out);
  tg_metric_change_print(task, model, "metric ", out);
  tg_text_add(out, "method ");
  tg_method_explain(p->method, model, out);
  tg_text_add(out, "\n");
  print_open(task, model, out);
  tg_method_print_groups(p->method, model, "groups ", out);
  tg_text_addf(out, "grid %s; block %lld; %d thread%s a rank\n\n", p->grid.reason, (long long)p->grid.block, threads,
               threads == 1 ? "" : "s");
  TG_TRY(tg_cost_print_table(task, p->model, p->method, &p->grid, threads, out));
  tg_forecast_print(&p->forecast, out);
  return tg_text_status(out);
}
