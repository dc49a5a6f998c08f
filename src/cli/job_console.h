// A job on the console: loaded on all ranks, its messages and errors shown in their places.
#ifndef TG_CLI_JOB_CONSOLE_H
#define TG_CLI_JOB_CONSOLE_H

#include <mpi.h>

#include "job/job.h"

// Rank 0 reads the job file, all ranks parse the same bytes. On failure *out may hold a job that was created but does
// not read: tg_job_error_source tells the place; NULL when the file itself is the matter. Collective.
tg_status tg_cli_load_job(MPI_Comm comm, const char *path, int n_sets, const char *const *sets, tg_job **out);
// The receiver of warnings and notes about the job: job->spec.messages. The job must outlive it.
tg_messages tg_cli_job_messages(tg_job *job);
// Prints every failure that the job keeps, or the recorded one where it keeps none. job may be NULL.
void tg_cli_print_job_errors(const tg_job *job, tg_status status);

#endif
