// Verification of declared properties.
#include "engine/problem/properties.h"

#include <inttypes.h>
#include <math.h>

#include "grad/plan/cost.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

static const double ENTRY_TOLERANCE = 1e-12;
static const double ORTHOGONAL_TOLERANCE = 1e-10;

// The first entry, in row-major order, where two matrices differ by more than the limit.
typedef struct offence {
  int64_t i; // -1: none
  int64_t j;
  double values[2]; // of the two matrices there
} offence;

static double largest_entry(const tg_dmat *a)
{
  double largest = 0;
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) largest = fmax(largest, fabs(a->data[i + j * a->ld]));
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, a->grid->comm);
  return largest;
}

static int64_t row_of(const tg_dmat *a, int64_t i)
{
  return tg_layout_global(i, a->block, a->grid->row, a->grid->rows);
}

static int64_t col_of(const tg_dmat *a, int64_t j)
{
  return tg_layout_global(j, a->block, a->grid->col, a->grid->cols);
}

// Mine alone. `other` is aligned with a, or NULL: then the other matrix is the diagonal of a.
static offence find_local(const tg_dmat *a, const tg_dmat *other, double limit)
{
  offence first = {.i = -1};
  for (int64_t j = 0; j < a->local_cols; j++) {
    const int64_t column = col_of(a, j);
    for (int64_t i = 0; i < a->local_rows; i++) {
      const int64_t row = row_of(a, i);
      const double value = a->data[i + j * a->ld];
      const double wanted = other != NULL ? other->data[i + j * other->ld] : row == column ? value : 0.0;
      if (fabs(value - wanted) <= limit) continue;
      const bool earlier = first.i < 0 || row < first.i || (row == first.i && column < first.j);
      if (earlier) first = (offence){.i = row, .j = column, .values = {value, wanted}};
    }
  }
  return first;
}

// The first over all ranks; its values come from the rank that has it.
static offence find_first(const tg_dmat *a, const tg_dmat *other, double limit)
{
  const offence mine = find_local(a, other, limit);
  int64_t row = mine.i >= 0 ? mine.i : INT64_MAX;
  MPI_Allreduce(MPI_IN_PLACE, &row, 1, MPI_INT64_T, MPI_MIN, a->grid->comm);
  if (row == INT64_MAX) return (offence){.i = -1};
  int64_t column = mine.i == row ? mine.j : INT64_MAX;
  MPI_Allreduce(MPI_IN_PLACE, &column, 1, MPI_INT64_T, MPI_MIN, a->grid->comm);
  const bool is_mine = mine.i == row && mine.j == column;
  int owner = is_mine ? a->grid->rank : 0;
  MPI_Allreduce(MPI_IN_PLACE, &owner, 1, MPI_INT, MPI_MAX, a->grid->comm);
  offence first = mine;
  MPI_Bcast(&first.values, 2, MPI_DOUBLE, owner, a->grid->comm);
  first.i = row;
  first.j = column;
  return first;
}

static tg_status verify_symmetric(const tg_dmat *a, const char *name, tg_workspace *workspace, tg_dmat *copy)
{
  TG_TRY(tg_dmat_transpose(workspace, 1.0, a, copy));
  const offence bad = find_first(a, copy, ENTRY_TOLERANCE * largest_entry(a));
  if (bad.i < 0) return TG_OK;
  TG_FAIL(TG_DATA,
          "%s is declared symmetric, but entry (row %" PRId64 ", column %" PRId64 ") is %.17g and entry (row %" PRId64
          ", column %" PRId64 ") is %.17g",
          name, bad.i + 1, bad.j + 1, bad.values[0], bad.j + 1, bad.i + 1, bad.values[1]);
}

static tg_status verify_diagonal(const tg_dmat *a, const char *name)
{
  const offence bad = find_first(a, NULL, ENTRY_TOLERANCE * largest_entry(a));
  if (bad.i < 0) return TG_OK;
  TG_FAIL(TG_DATA, "%s is declared diagonal, but entry (row %" PRId64 ", column %" PRId64 ") is %.17g", name, bad.i + 1,
          bad.j + 1, bad.values[0]);
}

static tg_status verify_orthogonal(const tg_dmat *a, const char *name, tg_workspace *workspace, tg_dmat *copy)
{
  tg_dmat *identity = NULL;
  tg_status status = tg_agree(a->grid->comm, tg_dmat_create_block(a->grid, a->rows, a->cols, a->block, &identity));
  if (status == TG_OK) status = tg_product(TG_PRODUCT_AUTO, true, false, 1.0, a, a, 0.0, copy, workspace, NULL);
  offence bad = {.i = -1};
  if (status == TG_OK) {
    tg_dmat_eye(1.0, identity);
    bad = find_first(copy, identity, ORTHOGONAL_TOLERANCE);
  }
  tg_dmat_destroy(&identity);
  TG_TRY(status);
  if (bad.i < 0) return TG_OK;
  TG_FAIL(TG_DATA,
          "%s is declared orthogonal, but entry (row %" PRId64 ", column %" PRId64 ") of %s'*%s is %.17g, expected %g",
          name, bad.i + 1, bad.j + 1, name, name, bad.values[0], bad.values[1]);
}

static tg_status verify_spd(const tg_dmat *a, const char *name)
{
  tg_factor *factor = NULL;
  TG_TRY(tg_factor_create(a->grid, a->rows, &factor));
  const tg_status status = tg_factor_cholesky(factor, a);
  tg_factor_destroy(&factor);
  if (status == TG_NUMERIC) {
    tg_error_get()->code = TG_DATA;
    tg_error_prefix("%s is declared spd, but its Cholesky factorisation fails", name);
    return TG_DATA;
  }
  return status;
}

static tg_status verify_with(const tg_dmat *a, const char *name, unsigned properties, tg_workspace *workspace,
                             tg_dmat *copy)
{
  if ((properties & (TG_SYMMETRIC | TG_SPD)) != 0) TG_TRY(verify_symmetric(a, name, workspace, copy));
  if ((properties & TG_DIAGONAL) != 0) TG_TRY(verify_diagonal(a, name));
  if ((properties & TG_ORTHOGONAL) != 0) TG_TRY(verify_orthogonal(a, name, workspace, copy));
  if ((properties & TG_SPD) != 0) TG_TRY(verify_spd(a, name));
  return TG_OK;
}

tg_status tg_properties_verify(const tg_dmat *matrix, const char *name, unsigned properties)
{
  if (properties == 0) return TG_OK;
  tg_workspace *workspace = NULL;
  tg_dmat *copy = NULL;
  tg_status status = tg_workspace_create(matrix->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create_block(matrix->grid, matrix->rows, matrix->cols, matrix->block, &copy);
  status = tg_agree(matrix->grid->comm, status);
  if (status == TG_OK) status = verify_with(matrix, name, properties, workspace, copy);
  tg_dmat_destroy(&copy);
  tg_workspace_destroy(&workspace);
  return status;
}

double tg_properties_bytes(const tg_cost_grid *grid, int64_t n, unsigned properties)
{
  const int copies = properties == 0 ? 0 : (properties & (TG_SPD | TG_ORTHOGONAL)) != 0 ? 2 : 1;
  return copies * tg_cost_matrix_bytes(grid, n, n);
}
