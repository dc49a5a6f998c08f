// The process grid: its choice, its creation and refusals, the agreement on errors, ordered sums.
#include "check.h"
#include "mpi/matrix/reduce.h"

static void test_choice(void)
{
  tg_grid_choice choice;
  REQUIRE_OK(tg_grid_choose(4, 3000, 3000, &choice));
  CHECK(choice.rows == 2 && choice.cols == 2, "4 ranks, square: %d x %d", choice.rows, choice.cols);
  REQUIRE_OK(tg_grid_choose(12, 5000, 5000, &choice));
  CHECK(choice.rows == 3 && choice.cols == 4, "12 ranks, square: %d x %d", choice.rows, choice.cols);
  REQUIRE_OK(tg_grid_choose(8, 20000, 32, &choice));
  CHECK(choice.rows == 8 && choice.cols == 1, "8 ranks, tall: %d x %d", choice.rows, choice.cols);
  REQUIRE_OK(tg_grid_choose(8, 32, 20000, &choice));
  CHECK(choice.rows == 1 && choice.cols == 8, "8 ranks, wide: %d x %d", choice.rows, choice.cols);
  REQUIRE_OK(tg_grid_choose(7, 3000, 3000, &choice));
  CHECK(choice.rows * choice.cols == 7 && strstr(choice.reason, "7 is prime") != NULL, "7 ranks: %s", choice.reason);
  REQUIRE_OK(tg_grid_choose(16384, 1000000, 1000000, &choice));
  CHECK(choice.rows == 128 && choice.cols == 128, "16384 ranks: %d x %d", choice.rows, choice.cols);
  CHECK_FAILS(tg_grid_choose(0, 3, 3, &choice), TG_VALUE, "at least one rank");
  CHECK_FAILS(tg_grid_choose(2, 0, 3, &choice), TG_SHAPE, "0 x 3");
}

static void test_block(void)
{
  // The fullest rank of the chosen layout holds at most 1% more than the average.
  const int64_t sizes[] = {100, 1000, 3000, 4096, 6000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    tg_grid_choice c;
    REQUIRE_OK(tg_grid_choose(4, sizes[k], sizes[k], &c));
    const double most = (double)tg_layout_count(sizes[k], c.block, 0, c.rows);
    CHECK(most * c.rows <= 1.01 * (double)sizes[k], "n = %" PRId64 ": block %" PRId64 " gives rank 0 %.0f rows",
          sizes[k], c.block, most);
  }
}

static void test_create(const tg_grid *grid)
{
  int place[2] = {-1, -1};
  MPI_Comm_rank(grid->row_comm, &place[1]);
  MPI_Comm_rank(grid->col_comm, &place[0]);
  CHECK(place[0] == grid->row && place[1] == grid->col, "(%d,%d) is (%d,%d)", place[0], place[1], grid->row, grid->col);
  CHECK(grid->rank == check_rank() && grid->rank == grid->row * grid->cols + grid->col, "rank %d", grid->rank);
}

static void test_refusals(void)
{
  tg_grid *grid = NULL;
  CHECK_FAILS(tg_grid_create(MPI_COMM_WORLD, check_size() + 1, 1, 4, &grid), TG_VALUE, "process grid needs");
  CHECK_FAILS(tg_grid_create(MPI_COMM_WORLD, check_size(), 1, 0, &grid), TG_VALUE, "block size is 0");
  CHECK(grid == NULL, "a failed creation leaves NULL");
}

// One rank runs out of memory while creating: every rank must hear of it, none may hang.
static void test_creation_fault(void)
{
  const int last = check_size() - 1;
  for (int64_t nth = 1; nth <= 2; nth++) {
    tg_grid *grid = NULL;
    if (check_rank() == last) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 4, &grid), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
    CHECK(grid == NULL, "no grid after a fault");
  }
}

static void test_agreement(void)
{
  REQUIRE_OK(tg_agree(MPI_COMM_WORLD, TG_OK));
  const int size = check_size();
  for (int first = 0; first < size; first++) {
    tg_status local = TG_OK;
    if (check_rank() >= first)
      local = tg_error_set_mark(TG_DATA, TG_HERE, (tg_mark){2, {3, 7}}, "rank %d is unhappy", check_rank());
    char expected[64];
    snprintf(expected, sizeof expected, "rank %d is unhappy", first);
    CHECK_FAILS(tg_agree(MPI_COMM_WORLD, local), TG_DATA, expected);
    CHECK(tg_error_get()->has_span && tg_error_get()->span.end == 7, "the span travels");
    CHECK(tg_error_get()->source == 2, "and the text that it is in");
  }
}

static void test_sum(const tg_grid *grid)
{
  enum { N = TG_GRID_BATCH + 3 };
  double parts[N];
  double again[N];
  for (int k = 0; k < N; k++) parts[k] = (k + 1) * 1.0 + grid->rank * 1000.0;
  memcpy(again, parts, sizeof parts);
  double totals[N];
  REQUIRE_OK(tg_reduce_sum(grid, N, parts, totals));
  const double offset = 1000.0 * grid->size * (grid->size - 1) / 2;
  for (int k = 0; k < N; k++)
    CHECK(totals[k] == (k + 1) * (double)grid->size + offset, "sum %d is %.17g", k, totals[k]);
  REQUIRE_OK(tg_reduce_sum(grid, N, again, again));
  CHECK(memcmp(again, totals, sizeof totals) == 0, "in place is the same");
}

// 0.1 * rank is inexact: bits must still be equal on all ranks and from run to run.
static void test_sum_bits(const tg_grid *grid)
{
  const double part = 0.1 * (grid->rank + 1) * (grid->rank % 2 == 0 ? 1e10 : 1);
  double total = 0;
  REQUIRE_OK(tg_reduce_sum(grid, 1, &part, &total));
  uint64_t bits = 0;
  memcpy(&bits, &total, sizeof bits);
  uint64_t low = 0;
  uint64_t high = 0;
  MPI_Allreduce(&bits, &low, 1, MPI_UINT64_T, MPI_MIN, grid->comm);
  MPI_Allreduce(&bits, &high, 1, MPI_UINT64_T, MPI_MAX, grid->comm);
  CHECK(low == high, "ranks differ: %.17g here", total);
}

static void run(void)
{
  const int64_t blocks[] = {1, 0};
  test_choice();
  test_block();
  test_refusals();
  test_creation_fault();
  test_agreement();
  check_on_grids(blocks, test_create);
  check_on_grids(blocks, test_sum);
  check_on_grids(blocks, test_sum_bits);
}

CHECK_PROGRAM(program_grid, run)
