// Entries of a distributed matrix that are not what they should be.
#ifndef TG_MPI_DMAT_FIND_H
#define TG_MPI_DMAT_FIND_H

#include "mpi/matrix/dmat.h"

typedef struct tg_found {
  int64_t place; // row * columns + column, INT64_MAX: none
  double values[2];
} tg_found;

// Keeps the first in row-major order: entry (i, j) of m's local part. Local.
void tg_found_note(const tg_dmat *m, int64_t i, int64_t j, double a, double b, tg_found *first);
// The first over all ranks, on all ranks. Collective.
tg_status tg_found_share(const tg_grid *grid, tg_found *first);
// The first entry that is negative, or NaN. Collective.
tg_status tg_dmat_find_negative(const tg_dmat *m, tg_found *first);

#endif
