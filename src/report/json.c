// JSON values as text and as files.
#include "report/json.h"

#include <stdlib.h>

#include "base/whole_file.h"

tg_status tg_json_print(const json_t *value, tg_text *out)
{
  char *bytes = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  if (bytes == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the text of a JSON value");
  tg_text_add(out, bytes);
  tg_text_add(out, "\n");
  free(bytes);
  return tg_text_status(out);
}

tg_status tg_json_write(const json_t *value, const char *path)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_json_print(value, &text);
  if (status == TG_OK)
    status = tg_write_whole(path, tg_text_string(&text), text.length);
  else
    tg_error_prefix("cannot write %s", path);
  tg_text_fini(&text);
  return status;
}
