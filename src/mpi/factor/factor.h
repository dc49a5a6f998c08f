// Cholesky and LU factorisations, solves, inverses and determinants of distributed matrices.
#ifndef TG_MPI_FACTOR_H
#define TG_MPI_FACTOR_H

#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"

typedef enum tg_factor_kind { TG_FACTOR_NONE, TG_FACTOR_CHOLESKY, TG_FACTOR_LU } tg_factor_kind;

typedef struct tg_factor {
  tg_factor_kind kind; // of the last factorisation, NONE before and after a failure
  int64_t n;
  tg_dmat *matrix;     // the factors
  int *pivots;         // LU: local_rows + block of them
  double *diagonal;    // n, of the factors, on every rank
  bool for_logdet;     // its logarithmic determinant will be asked for: set by the owner
  int64_t zero_column; // LU: first column with a zero pivot, counted from 1; 0: none
} tg_factor;

// out[0..n) = the diagonal of the square matrix, on every rank. Collective.
tg_status tg_factor_gather_diagonal(const tg_dmat *matrix, double *out);

// Room for the factors of an n x n matrix. Collective (agrees).
tg_status tg_factor_create(const tg_grid *grid, int64_t n, tg_factor **out);
void tg_factor_destroy(tg_factor **factor);
// Memory of one on this rank.
int64_t tg_factor_bytes(const tg_factor *factor);

// A = L L'; reads the lower triangle of the symmetric A, which is kept. TG_NUMERIC names the column where A stops
// being positive definite. Collective; pdpotrf.
tg_status tg_factor_cholesky(tg_factor *factor, const tg_dmat *a);
// A = L L' by an L that is known already, lower triangular: a copy is taken. Collective.
tg_status tg_factor_adopt_cholesky(tg_factor *factor, const tg_dmat *lower);
// A = P L U with partial pivoting; A is kept. A singular A is no failure here: its det is 0, but solve, inverse and
// logdet give TG_NUMERIC with the column. Collective; pdgetrf.
tg_status tg_factor_lu(tg_factor *factor, const tg_dmat *a);

// For log det A, which is defined for symmetric positive definite A: Cholesky of (A + A')/2. TG_NUMERIC where that is
// not definite, though det A may be positive, and where A differs from it by more than rounding. A is kept. Collective.
tg_status tg_factor_for_logdet(tg_factor *factor, const tg_dmat *a, tg_workspace *workspace);

// The smallest pivot of A = L L' over the largest: at least the smallest eigenvalue of A over n times the largest one.
// Local.
double tg_factor_pivot_ratio(const tg_factor *factor);

// X = op(A)^-1 B, or X = B op(A)^-1 from the right, op = transposition if trans. X may be B. Collective.
tg_status tg_factor_solve(const tg_factor *factor, bool trans, bool right, const tg_dmat *b, tg_dmat *x,
                          tg_workspace *workspace);
// X = A^-1, transposed if trans. Collective.
tg_status tg_factor_inverse(const tg_factor *factor, bool trans, tg_dmat *x, tg_workspace *workspace);
// log det A; TG_NUMERIC when det A <= 0. The same bits on all ranks and layouts of the same factors. Local.
tg_status tg_factor_logdet(const tg_factor *factor, double *out);
// det A; TG_NUMERIC where it overflows or underflows: the message recommends logdet. Local.
tg_status tg_factor_det(const tg_factor *factor, double *out);

#endif
