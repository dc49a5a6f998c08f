// The extreme eigenvalues of a small symmetric tridiagonal matrix: what a few Lanczos steps leave.
#ifndef OPT_TRIDIAGONAL_H
#define OPT_TRIDIAGONAL_H

enum { OPT_TRIDIAGONAL_MAX = 32 };

// diagonal[0..n), and off[k] between k and k + 1. 1 <= n <= OPT_TRIDIAGONAL_MAX.
typedef struct opt_tridiagonal {
  int n;
  double diagonal[OPT_TRIDIAGONAL_MAX];
  double off[OPT_TRIDIAGONAL_MAX];
} opt_tridiagonal;

// The least and the largest eigenvalue, to rounding.
void opt_tridiagonal_extremes(const opt_tridiagonal *t, double *least, double *largest);
// vector[0..n) := an eigenvector of the eigenvalue `least`, of norm 1.
void opt_tridiagonal_vector(const opt_tridiagonal *t, double least, double *vector);

#endif
