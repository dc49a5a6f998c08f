// The block-cyclic layout as arithmetic.
#include "grad/plan/cost_layout.h"

#include <inttypes.h>

tg_status tg_cost_check_grid(const tg_cost_grid *grid)
{
  if (grid->rows < 1 || grid->cols < 1 || grid->block < 1 || grid->threads < 1)
    TG_FAIL(TG_VALUE, "a grid of %" PRId64 " x %" PRId64 " ranks with %d threads and blocks of %" PRId64, grid->rows,
            grid->cols, grid->threads, grid->block);
  return TG_OK;
}

int64_t tg_cost_share(int64_t n, int64_t block, int64_t p, int64_t np)
{
  const int64_t blocks = n / block; // whole ones
  int64_t share = blocks / np * block;
  if (p < blocks % np) share += block;
  if (p == blocks % np) share += n % block;
  return share;
}

double tg_cost_local_entries(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  return tg_cost_area(tg_cost_share(rows, grid->block, 0, grid->rows), tg_cost_share(cols, grid->block, 0, grid->cols));
}

// Long columns are padded to cache lines, and off the powers of two.
static int64_t leading_dimension(int64_t local_rows)
{
  enum { LINE = 8, PADDED_FROM = 256, WORST = 512 };
  if (local_rows < PADDED_FROM) return local_rows > 0 ? local_rows : 1;
  const int64_t rounded = (local_rows + LINE - 1) / LINE * LINE;
  return rounded % WORST == 0 ? rounded + LINE : rounded;
}

double tg_cost_most_entries(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  return (double)leading_dimension(tg_cost_share(rows, grid->block, 0, grid->rows)) *
         (double)tg_cost_share(cols, grid->block, 0, grid->cols);
}

double tg_cost_ranks(const tg_cost_grid *grid)
{
  return (double)grid->rows * (double)grid->cols;
}

double tg_cost_area(int64_t rows, int64_t cols)
{
  return (double)rows * (double)cols;
}

double tg_cost_tree_depth(int64_t n)
{
  double depth = 0;
  for (int64_t reached = 1; reached < n; reached *= 2) depth++;
  return depth;
}
