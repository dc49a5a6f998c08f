// Block-cyclic matrices: life, descriptors, small gathers.
#include "mpi/matrix/dmat.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/scalapack_abi.h"

// --- life --------------------------------------------------------------------------------------------

// Long columns start on cache lines, and not all on the same sets of the cache, which a leading dimension
// of a power of two would cause. Short ones stay dense: a vector must not take eight times its size.
int64_t tg_dmat_leading_dimension(int64_t local_rows)
{
  enum { LINE = 8, PADDED_FROM = 256, WORST = 512 };
  if (local_rows < PADDED_FROM) return local_rows > 0 ? local_rows : 1;
  const int64_t rounded = (local_rows + LINE - 1) / LINE * LINE;
  return rounded % WORST == 0 ? rounded + LINE : rounded;
}

bool tg_dmat_is_long(int64_t local_rows)
{
  return tg_dmat_leading_dimension(local_rows) == local_rows;
}

void tg_dmat_copy_run(const tg_dmat *m, int64_t begin, int64_t count, double *out)
{
  for (int64_t done = 0; done < count;) {
    const int64_t i = (begin + done) % m->local_rows;
    const int64_t rest = m->local_rows - i < count - done ? m->local_rows - i : count - done;
    memcpy(out + done, m->data + i + (begin + done) / m->local_rows * m->ld, (size_t)rest * sizeof(double));
    done += rest;
  }
}

void tg_dmat_view(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block, double *data, tg_dmat *out)
{
  *out = (tg_dmat){.grid = grid, .rows = rows, .cols = cols, .block = block, .data = data};
  out->local_rows = tg_layout_count(rows, block, grid->row, grid->rows);
  out->local_cols = tg_layout_count(cols, block, grid->col, grid->cols);
  out->ld = tg_dmat_leading_dimension(out->local_rows);
}

int64_t tg_dmat_local_entries(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block)
{
  tg_dmat view;
  tg_dmat_view(grid, rows, cols, block, NULL, &view);
  return view.ld * view.local_cols;
}

int64_t tg_dmat_most_entries(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block)
{
  return tg_dmat_leading_dimension(tg_layout_count(rows, block, 0, grid->rows)) *
         tg_layout_count(cols, block, 0, grid->cols);
}

// The thread that will work on a column touches it first, so that its pages lie near it.
static void zero_columns(tg_dmat *matrix)
{
  const int64_t cols = matrix->local_cols;
  const int64_t ld = matrix->ld;
  double *data = matrix->data;
#pragma omp parallel for schedule(static) if (cols * ld >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < cols; j++) memset(data + j * ld, 0, (size_t)ld * sizeof(double));
}

tg_status tg_dmat_create_block(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block, tg_dmat **out)
{
  *out = NULL;
  if (rows < 1 || cols < 1)
    TG_FAIL(TG_SHAPE, "a matrix needs at least one row and one column, got %" PRId64 " x %" PRId64, rows, cols);
  if (block < 1) TG_FAIL(TG_VALUE, "the block size is %" PRId64 ", it must be at least 1", block);
  tg_dmat *matrix = NULL;
  tg_status status = TG_OK;
  TG_TRY_GOTO(TG_NEW(1, &matrix));
  tg_dmat_view(grid, rows, cols, block, NULL, matrix);
  int64_t entries = 0;
  TG_TRY_GOTO(tg_size_mul(matrix->ld, matrix->local_cols, &entries));
  TG_TRY_GOTO(tg_alloc_numbers(entries, &matrix->data));
  matrix->owns_data = true;
  zero_columns(matrix);
  *out = matrix;
  return TG_OK;
done:
  tg_free(matrix);
  return status;
}

tg_status tg_dmat_create(const tg_grid *grid, int64_t rows, int64_t cols, tg_dmat **out)
{
  return tg_dmat_create_block(grid, rows, cols, grid->block, out);
}

void tg_dmat_destroy(tg_dmat **matrix)
{
  if (*matrix == NULL) return;
  if ((*matrix)->holders > 0) {
    (*matrix)->holders--;
    *matrix = NULL;
    return;
  }
  if ((*matrix)->owns_data) tg_free((*matrix)->data);
  tg_free(*matrix);
  *matrix = NULL;
}

tg_dmat *tg_dmat_hold(tg_dmat *matrix)
{
  matrix->holders++;
  return matrix;
}

// --- relations ---------------------------------------------------------------------------------------

tg_status tg_dmat_descriptor(const tg_dmat *matrix, int descriptor[TG_DESCRIPTOR_LENGTH])
{
  descriptor[0] = 1; // dense
  descriptor[1] = matrix->grid->context;
  TG_TRY(tg_abi_int(matrix->rows, "the number of rows", &descriptor[2]));
  TG_TRY(tg_abi_int(matrix->cols, "the number of columns", &descriptor[3]));
  TG_TRY(tg_abi_int(matrix->block, "the block size", &descriptor[4]));
  descriptor[5] = descriptor[4];
  descriptor[6] = 0; // the first block lives on process (0, 0)
  descriptor[7] = 0;
  // Grid row 0 has the longest columns: judging by it, all ranks agree on whether they fit.
  int longest = 0;
  const int64_t most = tg_layout_count(matrix->rows, matrix->block, 0, matrix->grid->rows);
  TG_TRY(tg_abi_int(tg_dmat_leading_dimension(most), "the leading dimension", &longest));
  TG_TRY(tg_abi_int(matrix->ld, "the leading dimension", &descriptor[8]));
  return TG_OK;
}

bool tg_dmat_is_aligned(const tg_dmat *a, const tg_dmat *b)
{
  return a->grid == b->grid && a->block == b->block;
}

bool tg_dmat_same_shape(const tg_dmat *a, const tg_dmat *b)
{
  return a->rows == b->rows && a->cols == b->cols;
}

// --- small gathers -----------------------------------------------------------------------------------

tg_status tg_dmat_gather_columns(const tg_dmat *matrix, int64_t begin, int64_t end, double *out)
{
  const tg_grid *grid = matrix->grid;
  const int64_t rows = matrix->rows;
  int64_t entries = 0;
  int count = 0;
  TG_TRY(tg_size_mul(rows, end - begin, &entries));
  TG_TRY(tg_abi_int(entries, "the number of entries to gather", &count));
  memset(out, 0, (size_t)entries * sizeof(double));
  const int64_t last = tg_layout_count(end, matrix->block, grid->col, grid->cols);
  for (int64_t lj = tg_layout_count(begin, matrix->block, grid->col, grid->cols); lj < last; lj++) {
    const int64_t j = tg_layout_global(lj, matrix->block, grid->col, grid->cols);
    for (int64_t li = 0; li < matrix->local_rows; li++)
      out[tg_layout_global(li, matrix->block, grid->row, grid->rows) + (j - begin) * rows] =
          matrix->data[li + lj * matrix->ld];
  }
  // Each entry is nonzero on its owner only: a bitwise "or" moves it exactly, signs of zero and NaN included.
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, out, count, MPI_UINT64_T, MPI_BOR, grid->comm));
  return TG_OK;
}

tg_status tg_dmat_gather_small(const tg_dmat *matrix, double *out)
{
  int64_t entries = 0;
  TG_TRY(tg_size_mul(matrix->rows, matrix->cols, &entries));
  if (entries > TG_DMAT_GATHER_LIMIT)
    TG_FAIL(TG_LIMIT, "%" PRId64 " x %" PRId64 " entries are too many to gather on one rank, at most %d", matrix->rows,
            matrix->cols, TG_DMAT_GATHER_LIMIT);
  return tg_dmat_gather_columns(matrix, 0, matrix->cols, out);
}

void tg_dmat_scatter_small(const double *in, tg_dmat *matrix)
{
  const tg_grid *grid = matrix->grid;
  for (int64_t lj = 0; lj < matrix->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, matrix->block, grid->col, grid->cols);
    for (int64_t li = 0; li < matrix->local_rows; li++)
      matrix->data[li + lj * matrix->ld] =
          in[tg_layout_global(li, matrix->block, grid->row, grid->rows) + j * matrix->rows];
  }
}
