// log sum exp of all entries, of rows or of columns of a matrix.
//
// The largest entry m of each sum is found first; log(sum) = m + log(sum exp(x - m)) then neither overflows nor
// vanishes. The parts of a sum are added in the order of the ranks.
#include <math.h>
#include <string.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

static double larger(double a, double b)
{
  return b > a ? b : a; // NaN is no largest; the sum keeps it
}

// exp is taken of x minus this: of a largest that is not finite nothing can be taken away.
static double shift_of(double largest)
{
  return isfinite(largest) ? largest : 0;
}

static void largest_of_rows(const tg_dmat *in, double *out)
{
  for (int64_t i = 0; i < in->local_rows; i++) out[i] = -HUGE_VAL;
  for (int64_t j = 0; j < in->local_cols; j++)
    for (int64_t i = 0; i < in->local_rows; i++) out[i] = larger(out[i], in->data[i + j * in->ld]);
}

static void largest_of_columns(const tg_dmat *in, double *out)
{
#pragma omp parallel for schedule(static) if (in->local_rows * in->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < in->local_cols; j++) {
    out[j] = -HUGE_VAL;
    for (int64_t i = 0; i < in->local_rows; i++) out[j] = larger(out[j], in->data[i + j * in->ld]);
  }
}

enum { STRIPE = 64 };

// Stripes of rows, column by column within each: threads write apart from one another.
static void sums_of_rows(const tg_dmat *in, const double *largest, double *out)
{
  const int64_t stripes = (in->local_rows + STRIPE - 1) / STRIPE;
#pragma omp parallel for schedule(static) if (in->local_rows * in->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t s = 0; s < stripes; s++) {
    const int64_t end = (s + 1) * STRIPE < in->local_rows ? (s + 1) * STRIPE : in->local_rows;
    for (int64_t i = s * STRIPE; i < end; i++) out[i] = 0;
    for (int64_t j = 0; j < in->local_cols; j++)
      for (int64_t i = s * STRIPE; i < end; i++) out[i] += exp(in->data[i + j * in->ld] - shift_of(largest[i]));
  }
}

static void sums_of_columns(const tg_dmat *in, const double *largest, double *out)
{
#pragma omp parallel for schedule(static) if (in->local_rows * in->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < in->local_cols; j++) {
    out[j] = 0;
    for (int64_t i = 0; i < in->local_rows; i++) out[j] += exp(in->data[i + j * in->ld] - shift_of(largest[j]));
  }
}

// The sums of rows meet along the grid's rows, in its first column; those of columns in its first row.
static tg_status by_lines(tg_workspace *workspace, const tg_dmat *in, bool rows, tg_dmat *out)
{
  const tg_grid *grid = in->grid;
  const MPI_Comm comm = rows ? grid->row_comm : grid->col_comm;
  const int parts = rows ? grid->cols : grid->rows;
  const int64_t count = rows ? in->local_rows : in->local_cols;
  // Judged by the longest part, so that no rank stays behind.
  const int64_t most =
      rows ? tg_layout_count(in->rows, in->block, 0, grid->rows) : tg_layout_count(in->cols, in->block, 0, grid->cols);
  double *largest = NULL;
  if (most > INT32_MAX) TG_FAIL(TG_LIMIT, "a local vector of %lld entries is too long to send", (long long)most);
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_VECTORS, most * (2 + parts), &largest));
  double *sums = largest + most;
  double *all = sums + most;
  if (rows)
    largest_of_rows(in, largest);
  else
    largest_of_columns(in, largest);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, largest, (int)count, MPI_DOUBLE, MPI_MAX, comm));
  if (rows)
    sums_of_rows(in, largest, sums);
  else
    sums_of_columns(in, largest, sums);
  TG_TRY_MPI(MPI_Gather(sums, (int)count, MPI_DOUBLE, all, (int)count, MPI_DOUBLE, 0, comm));
  if ((rows ? grid->col : grid->row) != 0) return TG_OK;
  for (int64_t i = 0; i < count; i++) {
    double sum = all[i];
    for (int p = 1; p < parts; p++) sum += all[p * count + i];
    out->data[rows ? i : i * out->ld] = shift_of(largest[i]) + log(sum);
  }
  return TG_OK;
}

static tg_status of_all(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  double *columns = NULL;
  double largest = -HUGE_VAL;
  double part = 0;
  const int64_t most = tg_layout_count(in->cols, in->block, 0, in->grid->cols);
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_VECTORS, 2 * most, &columns));
  largest_of_columns(in, columns);
  for (int64_t j = 0; j < in->local_cols; j++) largest = larger(largest, columns[j]);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, in->grid->comm));
  for (int64_t j = 0; j < in->local_cols; j++) columns[j] = largest;
  sums_of_columns(in, columns, columns + most);
  part = tg_reduce_pairwise(columns + most, in->local_cols);
  TG_TRY(tg_reduce_sum(in->grid, 1, &part, &part));
  return tg_dmat_store(shift_of(largest) + log(part), out);
}

tg_status tg_dmat_logsumexp(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  if (out->rows == 1 && out->cols == 1) return of_all(workspace, in, out);
  return by_lines(workspace, in, out->cols == 1, out);
}
