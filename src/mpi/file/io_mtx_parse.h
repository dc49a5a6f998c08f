// The text of Matrix Market files: header, data lines, numbers. Pure and strict; no MPI, no files: a fuzzer can call
// it.
//
// Format: math.nist.gov/MatrixMarket/formats.html. Parsing numbers that need more than 15 digits uses strtod: the
// caller sees to it that the thread's numeric locale is "C".
#ifndef TG_MPI_IO_MTX_PARSE_H
#define TG_MPI_IO_MTX_PARSE_H

#include <stdint.h>

#include "base/status.h"

// Banner, comments and size line together; one line of data, its line feed not counted.
enum { TG_MTX_HEADER_LIMIT = 1 << 20, TG_MTX_LINE_LIMIT = 1024 };

typedef enum tg_mtx_field { TG_MTX_REAL, TG_MTX_INTEGER, TG_MTX_UNSIGNED, TG_MTX_PATTERN } tg_mtx_field;
typedef enum tg_mtx_symmetry { TG_MTX_GENERAL, TG_MTX_SYMMETRIC, TG_MTX_SKEW } tg_mtx_symmetry;

typedef struct tg_mtx_header {
  bool coordinate; // else array
  tg_mtx_field field;
  tg_mtx_symmetry symmetry;
  int64_t rows;
  int64_t cols;
  int64_t entries;     // data lines expected
  int64_t data_offset; // byte after the size line
  int64_t data_line;   // number, from 1, of the line that starts there
} tg_mtx_header;

typedef struct tg_mtx_entry {
  int64_t row; // from 0
  int64_t col;
  double value;
} tg_mtx_entry;

// Parses the header at the start of `count` bytes (the whole file, or its first TG_MTX_HEADER_LIMIT bytes). TG_DATA.
tg_status tg_mtx_parse_header(const char *bytes, size_t count, tg_mtx_header *out);
// "real sparse symmetric", "integer array"
void tg_mtx_describe(const tg_mtx_header *header, size_t room, char *out);

// [line, end), without its line feed, has nothing to be read: blank, or a comment, which may stand anywhere after the
// banner and be indented.
bool tg_mtx_is_void(const char *line, const char *end);
// "row column [value]", checked against the sizes and the stored triangle. TG_DATA.
tg_status tg_mtx_parse_coordinate(const tg_mtx_header *header, const char *line, const char *end, tg_mtx_entry *out);
// "value". TG_DATA.
tg_status tg_mtx_parse_value(const tg_mtx_header *header, const char *line, const char *end, double *out);
// Row and column of the entry-th number (from 0) of an array file: down the columns, of the stored triangle.
void tg_mtx_array_place(const tg_mtx_header *header, int64_t entry, int64_t *row, int64_t *col);

// number = [ "+" | "-" ] ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ "+" | "-" ] digits ]
//        | [ "+" | "-" ] ( "nan" | "inf" | "infinity" ) in any case; correctly rounded. The whole of [text, end).
bool tg_mtx_parse_number(const char *text, const char *end, double *out);

#endif
