// Functions of small square matrices and singular values for samples: an oracle, in plain loops, column-major.
#ifndef TG_GRAD_SAMPLE_DENSE_H
#define TG_GRAD_SAMPLE_DENSE_H

#include <stdint.h>

#include "base/status.h"

typedef enum tg_dense_function { TG_DENSE_SQRT, TG_DENSE_EXP, TG_DENSE_LOG } tg_dense_function;

// a := f(a), n x n, not only of symmetric matrices: as power series define it. NaN where the iteration does not
// converge: the matrix is outside the domain.
tg_status tg_dense_apply(tg_dense_function f, int64_t n, double *a);
// A = Q diag(values) Q' of a symmetric matrix, which is overwritten; values ascending. By Jacobi's rotations.
void tg_dense_eigen(int64_t n, double *a, double *q, double *values);
// A = U diag(values) V', m x n, k = min(m, n): u m x k, values descending, v n x k. Columns of u where the value is
// zero are zero. By one-sided Jacobi rotations.
tg_status tg_dense_svd(int64_t m, int64_t n, const double *a, double *u, double *values, double *v);

#endif
