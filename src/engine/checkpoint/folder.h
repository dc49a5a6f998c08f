// The folder of the checkpoints: generations by name, temporary folders, renaming, removing. Everything here is local.
#ifndef TG_ENGINE_FOLDER_H
#define TG_ENGINE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

// A complete checkpoint: "000007-iteration-0000001234". Serials rise by one with each that is written, whatever run
// wrote it: the newest has the highest.
typedef struct tg_generation {
  int64_t serial;
  int64_t iteration;
  char name[64];
  bool is_ours;    // of this job; set by who knows
  bool is_damaged; // likewise
} tg_generation;

void tg_generation_name(int64_t serial, int64_t iteration, tg_generation *out);
// All under the directory, newest first; none where the directory does not exist. TG_IO where it cannot be read. The
// caller frees *out.
tg_status tg_folder_list(const char *directory, int *count, tg_generation **out);
// Makes the directory and sees that folders can be made in it. TG_IO.
tg_status tg_folder_prepare(const char *directory, uint64_t owner);
// Removes what runs of the same owner, the hash of the job, have not finished.
void tg_folder_clean(const char *directory, uint64_t owner);
// directory/.partial-OWNER-PROCESS, made again.
tg_status tg_folder_begin(const char *directory, uint64_t owner, tg_text *path);
// Renames it to its final name and makes both the content and the name durable. TG_IO.
tg_status tg_folder_publish(const char *directory, const char *temporary, const char *name);
// Removes a generation. It loses its name first, so that half of it is never taken for a whole. TG_IO.
tg_status tg_folder_retire(const char *directory, uint64_t owner, const char *name);
// Removes a folder of plain files that may not exist, or not go away.
void tg_folder_discard(const char *path);
// The size of a regular file, and its bytes' XXH64. TG_DATA says what is the matter with it.
tg_status tg_folder_hash(const char *path, int64_t *bytes, uint64_t *hash);
// All bytes of a regular file; TG_DATA where it cannot be read or has more than `most`. The caller frees *out.
tg_status tg_folder_read(const char *path, int64_t most, char **out, size_t *length);

#endif
