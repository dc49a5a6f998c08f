// The diagonal preconditioner.
#include "mpi/space/preconditioner.h"

#include <math.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

struct tg_diagonal {
  int n_blocks;
  tg_dmat **diagonals;
};

void tg_diagonal_destroy(tg_diagonal **preconditioner)
{
  tg_diagonal *m = *preconditioner;
  if (m == NULL) return;
  for (int k = 0; m->diagonals != NULL && k < m->n_blocks; k++) tg_dmat_destroy(&m->diagonals[k]);
  tg_free(m->diagonals);
  tg_free(m);
  *preconditioner = NULL;
}

static tg_status allocate(const tg_grid *grid, int n_blocks, const tg_dmat *const *diagonals, tg_diagonal **out)
{
  TG_TRY(TG_NEW(1, out));
  TG_TRY(TG_NEW(n_blocks, &(*out)->diagonals));
  (*out)->n_blocks = n_blocks;
  for (int k = 0; k < n_blocks; k++)
    TG_TRY(tg_dmat_create(grid, diagonals[k]->rows, diagonals[k]->cols, &(*out)->diagonals[k]));
  return TG_OK;
}

// The entries have the squares of the units of the columns, and each is a sum of its own that is rounded relative to
// itself: columns of 1e4 beside columns of 1e-4 make 1e16. NaN counts as not positive: fmax would drop it.
static tg_status verify_positive(const tg_grid *grid, const tg_diagonal *m)
{
  double extremes[2] = {-HUGE_VAL, -HUGE_VAL}; // -smallest, largest
  for (int k = 0; k < m->n_blocks; k++) {
    const tg_dmat *d = m->diagonals[k];
    for (int64_t j = 0; j < d->local_cols; j++)
      for (int64_t i = 0; i < d->local_rows; i++) {
        const double entry = d->data[i + j * d->ld];
        extremes[0] = isnan(entry) ? HUGE_VAL : fmax(extremes[0], -entry);
        extremes[1] = fmax(extremes[1], entry);
      }
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MAX, grid->comm));
  if (-extremes[0] > 1e-28 * extremes[1]) return TG_OK;
  TG_FAIL(
      TG_NUMERIC,
      "preconditioner diagonal: the diagonal of the Hessian reaches from %.3g to %.3g, expected positive entries; take "
      "none",
      -extremes[0], extremes[1]);
}

tg_status tg_diagonal_create(const tg_grid *grid, int n_blocks, const tg_dmat *const *diagonals, tg_diagonal **out)
{
  *out = NULL;
  tg_status status = tg_agree(grid->comm, allocate(grid, n_blocks, diagonals, out));
  for (int k = 0; k < n_blocks && status == TG_OK; k++) status = tg_dmat_copy(diagonals[k], (*out)->diagonals[k]);
  if (status == TG_OK) status = verify_positive(grid, *out);
  if (status == TG_OK) return TG_OK;
  tg_diagonal_destroy(out);
  return tg_error_pass(status, TG_HERE);
}

tg_status tg_diagonal_apply(void *self, const opt_point *r, opt_point *z)
{
  const tg_diagonal *m = self;
  for (int k = 0; k < m->n_blocks; k++) {
    const tg_dmat *d = m->diagonals[k];
    const tg_dmat *in = tg_space_block(r, k);
    tg_dmat *out = tg_space_block(z, k);
    for (int64_t j = 0; j < d->local_cols; j++)
      for (int64_t i = 0; i < d->local_rows; i++)
        out->data[i + j * out->ld] = in->data[i + j * in->ld] / d->data[i + j * d->ld];
  }
  return TG_OK;
}

// What stands for an entry that vanishes or is not finite: the largest |d| that is.
static tg_status find_largest(const tg_dmat *d, double *out)
{
  double largest = 0;
  for (int64_t j = 0; j < d->local_cols; j++)
    for (int64_t i = 0; i < d->local_rows; i++) {
      const double entry = fabs(d->data[i + j * d->ld]);
      if (isfinite(entry)) largest = fmax(largest, entry);
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, d->grid->comm));
  *out = largest > 0 ? largest : 1;
  return TG_OK;
}

static double size_of(double entry, double largest)
{
  const double size = fabs(entry);
  return size > 0 && isfinite(size) ? size : largest;
}

tg_status tg_diagonal_divide(const tg_dmat *d, const tg_dmat *r, tg_dmat *z)
{
  double largest = 0;
  TG_TRY(find_largest(d, &largest));
  for (int64_t j = 0; j < d->local_cols; j++)
    for (int64_t i = 0; i < d->local_rows; i++)
      z->data[i + j * z->ld] = r->data[i + j * r->ld] / size_of(d->data[i + j * d->ld], largest);
  return TG_OK;
}

// sums[2 l] := sum of r ./ |d| on line l, sums[2 l + 1] := sum of 1 ./ |d|, over the ranks that share it.
static tg_status sum_lines(const tg_dmat *d, double largest, bool by_rows, const tg_dmat *r, double *sums)
{
  const int64_t count = by_rows ? d->local_rows : d->local_cols;
  for (int64_t k = 0; k < 2 * count; k++) sums[k] = 0;
  for (int64_t j = 0; j < d->local_cols; j++)
    for (int64_t i = 0; i < d->local_rows; i++) {
      double *pair = &sums[2 * (by_rows ? i : j)];
      const double weight = 1 / size_of(d->data[i + j * d->ld], largest);
      pair[0] += weight * r->data[i + j * r->ld];
      pair[1] += weight;
    }
  MPI_Comm comm = by_rows ? d->grid->row_comm : d->grid->col_comm;
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, sums, (int)(2 * count), MPI_DOUBLE, MPI_SUM, comm), TG_HERE);
}

tg_status tg_diagonal_divide_lines(const tg_dmat *d, bool by_rows, const tg_dmat *r, tg_dmat *z)
{
  double largest = 0;
  double *sums = NULL;
  TG_TRY(find_largest(d, &largest));
  TG_TRY(tg_agree_memory(d->grid->comm, tg_alloc_numbers(2 * (by_rows ? d->local_rows : d->local_cols) + 1, &sums),
                         &sums));
  const tg_status status = sum_lines(d, largest, by_rows, r, sums);
  for (int64_t j = 0; j < d->local_cols && status == TG_OK; j++)
    for (int64_t i = 0; i < d->local_rows; i++) {
      const double *pair = &sums[2 * (by_rows ? i : j)];
      const double rest = r->data[i + j * r->ld] - pair[0] / pair[1];
      z->data[i + j * z->ld] = rest / size_of(d->data[i + j * d->ld], largest);
    }
  tg_free(sums);
  return status;
}
