// One product as the algorithms see it: checked operands and the three sizes. Private to product*.c.
#ifndef TG_MPI_PRODUCT_CALL_H
#define TG_MPI_PRODUCT_CALL_H

#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"
#include "mpi/product/counters.h"

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
  bool is_half; // C is symmetric: half of it is computed, the other copied (product_half.c)
  tg_workspace *workspace;
  tg_counters *counters;
} tg_product_call;

// A' A or A A' into a new C, which is symmetric: half of the flops make it.
static inline bool tg_product_is_update(const tg_product_call *call)
{
  return call->a->data == call->b->data && call->transa != call->transb && call->beta == 0;
}

// By panels, on any grid (product_panels.c). Collective.
tg_status tg_product_panels(const tg_product_call *call);
// A large operand that stays, a thin one that comes to it (product_thin.c). Collective.
tg_status tg_product_thin(const tg_product_call *call);
// Whether that sends clearly less than panels would. Global sizes only: all ranks judge alike.
bool tg_product_thin_pays(const tg_product_call *call);

#endif
