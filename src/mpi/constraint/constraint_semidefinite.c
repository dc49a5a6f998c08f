// positive_semidefinite: symmetric without negative eigenvalues.
//
// The projection is V diag(max(values, 0)) V' of the symmetric part V diag(values) V' (N. Higham, Linear Algebra Appl.
// 103 (1988)). It is the sum over the eigenvalues of one sign, the fewer of the two: for X it is taken as X less the
// negative part where there are fewer negative ones.
#include <math.h>

#include "base/memory.h"
#include "mpi/constraint/constraint_set.h"
#include "mpi/factor/eigen.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

static tg_status create_semidefinite(tg_set *set)
{
  for (int s = 0; s < 3; s++) TG_TRY(tg_dmat_create(set->grid, set->rows, set->cols, &set->scratch[s]));
  return tg_alloc_numbers(set->rows, &set->numbers);
}

static tg_bytes bytes_semidefinite(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  (void)cols;
  const double products = tg_cost_product_bytes(grid, rows, rows, rows);
  return (tg_bytes){.kept = 3 * tg_cost_matrix_bytes(grid, rows, rows) + products,
                    .passing = tg_eigen_symmetric_bytes(grid, rows)};
}

// out := (x + x') / 2
static tg_status symmetric_part(tg_set *set, const tg_dmat *x, tg_dmat *out)
{
  TG_TRY(tg_dmat_copy(x, out));
  return tg_dmat_transpose_add(set->workspace, 0.5, x, 0.5, out);
}

static tg_status violation_semidefinite(tg_set *set, const tg_dmat *x, double *out)
{
  tg_dmat *part = set->scratch[0];
  double skewness = 0;
  TG_TRY(tg_set_skewness(set, x, part, &skewness));
  TG_TRY(symmetric_part(set, x, part));
  TG_TRY(tg_eigen_symmetric(part, set->numbers, set->scratch[1]));
  *out = fmax(skewness, fmax(0, -set->numbers[0]));
  return TG_OK;
}

// Column j of v times sqrt(weight of eigenvalue j): the wanted ones, zero for the others.
static void weigh_columns(const tg_set *set, double sign, tg_dmat *v)
{
  for (int64_t lj = 0; lj < v->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, v->block, set->grid->col, set->grid->cols);
    const double weight = sqrt(fmax(0, sign * set->numbers[j]));
    for (int64_t li = 0; li < v->local_rows; li++) v->data[li + lj * v->ld] *= weight;
  }
}

static tg_status project_semidefinite(tg_set *set, tg_dmat *x)
{
  tg_dmat *part = set->scratch[0];
  tg_dmat *v = set->scratch[1];
  tg_dmat *result = set->scratch[2];
  int64_t negative = 0;
  TG_TRY(symmetric_part(set, x, part));
  TG_TRY(tg_eigen_symmetric(part, set->numbers, v));
  while (negative < set->rows && set->numbers[negative] < 0) negative++;
  const bool by_negative = 2 * negative < set->rows;
  weigh_columns(set, by_negative ? -1 : 1, v);
  TG_TRY(tg_dmat_copy(part, result));
  TG_TRY(tg_product(TG_PRODUCT_AUTO, false, true, 1, v, v, by_negative ? 1 : 0, result, set->workspace, NULL));
  // A product need not be symmetric to the last bit.
  return symmetric_part(set, result, x);
}

const tg_set_ops tg_set_semidefinite = {.create = create_semidefinite,
                                        .bytes = bytes_semidefinite,
                                        .violation = violation_semidefinite,
                                        .project = project_semidefinite};
