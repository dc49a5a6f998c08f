// Linear least squares by orthogonal factors: sum_k w_k |K_k X - B_k|^2 without forming K'K, whose condition is the
// square.
#ifndef TG_MPI_LEAST_SQUARES_H
#define TG_MPI_LEAST_SQUARES_H

#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat.h"

// A block of rows: its weight w > 0, its factor K (m x n), and L = -w B (m x p), the part K'L of the gradient at X = 0.
// L NULL is zero.
typedef struct tg_least_squares_part {
  double weight;
  const tg_dmat *factor;
  const tg_dmat *linear;
} tg_least_squares_part;

typedef struct tg_least_squares_facts {
  int64_t rank;     // the number of unknowns of a column, or less
  double condition; // of the stacked factors with their columns scaled to norm 1, estimated
  bool has_lower;   // the rank is full and the rows suffice
  double flops;
} tg_least_squares_facts;

// X (n x p) := the minimiser, of least norm where there are several. The columns of the stacked factor S are scaled to
// norm 1 before S = Q R, so that neither the result nor its rank depends on the units of the unknowns (A. van der
// Sluis, Numer. Math. 14, 1969); singular values of R below max(rows, n) epsilon of the largest count as zero. X and
// the residual are refined together, by residuals in extended precision where they are small (A. Bjorck, BIT 7, 1967).
// Fewer rows than unknowns are solved by S' = Q R.
//
// Where the rank is full and the rows suffice, lower (n x n) becomes the Cholesky factor of S'S, else it is undefined.
// Collective; 4 m n^2 flops for Q and R, pdgeqrf, pdorgqr, pdtrsm; pdgesvd of R where the rank is not full.
tg_status tg_least_squares_solve(const tg_grid *grid, int n_parts, const tg_least_squares_part *parts, tg_dmat *x,
                                 tg_dmat *lower, tg_least_squares_facts *out);
// What that takes beside its arguments, the parts' factors with so many rows in all, X unknowns x columns: the stacked
// rows and Q, R with what a deficient rank takes, right-hand sides, residuals, corrections. Local.
double tg_least_squares_bytes(const tg_cost_grid *grid, int64_t rows, int64_t unknowns, int64_t columns);

#endif
