// Decompositions that are kept: what they multiply back to, one for one matrix, no allocation, domains, refusals.
#include "check.h"
#include "mpi/factor/spectrum.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

typedef struct fixture {
  tg_workspace *workspace;
  tg_spectrum *spectrum;
  tg_dmat *a;
  tg_dmat *left;
  tg_dmat *right;
  tg_dmat *values;
  tg_dmat *back;
} fixture;

static fixture create(const tg_grid *grid, tg_factor_use use, int64_t m, int64_t n)
{
  fixture f = {0};
  const int64_t k = m < n ? m : n;
  const tg_plan_factor factor = {.use = use, .rows = m, .cols = n};
  REQUIRE_OK(tg_workspace_create(grid, &f.workspace));
  REQUIRE_OK(tg_spectrum_create(grid, &factor, &f.spectrum));
  f.a = check_matrix(grid, m, n, 1);
  f.left = check_matrix(grid, m, k, 2);
  f.right = check_matrix(grid, k, n, 3);
  f.values = check_matrix(grid, k, 1, 4);
  f.back = check_matrix(grid, m, n, 5);
  return f;
}

static void destroy(fixture *f)
{
  tg_dmat_destroy(&f->a);
  tg_dmat_destroy(&f->left);
  tg_dmat_destroy(&f->right);
  tg_dmat_destroy(&f->values);
  tg_dmat_destroy(&f->back);
  tg_spectrum_destroy(&f->spectrum);
  tg_workspace_destroy(&f->workspace);
}

// left diag(values) right must be a.
static void check_back(fixture *f, bool is_svd, const char *what)
{
  const tg_dmat *right = is_svd ? f->right : f->left;
  double *values = check_gather(f->values);
  for (int64_t j = 0; j < f->left->local_cols; j++)
    for (int64_t i = 0; i < f->left->local_rows; i++)
      f->left->data[i + j * f->left->ld] *=
          values[tg_layout_global(j, f->left->block, f->left->grid->col, f->left->grid->cols)];
  tg_dmat *plain = check_matrix(f->a->grid, f->left->rows, f->left->cols, 6);
  REQUIRE_OK(tg_dmat_copy(f->left, plain));
  REQUIRE_OK(tg_spectrum_vectors(f->spectrum, false, f->left));
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, !is_svd, 1, plain, right, 0, f->back, f->workspace, NULL));
  double *expected = check_gather(f->a);
  CHECK_MATRIX(f->back, expected, 1e-12, what);
  tg_free(expected);
  tg_free(values);
  tg_dmat_destroy(&plain);
}

static void make(fixture *f, bool is_svd, const char *what)
{
  REQUIRE_OK(tg_spectrum_make(f->spectrum, f->a, f->workspace));
  REQUIRE_OK(tg_spectrum_vectors(f->spectrum, false, f->left));
  if (is_svd) REQUIRE_OK(tg_spectrum_vectors(f->spectrum, true, f->right));
  REQUIRE_OK(tg_spectrum_values(f->spectrum, TG_DOMAIN_REAL, f->values));
  check_back(f, is_svd, what);
}

static void generate(const char *kind, uint64_t seed, tg_dmat *a)
{
  const tg_generate_options options = {.seed = seed, .condition = 100};
  REQUIRE_OK(tg_generate(kind, &options, a));
}

static void test_kept(const tg_grid *grid)
{
  fixture f = create(grid, TG_FACTOR_OF_EIGEN, 19, 19);
  generate("spd", 1, f.a);
  make(&f, false, "Q D Q'");
  REQUIRE_OK(tg_spectrum_make(f.spectrum, f.a, f.workspace));
  CHECK(tg_spectrum_count(f.spectrum) == 1, "the same matrix is decomposed %" PRId64 " times",
        tg_spectrum_count(f.spectrum));
  generate("spd", 2, f.a);
  const int64_t allocations = tg_alloc_count();
  REQUIRE_OK(tg_spectrum_make(f.spectrum, f.a, f.workspace));
  CHECK(tg_alloc_count() == allocations, "%" PRId64 " allocations for another matrix", tg_alloc_count() - allocations);
  CHECK(tg_spectrum_count(f.spectrum) == 2, "another matrix is not decomposed");
  make(&f, false, "of another matrix");
  CHECK(tg_spectrum_bytes(f.spectrum) > 0, "no memory is counted");
  destroy(&f);
}

static void test_singular(const tg_grid *grid)
{
  static const int64_t sizes[][2] = {{17, 5}, {5, 17}, {9, 9}, {1, 6}, {3, 2}};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    fixture f = create(grid, TG_FACTOR_OF_SVD, sizes[k][0], sizes[k][1]);
    for (uint64_t seed = 1; seed <= 2; seed++) {
      const tg_generate_options options = {.seed = seed};
      REQUIRE_OK(tg_generate("normal", &options, f.a));
      const int64_t allocations = tg_alloc_count();
      REQUIRE_OK(tg_spectrum_make(f.spectrum, f.a, f.workspace));
      CHECK(tg_alloc_count() == allocations, "a decomposition allocates");
      make(&f, true, "U D V'");
      CHECK(tg_spectrum_count(f.spectrum) == (int64_t)seed, "%" PRId64 " decompositions",
            tg_spectrum_count(f.spectrum));
    }
    destroy(&f);
  }
}

static void test_domains(const tg_grid *grid)
{
  fixture f = create(grid, TG_FACTOR_OF_EIGEN, 6, 6);
  tg_dmat_fill(1, f.a); // eigenvalues 6 and 0
  REQUIRE_OK(tg_spectrum_make(f.spectrum, f.a, f.workspace));
  REQUIRE_OK(tg_spectrum_values(f.spectrum, TG_DOMAIN_NONNEGATIVE, f.values));
  double *values = check_gather(f.values);
  for (int k = 0; k < 5; k++) CHECK(values[k] == 0, "a zero eigenvalue is %g", values[k]);
  CHECK(fabs(values[5] - 6) < 1e-13, "the largest eigenvalue is %.17g", values[5]);
  tg_free(values);
  tg_dmat_eye(-2, f.a);
  REQUIRE_OK(tg_spectrum_make(f.spectrum, f.a, f.workspace));
  REQUIRE_OK(tg_spectrum_values(f.spectrum, TG_DOMAIN_REAL, f.values));
  CHECK_FAILS(tg_spectrum_values(f.spectrum, TG_DOMAIN_POSITIVE, f.values), TG_NUMERIC,
              "not positive definite: its smallest eigenvalue is -2");
  CHECK_FAILS(tg_spectrum_values(f.spectrum, TG_DOMAIN_NONNEGATIVE, f.values), TG_NUMERIC,
              "not positive semidefinite: its smallest eigenvalue is -2");
  // One entry below the diagonal, on whoever owns it.
  tg_dmat_eye(1, f.a);
  if (tg_layout_owner(3, f.a->block, grid->rows) == grid->row &&
      tg_layout_owner(1, f.a->block, grid->cols) == grid->col)
    f.a->data[tg_layout_local(3, f.a->block, grid->rows) + tg_layout_local(1, f.a->block, grid->cols) * f.a->ld] = 0.5;
  CHECK_FAILS(tg_spectrum_make(f.spectrum, f.a, f.workspace), TG_NUMERIC, "mirror images by up to 0.5");
  tg_dmat_fill((double)NAN, f.a);
  CHECK_FAILS(tg_spectrum_make(f.spectrum, f.a, f.workspace), TG_NUMERIC, "not finite");
  destroy(&f);
}

static void test_memory(const tg_grid *grid)
{
  const tg_plan_factor factor = {.use = TG_FACTOR_OF_SVD, .rows = 4, .cols = 3};
  for (int64_t nth = 1; nth <= 6; nth++) {
    tg_spectrum *s = NULL;
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_spectrum_create(grid, &factor, &s), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
    CHECK(s == NULL, "half a spectrum is left");
  }
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 8, 64, 0};
  check_on_grids(blocks, test_kept);
  check_on_grids(blocks, test_singular);
  check_on_grids(blocks, test_domains);
  check_on_grids(&blocks[3], test_memory);
}

CHECK_PROGRAM(program_spectrum, run)
