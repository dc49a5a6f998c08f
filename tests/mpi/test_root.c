// Triangular roots: R'R = S, R and its inverse upper triangular and inverse to each other, refusals.
#include "check.h"
#include "mpi/factor/root.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

static void check_triangle(const tg_dmat *m, const char *what)
{
  double *plain = check_gather(m);
  for (int64_t k = 0; k < m->rows * m->rows; k++) {
    if (k % m->rows > k / m->rows) CHECK(plain[k] == 0, "%s below the diagonal: %g", what, plain[k]);
    if (k % m->rows == k / m->rows) CHECK(plain[k] > 0, "%s on the diagonal: %g", what, plain[k]);
  }
  tg_free(plain);
}

static void check_root(const tg_grid *grid, int64_t n)
{
  const tg_generate_options options = {.seed = 2, .condition = 100};
  tg_dmat *s = check_matrix(grid, n, n, 1);
  tg_dmat *product = check_matrix(grid, n, n, 2);
  tg_dmat *root = NULL;
  tg_dmat *inverse = NULL;
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  REQUIRE_OK(tg_generate("spd", &options, s));
  double *expected = check_gather(s);
  REQUIRE_OK(tg_root_create(s, &root, &inverse));
  CHECK_MATRIX(s, expected, 0, "S is kept");
  check_triangle(root, "the root");
  check_triangle(inverse, "its inverse");
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, true, false, 1, root, root, 0, product, workspace, NULL));
  CHECK_MATRIX(product, expected, 1e-14, "R'R");
  tg_free(expected);
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, false, 1, root, inverse, 0, product, workspace, NULL));
  tg_dmat_eye(1, s);
  expected = check_gather(s);
  CHECK_MATRIX(product, expected, 1e-13, "R inverse");
  tg_free(expected);
  tg_workspace_destroy(&workspace);
  tg_dmat_destroy(&root);
  tg_dmat_destroy(&inverse);
  tg_dmat_destroy(&product);
  tg_dmat_destroy(&s);
}

static void test_roots(const tg_grid *grid)
{
  check_root(grid, 1);
  check_root(grid, 5);
  check_root(grid, 24);
}

static void test_refusals(const tg_grid *grid)
{
  tg_dmat *s = check_matrix(grid, 6, 6, 1);
  tg_dmat *root = NULL;
  tg_dmat *inverse = NULL;
  tg_dmat_eye(-1, s);
  CHECK_FAILS(tg_root_create(s, &root, &inverse), TG_NUMERIC, "positive definite");
  CHECK(root == NULL && inverse == NULL, "something is left after a failure");
  tg_dmat_eye(1, s);
  for (int64_t nth = 1; nth <= 4; nth++) {
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_root_create(s, &root, &inverse), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
  }
  tg_dmat_destroy(&s);
}

static void run(void)
{
  const int64_t blocks[] = {1, 4, 64, 0};
  check_on_grids(blocks, test_roots);
  check_on_grids(&blocks[1], test_refusals);
}

CHECK_PROGRAM(program_root, run)
