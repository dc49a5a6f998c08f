// What a job asks about its minimum: derivatives by numbers, and the inverse of the Hessian.
#ifndef TG_JOB_JOB_SENSITIVITY_H
#define TG_JOB_JOB_SENSITIVITY_H

#include "job/job.h"

// Fills job->spec.sensitivities from sensitivity:, once variables and data have been read. Names that there are not,
// or that are no numbers: located. Local.
tg_status tg_job_read_sensitivity(tg_job *job);
// Fills job->spec.covariance from covariance:, covariance_probes: and covariance_seed:. Local.
tg_status tg_job_read_covariance(tg_job *job);

#endif
