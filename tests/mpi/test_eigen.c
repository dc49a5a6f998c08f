// Decompositions: what they multiply back to, orthogonality, order of values, known spectra, refusals.
#include "check.h"
#include "mpi/factor/eigen.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

static tg_workspace *workspace_of(const tg_grid *grid)
{
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  return workspace;
}

// op(Q) Q' or Q' Q must be the identity.
static void check_orthonormal(const tg_dmat *q, bool by_rows, tg_workspace *workspace, const char *what)
{
  const int64_t n = by_rows ? q->rows : q->cols;
  tg_dmat *gram = check_matrix(q->grid, n, n, 1);
  tg_dmat *eye = check_matrix(q->grid, n, n, 1);
  tg_dmat_eye(1, eye);
  double *expected = check_gather(eye);
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, !by_rows, by_rows, 1, q, q, 0, gram, workspace, NULL));
  CHECK_MATRIX(gram, expected, 1e-13, what);
  tg_free(expected);
  tg_dmat_destroy(&gram);
  tg_dmat_destroy(&eye);
}

// left * diag(values) * op(right) must be a; values NULL: 1.
static void check_product(const tg_dmat *left, const double *values, const tg_dmat *right, bool trans, const tg_dmat *a,
                          tg_workspace *workspace, const char *what)
{
  const tg_grid *grid = a->grid;
  tg_dmat *scaled = check_matrix(grid, left->rows, left->cols, 1);
  tg_dmat *back = check_matrix(grid, a->rows, a->cols, 2);
  REQUIRE_OK(tg_dmat_copy(left, scaled));
  for (int64_t lj = 0; values != NULL && lj < scaled->local_cols; lj++)
    for (int64_t li = 0; li < scaled->local_rows; li++)
      scaled->data[li + lj * scaled->ld] *= values[tg_layout_global(lj, scaled->block, grid->col, grid->cols)];
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, trans, 1, scaled, right, 0, back, workspace, NULL));
  double *expected = check_gather(a);
  CHECK_MATRIX(back, expected, 1e-12, what);
  tg_free(expected);
  tg_dmat_destroy(&scaled);
  tg_dmat_destroy(&back);
}

static void test_symmetric(const tg_grid *grid)
{
  enum { N = 23 };
  tg_workspace *workspace = workspace_of(grid);
  const tg_generate_options options = {.seed = 6, .condition = 1000};
  tg_dmat *a = check_matrix(grid, N, N, 1);
  tg_dmat *v = check_matrix(grid, N, N, 2);
  REQUIRE_OK(tg_generate("spd", &options, a));
  double values[N];
  REQUIRE_OK(tg_eigen_symmetric(a, values, v));
  for (int k = 0; k < N; k++) {
    const double expected = pow(1000, -(double)(N - 1 - k) / (N - 1));
    CHECK(fabs(values[k] - expected) < 1e-14, "eigenvalue %d is %.17g, expected %.17g", k, values[k], expected);
  }
  check_orthonormal(v, false, workspace, "eigenvectors");
  check_product(v, values, v, true, a, workspace, "V D V'");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&v);
  tg_workspace_destroy(&workspace);
}

// A V = V diag(values), orthonormal columns, and the values expected: n_low from the front, n_high from the back.
static void check_extremes(const tg_dmat *a, int64_t n_low, int64_t n_high, const double *expected,
                           tg_workspace *workspace)
{
  const int64_t m = n_low + n_high;
  tg_dmat *v = check_matrix(a->grid, a->rows, m, 2);
  tg_dmat *image = check_matrix(a->grid, a->rows, m, 3);
  tg_dmat *eye = check_matrix(a->grid, m, m, 3);
  double *values = check_array(m, 1, 1);
  double flops = 0;
  REQUIRE_OK(tg_eigen_extremes(a, n_low, n_high, values, v, &flops));
  CHECK(flops > 0, "%g flops", flops);
  for (int64_t k = 0; k < m; k++) {
    const double value = expected[k < n_low ? k : k + a->rows - m];
    CHECK(fabs(values[k] - value) < 1e-13, "%d + %d of %d: eigenvalue %d is %.17g, expected %.17g", (int)n_low,
          (int)n_high, (int)a->rows, (int)k, values[k], value);
  }
  check_orthonormal(v, false, workspace, "extreme eigenvectors");
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, false, 1, a, v, 0, image, workspace, NULL));
  tg_dmat_eye(1, eye);
  check_product(v, values, eye, false, image, workspace, "V D");
  tg_free(values);
  tg_dmat_destroy(&v);
  tg_dmat_destroy(&image);
  tg_dmat_destroy(&eye);
}

// Few (by the tridiagonal form) and many (all of them, then a choice).
static void test_extremes(const tg_grid *grid)
{
  enum { N = 23 };
  static const int64_t wanted[][2] = {{3, 0}, {0, 4}, {2, 3}, {1, 0}, {N, 0}, {0, N}, {10, 8}};
  tg_workspace *workspace = workspace_of(grid);
  const tg_generate_options options = {.seed = 6, .condition = 1000};
  tg_dmat *a = check_matrix(grid, N, N, 1);
  double expected[N];
  REQUIRE_OK(tg_generate("spd", &options, a));
  for (int k = 0; k < N; k++) expected[k] = pow(1000, -(double)(N - 1 - k) / (N - 1));
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
    check_extremes(a, wanted[k][0], wanted[k][1], expected, workspace);
  // Eigenvalues of multiplicity N: the vectors must be orthonormal nevertheless.
  tg_dmat_eye(2, a);
  for (int k = 0; k < N; k++) expected[k] = 2;
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
    check_extremes(a, wanted[k][0], wanted[k][1], expected, workspace);
  tg_dmat *one = check_matrix(grid, 1, 1, 1);
  tg_dmat_fill(-3, one);
  check_extremes(one, 0, 1, (const double[]){-3}, workspace);
  tg_dmat_destroy(&one);
  tg_dmat_destroy(&a);
  tg_workspace_destroy(&workspace);
}

static void test_qr_shape(const tg_grid *grid, int64_t rows, int64_t cols, tg_workspace *workspace)
{
  tg_dmat *a = check_matrix(grid, rows, cols, 1);
  tg_dmat *q = check_matrix(grid, rows, cols, 2);
  tg_dmat *r = check_matrix(grid, cols, cols, 3);
  REQUIRE_OK(tg_eigen_qr(a, q, r));
  check_orthonormal(q, false, workspace, "Q");
  check_product(q, NULL, r, false, a, workspace, "Q R");
  double *triangle = check_gather(r);
  for (int64_t e = 0; e < cols * cols; e++) {
    if (e % cols > e / cols) CHECK(triangle[e] == 0, "R below the diagonal: %g", triangle[e]);
    if (e % cols == e / cols) CHECK(triangle[e] >= 0, "R on the diagonal: %g", triangle[e]);
  }
  tg_dmat *again = check_matrix(grid, rows, cols, 4);
  REQUIRE_OK(tg_eigen_qr(q, again, NULL));
  double *expected = check_gather(q); // unique: Q is its own orthogonal factor
  CHECK_MATRIX(again, expected, 1e-13, "Q of Q");
  tg_free(expected);
  tg_free(triangle);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&q);
  tg_dmat_destroy(&r);
  tg_dmat_destroy(&again);
}

static void test_svd_shape(const tg_grid *grid, int64_t rows, int64_t cols, tg_workspace *workspace)
{
  const int64_t k = rows < cols ? rows : cols;
  tg_dmat *a = check_matrix(grid, rows, cols, 1);
  tg_dmat *u = check_matrix(grid, rows, k, 2);
  tg_dmat *vt = check_matrix(grid, k, cols, 3);
  double *values = NULL;
  REQUIRE_OK(tg_alloc_numbers(k, &values));
  REQUIRE_OK(tg_eigen_svd(a, u, values, vt));
  for (int64_t s = 0; s + 1 < k; s++) CHECK(values[s] >= values[s + 1] && values[s + 1] >= 0, "order of %d", (int)s);
  for (int64_t s = 0; s < k; s++) {
    double first = values[s];
    MPI_Bcast(&first, 1, MPI_DOUBLE, 0, grid->comm);
    CHECK(values[s] == first, "singular value %d is %.17g, on rank 0 %.17g", (int)s, values[s], first);
  }
  check_orthonormal(u, false, workspace, "U");
  check_orthonormal(vt, true, workspace, "V");
  check_product(u, values, vt, false, a, workspace, "U S V'");
  tg_free(values);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&u);
  tg_dmat_destroy(&vt);
}

static void test_shapes(const tg_grid *grid)
{
  static const int64_t shapes[][2] = {{1, 1}, {5, 5}, {20, 20}, {31, 6}, {40, 1}};
  tg_workspace *workspace = workspace_of(grid);
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    test_qr_shape(grid, shapes[k][0], shapes[k][1], workspace);
    test_svd_shape(grid, shapes[k][0], shapes[k][1], workspace);
    test_svd_shape(grid, shapes[k][1], shapes[k][0], workspace);
  }
  tg_workspace_destroy(&workspace);
}

static void test_refusals(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, 5, 7, 1);
  tg_dmat *square = check_matrix(grid, 5, 5, 1);
  tg_dmat *q = check_matrix(grid, 5, 5, 1);
  double values[5];
  CHECK_FAILS(tg_eigen_symmetric(a, values, square), TG_INTERNAL, "no symmetric eigenvalues");
  CHECK_FAILS(tg_eigen_symmetric(square, values, a), TG_INTERNAL, "found 5 x 7");
  CHECK_FAILS(tg_eigen_qr(a, a, NULL), TG_INTERNAL, "as many rows as columns");
  CHECK_FAILS(tg_eigen_svd(a, a, values, a), TG_INTERNAL, "the left singular vectors");
  if (grid->rank == 0) square->data[0] = check_nan();
  CHECK_FAILS(tg_eigen_symmetric(square, values, q), TG_NUMERIC, "not finite");
  CHECK_FAILS(tg_eigen_svd(square, q, values, q), TG_NUMERIC, "not finite");
  CHECK_FAILS(tg_eigen_extremes(square, 5, 0, values, q, NULL), TG_NUMERIC, "not finite");
  CHECK_FAILS(tg_eigen_extremes(square, 3, 3, values, q, NULL), TG_INTERNAL, "3 + 3 eigenvalues of a 5 x 5");
  CHECK_FAILS(tg_eigen_extremes(square, 3, 0, values, q, NULL), TG_INTERNAL, "the eigenvectors");
  tg_dmat_eye(1, square);
  for (int64_t nth = 1; nth <= 4; nth++) {
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_eigen_symmetric(square, values, q), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
  }
  tg_dmat *few = check_matrix(grid, 5, 2, 1);
  for (int64_t nth = 1; nth <= 8; nth++) {
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_eigen_extremes(square, 2, 0, values, few, NULL), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
  }
  tg_dmat_destroy(&few);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&square);
  tg_dmat_destroy(&q);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 8, 64, 0};
  check_on_grids(blocks, test_symmetric);
  check_on_grids(blocks, test_extremes);
  check_on_grids(blocks, test_shapes);
  check_on_grids(&blocks[1], test_refusals);
}

CHECK_PROGRAM(program_eigen, run)
