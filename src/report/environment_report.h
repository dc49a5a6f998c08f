// What report.json says of the libraries that a run ran on.
#ifndef TG_REPORT_ENVIRONMENT_REPORT_H
#define TG_REPORT_ENVIRONMENT_REPORT_H

#include <jansson.h>

#include "engine/run/environment.h"

// Their versions; NULL when memory is short.
json_t *tg_environment_versions(const tg_environment *environment);
// The core that OpenBLAS runs, why, and what it would have been; NULL when memory is short.
json_t *tg_environment_blas_kernel(const tg_environment *environment);

#endif
