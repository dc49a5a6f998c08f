// The process grid: P x Q ranks, their BLACS context and the communicators along rows and columns.
#ifndef TG_MPI_GRID_H
#define TG_MPI_GRID_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"

typedef struct tg_grid {
  MPI_Comm comm;     // all ranks, a duplicate of the one given
  MPI_Comm row_comm; // the ranks of my grid row, ordered by grid column
  MPI_Comm col_comm; // the ranks of my grid column, ordered by grid row
  int context;       // BLACS
  int rank;          // row * cols + col: row-major
  int size;          // rows * cols
  int rows;
  int cols;
  int row; // mine
  int col;
  int64_t block; // default block size of the matrices on this grid (square blocks)
} tg_grid;

// Collective over comm. rows * cols must equal the size of comm; block >= 1.
tg_status tg_grid_create(MPI_Comm comm, int rows, int cols, int64_t block, tg_grid **out);
void tg_grid_destroy(tg_grid **grid);

// The error agreement: every rank passes its own local status; all ranks return the status of the lowest
// failing rank, with that rank's message in their error records. Collective.
tg_status tg_agree(MPI_Comm comm, tg_status local);

#endif
