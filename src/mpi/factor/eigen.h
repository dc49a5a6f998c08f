// Dense decompositions of distributed matrices: symmetric eigenvalues, QR, singular values.
//
// Thin wrappers of ScaLAPACK. Inputs are kept; scratch is allocated per call, so these are for setup, retractions
// and projections, not for inner loops. All matrices of a call share grid and block size; the vectors of values
// are full on every rank. All are collective; allocation failures are agreed on.
#ifndef TG_MPI_EIGEN_H
#define TG_MPI_EIGEN_H

#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat.h"

// A = V diag(values) V', A symmetric n x n (its lower triangle is read), values ascending (n), V n x n orthogonal.
// TG_NUMERIC where the iteration does not converge or A is not finite. pdsyevd (divide and conquer).
tg_status tg_eigen_symmetric(const tg_dmat *a, double *values, tg_dmat *v);
// What that takes beside A and V: a copy, which is destroyed, and the work space. Local.
double tg_eigen_symmetric_bytes(const tg_cost_grid *grid, int64_t n);

// The n_low smallest and the n_high largest eigenvalues of A with their vectors: values ascending (n_low + n_high), the
// columns of v, n x (n_low + n_high), orthonormal; n_low + n_high <= n. Reads the lower triangle. Few of many are found
// from the tridiagonal form (4/3 n^3 flops) by MRRR (I. Dhillon, B. Parlett, Linear Algebra Appl. 387, 2004) on one
// rank, where tg_closed_takes_few says so; more by tg_eigen_symmetric. TG_NUMERIC like it.
// pdsytrd, dstemr, pdormtr. *flops may be NULL.
tg_status tg_eigen_extremes(const tg_dmat *a, int64_t n_low, int64_t n_high, double *values, tg_dmat *v, double *flops);

// A = Q R, A m x n with m >= n, Q m x n with orthonormal columns, R n x n upper triangular with a nonnegative
// diagonal, which makes the decomposition of a full-rank A unique. r may be NULL. pdgeqrf, pdorgqr.
tg_status tg_eigen_qr(const tg_dmat *a, tg_dmat *q, tg_dmat *r);
// The work space of that, m x n; work space and copy of a singular value decomposition, n x n. Local.
double tg_eigen_qr_bytes(const tg_cost_grid *grid, int64_t m, int64_t n);
double tg_eigen_svd_bytes(const tg_cost_grid *grid, int64_t n);

// A = U diag(values) V', A m x n, k = min(m, n), U m x k, vt = V' k x n, values descending (k). TG_NUMERIC like
// tg_eigen_symmetric. pdgesvd.
tg_status tg_eigen_svd(const tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt);

#endif
