// What report.json says of subject_to and of split kinks.
#ifndef TG_REPORT_CONSTRAINTS_REPORT_H
#define TG_REPORT_CONSTRAINTS_REPORT_H

#include <jansson.h>

#include "engine/run/constraints_result.h"

// {"rounds", "penalty", "multiplier_norm", "complementarity", "constraints": [{"constraint", "violation", "size",
// "multiplier_norm"}], "split": [{"term", "residual", ...}]}; NULL when memory is short. Local.
json_t *tg_constraints_report(const tg_constraints_result *result);

#endif
