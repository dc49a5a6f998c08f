// The numbers of a feasible set that come from data.
#include <inttypes.h>
#include <math.h>

#include "mpi/constraint/constraint.h"
#include "mpi/matrix/dmat_find.h"
#include "mpi/matrix/reduce.h"

// Tolerance of sums of rows and of columns: the rounding of numbers written in decimals.
static const double total_tolerance = 1e-10;

// lows and highs are of equal layout; either may be NULL.
static void compare_bounds(const opt_constraint_block *block, const tg_dmat *layout, tg_found *first)
{
  const tg_dmat *lows = block->lows;
  const tg_dmat *highs = block->highs;
  for (int64_t j = 0; j < layout->local_cols; j++) {
    for (int64_t i = 0; i < layout->local_rows; i++) {
      const double low = lows != NULL ? lows->data[i + j * lows->ld] : block->low;
      const double high = highs != NULL ? highs->data[i + j * highs->ld] : block->high;
      if (low <= high && low < (double)INFINITY && high > -(double)INFINITY) continue;
      tg_found_note(layout, i, j, low, high, first);
    }
  }
}

static tg_status verify_bounds(const tg_grid *grid, const opt_constraint_block *block)
{
  const tg_dmat *layout = block->lows != NULL ? block->lows : block->highs;
  tg_found first = {.place = INT64_MAX};
  if (layout == NULL) return TG_OK;
  compare_bounds(block, layout, &first);
  TG_TRY(tg_found_share(grid, &first));
  if (first.place == INT64_MAX) return TG_OK;
  TG_FAIL(TG_DATA,
          "no matrix is between these bounds: entry (%" PRId64 ",%" PRId64 ") is to be at least %.6g and at most %.6g",
          first.place / layout->cols + 1, first.place % layout->cols + 1, first.values[0], first.values[1]);
}

// sum := that of the entries, none of which may be negative.
static tg_status verify_totals(const tg_grid *grid, const tg_dmat *totals, const char *lines, double *sum)
{
  tg_found first;
  double part = 0;
  for (int64_t j = 0; j < totals->local_cols; j++)
    for (int64_t i = 0; i < totals->local_rows; i++) part += totals->data[i + j * totals->ld];
  TG_TRY(tg_dmat_find_negative(totals, &first));
  if (first.place != INT64_MAX)
    TG_FAIL(TG_DATA, "the sum of %s %" PRId64 " is to be %.6g, expected a number that is not negative", lines,
            first.place + 1, first.values[0]);
  return tg_reduce_sum(grid, 1, &part, sum);
}

tg_status tg_constraint_verify(const tg_grid *grid, const opt_constraint_block *block, int64_t rows, int64_t cols)
{
  double sums[2] = {0, 0};
  TG_TRY(verify_bounds(grid, block));
  if (block->row_totals != NULL) TG_TRY(verify_totals(grid, block->row_totals, "row", &sums[0]));
  if (block->column_totals != NULL) TG_TRY(verify_totals(grid, block->column_totals, "column", &sums[1]));
  if (block->kind != OPT_CONSTRAINT_TRANSPORT) return TG_OK;
  if (!(fabs(sums[0] - sums[1]) <= total_tolerance * fmax(sums[0], sums[1])))
    TG_FAIL(TG_DATA,
            "no %" PRId64 " x %" PRId64 " matrix has these sums: those of the rows add up to %.12g, those of the "
            "columns to %.12g",
            rows, cols, sums[0], sums[1]);
  return TG_OK;
}
