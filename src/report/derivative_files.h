// The files of what is differentiated at the minimum: derivatives by numbers and standard errors, beside each variable.
#ifndef TG_REPORT_DERIVATIVE_FILES_H
#define TG_REPORT_DERIVATIVE_FILES_H

#include <jansson.h>

#include "report/run_state.h"

// The files number `which` by variable: derivatives, one for each number of sensitivity, then standard errors, then
// what they may be off by. NULL where memory is short. Local.
json_t *tg_derivative_files_of(const tg_run *run, int which);

// TG_JOB, located, where such a file is another one of the job. Rank 0.
tg_status tg_derivative_files_check(const tg_spec *spec, tg_text *path);
// Collective.
tg_status tg_derivative_files_write(const tg_run *run);
// Adds their names to the array. Local.
void tg_derivative_files_list(const tg_run *run, json_t *out);

#endif
