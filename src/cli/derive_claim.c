// A claimed gradient against the derived one.
#include "cli/derive.h"

tg_status derive_check_claim(derivation *d, const derive_declarations *declarations, const char *claim, bool *equal,
                             tg_text *out)
{
  (void)d;
  (void)declarations;
  (void)claim;
  (void)out;
  *equal = true;
  TG_FAIL(TG_UNSUPPORTED, "derive: --claim");
}
