// opt_space on distributed matrices: points are tuples of block-cyclic matrices on one grid.
#ifndef TG_MPI_SPACE_H
#define TG_MPI_SPACE_H

#include "mpi/dmat.h"
#include "opt/space.h"

// The space of tuples of rows[k] x cols[k] matrices, k < n_blocks, with the grid's block size. The grid must
// outlive it. Collective (agrees).
tg_status tg_space_create(const tg_grid *grid, int n_blocks, const int64_t *rows, const int64_t *cols, opt_space **out);
// The points must be destroyed before. NULL is fine. Local.
void tg_space_destroy(opt_space **space);

// The matrix of block k; a point that is const gives a matrix to read only.
tg_dmat *tg_space_block(const opt_point *point, int k);
int tg_space_blocks(const opt_point *point);

// A point of one block that is the matrix, which it does not own: of a space of its own, for listings. Local.
tg_status tg_space_view(tg_dmat *matrix, opt_point **out);
// NULL is fine; the matrix stays. Local.
void tg_space_view_destroy(opt_point **view);

#endif
