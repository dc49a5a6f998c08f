// Matrices in the memory of a caller: where their numbers lie, and how they come onto the grid and back.
//
// Whole on every rank, whole on one rank, or dealt to a grid of processes: block-cyclic with ScaLAPACK's parameters, or
// a rectangle each. What lies on the grid's ranks as a tg_dmat would is borrowed; everything else travels in panels, so
// that no rank holds a second copy of a large matrix.
#ifndef TG_MPI_ARRAY_H
#define TG_MPI_ARRAY_H

#include "mpi/matrix/dmat.h"

typedef enum tg_array_place { TG_ARRAY_EVERYWHERE, TG_ARRAY_ON_ROOT, TG_ARRAY_DEALT } tg_array_place;

// The processes of an array that is dealt; the same on all ranks but for row and col.
typedef struct tg_array_grid {
  int rows;
  int cols;
  int row; // mine, -1 where I am not in it
  int col;
  const int
      *ranks; // row + col * rows: the rank of each process, in the communicator of the tg_grid that the array meets
  int64_t row_block;
  int64_t col_block;
  int row_source; // process row of the first row
  int col_source;
  // In the place of blocks and sources: process row i has the rows from row_cuts[i] to row_cuts[i + 1].
  const int64_t *row_cuts; // NULL: dealt by blocks; of rows and columns alike
  const int64_t *col_cuts;
} tg_array_grid;

// Entry (i, j) of what lies here, the whole or the local part, is numbers[i * row_step + j * col_step].
typedef struct tg_array {
  tg_array_place place;
  int64_t rows; // of the whole
  int64_t cols;
  const double *numbers; // NULL: not given, or none lie here
  double *target;        // the same memory where it may be written; else NULL
  int64_t row_step;
  int64_t col_step;
  int root;           // ON_ROOT: the rank, in the communicator of the tg_grid
  tg_array_grid grid; // DEALT
} tg_array;

// How an array came onto the grid.
typedef enum tg_array_way {
  TG_ARRAY_UNREAD,
  TG_ARRAY_BORROWED,     // not copied: the caller's memory is read
  TG_ARRAY_COPIED,       // each rank took its part of what it holds
  TG_ARRAY_SCATTERED,    // from one rank
  TG_ARRAY_REDISTRIBUTED // from another grid or block size
} tg_array_way;

const char *tg_array_way_label(tg_array_way way);
// Whether a tg_dmat on a rows x cols grid with that block could stand over the numbers, for one rank; a matrix that is
// borrowed is borrowed by all. Local.
bool tg_array_fits(const tg_array *array, const tg_grid *grid);
// Entries of the whole or of the local part that lie on this rank; 0: none. Local.
int64_t tg_array_entries_here(const tg_array *array, int rank);
// The matrix on the grid: a view where it fits and may_borrow says so, else a copy. TG_DATA where numbers are missing
// on a rank, or one is not finite (infinities may stand in bounds): the first of them is named. Collective.
tg_status tg_array_read(const tg_grid *grid, const tg_array *array, const char *name, bool may_borrow,
                        bool may_be_infinite, tg_dmat **out, tg_array_way *way);
// The same into a matrix that is there. Numbers may be infinite or NaN. Collective.
tg_status tg_array_fill(const tg_array *array, const char *name, tg_dmat *out);
// What reading or writing such a matrix takes on a rank beside it. Local.
double tg_array_panel_bytes(int64_t rows, int64_t cols);
// The matrix into the caller's memory, by the same ways. Collective.
tg_status tg_array_write(const tg_dmat *matrix, const tg_array *array, const char *name);

#endif
