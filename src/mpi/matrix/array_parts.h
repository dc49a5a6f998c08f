// Arrays of which each rank holds a rectangle.
#ifndef TG_MPI_ARRAY_PARTS_H
#define TG_MPI_ARRAY_PARTS_H

#include "mpi/matrix/array.h"

// Rows [row_begin, row_begin + rows) and columns likewise; rows or cols 0: none.
typedef struct tg_array_part {
  int64_t row_begin;
  int64_t rows;
  int64_t col_begin;
  int64_t cols;
} tg_array_part;

// Fills all but numbers, target and steps of an array, rows x cols in all, from the part that each rank holds. The
// parts must be the cells of a grid: rows cut at the same places for all columns. places: room for the ranks of comm;
// cuts: room for twice as many numbers and two. TG_SHAPE on all ranks where the parts overlap, leave entries out or are
// no grid. Collective, agrees.
tg_status tg_array_describe_parts(MPI_Comm comm, int64_t rows, int64_t cols, const tg_array_part *mine,
                                  const char *name, int *places, int64_t *cuts, tg_array *out);

#endif
