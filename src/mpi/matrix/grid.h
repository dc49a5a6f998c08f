// The process grid: P x Q ranks, their BLACS context and the communicators along rows and columns.
#ifndef TG_MPI_GRID_H
#define TG_MPI_GRID_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"

enum { TG_GRID_BATCH = 256 }; // sums that one collective call adds

typedef struct tg_grid {
  MPI_Comm comm;     // all ranks, a duplicate of the one given
  MPI_Comm row_comm; // the ranks of my grid row, ordered by grid column
  MPI_Comm col_comm; // the ranks of my grid column, ordered by grid row
  int context;       // BLACS
  int system_handle; // BLACS' name of comm
  int rank;          // row * cols + col: row-major
  int size;          // rows * cols
  int rows;
  int cols;
  int row; // mine
  int col;
  int64_t block;   // default block size of the matrices on this grid (square blocks)
  double *scratch; // of tg_reduce_sum: TG_GRID_BATCH numbers of each rank
  double *flops;   // of the products, factorisations and decompositions so far, counted whole on every rank
} tg_grid;

// What tg_grid_choose found, and why, in one line for the report.
typedef struct tg_grid_choice {
  int rows;
  int cols;
  int64_t block;
  char reason[200];
} tg_grid_choice;

// The P x Q factorisation of `ranks` with the least local perimeter rows/P + cols/Q, which is what a product
// C = A B with a rows x cols C sends per rank; P <= Q among equals. The block size is the one near 256 that
// spreads rows x cols most evenly. rows, cols: of the largest variable or operand. Local, deterministic.
tg_status tg_grid_choose(int ranks, int64_t rows, int64_t cols, tg_grid_choice *out);

// Collective over comm. rows * cols must equal the size of comm (TG_VALUE); block >= 1 (TG_VALUE).
tg_status tg_grid_create(MPI_Comm comm, int rows, int cols, int64_t block, tg_grid **out);
// Collective: communicators are freed.
void tg_grid_destroy(tg_grid **grid);

// The error agreement: every rank passes its own local status; all ranks return the status of the lowest
// failing rank, with that rank's message in their error records. Collective.
tg_status tg_agree(MPI_Comm comm, tg_status local);
// The same after an allocation for this function alone, of which `pointer` is the address: where another rank has
// failed it is freed here, and NULL.
tg_status tg_agree_memory(MPI_Comm comm, tg_status local, void *pointer);

// Passes on a failure of an MPI call, by the library's own words. The default error handler ends the job
// before this is reached; a caller who installed MPI_ERRORS_RETURN gets a status.
tg_status tg_mpi_check(int code, tg_place place);
#define TG_TRY_MPI(call) TG_TRY(tg_mpi_check((call), TG_HERE))

#endif
