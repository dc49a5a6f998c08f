// JSON values: numbers that JSON does not know, and text.
#ifndef TG_BASE_JSON_H
#define TG_BASE_JSON_H

#include <jansson.h>
#include <math.h>

#include "base/text.h"

// A number, or null where it is not finite: JSON knows neither NaN nor infinities.
static inline json_t *tg_json_number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

// The inverse: NaN for null, NULL and whatever is no number.
static inline double tg_json_value(const json_t *value)
{
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

// The same of a member of an object, which need not have it.
static inline double tg_json_member(const json_t *object, const char *name)
{
  return tg_json_value(json_object_get(object, name));
}

// Appends the value, indented, with an end of line. TG_MEMORY, also for NULL.
tg_status tg_json_print(const json_t *value, tg_text *out);

#endif
