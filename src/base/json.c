// JSON values as text.
#include "base/json.h"

#include <stdlib.h>

tg_status tg_json_print(const json_t *value, tg_text *out)
{
  char *bytes = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  if (bytes == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the text of a JSON value");
  tg_text_add(out, bytes);
  tg_text_add(out, "\n");
  free(bytes);
  return tg_text_status(out);
}
