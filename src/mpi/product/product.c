// The dispatcher of distributed products.
#include "mpi/product/product.h"

#include <cblas.h>
#include <inttypes.h>
#include <string.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product_call.h"

static tg_status check_operands(const tg_product_call *call)
{
  const tg_dmat *a = call->a;
  const tg_dmat *b = call->b;
  const tg_dmat *c = call->c;
  const int64_t k = call->transb ? b->cols : b->rows;
  if (call->k != k || call->m != c->rows || call->n != c->cols)
    TG_FAIL(TG_INTERNAL,
            "a product of op(A) %" PRId64 " x %" PRId64 " and op(B) %" PRId64 " x %" PRId64
            " cannot be written to a %" PRId64 " x %" PRId64 " matrix",
            call->m, call->k, k, call->n, c->rows, c->cols);
  if (!tg_dmat_is_aligned(a, c) || !tg_dmat_is_aligned(b, c))
    TG_FAIL(TG_INTERNAL,
            "the operands of a product lie on different grids or in blocks of %" PRId64 ", %" PRId64 " and %" PRId64,
            a->block, b->block, c->block);
  if (c->data == a->data || c->data == b->data)
    TG_FAIL(TG_INTERNAL, "the result of a product shares memory with an operand");
  // Sizes beyond 32 bits are refused here, where all ranks judge alike, and not in the middle of a collective.
  int descriptor[TG_DESCRIPTOR_LENGTH];
  const tg_dmat *const matrices[3] = {a, b, c};
  for (int side = 0; side < 3; side++) TG_TRY(tg_dmat_descriptor(matrices[side], descriptor));
  return TG_OK;
}

// --- one rank ----------------------------------------------------------------------------------------

static tg_status product_local(const tg_product_call *call)
{
  int sizes[6];
  const int64_t wide[6] = {call->m, call->n, call->k, call->a->ld, call->b->ld, call->c->ld};
  for (int s = 0; s < 6; s++) TG_TRY(tg_abi_int(wide[s], "a size of a product", &sizes[s]));
  // The smaller C is, the less is gained (of dgemm's time on one core 0.99 for n = 32, 0.75 for 64, 0.57 for 256, 0.53
  // for 2000), but nothing is ever lost. On several ranks: product_half.c.
  if (tg_product_is_update(call)) {
    cblas_dsyrk(CblasColMajor, CblasLower, call->transa ? CblasTrans : CblasNoTrans, sizes[0], sizes[2], call->alpha,
                call->a->data, sizes[3], 0, call->c->data, sizes[5]);
    tg_dmat_mirror_lower(call->c);
    return TG_OK;
  }
  cblas_dgemm(CblasColMajor, call->transa ? CblasTrans : CblasNoTrans, call->transb ? CblasTrans : CblasNoTrans,
              sizes[0], sizes[1], sizes[2], call->alpha, call->a->data, sizes[3], call->b->data, sizes[4], call->beta,
              call->c->data, sizes[5]);
  return TG_OK;
}

// --- pdgemm ------------------------------------------------------------------------------------------

static tg_status product_scalapack(const tg_product_call *call)
{
  int desca[TG_DESCRIPTOR_LENGTH];
  int descb[TG_DESCRIPTOR_LENGTH];
  int descc[TG_DESCRIPTOR_LENGTH];
  TG_TRY(tg_dmat_descriptor(call->a, desca));
  TG_TRY(tg_dmat_descriptor(call->b, descb));
  TG_TRY(tg_dmat_descriptor(call->c, descc));
  int m = 0;
  int n = 0;
  int k = 0;
  TG_TRY(tg_abi_int(call->m, "the number of rows of a product", &m));
  TG_TRY(tg_abi_int(call->n, "the number of columns of a product", &n));
  TG_TRY(tg_abi_int(call->k, "the inner size of a product", &k));
  const int one = 1;
  pdgemm_(call->transa ? "T" : "N", call->transb ? "T" : "N", &m, &n, &k, &call->alpha, call->a->data, &one, &one,
          desca, call->b->data, &one, &one, descb, &call->beta, call->c->data, &one, &one, descc);
  return TG_OK;
}

// --- the decision ------------------------------------------------------------------------------------

static tg_status dispatch(tg_product_kind kind, const tg_product_call *call)
{
  // pdgemm is asked for by name only: it is what the others are compared with. Without overlap it reaches
  // 0.73-0.77 of the dgemm rate for NN, and for TN and NT, which it forms by transposing pieces, 0.4-0.6.
  if (kind == TG_PRODUCT_SCALAPACK) return product_scalapack(call);
  // One rank: OpenBLAS at its full speed, nothing to send.
  if (kind == TG_PRODUCT_AUTO && call->c->grid->size == 1) return product_local(call);
  // On a grid of one column (or row) the panels already leave in place what is tall (or wide): X (n x p) on
  // P x 1 meets a broadcast p x p factor, X'Y is a local product and a sum, and A X keeps A where it is.
  // On other grids they would send the large operand along the grid rows for the sake of a thin one.
  if (kind == TG_PRODUCT_AUTO && tg_product_thin_pays(call)) return tg_product_thin(call);
  if (kind == TG_PRODUCT_THIN) return tg_product_thin(call);
  return tg_product_panels(call);
}

tg_status tg_product(tg_product_kind kind, bool transa, bool transb, double alpha, const tg_dmat *a, const tg_dmat *b,
                     double beta, tg_dmat *c, tg_workspace *workspace, tg_counters *counters)
{
  tg_counters unused = {0};
  const tg_product_call call = {
      .transa = transa,
      .transb = transb,
      .m = transa ? a->cols : a->rows,
      .n = transb ? b->rows : b->cols,
      .k = transa ? a->rows : a->cols,
      .alpha = alpha,
      .beta = beta,
      .a = a,
      .b = b,
      .c = c,
      .workspace = workspace,
      .counters = counters != NULL ? counters : &unused,
  };
  TG_TRY(check_operands(&call));
  TG_TRY(dispatch(kind, &call));
  call.counters->products++;
  const double flops = 2 * (double)call.m * (double)call.n * (double)call.k;
  call.counters->flops += flops;
  *c->grid->flops += flops;
  return TG_OK;
}
