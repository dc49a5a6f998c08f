// Products against random vectors: right ones stay below the limit of rounding, one wrong entry of one rank does not.
#include "check.h"
#include "mpi/exec/probe.h"
#include "mpi/product/product.h"

typedef struct trial {
  tg_dmat *a;
  tg_dmat *b;
  tg_dmat *c;
  bool transa;
  bool transb;
  double alpha;
  double beta;
} trial;

static double residual_of(const trial *t, tg_workspace *workspace, double spoil)
{
  tg_probe probe;
  double residual = -1;
  REQUIRE_OK(tg_probe_start(t->transa, t->transb, t->alpha, t->a, t->b, t->beta, t->c, &probe));
  REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, t->transa, t->transb, t->alpha, t->a, t->b, t->beta, t->c, workspace, NULL));
  // The owner of the last row and column spoils his last entry.
  const int64_t i = t->c->rows - 1;
  const int64_t j = t->c->cols - 1;
  const tg_grid *grid = t->c->grid;
  if (tg_layout_owner(i, t->c->block, grid->rows) == grid->row &&
      tg_layout_owner(j, t->c->block, grid->cols) == grid->col)
    t->c->data[t->c->local_rows - 1 + (t->c->local_cols - 1) * t->c->ld] += spoil;
  REQUIRE_OK(tg_probe_finish(&probe, t->c, &residual));
  tg_probe_fini(&probe);
  return residual;
}

static void check_product(const tg_grid *grid, int64_t m, int64_t n, int64_t k, int kind)
{
  trial t = {.transa = (kind & 1) != 0, .transb = (kind & 2) != 0, .alpha = -1.5, .beta = (kind & 4) != 0 ? 1 : 0};
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_agree(grid->comm, tg_workspace_create(grid, &workspace)));
  t.a = check_matrix(grid, t.transa ? k : m, t.transa ? m : k, 1);
  t.b = check_matrix(grid, t.transb ? n : k, t.transb ? k : n, 2);
  t.c = check_matrix(grid, m, n, 3);
  double residual = residual_of(&t, workspace, 0);
  CHECK(residual >= 0 && residual < 2, "kind %d: a right product has the residual %g", kind, residual);
  residual = residual_of(&t, workspace, 1e-6);
  CHECK(residual > 30, "kind %d: a wrong product has the residual %g", kind, residual);
  residual = residual_of(&t, workspace, check_nan());
  CHECK(residual > 30, "kind %d: a product with a NaN has the residual %g", kind, residual);
  tg_dmat_destroy(&t.c);
  tg_dmat_destroy(&t.b);
  tg_dmat_destroy(&t.a);
  tg_workspace_destroy(&workspace);
}

static void products(const tg_grid *grid)
{
  for (int kind = 0; kind < 8; kind++) {
    check_product(grid, 13, 5, 7, kind);
    check_product(grid, 40, 66, 31, kind);
    check_product(grid, 1, 9, 1, kind);
  }
}

// What cannot be judged is not called wrong; a result of zeros is.
static void special_operands(const tg_grid *grid)
{
  trial t = {.alpha = 1};
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_agree(grid->comm, tg_workspace_create(grid, &workspace)));
  t.a = check_matrix(grid, 6, 6, 1);
  t.b = check_matrix(grid, 6, 6, 2);
  t.c = check_matrix(grid, 6, 6, 3);
  for (int64_t k = 0; k < t.b->local_cols * t.b->ld; k++) t.b->data[k] = 0;
  CHECK(residual_of(&t, workspace, 0) == 0, "a product with zeros");
  CHECK(residual_of(&t, workspace, 1e-300) > 30, "a product with zeros that is not zero");
  for (int64_t k = 0; k < t.b->local_cols * t.b->ld; k++) t.b->data[k] = check_nan();
  CHECK(residual_of(&t, workspace, 0) == 0, "a product with an operand that is not finite");
  tg_dmat_destroy(&t.c);
  tg_dmat_destroy(&t.b);
  tg_dmat_destroy(&t.a);
  tg_workspace_destroy(&workspace);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 64, 0};
  check_on_grids(blocks, products);
  check_on_grids(blocks, special_operands);
}

CHECK_PROGRAM(program_probe, run)
