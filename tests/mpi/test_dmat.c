// Block-cyclic matrices: index arithmetic, ownership, small gathers, refusals.
#include "check.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"

// Counting one by one is the definition; the closed forms must agree with it.
static void test_indices(void)
{
  for (int np = 1; np <= 5; np++)
    for (int64_t block = 1; block <= 7; block++)
      for (int64_t n = 0; n <= 40; n++) {
        int64_t counted[5] = {0};
        bool exact = true;
        for (int64_t g = 0; g < n; g++) {
          const int p = tg_layout_owner(g, block, np);
          const int64_t local = tg_layout_local(g, block, np);
          exact = exact && local == counted[p] && tg_layout_global(local, block, p, np) == g;
          counted[p]++;
        }
        for (int p = 0; p < np; p++) exact = exact && tg_layout_count(n, block, p, np) == counted[p];
        CHECK(exact, "n = %" PRId64 ", block %" PRId64 ", %d processes", n, block, np);
      }
  const int64_t big = INT64_C(5000000000);
  CHECK(tg_layout_global(tg_layout_local(big, 64, 3), 64, tg_layout_owner(big, 64, 3), 3) == big, "beyond 2^32");
}

static void test_gather(const tg_grid *grid)
{
  const int64_t shapes[][2] = {{1, 1}, {3, 1}, {1, 5}, {7, 9}, {33, 20}};
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    const int64_t rows = shapes[k][0];
    const int64_t cols = shapes[k][1];
    tg_dmat *m = check_matrix(grid, rows, cols, 5);
    double *expected = check_array(rows, cols, 5);
    CHECK_MATRIX(m, expected, 0, "gather");
    memset(m->data, 0, (size_t)(m->ld * m->local_cols) * sizeof(double));
    tg_dmat_scatter_small(expected, m);
    CHECK_MATRIX(m, expected, 0, "scatter");
    tg_free(expected);
    tg_dmat_destroy(&m);
    CHECK(m == NULL, "destroy nulls");
  }
}

static void test_special_values(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 2, 2, 1);
  const double special[4] = {-0.0, check_nan(), HUGE_VAL, 5e-324};
  tg_dmat_scatter_small(special, m);
  double *back = check_gather(m);
  CHECK(memcmp(back, special, sizeof special) == 0, "signed zero, NaN and infinity survive a gather");
  tg_free(back);
  tg_dmat_destroy(&m);
}

static void test_other_block(const tg_grid *grid)
{
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_dmat_create_block(grid, 11, 6, grid->block + 2, &m));
  int64_t entries = m->local_rows * m->local_cols;
  MPI_Allreduce(MPI_IN_PLACE, &entries, 1, MPI_INT64_T, MPI_SUM, grid->comm);
  CHECK(entries == 66, "all ranks together hold %" PRId64 " of 66", entries);
  CHECK(m->block == grid->block + 2, "block %" PRId64, m->block);
  int descriptor[TG_DESCRIPTOR_LENGTH];
  REQUIRE_OK(tg_dmat_descriptor(m, descriptor));
  CHECK(descriptor[2] == 11 && descriptor[3] == 6 && descriptor[4] == m->block && descriptor[8] == m->ld, "descriptor");
  tg_dmat_destroy(&m);
}

static void test_refusals(const tg_grid *grid)
{
  tg_dmat *m = NULL;
  CHECK_FAILS(tg_dmat_create(grid, 0, 3, &m), TG_SHAPE, "0 x 3");
  CHECK_FAILS(tg_dmat_create_block(grid, 3, 3, 0, &m), TG_VALUE, "block size is 0");
  tg_alloc_fail_after(2);
  CHECK_FAILS(tg_dmat_create(grid, 3, 3, &m), TG_MEMORY, "cannot allocate");
  tg_alloc_fail_after(0);
  CHECK(m == NULL, "a failed creation leaves NULL");
  tg_dmat huge;
  double nothing = 0;
  tg_dmat_view(grid, INT64_C(3000000000), 1, grid->block, &nothing, &huge);
  int descriptor[TG_DESCRIPTOR_LENGTH];
  CHECK_FAILS(tg_dmat_descriptor(&huge, descriptor), TG_LIMIT, "number of rows is 3000000000");
  CHECK_FAILS(tg_dmat_gather_small(&huge, &nothing), TG_LIMIT, "too many to gather");
}

// A third of the lines, none, or all of them, of tall, wide and empty parts.
static void test_select(const tg_grid *grid)
{
  const int64_t shapes[][2] = {{1, 1}, {7, 9}, {33, 20}, {5, 41}};
  for (int trial = 0; trial < 4 * 2 * 3; trial++) {
    const int64_t rows = shapes[trial % 4][0];
    const int64_t cols = shapes[trial % 4][1];
    const bool is_columns = trial / 4 % 2 == 1;
    const int kind = trial / 8;
    int64_t to[41];
    int64_t n = 0;
    for (int64_t k = 0; k < (is_columns ? cols : rows); k++) to[k] = kind == 2 || k % 3 == kind ? n++ : -1;
    if (n == 0) continue;
    tg_dmat *in = check_matrix(grid, rows, cols, 5);
    tg_dmat *out = NULL;
    double *all = check_array(rows, cols, 5);
    double *expected = check_array(is_columns ? rows : n, is_columns ? n : cols, 1);
    for (int64_t j = 0; j < cols; j++)
      for (int64_t i = 0; i < rows; i++) {
        const int64_t row = is_columns ? i : to[i];
        const int64_t col = is_columns ? to[j] : j;
        if (row >= 0 && col >= 0) expected[row + col * (is_columns ? rows : n)] = all[i + j * rows];
      }
    REQUIRE_OK(tg_dmat_create(grid, is_columns ? rows : n, is_columns ? n : cols, &out));
    REQUIRE_OK(tg_dmat_select(in, is_columns, to, out));
    CHECK_MATRIX(out, expected, 0, "select");
    tg_free(expected);
    tg_free(all);
    tg_dmat_destroy(&in);
    tg_dmat_destroy(&out);
  }
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 5, 64, 0};
  test_indices();
  check_on_grids(blocks, test_gather);
  check_on_grids(blocks, test_special_values);
  check_on_grids(blocks, test_other_block);
  check_on_grids(blocks, test_select);
  check_on_grids(blocks, test_refusals);
}

CHECK_PROGRAM(program_dmat, run)
