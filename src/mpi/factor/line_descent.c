// Coordinate descent line by line.
#include "mpi/factor/line_descent.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"

enum { SWEEPS = 10 };
static const double least_gain = 0.01; // of a sweep, in units of the first one's

struct tg_line_descent {
  const tg_grid *grid;
  bool by_rows;
  int64_t length;   // of a line
  double *hessian;  // G, length x length, its row k (by_rows) or column k after one another
  double *line;     // entries of one line, then their gradient
  tg_dmat *whole_x; // with lines that are on one rank; NULL where those of X are
  tg_dmat *whole_g;
  tg_workspace *workspace;
};

tg_status tg_line_descent_create(const tg_grid *grid, int64_t rows, int64_t cols, bool by_rows, tg_line_descent **out)
{
  tg_line_descent *self = NULL;
  *out = NULL;
  TG_TRY(tg_agree(grid->comm, TG_NEW(1, &self)));
  *out = self;
  *self = (tg_line_descent){.grid = grid, .by_rows = by_rows, .length = by_rows ? cols : rows};
  tg_status status = tg_alloc_numbers(self->length * self->length, &self->hessian);
  if (status == TG_OK) status = tg_alloc_numbers(2 * self->length, &self->line);
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
  tg_free(self->line);
  tg_free(self);
  *descent = NULL;
}

tg_status tg_line_descent_bind(tg_line_descent *self, const tg_dmat *action)
{
  const tg_grid *grid = self->grid;
  const int64_t n = self->length;
  memset(self->hessian, 0, (size_t)(n * n) * sizeof *self->hessian);
  for (int64_t lj = 0; lj < action->local_cols; lj++)
    for (int64_t li = 0; li < action->local_rows; li++) {
      const int64_t i = tg_dmat_global_index(li, action->block, grid->row, grid->rows);
      const int64_t j = tg_dmat_global_index(lj, action->block, grid->col, grid->cols);
      if (i < n && j < n) self->hessian[self->by_rows ? i * n + j : j * n + i] = action->data[li + lj * action->ld];
    }
  // Each number comes from one rank: the sum is exact.
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, self->hessian, (int)(n * n), MPI_DOUBLE, MPI_SUM, grid->comm));
  return TG_OK;
}

// One sweep over a line; what it gains, twice.
static double sweep(const tg_line_descent *self, double low, double high, double *x, double *g)
{
  const int64_t n = self->length;
  double gain = 0;
  for (int64_t k = 0; k < n; k++) {
    const double *row = &self->hessian[k * n];
    if (!(row[k] > 0)) continue; // f is linear in x_k: with the others at rest it is constant, as G >= 0
    const double to = fmin(high, fmax(low, x[k] - g[k] / row[k]));
    const double d = to - x[k];
    if (d == 0) continue;
    gain -= d * (2 * g[k] + d * row[k]);
    for (int64_t j = 0; j < n; j++) g[j] += d * row[j];
    x[k] = to;
  }
  return gain;
}

static void descend(const tg_line_descent *self, double low, double high, const double *g_in, double *x, int64_t stride)
{
  const int64_t n = self->length;
  double *own = self->line;
  double *g = self->line + n;
  for (int64_t k = 0; k < n; k++) {
    own[k] = x[k * stride];
    g[k] = g_in[k * stride];
  }
  const double first = sweep(self, low, high, own, g);
  for (int count = 1; count < SWEEPS; count++)
    if (!(sweep(self, low, high, own, g) > least_gain * first)) break;
  for (int64_t k = 0; k < n; k++) x[k * stride] = own[k];
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
  for (int64_t i = 0; i < lines; i++)
    descend(self, low, high, g->data + (self->by_rows ? i : i * g->ld), to->data + (self->by_rows ? i : i * to->ld),
            self->by_rows ? to->ld : 1);
  if (to != x) TG_TRY(tg_dmat_redistribute(self->workspace, to, x));
  return TG_OK;
}
