// The diagonal preconditioner: entry by entry division over several blocks; entries that are not positive refused.
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
  CHECK(tg_diagonal_spread(preconditioner) == 28, "spread %g, expected 28", tg_diagonal_spread(preconditioner));
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
  const double wrong[3] = {0, -2, check_nan()};
  for (int k = 0; k < 3; k++) {
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

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_division);
  check_on_grids(blocks, test_refusals);
}

CHECK_PROGRAM(program_preconditioner, run)
