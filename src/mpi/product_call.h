// One product as the algorithms see it: checked operands and the three sizes. Private to product*.c.
#ifndef TG_MPI_PRODUCT_CALL_H
#define TG_MPI_PRODUCT_CALL_H

#include "mpi/product.h"

// C (m x n) = alpha op(A) (m x k) op(B) (k x n) + beta C.
typedef struct tg_product_call {
  bool transa;
  bool transb;
  int64_t m;
  int64_t n;
  int64_t k;
  double alpha;
  double beta;
  const tg_dmat *a;
  const tg_dmat *b;
  tg_dmat *c;
  tg_workspace *workspace;
  tg_counters *counters;
} tg_product_call;

// By panels, on any grid (product_panels.c). Collective.
tg_status tg_product_panels(const tg_product_call *call);

#endif
