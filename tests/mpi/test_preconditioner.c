// The diagonal preconditioner: entry by entry division over several blocks; entries that are not positive refused.
#include <math.h>

#include "check.h"
#include "mpi/space/preconditioner.h"
#include "mpi/space/space.h"

static void test_division(const tg_grid *grid)
{
  const int64_t rows[2] = {7, 3};
  const int64_t cols[2] = {4, 5};
  tg_dmat *diagonals[2] = {check_matrix(grid, 7, 4, 1), check_matrix(grid, 3, 5, 2)};
  opt_space *space = NULL;
  opt_point *r = NULL;
  opt_point *z = NULL;
  tg_diagonal *preconditioner = NULL;
  for (int k = 0; k < 2; k++) {
    double *entries = check_gather(diagonals[k]);
    for (int64_t e = 0; e < rows[k] * cols[k]; e++) entries[e] = 1 + (double)e;
    tg_dmat_scatter_small(entries, diagonals[k]);
    tg_free(entries);
  }
  REQUIRE_OK(tg_space_create(grid, 2, rows, cols, &space));
  REQUIRE_OK(space->ops->create(space, &r));
  REQUIRE_OK(space->ops->create(space, &z));
  REQUIRE_OK(space->ops->random(space, 4, r));
  REQUIRE_OK(tg_diagonal_create(grid, 2, (const tg_dmat *const *)diagonals, &preconditioner));
  REQUIRE_OK(tg_diagonal_apply(preconditioner, r, z));
  for (int k = 0; k < 2; k++) {
    double *expected = check_gather(tg_space_block(r, k));
    for (int64_t e = 0; e < rows[k] * cols[k]; e++) expected[e] /= 1 + (double)e;
    CHECK_MATRIX(tg_space_block(z, k), expected, 0, "r ./ d");
    tg_free(expected);
  }
  tg_diagonal_destroy(&preconditioner);
  space->ops->destroy(space, &z);
  space->ops->destroy(space, &r);
  tg_space_destroy(&space);
  for (int k = 0; k < 2; k++) tg_dmat_destroy(&diagonals[k]);
}

// One entry of one rank decides for all.
static void test_refusals(const tg_grid *grid)
{
  const double wrong[4] = {0, -2, check_nan(), 1e-30};
  for (int k = 0; k < 4; k++) {
    tg_dmat *diagonal = check_matrix(grid, 5, 5, 1);
    double *entries = check_gather(diagonal);
    for (int64_t e = 0; e < 25; e++) entries[e] = e == 17 ? wrong[k] : 1;
    tg_dmat_scatter_small(entries, diagonal);
    tg_diagonal *preconditioner = NULL;
    CHECK_FAILS(tg_diagonal_create(grid, 1, (const tg_dmat *const[]){diagonal}, &preconditioner), TG_NUMERIC,
                "expected positive entries");
    CHECK(preconditioner == NULL, "something is left after a failure");
    tg_free(entries);
    tg_dmat_destroy(&diagonal);
  }
}

enum { ROWS = 7, COLS = 4 };

// Entries of a diagonal: of both signs, one of them 0, one infinite; `size` is what stands for them.
static double entry_of(int64_t e)
{
  return e == 5 ? 0 : e == 9 ? HUGE_VAL : (e % 2 == 0 ? 1 : -1) * (1 + (double)e);
}

static double size_of(int64_t e)
{
  return e == 5 || e == 9 ? ROWS * COLS : fabs(entry_of(e));
}

// z sums to zero on each line, and z .* size differs from r by one number a line.
static void check_lines(const tg_dmat *z, const double *r, bool by_rows)
{
  double *found = check_gather(z);
  for (int64_t line = 0; line < (by_rows ? ROWS : COLS); line++) {
    double sum = 0;
    double shift = 0;
    for (int64_t k = 0; k < (by_rows ? COLS : ROWS); k++) {
      const int64_t e = by_rows ? line + k * ROWS : k + line * ROWS;
      const double rest = r[e] - found[e] * size_of(e);
      sum += found[e];
      if (k == 0) shift = rest;
      CHECK(fabs(rest - shift) <= 1e-12, "line %d: %g is taken off, expected %g", (int)line, rest, shift);
    }
    CHECK(fabs(sum) <= 1e-14, "line %d sums to %g", (int)line, sum);
  }
  tg_free(found);
}

static void test_any_signs(const tg_grid *grid)
{
  tg_dmat *d = check_matrix(grid, ROWS, COLS, 1);
  tg_dmat *r = check_matrix(grid, ROWS, COLS, 2);
  tg_dmat *z = check_matrix(grid, ROWS, COLS, 3);
  double *entries = check_gather(d);
  double *expected = check_gather(r);
  double *given = check_gather(r);
  for (int64_t e = 0; e < ROWS * COLS; e++) entries[e] = entry_of(e);
  for (int64_t e = 0; e < ROWS * COLS; e++) expected[e] /= size_of(e);
  tg_dmat_scatter_small(entries, d);
  REQUIRE_OK(tg_diagonal_divide(d, r, z));
  CHECK_MATRIX(z, expected, 0, "r ./ |d|");
  for (int by_rows = 0; by_rows < 2; by_rows++) {
    REQUIRE_OK(tg_diagonal_divide_lines(d, by_rows == 1, r, z));
    check_lines(z, given, by_rows == 1);
  }
  tg_free(given);
  tg_free(expected);
  tg_free(entries);
  tg_dmat_destroy(&z);
  tg_dmat_destroy(&r);
  tg_dmat_destroy(&d);
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_division);
  check_on_grids(blocks, test_refusals);
  check_on_grids(blocks, test_any_signs);
}

CHECK_PROGRAM(program_preconditioner, run)
