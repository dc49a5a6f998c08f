// Text: a growing buffer, numbers printed so that they read back the same, near misses of a word.
#ifndef TG_BASE_TEXT_H
#define TG_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Always zero-terminated once something was added. An allocation failure is remembered and reported
// by tg_text_status, so that long runs of additions need one check at their end.
typedef struct tg_text {
  char *data;
  size_t length;
  size_t capacity;
  tg_status status;
} tg_text;

void tg_text_init(tg_text *text);
void tg_text_fini(tg_text *text);
void tg_text_clear(tg_text *text);
void tg_text_add(tg_text *text, const char *string);
void tg_text_add_bytes(tg_text *text, const char *bytes, size_t length);
__attribute__((format(printf, 2, 3))) void tg_text_addf(tg_text *text, const char *format, ...);
// The shortest decimal that reads back as the same double: 0.1, 2, 1e-300.
void tg_text_add_number(tg_text *text, double value);
// Bytes with a unit: "1.25 GiB".
void tg_text_add_bytes_unit(tg_text *text, double bytes);
const char *tg_text_string(const tg_text *text); // "" when empty
tg_status tg_text_status(const tg_text *text);

// The entry of candidates nearest to word by edit distance with transpositions, NULL when none is near.
const char *tg_nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
