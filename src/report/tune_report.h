// What a search for numbers of a job costs, as text.
#ifndef TG_REPORT_TUNE_REPORT_H
#define TG_REPORT_TUNE_REPORT_H

#include <jansson.h>

#include "engine/preview.h"

// The lines of `tracegrad plan` on tune, the preview being that of a fit. Local, no data; adds symbols to the model's
// graph.
tg_status tg_tune_plan_print(const tg_spec *base, tg_preview *fit, int threads, tg_text *out);
// The same as an object. TG_MEMORY. Local.
tg_status tg_tune_plan_json(const tg_spec *base, tg_preview *fit, int threads, json_t **out);

#endif
