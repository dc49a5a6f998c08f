// What `tracegrad check` has found, as JSON.
#ifndef TG_REPORT_CHECK_JSON_H
#define TG_REPORT_CHECK_JSON_H

#include "engine/problem/setup.h"
#include "engine/problem/taylor.h"

// Sizes, data with their properties, the Taylor tests and the residuals of the products; hessian is NULL where there is
// no Hessian action. TG_MEMORY. Local.
tg_status tg_check_print_json(const tg_setup *setup, const tg_taylor *gradient, const tg_taylor *hessian, tg_text *out);

#endif
