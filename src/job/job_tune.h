// The keys of tune: which numbers of a job a score is minimised over.
#ifndef TG_JOB_JOB_TUNE_H
#define TG_JOB_JOB_TUNE_H

#include "job/job.h"

// Fills job->spec.tune from tune:, once folds and the sweep have been read. Names that there are not, numbers that are
// not positive, keys that do not go with it: located. Local.
tg_status tg_job_read_tune(tg_job *job);

#endif
