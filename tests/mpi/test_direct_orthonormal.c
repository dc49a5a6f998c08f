// Minimisers on X'X = I: the least matching of known spectra by trying them all, the conditions of a polar factor.
#include "check.h"
#include "mpi/factor/direct.h"
#include "mpi/factor/eigen.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/space/space.h"

// An SPD matrix of known eigenvalues condition^-((n-1-k)/(n-1)), less `shift` on the diagonal.
static tg_dmat *new_known(const tg_grid *grid, int64_t n, uint64_t seed, double condition, double shift, double *values)
{
  const tg_generate_options options = {.seed = seed, .condition = condition};
  tg_dmat *a = check_matrix(grid, n, n, 1);
  tg_dmat *eye = check_matrix(grid, n, n, 1);
  REQUIRE_OK(tg_generate("spd", &options, a));
  tg_dmat_eye(1, eye);
  REQUIRE_OK(tg_dmat_lincomb(2, (const double[]){1, -shift}, (const tg_dmat *const[]){a, eye}, a));
  for (int64_t k = 0; k < n; k++)
    values[k] = (n > 1 ? pow(condition, -(double)(n - 1 - k) / (double)(n - 1)) : 1) - shift;
  tg_dmat_destroy(&eye);
  return a;
}

// min over injections of sum_j weights[j] a[injection(j)], by trying all: used is a bit mask.
static double least_matching(int64_t n, const double *a, int64_t p, const double *weights, unsigned used)
{
  if (p == 0) return 0;
  double least = HUGE_VAL;
  for (int64_t i = 0; i < n; i++) {
    if ((used >> i & 1) != 0) continue;
    const double value = weights[p - 1] * a[i] + least_matching(n, a, p - 1, weights, used | 1u << i);
    least = fmin(least, value);
  }
  return least;
}

// The point of the closed form, gathered.
static double *solve(const tg_grid *grid, tg_direct *direct, int64_t rows, int64_t cols)
{
  opt_space *space = NULL;
  opt_point *x = NULL;
  opt_point *g = NULL;
  opt_point *out = NULL;
  REQUIRE_OK(tg_space_create(grid, 1, &rows, &cols, &space));
  REQUIRE_OK(space->ops->create(space, &x));
  REQUIRE_OK(space->ops->create(space, &g));
  REQUIRE_OK(space->ops->create(space, &out));
  REQUIRE_OK(space->ops->random(space, 3, x));
  REQUIRE_OK(tg_direct_solve(direct, x, g, out));
  double *found = check_gather(tg_space_block(out, 0));
  space->ops->destroy(space, &x);
  space->ops->destroy(space, &g);
  space->ops->destroy(space, &out);
  tg_space_destroy(&space);
  return found;
}

// out (k x l) = op(a) b, plain arrays: a is m x k transposed, or k x m.
static double *multiply(bool trans, const double *a, const double *b, int64_t k, int64_t m, int64_t l)
{
  double *out = check_array(k, l, 1);
  for (int64_t j = 0; j < l; j++)
    for (int64_t i = 0; i < k; i++) {
      double sum = 0;
      for (int64_t q = 0; q < m; q++) sum += (trans ? a[q + i * m] : a[i + q * k]) * b[q + j * m];
      out[i + j * k] = sum;
    }
  return out;
}

static void check_orthonormal(const double *x, int64_t n, int64_t p, const char *what)
{
  double *gram = multiply(true, x, x, p, n, p);
  for (int64_t k = 0; k < p * p; k++)
    CHECK(fabs(gram[k] - (double)(k % p == k / p)) < 1e-13, "%s: X'X(%d) is %.17g", what, (int)k, gram[k]);
  tg_free(gram);
}

// tr(X'AXN), N = NULL the identity.
static double value_at(const double *x, const double *a, const double *weights, int64_t n, int64_t p)
{
  double *ax = multiply(false, a, x, n, n, p);
  double *projected = multiply(true, x, ax, p, n, p);
  double sum = 0;
  for (int64_t i = 0; i < p; i++)
    for (int64_t j = 0; j < p; j++)
      sum += projected[i + j * p] * (weights != NULL ? weights[j + i * p] : (double)(i == j));
  tg_free(ax);
  tg_free(projected);
  return sum;
}

static tg_status create_eigenvectors(const tg_grid *grid, int64_t n, int64_t p, double scale, tg_dmat *a,
                                     tg_dmat *weights, tg_direct **out)
{
  const tg_closed_plan plan = {.kind = TG_CLOSED_EIGENVECTORS, .rows = n, .cols = p, .scale = scale};
  tg_dmat *matrices[TG_CLOSED_MATRICES] = {[TG_CLOSED_BASE] = a, [TG_CLOSED_PARTS + TG_CLOSED_BASE] = weights};
  return tg_direct_create(grid, &plan, matrices, out);
}

static void check_eigenvectors(const tg_grid *grid, int64_t n, int64_t p, double scale, double weight_shift,
                               bool has_weights)
{
  enum { MOST = 12 };
  double a_values[MOST];
  double weight_values[MOST];
  tg_dmat *a = new_known(grid, n, 4, 30, 0.4, a_values);
  tg_dmat *weights = new_known(grid, p, 5, 10, weight_shift, weight_values);
  for (int64_t k = 0; k < p; k++) weight_values[k] = has_weights ? scale * weight_values[k] : scale;
  double *plain_a = check_gather(a);
  double *plain_weights = has_weights ? check_gather(weights) : NULL;
  tg_direct *direct = NULL;
  REQUIRE_OK(create_eigenvectors(grid, n, p, scale, a, has_weights ? weights : NULL, &direct));
  double *x = solve(grid, direct, n, p);
  check_orthonormal(x, n, p, "eigenvectors");
  const double value = scale * value_at(x, plain_a, plain_weights, n, p);
  const double expected = least_matching(n, a_values, p, weight_values, 0);
  CHECK(fabs(value - expected) <= 1e-13 * fmax(1, fabs(scale)), "%d x %d, scale %g, shift %g: %.17g, expected %.17g",
        (int)n, (int)p, scale, weight_shift, value, expected);
  CHECK(tg_direct_products(direct) > 0, "no products");
  tg_free(x);
  tg_free(plain_a);
  tg_free(plain_weights);
  tg_direct_destroy(&direct);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&weights);
}

// Weights of one sign and of both, few columns and as many as rows.
static void test_eigenvectors(const tg_grid *grid)
{
  static const int64_t shapes[][2] = {{8, 3}, {8, 2}, {5, 5}, {7, 6}, {9, 1}, {1, 1}};
  static const double scales[] = {1, -2.5};
  static const double shifts[] = {0, 0.45, 2};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t c = 0; c < sizeof scales / sizeof *scales; c++) {
      check_eigenvectors(grid, shapes[s][0], shapes[s][1], scales[c], 0, false);
      for (size_t w = 0; w < sizeof shifts / sizeof *shifts; w++)
        check_eigenvectors(grid, shapes[s][0], shapes[s][1], scales[c], shifts[w], true);
    }
}

static tg_status create_polar(const tg_grid *grid, tg_dmat *c, tg_direct **out)
{
  const tg_closed_plan plan = {.kind = TG_CLOSED_POLAR, .rows = c->rows, .cols = c->cols, .scale = 1};
  tg_dmat *matrices[TG_CLOSED_MATRICES] = {[TG_CLOSED_BASE] = c};
  return tg_direct_create(grid, &plan, matrices, out);
}

// W = -X'C must be the symmetric positive semidefinite square root of C'C: then <C, X> is least.
static void check_polar(const tg_grid *grid, int64_t n, int64_t p)
{
  tg_dmat *c = check_matrix(grid, n, p, 8);
  tg_dmat *root = check_matrix(grid, p, p, 1);
  tg_dmat *vectors = check_matrix(grid, p, p, 1);
  double *plain = check_gather(c);
  double *values = check_array(p, 1, 1);
  tg_direct *direct = NULL;
  REQUIRE_OK(create_polar(grid, c, &direct));
  double *x = solve(grid, direct, n, p);
  check_orthonormal(x, n, p, "polar");
  double *w = multiply(true, x, plain, p, n, p);
  double *gram = multiply(true, plain, plain, p, n, p);
  for (int64_t k = 0; k < p * p; k++) w[k] = -w[k];
  double *square = multiply(false, w, w, p, p, p);
  for (int64_t k = 0; k < p * p; k++)
    CHECK(fabs(w[k] - w[k / p + k % p * p]) < 1e-13, "%d x %d: -X'C is not symmetric at %d", (int)n, (int)p, (int)k);
  const double distance = check_distance(square, gram, p * p);
  CHECK(distance < 1e-13, "%d x %d: (X'C)^2 differs from C'C by %.3g", (int)n, (int)p, distance);
  tg_dmat_scatter_small(w, root);
  REQUIRE_OK(tg_eigen_symmetric(root, values, vectors));
  CHECK(values[0] > 0, "%d x %d: -X'C has the eigenvalue %g", (int)n, (int)p, values[0]);
  tg_free(x);
  tg_free(w);
  tg_free(gram);
  tg_free(square);
  tg_free(plain);
  tg_free(values);
  tg_direct_destroy(&direct);
  tg_dmat_destroy(&c);
  tg_dmat_destroy(&root);
  tg_dmat_destroy(&vectors);
}

static void test_polar(const tg_grid *grid)
{
  check_polar(grid, 9, 9);
  check_polar(grid, 11, 4);
  check_polar(grid, 6, 1);
  check_polar(grid, 1, 1);
  // Rank 0 of 3: still orthonormal, and the value is 0.
  tg_dmat *none = check_matrix(grid, 7, 3, 1);
  tg_direct *direct = NULL;
  tg_dmat_fill(0, none);
  REQUIRE_OK(create_polar(grid, none, &direct));
  double *x = solve(grid, direct, 7, 3);
  check_orthonormal(x, 7, 3, "polar of zeros");
  tg_free(x);
  tg_direct_destroy(&direct);
  tg_dmat_destroy(&none);
}

static void test_refusals(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, 4, 4, 1);
  tg_dmat *wide = check_matrix(grid, 3, 5, 1);
  tg_direct *direct = NULL;
  CHECK_FAILS(create_polar(grid, wide, &direct), TG_INTERNAL, "no orthonormal columns");
  tg_dmat_fill(check_nan(), a);
  CHECK_FAILS(create_eigenvectors(grid, 4, 2, 1, a, NULL, &direct), TG_NUMERIC, "not finite");
  CHECK_FAILS(create_polar(grid, a, &direct), TG_NUMERIC, "not finite");
  CHECK(direct == NULL, "something is left after a failure");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&wide);
}

static void run(void)
{
  const int64_t blocks[] = {2, 64, 0};
  check_on_grids(blocks, test_eigenvectors);
  check_on_grids(blocks, test_polar);
  check_on_grids(blocks, test_refusals);
}

CHECK_PROGRAM(program_direct_orthonormal, run)
