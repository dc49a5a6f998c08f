// Dense decompositions by ScaLAPACK: descriptors, work space, refusals.
#include "mpi/factor/eigen.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "mpi/factor/eigen_parts.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"

static const int one = 1;

// --- common ------------------------------------------------------------------------------------------

tg_status tg_eigen_check_shape(const tg_dmat *m, int64_t rows, int64_t cols, const tg_dmat *a, const char *name)
{
  if (m->rows != rows || m->cols != cols || !tg_dmat_is_aligned(m, a))
    TG_FAIL(TG_INTERNAL,
            "%s of a %" PRId64 " x %" PRId64 " matrix is %" PRId64 " x %" PRId64 " in its blocks, found %" PRId64
            " x %" PRId64,
            name, a->rows, a->cols, rows, cols, m->rows, m->cols);
  return TG_OK;
}

tg_status tg_eigen_check_finite(const tg_dmat *a)
{
  int is_bad = 0;
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) is_bad |= !isfinite(a->data[i + j * a->ld]);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &is_bad, 1, MPI_INT, MPI_MAX, a->grid->comm));
  if (is_bad)
    TG_FAIL(TG_NUMERIC, "a %" PRId64 " x %" PRId64 " matrix to decompose holds entries that are not finite", a->rows,
            a->cols);
  return TG_OK;
}

tg_status tg_eigen_copy_of(const tg_dmat *a, tg_dmat **out)
{
  TG_TRY(tg_agree(a->grid->comm, tg_dmat_create_block(a->grid, a->rows, a->cols, a->block, out)));
  return tg_dmat_copy(a, *out);
}

tg_status tg_eigen_create_work(const tg_grid *grid, double asked, double **work, int *length)
{
  const tg_status status = tg_abi_int((int64_t)asked, "the work space of a decomposition", length);
  return tg_agree(grid->comm, status != TG_OK ? status : tg_alloc_numbers(*length, work));
}

tg_status tg_eigen_agree_on_info(const tg_grid *grid, int info, const char *routine)
{
  int found[2] = {info, -info};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, found, 2, MPI_INT, MPI_MAX, grid->comm));
  if (found[1] > 0) TG_FAIL(TG_INTERNAL, "%s refuses its argument %d", routine, found[1]);
  if (found[0] > 0) TG_FAIL(TG_NUMERIC, "%s does not converge (info %d)", routine, found[0]);
  return TG_OK;
}

// --- symmetric eigenvalues ---------------------------------------------------------------------------

static tg_status call_syevd(tg_dmat *a, double *values, tg_dmat *v, double *work, int lwork, int *iwork, int liwork)
{
  int desc[TG_DESCRIPTOR_LENGTH];
  int info = 0;
  TG_TRY(tg_dmat_descriptor(v, desc));
  pdsyevd_("V", "L", &desc[2], a->data, &one, &one, desc, values, v->data, &one, &one, desc, work, &lwork, iwork,
           &liwork, &info, 1, 1);
  return tg_eigen_agree_on_info(v->grid, info, "pdsyevd");
}

tg_status tg_syevd_prepare(tg_syevd *s, tg_dmat *a, double *values, tg_dmat *v)
{
  double lwork = 0;
  int liwork = 0;
  *s = (tg_syevd){0};
  TG_TRY(call_syevd(a, values, v, &lwork, -1, &liwork, 1));
  const double least = tg_cost_syevd_work(a->rows, a->block, a->local_rows, a->local_cols);
  TG_TRY(tg_eigen_create_work(v->grid, lwork > least ? lwork : least, &s->work, &s->lwork));
  s->liwork = liwork;
  return tg_agree(v->grid->comm, TG_NEW(liwork, &s->iwork));
}

tg_status tg_syevd_run(const tg_syevd *s, tg_dmat *a, double *values, tg_dmat *v)
{
  TG_TRY(call_syevd(a, values, v, s->work, s->lwork, s->iwork, s->liwork));
  // A matrix within one block is solved by its owner alone, and pdsyevd leaves the other ranks without the values.
  return tg_mpi_check(MPI_Bcast(values, (int)a->rows, MPI_DOUBLE, 0, a->grid->comm), TG_HERE);
}

void tg_syevd_fini(tg_syevd *s)
{
  tg_free(s->work);
  tg_free(s->iwork);
  *s = (tg_syevd){0};
}

tg_status tg_eigen_symmetric(const tg_dmat *a, double *values, tg_dmat *v)
{
  if (a->rows != a->cols)
    TG_FAIL(TG_INTERNAL, "a %" PRId64 " x %" PRId64 " matrix has no symmetric eigenvalues", a->rows, a->cols);
  TG_TRY(tg_eigen_check_shape(v, a->rows, a->rows, a, "the eigenvectors"));
  TG_TRY(tg_eigen_check_finite(a));
  tg_dmat *copy = NULL;
  tg_syevd s = {0};
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_eigen_copy_of(a, &copy));
  TG_TRY_GOTO(tg_syevd_prepare(&s, copy, values, v));
  TG_TRY_GOTO(tg_syevd_run(&s, copy, values, v));
  *a->grid->flops += 9 * (double)a->rows * (double)a->rows * (double)a->rows;
done:
  tg_dmat_destroy(&copy);
  tg_syevd_fini(&s);
  return status;
}

double tg_eigen_symmetric_bytes(const tg_cost_grid *grid, int64_t n)
{
  const int64_t rows = tg_layout_count(n, grid->block, 0, (int)grid->rows);
  const int64_t cols = tg_layout_count(n, grid->block, 0, (int)grid->cols);
  return tg_cost_matrix_bytes(grid, n, n) + 8 * tg_cost_syevd_work(n, grid->block, rows, cols);
}

// --- QR ----------------------------------------------------------------------------------------------

// R is the upper triangle of the factored matrix; its rows and columns lie on the same owners.
static void take_triangle(const tg_dmat *factored, tg_dmat *r)
{
  const tg_grid *grid = r->grid;
  for (int64_t lj = 0; lj < r->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, r->block, grid->col, grid->cols);
    for (int64_t li = 0; li < r->local_rows; li++) {
      const int64_t i = tg_layout_global(li, r->block, grid->row, grid->rows);
      r->data[li + lj * r->ld] = i <= j ? factored->data[li + lj * factored->ld] : 0;
    }
  }
}

// signs(j) = -1 where R(j,j) < 0, else 1, on every rank. Collective.
static tg_status gather_signs(const tg_dmat *factored, double *signs)
{
  const tg_grid *grid = factored->grid;
  int n = 0;
  TG_TRY(tg_abi_int(factored->cols, "the number of columns", &n));
  for (int j = 0; j < n; j++) signs[j] = 1;
  for (int64_t lj = 0; lj < factored->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, factored->block, grid->col, grid->cols);
    if (tg_layout_owner(j, factored->block, grid->rows) != grid->row) continue;
    const int64_t li = tg_layout_local(j, factored->block, grid->rows);
    if (factored->data[li + lj * factored->ld] < 0) signs[j] = -1;
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, signs, n, MPI_DOUBLE, MPI_MIN, grid->comm));
  return TG_OK;
}

// Q diag(signs) and diag(signs) R.
static void apply_signs(const double *signs, tg_dmat *q, tg_dmat *r)
{
  const tg_grid *grid = q->grid;
  for (int64_t lj = 0; lj < q->local_cols; lj++) {
    const double sign = signs[tg_layout_global(lj, q->block, grid->col, grid->cols)];
    for (int64_t li = 0; li < q->local_rows; li++) q->data[li + lj * q->ld] *= sign;
  }
  if (r == NULL) return;
  for (int64_t lj = 0; lj < r->local_cols; lj++)
    for (int64_t li = 0; li < r->local_rows; li++)
      r->data[li + lj * r->ld] *= signs[tg_layout_global(li, r->block, grid->row, grid->rows)];
}

typedef struct qr_scratch {
  double *tau;
  double *work;
  double *signs;
  int lwork;
} qr_scratch;

static tg_status prepare_qr(qr_scratch *s, const int desc[TG_DESCRIPTOR_LENGTH], tg_dmat *q)
{
  double asked[2] = {0};
  const int query = -1;
  int info = 0;
  pdgeqrf_(&desc[2], &desc[3], q->data, &one, &one, desc, &asked[0], &asked[0], &query, &info);
  TG_TRY(tg_eigen_agree_on_info(q->grid, info, "pdgeqrf"));
  pdorgqr_(&desc[2], &desc[3], &desc[3], q->data, &one, &one, desc, &asked[1], &asked[1], &query, &info);
  TG_TRY(tg_eigen_agree_on_info(q->grid, info, "pdorgqr"));
  TG_TRY(tg_eigen_create_work(q->grid, asked[0] > asked[1] ? asked[0] : asked[1], &s->work, &s->lwork));
  TG_TRY(tg_agree(q->grid->comm, tg_alloc_numbers(q->local_cols + q->block, &s->tau)));
  return tg_agree(q->grid->comm, tg_alloc_numbers(q->cols, &s->signs));
}

tg_status tg_eigen_qr(const tg_dmat *a, tg_dmat *q, tg_dmat *r)
{
  if (a->rows < a->cols)
    TG_FAIL(TG_INTERNAL, "QR needs as many rows as columns, found %" PRId64 " x %" PRId64, a->rows, a->cols);
  TG_TRY(tg_eigen_check_shape(q, a->rows, a->cols, a, "the orthogonal factor"));
  if (r != NULL) TG_TRY(tg_eigen_check_shape(r, a->cols, a->cols, a, "the triangular factor"));
  int desc[TG_DESCRIPTOR_LENGTH];
  TG_TRY(tg_dmat_descriptor(q, desc));
  TG_TRY(tg_dmat_copy(a, q));
  qr_scratch s = {0};
  tg_status status = TG_OK;
  int info = 0;
  TG_TRY_GOTO(prepare_qr(&s, desc, q));
  *a->grid->flops += 4 * ((double)a->rows - (double)a->cols / 3) * (double)a->cols * (double)a->cols;
  pdgeqrf_(&desc[2], &desc[3], q->data, &one, &one, desc, s.tau, s.work, &s.lwork, &info);
  TG_TRY_GOTO(tg_eigen_agree_on_info(a->grid, info, "pdgeqrf"));
  if (r != NULL) take_triangle(q, r);
  TG_TRY_GOTO(gather_signs(q, s.signs));
  pdorgqr_(&desc[2], &desc[3], &desc[3], q->data, &one, &one, desc, s.tau, s.work, &s.lwork, &info);
  TG_TRY_GOTO(tg_eigen_agree_on_info(a->grid, info, "pdorgqr"));
  apply_signs(s.signs, q, r);
done:
  tg_free(s.tau);
  tg_free(s.work);
  tg_free(s.signs);
  return status;
}

double tg_eigen_qr_bytes(const tg_cost_grid *grid, int64_t m, int64_t n)
{
  const int64_t rows = tg_layout_count(m, grid->block, 0, (int)grid->rows);
  const int64_t cols = tg_layout_count(n, grid->block, 0, (int)grid->cols);
  return 8 * (double)grid->block * (double)(rows + cols + grid->block);
}

// --- singular values ---------------------------------------------------------------------------------

static tg_status call_gesvd(tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt, double *work, int lwork)
{
  int desca[TG_DESCRIPTOR_LENGTH];
  int descu[TG_DESCRIPTOR_LENGTH];
  int descv[TG_DESCRIPTOR_LENGTH];
  int info = 0;
  TG_TRY(tg_dmat_descriptor(a, desca));
  TG_TRY(tg_dmat_descriptor(u, descu));
  TG_TRY(tg_dmat_descriptor(vt, descv));
  pdgesvd_("V", "V", &desca[2], &desca[3], a->data, &one, &one, desca, values, u->data, &one, &one, descu, vt->data,
           &one, &one, descv, work, &lwork, &info, 1, 1);
  // min(m, n) + 1 says that the values are not the same bits everywhere: ranks that own nothing compute them by another
  // algorithm (no vectors to turn). The others agree, and rank 0 is one of them.
  const int64_t smaller = a->rows < a->cols ? a->rows : a->cols;
  if (info == smaller + 1) info = 0;
  return tg_eigen_agree_on_info(a->grid, info, "pdgesvd");
}

tg_status tg_gesvd_prepare(tg_gesvd *s, tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt)
{
  double asked = 0;
  *s = (tg_gesvd){0};
  TG_TRY(call_gesvd(a, u, values, vt, &asked, -1));
  const double least = tg_cost_gesvd_work(a->rows, a->cols, a->grid->size, a->block, a->local_rows, a->local_cols);
  return tg_eigen_create_work(a->grid, asked > least ? asked : least, &s->work, &s->lwork);
}

tg_status tg_gesvd_run(const tg_gesvd *s, tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt)
{
  TG_TRY(call_gesvd(a, u, values, vt, s->work, s->lwork));
  const int64_t k = a->rows < a->cols ? a->rows : a->cols;
  return tg_mpi_check(MPI_Bcast(values, (int)k, MPI_DOUBLE, 0, a->grid->comm), TG_HERE);
}

void tg_gesvd_fini(tg_gesvd *s)
{
  tg_free(s->work);
  *s = (tg_gesvd){0};
}

tg_status tg_eigen_svd(const tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt)
{
  const int64_t k = a->rows < a->cols ? a->rows : a->cols;
  TG_TRY(tg_eigen_check_shape(u, a->rows, k, a, "the left singular vectors"));
  TG_TRY(tg_eigen_check_shape(vt, k, a->cols, a, "the right singular vectors"));
  TG_TRY(tg_eigen_check_finite(a));
  tg_dmat *copy = NULL;
  tg_gesvd s = {0};
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_eigen_copy_of(a, &copy));
  TG_TRY_GOTO(tg_gesvd_prepare(&s, copy, u, values, vt));
  TG_TRY_GOTO(tg_gesvd_run(&s, copy, u, values, vt));
  *a->grid->flops += (double)k * (double)k * (6 * (double)(a->rows + a->cols - k) + 16 * (double)k);
done:
  tg_dmat_destroy(&copy);
  tg_gesvd_fini(&s);
  return status;
}

// pdgesvd keeps a triangle and its vectors in some two matrices' room, and panels of pdgebrd and pdormbr.
double tg_eigen_svd_bytes(const tg_cost_grid *grid, int64_t n)
{
  return 3 * tg_cost_matrix_bytes(grid, n, n) + tg_eigen_qr_bytes(grid, n, n);
}
