// The files that a run leaves: tested before anything is computed, written at the end.
#ifndef TG_CLI_OUTPUTS_H
#define TG_CLI_OUTPUTS_H

#include "cli/run/run.h"

// Makes the folders and tests every target on every rank: a folder that is missing or not shared, a name that is too
// long, a target that is no regular file, an output that is also an input of the job or another output. Removes what a
// killed run left unfinished beside the targets. TG_IO, TG_JOB. Collective.
tg_status tg_outputs_prepare(const tg_run *run);
// Writes every variable that has a file. One that fails does not keep the others from being written; the first failure
// is returned. Collective.
tg_status tg_outputs_write(const tg_run *run);
// folder/name, or name where it is absolute. Local.
tg_status tg_output_path(const char *folder, const char *name, tg_text *out);

#endif
