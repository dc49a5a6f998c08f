// opt_space on distributed matrices.
#include "mpi/space/space.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/matrix/reduce.h"
#include "mpi/space/groups.h"

typedef struct mpi_space {
  opt_space base;
  const tg_grid *grid;
  int64_t *rows; // n_blocks
  int64_t *cols;
  tg_lines *lines;         // n_blocks; NULL without groups
  double *scratch;         // for TG_REDUCE_FUSED numbers to a line
  bool *is_symmetric;      // n_blocks; NULL: none is
  tg_workspace *workspace; // of their transposes; NULL likewise
} mpi_space;

struct opt_point {
  int n_blocks;
  tg_dmat *blocks[]; // n_blocks
};

tg_dmat *tg_space_block(const opt_point *point, int k)
{
  TG_ASSERT(k >= 0 && k < point->n_blocks);
  return point->blocks[k];
}

int tg_space_blocks(const opt_point *point)
{
  return point->n_blocks;
}

tg_status tg_space_view_all(int n, tg_dmat *const *matrices, opt_point **out)
{
  TG_TRY(tg_alloc(1, sizeof **out + (size_t)n * sizeof(tg_dmat *), (void **)out));
  (*out)->n_blocks = n;
  for (int k = 0; k < n; k++) (*out)->blocks[k] = matrices[k];
  return TG_OK;
}

tg_status tg_space_view(tg_dmat *matrix, opt_point **out)
{
  return tg_space_view_all(1, &matrix, out);
}

void tg_space_view_destroy(opt_point **view)
{
  tg_free(*view);
  *view = NULL;
}

// --- life of points ----------------------------------------------------------------------------------

static tg_status space_agree(const opt_space *space, tg_status local)
{
  const mpi_space *self = space->self;
  return tg_agree(self->grid->comm, local);
}

static void space_destroy_point(const opt_space *space, opt_point **point)
{
  (void)space;
  if (*point == NULL) return;
  for (int k = 0; k < (*point)->n_blocks; k++) tg_dmat_destroy(&(*point)->blocks[k]);
  tg_free(*point);
  *point = NULL;
}

static tg_status create_blocks(const mpi_space *self, opt_point **out)
{
  const int n = self->base.n_blocks;
  TG_TRY(tg_alloc(1, sizeof **out + (size_t)n * sizeof(tg_dmat *), (void **)out));
  (*out)->n_blocks = n;
  for (int k = 0; k < n; k++) TG_TRY(tg_dmat_create(self->grid, self->rows[k], self->cols[k], &(*out)->blocks[k]));
  return TG_OK;
}

static tg_status space_create_point(const opt_space *space, opt_point **out)
{
  const mpi_space *self = space->self;
  *out = NULL;
  const tg_status status = tg_agree(self->grid->comm, create_blocks(self, out));
  if (status != TG_OK) space_destroy_point(space, out);
  return status;
}

// --- operations --------------------------------------------------------------------------------------

static tg_status space_copy(const opt_space *space, const opt_point *source, opt_point *target)
{
  for (int k = 0; k < space->n_blocks; k++) TG_TRY(tg_dmat_copy(source->blocks[k], target->blocks[k]));
  return TG_OK;
}

static tg_status space_axpby(const opt_space *space, double a, const opt_point *x, double b, opt_point *y)
{
  const double coefs[2] = {a, b};
  for (int k = 0; k < space->n_blocks; k++) {
    const tg_dmat *const in[2] = {x->blocks[k], y->blocks[k]};
    TG_TRY(tg_dmat_lincomb(b == 0 ? 1 : 2, coefs, in, y->blocks[k]));
  }
  return TG_OK;
}

// out[d] += my part of <x[d], y[d]> in block k. Points of one space have blocks of one shape.
static void add_dots(int n, const opt_point *const *x, const opt_point *const *y, int k, double *out)
{
  const tg_dmat *left[TG_REDUCE_FUSED] = {NULL};
  const tg_dmat *right[TG_REDUCE_FUSED] = {NULL};
  double parts[TG_REDUCE_FUSED];
  for (int d = 0; d < n; d++) {
    left[d] = x[d]->blocks[k];
    right[d] = y[d]->blocks[k];
  }
  tg_reduce_local_dots(n, left, right, parts);
  for (int d = 0; d < n; d++) out[d] += parts[d];
}

static tg_status space_dots(const opt_space *space, int count, const opt_point *const *x, const opt_point *const *y,
                            double *out)
{
  const mpi_space *self = space->self;
  for (int d = 0; d < count; d++) out[d] = 0;
  // Several at a time: what they have in common is read once.
  for (int first = 0; first < count; first += TG_REDUCE_FUSED) {
    const int n = count - first < TG_REDUCE_FUSED ? count - first : TG_REDUCE_FUSED;
    for (int k = 0; k < space->n_blocks; k++) add_dots(n, x + first, y + first, k, out + first);
  }
  TG_TRY(tg_reduce_sum(self->grid, count, out, out));
  return TG_OK;
}

// Likewise by groups.
static void add_group_dots(const mpi_space *self, int n, const opt_point *const *x, const opt_point *const *y, int k,
                           double *out)
{
  const tg_dmat *left[TG_REDUCE_FUSED];
  const tg_dmat *right[TG_REDUCE_FUSED];
  for (int d = 0; d < n; d++) {
    left[d] = x[d]->blocks[k];
    right[d] = y[d]->blocks[k];
  }
  tg_lines_add_dots(&self->lines[k], n, left, right, self->scratch, self->base.n_groups, out);
}

static tg_status space_group_dots(const opt_space *space, int count, const opt_point *const *x,
                                  const opt_point *const *y, double *out)
{
  const mpi_space *self = space->self;
  for (int i = 0; i < count * space->n_groups; i++) out[i] = 0;
  for (int first = 0; first < count; first += TG_REDUCE_FUSED) {
    const int n = count - first < TG_REDUCE_FUSED ? count - first : TG_REDUCE_FUSED;
    for (int k = 0; k < space->n_blocks; k++)
      add_group_dots(self, n, x + first, y + first, k, out + (int64_t)first * space->n_groups);
  }
  TG_TRY(tg_reduce_sum(self->grid, count * space->n_groups, out, out));
  return TG_OK;
}

static tg_status space_group_axpby(const opt_space *space, const double *a, const opt_point *x, const double *b,
                                   opt_point *y)
{
  const mpi_space *self = space->self;
  for (int k = 0; k < space->n_blocks; k++)
    tg_lines_axpby(&self->lines[k], a, x->blocks[k], b, y->blocks[k], self->scratch);
  return TG_OK;
}

static tg_status space_block_dots(const opt_space *space, int count, const opt_point *const *x,
                                  const opt_point *const *y, double *out)
{
  const mpi_space *self = space->self;
  for (int d = 0; d < count; d++) {
    for (int k = 0; k < space->n_blocks; k++) {
      double *const part = &out[d * space->n_blocks + k];
      *part = 0;
      add_dots(1, x + d, y + d, k, part);
    }
  }
  TG_TRY(tg_reduce_sum(self->grid, count * space->n_blocks, out, out));
  return TG_OK;
}

static tg_status space_block_axpy(const opt_space *space, const double *a, const opt_point *x, opt_point *y)
{
  for (int k = 0; k < space->n_blocks; k++) {
    const double coefs[2] = {a[k], 1};
    const tg_dmat *const in[2] = {x->blocks[k], y->blocks[k]};
    TG_TRY(tg_dmat_lincomb(2, coefs, in, y->blocks[k]));
  }
  return TG_OK;
}

static tg_status space_block_scale(const opt_space *space, const double *a, opt_point *y)
{
  for (int k = 0; k < space->n_blocks; k++) {
    const tg_dmat *const in[1] = {y->blocks[k]};
    TG_TRY(tg_dmat_lincomb(1, &a[k], in, y->blocks[k]));
  }
  return TG_OK;
}

static tg_status combine_entries(const opt_space *space, tg_code_op op, const opt_point *y, opt_point *x)
{
  const tg_code code[3] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_LOAD, 1, 0}, {op, 0, 0}};
  for (int k = 0; k < space->n_blocks; k++) {
    const tg_dmat *const in[2] = {x->blocks[k], y->blocks[k]};
    TG_TRY(tg_dmat_entrywise(NULL, 2, in, 3, code, NULL, x->blocks[k]));
  }
  return TG_OK;
}

static tg_status space_scale_entries(const opt_space *space, const opt_point *y, opt_point *x)
{
  return combine_entries(space, TG_CODE_MUL, y, x);
}

static tg_status space_divide_entries(const opt_space *space, const opt_point *y, opt_point *x)
{
  return combine_entries(space, TG_CODE_DIV, y, x);
}

static tg_status space_random(const opt_space *space, uint64_t seed, opt_point *x)
{
  for (int k = 0; k < space->n_blocks; k++) tg_generate_normal(seed, (uint32_t)k, x->blocks[k]);
  return tg_space_symmetrise(space, x);
}

// --- life of the space -------------------------------------------------------------------------------

static const opt_space_ops space_ops = {
    .agree = space_agree,
    .create = space_create_point,
    .destroy = space_destroy_point,
    .copy = space_copy,
    .axpby = space_axpby,
    .dots = space_dots,
    .group_dots = space_group_dots,
    .group_axpby = space_group_axpby,
    .block_dots = space_block_dots,
    .block_axpy = space_block_axpy,
    .block_scale = space_block_scale,
    .scale_entries = space_scale_entries,
    .divide_entries = space_divide_entries,
    .random = space_random,
};

static tg_status fill_shapes(mpi_space *self, int n_blocks, const int64_t *rows, const int64_t *cols)
{
  TG_TRY(TG_NEW(n_blocks, &self->rows));
  TG_TRY(TG_NEW(n_blocks, &self->cols));
  for (int k = 0; k < n_blocks; k++) {
    if (rows[k] < 1 || cols[k] < 1)
      TG_FAIL(TG_SHAPE, "block %d of the space is %" PRId64 " x %" PRId64 ", it needs at least one entry", k, rows[k],
              cols[k]);
    int64_t entries = 0;
    TG_TRY(tg_size_mul(rows[k], cols[k], &entries));
    self->rows[k] = rows[k];
    self->cols[k] = cols[k];
    self->base.dimension += entries;
  }
  return TG_OK;
}

static tg_status create_space(const tg_grid *grid, int n_blocks, const int64_t *rows, const int64_t *cols,
                              opt_space **out)
{
  mpi_space *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  self->base = (opt_space){.ops = &space_ops, .n_blocks = n_blocks, .n_groups = 1, .self = self};
  self->grid = grid;
  *out = &self->base;
  TG_TRY(fill_shapes(self, n_blocks, rows, cols));
  return TG_OK;
}

tg_status tg_space_create(const tg_grid *grid, int n_blocks, const int64_t *rows, const int64_t *cols, opt_space **out)
{
  *out = NULL;
  const tg_status status = tg_agree(grid->comm, create_space(grid, n_blocks, rows, cols, out));
  if (status != TG_OK) tg_space_destroy(out);
  return status;
}

static void forget_groups(mpi_space *self)
{
  tg_free(self->lines);
  tg_free(self->scratch);
  self->lines = NULL;
  self->scratch = NULL;
}

static tg_status set_groups(mpi_space *self, int64_t count, const bool *by_rows)
{
  const tg_grid *grid = self->grid;
  const int64_t across = tg_layout_count(count, grid->block, grid->col, grid->cols);
  const int64_t down = tg_layout_count(count, grid->block, grid->row, grid->rows);
  TG_TRY(TG_NEW(self->base.n_blocks, &self->lines));
  for (int k = 0; k < self->base.n_blocks; k++) {
    const int64_t lines = by_rows[k] ? self->rows[k] : self->cols[k];
    if (lines != count)
      TG_FAIL(TG_INTERNAL, "block %d has %" PRId64 " lines, the groups of the space %" PRId64, k, lines, count);
    self->lines[k] = (tg_lines){by_rows[k], (int)(count < TG_GROUPS_MAX ? count : TG_GROUPS_MAX)};
  }
  return tg_alloc_numbers((across > down ? across : down) * TG_REDUCE_FUSED + 1, &self->scratch);
}

tg_status tg_space_set_groups(opt_space *space, int64_t count, const bool *by_rows)
{
  mpi_space *self = space->self;
  if (count <= 1) return TG_OK;
  const tg_status status = tg_agree(self->grid->comm, set_groups(self, count, by_rows));
  if (status != TG_OK) {
    forget_groups(self);
    return tg_error_pass(status, TG_HERE);
  }
  space->n_groups = self->lines[0].count;
  return TG_OK;
}

// --- symmetric blocks --------------------------------------------------------------------------------

static void forget_symmetry(mpi_space *self)
{
  tg_workspace_destroy(&self->workspace);
  tg_free(self->is_symmetric);
  self->is_symmetric = NULL;
}

static tg_status set_symmetric(mpi_space *self, const bool *is_symmetric)
{
  TG_TRY(TG_NEW(self->base.n_blocks, &self->is_symmetric));
  for (int k = 0; k < self->base.n_blocks; k++) {
    self->is_symmetric[k] = is_symmetric[k];
    if (is_symmetric[k] && self->rows[k] != self->cols[k])
      TG_FAIL(TG_INTERNAL, "block %d of symmetric matrices is %" PRId64 " x %" PRId64, k, self->rows[k], self->cols[k]);
  }
  return tg_workspace_create(self->grid, &self->workspace);
}

tg_status tg_space_set_symmetric(opt_space *space, const bool *is_symmetric)
{
  mpi_space *self = space->self;
  bool any = false;
  for (int k = 0; k < space->n_blocks; k++) any = any || is_symmetric[k];
  if (!any) return TG_OK;
  const tg_status status = tg_agree(self->grid->comm, set_symmetric(self, is_symmetric));
  if (status != TG_OK) forget_symmetry(self);
  return status;
}

tg_status tg_space_symmetrise(const opt_space *space, opt_point *point)
{
  const mpi_space *self = space->self;
  for (int k = 0; self->is_symmetric != NULL && k < space->n_blocks; k++)
    if (self->is_symmetric[k]) TG_TRY(tg_dmat_symmetrise(self->workspace, point->blocks[k]));
  return TG_OK;
}

tg_status tg_space_skewness(const opt_space *space, const opt_point *point, int k, double *out)
{
  const mpi_space *self = space->self;
  const tg_dmat *a = point->blocks[k];
  tg_dmat *turned = NULL;
  double largest[2] = {0, 0};
  tg_status status = TG_OK;
  *out = 0;
  TG_ASSERT(self->is_symmetric != NULL && self->is_symmetric[k]);
  TG_TRY_GOTO(tg_agree(self->grid->comm, tg_dmat_create(self->grid, a->cols, a->rows, &turned)));
  TG_TRY_GOTO(tg_dmat_transpose(self->workspace, 1, a, turned));
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const double entry = a->data[i + j * a->ld];
      largest[0] = fmax(largest[0], fabs(entry - turned->data[i + j * turned->ld]) / 2);
      largest[1] = fmax(largest[1], fabs(entry));
    }
  TG_TRY_GOTO(tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, largest, 2, MPI_DOUBLE, MPI_MAX, self->grid->comm), TG_HERE));
  if (largest[1] > 0) *out = largest[0] / largest[1];
done:
  tg_dmat_destroy(&turned);
  return status;
}

void tg_space_destroy(opt_space **space)
{
  if (*space == NULL) return;
  mpi_space *self = (*space)->self;
  tg_free(self->rows);
  tg_free(self->cols);
  forget_groups(self);
  forget_symmetry(self);
  tg_free(self);
  *space = NULL;
}
