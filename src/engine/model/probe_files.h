// What a task can know before its expressions are read: which data occur, and their sizes.
#ifndef TG_ENGINE_PROBE_FILES_H
#define TG_ENGINE_PROBE_FILES_H

#include "engine/task.h"

// Reads the headers of the data files the objective uses: rows and cols of task->data[k]. An unused one is skipped.
// Then the sizes of variables that are open (infer_sizes.h). LOCAL: rank 0 does it. Errors are located at the file's
// name in the job.
tg_status tg_task_probe(tg_task *task);
// Whether the name stands in the text as a whole word.
bool tg_spec_has_name(const char *text, const char *name);
// Marks the data that occur in the objective or in subject_to; called by the probe and by tg_model_create as well.
// Warns of data that do not.
void tg_task_mark_used(tg_task *task, bool warn);

#endif
