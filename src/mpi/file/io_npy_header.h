// The header of NumPy's .npy files, parsed from untrusted bytes. No MPI, no files: a fuzzer can call it.
//
// Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0, 2.0 and 3.0.
#ifndef TG_MPI_IO_NPY_HEADER_H
#define TG_MPI_IO_NPY_HEADER_H

#include <stdint.h>

#include "base/status.h"

// Longest header that is read, magic and padding included; NumPy itself stops at 10,000 bytes of text.
enum { TG_NPY_HEADER_LIMIT = 65536, TG_NPY_DESCR_ROOM = 16 };

typedef struct tg_npy_header {
  int version;
  char kind; // 'f', 'i', 'u' or 'b'
  int item_bytes;
  bool big_endian;
  bool column_major; // fortran_order
  int64_t rows;      // a 1-D array of n is n x 1, a 0-D one 1 x 1
  int64_t cols;
  int64_t data_offset;
  int64_t data_bytes; // rows * cols * item_bytes
  char descr[TG_NPY_DESCR_ROOM];
} tg_npy_header;

// Parses the header at the start of `count` bytes of a file (all of it, or at least TG_NPY_HEADER_LIMIT bytes).
// Pure. TG_DATA with what was found and what was expected; the caller puts the file's name before it.
tg_status tg_npy_parse_header(const unsigned char *bytes, size_t count, tg_npy_header *out);

// Turns `count` stored items into doubles. Pure.
void tg_npy_decode(const tg_npy_header *header, const unsigned char *items, int64_t count, double *numbers);

#endif
