// Factorisations: solves from both sides, inverses and determinants against residuals and known answers; refusals.
#include "check.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

enum { N = 17, RHS = 5 };

static tg_workspace *new_workspace(const tg_grid *grid)
{
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  return workspace;
}

// Residual op(A) X - B, or X op(A) - B, must vanish.
static void check_solve(const tg_grid *grid, const tg_factor *factor, const tg_dmat *a, bool trans, bool right,
                        tg_workspace *workspace)
{
  tg_dmat *b = check_matrix(grid, right ? RHS : N, right ? N : RHS, 6);
  tg_dmat *x = check_matrix(grid, b->rows, b->cols, 7);
  tg_dmat *r = check_matrix(grid, b->rows, b->cols, 8);
  REQUIRE_OK(tg_factor_solve(factor, trans, right, b, x, workspace));
  if (right)
    REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, trans, 1, x, a, 0, r, workspace, NULL));
  else
    REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, trans, false, 1, a, x, 0, r, workspace, NULL));
  double *expected = check_gather(b);
  char what[80];
  snprintf(what, sizeof what, "residual, kind %d, trans %d, right %d", (int)factor->kind, trans, right);
  CHECK_MATRIX(r, expected, 1e-11, what);
  REQUIRE_OK(tg_factor_solve(factor, trans, right, b, b, workspace)); // in place
  double *apart = check_gather(x);
  CHECK_MATRIX(b, apart, 0, "solve in place");
  tg_free(apart);
  tg_free(expected);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&r);
}

static void check_inverse(const tg_grid *grid, const tg_factor *factor, const tg_dmat *a, tg_workspace *workspace)
{
  tg_dmat *x = check_matrix(grid, N, N, 7);
  tg_dmat *r = check_matrix(grid, N, N, 8);
  tg_dmat *eye = check_matrix(grid, N, N, 8);
  tg_dmat_eye(1, eye);
  double *expected = check_gather(eye);
  for (int trans = 0; trans < 2; trans++) {
    REQUIRE_OK(tg_factor_inverse(factor, trans, x, workspace));
    REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, trans, false, 1, a, x, 0, r, workspace, NULL));
    CHECK_MATRIX(r, expected, 1e-11, "A times its inverse");
  }
  tg_free(expected);
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&r);
  tg_dmat_destroy(&eye);
}

// Eigenvalues log-spaced from 1 to 1/100: log det = -n/2 log 100 = -n log 10.
static void test_cholesky(const tg_grid *grid)
{
  const tg_generate_options options = {.seed = 4, .condition = 100};
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *a = check_matrix(grid, N, N, 1);
  REQUIRE_OK(tg_generate("spd", &options, a));
  tg_factor *factor = NULL;
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  REQUIRE_OK(tg_factor_cholesky(factor, a));
  double logdet = 0;
  double det = 0;
  REQUIRE_OK(tg_factor_logdet(factor, &logdet));
  REQUIRE_OK(tg_factor_det(factor, &det));
  CHECK(fabs(logdet + N * log(10)) < 1e-12, "logdet %.17g", logdet);
  CHECK(fabs(det * 1e17 - 1) < 1e-12, "det %.17g", det);
  check_solve(grid, factor, a, false, false, workspace);
  check_solve(grid, factor, a, true, true, workspace);
  check_inverse(grid, factor, a, workspace);
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
  tg_workspace_destroy(&workspace);
}

static void test_lu(const tg_grid *grid)
{
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *a = check_matrix(grid, N, N, 3);
  tg_factor *factor = NULL;
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  REQUIRE_OK(tg_factor_lu(factor, a));
  for (int mode = 0; mode < 4; mode++) check_solve(grid, factor, a, mode & 1, mode & 2, workspace);
  check_inverse(grid, factor, a, workspace);
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
  tg_workspace_destroy(&workspace);
}

// The cyclic shift of n rows times 2: det = 2^n * (-1)^(n-1), every pivot a row interchange.
static void test_sign(const tg_grid *grid)
{
  for (int64_t n = 1; n <= 6; n++) {
    tg_dmat *a = check_matrix(grid, n, n, 3);
    double *shift = check_array(n, n, 3);
    for (int64_t e = 0; e < n * n; e++) shift[e] = e % n == (e / n + 1) % n ? 2 : 0;
    tg_dmat_scatter_small(shift, a);
    tg_factor *factor = NULL;
    REQUIRE_OK(tg_factor_create(grid, n, &factor));
    REQUIRE_OK(tg_factor_lu(factor, a));
    double det = 0;
    REQUIRE_OK(tg_factor_det(factor, &det));
    CHECK(det == ldexp(n % 2 == 1 ? 1 : -1, (int)n), "det of a shift of %" PRId64 ": %g", n, det);
    double logdet = 0;
    if (n % 2 == 0) CHECK_FAILS(tg_factor_logdet(factor, &logdet), TG_NUMERIC, "is negative");
    tg_factor_destroy(&factor);
    tg_dmat_destroy(&a);
    tg_free(shift);
  }
}

static void test_range(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, N, N, 3);
  tg_factor *factor = NULL;
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  double value = 0;
  tg_dmat_eye(1e30, a);
  REQUIRE_OK(tg_factor_lu(factor, a));
  CHECK_FAILS(tg_factor_det(factor, &value), TG_NUMERIC, "too large for a double; use logdet");
  REQUIRE_OK(tg_factor_logdet(factor, &value));
  CHECK(fabs(value / (N * 30 * log(10)) - 1) < 1e-14, "logdet %.17g", value);
  tg_dmat_eye(1e-30, a);
  REQUIRE_OK(tg_factor_cholesky(factor, a));
  CHECK_FAILS(tg_factor_det(factor, &value), TG_NUMERIC, "too small for a double; use logdet");
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
}

// Every place of the failing column: on each grid another rank notices it, all must report it.
static void test_not_positive(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, N, N, 3);
  tg_factor *factor = NULL;
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  double *diagonal = check_array(N, N, 0);
  for (int bad = 0; bad < N; bad++) {
    for (int e = 0; e < N * N; e++) diagonal[e] = e % N != e / N ? 0 : e % N == bad ? -1 : 1;
    tg_dmat_scatter_small(diagonal, a);
    char text[40];
    snprintf(text, sizeof text, "(column %d)", bad + 1);
    CHECK_FAILS(tg_factor_cholesky(factor, a), TG_NUMERIC, text);
    diagonal[bad + N * bad] = 0;
    tg_dmat_scatter_small(diagonal, a);
    REQUIRE_OK(tg_factor_lu(factor, a));
    snprintf(text, sizeof text, "pivot in column %d is zero", bad + 1);
    CHECK_FAILS(tg_factor_solve(factor, false, false, a, a, NULL), TG_NUMERIC, text);
    double det = 1;
    REQUIRE_OK(tg_factor_det(factor, &det));
    CHECK(det == 0, "det of a singular matrix: %g", det);
  }
  tg_free(diagonal);
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
}

// log det is that of a positive definite matrix: a determinant of +1 does not make diag(-1, -1, 1, ...) one, and
// a matrix that is not symmetric has none. A skew part of rounding size is left out.
static void test_for_logdet(const tg_grid *grid)
{
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *a = check_matrix(grid, N, N, 3);
  tg_factor *factor = NULL;
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  double *entries = check_array(N, N, 0);
  for (int e = 0; e < N * N; e++) entries[e] = e % N == e / N ? (e % N < 2 ? -1 : 1) : 0;
  tg_dmat_scatter_small(entries, a);
  CHECK_FAILS(tg_factor_for_logdet(factor, a, workspace), TG_NUMERIC, "not positive definite");
  entries[0] = entries[1 + N] = 1;
  entries[N] = 0.5;
  tg_dmat_scatter_small(entries, a);
  double logdet = 1;
  CHECK_FAILS(tg_factor_for_logdet(factor, a, workspace), TG_NUMERIC, "is not symmetric, expected a symmetric");
  entries[1] = 0.5 + 1e-13;
  tg_dmat_scatter_small(entries, a);
  REQUIRE_OK(tg_factor_for_logdet(factor, a, workspace));
  CHECK(factor->kind == TG_FACTOR_CHOLESKY, "a symmetric matrix goes to Cholesky");
  REQUIRE_OK(tg_factor_logdet(factor, &logdet));
  CHECK(fabs(logdet - log(0.75)) < 1e-12, "logdet %.17g", logdet);
  tg_free(entries);
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
  tg_workspace_destroy(&workspace);
}

static void test_refusals(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, N, N + 1, 3);
  tg_factor *factor = NULL;
  if (grid->rank == grid->size - 1) tg_alloc_fail_after(3);
  CHECK_FAILS(tg_factor_create(grid, N, &factor), TG_MEMORY, "cannot allocate");
  tg_alloc_fail_after(0);
  CHECK(factor == NULL, "no factor after a fault");
  REQUIRE_OK(tg_factor_create(grid, N, &factor));
  CHECK_FAILS(tg_factor_lu(factor, a), TG_INTERNAL, "a 17 x 18 matrix is factored");
  CHECK_FAILS(tg_factor_solve(factor, false, false, a, a, NULL), TG_INTERNAL, "before a factorisation");
  tg_dmat *eye = check_matrix(grid, N, N, 3);
  tg_dmat_eye(1, eye);
  REQUIRE_OK(tg_factor_cholesky(factor, eye));
  CHECK_FAILS(tg_factor_solve(factor, false, true, a, a, NULL), TG_INTERNAL, "17 x 18 right-hand side");
  tg_dmat_destroy(&eye);
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&a);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 8, 64, 0};
  check_on_grids(blocks, test_cholesky);
  check_on_grids(blocks, test_lu);
  check_on_grids(blocks, test_sign);
  check_on_grids(blocks, test_range);
  check_on_grids(blocks, test_not_positive);
  check_on_grids(blocks, test_for_logdet);
  check_on_grids(&blocks[1], test_refusals);
}

CHECK_PROGRAM(program_factor, run)
