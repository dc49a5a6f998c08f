// The manifest of a checkpoint: what the folder holds, with sizes and checksums, and all scalars of the state.
//
// JSON in two parts: a first line with the checksum of every byte behind it, then the members described in
// docs/checkpoints.md. The numbers of the state are hexadecimal floats in quotes, which read back with all bits.
#ifndef TG_ENGINE_MANIFEST_H
#define TG_ENGINE_MANIFEST_H

#include <jansson.h>
#include <stdint.h>

#include "base/text.h"

enum { TG_MANIFEST_FORMAT = 1, TG_MANIFEST_BYTES_MAX = 1 << 28, TG_MANIFEST_NAME_MAX = 200 };
#define TG_MANIFEST_FILE "manifest.json"

typedef struct tg_manifest_file {
  const char *name; // a plain name inside the folder
  int64_t rows;
  int64_t columns;
  int64_t bytes;
  uint64_t hash; // XXH64 of the file
} tg_manifest_file;

typedef struct tg_manifest_vector {
  const char *name;
  int n_files; // one a block; 0: idle, holds nothing
  const tg_manifest_file *files;
} tg_manifest_vector;

typedef struct tg_manifest {
  json_t *root; // owns the text
  int64_t iteration;
  int64_t records; // of history.jsonl up to here
  int64_t runs;    // that led here
  int n_vectors;
  tg_manifest_vector *vectors;
  int n_files; // of all vectors together
  tg_manifest_file *files;
} tg_manifest;

// A double as text with all its bits, and back; false where the value is none.
json_t *tg_exact_number(double value);
bool tg_exact_read(const json_t *value, double *out);
// Hashes are 16 hexadecimal digits.
json_t *tg_hash_text(uint64_t hash);

// The whole file for these members, which must be those that tg_manifest_parse asks for. Local.
tg_status tg_manifest_print(const json_t *members, tg_text *out);
// Takes any bytes. TG_DATA says what was found and what was expected. *out is NULL on failure. Local.
tg_status tg_manifest_parse(const char *bytes, size_t length, tg_manifest **out);
// NULL is fine.
void tg_manifest_destroy(tg_manifest **manifest);

// NULL where there is no such vector; false where there is no such number, or count.
const tg_manifest_vector *tg_manifest_vector_find(const tg_manifest *manifest, const char *name);
bool tg_manifest_number(const tg_manifest *manifest, const char *name, double *out);
bool tg_manifest_count(const tg_manifest *manifest, const char *name, int64_t *out);

#endif
