// The keys of a sweep: which numbers of a job take several values, where a point begins, what it leaves.
#ifndef TG_JOB_JOB_SWEEP_H
#define TG_JOB_JOB_SWEEP_H

#include "job/job.h"

// Fills job->spec.sweep from sweep:, sweep_start: and keep:, once variables, data, options and outputs have been read.
// Names that there are not, empty ranges, values that the key would not take, too many points: located. Local.
tg_status tg_job_read_sweep(tg_job *job);

#endif
