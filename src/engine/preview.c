// What a spec would compile to and cost.
#include "engine/preview.h"

#include <string.h>

#include "base/memory.h"
#include "engine/problem/found_use.h"
#include "engine/run/run_cost.h"

// What run takes on the supposition that its data will turn out to be symmetric, is planned on it.
static tg_status compile(tg_preview *p, const tg_spec *spec, const tg_lower_options *options)
{
  const tg_status status = tg_setup_compile(p->spec, options, &p->model, &p->method);
  const tg_error refused = *tg_error_get();
  if (status != TG_UNSUPPORTED || !tg_found_suppose(p->spec)) return status;
  tg_method_destroy(&p->method);
  tg_model_destroy(&p->model);
  memcpy(p->spec->variables, spec->variables, (size_t)spec->n_variables * sizeof *spec->variables);
  if (tg_setup_compile(p->spec, options, &p->model, &p->method) == TG_OK) {
    tg_error_clear();
    return TG_OK;
  }
  *tg_error_get() = refused;
  return status;
}

static tg_status fill(tg_preview *p, const tg_spec *spec, const tg_lower_options *options, int ranks, int threads)
{
  TG_TRY(tg_spec_copy(spec, &p->spec));
  TG_TRY(tg_spec_probe(p->spec));
  TG_TRY(compile(p, spec, options));
  if (ranks == 0) ranks = spec->grid_rows > 0 ? spec->grid_rows * spec->grid_cols : 1;
  TG_TRY(tg_setup_choose_grid(p->spec, p->model->plan, ranks, &p->grid));
  const tg_cost_grid on = tg_cost_grid_of(&p->grid, threads);
  return tg_forecast_make(p->spec, p->model, p->method, &on, &p->forecast);
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
  tg_spec_destroy_copy(&(*preview)->spec);
  tg_free(*preview);
  *preview = NULL;
}
