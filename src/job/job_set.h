// Settings over the job's tree.
#ifndef TG_JOB_JOB_SET_H
#define TG_JOB_JOB_SET_H

#include "job/job.h"

// Applies the setting whose text is sources[source] to job->root: dotted path, value read as YAML, missing mappings
// made; or a text for a key. A fault is located in that text.
tg_status tg_job_set(tg_job *job, int source);

#endif
