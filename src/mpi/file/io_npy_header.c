// Strict parser of the .npy header: the Python dictionary that NumPy writes, and nothing else of Python.
#include "mpi/file/io_npy_header.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mpi/file/io_posix.h"

typedef struct parser {
  const char *at;
  const char *end;
  const char *begin; // for byte positions in messages
  int64_t first;     // byte position of `begin` in the file
} parser;

static int64_t position(const parser *p)
{
  return p->first + (p->at - p->begin);
}

static void skip_blanks(parser *p)
{
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++;
}

static bool accept(parser *p, char wanted)
{
  skip_blanks(p);
  if (p->at >= p->end || *p->at != wanted) return false;
  p->at++;
  return true;
}

// "expected ',' at byte 40, found '('": bytes that do not print are named by their value.
static tg_status unexpected(const parser *p, const char *expected)
{
  if (p->at >= p->end) TG_FAIL(TG_DATA, "the .npy header ends at byte %" PRId64 ", expected %s", position(p), expected);
  const unsigned char found = (unsigned char)*p->at;
  if (found >= ' ' && found < 127)
    TG_FAIL(TG_DATA, "bad .npy header: expected %s at byte %" PRId64 ", found '%c'", expected, position(p), found);
  TG_FAIL(TG_DATA, "bad .npy header: expected %s at byte %" PRId64 ", found the byte 0x%02x", expected, position(p),
          found);
}

// string = "'" { printable } "'" | '"' { printable } '"'     no escapes: NumPy writes none in these three entries
static tg_status parse_string(parser *p, const char *expected, size_t room, char *out)
{
  skip_blanks(p);
  if (p->at >= p->end || (*p->at != '\'' && *p->at != '"')) return unexpected(p, expected);
  const char quote = *p->at++;
  size_t length = 0;
  while (p->at < p->end && *p->at != quote && *p->at >= ' ' && *p->at < 127 && length + 1 < room)
    out[length++] = *p->at++;
  out[length] = '\0';
  if (p->at >= p->end || *p->at != quote) return unexpected(p, "the end of a short string");
  p->at++;
  return TG_OK;
}

// boolean = "True" | "False"
static tg_status parse_boolean(parser *p, bool *out)
{
  skip_blanks(p);
  const size_t left = (size_t)(p->end - p->at);
  *out = left >= 4 && memcmp(p->at, "True", 4) == 0;
  if (!*out && !(left >= 5 && memcmp(p->at, "False", 5) == 0)) return unexpected(p, "True or False for fortran_order");
  p->at += *out ? 4 : 5;
  return TG_OK;
}

// integer = digit { digit } [ "L" ]     the L is Python 2's
static tg_status parse_integer(parser *p, int64_t *out)
{
  skip_blanks(p);
  if (p->at >= p->end || *p->at < '0' || *p->at > '9') return unexpected(p, "a whole number in the shape");
  *out = 0;
  while (p->at < p->end && *p->at >= '0' && *p->at <= '9') {
    if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *p->at - '0', out))
      TG_FAIL(TG_DATA, "bad .npy header: the size at byte %" PRId64 " does not fit in 63 bits", position(p));
    p->at++;
  }
  if (p->at < p->end && *p->at == 'L') p->at++;
  return TG_OK;
}

enum { SHOWN_DIMENSIONS = 8 };

typedef struct dimensions {
  int count;
  int64_t size[SHOWN_DIMENSIONS]; // the first ones
} dimensions;

// shape = "(" [ integer { "," integer } [ "," ] ] ")"
static tg_status parse_shape(parser *p, dimensions *out)
{
  out->count = 0;
  if (!accept(p, '(')) return unexpected(p, "'(' of the shape");
  while (!accept(p, ')')) {
    int64_t size = 0;
    TG_TRY(parse_integer(p, &size));
    if (out->count < SHOWN_DIMENSIONS) out->size[out->count] = size;
    out->count++;
    if (accept(p, ',')) continue;
    if (!accept(p, ')')) return unexpected(p, "',' or ')' in the shape");
    break;
  }
  return TG_OK;
}

typedef struct fields {
  bool has_descr;
  bool has_order;
  bool has_shape;
  char descr[64];
  bool column_major;
  dimensions shape;
} fields;

// A list instead of a string describes records with named fields.
static tg_status parse_descr(parser *p, fields *out)
{
  skip_blanks(p);
  if (p->at < p->end && (*p->at == '[' || *p->at == '('))
    TG_FAIL(TG_DATA, "the array has a structured dtype (records of several fields), expected real numbers; "
                     "save one field as a plain array");
  return parse_string(p, "a dtype like '<f8'", sizeof out->descr, out->descr);
}

static tg_status parse_entry(parser *p, fields *out)
{
  char key[32];
  const int64_t where = (skip_blanks(p), position(p));
  TG_TRY(parse_string(p, "a quoted key or '}'", sizeof key, key));
  if (!accept(p, ':')) return unexpected(p, "':' after the key");
  bool *seen = strcmp(key, "descr") == 0           ? &out->has_descr
               : strcmp(key, "fortran_order") == 0 ? &out->has_order
               : strcmp(key, "shape") == 0         ? &out->has_shape
                                                   : NULL;
  if (seen == NULL)
    TG_FAIL(TG_DATA, "bad .npy header: unknown key '%s' at byte %" PRId64 ", expected descr, fortran_order or shape",
            key, where);
  if (*seen) TG_FAIL(TG_DATA, "bad .npy header: the key '%s' is given again at byte %" PRId64, key, where);
  *seen = true;
  if (seen == &out->has_descr) return parse_descr(p, out);
  if (seen == &out->has_order) return parse_boolean(p, &out->column_major);
  return parse_shape(p, &out->shape);
}

// dictionary = "{" { string ":" value "," } [ string ":" value ] "}" blanks
static tg_status parse_dictionary(parser *p, fields *out)
{
  if (!accept(p, '{')) return unexpected(p, "'{'");
  while (!accept(p, '}')) {
    TG_TRY(parse_entry(p, out));
    if (accept(p, ',')) continue;
    if (!accept(p, '}')) return unexpected(p, "',' or '}'");
    break;
  }
  skip_blanks(p);
  if (p->at < p->end) return unexpected(p, "only blanks after '}'");
  if (!out->has_descr) TG_FAIL(TG_DATA, "bad .npy header: the key 'descr' is missing");
  if (!out->has_order) TG_FAIL(TG_DATA, "bad .npy header: the key 'fortran_order' is missing");
  if (!out->has_shape) TG_FAIL(TG_DATA, "bad .npy header: the key 'shape' is missing");
  return TG_OK;
}

static const char *kind_name(char kind)
{
  switch (kind) {
  case 'c':
    return "complex numbers";
  case 'O':
    return "Python objects";
  case 'S':
  case 'a':
  case 'U':
    return "text";
  case 'V':
    return "raw bytes";
  case 'M':
  case 'm':
    return "dates or times";
  default:
    return "an unknown type";
  }
}

// dtype = [ "<" | ">" | "=" | "|" ] kind size     "=" and no mark mean this machine's order, taken as little-endian
static tg_status interpret_descr(const char *descr, tg_npy_header *out)
{
  const char *text = descr;
  const char mark = strchr("<>=|", *text) != NULL && *text != '\0' ? *text++ : '=';
  out->kind = *text;
  if (*text != '\0') text++;
  out->big_endian = mark == '>';
  out->item_bytes = 0;
  if (*text >= '1' && *text <= '9' && (text[1] == '\0')) out->item_bytes = *text - '0';
  if (out->kind == '?' && *text == '\0') {
    out->kind = 'b';
    out->item_bytes = 1;
  }
  static const struct {
    char kind;
    const char *sizes;
  } known[] = {{'f', "248"}, {'i', "1248"}, {'u', "1248"}, {'b', "1"}};
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
    if (known[k].kind == out->kind && out->item_bytes > 0 && strchr(known[k].sizes, '0' + out->item_bytes) != NULL) {
      snprintf(out->descr, sizeof out->descr, "%.15s", descr);
      return TG_OK;
    }
  if (strchr("fiub", out->kind) != NULL)
    TG_FAIL(TG_DATA, "the dtype '%s' is not supported, expected f2, f4, f8, i1 to i8, u1 to u8 or b1", descr);
  TG_FAIL(TG_DATA, "the dtype '%s' holds %s, expected real numbers (f2, f4, f8, i1 to i8, u1 to u8 or b1)", descr,
          kind_name(out->kind));
}

static tg_status interpret_shape(const dimensions *shape, tg_npy_header *out)
{
  if (shape->count > 2) TG_FAIL(TG_DATA, "the array has %d dimensions, expected a matrix (at most 2)", shape->count);
  out->rows = shape->count > 0 ? shape->size[0] : 1;
  out->cols = shape->count > 1 ? shape->size[1] : 1;
  if (out->rows == 0 || out->cols == 0)
    TG_FAIL(TG_DATA, "the array is empty (%" PRId64 " x %" PRId64 "), expected at least one entry", out->rows,
            out->cols);
  int64_t entries = 0;
  if (__builtin_mul_overflow(out->rows, out->cols, &entries) ||
      __builtin_mul_overflow(entries, out->item_bytes, &out->data_bytes) ||
      __builtin_add_overflow(out->data_bytes, out->data_offset, &entries))
    TG_FAIL(TG_DATA, "the shape %" PRId64 " x %" PRId64 " of %d-byte items does not fit in 63 bits", out->rows,
            out->cols, out->item_bytes);
  return TG_OK;
}

// prefix = 0x93 "NUMPY" major minor length     length: 2 bytes in version 1, 4 bytes later, little-endian
static tg_status parse_prefix(const unsigned char *bytes, size_t count, size_t *text_begin, tg_npy_header *out)
{
  static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  const size_t known = count < sizeof magic ? count : sizeof magic;
  unsigned char first[4] = {0};
  memcpy(first, bytes, known < sizeof first ? known : sizeof first);
  if (memcmp(bytes, magic, known) != 0)
    TG_FAIL(TG_DATA, "is not a .npy file: its first bytes are %02x %02x %02x %02x, expected 93 4e 55 4d", first[0],
            first[1], first[2], first[3]);
  if (count < 10) TG_FAIL(TG_DATA, "the .npy header is cut: found %zu bytes, expected at least 10", count);
  out->version = bytes[6];
  if (out->version < 1 || out->version > 3)
    TG_FAIL(TG_DATA, ".npy version %d.%d is not known, expected 1, 2 or 3", bytes[6], bytes[7]);
  const size_t width = out->version == 1 ? 2 : 4;
  *text_begin = 8 + width;
  if (count < *text_begin)
    TG_FAIL(TG_DATA, "the .npy header is cut: found %zu bytes, expected at least %zu", count, *text_begin);
  const uint64_t length = tg_io_load_little(bytes + 8, (int)width);
  if (length > TG_NPY_HEADER_LIMIT - *text_begin)
    TG_FAIL(TG_DATA, "the .npy header is %" PRIu64 " bytes long, at most %d are read", length, TG_NPY_HEADER_LIMIT);
  if (count - *text_begin < length)
    TG_FAIL(TG_DATA, "the .npy header is cut: found %zu bytes, expected %" PRIu64, count, *text_begin + length);
  out->data_offset = (int64_t)(*text_begin + length);
  return TG_OK;
}

tg_status tg_npy_parse_header(const unsigned char *bytes, size_t count, tg_npy_header *out)
{
  *out = (tg_npy_header){0};
  if (count == 0) TG_FAIL(TG_DATA, "the file is empty, expected a .npy header");
  size_t text_begin = 0;
  TG_TRY(parse_prefix(bytes, count, &text_begin, out));
  const char *text = (const char *)bytes + text_begin;
  parser p = {.at = text, .begin = text, .end = (const char *)bytes + out->data_offset, .first = (int64_t)text_begin};
  fields found = {0};
  TG_TRY(parse_dictionary(&p, &found));
  out->column_major = found.column_major;
  TG_TRY(interpret_descr(found.descr, out));
  return interpret_shape(&found.shape, out);
}

// --- numbers -----------------------------------------------------------------------------------------

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
static double half_to_double(uint64_t bits)
{
  const int exponent = (int)(bits >> 10 & 31);
  const double fraction = (double)(bits & 1023);
  double value = 0;
  if (exponent == 31)
    value = fraction > 0 ? (double)NAN : (double)INFINITY;
  else
    value = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 & 1 ? -value : value;
}

static double float_to_double(int item_bytes, uint64_t bits)
{
  if (item_bytes == 2) return half_to_double(bits);
  if (item_bytes == 4) {
    const uint32_t narrow = (uint32_t)bits;
    float value = 0;
    memcpy(&value, &narrow, sizeof value);
    return (double)value;
  }
  double value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Two's complement of item_bytes bytes; beyond 2^53 the nearest double.
static double signed_to_double(int item_bytes, uint64_t bits)
{
  const int unused = 64 - 8 * item_bytes;
  const uint64_t high = bits << unused;
  int64_t value = 0;
  memcpy(&value, &high, sizeof value);
  return (double)(value >> unused);
}

static uint64_t load_item(const tg_npy_header *header, const unsigned char *item)
{
  if (!header->big_endian) return tg_io_load_little(item, header->item_bytes);
  uint64_t value = 0;
  for (int i = 0; i < header->item_bytes; i++) value = value << 8 | item[i];
  return value;
}

void tg_npy_decode(const tg_npy_header *header, const unsigned char *items, int64_t count, double *numbers)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (header->kind == 'f' && header->item_bytes == 8 && !header->big_endian) {
    memcpy(numbers, items, (size_t)count * sizeof(double));
    return;
  }
#endif
  for (int64_t i = 0; i < count; i++) {
    const uint64_t bits = load_item(header, items + i * header->item_bytes);
    switch (header->kind) {
    case 'f':
      numbers[i] = float_to_double(header->item_bytes, bits);
      break;
    case 'i':
      numbers[i] = signed_to_double(header->item_bytes, bits);
      break;
    case 'u':
      numbers[i] = (double)bits;
      break;
    default:
      numbers[i] = bits != 0 ? 1 : 0;
    }
  }
}
