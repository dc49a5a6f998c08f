// What report.json says of subject_to and of split kinks.
#ifndef TG_CLI_SUBJECT_REPORT_H
#define TG_CLI_SUBJECT_REPORT_H

#include <jansson.h>

#include "engine/run/subject_result.h"

// {"rounds", "penalty", "multiplier_norm", "complementarity", "constraints": [{"constraint", "violation", "size",
// "multiplier_norm"}], "split": [{"term", "residual", ...}]}; NULL when memory is short. Local.
json_t *tg_subject_report(const tg_subject_result *result);

#endif
