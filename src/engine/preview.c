// What a spec would compile to and cost.
#include "engine/preview.h"

#include "base/memory.h"
#include "engine/model/probe_files.h"
#include "engine/problem/assemble.h"
#include "engine/run/run_cost.h"
#include "engine/sensitivity/covariance.h"
#include "engine/sensitivity/sensitivity.h"

static tg_status fill(tg_preview *p, const tg_spec *spec, const tg_lower_options *options, int ranks, int threads)
{
  bool is_supposed = false;
  TG_TRY(tg_task_create(spec, &p->task));
  TG_TRY(tg_task_probe(p->task));
  TG_TRY(tg_setup_compile_supposing(p->task, options, &p->model, &p->method, &is_supposed));
  TG_TRY(tg_sensitivity_check(p->task, p->model));
  TG_TRY(tg_covariance_check(p->task, p->model));
  if (ranks == 0) ranks = spec->grid_rows > 0 ? spec->grid_rows * spec->grid_cols : 1;
  TG_TRY(tg_setup_choose_grid(p->task, p->model->plan, ranks, &p->grid));
  const tg_cost_grid on = tg_cost_grid_of(&p->grid, threads);
  return tg_forecast_make(p->task, p->model, p->method, &on, &p->forecast);
}

tg_status tg_preview_create(const tg_spec *spec, const tg_lower_options *options, int ranks, int threads,
                            tg_preview **out)
{
  TG_TRY(TG_NEW(1, out));
  return fill(*out, spec, options, ranks, threads);
}

void tg_preview_destroy(tg_preview **preview)
{
  if (*preview == NULL) return;
  tg_method_destroy(&(*preview)->method);
  tg_model_destroy(&(*preview)->model);
  tg_task_destroy(&(*preview)->task);
  tg_free(*preview);
  *preview = NULL;
}
