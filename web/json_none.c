// The page reads no JSON of the command: the writer of derive/json.c needs a library.
#include "derive/print.h"

static tg_status refuse(void)
{
  TG_FAIL(TG_UNSUPPORTED, "this build has no JSON");
}

tg_status tg_derivation_print_json(tg_derivation *d, tg_text *out)
{
  (void)d;
  (void)out;
  return refuse();
}

tg_status tg_derivation_print_json_part(tg_derivation *d, tg_derive_part part, int32_t k, tg_text *out)
{
  (void)d;
  (void)part;
  (void)k;
  (void)out;
  return refuse();
}

tg_status tg_derivation_print_json_errors(const tg_derivation *d, tg_text *out)
{
  (void)d;
  (void)out;
  return refuse();
}
