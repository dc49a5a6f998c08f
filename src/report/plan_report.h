// What a job compiles to and costs, as text: the output of `tracegrad plan`.
#ifndef TG_REPORT_PLAN_REPORT_H
#define TG_REPORT_PLAN_REPORT_H

#include "engine/preview.h"

// The plan with its costs, the method and why, and the forecast of memory. Local.
tg_status tg_plan_print(tg_preview *preview, int threads, tg_text *out);

#endif
