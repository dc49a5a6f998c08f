// Failures of the public functions: kept for the calling thread, as text and in parts.
#ifndef TG_API_ERROR_H
#define TG_API_ERROR_H

#include <locale.h>

#include "base/errors.h"
#include "base/source.h"

// Every public function that may fail does its work between these two: numbers are read and written with a point.
typedef struct tg_api_call {
  locale_t caller;
  locale_t own;
} tg_api_call;

// TG_MEMORY: the call cannot be made; nothing is to be left.
tg_status tg_api_enter(tg_api_call *call);
void tg_api_leave(tg_api_call *call);

// The program's locale on this thread, while public functions run on it.
typedef struct tg_api_host {
  int depth;
  locale_t locale;
} tg_api_host;

typedef struct tg_api_visit {
  locale_t ours;
  tg_api_host host;
} tg_api_visit;

// A function of the program that the library calls does its work between these two, in the locale of the program.
tg_api_visit tg_api_visit_host(void);
void tg_api_return(const tg_api_visit *visit);

// Texts that errors lie in, each with its id. May be NULL where n is 0.
typedef struct tg_api_texts {
  int32_t n;
  const tg_source *sources;
} tg_api_texts;

// Keeps the recorded failure, or where `errors` is given the failures in it from `first` on, and returns the exit class
// of status. TG_OK is 0 and keeps nothing. Call it after tg_api_leave or before; it needs no memory to succeed.
int tg_api_fail(tg_status status, const tg_api_texts *texts);
int tg_api_fail_all(tg_status status, const tg_errors *errors, int first, const tg_api_texts *texts);

#endif
