// The program around the library: its warnings, and the BLAS it loaded.
#ifndef TG_API_HOST_H
#define TG_API_HOST_H

#include <mpi.h>

#include "base/message.h"
#include "job/job.h"

// The receiver of warnings: the caller's handler, or standard error on rank 0 of the communicator, which stays. Local.
tg_messages tg_api_warnings(MPI_Comm *comm);
// Whether there is an MPI that runs, and a communicator: else no rank can be asked. Local.
tg_status tg_api_check_host(MPI_Comm comm);
// The caller's process cannot be started once more with other kernels: it is warned, once. Collective.
tg_status tg_api_examine_blas(MPI_Comm comm);
// Keeps every failure of the job, or the recorded one, located where it can be; the exit class. job may be NULL. Local.
int tg_api_fail_job(const tg_job *job, tg_status status);

#endif
