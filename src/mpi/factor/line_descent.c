// Coordinate descent line by line.
#include "mpi/factor/line_descent.h"

#include <omp.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"

enum { SWEEPS = 10 };
// Lines that are swept side by side, so that the loops over them are those of vectors.
enum { LANES = 32 };
static const double least_gain = 0.01; // of a sweep, in units of the first one's

// Lines side by side: entry k of line l stands at k * LANES + l.
typedef struct batch {
  double *x;
  double *g;             // the gradient by x
  double gain[LANES];    // of the last sweep
  double goes_on[LANES]; // 1 or 0
} batch;

struct tg_line_descent {
  const tg_grid *grid;
  bool by_rows;
  int64_t length;  // of a line
  double *hessian; // G, length x length, its row k (by_rows) or column k after one another
  int threads;
  batch *batches;   // one for each thread
  double *lines;    // what they hold
  tg_dmat *whole_x; // with lines that are on one rank; NULL where those of X are
  tg_dmat *whole_g;
  tg_workspace *workspace;
};

static tg_status create_batches(tg_line_descent *self)
{
  const int64_t size = self->length * LANES;
  self->threads = omp_get_max_threads();
  TG_TRY(TG_NEW(self->threads, &self->batches));
  TG_TRY(tg_alloc_numbers(2 * size * self->threads, &self->lines));
  memset(self->lines, 0, (size_t)(2 * size * self->threads) * sizeof *self->lines);
  for (int t = 0; t < self->threads; t++) {
    self->batches[t].x = self->lines + 2 * size * t;
    self->batches[t].g = self->batches[t].x + size;
  }
  return TG_OK;
}

tg_status tg_line_descent_create(const tg_grid *grid, int64_t rows, int64_t cols, bool by_rows, tg_line_descent **out)
{
  tg_line_descent *self = NULL;
  *out = NULL;
  TG_TRY(tg_agree_memory(grid->comm, TG_NEW(1, &self), &self));
  *out = self;
  *self = (tg_line_descent){.grid = grid, .by_rows = by_rows, .length = by_rows ? cols : rows};
  tg_status status = tg_alloc_numbers(self->length * self->length, &self->hessian);
  if (status == TG_OK) status = create_batches(self);
  const bool is_spread = (by_rows ? grid->cols : grid->rows) > 1 && self->length > grid->block;
  if (is_spread && status == TG_OK) status = tg_dmat_create_block(grid, rows, cols, self->length, &self->whole_x);
  if (is_spread && status == TG_OK) status = tg_dmat_create_block(grid, rows, cols, self->length, &self->whole_g);
  if (is_spread && status == TG_OK) status = tg_workspace_create(grid, &self->workspace);
  return tg_agree(grid->comm, status);
}

void tg_line_descent_destroy(tg_line_descent **descent)
{
  tg_line_descent *self = *descent;
  if (self == NULL) return;
  tg_dmat_destroy(&self->whole_x);
  tg_dmat_destroy(&self->whole_g);
  tg_workspace_destroy(&self->workspace);
  tg_free(self->hessian);
  tg_free(self->batches);
  tg_free(self->lines);
  tg_free(self);
  *descent = NULL;
}

tg_status tg_line_descent_bind(tg_line_descent *self, const tg_dmat *action)
{
  const tg_grid *grid = self->grid;
  const int64_t n = self->length;
  memset(self->hessian, 0, (size_t)(n * n) * sizeof *self->hessian);
  for (int64_t lj = 0; lj < action->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, action->block, grid->col, grid->cols);
    for (int64_t li = 0; li < action->local_rows && j < n; li++) {
      const int64_t i = tg_layout_global(li, action->block, grid->row, grid->rows);
      if (i >= n) break; // they rise
      self->hessian[self->by_rows ? i * n + j : j * n + i] = action->data[li + lj * action->ld];
    }
  }
  // Each number comes from one rank: the sum is exact.
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, self->hessian, (int)(n * n), MPI_DOUBLE, MPI_SUM, grid->comm));
  return TG_OK;
}

// One sweep over the lines of a batch that go on; what each gains, twice.
static void sweep(const tg_line_descent *self, double low, double high, batch *b)
{
  const int64_t n = self->length;
  double d[LANES];
  for (int l = 0; l < LANES; l++) b->gain[l] = 0;
  for (int64_t k = 0; k < n; k++) {
    const double *row = &self->hessian[k * n];
    const double curvature = row[k];
    if (!(curvature > 0)) continue; // f is linear in x_k: with the others at rest it is constant, as G >= 0
    double *x = b->x + k * LANES;
    const double *slope = b->g + k * LANES;
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
      const double free = x[l] - slope[l] / curvature;
      const double raised = free > low ? free : low;
      const double between = raised < high ? raised : high;
      const double to = b->goes_on[l] > 0 ? between : x[l];
      d[l] = to - x[l];
      b->gain[l] -= d[l] * (2 * slope[l] + d[l] * curvature);
      x[l] = to;
    }
    for (int64_t j = 0; j < n; j++) {
      double *g = b->g + j * LANES;
      const double c = row[j];
#pragma omp simd
      for (int l = 0; l < LANES; l++) g[l] += c * d[l];
    }
  }
}

// Sweeps until no line gains enough. The lines of a batch do not see one another: what a line gets does not depend on
// those beside it, and so not on the grid.
static void descend(const tg_line_descent *self, double low, double high, batch *b)
{
  double first[LANES];
  sweep(self, low, high, b);
  memcpy(first, b->gain, sizeof first);
  for (int count = 1; count < SWEEPS; count++) {
    int going = 0;
    for (int l = 0; l < LANES; l++) {
      b->goes_on[l] = b->goes_on[l] > 0 && b->gain[l] > least_gain * first[l] ? 1 : 0;
      going += b->goes_on[l] > 0;
    }
    if (going == 0) return;
    sweep(self, low, high, b);
  }
}

// Entry k of line l of a local part stands at l * across + k * along.
typedef struct strides {
  int64_t across;
  int64_t along;
} strides;

static strides strides_of(const tg_line_descent *self, const tg_dmat *m)
{
  return self->by_rows ? (strides){.across = 1, .along = m->ld} : (strides){.across = m->ld, .along = 1};
}

static void gather(const double *from, strides at, int64_t n, int64_t count, double *to)
{
  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < count; l++) to[k * LANES + l] = from[l * at.across + k * at.along];
}

static void scatter(const double *from, strides at, int64_t n, int64_t count, double *to)
{
  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < count; l++) to[l * at.across + k * at.along] = from[k * LANES + l];
}

// Lines `begin` .. of this rank, as many as there are up to LANES. The others of the batch do not move.
static void descend_batch(const tg_line_descent *self, double low, double high, const tg_dmat *g, int64_t begin,
                          int64_t lines, batch *b, tg_dmat *x)
{
  const int64_t count = lines - begin < LANES ? lines - begin : LANES;
  const strides at_x = strides_of(self, x);
  const strides at_g = strides_of(self, g);
  for (int l = 0; l < LANES; l++) b->goes_on[l] = l < count ? 1 : 0;
  gather(x->data + begin * at_x.across, at_x, self->length, count, b->x);
  gather(g->data + begin * at_g.across, at_g, self->length, count, b->g);
  descend(self, low, high, b);
  scatter(b->x, at_x, self->length, count, x->data + begin * at_x.across);
}

tg_status tg_line_descent_solve(tg_line_descent *self, double low, double high, const tg_dmat *g, tg_dmat *x)
{
  tg_dmat *to = x;
  if (self->whole_x != NULL) {
    TG_TRY(tg_dmat_redistribute(self->workspace, x, self->whole_x));
    TG_TRY(tg_dmat_redistribute(self->workspace, g, self->whole_g));
    to = self->whole_x;
    g = self->whole_g;
  }
  const int64_t entries = self->by_rows ? to->local_cols : to->local_rows;
  const int64_t lines = entries < self->length ? 0 : (self->by_rows ? to->local_rows : to->local_cols);
  // Each thread takes every so manieth batch, with a place of its own.
#pragma omp parallel for schedule(static) if (lines * entries >= TG_PARALLEL_ENTRIES)
  for (int t = 0; t < self->threads; t++)
    for (int64_t begin = (int64_t)t * LANES; begin < lines; begin += (int64_t)self->threads * LANES)
      descend_batch(self, low, high, g, begin, lines, &self->batches[t], to);
  if (to != x) TG_TRY(tg_dmat_redistribute(self->workspace, to, x));
  return TG_OK;
}
