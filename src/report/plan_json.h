// What a job compiles to and costs, as JSON: the output of `tracegrad plan --format json`.
#ifndef TG_REPORT_PLAN_JSON_H
#define TG_REPORT_PLAN_JSON_H

#include "engine/preview.h"

// The same as tg_plan_print has in words; base: the job of a sweep, whose first point the preview is, for its key
// "sweep"; NULL: there is none. TG_MEMORY. Local.
tg_status tg_plan_print_json(tg_preview *preview, const tg_spec *base, int threads, tg_text *out);

#endif
