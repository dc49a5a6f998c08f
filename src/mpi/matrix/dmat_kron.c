// Kronecker products and their two adjoints, in panels of columns so that memory stays bounded.
//
// With G = kron(A, B): row i p + k, column j q + l, for A m x n and B p x q. One factor's panel of columns is
// brought to every rank; the large matrix never moves.
#include <inttypes.h>
#include <string.h>

#include "mpi/matrix/dmat_ops.h"

enum { PANEL_ENTRIES = 1 << 20 };

typedef struct kron_sizes {
  int64_t m;
  int64_t n;
  int64_t p;
  int64_t q;
} kron_sizes;

// Consecutive columns of a small factor, all their rows, on every rank.
typedef struct panel {
  int64_t begin;
  int64_t end;
  int64_t rows;
  double *data;
} panel;

static tg_status check_big(const kron_sizes *s, const tg_dmat *big, const tg_dmat *x, const tg_dmat *y)
{
  if (big->rows != s->m * s->p || big->cols != s->n * s->q)
    TG_FAIL(TG_INTERNAL,
            "a Kronecker product of %" PRId64 " x %" PRId64 " and %" PRId64 " x %" PRId64 " is not %" PRId64
            " x %" PRId64,
            s->m, s->n, s->p, s->q, big->rows, big->cols);
  if (!tg_dmat_is_aligned(big, x) || !tg_dmat_is_aligned(big, y))
    TG_FAIL(TG_INTERNAL, "the operands of a Kronecker product lie on different grids or in different blocks");
  return TG_OK;
}

static int64_t panel_width(const tg_dmat *m)
{
  const int64_t width = PANEL_ENTRIES / m->rows;
  return width < 1 ? 1 : width < m->cols ? width : m->cols;
}

// Room for the widest panel of the matrix; begin = end = 0.
static tg_status reserve_panel(tg_workspace *workspace, tg_workspace_slot slot, const tg_dmat *m, panel *out)
{
  *out = (panel){.rows = m->rows};
  return tg_workspace_reserve(workspace, slot, panel_width(m) * m->rows, &out->data);
}

static void next_panel(const tg_dmat *m, int64_t begin, panel *out)
{
  out->begin = begin;
  out->end = begin + panel_width(m) < m->cols ? begin + panel_width(m) : m->cols;
}

static bool in_panel(const panel *x, int64_t column)
{
  return column >= x->begin && column < x->end;
}

static double *panel_column(const panel *x, int64_t column)
{
  return x->data + (column - x->begin) * x->rows;
}

// --- the product -------------------------------------------------------------------------------------

// One local column of the result: out(i p + k) = a(i) b(k), walking i and k along instead of dividing.
static void fill_column(const tg_dmat *out, int64_t p, const double *a, const double *b, double *column)
{
  for (int64_t block = 0; block < out->local_rows; block += out->block) {
    const int64_t row = tg_layout_global(block, out->block, out->grid->row, out->grid->rows);
    const int64_t end = block + out->block < out->local_rows ? block + out->block : out->local_rows;
    int64_t i = row / p;
    int64_t k = row % p;
    for (int64_t li = block; li < end; li++) {
      column[li] = a[i] * b[k];
      if (++k == p) {
        k = 0;
        i++;
      }
    }
  }
}

static void fill_panels(const kron_sizes *s, const panel *pa, const panel *pb, tg_dmat *out)
{
#pragma omp parallel for schedule(static)
  for (int64_t lc = 0; lc < out->local_cols; lc++) {
    const int64_t c = tg_layout_global(lc, out->block, out->grid->col, out->grid->cols);
    const int64_t j = c / s->q;
    const int64_t l = c % s->q;
    if (in_panel(pa, j) && in_panel(pb, l))
      fill_column(out, s->p, panel_column(pa, j), panel_column(pb, l), out->data + lc * out->ld);
  }
}

tg_status tg_dmat_kron(tg_workspace *workspace, const tg_dmat *a, const tg_dmat *b, tg_dmat *out)
{
  const kron_sizes s = {a->rows, a->cols, b->rows, b->cols};
  TG_TRY(check_big(&s, out, a, b));
  panel pa;
  panel pb;
  TG_TRY(reserve_panel(workspace, TG_SLOT_PANEL_A, a, &pa));
  TG_TRY(reserve_panel(workspace, TG_SLOT_PANEL_B, b, &pb));
  for (int64_t ja = 0; ja < a->cols; ja = pa.end) {
    next_panel(a, ja, &pa);
    TG_TRY(tg_dmat_gather_columns(a, pa.begin, pa.end, pa.data));
    for (int64_t lb = 0; lb < b->cols; lb = pb.end) {
      next_panel(b, lb, &pb);
      TG_TRY(tg_dmat_gather_columns(b, pb.begin, pb.end, pb.data));
      fill_panels(&s, &pa, &pb, out);
    }
  }
  return TG_OK;
}

// --- the adjoints ------------------------------------------------------------------------------------

// Adds one local column of g to the partial result: left: sum(i) += g(i p + k) w(k); right: sum(k) += g(..) w(i).
static void fold_column(const tg_dmat *g, int64_t p, bool left, const double *column, const double *w, double *sum)
{
  for (int64_t block = 0; block < g->local_rows; block += g->block) {
    const int64_t row = tg_layout_global(block, g->block, g->grid->row, g->grid->rows);
    const int64_t end = block + g->block < g->local_rows ? block + g->block : g->local_rows;
    int64_t i = row / p;
    int64_t k = row % p;
    for (int64_t li = block; li < end; li++) {
      sum[left ? i : k] += column[li] * w[left ? k : i];
      if (++k == p) {
        k = 0;
        i++;
      }
    }
  }
}

static void fold_panels(const kron_sizes *s, bool left, const tg_dmat *g, const panel *weights, const panel *sums)
{
  for (int64_t lc = 0; lc < g->local_cols; lc++) {
    const int64_t c = tg_layout_global(lc, g->block, g->grid->col, g->grid->cols);
    const int64_t j = c / s->q;
    const int64_t l = c % s->q;
    if (!in_panel(sums, left ? j : l) || !in_panel(weights, left ? l : j)) continue;
    fold_column(g, s->p, left, g->data + lc * g->ld, panel_column(weights, left ? l : j),
                panel_column(sums, left ? j : l));
  }
}

static void take_columns(const panel *sums, tg_dmat *out)
{
  const tg_grid *grid = out->grid;
  for (int64_t lj = 0; lj < out->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, out->block, grid->col, grid->cols);
    if (!in_panel(sums, j)) continue;
    for (int64_t li = 0; li < out->local_rows; li++)
      out->data[li + lj * out->ld] = panel_column(sums, j)[tg_layout_global(li, out->block, grid->row, grid->rows)];
  }
}

// Panels of the result: each rank sums what its part of g gives, then all add up and the owners take theirs.
static tg_status fold(tg_workspace *workspace, const kron_sizes *s, bool left, const tg_dmat *g, const tg_dmat *w,
                      tg_dmat *out)
{
  TG_TRY(check_big(s, g, w, out));
  panel weights;
  panel sums;
  TG_TRY(reserve_panel(workspace, TG_SLOT_PANEL_A, w, &weights));
  TG_TRY(reserve_panel(workspace, TG_SLOT_PANEL_C, out, &sums));
  for (int64_t begin = 0; begin < out->cols; begin = sums.end) {
    next_panel(out, begin, &sums);
    const int64_t count = (sums.end - sums.begin) * sums.rows;
    memset(sums.data, 0, (size_t)count * sizeof(double));
    for (int64_t first = 0; first < w->cols; first = weights.end) {
      next_panel(w, first, &weights);
      TG_TRY(tg_dmat_gather_columns(w, weights.begin, weights.end, weights.data));
      fold_panels(s, left, g, &weights, &sums);
    }
    if (count > INT32_MAX) TG_FAIL(TG_LIMIT, "a column of %" PRId64 " entries is too long to send", sums.rows);
    TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums.data, (int)count, MPI_DOUBLE, MPI_SUM, g->grid->comm));
    take_columns(&sums, out);
  }
  return TG_OK;
}

tg_status tg_dmat_kron_left(tg_workspace *workspace, const tg_dmat *g, const tg_dmat *b, tg_dmat *out)
{
  const kron_sizes s = {out->rows, out->cols, b->rows, b->cols};
  return fold(workspace, &s, true, g, b, out);
}

tg_status tg_dmat_kron_right(tg_workspace *workspace, const tg_dmat *g, const tg_dmat *a, tg_dmat *out)
{
  const kron_sizes s = {a->rows, a->cols, out->rows, out->cols};
  return fold(workspace, &s, false, g, a, out);
}
