// The diagonal preconditioner: entry by entry division by the diagonal of a Hessian.
#ifndef TG_MPI_PRECONDITIONER_H
#define TG_MPI_PRECONDITIONER_H

#include "mpi/matrix/dmat.h"
#include "opt/space.h"

typedef struct tg_diagonal tg_diagonal;

// M[V] = diagonals[k] .* V_k for every block k; copies them. Entries must be positive: TG_NUMERIC names the smallest
// one. Collective (agrees).
tg_status tg_diagonal_create(const tg_grid *grid, int n_blocks, const tg_dmat *const *diagonals, tg_diagonal **out);
// NULL is fine. Local.
void tg_diagonal_destroy(tg_diagonal **preconditioner);
// z = M^-1 r, different points. The signature is a preconditioner's. Local.
tg_status tg_diagonal_apply(void *self, const opt_point *r, opt_point *z);
// z = r ./ |d|, entry by entry, with the largest |d| in the place of one that vanishes or is not finite: the same of a
// Hessian's diagonal that need not be positive. z may be r. Collective.
tg_status tg_diagonal_divide(const tg_dmat *d, const tg_dmat *r, tg_dmat *z);
// The same with lines of z that sum to zero: r ./ |d| less the multiple of 1 ./ |d| that does it, M^-1 on the
// tangents of the simplices. by_rows: the lines are rows. z is not r. Collective; allocates a number or two a line.
tg_status tg_diagonal_divide_lines(const tg_dmat *d, bool by_rows, const tg_dmat *r, tg_dmat *z);

#endif
