// Numbers in JSON.
#ifndef TG_BASE_JSON_NUMBER_H
#define TG_BASE_JSON_NUMBER_H

#include <jansson.h>
#include <math.h>

// A number, or null where it is not finite: JSON knows neither NaN nor infinities.
static inline json_t *tg_json_number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

#endif
