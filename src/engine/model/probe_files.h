// What is known of a spec before its expressions are read: which data occur, and their sizes.
#ifndef TG_ENGINE_PROBE_FILES_H
#define TG_ENGINE_PROBE_FILES_H

#include "engine/spec.h"

// Reads the headers of the data files the objective uses: rows and cols of job->data[k]. An unused one is skipped.
// Then the sizes of variables that are open (infer_sizes.h). LOCAL: rank 0 does it. Errors are located at the file's
// name in the job.
tg_status tg_spec_probe(tg_spec *job);
// Whether the name stands in the text as a whole word.
bool tg_spec_has_name(const char *text, const char *name);
// Marks the data that occur in the objective or in subject_to; called by the probe and by tg_model_create as well.
// Warns of data that do not.
void tg_spec_mark_used(tg_spec *job, bool warn);

#endif
