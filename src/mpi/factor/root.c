// Triangular roots of symmetric positive definite matrices.
#include "mpi/factor/root.h"

#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"

// The factorisation leaves A's entries above the diagonal. Local.
static void clear_above(tg_dmat *lower)
{
  const tg_grid *grid = lower->grid;
  for (int64_t lj = 0; lj < lower->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, lower->block, grid->col, grid->cols);
    for (int64_t li = 0; li < lower->local_rows; li++)
      if (tg_layout_global(li, lower->block, grid->row, grid->rows) < j) lower->data[li + lj * lower->ld] = 0;
  }
}

// L' inverse = I, by columns: what is below the diagonal of the inverse stays exactly zero.
static tg_status solve_identity(const tg_dmat *lower, tg_dmat *inverse)
{
  int descl[TG_DESCRIPTOR_LENGTH];
  int desci[TG_DESCRIPTOR_LENGTH];
  const int one = 1;
  const double factor = 1;
  TG_TRY(tg_dmat_descriptor(lower, descl));
  TG_TRY(tg_dmat_descriptor(inverse, desci));
  tg_dmat_eye(1, inverse);
  pdtrsm_("L", "L", "T", "N", &desci[2], &desci[3], &factor, lower->data, &one, &one, descl, inverse->data, &one, &one,
          desci);
  return TG_OK;
}

tg_status tg_root_create(const tg_dmat *s, tg_dmat **root, tg_dmat **inverse)
{
  const tg_grid *grid = s->grid;
  tg_factor *factor = NULL;
  tg_workspace *workspace = NULL;
  *root = NULL;
  *inverse = NULL;
  tg_status status = tg_workspace_create(grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(grid, s->rows, s->rows, root);
  if (status == TG_OK) status = tg_dmat_create(grid, s->rows, s->rows, inverse);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  TG_TRY_GOTO(tg_factor_create(grid, s->rows, &factor));
  TG_TRY_GOTO(tg_factor_cholesky(factor, s));
  clear_above(factor->matrix);
  TG_TRY_GOTO(solve_identity(factor->matrix, *inverse));
  status = tg_dmat_transpose(workspace, 1, factor->matrix, *root);
done:
  tg_factor_destroy(&factor);
  tg_workspace_destroy(&workspace);
  if (status == TG_OK) return TG_OK;
  tg_dmat_destroy(root);
  tg_dmat_destroy(inverse);
  return tg_error_pass(status, TG_HERE);
}
