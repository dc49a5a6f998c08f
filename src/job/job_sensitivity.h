// The numbers of a job by which its minimum is differentiated.
#ifndef TG_JOB_JOB_SENSITIVITY_H
#define TG_JOB_JOB_SENSITIVITY_H

#include "job/job.h"

// Fills job->spec.sensitivities from sensitivity:, once variables and data have been read. Names that there are not,
// or that are no numbers: located. Local.
tg_status tg_job_read_sensitivity(tg_job *job);

#endif
