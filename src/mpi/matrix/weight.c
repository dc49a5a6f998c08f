// The spread of a matrix of weights about its marginals.
#include "mpi/matrix/weight.h"

#include <limits.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/matrix/reduce.h"

// sums[0..rows): of the rows; then of the columns.
static void add_locals(const tg_dmat *q, double *sums)
{
  const tg_grid *grid = q->grid;
  for (int64_t j = 0; j < q->local_cols; j++) {
    double *column = sums + q->rows + tg_layout_global(j, q->block, grid->col, grid->cols);
    for (int64_t i = 0; i < q->local_rows; i++) {
      const double entry = q->data[i + j * q->ld];
      sums[tg_layout_global(i, q->block, grid->row, grid->rows)] += entry;
      *column += entry;
    }
  }
}

static tg_status find_extremes(const tg_dmat *q, const double *sums, double total, tg_weight_spread *out)
{
  const tg_grid *grid = q->grid;
  double extremes[2] = {-HUGE_VAL, 0}; // -smallest, largest
  double seen = 0;
  for (int64_t j = 0; j < q->local_cols; j++) {
    const double column = sums[q->rows + tg_layout_global(j, q->block, grid->col, grid->cols)];
    for (int64_t i = 0; i < q->local_rows; i++) {
      const double row = sums[tg_layout_global(i, q->block, grid->row, grid->rows)];
      if (!(row * column > 0)) continue;
      const double ratio = q->data[i + j * q->ld] * total / (row * column);
      extremes[0] = fmax(extremes[0], -ratio);
      extremes[1] = fmax(extremes[1], ratio);
      seen += ratio >= TG_WEIGHT_SEEN;
    }
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MAX, grid->comm));
  out->smallest = -extremes[0];
  out->largest = extremes[1];
  return tg_reduce_sum(grid, 1, &seen, &out->count);
}

static tg_status measure(const tg_dmat *weight, double *sums, tg_weight_spread *out)
{
  const int64_t count = weight->rows + weight->cols;
  double total = 0;
  if (count > INT_MAX) TG_FAIL(TG_LIMIT, "a matrix of weights has %lld rows and columns", (long long)count);
  add_locals(weight, sums);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums, (int)count, MPI_DOUBLE, MPI_SUM, weight->grid->comm));
  for (int64_t i = 0; i < weight->rows; i++) total += sums[i];
  return find_extremes(weight, sums, total, out);
}

tg_status tg_weight_measure(const tg_dmat *weight, tg_weight_spread *out)
{
  double *sums = NULL;
  *out = (tg_weight_spread){0};
  tg_status status = tg_agree(weight->grid->comm, TG_NEW(weight->rows + weight->cols, &sums));
  if (status == TG_OK) status = measure(weight, sums, out);
  tg_free(sums);
  return status;
}

tg_status tg_weight_ratio(const tg_dmat *matrix, double *out)
{
  double extremes[2] = {-HUGE_VAL, -HUGE_VAL}; // -smallest, largest
  for (int64_t j = 0; j < matrix->local_cols; j++)
    for (int64_t i = 0; i < matrix->local_rows; i++) {
      const double entry = matrix->data[i + j * matrix->ld];
      extremes[0] = isnan(entry) ? HUGE_VAL : fmax(extremes[0], -entry);
      extremes[1] = fmax(extremes[1], entry);
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MAX, matrix->grid->comm));
  *out = extremes[0] < 0 ? -extremes[1] / extremes[0] : HUGE_VAL;
  return TG_OK;
}
