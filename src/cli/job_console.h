// A job on the console: its messages and errors shown in their places.
#ifndef TG_CLI_JOB_CONSOLE_H
#define TG_CLI_JOB_CONSOLE_H

#include "job/job.h"

// The receiver of warnings and notes about the job: job->spec.messages. The job must outlive it.
tg_messages tg_cli_job_messages(tg_job *job);
// Prints every failure that the job keeps, or the recorded one where it keeps none. job may be NULL.
void tg_cli_print_job_errors(const tg_job *job, tg_status status);

#endif
