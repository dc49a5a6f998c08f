// Linear systems of a quadratic's Hessian solved directly, on distributed matrices.
//
// H[V] = sum_k c_k L_k V R_k with symmetric factors, V m x n. Either one term, L and R positive definite, by two
// Cholesky factorisations; or any number, with T' L_k T and U' R_k U diagonal for one T and one U, by symmetric
// eigenproblems.
#ifndef TG_MPI_DIRECT_H
#define TG_MPI_DIRECT_H

#include "mpi/factor/least_squares.h"
#include "mpi/matrix/dmat.h"
#include "opt/space.h"

enum { TG_DIRECT_POWERS = 5 };

typedef struct tg_direct tg_direct;

// One side. `spectral`: T' metric T = I, T' base T = diag(t). `cholesky`: base is the factor, or with `wide` = K the
// factor is ridge I + gain K'K and base is ridge I + gain K K'; ridge = 0 asks for the pseudo-inverse. NULL is the
// identity. All are read while a tg_direct is created only.
typedef struct tg_direct_side {
  const tg_dmat *metric;
  const tg_dmat *base;
  const tg_dmat *wide;
  double ridge;
  double gain;
} tg_direct_side;

// H's eigenvalues are w(i,j) = sum_k left_k(s_i) right_k(t_j), polynomials in the eigenvalues of the sides.
typedef struct tg_direct_term {
  double left[TG_DIRECT_POWERS];
  double right[TG_DIRECT_POWERS];
} tg_direct_term;

// A term c L V R that the bases do not diagonalise: only its diagonal in them counts. NULL is the identity.
typedef struct tg_direct_extra {
  double coef;
  const tg_dmat *left;
  const tg_dmat *right;
} tg_direct_extra;

// H[V] = scale L V R. TG_NUMERIC names the side that is not positive definite. Collective; 1/3 m^3 + 1/3 n^3 flops, of
// a wide side with r rows in K r^3 / 3.
tg_status tg_direct_create_cholesky(const tg_grid *grid, int64_t rows, int64_t cols, double scale,
                                    const tg_direct_side sides[2], tg_direct **out);
// H by its sides and terms; with extras an approximation of H, for preconditioning. TG_NUMERIC when a metric is not
// positive definite, or when H is not: singular or indefinite, with its extreme eigenvalues. Collective; a symmetric
// eigenproblem for each base and each metric, a product for each factor of an extra.
tg_status tg_direct_create_spectral(const tg_grid *grid, int64_t rows, int64_t cols, const tg_direct_side sides[2],
                                    int n_terms, const tg_direct_term *terms, int n_extras,
                                    const tg_direct_extra *extras, tg_direct **out);
// The stationary point X = scale S^-1 of tr(S X) - scale logdet(X), S positive definite (TG_NUMERIC). Collective.
tg_status tg_direct_create_inverse(const tg_grid *grid, int64_t n, double scale, const tg_dmat *s, tg_direct **out);
// The minimiser of scale tr(X'AXN) over X'X = I, X rows x cols: A symmetric rows x rows, N = weights symmetric
// cols x cols, NULL the identity. TG_NUMERIC where an eigenvalue iteration does not converge. Collective; the extreme
// eigenvectors of A that are needed (direct_orthonormal.c).
tg_status tg_direct_create_eigenvectors(const tg_grid *grid, int64_t rows, int64_t cols, double scale, const tg_dmat *a,
                                        const tg_dmat *weights, tg_direct **out);
// The minimiser -U V' of <C, X> over X'X = I, C = U diag(s) V' with at least as many rows as columns; one of many
// where C has not full rank. Collective; a singular value decomposition.
tg_status tg_direct_create_polar(const tg_grid *grid, const tg_dmat *c, tg_direct **out);
// A minimiser that is known already, at the cost of so many flops; takes x over, also on failure. Collective (agrees).
tg_status tg_direct_create_known(const tg_grid *grid, tg_dmat *x, double flops, tg_direct **out);
// The minimiser of least norm of a least-squares problem (least_squares.h), and what refines it: for X rows x cols with
// the factors on the left, or, on_right, with the problem of X', whose parts these are. Collective.
tg_status tg_direct_create_least_squares(const tg_grid *grid, int64_t rows, int64_t cols, bool on_right, int n_parts,
                                         const tg_least_squares_part *parts, tg_least_squares_facts *facts,
                                         tg_direct **out);
// NULL is fine. Local.
void tg_direct_destroy(tg_direct **direct);

// z = H^-1 r; for all but `cholesky` and `spectral` z = the minimiser. self is the tg_direct: the signature is a
// preconditioner's. r and z are different points of one block. Collective.
tg_status tg_direct_apply(void *self, const opt_point *r, opt_point *z);
// out = x - H^-1 g, or the minimiser: the signature is a closed form's. Collective.
tg_status tg_direct_solve(void *self, const opt_point *x, const opt_point *g, opt_point *out);

// Largest over smallest eigenvalue of H where the spectrum is known, else 0. From below where a side has a metric,
// whose basis is not orthogonal.
double tg_direct_condition(const tg_direct *direct);
// The same of `cholesky`, from below: a few steps of power iteration on its factors and on their inverses, by the
// matrices that it was made of. Collective; products with vectors only.
tg_status tg_direct_estimate_condition(tg_direct *direct, const tg_dmat *left, const tg_dmat *right, double *out);
// The condition of the factor of one side of `cholesky`, scaled to a diagonal of ones: what no choice of units makes
// worse. From above but for the accuracy of a few steps of inverse iteration. `matrix` is the factor. 1 without one.
// Collective; solves with vectors only.
tg_status tg_direct_scaled_condition(tg_direct *direct, int side, const tg_dmat *matrix, double *out);
// Of `inverse`: tg_factor_pivot_ratio of S. Local.
double tg_direct_pivot_ratio(const tg_direct *direct);
// The mean over the eigenvalues w(i,j) of `spectral` of the share that some of its terms have in them: bit k of `terms`
// is term k, the extras counted after the terms. Collective.
tg_status tg_direct_share(const tg_direct *direct, unsigned terms, double *out);
// Floating point operations so far, all ranks together, with 9 n^3 for an eigenproblem, and the same in units of one
// product of the larger side, rounded up.
double tg_direct_flops(const tg_direct *direct);
int64_t tg_direct_products(const tg_direct *direct);

#endif
