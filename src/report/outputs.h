// The files that a run leaves: tested before anything is computed, written at the end.
#ifndef TG_REPORT_OUTPUTS_H
#define TG_REPORT_OUTPUTS_H

#include <jansson.h>

#include "report/output_names.h"
#include "report/run_state.h"

// Makes the folders and tests every target on every rank: a folder that is missing or not shared, a name that is too
// long, a target that is no regular file, an output that is also an input of the job or another output. Removes what a
// killed run left unfinished beside the targets. A folder whose report is another job's is refused (TG_USAGE) without
// options.force. TG_IO, TG_JOB. Collective.
tg_status tg_outputs_prepare(tg_run *run);
// Writes every variable that has a file and, where the objective is unbounded along a known direction, its part of that
// direction beside it: ray.X.npy beside X.npy, unless the job reads that file or writes it for another variable. One
// that fails does not keep the others from being written; the first failure is returned. Collective.
tg_status tg_outputs_write(tg_run *run);
// Removes files that an earlier run of this job has left in the folder and this one has neither written nor read.
// Local, rank 0.
void tg_outputs_remove_stale(const tg_run *run);
// Name of the job's file as the report keeps it: absolute where it can be told. `room` bytes. Local.
void tg_outputs_job_file(const tg_spec *spec, size_t room, char *out);
// Names of the files of variables and of the ray, as an array. NULL where memory is short. Local.
json_t *tg_outputs_list(const tg_run *run);
// The files of the ray by variable; empty: there are none. NULL where memory is short. Local.
json_t *tg_outputs_rays(const tg_run *run);

#endif
