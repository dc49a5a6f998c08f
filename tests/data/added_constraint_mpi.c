// centred_columns on distributed matrices: a linear subspace; P(x) takes the mean of each column away.
#include <math.h>

#include "base/memory.h"
#include "mpi/constraint/constraint_set.h"

// numbers[j] := the sum of every local column. Collective.
static tg_status column_sums(const tg_set *set, const tg_dmat *x)
{
  for (int64_t j = 0; j < x->local_cols; j++) {
    set->numbers[j] = 0;
    for (int64_t i = 0; i < x->local_rows; i++) set->numbers[j] += x->data[i + j * x->ld];
  }
  return tg_mpi_check(
      MPI_Allreduce(MPI_IN_PLACE, set->numbers, (int)x->local_cols, MPI_DOUBLE, MPI_SUM, set->grid->col_comm), TG_HERE);
}

static tg_status create_centred(tg_set *set)
{
  return tg_alloc_numbers(tg_set_lines(set, false) + 1, &set->numbers);
}

static tg_status violation_centred(tg_set *set, const tg_dmat *x, double *out)
{
  double worst = 0;
  TG_TRY(column_sums(set, x));
  for (int64_t j = 0; j < x->local_cols; j++) worst = tg_set_worse(worst, fabs(set->numbers[j]));
  return tg_set_largest(set->grid, worst, out);
}

static tg_status project_centred(tg_set *set, tg_dmat *x)
{
  TG_TRY(column_sums(set, x));
  for (int64_t j = 0; j < x->local_cols; j++)
    for (int64_t i = 0; i < x->local_rows; i++) x->data[i + j * x->ld] -= set->numbers[j] / (double)set->rows;
  return TG_OK;
}

const tg_set_ops tg_set_centred = {
    .create = create_centred, .violation = violation_centred, .project = project_centred};
