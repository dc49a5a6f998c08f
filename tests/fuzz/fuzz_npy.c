// Any bytes as an .npy file: the header, and the numbers behind it.
//
// Nothing may crash, hang or leak; what is taken has sizes that fit together.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/file/io_npy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  tg_npy_header h;
  const tg_status status = tg_npy_parse_header(data, size, &h);
  require(status == TG_OK || (status == TG_DATA && tg_error_get()->message[0] != '\0'), "another failure");
  if (status != TG_OK) return 0;
  require(h.rows > 0 && h.cols > 0, "an empty matrix");
  require(h.item_bytes == 1 || h.item_bytes == 2 || h.item_bytes == 4 || h.item_bytes == 8, "items of another size");
  require(h.data_bytes / h.item_bytes / h.rows == h.cols, "a size that overflows");
  require(h.data_offset > 0 && h.data_offset <= (int64_t)size, "numbers that begin beyond the header");
  const int64_t held = ((int64_t)size - h.data_offset) / h.item_bytes;
  const int64_t count = held < h.data_bytes / h.item_bytes ? held : h.data_bytes / h.item_bytes;
  double *numbers = malloc((size_t)count * sizeof(double) + 1);
  if (numbers != NULL) tg_npy_decode(&h, data + h.data_offset, count, numbers);
  free(numbers);
  return 0;
}
