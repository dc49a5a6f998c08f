// What a run says of what was differentiated at its minimum: report and console.
#ifndef TG_REPORT_SENSITIVITY_REPORT_H
#define TG_REPORT_SENSITIVITY_REPORT_H

#include <jansson.h>

#include "base/text.h"
#include "report/run_state.h"

// {"products", "seconds", "numbers": [{"number", "objective", "norm", "residual", "iterations", "files": {"X": ...}}],
// and where there is no dX "refused"}; NULL when memory is short. Local.
json_t *tg_sensitivity_report(const tg_run *run);
// "d/dlambda: objective 1.25, |dX| 0.31\n" for each number, or why there is none. Local.
void tg_sensitivity_print(const tg_spec *job, const tg_sensitivity *sensitivity, tg_text *out);

// {"of", "by", "log_determinant", "log_determinant_error", "files", "products", "seconds"}, of probes "probes",
// "relative_error", "undetermined", "error_files" as well; or "refused". NULL when memory is short. Local.
json_t *tg_covariance_report(const tg_run *run);
// A line on it. Local.
void tg_covariance_print(const tg_covariance *covariance, tg_text *out);

#endif
