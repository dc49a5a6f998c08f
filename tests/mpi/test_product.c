// Products in every transposition, shape, grid and block size against plain loops; refusals.
#include "check.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

typedef struct product_case {
  int64_t m;
  int64_t n;
  int64_t k;
  double alpha;
  double beta;
} product_case;

// C = alpha op(A) op(B) + beta C, as the definition says.
static void plain_product(const product_case *t, bool ta, bool tb, const double *a, const double *b, double *c)
{
  for (int64_t j = 0; j < t->n; j++)
    for (int64_t i = 0; i < t->m; i++) {
      double sum = 0;
      for (int64_t k = 0; k < t->k; k++)
        sum += (ta ? a[k + i * t->k] : a[i + k * t->m]) * (tb ? b[j + k * t->n] : b[k + j * t->k]);
      c[i + j * t->m] = t->alpha * sum + (t->beta == 0 ? 0 : t->beta * c[i + j * t->m]);
    }
}

// By tg_product_kind.
static const char *const labels[] = {"auto", "panels", "thin", "scalapack"};

static void test_one(const tg_grid *grid, tg_workspace *workspace, tg_product_kind kind, const product_case *t, bool ta,
                     bool tb)
{
  const int64_t arows = ta ? t->k : t->m;
  const int64_t acols = ta ? t->m : t->k;
  const int64_t brows = tb ? t->n : t->k;
  const int64_t bcols = tb ? t->k : t->n;
  tg_dmat *a = check_matrix(grid, arows, acols, 1);
  tg_dmat *b = check_matrix(grid, brows, bcols, 2);
  tg_dmat *c = check_matrix(grid, t->m, t->n, 3);
  double *plain_a = check_array(arows, acols, 1);
  double *plain_b = check_array(brows, bcols, 2);
  double *plain_c = check_array(t->m, t->n, 3);
  // beta = 0 must not read what is there
  if (t->beta == 0)
    for (int64_t e = 0; e < c->ld * c->local_cols; e++) c->data[e] = check_nan();
  tg_counters counters = {0};
  REQUIRE_OK(tg_product(kind, ta, tb, t->alpha, a, b, t->beta, c, workspace, &counters));
  plain_product(t, ta, tb, plain_a, plain_b, plain_c);
  char what[80];
  snprintf(what, sizeof what, "%s %c%c k = %d, alpha %g, beta %g", labels[kind], ta ? 'T' : 'N', tb ? 'T' : 'N',
           (int)t->k, t->alpha, t->beta);
  CHECK_MATRIX(c, plain_c, 1e-14 * (double)t->k + 1e-14, what);
  CHECK(counters.products == 1 && counters.flops == 2.0 * (double)(t->m * t->n * t->k), "counted %g flops",
        counters.flops);
  tg_free(plain_a);
  tg_free(plain_b);
  tg_free(plain_c);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&c);
}

static void test_shapes(const tg_grid *grid)
{
  static const product_case cases[] = {
      {1, 1, 1, 1, 0},   {5, 7, 3, 1, 0},    {17, 13, 29, -1.5, 0.5}, {40, 3, 40, 1, 1},
      {3, 40, 40, 2, 0}, {40, 40, 2, 1, 0},  {2, 2, 60, 0.5, -1},     {33, 1, 20, 1, 0},
      {1, 33, 20, 1, 1}, {64, 64, 64, 1, 0}, {8, 9, 10, 0, 2},        {31, 31, 31, 1, 1},
  };
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    for (int kind = TG_PRODUCT_AUTO; kind <= TG_PRODUCT_SCALAPACK; kind++)
      for (int trans = 0; trans < 4; trans++)
        test_one(grid, workspace, (tg_product_kind)kind, &cases[k], trans & 1, trans & 2);
  tg_workspace_destroy(&workspace);
}

// An operand times its own transpose: on one rank half the work, and symmetric to the last bit.
static void test_updates(const tg_grid *grid)
{
  static const int64_t shapes[][2] = {{1, 5}, {40, 7}, {7, 40}, {70, 65}};
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int form = 0; form < 4; form++) {
      const bool ta = form & 1;
      const int64_t rows = shapes[s][0];
      const int64_t cols = shapes[s][1];
      const product_case t = {ta ? cols : rows, ta ? cols : rows, ta ? rows : cols, -1.5, form & 2 ? 0.5 : 0};
      tg_dmat *a = check_matrix(grid, rows, cols, 1);
      tg_dmat *c = check_matrix(grid, t.m, t.n, 3);
      double *plain_a = check_array(rows, cols, 1);
      double *plain_c = check_array(t.m, t.n, 3);
      for (int64_t e = 0; t.beta == 0 && e < c->ld * c->local_cols; e++) c->data[e] = check_nan();
      REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, ta, !ta, t.alpha, a, a, t.beta, c, workspace, NULL));
      plain_product(&t, ta, !ta, plain_a, plain_a, plain_c);
      CHECK_MATRIX(c, plain_c, 1e-14 * (double)t.k, ta ? "A'A" : "AA'");
      for (int64_t j = 0; grid->size == 1 && t.beta == 0 && j < t.n; j++)
        for (int64_t i = 0; i < j; i++)
          CHECK(c->data[i + j * c->ld] == c->data[j + i * c->ld], "entry (%" PRId64 ", %" PRId64 ")", i, j);
      tg_free(plain_a);
      tg_free(plain_c);
      tg_dmat_destroy(&a);
      tg_dmat_destroy(&c);
    }
  tg_workspace_destroy(&workspace);
}

// Large enough for half of the result to be computed and the other half copied: right, and symmetric to the last bit.
static void test_halves(const tg_grid *grid)
{
  static const int64_t orders[] = {400, 385};
  enum { INNER = 259 };
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  for (int form = 0; form < 4; form++) {
    const bool ta = form & 1;
    const int64_t n = orders[form / 2];
    const product_case t = {n, n, INNER, -1.5, 0};
    tg_dmat *a = check_matrix(grid, ta ? INNER : n, ta ? n : INNER, 1);
    tg_dmat *c = check_matrix(grid, n, n, 3);
    tg_dmat *mirrored = check_matrix(grid, n, n, 3);
    double *plain_a = check_array(a->rows, a->cols, 1);
    double *plain_c = check_array(n, n, 3);
    for (int64_t e = 0; e < c->ld * c->local_cols; e++) c->data[e] = check_nan();
    REQUIRE_OK(tg_product(TG_PRODUCT_PANELS, ta, !ta, t.alpha, a, a, 0, c, workspace, NULL));
    plain_product(&t, ta, !ta, plain_a, plain_a, plain_c);
    CHECK_MATRIX(c, plain_c, 1e-14 * INNER, ta ? "half of A'A" : "half of AA'");
    REQUIRE_OK(tg_dmat_transpose(workspace, 1.0, c, mirrored));
    const bool is_half = grid->size > 1 && grid->block >= 32 && 3 * grid->block < n;
    int64_t different = 0;
    for (int64_t j = 0; is_half && j < c->local_cols; j++)
      for (int64_t i = 0; i < c->local_rows; i++)
        different += c->data[i + j * c->ld] != mirrored->data[i + j * mirrored->ld];
    CHECK(different == 0, "%" PRId64 " entries differ from their mirror images", different);
    tg_free(plain_a);
    tg_free(plain_c);
    tg_dmat_destroy(&a);
    tg_dmat_destroy(&c);
    tg_dmat_destroy(&mirrored);
  }
  tg_workspace_destroy(&workspace);
}

// Long enough for several rounds of panels in the dimension that is cut, and for blocks that are cut themselves.
static void test_many_panels(const tg_grid *grid)
{
  static const product_case cases[] = {{9, 11, 1500, 1, 0.5}, {1500, 9, 11, 1, 0.5}, {9, 1500, 11, 1, 0}};
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    for (int trans = 0; trans < 4; trans++)
      test_one(grid, workspace, TG_PRODUCT_PANELS, &cases[k], trans & 1, trans & 2);
  tg_workspace_destroy(&workspace);
}

// Bytes that all ranks together send for an m x k times k x n product.
static double bytes_of(const tg_grid *grid, tg_product_kind kind, bool ta, int64_t m, int64_t n, int64_t k)
{
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  tg_dmat *a = check_matrix(grid, ta ? k : m, ta ? m : k, 1);
  tg_dmat *b = check_matrix(grid, k, n, 2);
  tg_dmat *c = check_matrix(grid, m, n, 3);
  tg_counters counters = {0};
  REQUIRE_OK(tg_product(kind, ta, false, 1, a, b, 0, c, workspace, &counters));
  double bytes = 0;
  MPI_Allreduce(&counters.bytes_sent, &bytes, 1, MPI_DOUBLE, MPI_SUM, grid->comm);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&c);
  tg_workspace_destroy(&workspace);
  return bytes;
}

// Panels send each operand to the others of its grid row or column once, and TN each partial sum once; a thin
// operand is brought to a large one, not the reverse.
static void test_traffic(const tg_grid *grid)
{
  const double m = 60, n = 50, k = 70;
  const double p = grid->rows, q = grid->cols;
  const double nn = bytes_of(grid, TG_PRODUCT_PANELS, false, 60, 50, 70);
  CHECK(nn == 8 * (m * k * (q - 1) + k * n * (p - 1)), "NN on %g x %g sends %g bytes", p, q, nn);
  const double tn = bytes_of(grid, TG_PRODUCT_PANELS, true, 60, 50, 70);
  CHECK(tn == 8 * (m * k * (q - 1) + m * n * (p - 1)), "TN on %g x %g sends %g bytes", p, q, tn);
  if (grid->rows == 1 || grid->cols == 1) return;
  for (int ta = 0; ta < 2; ta++) {
    const double few = bytes_of(grid, TG_PRODUCT_AUTO, ta, 200, 1, 200);
    const double many = bytes_of(grid, TG_PRODUCT_PANELS, ta, 200, 1, 200);
    CHECK(few < many / 2, "thin, transposed %d: %g bytes, by panels %g", ta, few, many);
  }
}

// The second product of the same shape allocates nothing.
static void test_no_allocation(const tg_grid *grid)
{
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  tg_dmat *a = check_matrix(grid, 50, 50, 1);
  tg_dmat *b = check_matrix(grid, 50, 50, 2);
  tg_dmat *c = check_matrix(grid, 50, 50, 3);
  for (int trans = 0; trans < 4; trans++) {
    REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, trans & 1, trans & 2, 1, a, b, 0, c, workspace, NULL));
    double *before = check_gather(c);
    const int64_t allocations = tg_alloc_count();
    REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, trans & 1, trans & 2, 1, a, b, 0, c, workspace, NULL));
    CHECK(tg_alloc_count() == allocations, "%" PRId64 " allocations", tg_alloc_count() - allocations);
    CHECK_MATRIX(c, before, 0, "a repeated product, same bits");
    tg_free(before);
  }
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&c);
  tg_workspace_destroy(&workspace);
}

static void test_refusals(const tg_grid *grid)
{
  tg_workspace *w = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &w));
  tg_dmat *a = check_matrix(grid, 4, 5, 1);
  tg_dmat *b = check_matrix(grid, 4, 5, 2);
  tg_dmat *c = check_matrix(grid, 4, 4, 3);
  tg_dmat *other = NULL;
  REQUIRE_OK(tg_dmat_create_block(grid, 5, 4, grid->block + 1, &other));
  CHECK_FAILS(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, b, 0, c, w, NULL), TG_INTERNAL, "4 x 5 and op(B) 4 x 5");
  CHECK_FAILS(tg_product(TG_PRODUCT_SCALAPACK, false, true, 1, a, b, 0, b, w, NULL), TG_INTERNAL, "cannot be written");
  CHECK_FAILS(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, other, 0, c, w, NULL), TG_INTERNAL, "in blocks of");
  CHECK_FAILS(tg_product(TG_PRODUCT_AUTO, false, false, 1, c, a, 0, a, w, NULL), TG_INTERNAL, "shares memory");
  tg_dmat tall;
  tg_dmat tall_too;
  double nothing[2] = {0};
  tg_dmat_view(grid, INT64_C(3000000000), 4, grid->block, &nothing[0], &tall);
  tg_dmat_view(grid, INT64_C(3000000000), 4, grid->block, &nothing[1], &tall_too);
  CHECK_FAILS(tg_product(TG_PRODUCT_AUTO, false, false, 1, &tall, c, 0, &tall_too, w, NULL), TG_LIMIT, "is 3000000000");
  tg_dmat_destroy(&other);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&c);
  tg_workspace_destroy(&w);
}

static void run(void)
{
  const int64_t blocks[] = {1, 4, 7, 64, 0};
  const int64_t one_block[] = {4, 0};
  check_on_grids(blocks, test_shapes);
  check_on_grids(blocks, test_updates);
  const int64_t half_blocks[] = {32, 50, 100, 0};
  check_on_grids(half_blocks, test_halves);
  const int64_t long_blocks[] = {1, 60, 700, 0};
  check_on_grids(long_blocks, test_many_panels);
  check_on_grids(one_block, test_traffic);
  check_on_grids(one_block, test_no_allocation);
  check_on_grids(one_block, test_refusals);
}

CHECK_PROGRAM(program_product, run)
