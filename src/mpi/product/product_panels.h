// What the algorithms by panels share: panels, pieces, the state of a running product. Private to product*.c.
#ifndef TG_MPI_PRODUCT_PANELS_H
#define TG_MPI_PRODUCT_PANELS_H

#include "mpi/product/product_call.h"

// The panels of an index range of length n.
typedef struct panel_order {
  int64_t n;
  int64_t block;
  int64_t width;
  int classes; // lcm(P, Q)
} panel_order;

// Indices first .. last of class `class`.
typedef struct panel {
  int class;
  int64_t first;
  int64_t last;
} panel;

static inline int64_t panel_length(const panel *p)
{
  return p->last - p->first;
}

// Consecutive indices of a panel, and where they lie in the owner's local part.
typedef struct stretch {
  int64_t at; // in the panel
  int64_t length;
  int64_t local;
} stretch;

// A piece of a matrix as BLAS sees it.
typedef struct piece {
  double *data;
  int64_t ld;
} piece;

// What one product needs while it runs.
enum { REQUESTS = 4 };

typedef struct panels_run {
  const tg_product_call *call;
  const tg_grid *grid;
  panel_order order;
  MPI_Request requests[REQUESTS];
  double *buffers[3][2]; // panels of A, of B, partial results: two each
} panels_run;

// Which operand of a local product is transposed.
typedef enum local_form { LOCAL_NN, LOCAL_TN, LOCAL_NT } local_form;

// The two forms differ in who moves and who sums; everything else is shared.
typedef struct moving_form {
  bool rows_of_c;     // TN: panels are rows of C
  MPI_Comm send_comm; // along which the moving operand is broadcast
  int send_size;
  int send_me;
  MPI_Comm sum_comm; // along which the partial products are summed
  int sum_size;
  int sum_me;
} moving_form;

// c (m x n) = alpha op(a) op(b) + beta c, in chunks of columns between which messages are progressed.
tg_status tg_panels_multiply(panels_run *run, local_form form, int64_t m, int64_t n, int64_t k, double alpha, piece a,
                             piece b, double beta, piece c);

// ---- symmetric results (product_half.c) ----

// Whether half of C is computed and the other half copied from it. Global sizes only: all ranks judge alike.
bool tg_product_is_half(const tg_product_call *call);
// The blocks of half of C that a panel of its rows (TN) or columns (NT) meets on this rank; the rest of `to` is zero.
// `moved` is the panel that has arrived, `to` C's rows (or columns) of the panel by its local columns (or rows).
tg_status tg_half_multiply(panels_run *run, const moving_form *form, const panel *p, piece moved, piece to);
// The other half of C, when all panels are done. Collective.
tg_status tg_half_mirror(const tg_product_call *call);

#endif
