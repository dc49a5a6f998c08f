// What a run leaves of the derivatives of its minimum: names of files, report, console.
#ifndef TG_REPORT_SENSITIVITY_REPORT_H
#define TG_REPORT_SENSITIVITY_REPORT_H

#include <jansson.h>

#include "base/text.h"
#include "engine/sensitivity/sensitivity.h"
#include "engine/spec.h"

// dir/dX_dlambda.npy of dir/X.npy: the file of dX/dlambda beside that of the variable, which is written. Local.
tg_status tg_sensitivity_name_file(const tg_spec_variable *variable, const char *number, tg_text *out);
// {"products", "seconds", "numbers": [{"number", "objective", "norm", "residual", "iterations", "files": {"X": ...}}],
// and where there is no dX "refused"}; NULL when memory is short. Local.
json_t *tg_sensitivity_report(const tg_spec *job, const tg_sensitivity *sensitivity);
// "d/dlambda: objective 1.25, |dX| 0.31\n" for each number, or why there is none. Local.
void tg_sensitivity_print(const tg_spec *job, const tg_sensitivity *sensitivity, tg_text *out);

#endif
