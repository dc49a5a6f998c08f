// Manifests as text and back, trusting nothing.
#include "engine/checkpoint/manifest.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

static const char opening[] = "{\"xxh64\": \"";
static const char closing[] = "\",\n";
enum {
  DIGITS = 16,
  OPENING = sizeof opening - 1,
  CLOSING = sizeof closing - 1,
  FIRST_LINE = OPENING + DIGITS + CLOSING
};

// ---- values ----

json_t *tg_exact_number(double value)
{
  char text[64];
  snprintf(text, sizeof text, "%a", value);
  return json_string(text);
}

// What "%a" writes: "-0x1.8p+3", "inf", "-nan".
static bool looks_exact(const char *text)
{
  if (*text == '-') text++;
  if (strcmp(text, "inf") == 0 || strcmp(text, "nan") == 0) return true;
  return strncmp(text, "0x", 2) == 0 && text[2] != '\0' && text[strspn(text, "0123456789abcdefpx.+-")] == '\0';
}

bool tg_exact_read(const json_t *value, double *out)
{
  const char *text = json_string_value(value);
  char *end = NULL;
  if (text == NULL || !looks_exact(text)) return false;
  *out = strtod(text, &end);
  return *end == '\0';
}

json_t *tg_hash_text(uint64_t hash)
{
  char text[DIGITS + 1];
  snprintf(text, sizeof text, "%016" PRIx64, hash);
  return json_string(text);
}

static bool read_hash(const char *text, size_t length, uint64_t *out)
{
  *out = 0;
  if (length != DIGITS) return false;
  for (size_t k = 0; k < DIGITS; k++) {
    const char digit = text[k];
    const bool is_digit = digit >= '0' && digit <= '9';
    if (!is_digit && !(digit >= 'a' && digit <= 'f')) return false;
    *out = *out << 4 | (uint64_t)(is_digit ? digit - '0' : digit - 'a' + 10);
  }
  return true;
}

// ---- printing ----

// The members without their opening brace follow the first line, and the checksum is theirs.
tg_status tg_manifest_print(const json_t *members, tg_text *out)
{
  char *body = json_dumps(members, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  if (body == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the text of a manifest");
  TG_ASSERT(body[0] == '{' && body[1] == '\n');
  const char *rest = body + 2;
  const size_t length = strlen(rest);
  tg_text_clear(out);
  tg_text_addf(out, "%s%016" PRIx64 "%s", opening, (uint64_t)XXH64(rest, length, 0), closing);
  tg_text_add_bytes(out, rest, length);
  free(body);
  return tg_text_status(out);
}

// ---- parsing ----

static tg_status check_sum(const char *bytes, size_t length)
{
  uint64_t expected = 0;
  if (length > TG_MANIFEST_BYTES_MAX) TG_FAIL(TG_DATA, "%zu bytes, expected at most %d", length, TG_MANIFEST_BYTES_MAX);
  if (length < FIRST_LINE || memcmp(bytes, opening, OPENING) != 0 ||
      memcmp(bytes + OPENING + DIGITS, closing, CLOSING) != 0 || !read_hash(bytes + OPENING, DIGITS, &expected))
    TG_FAIL(TG_DATA, "%zu bytes that do not begin with a checksum, expected %s...%.2s", length, opening, closing);
  const uint64_t found = XXH64(bytes + FIRST_LINE, length - FIRST_LINE, 0);
  if (found != expected)
    TG_FAIL(TG_DATA, "checksum %016" PRIx64 " of the text, expected %016" PRIx64 ": was it changed or cut?", found,
            expected);
  return TG_OK;
}

static tg_status get_whole(const json_t *object, const char *key, int64_t least, int64_t *out)
{
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value) || json_integer_value(value) < least)
    TG_FAIL(TG_DATA, "no whole number from %" PRId64 " on for '%s'", least, key);
  *out = json_integer_value(value);
  return TG_OK;
}

static tg_status get_object(const json_t *object, const char *key)
{
  if (!json_is_object(json_object_get(object, key))) TG_FAIL(TG_DATA, "no object '%s'", key);
  return TG_OK;
}

// Nothing outside the folder, nothing hidden.
static bool is_plain_name(const char *name)
{
  if (name == NULL || name[0] == '\0' || name[0] == '.' || strlen(name) > TG_MANIFEST_NAME_MAX) return false;
  for (; *name != '\0'; name++)
    if (*name == '/' || iscntrl((unsigned char)*name) != 0) return false;
  return true;
}

static tg_status read_file(const json_t *entry, tg_manifest_file *out)
{
  const json_t *hash = json_object_get(entry, "xxh64");
  out->name = json_string_value(json_object_get(entry, "file"));
  if (!is_plain_name(out->name)) TG_FAIL(TG_DATA, "a file without a plain name");
  TG_TRY(get_whole(entry, "rows", 1, &out->rows));
  TG_TRY(get_whole(entry, "columns", 1, &out->columns));
  TG_TRY(get_whole(entry, "bytes", 1, &out->bytes));
  if (!json_is_string(hash) || !read_hash(json_string_value(hash), json_string_length(hash), &out->hash))
    TG_FAIL(TG_DATA, "no checksum of %s", out->name);
  return TG_OK;
}

static tg_status read_vector(tg_manifest *m, const json_t *entry, tg_manifest_vector *out)
{
  const json_t *files = json_object_get(entry, "files");
  const json_t *file = NULL;
  size_t k = 0;
  out->name = json_string_value(json_object_get(entry, "name"));
  if (out->name == NULL || !json_is_array(files)) TG_FAIL(TG_DATA, "a vector without name or files");
  out->files = m->files + m->n_files;
  json_array_foreach(files, k, file)
  {
    TG_TRY(read_file(file, &m->files[m->n_files]));
    m->n_files++;
    out->n_files++;
  }
  return TG_OK;
}

static int64_t count_files(const json_t *vectors)
{
  int64_t count = 0;
  const json_t *entry = NULL;
  size_t k = 0;
  json_array_foreach(vectors, k, entry) count += (int64_t)json_array_size(json_object_get(entry, "files"));
  return count;
}

static tg_status read_vectors(tg_manifest *m)
{
  const json_t *vectors = json_object_get(m->root, "vectors");
  const json_t *entry = NULL;
  size_t k = 0;
  const int64_t files = count_files(vectors);
  if (!json_is_array(vectors)) TG_FAIL(TG_DATA, "no list of vectors");
  if (files > INT_MAX || json_array_size(vectors) > INT_MAX) TG_FAIL(TG_DATA, "too many files");
  TG_TRY(TG_NEW((int64_t)json_array_size(vectors), &m->vectors));
  TG_TRY(TG_NEW(files, &m->files));
  json_array_foreach(vectors, k, entry)
  {
    TG_TRY(read_vector(m, entry, &m->vectors[m->n_vectors]));
    m->n_vectors++;
  }
  return TG_OK;
}

static tg_status read_scalars(const tg_manifest *m)
{
  const char *name = NULL;
  json_t *value = NULL;
  TG_TRY(get_object(m->root, "numbers"));
  TG_TRY(get_object(m->root, "counts"));
  json_object_foreach(json_object_get(m->root, "numbers"), name, value)
  {
    double number = 0;
    if (!tg_exact_read(value, &number)) TG_FAIL(TG_DATA, "'%.40s' is no hexadecimal float", name);
  }
  json_object_foreach(json_object_get(m->root, "counts"), name, value)
  {
    if (!json_is_integer(value)) TG_FAIL(TG_DATA, "'%.40s' is no whole number", name);
  }
  return TG_OK;
}

static tg_status read_members(tg_manifest *m)
{
  int64_t format = 0;
  if (!json_is_object(m->root)) TG_FAIL(TG_DATA, "no JSON object");
  TG_TRY(get_whole(m->root, "format", 0, &format));
  if (format != TG_MANIFEST_FORMAT)
    TG_FAIL(TG_DATA, "format %" PRId64 ", this program reads format %d", format, TG_MANIFEST_FORMAT);
  TG_TRY(get_whole(m->root, "iteration", 0, &m->iteration));
  TG_TRY(get_whole(m->root, "history_records", 0, &m->records));
  TG_TRY(get_whole(m->root, "runs", 1, &m->runs));
  TG_TRY(get_object(m->root, "job"));
  TG_TRY(get_object(m->root, "data"));
  TG_TRY(read_vectors(m));
  return read_scalars(m);
}

tg_status tg_manifest_parse(const char *bytes, size_t length, tg_manifest **out)
{
  json_error_t fault;
  tg_manifest *m = NULL;
  *out = NULL;
  TG_TRY(check_sum(bytes, length));
  TG_TRY(TG_NEW(1, &m));
  m->root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &fault);
  tg_status status = TG_OK;
  if (m->root == NULL)
    status = tg_error_set(TG_DATA, TG_HERE, "no JSON: line %d: %.100s", fault.line, fault.text);
  else
    status = read_members(m);
  if (status != TG_OK) {
    tg_manifest_destroy(&m);
    return tg_error_pass(status, TG_HERE);
  }
  *out = m;
  return TG_OK;
}

void tg_manifest_destroy(tg_manifest **manifest)
{
  tg_manifest *m = *manifest;
  if (m == NULL) return;
  json_decref(m->root);
  tg_free(m->vectors);
  tg_free(m->files);
  tg_free(m);
  *manifest = NULL;
}

// ---- lookup ----

const tg_manifest_vector *tg_manifest_vector_find(const tg_manifest *manifest, const char *name)
{
  for (int k = 0; k < manifest->n_vectors; k++)
    if (strcmp(manifest->vectors[k].name, name) == 0) return &manifest->vectors[k];
  return NULL;
}

bool tg_manifest_number(const tg_manifest *manifest, const char *name, double *out)
{
  return tg_exact_read(json_object_get(json_object_get(manifest->root, "numbers"), name), out);
}

bool tg_manifest_count(const tg_manifest *manifest, const char *name, int64_t *out)
{
  const json_t *value = json_object_get(json_object_get(manifest->root, "counts"), name);
  *out = json_integer_value(value);
  return json_is_integer(value);
}
