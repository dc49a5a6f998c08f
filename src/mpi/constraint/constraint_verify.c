// The numbers of a feasible set that come from data.
#include <inttypes.h>
#include <math.h>

#include "mpi/constraint/constraint.h"
#include "mpi/matrix/reduce.h"

// Of sums of rows and of columns: the rounding of numbers written in decimals.
static const double total_tolerance = 1e-10;

// The first offender of a rank in row-major order.
typedef struct offence {
  int64_t place; // row * columns + column; INT64_MAX: none
  double values[2];
} offence;

static void note(offence *first, int64_t place, double a, double b)
{
  if (place < first->place) *first = (offence){.place = place, .values = {a, b}};
}

// The first over all ranks, on all ranks.
static tg_status find_first(const tg_grid *grid, offence *first)
{
  int64_t place = 0;
  TG_TRY_MPI(MPI_Allreduce(&first->place, &place, 1, MPI_INT64_T, MPI_MIN, grid->comm));
  if (place == INT64_MAX) return TG_OK;
  int owner = first->place == place ? grid->rank : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &owner, 1, MPI_INT, MPI_MAX, grid->comm));
  first->place = place;
  return tg_mpi_check(MPI_Bcast(first->values, 2, MPI_DOUBLE, owner, grid->comm), TG_HERE);
}

// lows and highs are of equal layout; either may be NULL.
static void compare_bounds(const opt_constraint_block *block, const tg_dmat *layout, offence *first)
{
  const tg_dmat *lows = block->lows;
  const tg_dmat *highs = block->highs;
  const tg_grid *grid = layout->grid;
  for (int64_t j = 0; j < layout->local_cols; j++) {
    for (int64_t i = 0; i < layout->local_rows; i++) {
      const double low = lows != NULL ? lows->data[i + j * lows->ld] : block->low;
      const double high = highs != NULL ? highs->data[i + j * highs->ld] : block->high;
      if (low <= high && low < (double)INFINITY && high > -(double)INFINITY) continue;
      note(first,
           tg_dmat_global_index(i, layout->block, grid->row, grid->rows) * layout->cols +
               tg_dmat_global_index(j, layout->block, grid->col, grid->cols),
           low, high);
    }
  }
}

static tg_status verify_bounds(const tg_grid *grid, const opt_constraint_block *block)
{
  const tg_dmat *layout = block->lows != NULL ? block->lows : block->highs;
  offence first = {.place = INT64_MAX};
  if (layout == NULL) return TG_OK;
  compare_bounds(block, layout, &first);
  TG_TRY(find_first(grid, &first));
  if (first.place == INT64_MAX) return TG_OK;
  TG_FAIL(TG_DATA,
          "no matrix is between these bounds: entry (%" PRId64 ",%" PRId64 ") is to be at least %.6g and at most %.6g",
          first.place / layout->cols + 1, first.place % layout->cols + 1, first.values[0], first.values[1]);
}

// sum := that of the entries, none of which may be negative.
static tg_status verify_totals(const tg_grid *grid, const tg_dmat *totals, const char *lines, double *sum)
{
  offence first = {.place = INT64_MAX};
  double part = 0;
  for (int64_t j = 0; j < totals->local_cols; j++) {
    for (int64_t i = 0; i < totals->local_rows; i++) {
      const double value = totals->data[i + j * totals->ld];
      part += value;
      if (!(value >= 0))
        note(&first,
             tg_dmat_global_index(i, totals->block, grid->row, grid->rows) * totals->cols +
                 tg_dmat_global_index(j, totals->block, grid->col, grid->cols),
             value, 0);
    }
  }
  TG_TRY(find_first(grid, &first));
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
