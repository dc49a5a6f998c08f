// The constants of the cost model, as measured by bench/bench_machine.
#include "engine/run/machine.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The bytes of a small file, zero-terminated.
static tg_status read_text(const char *path, char text[TG_MACHINE_FILE_BYTES])
{
  FILE *file = fopen(path, "r");
  if (file == NULL) TG_FAIL(TG_DATA, "the machine file %s: %s", path, strerror(errno));
  const size_t length = fread(text, 1, TG_MACHINE_FILE_BYTES, file);
  const bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) TG_FAIL(TG_DATA, "the machine file %s cannot be read", path);
  if (length == TG_MACHINE_FILE_BYTES)
    TG_FAIL(TG_DATA, "the machine file %s is longer than %d bytes, expected one JSON line", path,
            TG_MACHINE_FILE_BYTES - 1);
  text[length] = '\0';
  return TG_OK;
}

// What a launcher or a benchmark printed before the line does no harm.
static const char *last_object(const char *text)
{
  const char *found = NULL;
  for (const char *line = text; line != NULL;) {
    if (*line == '{') found = line;
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  return found;
}

static tg_status read_number(const char *path, const json_t *object, const char *key, bool zero_is_fine, double *out)
{
  const json_t *value = json_object_get(object, key);
  if (value == NULL) TG_FAIL(TG_DATA, "the machine file %s has no \"%s\"", path, key);
  *out = json_is_number(value) ? json_number_value(value) : -1.0;
  if (!isfinite(*out) || *out < 0 || (*out == 0 && !zero_is_fine))
    TG_FAIL(TG_DATA, "the machine file %s: \"%s\" is not a %s", path, key,
            zero_is_fine ? "positive number or 0" : "positive number");
  return TG_OK;
}

static tg_status read_constants(const char *path, const json_t *object, tg_cost_machine *out)
{
  TG_TRY(read_number(path, object, "flops_per_thread", false, &out->flops_per_thread));
  TG_TRY(read_number(path, object, "link_bytes", false, &out->link_bytes));
  TG_TRY(read_number(path, object, "memory_bytes", false, &out->memory_bytes));
  return read_number(path, object, "latency_sec", true, &out->latency_sec);
}

tg_status tg_machine_read(const char *path, tg_cost_machine *out)
{
  char text[TG_MACHINE_FILE_BYTES];
  TG_TRY(read_text(path, text));
  const char *line = last_object(text);
  if (line == NULL)
    TG_FAIL(TG_DATA, "the machine file %s has no line that begins with {, expected what bench_machine prints", path);
  json_error_t error;
  json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, &error);
  if (object == NULL) TG_FAIL(TG_DATA, "the machine file %s: %s", path, error.text);
  const tg_status status = read_constants(path, object, out);
  json_decref(object);
  return status;
}

tg_status tg_machine_get(tg_cost_machine *out, const char **source)
{
  *out = tg_cost_machine_default();
  *source = getenv(TG_MACHINE_VARIABLE);
  if (*source != NULL && (*source)[0] == '\0') *source = NULL;
  return *source != NULL ? tg_machine_read(*source, out) : TG_OK;
}
