// Declared properties: right matrices pass, wrong ones are refused with the first offending entry.
#include "check.h"

#include "engine/problem/properties.h"
#include "mpi/matrix/generate.h"

static tg_dmat *generated(const tg_grid *grid, const char *kind, double condition)
{
  tg_dmat *m = NULL;
  const tg_generate_options options = {.seed = 3, .condition = condition, .symmetric = strcmp(kind, "normal") == 0};
  REQUIRE_OK(tg_agree(grid->comm, tg_dmat_create(grid, 11, 11, &m)));
  REQUIRE_OK(tg_generate(kind, &options, m));
  return m;
}

// Adds to the entry (i, j), counted from 0, on the rank that has it.
static void disturb(tg_dmat *m, int64_t i, int64_t j, double amount)
{
  const tg_grid *grid = m->grid;
  if (tg_layout_owner(i, m->block, grid->rows) != grid->row || tg_layout_owner(j, m->block, grid->cols) != grid->col)
    return;
  m->data[tg_layout_local(i, m->block, grid->rows) + tg_layout_local(j, m->block, grid->cols) * m->ld] += amount;
}

static void test_symmetric(const tg_grid *grid)
{
  tg_dmat *m = generated(grid, "normal", 0);
  CHECK(tg_properties_verify(m, "A", TG_SYMMETRIC) == TG_OK, "%s", tg_error_get()->message);
  disturb(m, 7, 2, 1e-6);
  // (3,8) comes before (8,3) in row-major order.
  CHECK_FAILS(tg_properties_verify(m, "A", TG_SYMMETRIC), TG_DATA, "A is declared symmetric");
  CHECK_FAILS(tg_properties_verify(m, "A", TG_SYMMETRIC), TG_DATA, "entry (row 3, column 8)");
  disturb(m, 0, 10, 1e-6);
  CHECK_FAILS(tg_properties_verify(m, "A", TG_SYMMETRIC), TG_DATA, "entry (row 1, column 11)");
  CHECK(tg_properties_verify(m, "A", 0) == TG_OK, "nothing declared, nothing verified");
  tg_dmat_destroy(&m);
}

static void test_diagonal(const tg_grid *grid)
{
  tg_dmat *m = generated(grid, "diagonal", 100);
  CHECK(tg_properties_verify(m, "D", TG_DIAGONAL | TG_SYMMETRIC) == TG_OK, "%s", tg_error_get()->message);
  disturb(m, 9, 4, 0.25);
  CHECK_FAILS(tg_properties_verify(m, "D", TG_DIAGONAL), TG_DATA, "(row 10, column 5) is 0.25");
  tg_dmat_destroy(&m);
}

static void test_orthogonal(const tg_grid *grid)
{
  tg_dmat *m = generated(grid, "orthogonal", 0);
  CHECK(tg_properties_verify(m, "Q", TG_ORTHOGONAL) == TG_OK, "%s", tg_error_get()->message);
  disturb(m, 5, 0, 0.1);
  CHECK_FAILS(tg_properties_verify(m, "Q", TG_ORTHOGONAL), TG_DATA, "(row 1, column 1) of Q'*Q");
  tg_dmat_destroy(&m);
}

static void test_spd(const tg_grid *grid)
{
  tg_dmat *m = generated(grid, "spd", 1e4);
  CHECK(tg_properties_verify(m, "S", TG_SPD | TG_SYMMETRIC) == TG_OK, "%s", tg_error_get()->message);
  disturb(m, 6, 6, -10);
  CHECK_FAILS(tg_properties_verify(m, "S", TG_SPD | TG_SYMMETRIC), TG_DATA, "S is declared spd");
  CHECK_FAILS(tg_properties_verify(m, "S", TG_SPD | TG_SYMMETRIC), TG_DATA, "column 7");
  tg_dmat_destroy(&m);
}

static void test_all(const tg_grid *grid)
{
  test_symmetric(grid);
  test_diagonal(grid);
  test_orthogonal(grid);
  test_spd(grid);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 3, 64, 0};
  check_on_grids(blocks, test_all);
}

CHECK_PROGRAM(program_engine_properties, run)
