// What a spec would compile to and cost on a machine of any size, for `plan`: no data are read, no ranks are needed.
#ifndef TG_ENGINE_PREVIEW_H
#define TG_ENGINE_PREVIEW_H

#include "engine/problem/setup.h"
#include "engine/run/forecast.h"

typedef struct tg_preview {
  tg_task *task; // the spec, which is not owned, and what was found out about it
  tg_model *model;
  tg_method *method;
  tg_grid_choice grid;
  tg_forecast forecast; // of memory
} tg_preview;

// Refuses what a run refuses before it reads data, but for memory. ranks 0: those of the spec's grid, or one. *out may
// be set after a failure too: tg_preview_destroy in any case. The spec must outlive it. Local.
tg_status tg_preview_create(const tg_spec *spec, const tg_lower_options *options, int ranks, int threads,
                            tg_preview **out);
// NULL is fine.
void tg_preview_destroy(tg_preview **preview);

#endif
