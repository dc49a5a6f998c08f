// Least squares by orthogonal factors: normal equations of the result, its Cholesky factor, deficient ranks.
#include "check.h"
#include "mpi/factor/least_squares.h"
#include "mpi/factor/residual.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

enum { ROWS = 13, COUNT = 5, SIDES = 3, MOST = 1024 };

static const double weights[2] = {2, 0.5};

typedef struct parts {
  tg_dmat *factor[2];
  tg_dmat *linear;
  tg_least_squares_part list[2];
} parts;

// w = 2 with L, and w = 1/2 without. Deficient: the last column is the first but for its unit.
static void open_parts(const tg_grid *grid, int64_t rows, int64_t count, bool deficient, parts *p)
{
  double whole[MOST];
  for (int k = 0; k < 2; k++) {
    p->factor[k] = check_matrix(grid, rows, count, 3 + (unsigned)k);
    REQUIRE_OK(tg_dmat_gather_small(p->factor[k], whole));
    for (int64_t i = 0; deficient && i < rows; i++) whole[i + (count - 1) * rows] = 1024 * whole[i];
    tg_dmat_scatter_small(whole, p->factor[k]);
    p->list[k] = (tg_least_squares_part){.weight = weights[k], .factor = p->factor[k]};
  }
  p->linear = check_matrix(grid, rows, SIDES, 9);
  p->list[0].linear = p->linear;
}

static void close_parts(parts *p)
{
  for (int k = 0; k < 2; k++) tg_dmat_destroy(&p->factor[k]);
  tg_dmat_destroy(&p->linear);
}

// out[count x p] = sum_k K_k' (w_k K_k X + L_k), which is zero at a minimiser.
static void gradient(const parts *p, const double *x, int64_t rows, int64_t count, double *out)
{
  for (int64_t i = 0; i < count * SIDES; i++) out[i] = 0;
  for (int k = 0; k < 2; k++) {
    double a[MOST];
    double l[MOST] = {0};
    REQUIRE_OK(tg_dmat_gather_small(p->factor[k], a));
    if (p->list[k].linear != NULL) REQUIRE_OK(tg_dmat_gather_small(p->linear, l));
    for (int64_t q = 0; q < SIDES; q++)
      for (int64_t i = 0; i < rows; i++) {
        double image = l[i + q * rows];
        for (int64_t j = 0; j < count; j++) image += weights[k] * a[i + j * rows] * x[j + q * count];
        for (int64_t j = 0; j < count; j++) out[j + q * count] += a[i + j * rows] * image;
      }
  }
}

static void check_solution(const tg_grid *grid, int64_t rows, int64_t count, bool deficient, int64_t rank)
{
  parts p;
  tg_dmat *x = check_matrix(grid, count, SIDES, 1);
  tg_dmat *lower = check_matrix(grid, count, count, 1);
  tg_least_squares_facts facts;
  double found[MOST];
  double rest[MOST];
  double l[MOST];
  open_parts(grid, rows, count, deficient, &p);
  REQUIRE_OK(tg_least_squares_solve(grid, 2, p.list, x, lower, &facts));
  CHECK(facts.rank == rank, "rank %" PRId64 " of %" PRId64 " x %" PRId64, facts.rank, 2 * rows, count);
  CHECK(facts.has_lower == (rank == count), "a Cholesky factor where the rank is %" PRId64, rank);
  REQUIRE_OK(tg_dmat_gather_small(x, found));
  gradient(&p, found, rows, count, rest);
  for (int64_t i = 0; i < count * SIDES; i++)
    CHECK(fabs(rest[i]) <= 1e-9, "entry %" PRId64 " of the gradient: %g", i, rest[i]);
  // The shortest of all (x_0, x_last) with one sum x_0 + 1024 x_last has x_last = 1024 x_0.
  for (int64_t q = 0; deficient && q < SIDES; q++)
    CHECK(fabs(found[count - 1 + q * count] - 1024 * found[q * count]) <= 1e-9, "least norm: %.17g and %.17g",
          found[q * count], found[count - 1 + q * count]);
  if (facts.has_lower) {
    double a[2][MOST];
    for (int k = 0; k < 2; k++) REQUIRE_OK(tg_dmat_gather_small(p.factor[k], a[k]));
    REQUIRE_OK(tg_dmat_gather_small(lower, l));
    for (int64_t i = 0; i < count; i++)
      for (int64_t j = 0; j <= i; j++) {
        double sum = 0;
        for (int64_t t = 0; t <= j; t++) sum += l[i + t * count] * l[j + t * count];
        for (int k = 0; k < 2; k++)
          for (int64_t t = 0; t < rows; t++) sum -= weights[k] * a[k][t + i * rows] * a[k][t + j * rows];
        CHECK(fabs(sum) <= 1e-11 * (double)rows, "L L' at (%" PRId64 ", %" PRId64 "): %g", i, j, sum);
      }
  }
  close_parts(&p);
  tg_dmat_destroy(&lower);
  tg_dmat_destroy(&x);
}

static void test_solutions(const tg_grid *grid)
{
  check_solution(grid, ROWS, COUNT, false, COUNT);
  check_solution(grid, ROWS, COUNT, true, COUNT - 1);
  check_solution(grid, 2, COUNT, false, 4);
}

// 1e16 + 1 - 1e16 needs more than a double's digits on the way.
static void test_residual(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, 1, 3, 1);
  tg_dmat *x = check_matrix(grid, 3, 1, 1);
  tg_dmat *b = check_matrix(grid, 1, 1, 1);
  double out = 0;
  tg_dmat_scatter_small((const double[]){1e16, 1, -1e16}, a);
  tg_dmat_fill(1, x);
  tg_dmat_fill(3, b);
  REQUIRE_OK(tg_residual_extended(false, a, x, b, NULL, b));
  REQUIRE_OK(tg_dmat_fetch(b, &out));
  const bool is_wider = sizeof(long double) > sizeof(double);
  CHECK(!is_wider || out == 2, "3 - (1e16 + 1 - 1e16) = %g", out);
  tg_dmat_fill(1, b);
  REQUIRE_OK(tg_residual_extended(true, a, b, NULL, x, x));
  double turned[3];
  REQUIRE_OK(tg_dmat_gather_small(x, turned));
  CHECK(turned[1] == -2, "-1 - 1 = %g", turned[1]);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&b);
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_solutions);
  check_on_grids(blocks, test_residual);
}

CHECK_PROGRAM(program_least_squares, run)
