// Any bytes as the manifest of a checkpoint, as they are and behind a checksum that is right.
//
// Nothing may crash, hang or leak; what is taken holds what its readers rely on.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "engine/checkpoint/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static void use(const tg_manifest *m)
{
  int files = 0;
  for (int k = 0; k < m->n_vectors; k++) {
    const tg_manifest_vector *v = &m->vectors[k];
    require(tg_manifest_vector_find(m, v->name) != NULL, "a vector that is not found");
    require(v->files + v->n_files <= m->files + m->n_files, "files beyond the list");
    files += v->n_files;
    for (int i = 0; i < v->n_files; i++) {
      require(strchr(v->files[i].name, '/') == NULL && v->files[i].name[0] != '.', "a name that leaves the folder");
      require(v->files[i].rows > 0 && v->files[i].columns > 0 && v->files[i].bytes > 0, "a file of no size");
    }
  }
  require(files == m->n_files, "files of no vector");
  require(m->iteration >= 0 && m->records >= 0 && m->runs > 0, "counts below their least");
}

static void parse(const char *bytes, size_t length)
{
  tg_manifest *m = NULL;
  const tg_status status = tg_manifest_parse(bytes, length, &m);
  require((status == TG_OK) == (m != NULL), "a failure that leaves a manifest");
  require(status == TG_OK || (status == TG_DATA && tg_error_get()->message[0] != '\0'), "another failure");
  if (m != NULL) use(m);
  tg_manifest_destroy(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char line[64];
  parse((const char *)data, size);
  const int length =
      snprintf(line, sizeof line, "{\"xxh64\": \"%016llx\",\n", (unsigned long long)XXH64(data, size, 0));
  char *text = malloc((size_t)length + size);
  if (text == NULL) return 0;
  memcpy(text, line, (size_t)length);
  memcpy(text + length, data, size);
  parse(text, (size_t)length + size);
  free(text);
  return 0;
}
