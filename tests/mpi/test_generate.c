// Generated matrices: entries that do not depend on the layout, their stated properties, refusals.
#include <cblas.h>

#include "check.h"
#include "mpi/matrix/generate.h"

static tg_dmat *generated(const tg_grid *grid, const char *kind, int64_t rows, int64_t cols,
                          const tg_generate_options *options)
{
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_dmat_create(grid, rows, cols, &m));
  REQUIRE_OK(tg_generate(kind, options, m));
  return m;
}

// The same matrix made on a grid of this rank alone, whole.
static double *generated_alone(const char *kind, int64_t rows, int64_t cols, const tg_generate_options *options)
{
  tg_grid *alone = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_SELF, 1, 1, 64, &alone));
  tg_dmat *m = generated(alone, kind, rows, cols, options);
  double *a = check_gather(m);
  tg_dmat_destroy(&m);
  tg_grid_destroy(&alone);
  return a;
}

static tg_generate_options options_for(int kind)
{
  tg_generate_options options = {.seed = 11, .scale = 1.5};
  if (tg_generate_takes(kind, "condition")) options.condition = 100;
  return options;
}

// Every kind of the table: the entries are the same bits on every grid and block size.
static void test_layouts(const tg_grid *grid)
{
  for (int kind = 0; kind < tg_generate_count(); kind++) {
    const tg_generate_options options = options_for(kind);
    tg_dmat *m = generated(grid, tg_generate_label(kind), 13, 13, &options);
    double *expected = generated_alone(tg_generate_label(kind), 13, 13, &options);
    CHECK_MATRIX(m, expected, 0, tg_generate_label(kind));
    tg_free(expected);
    tg_dmat_destroy(&m);
  }
}

// |Q'Q - I| for Q rows x cols, rows >= cols.
static double gram_error(const double *q, int64_t rows, int64_t cols)
{
  double worst = 0;
  for (int64_t a = 0; a < cols; a++)
    for (int64_t b = 0; b < cols; b++) {
      const double g = cblas_ddot((int)rows, q + a * rows, 1, q + b * rows, 1);
      worst = fmax(worst, fabs(g - (a == b ? 1 : 0)));
    }
  return worst;
}

static void test_orthogonal(void)
{
  const tg_generate_options options = {.seed = 3};
  double *tall = generated_alone("orthogonal", 20, 7, &options);
  CHECK(gram_error(tall, 20, 7) < 1e-14, "columns are orthonormal to %g", gram_error(tall, 20, 7));
  double *wide = generated_alone("orthogonal", 1, 9, &options);
  CHECK(fabs(cblas_dnrm2(9, wide, 1) - 1) < 1e-14, "rows are of length %.17g", cblas_dnrm2(9, wide, 1));
  tg_free(tall);
  tg_free(wide);
}

// The spectrum by its power sums: tr A, |A|^2 and tr A^3 of the stated eigenvalues; and symmetry to the bit.
static void test_spd(void)
{
  enum { N = 24 };
  const tg_generate_options options = {.seed = 5, .condition = 1e4};
  double *a = generated_alone("spd", N, N, &options);
  double found[3] = {0};
  double expected[3] = {0};
  bool symmetric = true;
  for (int i = 0; i < N; i++) {
    const double lambda = pow(1e4, -(double)i / (N - 1));
    expected[0] += lambda;
    expected[1] += lambda * lambda;
    expected[2] += lambda * lambda * lambda;
    found[0] += a[i + N * i];
    for (int j = 0; j < N; j++) {
      symmetric = symmetric && a[i + N * j] == a[j + N * i];
      found[1] += a[i + N * j] * a[j + N * i];
      for (int k = 0; k < N; k++) found[2] += a[i + N * j] * a[j + N * k] * a[k + N * i];
    }
  }
  for (int p = 0; p < 3; p++) CHECK(fabs(found[p] - expected[p]) < 1e-13 * N, "power sum %d: %g", p, found[p]);
  CHECK(symmetric, "symmetric to the last bit");
  CHECK(fabs(a[1]) > 1e-6, "not diagonal: %g", a[1]);
  tg_free(a);
}

// Mean, variance and fourth moment of 40,000 normals within five standard errors; seeds and streams differ.
static void test_normal(void)
{
  enum { N = 200 };
  const tg_generate_options options = {.seed = 7};
  double *a = generated_alone("normal", N, N, &options);
  double moments[3] = {0};
  for (int k = 0; k < N * N; k++) {
    moments[0] += a[k] / (N * N);
    moments[1] += a[k] * a[k] / (N * N);
    moments[2] += a[k] * a[k] * a[k] * a[k] / (N * N);
  }
  CHECK(fabs(moments[0]) < 5.0 / N, "mean %g", moments[0]);
  CHECK(fabs(moments[1] - 1) < 5 * sqrt(2) / N, "variance %g", moments[1]);
  CHECK(fabs(moments[2] - 3) < 5 * sqrt(96) / N, "fourth moment %g", moments[2]);
  const tg_generate_options next = {.seed = 8};
  double *b = generated_alone("normal", N, N, &next);
  CHECK(fabs(cblas_ddot(N * N, a, 1, b, 1)) < 5 * N, "seeds correlate: %g", cblas_ddot(N * N, a, 1, b, 1));
  tg_free(a);
  tg_free(b);
}

static void test_uniform(void)
{
  enum { N = 200 };
  const tg_generate_options options = {.seed = 7};
  double *a = generated_alone("uniform", N, N, &options);
  double low = 1;
  double high = 0;
  double moments[2] = {0};
  for (int k = 0; k < N * N; k++) {
    low = fmin(low, a[k]);
    high = fmax(high, a[k]);
    moments[0] += a[k] / (N * N);
    moments[1] += a[k] * a[k] / (N * N);
  }
  CHECK(low >= 0 && low < 0.01 && high > 0.99 && high < 1, "uniform on [0, 1): %g to %g", low, high);
  CHECK(fabs(moments[0] - 0.5) < 5.0 / N, "mean %g", moments[0]);
  CHECK(fabs(moments[1] - 1.0 / 3) < 5.0 / N, "second moment %g", moments[1]);
  tg_free(a);
}

static void test_symmetric(void)
{
  const tg_generate_options options = {.seed = 2, .symmetric = true, .scale = 3};
  double *a = generated_alone("uniform", 9, 9, &options);
  bool symmetric = true;
  double least = 3;
  double most = 0;
  for (int i = 0; i < 9; i++)
    for (int j = 0; j < 9; j++) {
      symmetric = symmetric && a[i + 9 * j] == a[j + 9 * i];
      least = fmin(least, a[i + 9 * j]);
      most = fmax(most, a[i + 9 * j]);
    }
  CHECK(symmetric, "uniform, symmetric");
  CHECK(least >= 0 && most > 2 && most < 3, "uniform on [0, 3): %g to %g", least, most);
  tg_free(a);
}

static void test_closed_forms(void)
{
  const tg_generate_options plain = {0};
  double *ring = generated_alone("laplacian", 5, 5, &plain);
  const double first[5] = {2, -1, 0, 0, -1};
  CHECK(memcmp(ring, first, sizeof first) == 0, "first column of a ring");
  double *path = generated_alone("laplacian-path", 5, 5, &plain);
  CHECK(path[0] == 1 && path[1] == -1 && path[6] == 2 && path[24] == 1 && path[4] == 0, "a path");
  double *hilbert = generated_alone("hilbert", 3, 4, &plain);
  CHECK(hilbert[0] == 1 && hilbert[3] == 0.5 && hilbert[11] == 1.0 / 6, "hilbert");
  double *lehmer = generated_alone("lehmer", 3, 3, &plain);
  CHECK(lehmer[1] == 0.5 && lehmer[7] == 2.0 / 3, "lehmer");
  const tg_generate_options ratio = {.ratio = -0.5};
  double *kms = generated_alone("kac-murdock-szego", 3, 3, &ratio);
  CHECK(kms[1] == -0.5 && kms[2] == 0.25 && kms[4] == 1, "kac-murdock-szego");
  tg_free(ring);
  tg_free(path);
  tg_free(hilbert);
  tg_free(lehmer);
  tg_free(kms);
}

static void test_refusals(void)
{
  tg_generate_options options = {.seed = 1};
  CHECK_FAILS(tg_generate_check("nomral", 3, 3, &options), TG_NAME, "is \"normal\" meant?");
  CHECK_FAILS(tg_generate_check("spd", 3, 3, &options), TG_VALUE, "needs a condition number");
  options.condition = 0.5;
  CHECK_FAILS(tg_generate_check("spd", 3, 3, &options), TG_VALUE, "is 0.5");
  options.condition = 10;
  CHECK_FAILS(tg_generate_check("normal", 3, 3, &options), TG_VALUE, "takes no condition");
  CHECK_FAILS(tg_generate_check("spd", 3, 4, &options), TG_SHAPE, "3 x 4 is not");
  options.condition = 0;
  options.symmetric = true;
  CHECK_FAILS(tg_generate_check("normal", 3, 4, &options), TG_SHAPE, "symmetric normal");
  CHECK_FAILS(tg_generate_check("hilbert", 3, 3, &options), TG_VALUE, "cannot be asked to be symmetric");
  options.symmetric = false;
  options.ratio = 1;
  CHECK_FAILS(tg_generate_check("kac-murdock-szego", 3, 3, &options), TG_VALUE, "between -1 and 1");
  CHECK_FAILS(tg_generate_check("normal", 3, 3, &options), TG_VALUE, "takes no ratio");
  options.ratio = 0;
  options.scale = check_nan();
  CHECK_FAILS(tg_generate_check("normal", 3, 3, &options), TG_VALUE, "must be finite");
}

// Scratch for reflections fails on the last rank: all ranks hear of it.
static void test_fault(const tg_grid *grid)
{
  const tg_generate_options options = {.condition = 10};
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_dmat_create(grid, 8, 8, &m));
  for (int64_t nth = 1; nth <= 4; nth++) {
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
    CHECK_FAILS(tg_generate("spd", &options, m), TG_MEMORY, "cannot allocate");
    tg_alloc_fail_after(0);
  }
  tg_dmat_destroy(&m);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 64, 0};
  check_on_grids(blocks, test_layouts);
  test_orthogonal();
  test_spd();
  test_normal();
  test_uniform();
  test_symmetric();
  test_closed_forms();
  test_refusals();
  check_on_grids(&blocks[2], test_fault);
}

CHECK_PROGRAM(program_generate, run)
