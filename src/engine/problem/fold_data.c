// The numbers of a fold, and of what is left without it.
#include "engine/problem/fold_data.h"

#include "base/memory.h"
#include "engine/model/folds.h"
#include "mpi/matrix/dmat_ops.h"

// ---- rows and columns ----

// The new numbers of those that are taken; *n is how many they are.
static tg_status number(const tg_folds *folds, int fold, bool is_score, int64_t length, int64_t *to, int64_t *n)
{
  int *fold_of = NULL;
  TG_TRY(TG_NEW(length, &fold_of));
  const tg_status status = tg_folds_assign(folds, length, fold_of);
  *n = 0;
  for (int64_t k = 0; k < length && status == TG_OK; k++) to[k] = (fold_of[k] == fold) == is_score ? (*n)++ : -1;
  tg_free(fold_of);
  return status;
}

static tg_status take_lines(const tg_folds *folds, int fold, bool is_score, const tg_dmat *whole, tg_dmat **out)
{
  const bool is_columns = folds->kind == TG_FOLD_COLUMNS;
  const int64_t length = is_columns ? whole->cols : whole->rows;
  int64_t *to = NULL;
  int64_t n = 0;
  tg_status status = TG_NEW(length, &to);
  if (status == TG_OK) status = number(folds, fold, is_score, length, to, &n);
  if (status == TG_OK)
    status = tg_dmat_create(whole->grid, is_columns ? whole->rows : n, is_columns ? n : whole->cols, out);
  status = tg_agree(whole->grid->comm, status);
  if (status == TG_OK) status = tg_dmat_select(whole, is_columns, to, *out);
  tg_free(to);
  return status;
}

// ---- entries ----

static tg_status take_entries(const tg_folds *folds, int fold, bool is_score, const tg_dmat *whole, tg_dmat **out)
{
  const tg_grid *grid = whole->grid;
  int64_t counts[2] = {0, 0}; // entries that are not zero: of the fold, of the others
  TG_TRY(tg_agree(grid->comm, tg_dmat_create(grid, whole->rows, whole->cols, out)));
  for (int64_t j = 0; j < whole->local_cols; j++)
    for (int64_t i = 0; i < whole->local_rows; i++) {
      const double value = whole->data[i + j * whole->ld];
      const bool is_in = tg_fold_of_entry(folds, whole->rows, tg_layout_global(i, whole->block, grid->row, grid->rows),
                                          tg_layout_global(j, whole->block, grid->col, grid->cols)) == fold;
      if (is_in == is_score) (*out)->data[i + j * (*out)->ld] = value;
      if (value != 0) counts[is_in ? 0 : 1]++;
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT64_T, MPI_SUM, grid->comm));
  if (counts[0] == 0 || counts[1] == 0)
    TG_FAIL_MARK(TG_DATA, folds->n_mark,
                 "folds: of the %lld entries that are not zero none is in fold %d of %d, or all are: take fewer folds",
                 (long long)(counts[0] + counts[1]), fold, folds->n);
  return TG_OK;
}

tg_status tg_fold_take(const tg_folds *folds, int fold, bool is_score, const tg_dmat *whole, tg_dmat **out)
{
  *out = NULL;
  const tg_status status = folds->kind == TG_FOLD_ENTRIES ? take_entries(folds, fold, is_score, whole, out)
                                                          : take_lines(folds, fold, is_score, whole, out);
  if (status != TG_OK) tg_dmat_destroy(out);
  return status;
}
