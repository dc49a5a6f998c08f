// Feasible sets on distributed matrices.
#ifndef TG_MPI_CONSTRAINT_H
#define TG_MPI_CONSTRAINT_H

#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat.h"
#include "opt/constraint.h"

// The product of blocks[k], k < space->n_blocks, over a space of tg_space_create; the space must outlive it. Scratch is
// made here. TG_SHAPE: a set of square matrices for a block that is not square, TG_UNSUPPORTED: sets that do not go
// together (opt_traits_find). Collective (agrees).
tg_status tg_constraint_create(const opt_space *space, const tg_grid *grid, const opt_constraint_block *blocks,
                               opt_constraint **out);
// Whether the numbers of a block of this shape leave a set: low <= high, sums that are not negative, of rows and
// columns with equal totals. TG_DATA names the first entry that does not, in row-major order counting from 1.
// Collective.
tg_status tg_constraint_verify(const tg_grid *grid, const opt_constraint_block *block, int64_t rows, int64_t cols);
// What the set of a block of this shape keeps, and what a projection takes; with its matrix of least <g, z>, where that
// is asked for. Local.
tg_bytes tg_constraint_bytes(const tg_cost_grid *grid, opt_constraint_kind kind, int64_t rows, int64_t cols,
                             bool with_extreme);
// NULL is fine. Local.
void tg_constraint_destroy(opt_constraint **constraint);

#endif
