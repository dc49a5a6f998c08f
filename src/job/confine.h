// A job of somebody else, kept to its folders: what --confined asks for.
#ifndef TG_JOB_CONFINE_H
#define TG_JOB_CONFINE_H

#include "job/job.h"

// TG_JOB, located, unless every file that the job reads lies below the folder of the job file (below the working
// directory where the job comes from standard input), the folders of output and checkpoints below the working
// directory, and the files of the variables below that of the output; links are followed first. The output's folder may
// lie anywhere where the user, not the job, has named it. What changes its links during the run is not seen. Local.
tg_status tg_job_confine(const tg_job *job, bool output_is_given);

#endif
