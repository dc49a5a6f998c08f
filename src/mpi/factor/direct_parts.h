// What the direct solvers share. Internal to direct*.c.
#ifndef TG_MPI_DIRECT_PARTS_H
#define TG_MPI_DIRECT_PARTS_H

#include "mpi/factor/direct.h"
#include "mpi/factor/factor.h"

typedef enum direct_kind { DIRECT_CHOLESKY, DIRECT_SPECTRAL, DIRECT_INVERSE, DIRECT_KNOWN } direct_kind;

typedef struct side {
  int64_t n;
  tg_factor *factor; // CHOLESKY, INVERSE: NULL is the identity
  tg_dmat *wide;     // CHOLESKY: K, the factor being ridge I + gain K'K, and the factorisation of ridge I + gain K K'
  tg_dmat *image;    // K z, or z K'
  double ridge;
  double gain;
  tg_dmat *basis;  // SPECTRAL: T; NULL is the identity
  double *values;  // SPECTRAL: t, n of them
  double *norms;   // SPECTRAL: of T's columns, squared, n of them
  double *factors; // SPECTRAL: what each term multiplies w(i,j) by, n of them a term
} side;

struct tg_direct {
  const tg_grid *grid;
  direct_kind kind;
  double scale;
  side sides[2];
  int n_terms;
  tg_workspace *workspace;
  tg_dmat *scratch[2]; // SPECTRAL: m x n
  tg_dmat *known;      // KNOWN: the minimiser; CHOLESKY: as made by orthogonal factors, or NULL
  double condition;    // SPECTRAL: of the Rayleigh quotients of H at the bases' vectors
  double flops;
};

// The minimisers on X'X = I (direct_orthonormal.c); matrices as tg_direct_create takes them. Collective.
tg_status tg_direct_create_eigenvectors(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const *matrices,
                                        tg_direct **out);
tg_status tg_direct_create_polar(const tg_grid *grid, tg_dmat *const *matrices, tg_direct **out);

// The matrix of a side.
static inline const tg_dmat *tg_direct_part(tg_dmat *const *matrices, int which, tg_closed_part part)
{
  return matrices[which * TG_CLOSED_PARTS + (int)part];
}

// out[j] = <column j of a, column j of b>, on every rank. Collective.
tg_status tg_direct_dot_columns(const tg_dmat *a, const tg_dmat *b, double *out);
// w(i,j). Local.
double tg_direct_eigenvalue(const tg_direct *direct, int64_t i, int64_t j);

#endif
