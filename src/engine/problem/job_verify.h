// Whether this program can do what a job asks for, judged by the job and its symbols.
#ifndef TG_ENGINE_JOB_VERIFY_H
#define TG_ENGINE_JOB_VERIFY_H

#include "job/job.h"

// Whether every feature the job names can be executed; TG_UNSUPPORTED names the first that cannot, where it stands.
tg_status tg_job_executable(tg_job *job);
// Whether the solver the job names can serve an objective of that degree; located at the method or line search.
tg_status tg_job_verify_solver(tg_job *job, int degree, bool has_hessian);

#endif
