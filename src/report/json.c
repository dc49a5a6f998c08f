// JSON values as files.
#include "report/json.h"

#include "base/whole_file.h"

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
