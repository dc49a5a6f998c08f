// --set KEY=VALUE over the job's tree.
#ifndef TG_JOB_JOB_SET_H
#define TG_JOB_JOB_SET_H

#include "job/job.h"

// Applies the --set argument that is sources[source] to job->root: dotted path, value read as YAML, missing mappings
// made. A fault is located in that argument.
tg_status tg_job_set(tg_job *job, int source);

#endif
