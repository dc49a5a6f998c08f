// Sums and combinations by groups of columns or rows.
#include "mpi/space/groups.h"

#include "mpi/matrix/reduce.h"

int64_t tg_lines_local(const tg_lines *lines, const tg_dmat *matrix)
{
  return lines->by_rows ? matrix->local_rows : matrix->local_cols;
}

static int group_of(const tg_lines *lines, const tg_dmat *m, int64_t local)
{
  const tg_grid *grid = m->grid;
  const int64_t line = lines->by_rows ? tg_dmat_global_index(local, m->block, grid->row, grid->rows)
                                      : tg_dmat_global_index(local, m->block, grid->col, grid->cols);
  return (int)(line * lines->count / (lines->by_rows ? m->rows : m->cols));
}

// sums[j] = <a, b> in my column j
static void sum_columns(const tg_dmat *a, const tg_dmat *b, double *sums)
{
#pragma omp parallel for schedule(static) if (a->local_rows * a->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < a->local_cols; j++)
    sums[j] = tg_reduce_run_dot(a->data + j * a->ld, b->data + j * b->ld, a->local_rows);
}

// sums[i] = <a, b> in my row i, column after column
static void sum_rows(const tg_dmat *a, const tg_dmat *b, double *sums)
{
#pragma omp parallel for schedule(static) if (a->local_rows * a->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t begin = 0; begin < a->local_rows; begin += TG_SEGMENT_ROWS) {
    const int64_t end = begin + TG_SEGMENT_ROWS < a->local_rows ? begin + TG_SEGMENT_ROWS : a->local_rows;
    for (int64_t i = begin; i < end; i++) sums[i] = 0;
    for (int64_t j = 0; j < a->local_cols; j++)
      for (int64_t i = begin; i < end; i++) sums[i] += a->data[i + j * a->ld] * b->data[i + j * b->ld];
  }
}

void tg_lines_add_dots(const tg_lines *lines, const tg_dmat *a, const tg_dmat *b, double *scratch, double *sums)
{
  (lines->by_rows ? sum_rows : sum_columns)(a, b, scratch);
  for (int64_t k = 0; k < tg_lines_local(lines, a); k++) sums[group_of(lines, a, k)] += scratch[k];
}

void tg_lines_axpby(const tg_lines *lines, const double *a, const tg_dmat *x, const double *b, tg_dmat *y,
                    double *scratch)
{
  const int64_t n = tg_lines_local(lines, y);
  double *as = scratch; // by line
  double *bs = scratch + n;
  for (int64_t k = 0; k < n; k++) {
    as[k] = a[group_of(lines, y, k)];
    bs[k] = b[group_of(lines, y, k)];
  }
#pragma omp parallel for schedule(static) if (y->local_rows * y->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < y->local_cols; j++) {
    const double *from = x->data + j * x->ld;
    double *to = y->data + j * y->ld;
    for (int64_t i = 0; i < y->local_rows; i++) {
      const int64_t k = lines->by_rows ? i : j;
      to[i] = as[k] * from[i] + (bs[k] == 0 ? 0 : bs[k] * to[i]);
    }
  }
}
