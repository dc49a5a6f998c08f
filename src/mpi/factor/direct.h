// Closed forms and preconditioners (grad/plan/closed.h) in numbers: linear systems of a quadratic's Hessian solved
// directly, on distributed matrices, and minimisers that are made at once.
#ifndef TG_MPI_DIRECT_H
#define TG_MPI_DIRECT_H

#include "grad/plan/closed.h"
#include "grad/plan/cost_terms.h"
#include "mpi/factor/least_squares.h"
#include "mpi/matrix/dmat.h"
#include "opt/space.h"

typedef struct tg_direct tg_direct;

// What the plan says, made of its matrices: TG_CLOSED_PARTS of each side, then L and R of each extra, NULL the
// identity. They are read while this is created only. Collective. TG_NUMERIC says why the numbers do not allow it,
// with:
//   CHOLESKY      the side that is not positive definite, or the coefficient; 1/3 m^3 + 1/3 n^3 flops, of a wide side
//                 with r rows in K r^3 / 3
//   SPECTRAL      a metric that is not positive definite, or H with its extreme eigenvalues where it is singular or
//                 indefinite; a symmetric eigenproblem for each base and each metric, a product for each factor of an
//                 extra. With extras H is an approximation, for preconditioning
//   INVERSE       S that is not positive definite
//   EIGENVECTORS  an eigenvalue iteration that does not converge; of A the extreme eigenvectors that are needed
//                 (direct_orthonormal.c)
//   POLAR         numbers that are not finite; a singular value decomposition. Where C has not full rank, one of many
//                 minimisers
tg_status tg_direct_create(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const *matrices, tg_direct **out);
// What that keeps, and what it takes beside while it is made; the matrices given not counted. Local.
tg_bytes tg_direct_bytes(const tg_cost_grid *grid, const tg_closed_plan *plan);
// A minimiser that is known already, at the cost of so many flops; takes x over, also on failure. Collective (agrees).
tg_status tg_direct_create_known(const tg_grid *grid, tg_dmat *x, double flops, tg_direct **out);
// The minimiser of least norm of a least-squares problem (least_squares.h), and what refines it: for X rows x cols with
// the factors on the left, or, on_right, with the problem of X', whose parts these are. Collective.
tg_status tg_direct_create_least_squares(const tg_grid *grid, int64_t rows, int64_t cols, bool on_right, int n_parts,
                                         const tg_least_squares_part *parts, tg_least_squares_facts *facts,
                                         tg_direct **out);
// NULL is fine. Local.
void tg_direct_destroy(tg_direct **direct);

// SPECTRAL in bases that are known: T and t of each side (of a form of the same sides), NULL where a side has no base.
// The bases are held; of the matrices those of the extras are read, which may be NULL where there are none. No
// factorisation. Collective.
tg_status tg_direct_create_in_bases(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const bases[2],
                                    const double *const values[2], tg_dmat *const *matrices, tg_direct **out);
// The basis T of a side and its t, side.n of them; NULL: it has none. Not owned.
tg_dmat *tg_direct_basis(const tg_direct *direct, int which, const double **values);

// z = H^-1 r; for all but CHOLESKY and SPECTRAL z = the minimiser. self is the tg_direct: the signature is a
// preconditioner's. r and z are different points of one block. Collective.
tg_status tg_direct_apply(void *self, const opt_point *r, opt_point *z);
// out = x - H^-1 g, or the minimiser: the signature is a closed form's. Collective.
tg_status tg_direct_solve(void *self, const opt_point *x, const opt_point *g, opt_point *out);

// diagonal := that of H^-1, entry by entry, and log det H, by the factors; x is the minimiser. INVERSE: of H among
// symmetric matrices. Without extras. *is_known is false where there is no inverse: a minimiser of least norm.
// Collective.
tg_status tg_direct_invert(tg_direct *direct, const tg_dmat *x, tg_dmat *diagonal, double *logdet, bool *is_known);

// Largest over smallest eigenvalue of H where the spectrum is known, else 0. From below where a side has a metric,
// whose basis is not orthogonal.
double tg_direct_condition(const tg_direct *direct);
// The same of CHOLESKY, from below: a few steps of power iteration on its factors and on their inverses, by the
// matrices that it was made of. Collective; products with vectors only.
tg_status tg_direct_estimate_condition(tg_direct *direct, const tg_dmat *left, const tg_dmat *right, double *out);
// The condition of the factor of one side of CHOLESKY, scaled to a diagonal of ones: what no choice of units makes
// worse. From above but for the accuracy of a few steps of inverse iteration. `matrix` is the factor. 1 without one.
// Collective; solves with vectors only.
tg_status tg_direct_scaled_condition(tg_direct *direct, int side, const tg_dmat *matrix, double *out);
// The tg_factor_pivot_ratio of S, for INVERSE. Local.
double tg_direct_pivot_ratio(const tg_direct *direct);
// The mean over the eigenvalues w(i,j) of SPECTRAL of the share that some of its terms have in them: bit k of `terms`
// is term k, the extras counted after the terms. Collective.
tg_status tg_direct_share(const tg_direct *direct, unsigned terms, double *out);
// Floating point operations so far, all ranks together, with 9 n^3 for an eigenproblem, and the same in units of one
// product of the larger side, rounded up.
double tg_direct_flops(const tg_direct *direct);
int64_t tg_direct_products(const tg_direct *direct);

#endif
