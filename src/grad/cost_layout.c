// The block-cyclic layout and the panels of products as arithmetic.
#include "grad/cost_layout.h"

#include <inttypes.h>
#include <limits.h>

tg_status tg_cost_check_grid(const tg_cost_grid *grid)
{
  if (grid->rows < 1 || grid->cols < 1 || grid->block < 1 || grid->threads < 1)
    TG_FAIL(TG_VALUE, "a grid of %" PRId64 " x %" PRId64 " ranks with %d threads and blocks of %" PRId64, grid->rows,
            grid->cols, grid->threads, grid->block);
  return TG_OK;
}

tg_cost_gemm tg_cost_gemm_of(const tg_plan *plan, const tg_instr *instr)
{
  const tg_plan_buffer *a = &plan->buffers[instr->in[0]];
  const tg_plan_buffer *out = &plan->buffers[instr->out];
  return (tg_cost_gemm){
      .m = out->rows,
      .n = out->cols,
      .k = instr->trans[0] ? a->rows : a->cols,
      .trans_a = instr->trans[0] && !instr->symmetric[0],
      .trans_b = instr->trans[1] && !instr->symmetric[1],
  };
}

// The smallest of the three matrices is transposed: C, which leaves B A, else A or B, which leaves the other's form.
tg_cost_gemm tg_cost_gemm_turned(const tg_cost_gemm *gemm, int64_t *rows, int64_t *cols)
{
  const double a_size = (double)gemm->m * (double)gemm->k;
  const double b_size = (double)gemm->k * (double)gemm->n;
  const double c_size = (double)gemm->m * (double)gemm->n;
  tg_cost_gemm turned = *gemm;
  if (c_size <= a_size && c_size <= b_size) {
    *rows = gemm->n;
    *cols = gemm->m;
    return (tg_cost_gemm){.m = gemm->n, .n = gemm->m, .k = gemm->k};
  }
  *rows = a_size <= b_size ? gemm->m : gemm->k;
  *cols = a_size <= b_size ? gemm->k : gemm->n;
  turned.trans_a = a_size > b_size;
  turned.trans_b = a_size <= b_size;
  return turned;
}

int64_t tg_cost_share(int64_t n, int64_t block, int64_t p, int64_t np)
{
  const int64_t blocks = n / block; // whole ones
  int64_t share = blocks / np * block;
  if (p < blocks % np) share += block;
  if (p == blocks % np) share += n % block;
  return share;
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

// Whole blocks where they fit, equal parts of a block where they do not; a message must fit MPI's int.
static int64_t panel_width(int64_t wanted, int64_t block, const int64_t lengths[3])
{
  int64_t width = wanted / block * block;
  if (block > wanted) {
    const int64_t parts = (block + wanted - 1) / wanted;
    width = (block + parts - 1) / parts;
  }
  int64_t longest = 1;
  for (int b = 0; b < 3; b++) longest = lengths[b] > longest ? lengths[b] : longest;
  const int64_t most = INT_MAX / longest > 1 ? INT_MAX / longest : 1;
  return width > most ? most : width;
}

// The widths of src/mpi/product_panels.c: of the inner size, of C's rows (A' B) and of C's columns (A B').
tg_cost_panels tg_cost_panels_of(const tg_cost_grid *grid, const tg_cost_gemm *gemm)
{
  enum { WIDTH_INNER = 320, WIDTH_ROWS = 768, WIDTH_COLUMNS = 384 };
  const int64_t block = grid->block;
  tg_cost_panels panels = {0};
  int64_t wanted = WIDTH_INNER;
  if (gemm->trans_a) {
    wanted = WIDTH_ROWS;
    panels.range = gemm->m;
    panels.lengths[0] = tg_cost_share(gemm->k, block, 0, grid->rows);
    panels.lengths[2] = tg_cost_share(gemm->n, block, 0, grid->cols);
  } else if (gemm->trans_b) {
    wanted = WIDTH_COLUMNS;
    panels.range = gemm->n;
    panels.lengths[0] = tg_cost_share(gemm->k, block, 0, grid->cols);
    panels.lengths[2] = tg_cost_share(gemm->m, block, 0, grid->rows);
  } else {
    panels.range = gemm->k;
    panels.lengths[0] = tg_cost_share(gemm->m, block, 0, grid->rows);
    panels.lengths[1] = tg_cost_share(gemm->n, block, 0, grid->cols);
  }
  panels.width = panel_width(wanted, block, panels.lengths);
  return panels;
}
