// JSON values as files that are whole or absent.
#ifndef TG_REPORT_JSON_H
#define TG_REPORT_JSON_H

#include "base/json.h"

// Writes the value to path: a temporary name in the same folder, synced, renamed. TG_IO names path and reason. Local.
tg_status tg_json_write(const json_t *value, const char *path);

#endif
