// A job on all ranks of a communicator.
#ifndef TG_JOB_JOB_SHARE_H
#define TG_JOB_JOB_SHARE_H

#include <mpi.h>

#include "job/job.h"

// Rank 0 reads the job file, all ranks parse the same bytes. On failure *out may hold a job that was created but does
// not read: tg_job_error_source tells the place; NULL when the file itself is the matter. Collective.
tg_status tg_job_load_shared(MPI_Comm comm, const char *path, int n_sets, const char *const *sets, tg_job **out);

#endif
