// Some eigenvectors of a distributed symmetric matrix: the extreme ones.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/plan/closed.h"
#include "mpi/factor/eigen_parts.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product.h"

static const int one = 1;

// --- all of them, and a choice -----------------------------------------------------------------------

// v = all S, where S has a one in each column, at the row of the vector to take.
static tg_status select_columns(const tg_dmat *all, int64_t n_low, tg_dmat *v)
{
  const tg_grid *grid = v->grid;
  const int64_t skipped = all->cols - v->cols;
  tg_dmat *selection = NULL;
  tg_workspace *workspace = NULL;
  tg_status status = tg_dmat_create_block(grid, all->cols, v->cols, all->block, &selection);
  if (status == TG_OK) status = tg_workspace_create(grid, &workspace);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  for (int64_t lj = 0; lj < selection->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, selection->block, grid->col, grid->cols);
    const int64_t i = j < n_low ? j : j + skipped;
    if (tg_layout_owner(i, selection->block, grid->rows) != grid->row) continue;
    selection->data[tg_layout_local(i, selection->block, grid->rows) + lj * selection->ld] = 1;
  }
  status = tg_product(TG_PRODUCT_AUTO, false, false, 1, all, selection, 0, v, workspace, NULL);
done:
  tg_workspace_destroy(&workspace);
  tg_dmat_destroy(&selection);
  return status;
}

static tg_status choose_from_all(const tg_dmat *a, int64_t n_low, double *values, tg_dmat *v)
{
  const tg_grid *grid = a->grid;
  double *spectrum = NULL;
  tg_dmat *all = NULL;
  tg_status status = tg_alloc_numbers(a->rows, &spectrum);
  if (status == TG_OK) status = tg_dmat_create_block(grid, a->rows, a->rows, a->block, &all);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  TG_TRY_GOTO(tg_eigen_symmetric(a, spectrum, all));
  for (int64_t k = 0; k < v->cols; k++) values[k] = spectrum[k < n_low ? k : k + a->rows - v->cols];
  status = select_columns(all, n_low, v);
done:
  tg_dmat_destroy(&all);
  tg_free(spectrum);
  return status;
}

// --- the tridiagonal way -----------------------------------------------------------------------------

// Q' A Q = T: Q as reflectors in `reduced` and tau, T on every rank.
typedef struct reduction {
  tg_dmat *reduced;
  int desca[TG_DESCRIPTOR_LENGTH];
  int descv[TG_DESCRIPTOR_LENGTH];
  double *tau;
  double *local; // pdsytrd's own copies of T's entries, by its columns: not used
  double *work;
  int lwork;
  double *diagonal; // n
  double *below;    // n
  double *vectors;  // of T: n x m
} reduction;

static void release(reduction *r)
{
  tg_dmat_destroy(&r->reduced);
  tg_free(r->tau);
  tg_free(r->local);
  tg_free(r->work);
  tg_free(r->diagonal);
  tg_free(r->below);
  tg_free(r->vectors);
}

static void call_sytrd(reduction *r, double *work, int lwork, int *info)
{
  double *off = r->local + r->reduced->local_cols + r->reduced->block;
  pdsytrd_("L", &r->desca[2], r->reduced->data, &one, &one, r->desca, r->local, off, r->tau, work, &lwork, info, 1);
}

static void call_ormtr(const reduction *r, tg_dmat *v, double *work, int lwork, int *info)
{
  pdormtr_("L", "L", "N", &r->descv[2], &r->descv[3], r->reduced->data, &one, &one, r->desca, r->tau, v->data, &one,
           &one, r->descv, work, &lwork, info, 1, 1, 1);
}

static tg_status allocate(reduction *r, int64_t n, int64_t m)
{
  const int64_t room = r->reduced->local_cols + r->reduced->block;
  TG_TRY(tg_alloc_numbers(room, &r->tau));
  TG_TRY(tg_alloc_numbers(2 * room, &r->local));
  TG_TRY(tg_alloc_numbers(n, &r->diagonal));
  TG_TRY(tg_alloc_numbers(n, &r->below));
  return tg_alloc_numbers(n * m, &r->vectors);
}

static tg_status prepare(const tg_dmat *a, tg_dmat *v, reduction *r)
{
  double asked[2] = {0};
  int info = 0;
  TG_TRY(tg_dmat_descriptor(a, r->desca));
  TG_TRY(tg_dmat_descriptor(v, r->descv));
  TG_TRY(tg_eigen_copy_of(a, &r->reduced));
  TG_TRY(tg_agree(a->grid->comm, allocate(r, v->rows, v->cols)));
  call_sytrd(r, &asked[0], -1, &info);
  TG_TRY(tg_eigen_agree_on_info(a->grid, info, "pdsytrd"));
  call_ormtr(r, v, &asked[1], -1, &info);
  TG_TRY(tg_eigen_agree_on_info(a->grid, info, "pdormtr"));
  // As in pdsyevd, the query of pdormtr can fall short of what it needs inside when blocks are large.
  const double least = (double)a->block * (double)(a->local_rows + v->local_cols + 3 * a->block);
  return tg_eigen_create_work(a->grid, fmax(fmax(asked[0], asked[1]), least), &r->work, &r->lwork);
}

// T stands on the diagonal and below it, each entry on its owner. Collective.
static tg_status gather_tridiagonal(reduction *r)
{
  const tg_dmat *t = r->reduced;
  const tg_grid *grid = t->grid;
  memset(r->diagonal, 0, sizeof(double) * (size_t)t->rows);
  memset(r->below, 0, sizeof(double) * (size_t)t->rows);
  for (int64_t lj = 0; lj < t->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, t->block, grid->col, grid->cols);
    for (int64_t i = j; i < t->rows && i <= j + 1; i++) {
      if (tg_layout_owner(i, t->block, grid->rows) != grid->row) continue;
      const double entry = t->data[tg_layout_local(i, t->block, grid->rows) + lj * t->ld];
      if (i == j)
        r->diagonal[j] = entry;
      else
        r->below[j] = entry;
    }
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, r->diagonal, r->desca[2], MPI_DOUBLE, MPI_SUM, grid->comm));
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, r->below, r->desca[2], MPI_DOUBLE, MPI_SUM, grid->comm), TG_HERE);
}

// The eigenpairs first .. last of T, counted from 1. dstemr destroys what it reads. Local.
static tg_status solve_range(const reduction *r, int first, int last, double *values, double *vectors)
{
  const int n = r->desca[2];
  const double unused = 0;
  double *numbers = NULL; // diagonal, below, all values, scratch
  int *integers = NULL;   // support of the vectors, scratch
  tg_status status = TG_OK;
  if (first > last) return TG_OK;
  TG_TRY_GOTO(tg_alloc_numbers((int64_t)n * 21, &numbers));
  TG_TRY_GOTO(TG_NEW((int64_t)n * 12, &integers));
  memcpy(numbers, r->diagonal, sizeof(double) * (size_t)n);
  memcpy(numbers + n, r->below, sizeof(double) * (size_t)n);
  const int lwork = 18 * n;
  const int liwork = 10 * n;
  const int count = last - first + 1;
  int found = 0;
  int tryrac = 1;
  int info = 0;
  dstemr_("V", "I", &n, numbers, numbers + n, &unused, &unused, &first, &last, &found, numbers + 2 * (size_t)n, vectors,
          &n, &count, integers, &tryrac, numbers + 3 * (size_t)n, &lwork, integers + 2 * (size_t)n, &liwork, &info, 1,
          1);
  memcpy(values, numbers + 2 * (size_t)n, sizeof(double) * (size_t)count);
  if (info != 0 || found != count)
    status = tg_error_set(TG_NUMERIC, TG_HERE, "dstemr does not converge (info %d, %d of %d eigenvalues)", info, found,
                          count);
done:
  tg_free(numbers);
  tg_free(integers);
  return status;
}

// One rank computes, for the signs of the vectors may differ between kinds of processors. Collective.
static tg_status solve_tridiagonal(reduction *r, int64_t n_low, double *values)
{
  const tg_grid *grid = r->reduced->grid;
  const int n = r->desca[2];
  const int m = r->descv[3];
  tg_status status = TG_OK;
  if (grid->rank == 0) {
    status = solve_range(r, 1, (int)n_low, values, r->vectors);
    if (status == TG_OK)
      status = solve_range(r, n - m + (int)n_low + 1, n, values + n_low, r->vectors + (size_t)n * (size_t)n_low);
  }
  TG_TRY(tg_agree(grid->comm, status));
  TG_TRY_MPI(MPI_Bcast(values, m, MPI_DOUBLE, 0, grid->comm));
  return tg_mpi_check(MPI_Bcast(r->vectors, n * m, MPI_DOUBLE, 0, grid->comm), TG_HERE);
}

static tg_status reduce_and_solve(const tg_dmat *a, int64_t n_low, double *values, tg_dmat *v)
{
  reduction r = {0};
  tg_status status = TG_OK;
  int info = 0;
  TG_TRY_GOTO(prepare(a, v, &r));
  call_sytrd(&r, r.work, r.lwork, &info);
  TG_TRY_GOTO(tg_eigen_agree_on_info(a->grid, info, "pdsytrd"));
  TG_TRY_GOTO(gather_tridiagonal(&r));
  TG_TRY_GOTO(solve_tridiagonal(&r, n_low, values));
  tg_dmat_scatter_small(r.vectors, v);
  call_ormtr(&r, v, r.work, r.lwork, &info);
  TG_TRY_GOTO(tg_eigen_agree_on_info(a->grid, info, "pdormtr"));
done:
  release(&r);
  return status;
}

tg_status tg_eigen_extremes(const tg_dmat *a, int64_t n_low, int64_t n_high, double *values, tg_dmat *v, double *flops)
{
  const int64_t m = n_low + n_high;
  const double n = (double)a->rows;
  if (a->rows != a->cols || n_low < 0 || n_high < 0 || m < 1 || m > a->rows)
    TG_FAIL(TG_INTERNAL, "%lld + %lld eigenvalues of a %lld x %lld matrix", (long long)n_low, (long long)n_high,
            (long long)a->rows, (long long)a->cols);
  TG_TRY(tg_eigen_check_shape(v, a->rows, m, a, "the eigenvectors"));
  TG_TRY(tg_eigen_check_finite(a));
  const bool is_few = tg_closed_takes_few(a->rows, m);
  const double taken = is_few ? 4 * n * n * n / 3 + 2 * n * n * (double)m : 9 * n * n * n;
  if (flops != NULL) *flops = taken;
  if (is_few) *a->grid->flops += taken; // else what it calls counts
  return is_few ? reduce_and_solve(a, n_low, values, v) : choose_from_all(a, n_low, values, v);
}
