// Growing text, numbers that round-trip, near misses of a word.
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void tg_text_init(tg_text *text)
{
  *text = (tg_text){.status = TG_OK};
}

void tg_text_fini(tg_text *text)
{
  tg_free(text->data);
  tg_text_init(text);
}

void tg_text_clear(tg_text *text)
{
  text->length = 0;
  text->status = TG_OK;
  if (text->data != NULL) text->data[0] = '\0';
}

// Room for `extra` more bytes and the terminator.
static bool reserve(tg_text *text, size_t extra)
{
  if (text->status != TG_OK) return false;
  const size_t needed = text->length + extra + 1;
  if (needed <= text->capacity) return true;
  size_t capacity = text->capacity > 0 ? text->capacity : 128;
  while (capacity < needed) capacity *= 2;
  text->status = tg_grow((int64_t)capacity, 1, (void **)&text->data);
  if (text->status != TG_OK) return false;
  text->capacity = capacity;
  return true;
}

void tg_text_add_bytes(tg_text *text, const char *bytes, size_t length)
{
  if (!reserve(text, length)) return;
  memcpy(text->data + text->length, bytes, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void tg_text_add(tg_text *text, const char *string)
{
  tg_text_add_bytes(text, string, strlen(string));
}

void tg_text_addf(tg_text *text, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int needed = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (needed >= 0 && reserve(text, (size_t)needed)) {
    vsnprintf(text->data + text->length, (size_t)needed + 1, format, again);
    text->length += (size_t)needed;
  }
  va_end(again);
}

void tg_text_add_number(tg_text *text, double value)
{
  char digits[40];
  for (int precision = 1; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  // A whole number of moderate size reads better without an exponent: 1000, not 1e+03.
  if (fabs(value) < 1e15 && value == floor(value)) snprintf(digits, sizeof digits, "%.0f", value);
  tg_text_add(text, digits);
}

void tg_text_add_bytes_unit(tg_text *text, double bytes)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes >= 1024.0 && unit + 1 < sizeof units / sizeof units[0]) {
    bytes /= 1024.0;
    unit++;
  }
  tg_text_addf(text, unit == 0 ? "%.0f %s" : "%.2f %s", bytes, units[unit]);
}

const char *tg_text_string(const tg_text *text)
{
  return text->data != NULL ? text->data : "";
}

tg_status tg_text_status(const tg_text *text)
{
  return text->status;
}

enum { WORD_MAX = 63 };

static int smaller(int a, int b)
{
  return a < b ? a : b;
}

// Optimal string alignment distance: insertions, deletions, substitutions, neighbours swapped.
static int edit_distance(const char *a, const char *b)
{
  const size_t m = strlen(a);
  const size_t n = strlen(b);
  if (m > WORD_MAX || n > WORD_MAX) return WORD_MAX;
  int rows[3][WORD_MAX + 1];
  int *before = rows[0];
  int *previous = rows[1];
  int *row = rows[2];
  for (size_t j = 0; j <= n; j++) before[j] = previous[j] = (int)j;
  for (size_t i = 1; i <= m; i++) {
    row[0] = (int)i;
    for (size_t j = 1; j <= n; j++) {
      row[j] = smaller(smaller(previous[j], row[j - 1]) + 1, previous[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = smaller(row[j], before[j - 2] + 1);
    }
    int *reused = before;
    before = previous;
    previous = row;
    row = reused;
  }
  return previous[n];
}

// Whether the candidate lacks the letter of a one-letter word: nothing but the letter tells what was meant.
static bool is_other_letter(const char *word, const char *candidate)
{
  const int letter = tolower((unsigned char)word[0]);
  return strlen(word) == 1 && strchr(candidate, letter) == NULL && strchr(candidate, toupper(letter)) == NULL;
}

const char *tg_nearest_word(const char *word, const char *const *candidates, size_t count)
{
  const char *best = NULL;
  int best_distance = 3 + (int)strlen(word) / 6;
  if (strlen(word) < 4) best_distance = 2;
  for (size_t i = 0; i < count; i++) {
    if (is_other_letter(word, candidates[i])) continue;
    const int distance = edit_distance(word, candidates[i]);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidates[i];
    }
  }
  return best;
}
