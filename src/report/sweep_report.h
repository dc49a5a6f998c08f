// What a sweep costs, as text.
#ifndef TG_REPORT_SWEEP_REPORT_H
#define TG_REPORT_SWEEP_REPORT_H

#include "engine/preview.h"

// The lines of `tracegrad plan` on the points of a sweep, whose first one the preview is. Local, no data; adds symbols
// to the model's graph.
tg_status tg_sweep_plan_print(const tg_spec *base, tg_preview *first, int threads, tg_text *out);

#endif
