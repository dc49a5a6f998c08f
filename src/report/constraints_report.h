// What report.json says of subject_to and of split kinks.
#ifndef TG_REPORT_CONSTRAINTS_REPORT_H
#define TG_REPORT_CONSTRAINTS_REPORT_H

#include <jansson.h>

#include "engine/run/constraints_result.h"

enum { TG_MULTIPLIER_NAME_BYTES = 40 };
// The file of the multipliers of the number-th entry of subject_to, from 1.
void tg_constraints_name_multiplier(int number, size_t room, char *out);
// {"rounds", "penalty", "multiplier_norm", "complementarity", "constraints": [{"constraint", "violation", "size",
// "multiplier_norm", and where it is written the file "multiplier"}], "split": [{"term", "residual", ...}]}; NULL when
// memory is short. Local.
json_t *tg_constraints_report(const tg_constraints_result *result, bool has_multipliers);

#endif
