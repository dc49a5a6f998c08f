// opt_space on distributed matrices: points are tuples of block-cyclic matrices on one grid.
#ifndef TG_MPI_SPACE_H
#define TG_MPI_SPACE_H

#include "mpi/matrix/dmat.h"
#include "opt/space.h"

// The space of tuples of rows[k] x cols[k] matrices, k < n_blocks, with the grid's block size. The grid must
// outlive it. Collective (agrees).
tg_status tg_space_create(const tg_grid *grid, int n_blocks, const int64_t *rows, const int64_t *cols, opt_space **out);
// The points must be destroyed before. NULL is fine. Local.
void tg_space_destroy(opt_space **space);

// Tells groups of entries apart, of which an objective is a sum of functions: those of one column of every block, of
// one row where by_rows says so. These sides have `count` lines each; beyond TG_GROUPS_MAX, neighbours share a group.
// Before any solver sees the space. Collective (agrees).
enum { TG_GROUPS_MAX = 256 };
tg_status tg_space_set_groups(opt_space *space, int64_t count, const bool *by_rows);

// The blocks with is_symmetric[k] are those of symmetric matrices, a space of its own: `random` draws from it, and what
// makes directions and gradients takes their symmetric parts by tg_space_symmetrise. Before any solver sees the space.
// Collective (agrees).
tg_status tg_space_set_symmetric(opt_space *space, const bool *is_symmetric);
// (A + A')/2 in the place of each such block, equal to its transpose bit by bit. Collective where there is one.
tg_status tg_space_symmetrise(const opt_space *space, opt_point *point);
// Largest |a_ij - a_ji| / 2 of block k over its largest |a_ij|. Collective.
tg_status tg_space_skewness(const opt_space *space, const opt_point *point, int k, double *out);

// The matrix of block k; a point that is const gives a matrix to read only.
tg_dmat *tg_space_block(const opt_point *point, int k);
int tg_space_blocks(const opt_point *point);

// A point of one block that is the matrix, which it does not own: of a space of its own, for listings. Local.
tg_status tg_space_view(tg_dmat *matrix, opt_point **out);
// The same of n blocks.
tg_status tg_space_view_all(int n, tg_dmat *const *matrices, opt_point **out);
// NULL is fine; the matrix stays. Local.
void tg_space_view_destroy(opt_point **view);

#endif
