// The vector space of points on distributed matrices: laws of its operations, layouts, faults.
#include "check.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

enum { BLOCKS = 2, POINTS = 3 };
static const int64_t rows[BLOCKS] = {9, 1};
static const int64_t cols[BLOCKS] = {5, 4};

static void fill(opt_point *x, uint64_t seed)
{
  for (int k = 0; k < BLOCKS; k++) {
    double *a = check_array(rows[k], cols[k], seed + (uint64_t)k);
    tg_dmat_scatter_small(a, tg_space_block(x, k));
    tg_free(a);
  }
}

// Block k must hold what(entry of seed x, entry of seed y).
static void check_entries(const opt_point *point, double (*what)(double, double), const char *name)
{
  for (int k = 0; k < BLOCKS; k++) {
    double *x = check_array(rows[k], cols[k], 10 + (uint64_t)k);
    double *y = check_array(rows[k], cols[k], 20 + (uint64_t)k);
    for (int64_t e = 0; e < rows[k] * cols[k]; e++) x[e] = what(x[e], y[e]);
    CHECK_MATRIX(tg_space_block(point, k), x, 1e-15, name);
    tg_free(x);
    tg_free(y);
  }
}

static double first(double x, double y)
{
  (void)y;
  return x;
}

static double sum_2_3(double x, double y)
{
  return 2 * x + 3 * y;
}

static double times(double x, double y)
{
  return x * y;
}

static double over(double x, double y)
{
  return x / y;
}

static void test_operations(const opt_space *space, opt_point *const p[POINTS])
{
  fill(p[0], 10);
  fill(p[1], 20);
  REQUIRE_OK(space->ops->copy(space, p[0], p[2]));
  check_entries(p[2], first, "copy");
  REQUIRE_OK(space->ops->copy(space, p[1], p[2]));
  REQUIRE_OK(space->ops->axpby(space, 2, p[0], 3, p[2]));
  check_entries(p[2], sum_2_3, "axpby");
  for (int k = 0; k < BLOCKS; k++) { // b = 0 does not read y
    tg_dmat *m = tg_space_block(p[2], k);
    for (int64_t e = 0; e < m->ld * m->local_cols; e++) m->data[e] = check_nan();
  }
  REQUIRE_OK(space->ops->axpby(space, 1, p[0], 0, p[2]));
  check_entries(p[2], first, "axpby with b = 0");
  REQUIRE_OK(space->ops->scale_entries(space, p[1], p[2]));
  check_entries(p[2], times, "scale_entries");
  REQUIRE_OK(space->ops->copy(space, p[0], p[2]));
  REQUIRE_OK(space->ops->divide_entries(space, p[1], p[2]));
  check_entries(p[2], over, "divide_entries");
}

static void test_dots(const opt_space *space, opt_point *const p[POINTS])
{
  fill(p[0], 10);
  fill(p[1], 20);
  const opt_point *const left[2] = {p[0], p[0]};
  const opt_point *const right[2] = {p[1], p[0]};
  double found[2] = {0};
  double expected[2] = {0};
  REQUIRE_OK(space->ops->dots(space, 2, left, right, found));
  for (int k = 0; k < BLOCKS; k++) {
    double *x = check_array(rows[k], cols[k], 10 + (uint64_t)k);
    double *y = check_array(rows[k], cols[k], 20 + (uint64_t)k);
    for (int64_t e = 0; e < rows[k] * cols[k]; e++) {
      expected[0] += x[e] * y[e];
      expected[1] += x[e] * x[e];
    }
    tg_free(x);
    tg_free(y);
  }
  CHECK(check_distance(found, expected, 2) < 1e-14, "%.17g and %.17g", found[0], found[1]);
  double again[2] = {0};
  REQUIRE_OK(space->ops->dots(space, 2, left, right, again));
  CHECK(memcmp(found, again, sizeof again) == 0, "same bits again");
  // Many at once, in batches, each as it is alone.
  enum { MANY = 19 };
  const opt_point *a[MANY];
  const opt_point *b[MANY];
  double all[MANY] = {0};
  for (int d = 0; d < MANY; d++) {
    a[d] = p[0];
    b[d] = p[d % 3 == 0 ? 1 : 0];
  }
  REQUIRE_OK(space->ops->dots(space, MANY, a, b, all));
  for (int d = 0; d < MANY; d++)
    CHECK(all[d] == found[d % 3 == 0 ? 0 : 1], "product %d of many is %.17g, alone %.17g", d, all[d],
          found[d % 3 != 0]);
}

// Equal to what a single rank makes; other seeds and other blocks give other numbers.
static void test_random(const opt_space *space, opt_point *const p[POINTS])
{
  tg_grid *alone = NULL;
  opt_space *one = NULL;
  opt_point *x = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_SELF, 1, 1, 64, &alone));
  REQUIRE_OK(tg_space_create(alone, BLOCKS, rows, cols, &one));
  REQUIRE_OK(one->ops->create(one, &x));
  REQUIRE_OK(one->ops->random(one, 99, x));
  REQUIRE_OK(space->ops->random(space, 99, p[0]));
  REQUIRE_OK(space->ops->random(space, 100, p[1]));
  double corner[BLOCKS + 1];
  for (int k = 0; k < BLOCKS; k++) {
    double *expected = check_gather(tg_space_block(x, k));
    CHECK_MATRIX(tg_space_block(p[0], k), expected, 0, "random");
    corner[k] = expected[0];
    tg_free(expected);
  }
  double *other = check_gather(tg_space_block(p[1], 0));
  corner[BLOCKS] = other[0];
  tg_free(other);
  CHECK(corner[0] != corner[1], "blocks differ: %g", corner[0]);
  CHECK(corner[0] != corner[2], "seeds differ: %g", corner[0]);
  one->ops->destroy(one, &x);
  tg_space_destroy(&one);
  tg_grid_destroy(&alone);
}

static void test_space(const tg_grid *grid)
{
  opt_space *space = NULL;
  REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &space));
  CHECK(space->n_blocks == 2 && space->dimension == 49, "dimension %" PRId64, space->dimension);
  opt_point *p[POINTS];
  for (int k = 0; k < POINTS; k++) REQUIRE_OK(space->ops->create(space, &p[k]));
  const opt_point *const fresh[1] = {p[0]};
  double zero = -1;
  REQUIRE_OK(space->ops->dots(space, 1, fresh, fresh, &zero));
  CHECK(zero == 0, "a new point is zero, its square is %g", zero);
  test_operations(space, p);
  test_dots(space, p);
  test_random(space, p);
  opt_point *view = NULL;
  REQUIRE_OK(tg_space_view(tg_space_block(p[0], 1), &view));
  CHECK(tg_space_blocks(view) == 1 && tg_space_blocks(p[0]) == BLOCKS, "a view has one block");
  CHECK(tg_space_block(view, 0) == tg_space_block(p[0], 1), "a view shows the matrix itself");
  tg_space_view_destroy(&view);
  CHECK(view == NULL, "a view is destroyed, the matrix stays");
  for (int k = 0; k < POINTS; k++) space->ops->destroy(space, &p[k]);
  tg_space_destroy(&space);
}

// ---- groups: column q of the first matrix and row q of the second ----

enum { GROUPS = 5 };
static const int64_t group_rows[BLOCKS] = {9, GROUPS};
static const int64_t group_cols[BLOCKS] = {GROUPS, 3};
static const bool group_by_rows[BLOCKS] = {false, true};

// Group of entry e of block k.
static int64_t group_of(int k, int64_t e)
{
  return group_by_rows[k] ? e % group_rows[k] : e / group_rows[k];
}

static void fill_grouped(opt_point *x, uint64_t seed)
{
  for (int k = 0; k < BLOCKS; k++) {
    double *a = check_array(group_rows[k], group_cols[k], seed + (uint64_t)k);
    tg_dmat_scatter_small(a, tg_space_block(x, k));
    tg_free(a);
  }
}

static void test_group_dots(const opt_space *space, opt_point *const p[POINTS])
{
  const opt_point *const left[2] = {p[0], p[1]};
  const opt_point *const right[2] = {p[1], p[1]};
  double found[2 * GROUPS] = {0};
  double again[2 * GROUPS] = {0};
  double expected[2 * GROUPS] = {0};
  for (int k = 0; k < BLOCKS; k++) {
    double *x = check_array(group_rows[k], group_cols[k], 10 + (uint64_t)k);
    double *y = check_array(group_rows[k], group_cols[k], 20 + (uint64_t)k);
    for (int64_t e = 0; e < group_rows[k] * group_cols[k]; e++) {
      expected[group_of(k, e)] += x[e] * y[e];
      expected[GROUPS + group_of(k, e)] += y[e] * y[e];
    }
    tg_free(x);
    tg_free(y);
  }
  REQUIRE_OK(space->ops->group_dots(space, 2, left, right, found));
  CHECK(check_distance(found, expected, 2 * GROUPS) < 1e-14, "group 0: %.17g and %.17g", found[0], expected[0]);
  REQUIRE_OK(space->ops->group_dots(space, 2, left, right, again));
  CHECK(memcmp(found, again, sizeof again) == 0, "same bits again");
}

static void test_group_axpby(const opt_space *space, opt_point *const p[POINTS])
{
  const double a[GROUPS] = {1, -2, 0.5, 0, 3};
  const double b[GROUPS] = {2, 1, 0, 4, -1};
  double *expected[BLOCKS];
  for (int k = 0; k < BLOCKS; k++) {
    double *y = check_array(group_rows[k], group_cols[k], 20 + (uint64_t)k);
    expected[k] = check_array(group_rows[k], group_cols[k], 10 + (uint64_t)k);
    for (int64_t e = 0; e < group_rows[k] * group_cols[k]; e++) {
      const int64_t q = group_of(k, e);
      expected[k][e] = a[q] * expected[k][e] + b[q] * y[e];
      if (b[q] == 0) y[e] = check_nan(); // is not read
    }
    tg_dmat_scatter_small(y, tg_space_block(p[1], k));
    tg_free(y);
  }
  REQUIRE_OK(space->ops->group_axpby(space, a, p[0], b, p[1]));
  for (int k = 0; k < BLOCKS; k++) {
    CHECK_MATRIX(tg_space_block(p[1], k), expected[k], 1e-15, "group_axpby");
    tg_free(expected[k]);
  }
}

// More lines than groups: neighbours share one, and nothing is lost.
static void test_many_lines(const tg_grid *grid)
{
  const int64_t one = 1;
  const int64_t many = 3 * TG_GROUPS_MAX + 7;
  const bool by_rows = false;
  opt_space *space = NULL;
  opt_point *x = NULL;
  double sums[TG_GROUPS_MAX] = {0};
  REQUIRE_OK(tg_space_create(grid, 1, &one, &many, &space));
  REQUIRE_OK(tg_space_set_groups(space, many, &by_rows));
  CHECK(space->n_groups == TG_GROUPS_MAX, "%d groups", space->n_groups);
  REQUIRE_OK(space->ops->create(space, &x));
  tg_dmat_fill(1, tg_space_block(x, 0));
  const opt_point *const points[1] = {x};
  REQUIRE_OK(space->ops->group_dots(space, 1, points, points, sums));
  double total = 0;
  for (int q = 0; q < TG_GROUPS_MAX; q++) {
    CHECK(sums[q] == 3 || sums[q] == 4, "group %d has %g lines", q, sums[q]);
    total += sums[q];
  }
  CHECK(total == (double)many, "%g lines in all groups", total);
  space->ops->destroy(space, &x);
  tg_space_destroy(&space);
}

static void test_groups(const tg_grid *grid)
{
  opt_space *space = NULL;
  opt_point *p[POINTS];
  REQUIRE_OK(tg_space_create(grid, BLOCKS, group_rows, group_cols, &space));
  CHECK(space->n_groups == 1, "%d groups before there are any", space->n_groups);
  CHECK_FAILS(tg_space_set_groups(space, 4, group_by_rows), TG_INTERNAL,
              "block 0 has 5 lines, the groups of the space 4");
  CHECK(space->n_groups == 1, "%d groups after a failure", space->n_groups);
  tg_space_destroy(&space);
  REQUIRE_OK(tg_space_create(grid, BLOCKS, group_rows, group_cols, &space));
  REQUIRE_OK(tg_space_set_groups(space, GROUPS, group_by_rows));
  CHECK(space->n_groups == GROUPS, "%d groups", space->n_groups);
  for (int k = 0; k < POINTS; k++) REQUIRE_OK(space->ops->create(space, &p[k]));
  fill_grouped(p[0], 10);
  fill_grouped(p[1], 20);
  test_group_dots(space, p);
  test_group_axpby(space, p);
  for (int k = 0; k < POINTS; k++) space->ops->destroy(space, &p[k]);
  tg_space_destroy(&space);
  test_many_lines(grid);
}

static void test_failures(const tg_grid *grid)
{
  opt_space *space = NULL;
  const int64_t bad[BLOCKS] = {9, 0};
  CHECK_FAILS(tg_space_create(grid, BLOCKS, bad, cols, &space), TG_SHAPE, "block 1 of the space is 0 x 4");
  CHECK(space == NULL, "no space after a failure");
  REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &space));
  for (int64_t nth = 1; nth <= 5; nth++) {
    opt_point *x = NULL;
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(space->ops->create(space, &x), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
    CHECK(x == NULL, "no point after a fault");
  }
  tg_space_destroy(&space);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 64, 0};
  check_on_grids(blocks, test_space);
  check_on_grids(blocks, test_groups);
  check_on_grids(blocks, test_failures);
}

CHECK_PROGRAM(program_space, run)
