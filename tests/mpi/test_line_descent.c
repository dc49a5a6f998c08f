// Coordinate descent on lines: conditions of the minimum under bounds, rows and columns, lines on one rank and on many.
#include "check.h"
#include "mpi/factor/line_descent.h"
#include "mpi/matrix/dmat_ops.h"

enum { LINES = 9, LENGTH = 4, ENTRIES = LINES * LENGTH, ROUNDS = 60 };

static const double high = 0.6;

// G = K'K/4 + 0.05 I; `idle`: the last unknown is in none of the terms.
static void make_hessian(const tg_grid *grid, bool idle, double *out)
{
  double k[36];
  tg_dmat *m = check_matrix(grid, 6, LENGTH, 5);
  REQUIRE_OK(tg_dmat_gather_small(m, k));
  for (int i = 0; i < LENGTH; i++)
    for (int j = 0; j < LENGTH; j++) {
      double sum = i == j ? 0.05 : 0;
      for (int t = 0; t < 6; t++) sum += k[t + i * 6] * k[t + j * 6] / 4;
      out[i + j * LENGTH] = idle && (i == LENGTH - 1 || j == LENGTH - 1) ? 0 : sum;
    }
  tg_dmat_destroy(&m);
}

// Where entry k of a line stands.
static int at(bool by_rows, int line, int k)
{
  return by_rows ? line + k * LINES : k + line * LENGTH;
}

static void gradient(bool by_rows, const double *hessian, const double *linear, const double *x, double *g)
{
  for (int line = 0; line < LINES; line++)
    for (int k = 0; k < LENGTH; k++) {
      g[at(by_rows, line, k)] = linear[at(by_rows, line, k)];
      for (int j = 0; j < LENGTH; j++) g[at(by_rows, line, k)] += hessian[k + j * LENGTH] * x[at(by_rows, line, j)];
    }
}

static void check_minimum(const double *x, const double *g)
{
  int held = 0;
  int capped = 0;
  for (int i = 0; i < ENTRIES; i++) {
    CHECK(x[i] >= 0 && x[i] <= high, "entry %d is %g", i, x[i]);
    CHECK(x[i] <= 0 || g[i] <= 1e-9, "entry %d, %g, has the gradient %g and might be lower", i, x[i], g[i]);
    CHECK(x[i] >= high || g[i] >= -1e-9, "entry %d, %g, has the gradient %g and might be higher", i, x[i], g[i]);
    held += x[i] <= 0;
    capped += x[i] >= high;
  }
  CHECK(held > 0 && capped > 0 && held + capped < ENTRIES,
        "%d at zero, %d at the other bound: the bounds do not matter", held, capped);
}

static void check_descent(const tg_grid *grid, bool by_rows, bool idle)
{
  const int64_t rows = by_rows ? LINES : LENGTH;
  const int64_t cols = by_rows ? LENGTH : LINES;
  double hessian[LENGTH * LENGTH];
  double linear[ENTRIES];
  double whole[ENTRIES] = {0};
  double g[ENTRIES];
  tg_line_descent *descent = NULL;
  tg_dmat *c = check_matrix(grid, rows, cols, 7);
  tg_dmat *x = check_matrix(grid, rows, cols, 8);
  tg_dmat *action = check_matrix(grid, rows, cols, 9); // beyond the unit matrix it is not read
  make_hessian(grid, idle, hessian);
  REQUIRE_OK(tg_dmat_gather_small(c, linear));
  REQUIRE_OK(tg_dmat_gather_small(action, whole));
  for (int i = 0; i < LENGTH; i++)
    for (int j = 0; j < LENGTH; j++) whole[i + j * rows] = hessian[i + j * LENGTH];
  tg_dmat_scatter_small(whole, action);
  for (int i = 0; i < ENTRIES; i++) whole[i] = 0.25;
  if (idle)
    for (int line = 0; line < LINES; line++) linear[at(by_rows, line, LENGTH - 1)] = 0;
  REQUIRE_OK(tg_line_descent_create(grid, rows, cols, by_rows, &descent));
  REQUIRE_OK(tg_line_descent_bind(descent, action));
  for (int round = 0; round < ROUNDS; round++) {
    gradient(by_rows, hessian, linear, whole, g);
    tg_dmat_scatter_small(g, c);
    tg_dmat_scatter_small(whole, x);
    REQUIRE_OK(tg_line_descent_solve(descent, 0, high, c, x));
    REQUIRE_OK(tg_dmat_gather_small(x, whole));
  }
  gradient(by_rows, hessian, linear, whole, g);
  check_minimum(whole, g);
  for (int line = 0; idle && line < LINES; line++)
    CHECK(whole[at(by_rows, line, LENGTH - 1)] == 0.25, "an entry that does not matter has moved to %g",
          whole[at(by_rows, line, LENGTH - 1)]);
  tg_line_descent_destroy(&descent);
  tg_dmat_destroy(&action);
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&c);
}

static void test_minima(const tg_grid *grid)
{
  for (int way = 0; way < 4; way++) check_descent(grid, way % 2 == 0, way >= 2);
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_minima);
}

CHECK_PROGRAM(program_line_descent, run)
