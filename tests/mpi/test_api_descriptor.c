// Problems over matrices of a ScaLAPACK program: borrowed on an equal grid, redistributed from any other.
#include "tracegrad_solve.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int cols);
void Cblacs_gridinfo(int context, int *rows, int *cols, int *row, int *col);
void Cblacs_gridexit(int context);
int numroc_(const int *n, const int *block, const int *me, const int *source, const int *processes);

#define OK(call) check_note((call) == 0, __FILE__, __LINE__, "%s: %s", #call, tracegrad_error())

enum { M = 37, N = 23, K = 6 };

static double entry(int seed, int64_t i, int64_t j)
{
  return sin(1.0 + 0.7 * seed + 1.3 * (double)i + 2.1 * (double)j + 0.05 * (double)(i * j));
}

// A process grid of the host program, which may leave ranks out.
typedef struct host_grid {
  int handle;
  int context;
  int rows;
  int cols;
  int row;
  int col;
} host_grid;

static host_grid make_grid(const char *order, int rows, int cols)
{
  host_grid g = {.rows = rows, .cols = cols, .row = -1, .col = -1};
  int found[2];
  g.handle = Csys2blacs_handle(MPI_COMM_WORLD);
  g.context = g.handle;
  Cblacs_gridinit(&g.context, order, rows, cols);
  if (g.context >= 0) Cblacs_gridinfo(g.context, &found[0], &found[1], &g.row, &g.col);
  return g;
}

static void free_grid(const host_grid *g)
{
  if (g->context >= 0) Cblacs_gridexit(g->context);
  Cfree_blacs_system_handle(g->handle);
}

typedef struct host_matrix {
  int descriptor[9];
  int rows; // local
  int cols;
  double *numbers;
} host_matrix;

static int64_t global_index(int local, int block, int me, int source, int processes)
{
  const int place = (me + processes - source) % processes;
  return (int64_t)(local / block * processes + place) * block + local % block;
}

static int local_count(int n, int block, int me, int source, int processes)
{
  return me < 0 ? 0 : numroc_(&n, &block, &me, &source, &processes);
}

// seed < 0: zeros.
static host_matrix make_matrix(const host_grid *g, int m, int n, int mb, int nb, int source, int pad, int seed)
{
  const int rsrc = source % g->rows;
  const int csrc = source % g->cols;
  host_matrix a = {.rows = local_count(m, mb, g->row, rsrc, g->rows),
                   .cols = local_count(n, nb, g->col, csrc, g->cols)};
  const int ld = (a.rows > 1 ? a.rows : 1) + pad;
  const int descriptor[9] = {1, g->context, m, n, mb, nb, rsrc, csrc, ld};
  memcpy(a.descriptor, descriptor, sizeof descriptor);
  a.numbers = calloc((size_t)(ld * (a.cols > 0 ? a.cols : 1)), sizeof(double));
  if (a.numbers == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  for (int j = 0; j < a.cols && seed >= 0; j++)
    for (int i = 0; i < a.rows; i++)
      a.numbers[i + j * ld] =
          entry(seed, global_index(i, mb, g->row, rsrc, g->rows), global_index(j, nb, g->col, csrc, g->cols));
  return a;
}

static tracegrad_array array_of(const host_matrix *a)
{
  return (tracegrad_array){
      .size = sizeof(tracegrad_array), .numbers = a->numbers, .place = TRACEGRAD_CYCLIC, .descriptor = a->descriptor};
}

static tracegrad_problem *describe(void)
{
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "sumsq(A*X - B) + sumsq(X)/4", 0));
  OK(tracegrad_problem_variable(p, "X", 0, K));
  OK(tracegrad_problem_set(p, "solver.method", "l-bfgs"));
  return p;
}

static void minimise(tracegrad_problem *p, double *x)
{
  const tracegrad_array whole = {.size = sizeof whole, .numbers = x, .rows = N, .columns = K};
  tracegrad_result r = {0};
  OK(tracegrad_problem_minimise(p));
  if (tracegrad_problem_result(p, sizeof r, &r) != 0) return;
  CHECK(strcmp(r.status, "converged") == 0, "status %s: %s", r.status, r.reason);
  OK(tracegrad_problem_get(p, "X", &whole));
}

// The same by arrays that are whole, on that grid: the bits to be had.
static void expect(const host_grid *g, int block, double *x)
{
  double a[M * N];
  double b[M * K];
  char grid[80];
  for (int j = 0; j < N; j++)
    for (int i = 0; i < M; i++) a[i + j * M] = entry(1, i, j);
  for (int j = 0; j < K; j++)
    for (int i = 0; i < M; i++) b[i + j * M] = entry(2, i, j);
  const tracegrad_array for_a = {.size = sizeof for_a, .numbers = a, .rows = M, .columns = N};
  const tracegrad_array for_b = {.size = sizeof for_b, .numbers = b, .rows = M, .columns = K};
  tracegrad_problem *p = describe();
  OK(tracegrad_problem_data(p, "A", &for_a));
  OK(tracegrad_problem_data(p, "B", &for_b));
  snprintf(grid, sizeof grid, "{rows: %d, columns: %d, block: %d}", g->rows, g->cols, block);
  OK(tracegrad_problem_set(p, "process_grid", grid));
  minimise(p, x);
  tracegrad_problem_destroy(&p);
}

// A on the grid as it comes, B in another layout of it; X comes back into a third.
static void test_grid(const char *order, int rows, int cols, int block, int pad)
{
  host_grid g = make_grid(order, rows, cols);
  double expected[N * K] = {0};
  double x[N * K] = {0};
  const char *way = "";
  int q[5] = {0};
  int64_t used = 0;
  const host_matrix a = make_matrix(&g, M, N, block, block, 0, pad, 1);
  const host_matrix b = make_matrix(&g, M, K, block + 3, 2, 1, 2, 2);
  const host_matrix out = make_matrix(&g, N, K, 5, 4, 1, 1, -1);
  const tracegrad_array for_a = array_of(&a);
  const tracegrad_array for_b = array_of(&b);
  const tracegrad_array for_x = array_of(&out);
  expect(&g, block, expected);
  tracegrad_problem *p = describe();
  OK(tracegrad_problem_data(p, "A", &for_a));
  OK(tracegrad_problem_data(p, "B", &for_b));
  minimise(p, x);
  CHECK(memcmp(x, expected, sizeof x) == 0, "%s %d x %d, block %d: the bits of whole arrays", order, rows, cols, block);
  OK(tracegrad_problem_data_way(p, "A", &way));
  CHECK(strcmp(way, "borrowed") == 0, "%s %d x %d, block %d: A is %s", order, rows, cols, block, way);
  OK(tracegrad_problem_data_way(p, "B", &way));
  // On one process and one block there is but one layout.
  CHECK(rows * cols == 1 || strcmp(way, "redistributed") == 0, "%s %d x %d: B is %s", order, rows, cols, way);
  OK(tracegrad_problem_grid(p, &q[0], &q[1], &q[2], &q[3], &used));
  CHECK(q[0] == rows && q[1] == cols && q[2] == g.row && q[3] == g.col && used == block, "the grid taken over");
  OK(tracegrad_problem_get(p, "X", &for_x));
  for (int j = 0; j < out.cols; j++)
    for (int i = 0; i < out.rows; i++) {
      const int64_t gi = global_index(i, 5, g.row, out.descriptor[6], rows);
      const int64_t gj = global_index(j, 4, g.col, out.descriptor[7], cols);
      CHECK(out.numbers[i + j * out.descriptor[8]] == expected[gi + gj * N], "X(%d,%d)", (int)gi, (int)gj);
    }
  tracegrad_problem_destroy(&p);
  int found[4] = {-1, -1, -1, -1};
  Cblacs_gridinfo(g.context, &found[0], &found[1], &found[2], &found[3]);
  CHECK(found[0] == rows && found[3] == g.col, "the host's context is as it was");
  free(a.numbers);
  free(b.numbers);
  free(out.numbers);
  free_grid(&g);
}

// A grid of fewer ranks than the problem has, and one that is no grid of the problem's own.
static void test_part(int ranks)
{
  host_grid g = make_grid("Row", 1, ranks > 1 ? ranks - 1 : 1);
  const host_matrix a = make_matrix(&g, M, N, 8, 8, 0, 0, 1);
  const host_matrix b = make_matrix(&g, M, K, 8, 8, 0, 0, 2);
  const tracegrad_array for_a = array_of(&a);
  const tracegrad_array for_b = array_of(&b);
  double x[N * K] = {0};
  const char *way = "";
  tracegrad_problem *p = describe();
  OK(tracegrad_problem_data(p, "A", &for_a));
  OK(tracegrad_problem_data(p, "B", &for_b));
  minimise(p, x);
  OK(tracegrad_problem_data_way(p, "A", &way));
  CHECK(strcmp(way, ranks > 1 ? "redistributed" : "borrowed") == 0, "A is %s", way);
  tracegrad_problem_destroy(&p);
  free(a.numbers);
  free(b.numbers);
  free_grid(&g);
}

static void refuse(const host_matrix *a, int position, int value, const char *text)
{
  host_matrix wrong = *a;
  wrong.descriptor[position] = value;
  const tracegrad_array array = array_of(&wrong);
  tracegrad_problem *p = describe();
  OK(tracegrad_problem_data(p, "A", &array));
  OK(tracegrad_problem_set(p, "data.B", "{generate: normal, rows: 37, columns: 6}"));
  CHECK(tracegrad_problem_minimise(p) == 2, "descriptor[%d] = %d", position, value);
  CHECK(strstr(tracegrad_error(), text) != NULL, "descriptor[%d] = %d: %s", position, value, tracegrad_error());
  tracegrad_problem_destroy(&p);
}

static void test_refusals(int ranks)
{
  host_grid g = make_grid("Row", 1, ranks);
  const host_matrix a = make_matrix(&g, M, N, 8, 8, 0, 0, 1);
  refuse(&a, 0, 2, "type 2");
  refuse(&a, 1, -1, "no rank has a process grid");
  refuse(&a, 2, 0, "0 x 23");
  refuse(&a, 4, 0, "blocks of 0 x 8");
  refuse(&a, 6, 5, "outside of the");
  refuse(&a, 8, 36, "leading dimension");
  host_matrix mixed = a;
  if (ranks > 1 && g.col == 1) mixed.descriptor[4] = 9;
  if (ranks > 1) refuse(&mixed, 5, 8, "different descriptors");
  free(a.numbers);
  free_grid(&g);
}

static void run(void)
{
  int ranks = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  test_grid("Row", 1, ranks, 8, 0);
  test_grid("Row", ranks, 1, 4, 3);
  test_grid("Col", ranks, 1, 16, 0);
  if (ranks == 4) test_grid("Row", 2, 2, 8, 0);
  if (ranks == 4) test_grid("Col", 2, 2, 5, 1);
  test_part(ranks);
  test_refusals(ranks);
}

CHECK_PROGRAM(program_api_descriptor, run)
