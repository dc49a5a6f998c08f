// Files that are whole or absent, and the folders for them.
#ifndef TG_BASE_WHOLE_FILE_H
#define TG_BASE_WHOLE_FILE_H

#include <stddef.h>

#include "base/status.h"

// Writes the bytes to path: a temporary name in the same folder, synced, renamed. TG_IO names path and reason. Local.
tg_status tg_write_whole(const char *path, const char *bytes, size_t length);

// Makes a folder and the ones above it; existing ones are fine. TG_IO. Local.
tg_status tg_make_folder(const char *path);

#endif
