// Entry by entry: linear combinations, constants, inner products.
#include <inttypes.h>
#include <string.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

// A stretch of entries at the same place of several matrices: a column, or all of a dense local part.
typedef struct stretches {
  int64_t length;
  int64_t count;
} stretches;

// Dense local parts are one long column: short columns would cost more in loops than in work.
static stretches stretches_of(int n, const tg_dmat *const *in, const tg_dmat *out)
{
  bool dense = out->ld == out->local_rows;
  for (int k = 0; k < n; k++) dense = dense && in[k]->ld == in[k]->local_rows;
  if (dense) return (stretches){out->local_rows * out->local_cols, out->local_cols > 0 ? 1 : 0};
  return (stretches){out->local_rows, out->local_cols};
}

static tg_status check_alike(int n, const tg_dmat *const *in, const tg_dmat *out)
{
  for (int k = 0; k < n; k++)
    if (!tg_dmat_is_aligned(in[k], out) || !tg_dmat_same_shape(in[k], out))
      TG_FAIL(TG_INTERNAL,
              "operand %d is %" PRId64 " x %" PRId64 " in blocks of %" PRId64 ", the result %" PRId64 " x %" PRId64
              " in blocks of %" PRId64,
              k, in[k]->rows, in[k]->cols, in[k]->block, out->rows, out->cols, out->block);
  return TG_OK;
}

// --- linear combinations -----------------------------------------------------------------------------

// y may be one of the x: each y[i] is written after every x[.][i] was read, and nothing else depends on it.
static void combine(int n, const double *c, const double *const *x, int64_t count, double *y)
{
  const double *x0 = x[0];
  const double *x1 = x[n > 1 ? 1 : 0];
  const double *x2 = x[n > 2 ? 2 : 0];
  if (n == 1) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) y[i] = c[0] * x0[i];
  } else if (n == 2) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) y[i] = c[0] * x0[i] + c[1] * x1[i];
  } else {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) y[i] = c[0] * x0[i] + c[1] * x1[i] + c[2] * x2[i];
  }
}

enum { PIECE = 1024, FUSED = 3 };

// More than three terms: groups of three, gathered in a buffer that stays in the cache, so that y may still be
// any of the x.
static void combine_many(int n, const double *c, const tg_dmat *const *in, int64_t at[2], int64_t count, double *y)
{
  double sum[PIECE];
  double group[PIECE];
  for (int k = 0; k < n; k += FUSED) {
    const int terms = n - k < FUSED ? n - k : FUSED;
    const double *x[FUSED];
    for (int t = 0; t < terms; t++) x[t] = in[k + t]->data + at[0] + at[1] * in[k + t]->ld;
    combine(terms, c + k, x, count, k == 0 ? sum : group);
    if (k == 0) continue;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) sum[i] += group[i];
  }
  memcpy(y, sum, (size_t)count * sizeof(double));
}

tg_status tg_dmat_lincomb(int n, const double *coefs, const tg_dmat *const *in, tg_dmat *out)
{
  TG_TRY(check_alike(n, in, out));
  if (n == 0) {
    tg_dmat_fill(0, out);
    return TG_OK;
  }
  const stretches s = stretches_of(n, in, out);
  const int64_t pieces = (s.length + PIECE - 1) / PIECE;
#pragma omp parallel for schedule(static) if (s.length * s.count * n >= TG_PARALLEL_ENTRIES)
  for (int64_t task = 0; task < pieces * s.count; task++) {
    int64_t at[2] = {task % pieces * PIECE, task / pieces};
    const int64_t count = s.length - at[0] < PIECE ? s.length - at[0] : PIECE;
    double *y = out->data + at[0] + at[1] * out->ld;
    if (n > FUSED) {
      combine_many(n, coefs, in, at, count, y);
      continue;
    }
    const double *x[FUSED];
    for (int k = 0; k < n; k++) x[k] = in[k]->data + at[0] + at[1] * in[k]->ld;
    combine(n, coefs, x, count, y);
  }
  return TG_OK;
}

tg_status tg_dmat_copy(const tg_dmat *in, tg_dmat *out)
{
  const double one = 1;
  if (in == out) return TG_OK;
  return tg_dmat_lincomb(1, &one, &in, out);
}

// --- constants ---------------------------------------------------------------------------------------

void tg_dmat_fill(double value, tg_dmat *out)
{
  const int64_t rows = out->local_rows;
  const int64_t cols = out->local_cols;
  double *data = out->data;
  const int64_t ld = out->ld;
#pragma omp parallel for schedule(static) if (rows * cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) data[i + j * ld] = value;
}

// Local offset of entry (i, j), or -1 where another rank owns it.
static int64_t local_offset(const tg_dmat *m, int64_t i, int64_t j)
{
  const tg_grid *grid = m->grid;
  if (tg_layout_owner(i, m->block, grid->rows) != grid->row || tg_layout_owner(j, m->block, grid->cols) != grid->col)
    return -1;
  return tg_layout_local(i, m->block, grid->rows) + tg_layout_local(j, m->block, grid->cols) * m->ld;
}

void tg_dmat_eye(double value, tg_dmat *out)
{
  tg_dmat_fill(0, out);
  for (int64_t lj = 0; lj < out->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, out->block, out->grid->col, out->grid->cols);
    const int64_t at = j < out->rows ? local_offset(out, j, j) : -1;
    if (at >= 0) out->data[at] = value;
  }
}

void tg_dmat_triangle(bool lower, tg_dmat *out)
{
  for (int64_t lj = 0; lj < out->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, out->block, out->grid->col, out->grid->cols);
    for (int64_t li = 0; li < out->local_rows; li++) {
      const int64_t i = tg_layout_global(li, out->block, out->grid->row, out->grid->rows);
      out->data[li + lj * out->ld] = (lower ? i >= j : i <= j) ? 1 : 0;
    }
  }
}

void tg_dmat_pick(int64_t offset, tg_dmat *out)
{
  tg_dmat_fill(0, out);
  for (int64_t li = 0; li < out->local_rows; li++) {
    const int64_t i = tg_layout_global(li, out->block, out->grid->row, out->grid->rows);
    const int64_t at = local_offset(out, i, i + offset);
    if (at >= 0) out->data[at] = 1;
  }
}

static tg_status check_one_entry(const tg_dmat *m)
{
  if (m->rows != 1 || m->cols != 1)
    TG_FAIL(TG_INTERNAL, "a 1 x 1 matrix is expected, found %" PRId64 " x %" PRId64, m->rows, m->cols);
  return TG_OK;
}

tg_status tg_dmat_store(double value, tg_dmat *out)
{
  TG_TRY(check_one_entry(out));
  tg_dmat_fill(value, out);
  return TG_OK;
}

// vec(X)[i + j m] = X(i,j) = vec(X')[j + i n], so column i + j m has its one in row j + i n.
tg_status tg_dmat_comm(int64_t m, int64_t n, tg_dmat *out)
{
  if (out->rows != m * n || out->cols != m * n)
    TG_FAIL(TG_INTERNAL, "comm(%" PRId64 ",%" PRId64 ") does not fit %" PRId64 " x %" PRId64, m, n, out->rows,
            out->cols);
  tg_dmat_fill(0, out);
  for (int64_t lc = 0; lc < out->local_cols; lc++) {
    const int64_t c = tg_layout_global(lc, out->block, out->grid->col, out->grid->cols);
    const int64_t at = local_offset(out, c / m + c % m * n, c);
    if (at >= 0) out->data[at] = 1;
  }
  return TG_OK;
}

// --- scalars -----------------------------------------------------------------------------------------

tg_status tg_dmat_dot_part(const tg_dmat *a, const tg_dmat *b, double *part)
{
  TG_TRY(check_alike(1, &a, b));
  *part = tg_reduce_local_dot(a, b);
  return TG_OK;
}

tg_status tg_dmat_dot(const tg_dmat *a, const tg_dmat *b, double *out)
{
  TG_TRY(tg_dmat_dot_part(a, b, out));
  TG_TRY(tg_reduce_sum(a->grid, 1, out, out));
  return TG_OK;
}

tg_status tg_dmat_trace_part(const tg_dmat *a, double *part)
{
  if (a->rows != a->cols)
    TG_FAIL(TG_INTERNAL, "the trace of a %" PRId64 " x %" PRId64 " matrix does not exist", a->rows, a->cols);
  // Two sums, the second of what the first lost in rounding (Knuth's two-sum).
  double sum = 0;
  double lost = 0;
  for (int64_t lj = 0; lj < a->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, a->block, a->grid->col, a->grid->cols);
    const int64_t at = local_offset(a, j, j);
    if (at < 0) continue;
    const double x = a->data[at];
    const double next = sum + x;
    const double back = next - sum;
    lost += (sum - (next - back)) + (x - back);
    sum = next;
  }
  *part = lost == lost ? sum + lost : sum; // an infinite entry makes `lost` NaN: keep the infinity
  return TG_OK;
}

tg_status tg_dmat_trace(const tg_dmat *a, double *out)
{
  TG_TRY(tg_dmat_trace_part(a, out));
  TG_TRY(tg_reduce_sum(a->grid, 1, out, out));
  return TG_OK;
}

tg_status tg_dmat_fetch(const tg_dmat *a, double *out)
{
  TG_TRY(check_one_entry(a));
  *out = a->grid->rank == 0 ? a->data[0] : 0;
  TG_TRY_MPI(MPI_Bcast(out, 1, MPI_DOUBLE, 0, a->grid->comm));
  return TG_OK;
}
