// Numbers of a job that are written as expressions: 1/3, 2*pi, sqrt(2).
#ifndef TG_JOB_JOB_NUMBER_H
#define TG_JOB_JOB_NUMBER_H

#include "job/job.h"

// Where the node is a plain text that reads as an expression of numbers, its text becomes the number, so that
// everything behind reads a decimal. Texts that are decimals, words or paths are left as they are. A fault in the
// expression is located in it. Local.
tg_status tg_job_evaluate(tg_job *job, tg_yaml_node *node);

#endif
