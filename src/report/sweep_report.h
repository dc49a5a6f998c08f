// What a sweep costs, as text.
#ifndef TG_REPORT_SWEEP_REPORT_H
#define TG_REPORT_SWEEP_REPORT_H

#include <jansson.h>

#include "engine/preview.h"

// What a point takes by the model.
typedef struct tg_sweep_price {
  double once; // flops before the first iteration
  double once_seconds;
  double constants; // of these, for the method's own constants, most of which are those of the plan again
  double each;      // of an iteration, or of the closed form's steps
  double each_seconds;
  bool is_direct;
} tg_sweep_price;

// Local, no data; adds symbols to the model's graph.
tg_status tg_sweep_price_point(tg_preview *point, int threads, tg_sweep_price *out);
// The lines of `tracegrad plan` on the points of a sweep, whose first one the preview is. Local, no data; adds symbols
// to the model's graph.
tg_status tg_sweep_plan_print(const tg_spec *base, tg_preview *first, int threads, tg_text *out);
// The same as an object. TG_MEMORY. Local.
tg_status tg_sweep_plan_json(const tg_spec *base, tg_preview *first, int threads, json_t **out);

#endif
