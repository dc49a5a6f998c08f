// The entries of subject_to as text: two expressions and the sign between them.
#ifndef TG_JOB_RELATION_H
#define TG_JOB_RELATION_H

#include "job/job.h"

// Fills job->relations. TG_SYNTAX, located, where there is no sign, more than one, a strict or misspelt one, or where a
// side is no expression. Local.
tg_status tg_job_read_relations(tg_job *job);

#endif
