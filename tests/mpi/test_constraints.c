// Feasible sets on distributed matrices against the same sets on plain arrays, which use other algorithms.
#include "check.h"
#include "mpi/constraint/constraint.h"
#include "mpi/space/space.h"
#include "opt/vector.h"
#include "support/serial_constraint.h"

enum { BLOCKS = 2, ENTRIES_MAX = 256 };

typedef struct bench {
  double lows[ENTRIES_MAX]; // what is given by entries and lines
  double highs[ENTRIES_MAX];
  double row_totals[ENTRIES_MAX];
  double column_totals[ENTRIES_MAX];
  tg_dmat *matrices[4]; // the same on the grid
  opt_space *space;
  opt_constraint *constraint;
  serial_set set;
  opt_point *x;
  opt_point *v;
  opt_point *y;
  double serial_x[ENTRIES_MAX];
  double serial_v[ENTRIES_MAX];
} bench;

static opt_constraint_block block_of(opt_constraint_kind kind)
{
  return (opt_constraint_block){.kind = kind, .low = -0.4, .high = kind == OPT_CONSTRAINT_FROBENIUS_BALL ? 1.5 : 0.7};
}

static bool may_have_details(const opt_constraint_row *row)
{
  return row->argument == OPT_ARGUMENT_INTERVAL || row->argument == OPT_ARGUMENT_TOTAL ||
         row->argument == OPT_ARGUMENT_TOTALS;
}

static bool must_have_details(const opt_constraint_row *row)
{
  return row->argument == OPT_ARGUMENT_TOTALS;
}

// Bounds by entries, some equal, sums by lines: as arrays in b->set, as matrices in *block, the sums of the columns as
// a row.
static void add_details(bench *b, const tg_grid *grid, bool has_open, opt_constraint_block *block)
{
  const int64_t m = b->set.rows;
  const int64_t n = b->set.cols;
  double *const arrays[4] = {b->lows, b->highs, b->row_totals, b->column_totals};
  const int64_t rows[4] = {m, m, m, 1};
  const int64_t cols[4] = {n, n, 1, n};
  for (int64_t e = 0; e < m * n; e++) {
    b->lows[e] = -0.1 * (double)(e % 3);
    b->highs[e] = e % 7 == 2 ? b->lows[e] : b->lows[e] + 0.2 * (double)(1 + e % 4);
    if (has_open && e % 5 == 1) b->highs[e] = (double)INFINITY;
  }
  serial_set_totals(m, n, b->row_totals, b->column_totals);
  for (int k = 0; k < 4; k++) {
    REQUIRE_OK(tg_dmat_create(grid, rows[k], cols[k], &b->matrices[k]));
    tg_dmat_scatter_small(arrays[k], b->matrices[k]);
  }
  b->set.block.lows = b->lows;
  b->set.block.highs = b->highs;
  b->set.block.row_totals = b->row_totals;
  b->set.block.column_totals = b->column_totals;
  block->lows = b->matrices[0];
  block->highs = b->matrices[1];
  block->row_totals = b->matrices[2];
  block->column_totals = b->matrices[3];
}

static void set_up(bench *b, const tg_grid *grid, const opt_constraint_row *row, opt_retraction retraction,
                   bool has_details)
{
  const int64_t rows[BLOCKS] = {3, row->is_square ? 9 : 11};
  const int64_t cols[BLOCKS] = {2, row->is_square ? 9 : 5};
  opt_constraint_block blocks[BLOCKS] = {{.kind = OPT_CONSTRAINT_FREE}, block_of(row->kind)};
  blocks[1].retraction = retraction;
  b->set = (serial_set){.block = blocks[1], .rows = rows[1], .cols = cols[1]};
  if (has_details) add_details(b, grid, true, &blocks[1]);
  REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &b->space));
  REQUIRE_OK(tg_constraint_create(b->space, grid, blocks, &b->constraint));
  CHECK(b->constraint->traits.geometry == row->geometry, "%s: geometry %d", row->name,
        (int)b->constraint->traits.geometry);
  REQUIRE_OK(b->space->ops->create(b->space, &b->x));
  REQUIRE_OK(b->space->ops->create(b->space, &b->v));
  REQUIRE_OK(b->space->ops->create(b->space, &b->y));
}

static void tear_down(bench *b)
{
  b->space->ops->destroy(b->space, &b->x);
  b->space->ops->destroy(b->space, &b->v);
  b->space->ops->destroy(b->space, &b->y);
  for (int k = 0; k < 4; k++) tg_dmat_destroy(&b->matrices[k]);
  tg_constraint_destroy(&b->constraint);
  tg_space_destroy(&b->space);
}

// The same irregular numbers on both sides.
static void fill(const bench *b, uint64_t seed, opt_point *x, double *serial)
{
  for (int k = 0; k < BLOCKS; k++) {
    tg_dmat *m = tg_space_block(x, k);
    double *a = check_array(m->rows, m->cols, seed + (uint64_t)k);
    tg_dmat_scatter_small(a, m);
    if (k == 1) memcpy(serial, a, (size_t)(b->set.rows * b->set.cols) * sizeof *serial);
    tg_free(a);
  }
}

static void check_violation(const bench *b, const char *name, double expected)
{
  double found = -1;
  REQUIRE_OK(b->constraint->ops->violation(b->constraint, b->x, &found));
  CHECK(fabs(found - expected) <= 1e-13, "%s: violation %.17g, expected %.17g", name, found, expected);
}

static void check_projection(bench *b, const char *name)
{
  fill(b, 10, b->x, b->serial_x);
  // The two sides measure semidefinite sets differently: the norm of the negative part is at least its worst value.
  if (b->set.block.kind != OPT_CONSTRAINT_POSITIVE_SEMIDEFINITE &&
      b->set.block.kind != OPT_CONSTRAINT_POSITIVE_DEFINITE)
    check_violation(b, name, serial_set_violation(&b->set, b->serial_x));
  REQUIRE_OK(b->constraint->ops->project(b->constraint, b->x));
  serial_set_project(&b->set, b->serial_x);
  CHECK_MATRIX(tg_space_block(b->x, 1), b->serial_x, 1e-13, name);
  check_violation(b, name, 0);
  double *kept = check_array(3, 2, 10);
  CHECK_MATRIX(tg_space_block(b->x, 0), kept, 0, "a free block");
  tg_free(kept);
}

// At the projected point, on the tangent v.
static void check_hessian(bench *b, const char *name)
{
  double serial_g[ENTRIES_MAX];
  double serial_hv[ENTRIES_MAX];
  opt_point *g = NULL;
  REQUIRE_OK(b->space->ops->create(b->space, &g));
  fill(b, 30, g, serial_g);
  fill(b, 40, b->y, serial_hv);
  REQUIRE_OK(b->constraint->ops->hessian(b->constraint, b->x, g, b->v, b->y));
  serial_set_hessian(&b->set, b->serial_x, serial_g, b->serial_v, serial_hv);
  CHECK_MATRIX(tg_space_block(b->y, 1), serial_hv, 1e-13, name);
  double *kept = check_array(3, 2, 40);
  CHECK_MATRIX(tg_space_block(b->y, 0), kept, 0, "the Hessian of a free block");
  tg_free(kept);
  b->space->ops->destroy(b->space, &g);
}

// A large matrix is projected near an extreme point, up to its rounding, which does not show in the sums.
static void check_large(bench *b, const char *name)
{
  fill(b, 10, b->x, b->serial_x);
  tg_dmat *m = tg_space_block(b->x, 1);
  for (int64_t e = 0; e < m->ld * m->local_cols; e++) m->data[e] *= 1e7;
  for (int64_t e = 0; e < b->set.rows * b->set.cols; e++) b->serial_x[e] *= -1;
  REQUIRE_OK(b->constraint->ops->project(b->constraint, b->x));
  serial_set_extreme(&b->set, b->serial_x, b->serial_v);
  CHECK_MATRIX(m, b->serial_v, 1e-8, name);
  check_violation(b, name, 0);
}

// The extreme point of the same numbers, which is unique.
static void check_extreme(const opt_constraint_row *row, const tg_grid *grid, bool has_details)
{
  bench b = {0};
  const int64_t side = 9;
  const int64_t rows[1] = {side};
  const int64_t cols[1] = {row->is_square ? side : 4};
  opt_constraint_block block = block_of(row->kind);
  b.set = (serial_set){.block = block, .rows = rows[0], .cols = cols[0]};
  if (has_details) add_details(&b, grid, false, &block);
  REQUIRE_OK(tg_space_create(grid, 1, rows, cols, &b.space));
  REQUIRE_OK(tg_constraint_create(b.space, grid, &block, &b.constraint));
  REQUIRE_OK(b.space->ops->create(b.space, &b.x));
  REQUIRE_OK(b.space->ops->create(b.space, &b.v));
  for (uint64_t seed = 40; seed < 45; seed++) {
    double *a = check_array(rows[0], cols[0], seed);
    tg_dmat_scatter_small(a, tg_space_block(b.x, 0));
    REQUIRE_OK(b.constraint->ops->extreme(b.constraint, b.x, b.v));
    serial_set_extreme(&b.set, a, b.serial_v);
    CHECK_MATRIX(tg_space_block(b.v, 0), b.serial_v, 1e-15, row->name);
    tg_free(a);
  }
  if (grid->rank == 0) tg_space_block(b.x, 0)->data[0] = check_nan();
  REQUIRE_OK(b.constraint->ops->extreme(b.constraint, b.x, b.v));
  double product = 0;
  REQUIRE_OK(opt_dot(b.space, b.x, b.v, &product));
  CHECK(isnan(product), "%s: <g, z> = %g with a NaN in g", row->name, product);
  tear_down(&b);
}

// Checks sets of bounds: what is held, how far a direction goes, and that a step to a bound ends on it.
static void check_bounds(bench *b, const char *name)
{
  const opt_constraint_ops *ops = b->constraint->ops;
  double found = 0;
  fill(b, 10, b->x, b->serial_x);
  REQUIRE_OK(ops->project(b->constraint, b->x));
  serial_set_project(&b->set, b->serial_x);
  for (int release = 0; release < 2; release++) {
    fill(b, 30, b->v, b->serial_v);
    REQUIRE_OK(ops->mask(b->constraint, b->x, b->v, release > 0, b->v));
    serial_set_mask(&b->set, b->serial_x, b->serial_v, release > 0, b->serial_v);
    CHECK_MATRIX(tg_space_block(b->v, 1), b->serial_v, 0, name);
  }
  // What is not held may move along -g: after the release the room is not zero.
  REQUIRE_OK(opt_axpby(b->space, -1, b->v, 0, b->y));
  for (int64_t e = 0; e < b->set.rows * b->set.cols; e++) b->serial_v[e] *= -1;
  REQUIRE_OK(ops->room(b->constraint, b->x, b->y, &found));
  const double room = serial_set_room(&b->set, b->serial_x, b->serial_v);
  CHECK(found > 0 && fabs(found - room) <= 1e-15 * room, "%s: room %.17g, expected %.17g", name, found, room);
  REQUIRE_OK(opt_axpby(b->space, found, b->y, 1, b->x));
  REQUIRE_OK(ops->settle(b->constraint, found, b->y, b->x));
  REQUIRE_OK(ops->room(b->constraint, b->x, b->y, &found));
  CHECK(found == 0, "%s: room %.3g at the bound", name, found);
  check_violation(b, name, 0);
}

// At the projected point.
static void check_manifold(bench *b, const char *name)
{
  const opt_constraint_ops *ops = b->constraint->ops;
  fill(b, 20, b->v, b->serial_v);
  REQUIRE_OK(ops->tangent(b->constraint, b->x, b->v));
  serial_set_tangent(&b->set, b->serial_x, b->serial_v);
  CHECK_MATRIX(tg_space_block(b->v, 1), b->serial_v, 1e-13, name);
  check_hessian(b, name);
  const double t = 0.7;
  REQUIRE_OK(ops->retract(b->constraint, b->x, t, b->v, b->y));
  for (int64_t e = 0; e < b->set.rows * b->set.cols; e++) b->serial_x[e] += t * b->serial_v[e];
  serial_set_retract(&b->set, b->serial_x);
  CHECK_MATRIX(tg_space_block(b->y, 1), b->serial_x, 1e-13, name);
  double found = -1;
  REQUIRE_OK(ops->violation(b->constraint, b->y, &found));
  CHECK(found <= 1e-13, "%s: a retracted point violates by %.3g", name, found);
}

// An infeasible semidefinite matrix with eigenvalues 1, ..., 1, -2.
static void check_indefinite(bench *b)
{
  const int64_t n = b->set.rows;
  double *a = NULL;
  REQUIRE_OK(tg_alloc_numbers(n * n, &a));
  for (int64_t k = 0; k < n * n; k++) a[k] = k % (n + 1) == 0;
  a[2 + 2 * n] = -2;
  tg_dmat_scatter_small(a, tg_space_block(b->x, 1));
  check_violation(b, "indefinite", 2);
  a[2 + 2 * n] = 0;
  REQUIRE_OK(b->constraint->ops->project(b->constraint, b->x));
  CHECK_MATRIX(tg_space_block(b->x, 1), a, 1e-14, "indefinite");
  tg_free(a);
}

// What has no nearest feasible point is refused on every rank; a NaN does not pass for feasible.
static void check_refusals(bench *b)
{
  tg_dmat *m = tg_space_block(b->x, 1);
  double found = 0;
  for (int64_t e = 0; e < m->ld * m->local_cols; e++) m->data[e] = 0;
  if (b->set.block.kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS)
    CHECK_FAILS(b->constraint->ops->project(b->constraint, b->x), TG_NUMERIC, "linearly dependent");
  if (b->set.block.kind == OPT_CONSTRAINT_UNIT_COLUMNS)
    CHECK_FAILS(b->constraint->ops->project(b->constraint, b->x), TG_NUMERIC, "is zero");
  if (m->grid->rank == 0) m->data[0] = check_nan();
  const tg_status status = b->constraint->ops->violation(b->constraint, b->x, &found);
  CHECK(status != TG_OK || isnan(found), "a NaN has violation %g", found);
}

static void test_set(const tg_grid *grid, const opt_constraint_row *row, opt_retraction retraction, bool has_details)
{
  bench b = {0};
  set_up(&b, grid, row, retraction, has_details);
  check_projection(&b, row->name);
  if (row->geometry == OPT_GEOMETRY_MANIFOLD) check_manifold(&b, row->name);
  if (row->kind == OPT_CONSTRAINT_POSITIVE_SEMIDEFINITE) check_indefinite(&b);
  if (row->kind == OPT_CONSTRAINT_DOUBLY_STOCHASTIC || row->kind == OPT_CONSTRAINT_TRANSPORT)
    check_large(&b, row->name);
  if (row->has_oracle) check_extreme(row, grid, has_details);
  if (row->is_bounds) check_bounds(&b, row->name);
  check_refusals(&b);
  tear_down(&b);
}

// norm1 carried by bounds, and by a block that is free otherwise, beside a simplex that is projected onto.
static void test_proximal(const tg_grid *grid)
{
  const int64_t rows[BLOCKS] = {11, 4};
  const int64_t cols[BLOCKS] = {5, 3};
  const opt_constraint_kind kinds[] = {OPT_CONSTRAINT_FREE, OPT_CONSTRAINT_NONNEGATIVE, OPT_CONSTRAINT_BOX};
  for (int k = 0; k < 3; k++) {
    bench b = {0};
    opt_constraint_block blocks[BLOCKS] = {block_of(kinds[k]), block_of(OPT_CONSTRAINT_SIMPLEX_ROWS)};
    blocks[0].norm1 = 0.25;
    b.set = (serial_set){.block = blocks[0], .rows = rows[0], .cols = cols[0]};
    REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &b.space));
    REQUIRE_OK(tg_constraint_create(b.space, grid, blocks, &b.constraint));
    CHECK(b.constraint->traits.has_norm1 && !b.constraint->traits.is_bounds, "traits of a penalty");
    REQUIRE_OK(b.space->ops->create(b.space, &b.x));
    double *a = check_array(rows[0], cols[0], 50);
    double *other = check_array(rows[1], cols[1], 51);
    const serial_set simplex = {.block = blocks[1], .rows = rows[1], .cols = cols[1]};
    double found = 0;
    tg_dmat_scatter_small(a, tg_space_block(b.x, 0));
    tg_dmat_scatter_small(other, tg_space_block(b.x, 1));
    REQUIRE_OK(b.constraint->ops->norm1(b.constraint, b.x, &found));
    CHECK(fabs(found - serial_set_norm1(&b.set, a)) <= 1e-13, "penalty %.17g", found);
    REQUIRE_OK(b.constraint->ops->proximal(b.constraint, 0.8, b.x));
    serial_set_proximal(&b.set, 0.8, a);
    serial_set_project(&simplex, other);
    CHECK_MATRIX(tg_space_block(b.x, 0), a, 1e-15, "a proximal step");
    CHECK_MATRIX(tg_space_block(b.x, 1), other, 1e-13, "a set without a penalty");
    tg_free(a);
    tg_free(other);
    tear_down(&b);
  }
}

// Manifolds beside convex sets: each block by its own rules, with a norm1 or without.
static void test_mixed(const tg_grid *grid)
{
  const int64_t rows[BLOCKS] = {11, 7};
  const int64_t cols[BLOCKS] = {4, 5};
  bench b = {0};
  opt_constraint_block blocks[BLOCKS] = {block_of(OPT_CONSTRAINT_ORTHONORMAL_COLUMNS), block_of(OPT_CONSTRAINT_BOX)};
  const serial_set frame = {.block = blocks[0], .rows = rows[0], .cols = cols[0]};
  blocks[1].norm1 = 0.2;
  b.set = (serial_set){.block = blocks[1], .rows = rows[1], .cols = cols[1]};
  REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &b.space));
  REQUIRE_OK(tg_constraint_create(b.space, grid, blocks, &b.constraint));
  const opt_constraint_ops *ops = b.constraint->ops;
  CHECK(b.constraint->traits.geometry == OPT_GEOMETRY_MIXED && !b.constraint->traits.is_bounds, "traits of a mixture");
  REQUIRE_OK(b.space->ops->create(b.space, &b.x));
  REQUIRE_OK(b.space->ops->create(b.space, &b.v));
  REQUIRE_OK(b.space->ops->create(b.space, &b.y));
  double *x0 = check_array(rows[0], cols[0], 60);
  double *x1 = check_array(rows[1], cols[1], 61);
  double *v0 = check_array(rows[0], cols[0], 62);
  double *v1 = check_array(rows[1], cols[1], 63);
  tg_dmat_scatter_small(x0, tg_space_block(b.x, 0));
  tg_dmat_scatter_small(x1, tg_space_block(b.x, 1));
  tg_dmat_scatter_small(v0, tg_space_block(b.v, 0));
  tg_dmat_scatter_small(v1, tg_space_block(b.v, 1));
  REQUIRE_OK(ops->approach(b.constraint, b.x));
  serial_set_project(&b.set, x1);
  CHECK_MATRIX(tg_space_block(b.x, 0), x0, 0, "a manifold's block is not approached");
  CHECK_MATRIX(tg_space_block(b.x, 1), x1, 1e-15, "a box beside a manifold");
  REQUIRE_OK(ops->project(b.constraint, b.x));
  serial_set_project(&frame, x0);
  CHECK_MATRIX(tg_space_block(b.x, 0), x0, 1e-13, "a frame beside a box");
  REQUIRE_OK(ops->tangent(b.constraint, b.x, b.v));
  serial_set_tangent(&frame, x0, v0);
  CHECK_MATRIX(tg_space_block(b.v, 0), v0, 1e-13, "a tangent beside a box");
  CHECK_MATRIX(tg_space_block(b.v, 1), v1, 0, "a box has no tangents");
  REQUIRE_OK(ops->steepest(b.constraint, b.x, b.v, b.y));
  for (int64_t e = 0; e < rows[0] * cols[0]; e++) v0[e] = -v0[e];
  CHECK_MATRIX(tg_space_block(b.y, 0), v0, 1e-13, "the steepest direction on a manifold");
  for (int64_t e = 0; e < rows[0] * cols[0]; e++) v0[e] = x0[e] - 0.4 * v0[e];
  for (int64_t e = 0; e < rows[1] * cols[1]; e++) v1[e] = x1[e] + 0.4 * v1[e];
  REQUIRE_OK(ops->retract(b.constraint, b.x, 0.4, b.v, b.y));
  serial_set_retract(&frame, v0);
  CHECK_MATRIX(tg_space_block(b.y, 0), v0, 1e-13, "a retraction beside a box");
  CHECK_MATRIX(tg_space_block(b.y, 1), v1, 1e-15, "a straight step beside a frame");
  REQUIRE_OK(ops->proximal(b.constraint, 0.8, b.x));
  serial_set_proximal(&b.set, 0.8, x1);
  CHECK_MATRIX(tg_space_block(b.x, 0), x0, 1e-13, "a frame has no proximal step");
  CHECK_MATRIX(tg_space_block(b.x, 1), x1, 1e-15, "a proximal step beside a frame");
  tg_free(x0);
  tg_free(x1);
  tg_free(v0);
  tg_free(v1);
  tear_down(&b);
}

static void test_sets(const tg_grid *grid)
{
  for (int k = 0; k < opt_constraint_count(); k++) {
    const opt_constraint_row *row = opt_constraint_at(k);
    for (int with = must_have_details(row); with <= may_have_details(row); with++)
      test_set(grid, row, OPT_RETRACTION_AUTO, with > 0);
  }
  test_set(grid, opt_constraint_row_of(OPT_CONSTRAINT_ORTHONORMAL_COLUMNS), OPT_RETRACTION_POLAR, false);
}

// Numbers that leave no set: the first entry is named, whatever rank has it.
static void test_verify(const tg_grid *grid)
{
  bench b = {.set = {.rows = 11, .cols = 5}};
  opt_constraint_block block = {.kind = OPT_CONSTRAINT_BOX};
  add_details(&b, grid, true, &block);
  REQUIRE_OK(tg_constraint_verify(grid, &block, 11, 5));
  b.lows[7 + 11 * 3] = 4; // row 8, column 4
  b.lows[8 + 11 * 1] = 4;
  tg_dmat_scatter_small(b.lows, b.matrices[0]);
  CHECK_FAILS(tg_constraint_verify(grid, &block, 11, 5), TG_DATA, "entry (8,4) is to be at least 4 and at most");
  block.lows = NULL;
  block.low = 100;
  CHECK_FAILS(tg_constraint_verify(grid, &block, 11, 5), TG_DATA, "entry (1,1) is to be at least 100");
  block = (opt_constraint_block){
      .kind = OPT_CONSTRAINT_TRANSPORT, .row_totals = b.matrices[2], .column_totals = b.matrices[3]};
  REQUIRE_OK(tg_constraint_verify(grid, &block, 11, 5));
  b.column_totals[4] += 1e-3;
  tg_dmat_scatter_small(b.column_totals, b.matrices[3]);
  CHECK_FAILS(tg_constraint_verify(grid, &block, 11, 5), TG_DATA, "no 11 x 5 matrix has these sums");
  b.column_totals[3] = -1;
  tg_dmat_scatter_small(b.column_totals, b.matrices[3]);
  CHECK_FAILS(tg_constraint_verify(grid, &block, 11, 5), TG_DATA, "the sum of column 4 is to be -1");
  for (int k = 0; k < 4; k++) tg_dmat_destroy(&b.matrices[k]);
}

static void test_failures(const tg_grid *grid)
{
  opt_space *space = NULL;
  opt_constraint *constraint = NULL;
  const int64_t rows[BLOCKS] = {3, 2};
  const int64_t cols[BLOCKS] = {3, 4};
  REQUIRE_OK(tg_space_create(grid, BLOCKS, rows, cols, &space));
  const opt_constraint_block square[BLOCKS] = {{.kind = OPT_CONSTRAINT_FREE}, {.kind = OPT_CONSTRAINT_SYMMETRIC}};
  CHECK_FAILS(tg_constraint_create(space, grid, square, &constraint), TG_SHAPE, "square matrix, found 2 x 4");
  const opt_constraint_block wide[BLOCKS] = {{.kind = OPT_CONSTRAINT_FREE},
                                             {.kind = OPT_CONSTRAINT_ORTHONORMAL_COLUMNS}};
  CHECK_FAILS(tg_constraint_create(space, grid, wide, &constraint), TG_SHAPE, "found 2 x 4");
  const opt_constraint_block good[BLOCKS] = {{.kind = OPT_CONSTRAINT_SYMMETRIC}, {.kind = OPT_CONSTRAINT_SIMPLEX_ROWS}};
  for (int64_t nth = 1; nth <= 4; nth++) {
    // The first three allocations make a point of the shapes.
    if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth + 3);
    const tg_status status = tg_constraint_create(space, grid, good, &constraint);
    tg_alloc_fail_after(0);
    CHECK(status == TG_MEMORY && constraint == NULL, "fault %" PRId64 ": %s", nth, tg_status_label(status));
    tg_constraint_destroy(&constraint);
  }
  tg_space_destroy(&space);
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 64, 0};
  check_on_grids(blocks, test_sets);
  check_on_grids(blocks, test_proximal);
  check_on_grids(blocks, test_mixed);
  check_on_grids(blocks, test_verify);
  check_on_grids(blocks, test_failures);
}

CHECK_PROGRAM(program_constraints, run)
