// The lexer: numbers, names, operators in the language's own spelling; Unicode and LaTeX beside it; and a helpful word
// about what is none of them.
#include "grad/text/lex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grad/text/lex_parts.h"
#include "grad/text/limits.h"

char tg_lex_at(const tg_lexer *l, size_t position)
{
  return position < l->length ? l->text[position] : '\0';
}

bool tg_lex_starts(const tg_lexer *l, size_t position, const char *word)
{
  const size_t n = strlen(word);
  return position <= l->length && l->length - position >= n && memcmp(l->text + position, word, n) == 0;
}

bool tg_lex_is_digit(char c)
{
  return c >= '0' && c <= '9';
}

bool tg_lex_is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c)
{
  return tg_lex_is_letter(c) || tg_lex_is_digit(c) || c == '_';
}

// digits [. digits] [e [+-] digits]; the dot of .* ./ .^ .' and of an attribute is not part of a number.
static size_t number_end(const tg_lexer *l, size_t p)
{
  while (tg_lex_is_digit(tg_lex_at(l, p))) p++;
  const char after_dot = tg_lex_at(l, p + 1);
  const bool is_operator = after_dot != '\0' && strchr("*/^'", after_dot) != NULL;
  if (tg_lex_at(l, p) == '.' && !is_operator) {
    p++;
    while (tg_lex_is_digit(tg_lex_at(l, p))) p++;
  }
  const char e = tg_lex_at(l, p);
  if (e != 'e' && e != 'E') return p;
  const char sign = tg_lex_at(l, p + 1);
  const size_t digits = sign == '+' || sign == '-' ? p + 2 : p + 1;
  if (!tg_lex_is_digit(tg_lex_at(l, digits))) return p;
  p = digits;
  while (tg_lex_is_digit(tg_lex_at(l, p))) p++;
  return p;
}

enum { NUMBER_BYTES_MAX = 100 };

static tg_status lex_number(tg_lexer *l, tg_token *out)
{
  char digits[NUMBER_BYTES_MAX + 1];
  const size_t begin = l->position;
  const size_t end = number_end(l, begin);
  out->kind = TG_TOKEN_NUMBER;
  out->span = (tg_span){begin, end};
  if (end - begin > NUMBER_BYTES_MAX)
    TG_FAIL_AT(TG_LIMIT, out->span, "a number of %zu characters; at most %d are read", end - begin, NUMBER_BYTES_MAX);
  memcpy(digits, l->text + begin, end - begin);
  digits[end - begin] = '\0';
  out->number = strtod(digits, NULL);
  if (!isfinite(out->number)) TG_FAIL_AT(TG_VALUE, out->span, "the number %s is too large for a double", digits);
  const char next = tg_lex_at(l, end);
  if (next == 'e' || next == 'E')
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){end, end + 1}),
               "expected an operator or the end, found '%c'; an exponent has digits", next);
  l->position = end;
  if (out->number == 0.0 && tg_lex_starts(l, end, "_{")) {
    out->name[0] = '0';
    l->position++;
    if (!tg_lex_constant(l, out)) return tg_lex_unexpected(l);
  }
  return TG_OK;
}

// ---- names ----

tg_status tg_lex_add_name(tg_token *token, const char *bytes, size_t n)
{
  const size_t used = strlen(token->name);
  if (used + n > TG_NAME_BYTES_MAX)
    TG_FAIL_AT(TG_LIMIT, token->span, "a name of %zu characters; at most %d are allowed", used + n, TG_NAME_BYTES_MAX);
  memcpy(token->name + used, bytes, n);
  token->name[used + n] = '\0';
  return TG_OK;
}

// Modules whose functions are called by name: np.linalg.inv.
static const char *const modules[] = {"np",     "numpy", "jnp",     "torch", "tf",        "scipy",
                                      "linalg", "math",  "special", "nn",    "functional"};

// F of F.softmax(X, dim=1), as torch.nn.functional is imported; of F.sum() it is a matrix.
static bool is_functional(const tg_lexer *l, size_t begin, size_t end)
{
  static const char *const functions[] = {"softmax(", "relu(",        "sigmoid(", "softplus(",
                                          "tanh(",    "log_softmax(", "mse_loss("};
  bool found = false;
  if (end - begin != 1 || l->text[begin] != 'F' || tg_lex_at(l, end) != '.') return false;
  for (size_t i = 0; !found && i < sizeof functions / sizeof functions[0]; i++)
    found = tg_lex_starts(l, end + 1, functions[i]) && tg_lex_at(l, end + 1 + strlen(functions[i])) != ')';
  return found;
}

static bool is_module(const tg_lexer *l, size_t begin, size_t end)
{
  if (is_functional(l, begin, end)) return true;
  for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
    if (strlen(modules[i]) == end - begin && memcmp(l->text + begin, modules[i], end - begin) == 0) return true;
  return false;
}

// A lowered digit: its value, or -1.
static int lowered_digit(const tg_lexer *l, size_t p)
{
  if (!tg_lex_starts(l, p, "\xE2\x82")) return -1; // U+2080 to U+2089
  const unsigned char last = (unsigned char)tg_lex_at(l, p + 2);
  return last >= 0x80 && last <= 0x89 ? last - 0x80 : -1;
}

static tg_status add_lowered(tg_lexer *l, tg_token *out)
{
  if (lowered_digit(l, l->position) < 0) return TG_OK;
  TG_TRY(tg_lex_add_name(out, "_", 1));
  for (int digit = 0; (digit = lowered_digit(l, l->position)) >= 0; l->position += 3)
    TG_TRY(tg_lex_add_name(out, &"0123456789"[digit], 1));
  return TG_OK;
}

// What follows the letters of a name: an index in braces, x_{opt}, or lowered digits.
tg_status tg_lex_name_end(tg_lexer *l, tg_token *out)
{
  const bool open = l->position > 0 && l->text[l->position - 1] == '_' && tg_lex_at(l, l->position) == '{';
  if (open && tg_lex_constant(l, out)) return TG_OK;
  if (open) TG_TRY(tg_lex_braced(l, out));
  TG_TRY(add_lowered(l, out));
  out->span.end = l->position;
  return TG_OK;
}

static tg_status lex_name(tg_lexer *l, tg_token *out)
{
  size_t begin = l->position;
  size_t end = begin;
  out->kind = TG_TOKEN_NAME;
  while (is_name_byte(tg_lex_at(l, end))) end++;
  while (is_module(l, begin, end) && tg_lex_at(l, end) == '.' && tg_lex_is_letter(tg_lex_at(l, end + 1)) &&
         !tg_lex_starts(l, end, ".T")) {
    out->is_module = true;
    begin = ++end;
    while (is_name_byte(tg_lex_at(l, end))) end++;
  }
  out->span = (tg_span){l->position, end};
  if (end - begin > TG_NAME_BYTES_MAX)
    TG_FAIL_AT(TG_LIMIT, out->span, "a name of %zu characters; at most %d are allowed", end - begin, TG_NAME_BYTES_MAX);
  // logaddexp.reduce(X, axis=1), as which NumPy has logsumexp
  static const char reduction[] = "logaddexp.reduce";
  const size_t longer = sizeof reduction - 1;
  const bool is_reduction = tg_lex_starts(l, begin, reduction) && !is_name_byte(tg_lex_at(l, begin + longer));
  if (is_reduction) out->span.end = end = begin + longer;
  TG_TRY(is_reduction ? tg_lex_add_name(out, "logsumexp", 9) : tg_lex_add_name(out, l->text + begin, end - begin));
  l->position = end;
  return tg_lex_name_end(l, out);
}

// A Greek letter and the digits and index behind it; letters would be another factor.
tg_status tg_lex_greek(tg_lexer *l, const char *name, size_t bytes, tg_token *out)
{
  out->kind = TG_TOKEN_NAME;
  out->is_greek = true;
  out->span.end = l->position + bytes;
  TG_TRY(tg_lex_add_name(out, name, strlen(name)));
  l->position += bytes;
  size_t end = l->position;
  while (tg_lex_is_digit(tg_lex_at(l, end))) end++;
  if (tg_lex_at(l, end) == '_')
    while (is_name_byte(tg_lex_at(l, end))) end++;
  TG_TRY(tg_lex_add_name(out, l->text + l->position, end - l->position));
  l->position = end;
  return tg_lex_name_end(l, out);
}

const char *tg_lex_greek_name(const tg_lexer *l, size_t position, size_t *bytes)
{
  static const struct {
    const char *name;
    const char *letters[2];
  } rows[] = {
#define TG_GREEK(name, letter, other) {name, {letter, other}},
#include "grad/text/greek.def"
#undef TG_GREEK
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (int k = 0; k < 2 && rows[i].letters[k] != NULL; k++)
      if (tg_lex_starts(l, position, rows[i].letters[k])) {
        *bytes = strlen(rows[i].letters[k]);
        return rows[i].name;
      }
  return NULL;
}

bool tg_name_is_greek_letter(const char *name, size_t length)
{
  static const char *const names[] = {
#define TG_GREEK(name, letter, other) name,
#include "grad/text/greek.def"
#undef TG_GREEK
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) return true;
  return false;
}

// ---- symbols ----

// A superscript number: its value and bytes, or 0 bytes.
static size_t superscript(const tg_lexer *l, size_t p, double *value)
{
  static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  const size_t begin = p;
  const bool negative = tg_lex_starts(l, p, "⁻");
  bool any = false;
  bool more = true;
  *value = 0.0;
  if (negative) p += strlen("⁻");
  while (more && p - begin < 24) {
    more = false;
    for (int i = 0; i < 10 && !more; i++) {
      if (!tg_lex_starts(l, p, digits[i])) continue;
      *value = 10.0 * *value + i;
      p += strlen(digits[i]);
      any = more = true;
    }
  }
  if (negative) *value = -*value;
  return any ? p - begin : 0;
}

typedef struct spelling {
  const char *text;
  char symbol;
  char side;
} spelling;

static const spelling spellings[] = {
#define TG_SPELLING(text, symbol, side) {text, symbol, side},
#include "grad/text/symbols.def"
#undef TG_SPELLING
};

// A command ends where its letters do: \top is not \topology.
static bool is_spelled(const tg_lexer *l, const char *text)
{
  const size_t n = strlen(text);
  if (!tg_lex_starts(l, l->position, text)) return false;
  return text[0] != '\\' || !tg_lex_is_letter(text[1]) || !tg_lex_is_letter(tg_lex_at(l, l->position + n));
}

static bool lex_symbol(tg_lexer *l, tg_token *out)
{
  size_t longest = 0;
  out->kind = TG_TOKEN_SYMBOL;
  for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
    if (strlen(spellings[i].text) <= longest || !is_spelled(l, spellings[i].text)) continue;
    longest = strlen(spellings[i].text);
    out->symbol = spellings[i].symbol;
    if (spellings[i].side != 0) out->side = spellings[i].side;
  }
  const char c = l->text[l->position];
  if (longest == 0 && c != '\0' && strchr("+-*/^'(),@{}[]|=:;\"", c) != NULL) {
    out->symbol = c;
    if (c == '[' && out->side == '(') out->symbol = '('; // \left[
    if (c == ']' && out->side == ')') out->symbol = ')';
    longest = 1;
  }
  l->position += longest;
  out->span.end = l->position;
  return longest > 0;
}

static tg_status lex_token(tg_lexer *l, tg_token *out)
{
  size_t bytes = 0;
  double value = 0.0;
  const size_t p = l->position;
  out->span = (tg_span){p, p};
  if (p >= l->length) return TG_OK;
  const char c = l->text[p];
  const char next = tg_lex_at(l, p + 1);
  if (tg_lex_is_digit(c) || (c == '.' && tg_lex_is_digit(next))) return lex_number(l, out);
  if (tg_lex_is_letter(c) || c == '_') return lex_name(l, out);
  if (c == '.' && tg_lex_is_letter(next) && !out->spaced && p > 0) {
    l->position++;
    TG_TRY(lex_name(l, out));
    out->kind = TG_TOKEN_ATTRIBUTE;
    out->span.begin = p;
    return TG_OK;
  }
  const char *greek = tg_lex_greek_name(l, p, &bytes);
  if (greek != NULL) return tg_lex_greek(l, greek, bytes, out);
  if (tg_lex_starts(l, p, "½")) {
    *out = (tg_token){.kind = TG_TOKEN_NUMBER, .span = {p, p + 2}, .number = 0.5, .spaced = out->spaced};
    l->position += 2;
    return TG_OK;
  }
  bytes = tg_lex_matrix(l, p, &out->symbol);
  if (bytes > 0) {
    out->kind = TG_TOKEN_SYMBOL;
    out->span.end = l->position += bytes;
    return TG_OK;
  }
  if (lex_symbol(l, out)) return TG_OK;
  bytes = superscript(l, p, &value);
  if (bytes > 0) {
    *out = (tg_token){.kind = TG_TOKEN_POWER, .span = {p, p + bytes}, .number = value, .spaced = out->spaced};
    l->position += bytes;
    return TG_OK;
  }
  if (c == '\\') return tg_lex_command(l, out);
  return tg_lex_unexpected(l);
}

tg_status tg_lex(const char *text, size_t length, size_t *position, tg_token *out)
{
  tg_lexer l = {text, length, *position};
  *out = (tg_token){.kind = TG_TOKEN_END};
  TG_TRY(tg_lex_spaces(&l, out));
  const tg_status status = lex_token(&l, out);
  *position = l.position;
  return status;
}

tg_status tg_lex_string(const char *text, size_t length, size_t *position, tg_token *out)
{
  const size_t begin = *position;
  const char quote = text[begin];
  size_t end = begin + 1;
  while (end < length && text[end] != quote && text[end] != '\n') end++;
  *out = (tg_token){.kind = TG_TOKEN_NAME, .span = {begin, end}};
  if (end >= length || text[end] != quote) TG_FAIL_AT(TG_SYNTAX, out->span, "a word in quotes has no end");
  out->span.end = end + 1;
  TG_TRY(tg_lex_add_name(out, text + begin + 1, end - begin - 1));
  *position = end + 1;
  return TG_OK;
}

// Bytes of a raised digit, U+00B2, U+00B3, U+00B9, U+2070 to U+2079; 0 where there is none.
static size_t raised_digit(const tg_lexer *l, size_t p)
{
  if (tg_lex_starts(l, p, "\xC2\xB2") || tg_lex_starts(l, p, "\xC2\xB3") || tg_lex_starts(l, p, "\xC2\xB9")) return 2;
  const unsigned char last = (unsigned char)(tg_lex_starts(l, p, "\xE2\x81") ? tg_lex_at(l, p + 2) : 0);
  return last >= 0xB0 && last <= 0xB9 ? 3 : 0;
}

size_t tg_lex_index_behind_power(const char *text, size_t length, size_t position)
{
  const tg_lexer l = {text, length, position};
  size_t end = position;
  if (tg_lex_at(&l, end) == '^') {
    const bool braced = tg_lex_at(&l, end + 1) == '{';
    end += braced ? 2 : 1;
    if (!tg_lex_is_digit(tg_lex_at(&l, end))) return position;
    while (braced ? tg_lex_is_digit(tg_lex_at(&l, end)) : false) end++;
    if (braced && tg_lex_at(&l, end) != '}') return position;
    end++;
  } else {
    while (raised_digit(&l, end) > 0) end += raised_digit(&l, end);
  }
  const bool follows = end > position && (tg_lex_at(&l, end) == '_' || lowered_digit(&l, end) >= 0);
  return follows ? end : position;
}

tg_status tg_lex_subscript(const char *text, size_t length, size_t *position, tg_token *out)
{
  tg_lexer l = {text, length, *position};
  *out = (tg_token){.kind = TG_TOKEN_NAME, .span = {*position, *position}};
  if (lowered_digit(&l, l.position) >= 0) {
    TG_TRY(add_lowered(&l, out));
    memmove(out->name, out->name + 1, strlen(out->name)); // without the '_'
  } else if (tg_lex_at(&l, l.position) == '_') {
    l.position++;
    if (tg_lex_at(&l, l.position) == '{') {
      TG_TRY(tg_lex_braced(&l, out));
    } else {
      const char c = tg_lex_at(&l, l.position);
      if (c == '*') TG_TRY(tg_lex_add_name(out, "*", 1));
      if (c == '*') l.position++;
      while (c != '*' && (tg_lex_is_letter(tg_lex_at(&l, l.position)) || tg_lex_is_digit(tg_lex_at(&l, l.position))))
        TG_TRY(tg_lex_add_name(out, &text[l.position++], 1));
    }
  }
  out->span.end = *position = l.position;
  return TG_OK;
}
