// The lexer: numbers, names, operators, and a helpful word about characters that are none.
#include "grad/text/lex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grad/text/ast.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char at(const char *text, size_t length, size_t position)
{
  return position < length ? text[position] : '\0';
}

// digits [. digits] [e [+-] digits]; the dot of .* ./ .^ is not part of a number.
static size_t number_end(const char *text, size_t length, size_t p)
{
  while (is_digit(at(text, length, p))) p++;
  const char after_dot = at(text, length, p + 1);
  if (at(text, length, p) == '.' && after_dot != '*' && after_dot != '/' && after_dot != '^') {
    p++;
    while (is_digit(at(text, length, p))) p++;
  }
  const char e = at(text, length, p);
  if (e != 'e' && e != 'E') return p;
  const char sign = at(text, length, p + 1);
  const size_t digits = sign == '+' || sign == '-' ? p + 2 : p + 1;
  if (!is_digit(at(text, length, digits))) return p;
  p = digits;
  while (is_digit(at(text, length, p))) p++;
  return p;
}

enum { NUMBER_BYTES_MAX = 100 };

static tg_status lex_number(const char *text, size_t length, size_t *position, tg_token *out)
{
  char digits[NUMBER_BYTES_MAX + 1];
  const size_t begin = *position;
  const size_t end = number_end(text, length, begin);
  out->kind = TG_TOKEN_NUMBER;
  out->span = (tg_span){begin, end};
  if (end - begin > NUMBER_BYTES_MAX)
    TG_FAIL_AT(TG_LIMIT, out->span, "a number of %zu characters; at most %d are read", end - begin, NUMBER_BYTES_MAX);
  memcpy(digits, text + begin, end - begin);
  digits[end - begin] = '\0';
  out->number = strtod(digits, NULL);
  if (!isfinite(out->number)) TG_FAIL_AT(TG_VALUE, out->span, "the number %s is too large for a double", digits);
  *position = end;
  return TG_OK;
}

static tg_status lex_name(const char *text, size_t length, size_t *position, tg_token *out)
{
  size_t end = *position;
  while (is_letter(at(text, length, end)) || is_digit(at(text, length, end))) end++;
  out->kind = TG_TOKEN_NAME;
  out->span = (tg_span){*position, end};
  if (end - *position > TG_NAME_BYTES_MAX)
    TG_FAIL_AT(TG_LIMIT, out->span, "a name of %zu characters; at most %d are allowed", end - *position,
               TG_NAME_BYTES_MAX);
  *position = end;
  return TG_OK;
}

// Characters that a word processor or another language puts where ours has something else.
typedef struct lookalike {
  const char *text;
  const char *advice;
} lookalike;

static const lookalike lookalikes[] = {
    {"\xE2\x88\x92", "write '-'"},
    {"\xE2\x80\x93", "write '-'"},
    {"\xC2\xB7", "write '*'"},
    {"\xC3\x97", "write '*'"},
    {"\xE2\x88\x97", "write '*'"},
    {"\xE2\x80\x99", "write \"'\" for the transpose"},
    {"\xE2\x80\xB2", "write \"'\" for the transpose"},
    {"\xE2\x8A\xA4", "write \"'\" for the transpose"},
    {"\xE1\xB5\x80", "write \"'\" for the transpose"},
    {"\xE2\x81\xBB\xC2\xB9", "write '^-1', or inv(A)"},
    {"\xE2\x8A\x98", "write './' for the entrywise quotient"},
    {"\xE2\x8A\x99", "write '.*' for the entrywise product"},
    {"\xE2\x8A\x97", "write kron(A, B)"},
    {"\xC2\xB2", "write '^2'"},
    {"\xC2\xB3", "write '^3'"},
    {"[", "matrices are declared as data, not written out"},
    {"@", "write '*' for the matrix product"},
    {"=", "an expression has no equation; write only its value"},
    {"\\", "write inv(A)*B"},
    {"|", "write det(A), abs(A) or norm2(A)"},
    {"\"", "names are not quoted"},
};

static tg_status unexpected_character(const char *text, size_t length, size_t p)
{
  for (size_t i = 0; i < sizeof lookalikes / sizeof lookalikes[0]; i++) {
    const size_t n = strlen(lookalikes[i].text);
    if (length - p >= n && memcmp(text + p, lookalikes[i].text, n) == 0)
      TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, p + n}), "unexpected character '%s'; %s", lookalikes[i].text,
                 lookalikes[i].advice);
  }
  const unsigned char byte = (unsigned char)text[p];
  size_t end = p + 1;
  while (byte >= 0x80 && end < length && ((unsigned char)text[end] & 0xC0u) == 0x80u) end++;
  if (byte < 0x20 || byte == 0x7F)
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected control character (byte 0x%02X)", byte);
  if (byte == '.') TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected '.'; entrywise operators are .* ./ .^");
  TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected character '%.*s'", (int)(end - p), text + p);
}

tg_status tg_lex(const char *text, size_t length, size_t *position, tg_token *out)
{
  while (is_space(at(text, length, *position)) && *position < length) (*position)++;
  const size_t p = *position;
  *out = (tg_token){.kind = TG_TOKEN_END, .span = {p, p}};
  if (p >= length) return TG_OK;
  const char c = text[p];
  const char next = at(text, length, p + 1);
  if (is_digit(c) || (c == '.' && is_digit(next))) return lex_number(text, length, position, out);
  if (is_letter(c)) return lex_name(text, length, position, out);
  out->kind = TG_TOKEN_SYMBOL;
  if (c == '.' && (next == '*' || next == '/' || next == '^')) {
    out->symbol = next == '*' ? 'x' : next == '/' ? 'd' : 'e';
    out->span.end = *position = p + 2;
    return TG_OK;
  }
  if (c == '\0' || strchr("+-*/^'(),", c) == NULL) return unexpected_character(text, length, p);
  if (c == '*' && next == '*')
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, p + 2}), "unexpected '**'; a power is written with '^'");
  out->symbol = c;
  out->span.end = *position = p + 1;
  return TG_OK;
}
