// Sums and combinations by groups of columns or rows.
#include "mpi/space/groups.h"

#include "mpi/matrix/reduce.h"

// Lines of the matrix that have entries on this rank.
static int64_t local_lines(const tg_lines *lines, const tg_dmat *matrix)
{
  return lines->by_rows ? matrix->local_rows : matrix->local_cols;
}

static int group_of(const tg_lines *lines, const tg_dmat *m, int64_t local)
{
  const tg_grid *grid = m->grid;
  const int64_t line = lines->by_rows ? tg_layout_global(local, m->block, grid->row, grid->rows)
                                      : tg_layout_global(local, m->block, grid->col, grid->cols);
  return (int)(line * lines->count / (lines->by_rows ? m->rows : m->cols));
}

// sums[d * columns + j] = <a[d], b[d]> in my column j, which stays in the cache for all d.
static void sum_columns(int n, const tg_dmat *const *a, const tg_dmat *const *b, double *sums)
{
  const int64_t rows = a[0]->local_rows;
  const int64_t columns = a[0]->local_cols;
#pragma omp parallel for schedule(static) if (rows * columns >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < columns; j++)
    for (int d = 0; d < n; d++)
      sums[d * columns + j] = tg_reduce_run_dot(a[d]->data + j * a[d]->ld, b[d]->data + j * b[d]->ld, rows);
}

// sums[d * rows + i] = <a[d], b[d]> in my row i, column after column.
static void sum_rows(int n, const tg_dmat *const *a, const tg_dmat *const *b, double *sums)
{
  const int64_t rows = a[0]->local_rows;
  const int64_t columns = a[0]->local_cols;
#pragma omp parallel for schedule(static) if (rows * columns >= TG_PARALLEL_ENTRIES)
  for (int64_t begin = 0; begin < rows; begin += TG_SEGMENT_ROWS) {
    const int64_t end = begin + TG_SEGMENT_ROWS < rows ? begin + TG_SEGMENT_ROWS : rows;
    for (int d = 0; d < n; d++)
      for (int64_t i = begin; i < end; i++) sums[d * rows + i] = 0;
    for (int64_t j = 0; j < columns; j++)
      for (int d = 0; d < n; d++) {
        const double *x = a[d]->data + j * a[d]->ld;
        const double *y = b[d]->data + j * b[d]->ld;
        for (int64_t i = begin; i < end; i++) sums[d * rows + i] += x[i] * y[i];
      }
  }
}

void tg_lines_add_dots(const tg_lines *lines, int n, const tg_dmat *const *a, const tg_dmat *const *b, double *scratch,
                       int stride, double *sums)
{
  const int64_t mine = local_lines(lines, a[0]);
  (lines->by_rows ? sum_rows : sum_columns)(n, a, b, scratch);
  for (int64_t k = 0; k < mine; k++) {
    const int q = group_of(lines, a[0], k);
    for (int64_t d = 0; d < n; d++) sums[d * stride + q] += scratch[d * mine + k];
  }
}

// y := a x + b y along a column, b = 0 does not read y.
static void combine_column(double a, const double *x, double b, double *y, int64_t rows)
{
  if (b == 0)
    for (int64_t i = 0; i < rows; i++) y[i] = a * x[i];
  else
    for (int64_t i = 0; i < rows; i++) y[i] = a * x[i] + b * y[i];
}

// The same with numbers for each row.
static void combine_rows(const double *a, const double *x, const double *b, double *y, int64_t rows)
{
  for (int64_t i = 0; i < rows; i++) y[i] = a[i] * x[i] + (b[i] == 0 ? 0 : b[i] * y[i]);
}

void tg_lines_axpby(const tg_lines *lines, const double *a, const tg_dmat *x, const double *b, tg_dmat *y,
                    double *scratch)
{
  const int64_t n = local_lines(lines, y);
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
    if (lines->by_rows)
      combine_rows(as, from, bs, to, y->local_rows);
    else
      combine_column(as[j], from, bs[j], to, y->local_rows);
  }
}
