// Distributed products C = alpha op(A) op(B) + beta C.
#ifndef TG_MPI_PRODUCT_H
#define TG_MPI_PRODUCT_H

#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"
#include "mpi/product/counters.h"

typedef enum tg_product_kind {
  TG_PRODUCT_AUTO,     // the dispatcher decides
  TG_PRODUCT_PANELS,   // our broadcast-overlapped panels, also on one rank
  TG_PRODUCT_THIN,     // a large operand that stays where it is, a thin one that comes to it
  TG_PRODUCT_SCALAPACK // pdgemm: the reference
} tg_product_kind;

// C (m x n) = alpha op(A) op(B) + beta C, op(A) m x k, op(B) k x n, op = transposition where the flag is set.
// beta = 0 does not read C. C must not share memory with A or B. One grid and one block size; shapes are checked
// (TG_INTERNAL) before PBLAS sees them, which would end the process. counters may be NULL. Collective.
tg_status tg_product(tg_product_kind kind, bool transa, bool transb, double alpha, const tg_dmat *a, const tg_dmat *b,
                     double beta, tg_dmat *c, tg_workspace *workspace, tg_counters *counters);

#endif
