// Triangular roots of symmetric positive definite matrices.
#ifndef TG_MPI_ROOT_H
#define TG_MPI_ROOT_H

#include "mpi/matrix/dmat.h"

// S = R'R with R = L' upper triangular (Cholesky), and its inverse, upper triangular as well: inverse' S inverse = I.
// Reads the lower triangle of S. TG_NUMERIC where S is not positive definite. Collective; 1/3 n^3 + n^3 flops; pdpotrf,
// pdtrsm. Nothing is left after a failure.
tg_status tg_root_create(const tg_dmat *s, tg_dmat **root, tg_dmat **inverse);

#endif
