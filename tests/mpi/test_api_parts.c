// Problems over matrices of which each rank of the caller holds a rectangle, of any sizes.
#include "tracegrad_solve.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define OK(call) check_note((call) == 0, __FILE__, __LINE__, "%s: %s", #call, tracegrad_error())

enum { M = 37, N = 23, K = 6 };

static double entry(int seed, int64_t i, int64_t j)
{
  return sin(1.0 + 0.7 * seed + 1.3 * (double)i + 2.1 * (double)j + 0.05 * (double)(i * j));
}

// The part of an m x n matrix on a rank of a rows x cols grid: of 3 and more process rows the second has nothing, and
// the last of the others are smaller. seed < 0: zeros.
static int64_t cut(int64_t n, int k, int parts)
{
  if (k == parts) return n;
  return parts >= 3 && k == 2 ? cut(n, 1, parts) : (n * k + parts - 1) / parts;
}

static tracegrad_array make_part(int m, int n, int rows, int cols, int order, int seed)
{
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  tracegrad_array a = {.size = sizeof a, .rows = m, .columns = n, .order = order, .place = TRACEGRAD_PARTS};
  if (rank >= rows * cols) return a;
  const int row = rank % rows;
  const int col = rank / rows;
  a.row_begin = cut(m, row, rows);
  a.column_begin = cut(n, col, cols);
  a.local_rows = cut(m, row + 1, rows) - a.row_begin;
  a.local_columns = cut(n, col + 1, cols) - a.column_begin;
  const bool by_rows = order == TRACEGRAD_ROW_MAJOR;
  a.leading_dimension = (by_rows ? a.local_columns : a.local_rows) + 2;
  const int64_t entries = a.leading_dimension * (by_rows ? a.local_rows : a.local_columns);
  a.numbers = calloc((size_t)entries + 1, sizeof(double));
  if (a.numbers == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  for (int64_t j = 0; j < a.local_columns && seed >= 0; j++)
    for (int64_t i = 0; i < a.local_rows; i++)
      a.numbers[by_rows ? i * a.leading_dimension + j : i + j * a.leading_dimension] =
          entry(seed, a.row_begin + i, a.column_begin + j);
  return a;
}

static tracegrad_array make_whole(int m, int n, int seed)
{
  tracegrad_array a = {.size = sizeof a, .rows = m, .columns = n};
  a.numbers = calloc((size_t)m * (size_t)n, sizeof(double));
  if (a.numbers == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  for (int j = 0; j < n && seed >= 0; j++)
    for (int i = 0; i < m; i++) a.numbers[i + j * m] = entry(seed, i, j);
  return a;
}

static tracegrad_problem *describe(const tracegrad_array *a, const tracegrad_array *b, const tracegrad_array *start)
{
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "sumsq(A*X - B) + sumsq(X)/4", 0));
  OK(tracegrad_problem_variable(p, "X", 0, K));
  OK(tracegrad_problem_data(p, "A", a));
  OK(tracegrad_problem_data(p, "B", b));
  OK(tracegrad_problem_start(p, "X", start));
  OK(tracegrad_problem_set(p, "solver.method", "l-bfgs"));
  OK(tracegrad_problem_set(p, "process_grid.block", "5"));
  return p;
}

// The same bits as from whole matrices; X comes back into parts.
static void test_grid(int rows, int cols)
{
  tracegrad_array whole[] = {make_whole(M, N, 1), make_whole(M, K, 2), make_whole(N, K, 3)};
  tracegrad_array parts[] = {make_part(M, N, rows, cols, TRACEGRAD_ROW_MAJOR, 1),
                             make_part(M, K, cols, rows, TRACEGRAD_COLUMN_MAJOR, 2),
                             make_part(N, K, rows, cols, TRACEGRAD_COLUMN_MAJOR, 3)};
  tracegrad_array x = make_part(N, K, cols, rows, TRACEGRAD_ROW_MAJOR, -1);
  tracegrad_array expected = make_whole(N, K, -1);
  const char *way = "";
  tracegrad_problem *p = describe(&whole[0], &whole[1], &whole[2]);
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_get(p, "X", &expected));
  tracegrad_problem_destroy(&p);
  p = describe(&parts[0], &parts[1], &parts[2]);
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_get(p, "X", &x));
  OK(tracegrad_problem_data_way(p, "A", &way));
  CHECK(strcmp(way, "redistributed") == 0 || strcmp(way, "borrowed") == 0, "A was %s", way);
  tracegrad_problem_destroy(&p);
  for (int64_t j = 0; j < x.local_columns; j++)
    for (int64_t i = 0; i < x.local_rows; i++) {
      const double found = x.numbers[i * x.leading_dimension + j];
      const double wanted = expected.numbers[x.row_begin + i + (x.column_begin + j) * N];
      CHECK(found == wanted, "X(%d,%d) is %.17g, expected %.17g", (int)(x.row_begin + i), (int)(x.column_begin + j),
            found, wanted);
    }
  for (int k = 0; k < 3; k++) {
    free(whole[k].numbers);
    free(parts[k].numbers);
  }
  free(x.numbers);
  free(expected.numbers);
}

// Blocks of the process grid, columns one after the other: not copied.
static void test_borrowed(int ranks)
{
  const int block = 8;
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  double numbers[8 * K];
  char grid[80];
  const char *way = "";
  tracegrad_array b = {.size = sizeof b,
                       .numbers = numbers,
                       .rows = (int64_t)block * ranks,
                       .columns = K,
                       .place = TRACEGRAD_PARTS,
                       .row_begin = (int64_t)rank * block,
                       .local_rows = block,
                       .local_columns = K};
  for (int k = 0; k < 8 * K; k++) numbers[k] = rank + k;
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "sumsq(X - B)", 0));
  OK(tracegrad_problem_variable(p, "X", 0, 0));
  OK(tracegrad_problem_data(p, "B", &b));
  snprintf(grid, sizeof grid, "{rows: %d, columns: 1, block: %d}", ranks, block);
  OK(tracegrad_problem_set(p, "process_grid", grid));
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_data_way(p, "B", &way));
  CHECK(strcmp(way, "borrowed") == 0, "B was %s", way);
  tracegrad_problem_destroy(&p);
}

static void refuse(const tracegrad_array *b, const char *text)
{
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "sumsq(X - B)", 0));
  OK(tracegrad_problem_variable(p, "X", 0, 0));
  OK(tracegrad_problem_data(p, "B", b));
  CHECK(tracegrad_problem_minimise(p) == 2, "refused: %s", text);
  CHECK(strstr(tracegrad_error(), text) != NULL, "%s: %s", text, tracegrad_error());
  tracegrad_problem_destroy(&p);
}

static void test_refusals(int ranks)
{
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  double numbers[M * K] = {0};
  const tracegrad_array good = {.size = sizeof good,
                                .numbers = numbers,
                                .rows = M,
                                .columns = K,
                                .place = TRACEGRAD_PARTS,
                                .row_begin = rank == 0 ? 0 : M,
                                .local_rows = rank == 0 ? M : 0,
                                .local_columns = K};
  tracegrad_array bad = good;
  if (rank == 0) bad.local_rows = M + 1;
  refuse(&bad, "the part of B on rank 0 has 38 rows from 0 on, B has 37");
  bad = good;
  if (rank == 0) bad.row_begin = -1;
  refuse(&bad, "rows from -1 on");
  bad = good;
  bad.local_columns = 0;
  refuse(&bad, "no rank holds B(1,1)");
  bad = good;
  if (rank == 0) bad.local_rows = M - 1;
  refuse(&bad, "is 36 x 6 from (1,1) on, but the next parts begin 37 rows and 6 columns further");
  bad = good;
  bad.leading_dimension = M - 1;
  refuse(&bad, "leading dimension");
  bad = good;
  bad.numbers = NULL;
  refuse(&bad, "gave none on rank 0");
  if (ranks < 2) return;
  bad = good;
  if (rank == 1) bad.row_begin = 0, bad.local_rows = M;
  refuse(&bad, "ranks 0 and 1 both hold B(1,1)");
  // Three of four cells; and a part that spans the cut of another.
  bad = good;
  if (rank == 0) bad.local_rows = 10, bad.local_columns = 3;
  if (rank == 1) bad.row_begin = 10, bad.local_rows = M - 10, bad.column_begin = 3, bad.local_columns = 3;
  refuse(&bad, ranks < 4 ? "ranks do not fill" : "no rank holds B(11,1)");
}

// A structure as programs were compiled before parts were known.
static void test_first_size(void)
{
  double numbers[] = {1, 2, 3, 4};
  tracegrad_array b = {.size = offsetof(tracegrad_array, row_begin), .numbers = numbers, .rows = 2, .columns = 2};
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_SELF, &p));
  OK(tracegrad_problem_objective(p, "sumsq(X - B)", 0));
  OK(tracegrad_problem_variable(p, "X", 0, 0));
  OK(tracegrad_problem_data(p, "B", &b));
  OK(tracegrad_problem_minimise(p));
  tracegrad_problem_destroy(&p);
}

static void run(void)
{
  int ranks = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  test_grid(ranks, 1);
  test_grid(1, ranks);
  if (ranks >= 4) test_grid(2, 2);
  if (ranks >= 7) test_grid(3, 2);
  test_borrowed(ranks);
  test_refusals(ranks);
  test_first_size();
}

CHECK_PROGRAM(program_api_parts, run)
