// Dense decompositions of distributed matrices: symmetric eigenvalues, QR, singular values.
//
// Thin wrappers of ScaLAPACK. Inputs are kept; scratch is allocated per call, so these are for setup, retractions
// and projections, not for inner loops. All matrices of a call share grid and block size; the vectors of values
// are full on every rank. All are collective; allocation failures are agreed on.
#ifndef TG_MPI_EIGEN_H
#define TG_MPI_EIGEN_H

#include "mpi/dmat.h"

// A = V diag(values) V', A symmetric n x n (its lower triangle is read), values ascending (n), V n x n orthogonal.
// TG_NUMERIC where the iteration does not converge or A is not finite. pdsyevd (divide and conquer).
tg_status tg_eigen_symmetric(const tg_dmat *a, double *values, tg_dmat *v);

// A = Q R, A m x n with m >= n, Q m x n with orthonormal columns, R n x n upper triangular with a nonnegative
// diagonal, which makes the decomposition of a full-rank A unique. r may be NULL. pdgeqrf, pdorgqr.
tg_status tg_eigen_qr(const tg_dmat *a, tg_dmat *q, tg_dmat *r);

// A = U diag(values) V', A m x n, k = min(m, n), U m x k, vt = V' k x n, values descending (k). TG_NUMERIC like
// tg_eigen_symmetric. pdgesvd.
tg_status tg_eigen_svd(const tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt);

#endif
