// Several failures of the user's input, kept so that they can be shown together.
#ifndef TG_BASE_ERRORS_H
#define TG_BASE_ERRORS_H

#include "base/status.h"

enum { TG_ERRORS_MAX = 20 };

typedef struct tg_errors {
  int count;
  int more; // that were not kept
  tg_error items[TG_ERRORS_MAX];
} tg_errors;

// Keeps the recorded failure and returns TG_OK, so that the caller goes on and finds others. Where `errors` is NULL, or
// it is no fault of the input, returns status. One that says the same at the same place as one before is not kept
// again.
tg_status tg_errors_take(tg_errors *errors, tg_status status);
// Forgets those from the k-th on that say the same at the same place as one before.
void tg_errors_drop_repeated(tg_errors *errors, int k);
// The k-th failure becomes the recorded one again; returns its code.
tg_status tg_errors_restore(const tg_errors *errors, int k);
// TG_OK where none is kept (errors may be NULL), else the first, recorded again.
tg_status tg_errors_raise(const tg_errors *errors);

#endif
