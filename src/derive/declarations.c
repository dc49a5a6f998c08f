// Sizes and properties of names, from texts.
#include "derive/declarations.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grad/text/names.h"

tg_declaration *tg_declarations_get(tg_declarations *declarations, const char *name)
{
  for (int32_t i = 0; i < declarations->count; i++)
    if (strcmp(declarations->list[i].name, name) == 0) return &declarations->list[i];
  if (declarations->count == TG_DERIVE_NAMES_MAX) return NULL;
  tg_declaration *fresh = &declarations->list[declarations->count++];
  *fresh = (tg_declaration){.name = name};
  return fresh;
}

// The piece of a comma-separated list that begins at *position, without blanks around it; moves past the comma.
static tg_span next_piece(const char *text, size_t *position)
{
  size_t begin = *position;
  size_t end = begin + strcspn(text + begin, ",");
  *position = text[end] == ',' ? end + 1 : end;
  while (begin < end && isspace((unsigned char)text[begin])) begin++;
  while (end > begin && isspace((unsigned char)text[end - 1])) end--;
  return (tg_span){begin, end};
}

static tg_status declare_piece(const char *text, tg_span span, const char *what, tg_declarations *out,
                               tg_declaration **declaration)
{
  const char *name = NULL;
  char canonical[TG_NAME_BYTES_MAX + 1];
  TG_TRY(tg_arena_string(&out->arena, text + span.begin, span.end - span.begin, &name));
  if (tg_name_canonical(name, canonical)) TG_TRY(tg_arena_string(&out->arena, canonical, strlen(canonical), &name));
  if (!tg_name_is_valid(name))
    TG_FAIL_AT(TG_USAGE, span, "%s expects a name made of letters, digits and '_', found '%s'", what, name);
  if (tg_name_is_reserved(name)) TG_FAIL_AT(TG_USAGE, span, "'%s' is a function and cannot be declared", name);
  *declaration = tg_declarations_get(out, name);
  if (*declaration == NULL) TG_FAIL_AT(TG_LIMIT, span, "more than %d names are declared", TG_DERIVE_NAMES_MAX);
  return TG_OK;
}

// One size: a whole number, or the name of a size.
static tg_status read_size(const char *text, const char *what, tg_span span, tg_declarations *out, int64_t *value,
                           const char **name)
{
  const char *word = NULL;
  TG_TRY(tg_arena_string(&out->arena, text + span.begin, span.end - span.begin, &word));
  *value = 0;
  *name = NULL;
  if (isdigit((unsigned char)word[0])) {
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(word, &end, 10);
    if (*end == '\0' && errno == 0 && number >= 1 && number <= 2147483647) {
      *value = number;
      return TG_OK;
    }
    TG_FAIL_AT(TG_USAGE, span, "a size is a whole number from 1 to 2147483647, found '%s'", word);
  }
  if (!tg_name_is_valid(word))
    TG_FAIL_AT(TG_USAGE, span, "expected a size such as 3 or n, found '%s'; write %s A=3x4", word, what);
  if (tg_name_is_reserved(word)) TG_FAIL_AT(TG_USAGE, span, "'%s' is a function and cannot name a size", word);
  *name = word;
  return TG_OK;
}

static tg_status read_shape(const char *text, const char *what, tg_span span, tg_errors *errors, tg_declarations *out,
                            tg_declaration *declaration)
{
  // A name of a size may contain an x itself: the separator is the first one with something on both sides.
  size_t x = span.begin + 1;
  while (x + 1 < span.end && text[x] != 'x' && text[x] != 'X') x++;
  const bool column = x + 1 >= span.end;
  const tg_span rows = {span.begin, column ? span.end : x};
  const tg_span cols = {x + 1, span.end};
  TG_TRY(tg_errors_take(errors, read_size(text, what, rows, out, &declaration->rows, &declaration->rows_name)));
  if (!column) return read_size(text, what, cols, out, &declaration->cols, &declaration->cols_name);
  declaration->cols = 1;
  declaration->cols_name = NULL;
  return TG_OK;
}

static tg_status read_piece(const char *text, tg_span piece, const char *what, tg_errors *errors, tg_declarations *out)
{
  size_t equals = piece.begin;
  while (equals < piece.end && text[equals] != '=') equals++;
  if (equals == piece.end || equals == piece.begin || equals + 1 == piece.end)
    TG_FAIL_AT(TG_USAGE, piece, "%s expects NAME=ROWSxCOLUMNS, found '%.*s'", what, (int)(piece.end - piece.begin),
               text + piece.begin);
  tg_declaration *declaration = NULL;
  TG_TRY(declare_piece(text, (tg_span){piece.begin, equals}, what, out, &declaration));
  if (declaration->rows > 0 || declaration->rows_name != NULL)
    TG_FAIL_AT(TG_USAGE, piece, "the size of '%s' is given twice", declaration->name);
  return read_shape(text, what, (tg_span){equals + 1, piece.end}, errors, out, declaration);
}

tg_status tg_declarations_read_dims(const char *text, const char *what, tg_errors *errors, tg_declarations *out)
{
  for (size_t position = 0; text[position] != '\0';)
    TG_TRY(tg_errors_take(errors, read_piece(text, next_piece(text, &position), what, errors, out)));
  return TG_OK;
}

tg_status tg_declarations_read_names(const char *text, const char *what, unsigned property, tg_errors *errors,
                                     tg_declarations *out)
{
  for (size_t position = 0; text[position] != '\0';) {
    tg_declaration *declaration = NULL;
    TG_TRY(tg_errors_take(errors, declare_piece(text, next_piece(text, &position), what, out, &declaration)));
    if (declaration != NULL) declaration->properties |= property;
  }
  return TG_OK;
}
