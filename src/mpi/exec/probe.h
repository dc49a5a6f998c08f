// A product tested by a random vector, in O(n^2).
#ifndef TG_MPI_PROBE_H
#define TG_MPI_PROBE_H

#include "mpi/matrix/dmat.h"

// C = alpha op(A) op(B) + beta C0, op(A) m x k, op(B) k x n: C v is compared with alpha op(A) (op(B) v) + beta C0 v for
// a random v, row by row against the largest rounding error that they can have. A wrong product passes with probability
// zero (R. Freivalds, Probabilistic machines can use less running time, 1977). The vectors are on every rank:
// 16 (2 m + k + n) bytes.
typedef struct tg_probe {
  int64_t m;
  int64_t n;
  int64_t k;
  double *v;        // and |v|
  double *image;    // op(B) v and |op(B)| |v|
  double *expected; // alpha op(A) op(B) v + beta C0 v, and the same of absolute values
  double *found;    // C v, and scratch
} tg_probe;

// Before the product, which may overwrite C0. The signature is tg_product's. Collective.
tg_status tg_probe_start(bool transa, bool transb, double alpha, const tg_dmat *a, const tg_dmat *b, double beta,
                         const tg_dmat *c, tg_probe *out);
// After it: max over the rows of |C v - expected| / ((k + n) eps |A||B||v|), about 1 at the very most for a right
// product, infinite where C is not finite though it should be; 0 where the operands themselves are not finite.
// Collective.
tg_status tg_probe_finish(const tg_probe *probe, const tg_dmat *c, double *residual);
// Local.
void tg_probe_fini(tg_probe *probe);

#endif
