// The job written out again: as JSON for the report, and the tables of its keys as text for the documentation.
#ifndef TG_JOB_JOB_ECHO_H
#define TG_JOB_JOB_ECHO_H

#include <jansson.h>

#include "engine/task.h"
#include "job/job.h"

// The effective job: the file with --set applied and every solver option and other default filled in, sizes and starts
// as the engine has found them. TG_MEMORY when JSON cannot be built. The caller owns *out.
tg_status tg_job_echo(const tg_job *job, const tg_task *task, json_t **out);

// Markdown tables of all keys with type, range, default and help, in the order of the table.
void tg_job_print_keys(tg_text *out);

#endif
