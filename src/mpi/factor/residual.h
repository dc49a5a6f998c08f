// Residuals of linear systems in extended precision, for iterative refinement.
#ifndef TG_MPI_RESIDUAL_H
#define TG_MPI_RESIDUAL_H

#include "mpi/matrix/dmat.h"

// out := b - r - A x with sums in long double, which are rounded once: where that is wider than double, refinement
// gains digits that are lost in ordinary residuals (A. Bjorck, BIT 7, 1967). trans: A' in the place of A. b and r may
// be NULL, for zero, and out may be one of them. x, b, r and out are gathered on every rank: TG_LIMIT beyond
// TG_DMAT_GATHER_LIMIT entries. Collective; 2 flops an entry of A and column of x, without BLAS.
tg_status tg_residual_extended(bool trans, const tg_dmat *a, const tg_dmat *x, const tg_dmat *b, const tg_dmat *r,
                               tg_dmat *out);

#endif
