// Any bytes as a Matrix Market file: the header, then each line behind it.
//
// Nothing may crash, hang or leak; entries lie inside the matrix, and in the triangle that the banner promises.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/file/io_mtx_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static void check_entry(const tg_mtx_header *h, int64_t row, int64_t col)
{
  require(row >= 0 && row < h->rows && col >= 0 && col < h->cols, "an entry outside the matrix");
  require(h->symmetry == TG_MTX_GENERAL || row >= col, "an entry above the diagonal");
}

static void parse_line(const tg_mtx_header *h, int64_t number, const char *line, const char *end)
{
  tg_mtx_entry entry = {0};
  const tg_status status =
      h->coordinate ? tg_mtx_parse_coordinate(h, line, end, &entry) : tg_mtx_parse_value(h, line, end, &entry.value);
  require(status == TG_OK || (status == TG_DATA && tg_error_get()->message[0] != '\0'), "another failure");
  if (!h->coordinate && number < h->entries) tg_mtx_array_place(h, number, &entry.row, &entry.col);
  if (status == TG_OK && number < h->entries) check_entry(h, entry.row, entry.col);
  require(status != TG_OK || h->symmetry != TG_MTX_SKEW || entry.row != entry.col || entry.value == 0 ||
              number >= h->entries,
          "a diagonal that is not zero");
}

static void parse(const char *text, size_t size)
{
  tg_mtx_header h;
  char words[64];
  const tg_status status = tg_mtx_parse_header(text, size, &h);
  require(status == TG_OK || (status == TG_DATA && tg_error_get()->message[0] != '\0'), "another failure");
  if (status != TG_OK) return;
  tg_mtx_describe(&h, sizeof words, words);
  require(h.rows > 0 && h.cols > 0 && h.entries >= 0, "an empty matrix");
  require(h.data_offset > 0 && h.data_offset <= (int64_t)size, "numbers that begin beyond the header");
  const char *end = text + size;
  int64_t number = 0;
  for (const char *line = text + h.data_offset; line < end;) {
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    const char *stop = feed != NULL ? feed : end;
    if (!tg_mtx_is_void(line, stop)) parse_line(&h, number++, line, stop);
    line = stop + 1;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  // A copy of exactly these bytes, so that a read beyond them is seen.
  char *text = malloc(size > 0 ? size : 1);
  if (text == NULL) return 0;
  memcpy(text, data, size);
  parse(text, size);
  free(text);
  return 0;
}
