// opt_constraint on distributed matrices: a product of sets, one a block.
#include "mpi/constraint/constraint.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/constraint/constraint_set.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"
#include "mpi/space/space.h"

typedef struct mpi_constraint {
  opt_constraint base;
  tg_workspace *workspace;
  int n_sets;
  tg_set sets[]; // n_sets
} mpi_constraint;

static const tg_set_ops *const operations[OPT_CONSTRAINT_COUNT] = {
#define OPT_CONSTRAINT(id, name, geometry, is_square, is_bounds, is_nonnegative, keeps_symmetry, has_oracle, family, \
                       argument, help)                                                                               \
  [OPT_CONSTRAINT_##id] = &tg_set_##family,
#include "opt/constraints.def"
#undef OPT_CONSTRAINT
};

tg_status tg_set_largest(const tg_grid *grid, double mine, double *out)
{
  // MPI_MAX leaves open what becomes of a NaN: it travels as a flag.
  double all[2] = {isnan(mine) ? 0 : mine, isnan(mine) ? 1 : 0};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, all, 2, MPI_DOUBLE, MPI_MAX, grid->comm));
  *out = all[1] > 0 ? (double)NAN : all[0];
  return TG_OK;
}

int64_t tg_set_lines(const tg_set *set, bool by_rows)
{
  const tg_grid *grid = set->grid;
  return by_rows ? tg_layout_count(set->rows, grid->block, grid->row, grid->rows)
                 : tg_layout_count(set->cols, grid->block, grid->col, grid->cols);
}

// The whole vector passes by every rank: it is no longer than a line is wide.
static tg_status pick_totals(const tg_set *set, bool by_rows, const tg_dmat *vector, double *whole, double *out)
{
  const tg_grid *grid = set->grid;
  const int64_t count = tg_set_lines(set, by_rows);
  TG_TRY(tg_dmat_gather_columns(vector, 0, vector->cols, whole));
  for (int64_t k = 0; k < count; k++)
    out[k] = whole[by_rows ? tg_layout_global(k, grid->block, grid->row, grid->rows)
                           : tg_layout_global(k, grid->block, grid->col, grid->cols)];
  return TG_OK;
}

tg_status tg_set_load_totals(const tg_set *set, bool by_rows, double *out)
{
  const tg_grid *grid = set->grid;
  const tg_dmat *vector = by_rows ? set->block.row_totals : set->block.column_totals;
  const int64_t count = tg_set_lines(set, by_rows);
  double *whole = NULL;
  for (int64_t k = 0; k < count && vector == NULL; k++) out[k] = opt_constraint_total(&set->block);
  if (vector == NULL) return TG_OK;
  TG_TRY(tg_agree_memory(grid->comm, tg_alloc_numbers(vector->rows * vector->cols, &whole), &whole));
  const tg_status status = pick_totals(set, by_rows, vector, whole, out);
  tg_free(whole);
  return status;
}

static tg_status violation_of_all(const opt_constraint *constraint, const opt_point *x, double *out)
{
  mpi_constraint *self = constraint->self;
  *out = 0;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    double one = 0;
    if (set->ops != NULL) TG_TRY(set->ops->violation(set, tg_space_block(x, k), &one));
    *out = tg_set_worse(*out, one);
  }
  return TG_OK;
}

static tg_status project_all(const opt_constraint *constraint, opt_point *x)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (set->ops != NULL) TG_TRY(set->ops->project(set, tg_space_block(x, k)));
  }
  return TG_OK;
}

static bool is_manifold(const tg_set *set)
{
  return set->ops != NULL && set->ops->tangent != NULL;
}

static tg_status approach_all(const opt_constraint *constraint, opt_point *x)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (set->ops != NULL && !is_manifold(set)) TG_TRY(set->ops->project(set, tg_space_block(x, k)));
  }
  return TG_OK;
}

static tg_status tangent_all(const opt_constraint *constraint, const opt_point *x, opt_point *v)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (is_manifold(set)) TG_TRY(set->ops->tangent(set, tg_space_block(x, k), tg_space_block(v, k)));
  }
  return TG_OK;
}

static tg_status retract_all(const opt_constraint *constraint, const opt_point *x, double t, const opt_point *v,
                             opt_point *out)
{
  mpi_constraint *self = constraint->self;
  const opt_space *space = constraint->space;
  TG_TRY(space->ops->copy(space, x, out));
  TG_TRY(space->ops->axpby(space, t, v, 1, out));
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (is_manifold(set)) TG_TRY(set->ops->retract(set, tg_space_block(out, k)));
  }
  return TG_OK;
}

static tg_status norm1_of_all(const opt_constraint *constraint, const opt_point *x, double *out)
{
  const mpi_constraint *self = constraint->self;
  *out = 0;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->block.norm1 > 0) set->ops->norm1(set, tg_space_block(x, k), out);
  }
  return tg_reduce_sum(self->sets[0].grid, 1, out, out);
}

static tg_status proximal_all(const opt_constraint *constraint, double a, opt_point *x)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (set->block.norm1 > 0)
      set->ops->proximal(set, a, tg_space_block(x, k));
    else if (set->ops != NULL && !is_manifold(set))
      TG_TRY(set->ops->project(set, tg_space_block(x, k)));
  }
  return TG_OK;
}

static tg_status extreme_of_all(const opt_constraint *constraint, const opt_point *g, opt_point *z)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    TG_TRY(set->ops->extreme(set, tg_space_block(g, k), tg_space_block(z, k)));
  }
  return TG_OK;
}

static tg_status hessian_all(const opt_constraint *constraint, const opt_point *x, const opt_point *g,
                             const opt_point *v, opt_point *hv)
{
  mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (!is_manifold(set)) continue;
    TG_TRY(set->ops->hessian(set, tg_space_block(x, k), tg_space_block(g, k), tg_space_block(v, k),
                             tg_space_block(hv, k)));
  }
  return TG_OK;
}

// v := -g, of a free block and of one on a manifold
static tg_status turn_back(const tg_dmat *g, tg_dmat *v)
{
  const double minus = -1;
  return tg_dmat_lincomb(1, &minus, &g, v);
}

static tg_status steepest_all(const opt_constraint *constraint, const opt_point *x, const opt_point *g, opt_point *v)
{
  const mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops == NULL || is_manifold(set))
      TG_TRY(turn_back(tg_space_block(g, k), tg_space_block(v, k)));
    else if (set->ops->steepest != NULL)
      set->ops->steepest(set, tg_space_block(x, k), tg_space_block(g, k), tg_space_block(v, k));
  }
  return TG_OK;
}

static tg_status orthant_all(const opt_constraint *constraint, const opt_point *x, opt_point *y)
{
  const mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops != NULL) set->ops->orthant(set, tg_space_block(x, k), tg_space_block(y, k));
  }
  return TG_OK;
}

static tg_status mask_all(const opt_constraint *constraint, const opt_point *x, const opt_point *g, bool release,
                          opt_point *v)
{
  const mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops != NULL)
      set->ops->mask(set, tg_space_block(x, k), tg_space_block(g, k), release, tg_space_block(v, k));
  }
  return TG_OK;
}

static tg_status critical_all(const opt_constraint *constraint, const opt_point *x, const opt_point *g, double weak,
                              bool inwards, opt_point *v)
{
  const mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops != NULL)
      set->ops->critical(set, tg_space_block(x, k), tg_space_block(g, k), weak, inwards, tg_space_block(v, k));
  }
  return TG_OK;
}

static tg_status room_of_all(const opt_constraint *constraint, const opt_point *x, const opt_point *d, double *t)
{
  const mpi_constraint *self = constraint->self;
  double mine = (double)INFINITY;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops != NULL) set->ops->room(set, tg_space_block(x, k), tg_space_block(d, k), &mine);
  }
  TG_TRY(tg_set_largest(self->sets[0].grid, -mine, t));
  *t = -*t;
  return TG_OK;
}

static tg_status settle_all(const opt_constraint *constraint, double t, const opt_point *d, opt_point *x)
{
  const mpi_constraint *self = constraint->self;
  for (int k = 0; k < self->n_sets; k++) {
    const tg_set *set = &self->sets[k];
    if (set->ops != NULL) set->ops->settle(set, t, tg_space_block(d, k), tg_space_block(x, k));
  }
  return TG_OK;
}

static const opt_constraint_ops convex_ops = {.violation = violation_of_all,
                                              .project = project_all,
                                              .approach = approach_all,
                                              .norm1 = norm1_of_all,
                                              .proximal = proximal_all,
                                              .extreme = extreme_of_all,
                                              .steepest = steepest_all,
                                              .mask = mask_all,
                                              .orthant = orthant_all,
                                              .critical = critical_all,
                                              .room = room_of_all,
                                              .settle = settle_all};
static const opt_constraint_ops mixed_ops = {.violation = violation_of_all,
                                             .project = project_all,
                                             .approach = approach_all,
                                             .tangent = tangent_all,
                                             .retract = retract_all,
                                             .hessian = hessian_all,
                                             .norm1 = norm1_of_all,
                                             .proximal = proximal_all,
                                             .steepest = steepest_all};
static const opt_constraint_ops manifold_ops = {.violation = violation_of_all,
                                                .project = project_all,
                                                .tangent = tangent_all,
                                                .retract = retract_all,
                                                .hessian = hessian_all};

// ---- life ----

static tg_status fill_set(mpi_constraint *self, const tg_grid *grid, const opt_constraint_block *block,
                          const tg_dmat *shape, int k)
{
  tg_set *set = &self->sets[k];
  set->block = *block;
  set->grid = grid;
  set->rows = shape->rows;
  set->cols = shape->cols;
  set->workspace = self->workspace;
  if (block->kind == OPT_CONSTRAINT_FREE && block->norm1 > 0) set->ops = &tg_set_interval;
  if (block->kind == OPT_CONSTRAINT_FREE) return TG_OK;
  const opt_constraint_row *row = opt_constraint_row_of(block->kind);
  if (row->is_square && set->rows != set->cols)
    TG_FAIL(TG_SHAPE, "the constraint %s needs a square matrix, found %" PRId64 " x %" PRId64, row->name, set->rows,
            set->cols);
  set->ops = operations[block->kind];
  if (set->ops->create != NULL) TG_TRY(set->ops->create(set));
  return TG_OK;
}

tg_bytes tg_constraint_bytes(const tg_cost_grid *grid, opt_constraint_kind kind, int64_t rows, int64_t cols,
                             bool with_extreme)
{
  const tg_set_ops *ops = kind == OPT_CONSTRAINT_FREE ? NULL : operations[kind];
  tg_bytes out = {0, 0};
  if (ops == NULL) return out;
  if (ops->bytes != NULL) out = ops->bytes(grid, rows, cols);
  if (with_extreme && ops->extreme_bytes != NULL)
    out.kept += ops->extreme_bytes(opt_constraint_row_of(kind), rows, cols);
  return out;
}

static tg_status create_all(const opt_space *space, const tg_grid *grid, const opt_constraint_block *blocks,
                            const opt_point *shape, opt_constraint **out)
{
  mpi_constraint *self = NULL;
  opt_traits traits;
  TG_TRY(opt_traits_find(space->n_blocks, blocks, &traits));
  TG_TRY(tg_alloc(1, sizeof *self + (size_t)space->n_blocks * sizeof(tg_set), (void **)&self));
  *out = &self->base;
  static const opt_constraint_ops *const ops[] = {
      [OPT_GEOMETRY_CONVEX] = &convex_ops, [OPT_GEOMETRY_MANIFOLD] = &manifold_ops, [OPT_GEOMETRY_MIXED] = &mixed_ops};
  self->base = (opt_constraint){.ops = ops[traits.geometry], .space = space, .traits = traits, .self = self};
  self->n_sets = space->n_blocks;
  TG_TRY(tg_workspace_create(grid, &self->workspace));
  for (int k = 0; k < space->n_blocks; k++) TG_TRY(fill_set(self, grid, &blocks[k], tg_space_block(shape, k), k));
  return TG_OK;
}

static tg_status load_all(mpi_constraint *self)
{
  for (int k = 0; k < self->n_sets; k++) {
    tg_set *set = &self->sets[k];
    if (set->ops != NULL && set->ops->load != NULL) TG_TRY(set->ops->load(set));
  }
  return TG_OK;
}

tg_status tg_constraint_create(const opt_space *space, const tg_grid *grid, const opt_constraint_block *blocks,
                               opt_constraint **out)
{
  *out = NULL;
  opt_point *shape = NULL;
  TG_TRY(space->ops->create(space, &shape));
  tg_status status = tg_agree(grid->comm, create_all(space, grid, blocks, shape, out));
  if (status == TG_OK) status = load_all((*out)->self);
  space->ops->destroy(space, &shape);
  if (status != TG_OK) tg_constraint_destroy(out);
  return status;
}

void tg_constraint_destroy(opt_constraint **constraint)
{
  if (*constraint == NULL) return;
  mpi_constraint *self = (*constraint)->self;
  for (int k = 0; k < self->n_sets; k++) {
    for (int s = 0; s < (int)(sizeof self->sets[k].scratch / sizeof self->sets[k].scratch[0]); s++)
      tg_dmat_destroy(&self->sets[k].scratch[s]);
    tg_free(self->sets[k].numbers);
    tg_free(self->sets[k].gathered);
    tg_free(self->sets[k].assigned);
  }
  tg_workspace_destroy(&self->workspace);
  tg_free(self);
  *constraint = NULL;
}
