// Several failures of the user's input, kept so that they can be shown together.
#include "base/errors.h"

#include <string.h>

// Also where one of the messages goes on with an advice.
static bool is_same(const tg_error *a, const tg_error *b)
{
  const size_t a_length = strlen(a->message);
  const size_t b_length = strlen(b->message);
  return a->has_span == b->has_span && a->source == b->source && a->span.begin == b->span.begin &&
         a->span.end == b->span.end && strncmp(a->message, b->message, a_length < b_length ? a_length : b_length) == 0;
}

tg_status tg_errors_take(tg_errors *errors, tg_status status)
{
  const int input_is_wrong = 2;
  if (status == TG_OK || errors == NULL || tg_status_exit(status) != input_is_wrong) return status;
  const tg_error *error = tg_error_get();
  for (int k = 0; k < errors->count; k++)
    if (is_same(&errors->items[k], error)) return TG_OK;
  if (errors->count < TG_ERRORS_MAX)
    errors->items[errors->count++] = *error;
  else
    errors->more++;
  return TG_OK;
}

void tg_errors_drop_repeated(tg_errors *errors, int k)
{
  int kept = k;
  for (; k < errors->count; k++) {
    bool is_repeated = false;
    for (int i = 0; i < kept && !is_repeated; i++) is_repeated = is_same(&errors->items[i], &errors->items[k]);
    if (!is_repeated && kept != k) errors->items[kept] = errors->items[k];
    kept += !is_repeated;
  }
  errors->count = kept;
}

tg_status tg_errors_restore(const tg_errors *errors, int k)
{
  *tg_error_get() = errors->items[k];
  return errors->items[k].code;
}

tg_status tg_errors_raise(const tg_errors *errors)
{
  return errors != NULL && errors->count > 0 ? tg_errors_restore(errors, 0) : TG_OK;
}
