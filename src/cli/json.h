// Small help around jansson: numbers that JSON has no word for, files that are whole or absent.
#ifndef TG_CLI_JSON_H
#define TG_CLI_JSON_H

#include "base/status.h"
#include "derive/json_number.h"

// Writes the value to path: a temporary name in the same folder, synced, renamed. TG_IO names path and reason. Local.
tg_status tg_json_write(const json_t *value, const char *path);

#endif
