// Strict parser of Matrix Market text.
#include "mpi/file/io_mtx_parse.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A word of a line, or an empty one at its end.
typedef struct word {
  const char *begin;
  const char *end;
} word;

static bool is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static word next_word(const char **at, const char *end)
{
  while (*at < end && is_space(**at)) (*at)++;
  word found = {*at, *at};
  while (found.end < end && !is_space(*found.end)) found.end++;
  *at = found.end;
  return found;
}

static bool word_is(word w, const char *wanted)
{
  const size_t length = strlen(wanted);
  if ((size_t)(w.end - w.begin) != length) return false;
  for (size_t i = 0; i < length; i++)
    if (tolower((unsigned char)w.begin[i]) != wanted[i]) return false;
  return true;
}

// What a message shows of a word: 40 characters at most, nothing that could confuse a terminal.
typedef struct shown {
  char text[48];
} shown;

static shown show(word w)
{
  enum { MOST = 40 };
  shown out = {""};
  const size_t length = (size_t)(w.end - w.begin);
  const size_t kept = length < MOST ? length : MOST;
  for (size_t i = 0; i < kept; i++) out.text[i] = w.begin[i] >= ' ' && w.begin[i] < 127 ? w.begin[i] : '?';
  snprintf(out.text + kept, sizeof out.text - kept, "%s", length == 0 ? "nothing" : length > MOST ? "..." : "");
  return out;
}

static bool is_blank(const char *line, const char *end)
{
  while (line < end && is_space(*line)) line++;
  return line == end;
}

bool tg_mtx_is_void(const char *line, const char *end)
{
  while (line < end && is_space(*line)) line++;
  return line == end || *line == '%';
}

// --- numbers -----------------------------------------------------------------------------------------

// A whole number from 0 that fits in 63 bits.
static bool parse_size(word w, int64_t *out)
{
  *out = 0;
  if (w.begin == w.end) return false;
  for (const char *c = w.begin; c < w.end; c++)
    if (!is_digit(*c) || __builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *c - '0', out))
      return false;
  return true;
}

static bool parse_special(word w, double *out)
{
  if (word_is(w, "nan"))
    *out = (double)NAN;
  else if (word_is(w, "inf") || word_is(w, "infinity"))
    *out = (double)INFINITY;
  else
    return false;
  return true;
}

// The parts of a decimal number: value = mantissa * 10^exponent when few digits were given.
typedef struct decimal {
  uint64_t mantissa;
  int digits; // significant ones
  int64_t exponent;
} decimal;

static bool scan_digits(const char **at, const char *end, bool fraction, decimal *out)
{
  const char *first = *at;
  for (; *at < end && is_digit(**at); (*at)++) {
    if (out->digits > 0 || **at != '0') out->digits++;
    if (out->digits <= 15) out->mantissa = out->mantissa * 10 + (uint64_t)(**at - '0');
    if (fraction) out->exponent--;
  }
  return *at > first;
}

static bool scan_exponent(const char **at, const char *end, decimal *out)
{
  enum { ENOUGH = 100000 }; // beyond, strtod decides between zero and infinity
  (*at)++;
  const bool negative = *at < end && **at == '-';
  if (*at < end && (**at == '-' || **at == '+')) (*at)++;
  if (*at == end) return false;
  int64_t value = 0;
  for (; *at < end && is_digit(**at); (*at)++) value = value < ENOUGH ? value * 10 + (**at - '0') : value;
  out->exponent += negative ? -value : value;
  return is_digit((*at)[-1]);
}

static bool scan_decimal(const char *at, const char *end, decimal *out)
{
  const bool whole = scan_digits(&at, end, false, out);
  bool fraction = false;
  if (at < end && *at == '.') {
    at++;
    fraction = scan_digits(&at, end, true, out);
  }
  if (!whole && !fraction) return false;
  if (at < end && (*at == 'e' || *at == 'E') && !scan_exponent(&at, end, out)) return false;
  return at == end;
}

// Clinger's fast path: up to 15 digits and a power of ten up to 22 are exact doubles, so one operation rounds once.
static bool exact_value(const decimal *d, double *out)
{
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (d->digits > 15 || d->exponent < -22 || d->exponent > 22) return false;
  *out = d->exponent < 0 ? (double)d->mantissa / powers[-d->exponent] : (double)d->mantissa * powers[d->exponent];
  return true;
}

bool tg_mtx_parse_number(const char *text, const char *end, double *out)
{
  char copy[TG_MTX_LINE_LIMIT + 1];
  decimal d = {0};
  const bool negative = text < end && *text == '-';
  if (text < end && (*text == '-' || *text == '+')) text++;
  const word w = {text, end};
  const size_t length = (size_t)(end - text);
  if (!parse_special(w, out)) {
    if (length >= sizeof copy || !scan_decimal(text, end, &d)) return false;
    if (!exact_value(&d, out)) {
      memcpy(copy, text, length);
      copy[length] = '\0';
      *out = strtod(copy, NULL);
    }
  }
  if (negative) *out = -*out;
  return true;
}

// --- header ------------------------------------------------------------------------------------------

// field = "real" | "double" | "integer" | "unsigned-integer" | "pattern"
static tg_status parse_field_name(word field, tg_mtx_field *out)
{
  static const struct {
    const char *name;
    tg_mtx_field field;
  } known[] = {{"real", TG_MTX_REAL},
               {"double", TG_MTX_REAL},
               {"integer", TG_MTX_INTEGER},
               {"unsigned-integer", TG_MTX_UNSIGNED},
               {"pattern", TG_MTX_PATTERN}};
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
    if (word_is(field, known[k].name)) {
      *out = known[k].field;
      return TG_OK;
    }
  if (word_is(field, "complex")) TG_FAIL(TG_DATA, "line 1: the entries are complex, expected real, integer or pattern");
  TG_FAIL(TG_DATA, "line 1: found '%s', expected 'real', 'integer', 'unsigned-integer' or 'pattern'", show(field).text);
}

// symmetry = "general" | "symmetric" | "skew-symmetric" | "hermitian", the last one of real entries: symmetric
static tg_status parse_symmetry(word symmetry, tg_mtx_symmetry *out)
{
  *out = word_is(symmetry, "skew-symmetric")                                ? TG_MTX_SKEW
         : word_is(symmetry, "symmetric") || word_is(symmetry, "hermitian") ? TG_MTX_SYMMETRIC
                                                                            : TG_MTX_GENERAL;
  if (*out == TG_MTX_GENERAL && !word_is(symmetry, "general"))
    TG_FAIL(TG_DATA, "line 1: found '%s', expected 'general', 'symmetric', 'skew-symmetric' or 'hermitian'",
            show(symmetry).text);
  return TG_OK;
}

// banner = "%%MatrixMarket" "matrix" ( "coordinate" | "array" ) field symmetry
static tg_status parse_banner(const char *line, const char *end, tg_mtx_header *out)
{
  const char *at = line;
  const word mark = next_word(&at, end);
  if (!word_is(mark, "%%matrixmarket"))
    TG_FAIL(TG_DATA, "line 1: is not a Matrix Market file: found '%s', expected '%%%%MatrixMarket'", show(mark).text);
  const word object = next_word(&at, end);
  if (!word_is(object, "matrix")) TG_FAIL(TG_DATA, "line 1: found '%s', expected 'matrix'", show(object).text);
  const word layout = next_word(&at, end);
  out->coordinate = word_is(layout, "coordinate");
  if (!out->coordinate && !word_is(layout, "array"))
    TG_FAIL(TG_DATA, "line 1: found '%s', expected 'coordinate' or 'array'", show(layout).text);
  TG_TRY(parse_field_name(next_word(&at, end), &out->field));
  TG_TRY(parse_symmetry(next_word(&at, end), &out->symmetry));
  if (!is_blank(at, end)) TG_FAIL(TG_DATA, "line 1: found more than the five words of the banner");
  if (out->field == TG_MTX_PATTERN && !out->coordinate)
    TG_FAIL(TG_DATA, "line 1: an array cannot be a pattern, expected 'coordinate' or numbers");
  if (out->field == TG_MTX_PATTERN && out->symmetry == TG_MTX_SKEW)
    TG_FAIL(TG_DATA, "line 1: a pattern cannot be skew-symmetric");
  return TG_OK;
}

static bool square_overflows(int64_t rows, int64_t cols, int64_t *entries)
{
  int64_t bytes = 0;
  return __builtin_mul_overflow(rows, cols, entries) || __builtin_mul_overflow(*entries, 8, &bytes);
}

// The numbers an array file stores: everything, the lower triangle, or that without its diagonal.
static int64_t stored_entries(const tg_mtx_header *header, int64_t all)
{
  if (header->symmetry == TG_MTX_GENERAL) return all;
  return header->symmetry == TG_MTX_SYMMETRIC ? (all - header->rows) / 2 + header->rows : (all - header->rows) / 2;
}

// size line = rows columns [ entries ]     the third for coordinate files only
static tg_status parse_sizes(const char *line, const char *end, int64_t number, tg_mtx_header *out)
{
  const char *at = line;
  const word rows = next_word(&at, end);
  const word cols = next_word(&at, end);
  const char *expected = out->coordinate ? "rows, columns and entries" : "rows and columns";
  if (!parse_size(rows, &out->rows))
    TG_FAIL(TG_DATA, "line %" PRId64 ": found '%s', expected the size line: %s", number, show(rows).text, expected);
  if (!parse_size(cols, &out->cols))
    TG_FAIL(TG_DATA, "line %" PRId64 ": found '%s', expected the size line: %s", number, show(cols).text, expected);
  if (out->coordinate) {
    const word entries = next_word(&at, end);
    if (!parse_size(entries, &out->entries))
      TG_FAIL(TG_DATA, "line %" PRId64 ": found '%s', expected the size line: %s", number, show(entries).text,
              expected);
  }
  if (!is_blank(at, end))
    TG_FAIL(TG_DATA, "line %" PRId64 ": found more words, expected the size line: %s", number, expected);
  int64_t all = 0;
  if (out->rows == 0 || out->cols == 0)
    TG_FAIL(TG_DATA, "line %" PRId64 ": the matrix is empty (%" PRId64 " x %" PRId64 "), expected at least one entry",
            number, out->rows, out->cols);
  if (square_overflows(out->rows, out->cols, &all))
    TG_FAIL(TG_DATA, "line %" PRId64 ": %" PRId64 " x %" PRId64 " numbers do not fit in 63 bits of bytes", number,
            out->rows, out->cols);
  if (out->symmetry != TG_MTX_GENERAL && out->rows != out->cols)
    TG_FAIL(TG_DATA, "line %" PRId64 ": found %" PRId64 " x %" PRId64 ", a symmetric matrix is square", number,
            out->rows, out->cols);
  if (!out->coordinate) out->entries = stored_entries(out, all);
  return TG_OK;
}

tg_status tg_mtx_parse_header(const char *bytes, size_t count, tg_mtx_header *out)
{
  *out = (tg_mtx_header){0};
  const char *end = bytes + count;
  const bool has_mark = count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0; // editors write it before UTF-8 text
  const char *line = has_mark ? bytes + 3 : bytes;
  if (count == 0) TG_FAIL(TG_DATA, "the file is empty, expected a Matrix Market header");
  for (int64_t number = 1; line < end; number++) {
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    const char *stop = feed != NULL ? feed : end;
    const char *next = feed != NULL ? feed + 1 : end;
    if (number == 1) {
      TG_TRY(parse_banner(line, stop, out));
    } else if (!tg_mtx_is_void(line, stop)) {
      if (feed == NULL && count >= TG_MTX_HEADER_LIMIT) break;
      out->data_offset = (int64_t)(next - bytes);
      out->data_line = number + 1;
      return parse_sizes(line, stop, number, out);
    }
    line = next;
  }
  if (count >= TG_MTX_HEADER_LIMIT)
    TG_FAIL(TG_DATA, "no size line in the first %d bytes, the longest header that is read", TG_MTX_HEADER_LIMIT);
  TG_FAIL(TG_DATA, "the file ends before the size line");
}

void tg_mtx_describe(const tg_mtx_header *header, size_t room, char *out)
{
  static const char *const fields[] = {"real", "integer", "unsigned", "pattern"};
  static const char *const symmetries[] = {"", " symmetric", " skew-symmetric"};
  snprintf(out, room, "%s %s%s", fields[header->field], header->coordinate ? "sparse" : "array",
           symmetries[header->symmetry]);
}

// --- data lines --------------------------------------------------------------------------------------

static tg_status parse_field(const tg_mtx_header *header, word w, double *out)
{
  if (w.begin == w.end)
    TG_FAIL(TG_DATA, "the line ends before the value; where a file has none, its first line says 'pattern'");
  const bool number = tg_mtx_parse_number(w.begin, w.end, out);
  if (!number) TG_FAIL(TG_DATA, "found '%s', expected a number", show(w).text);
  if (header->field == TG_MTX_REAL) return TG_OK;
  if (header->field == TG_MTX_UNSIGNED && *w.begin == '-')
    TG_FAIL(TG_DATA, "found '%s', expected an unsigned integer as the banner says", show(w).text);
  for (const char *c = w.begin + (*w.begin == '-' || *w.begin == '+'); c < w.end; c++)
    if (!is_digit(*c)) TG_FAIL(TG_DATA, "found '%s', expected an integer as the banner says", show(w).text);
  return TG_OK;
}

static tg_status parse_index(word w, const char *name, int64_t size, int64_t *out)
{
  int64_t number = 0;
  if (!parse_size(w, &number)) TG_FAIL(TG_DATA, "found '%s', expected a %s index", show(w).text, name);
  if (number < 1 || number > size)
    TG_FAIL(TG_DATA, "the %s index %" PRId64 " is out of range, expected 1 to %" PRId64, name, number, size);
  *out = number - 1;
  return TG_OK;
}

tg_status tg_mtx_parse_coordinate(const tg_mtx_header *header, const char *line, const char *end, tg_mtx_entry *out)
{
  const char *at = line;
  *out = (tg_mtx_entry){.value = 1};
  TG_TRY(parse_index(next_word(&at, end), "row", header->rows, &out->row));
  TG_TRY(parse_index(next_word(&at, end), "column", header->cols, &out->col));
  if (header->field != TG_MTX_PATTERN) TG_TRY(parse_field(header, next_word(&at, end), &out->value));
  if (!is_blank(at, end) && header->field == TG_MTX_PATTERN)
    TG_FAIL(TG_DATA,
            "found '%s' after the entry, but the first line says that the file is a pattern, without values; if they "
            "are meant, write 'real' there",
            show(next_word(&at, end)).text);
  if (!is_blank(at, end))
    TG_FAIL(TG_DATA, "found '%s' after the entry, expected the end of the line", show(next_word(&at, end)).text);
  const char *kind = header->symmetry == TG_MTX_SKEW ? "skew-symmetric" : "symmetric";
  // Were both (i, j) and (j, i) accepted, mirroring would count the pair twice.
  if (header->symmetry != TG_MTX_GENERAL && out->row < out->col)
    TG_FAIL(TG_DATA, "entry (%" PRId64 ", %" PRId64 ") is above the diagonal, a %s file stores the lower triangle",
            out->row + 1, out->col + 1, kind);
  // Some programs write the zeros.
  if (header->symmetry == TG_MTX_SKEW && out->row == out->col && out->value != 0)
    TG_FAIL(TG_DATA,
            "entry (%" PRId64 ", %" PRId64 ") is %g, expected 0: it is on the diagonal of a skew-symmetric matrix",
            out->row + 1, out->col + 1, out->value);
  return TG_OK;
}

tg_status tg_mtx_parse_value(const tg_mtx_header *header, const char *line, const char *end, double *out)
{
  const char *at = line;
  TG_TRY(parse_field(header, next_word(&at, end), out));
  if (!is_blank(at, end))
    TG_FAIL(TG_DATA, "found '%s' after the number, expected one number a line", show(next_word(&at, end)).text);
  return TG_OK;
}

// Entries before column j of the stored triangle of order n, whose first column holds `height` numbers:
// j * height - j (j - 1) / 2. Its inverse is estimated in floating point and then put right by whole steps.
static int64_t before_column(int64_t height, int64_t j)
{
  return j * height - j * (j - 1) / 2;
}

void tg_mtx_array_place(const tg_mtx_header *header, int64_t entry, int64_t *row, int64_t *col)
{
  const int64_t n = header->rows;
  if (header->symmetry == TG_MTX_GENERAL) {
    *col = entry / n;
    *row = entry % n;
    return;
  }
  const int64_t skipped = header->symmetry == TG_MTX_SKEW ? 1 : 0;
  const int64_t height = n - skipped;
  const double b = (double)height + 0.5;
  const double root = b * b - 2 * (double)entry;
  int64_t j = (int64_t)(b - sqrt(root > 0 ? root : 0));
  j = j < 0 ? 0 : j > n - 1 ? n - 1 : j;
  while (j > 0 && before_column(height, j) > entry) j--;
  while (j + 1 < n && before_column(height, j + 1) <= entry) j++;
  *col = j;
  *row = j + skipped + (entry - before_column(height, j));
}
