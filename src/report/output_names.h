// Names of the files of a run, and what they are to the job already.
#ifndef TG_REPORT_OUTPUT_NAMES_H
#define TG_REPORT_OUTPUT_NAMES_H

#include "base/text.h"
#include "engine/spec.h"

// What a file is to the job already; other: NULL, nothing.
typedef struct tg_file_use {
  const char *other;
  const char *what;
} tg_file_use;

// Finds the use of a file that is not the start of variable `mine`, beside the files of the first `before` variables.
// The result may point into `room`. Local.
tg_status tg_output_find_use(const tg_spec *spec, int mine, int before, const char *path, tg_text *room,
                             tg_file_use *out);
// folder/name, or name where it is absolute. Local.
tg_status tg_output_path(const char *folder, const char *name, tg_text *out);

#endif
