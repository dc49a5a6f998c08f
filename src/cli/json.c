// JSON files.
#include "cli/json.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/whole_file.h"

tg_status tg_json_write(const json_t *value, const char *path)
{
  char *bytes = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  if (bytes == NULL) TG_FAIL(TG_MEMORY, "cannot write %s: not enough memory for its text", path);
  tg_text text;
  tg_text_init(&text);
  tg_text_add(&text, bytes);
  tg_text_add(&text, "\n");
  free(bytes);
  tg_status status = tg_text_status(&text);
  if (status == TG_OK) status = tg_write_whole(path, tg_text_string(&text), text.length);
  tg_text_fini(&text);
  return status;
}
