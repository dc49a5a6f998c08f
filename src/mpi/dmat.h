// Block-cyclic dense matrix, compatible with a ScaLAPACK descriptor.
//
// Entry (i, j) of the global matrix lives on the process of grid row (i / block) mod P and grid column
// (j / block) mod Q, first block on process (0, 0). The local part is column-major with leading dimension ld.
#ifndef TG_MPI_DMAT_H
#define TG_MPI_DMAT_H

#include "mpi/grid.h"

typedef struct tg_dmat {
  const tg_grid *grid; // not owned
  int64_t rows;        // global
  int64_t cols;
  int64_t block;
  int64_t local_rows; // mine; may be 0
  int64_t local_cols;
  int64_t ld;         // >= max(1, local_rows)
  double *data;       // local_rows x local_cols, column-major, 64-byte aligned
  bool owns_data;
} tg_dmat;

// Zeroed matrix with the grid's block size. Local (no communication); agree before the next collective call.
tg_status tg_dmat_create(const tg_grid *grid, int64_t rows, int64_t cols, tg_dmat **out);
void tg_dmat_destroy(tg_dmat **matrix);

// Number of rows (or columns) of n that process `p` of `np` owns, block-cyclic from process 0.
int64_t tg_dmat_local_count(int64_t n, int64_t block, int p, int np);
// Global index of local index `local` on process `p` of `np`.
int64_t tg_dmat_global_index(int64_t local, int64_t block, int p, int np);
// Owner process and local index of global index `global`.
int tg_dmat_owner(int64_t global, int64_t block, int np);
int64_t tg_dmat_local_index(int64_t global, int64_t block, int np);

#endif
