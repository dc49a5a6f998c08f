// Transposition of block-cyclic matrices: tiles in memory, pairwise exchanges between owners.
//
// Entry (i, j) on process (ib mod P, jb mod Q) goes to (jb mod P, ib mod Q), ib and jb its block indices. What one
// process sends to another is therefore all of the rows of one class modulo lcm(P, Q) times all of the columns of
// another: sender and receiver know the same order, and only numbers travel. In step s every rank sends to rank + s
// and receives from rank - s, in pieces of bounded size; ranks with nothing in common skip the step.
#include <inttypes.h>

#include "base/arithmetic.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"

enum { TILE = 32, PIECE_ENTRIES = 1 << 18 };

// Tiles that fit the first-level cache twice, a column of tiles a thread.
static void transpose_local(double alpha, const tg_dmat *in, double beta, tg_dmat *out)
{
  const int64_t rows = in->rows;
  const int64_t cols = in->cols;
#pragma omp parallel for schedule(static) if (rows * cols >= TG_PARALLEL_ENTRIES)
  for (int64_t i0 = 0; i0 < rows; i0 += TILE)
    for (int64_t j0 = 0; j0 < cols; j0 += TILE) {
      const int64_t i1 = i0 + TILE < rows ? i0 + TILE : rows;
      const int64_t j1 = j0 + TILE < cols ? j0 + TILE : cols;
      for (int64_t i = i0; i < i1; i++)
        for (int64_t j = j0; j < j1; j++) {
          double *to = &out->data[j + i * out->ld];
          *to = alpha * in->data[i + j * in->ld] + (beta == 0 ? 0 : beta * *to);
        }
    }
}

void tg_dmat_mirror_lower(tg_dmat *m)
{
  const int64_t n = m->rows;
  TG_ASSERT(m->grid->size == 1 && m->rows == m->cols);
#pragma omp parallel for schedule(dynamic) if (n * n >= TG_PARALLEL_ENTRIES)
  for (int64_t j0 = 0; j0 < n; j0 += TILE)
    for (int64_t i0 = 0; i0 <= j0; i0 += TILE)
      for (int64_t j = j0; j < n && j < j0 + TILE; j++)
        for (int64_t i = i0; i < j && i < i0 + TILE; i++) m->data[i + j * m->ld] = m->data[j + i * m->ld];
}

static void symmetrise_local(tg_dmat *m)
{
  const int64_t n = m->rows;
#pragma omp parallel for schedule(dynamic) if (n * n >= TG_PARALLEL_ENTRIES)
  for (int64_t j0 = 0; j0 < n; j0 += TILE)
    for (int64_t i0 = 0; i0 <= j0; i0 += TILE)
      for (int64_t j = j0; j < n && j < j0 + TILE; j++)
        for (int64_t i = i0; i < j && i < i0 + TILE; i++) {
          double *upper = &m->data[i + j * m->ld];
          double *lower = &m->data[j + i * m->ld];
          *upper = *lower = 0.5 * *upper + 0.5 * *lower;
        }
}

// --- who sends what to whom --------------------------------------------------------------------------

// Indices whose blocks are congruent to `residue` modulo `modulus`; empty where residue < 0.
typedef struct index_class {
  int64_t count;
  int64_t block;
  int residue;
  int modulus;
} index_class;

// Those of n indices whose block is congruent to a modulo m and to b modulo n_other.
static index_class class_of(int64_t n, int64_t block, int a, int m, int b, int n_other)
{
  index_class c = {.block = block, .residue = -1, .modulus = (int)tg_common_multiple(m, n_other)};
  for (int r = a; r < c.modulus; r += m)
    if (r % n_other == b) c.residue = r;
  if (c.residue >= 0) c.count = tg_layout_count(n, block, c.residue, c.modulus);
  return c;
}

static int64_t class_index(const index_class *c, int64_t u)
{
  return tg_layout_global(u, c->block, c->residue, c->modulus);
}

// What rank `from` sends to rank `to`: rows x cols of the input, in pieces of `step` columns.
typedef struct shipment {
  index_class rows;
  index_class cols;
  int64_t step;
  int64_t pieces;
} shipment;

static shipment shipment_of(const tg_dmat *in, int from, int to)
{
  const tg_grid *grid = in->grid;
  const int p = grid->rows;
  const int q = grid->cols;
  shipment s = {.rows = class_of(in->rows, in->block, from / q, p, to % q, q),
                .cols = class_of(in->cols, in->block, to / q, p, from % q, q)};
  if (s.rows.count == 0 || s.cols.count == 0) return s;
  s.step = PIECE_ENTRIES / s.rows.count > 1 ? PIECE_ENTRIES / s.rows.count : 1;
  if (s.step > s.cols.count) s.step = s.cols.count;
  s.pieces = (s.cols.count + s.step - 1) / s.step;
  return s;
}

// Columns first .. last of piece k.
static void piece_range(const shipment *s, int64_t k, int64_t *first, int64_t *last)
{
  *first = k * s->step;
  *last = *first + s->step < s->cols.count ? *first + s->step : s->cols.count;
}

// --- packing -----------------------------------------------------------------------------------------

// to((u - first) + v * width) = in(row v, column u) for the columns u of a piece: transposed, as the receiver wants.
static void pack(const tg_dmat *in, const shipment *s, int64_t first, int64_t last, double *to)
{
  const tg_grid *grid = in->grid;
  const int64_t width = last - first;
#pragma omp parallel for schedule(static)
  for (int64_t v0 = 0; v0 < s->rows.count; v0 += TILE) {
    const int64_t v1 = v0 + TILE < s->rows.count ? v0 + TILE : s->rows.count;
    int64_t local_rows[TILE];
    for (int64_t v = v0; v < v1; v++)
      local_rows[v - v0] = tg_layout_local(class_index(&s->rows, v), in->block, grid->rows);
    for (int64_t u0 = first; u0 < last; u0 += TILE) {
      const int64_t u1 = u0 + TILE < last ? u0 + TILE : last;
      const double *columns[TILE];
      for (int64_t u = u0; u < u1; u++)
        columns[u - u0] = in->data + in->ld * tg_layout_local(class_index(&s->cols, u), in->block, grid->cols);
      for (int64_t v = v0; v < v1; v++)
        for (int64_t u = u0; u < u1; u++) to[(u - first) + v * width] = columns[u - u0][local_rows[v - v0]];
    }
  }
}

// The arrived piece: its columns u are rows of out, its rows v are columns.
static void unpack(const shipment *s, int64_t first, int64_t last, const double *from, double alpha, double beta,
                   tg_dmat *out)
{
  const tg_grid *grid = out->grid;
  const int64_t width = last - first;
#pragma omp parallel for schedule(static)
  for (int64_t v = 0; v < s->rows.count; v++) {
    const double *column = from + v * width;
    double *to = out->data + out->ld * tg_layout_local(class_index(&s->rows, v), out->block, grid->cols);
    for (int64_t u = first; u < last;) {
      const int64_t rest = out->block - u % out->block;
      const int64_t run = rest < last - u ? rest : last - u;
      double *y = to + tg_layout_local(class_index(&s->cols, u), out->block, grid->rows);
      const double *x = column + (u - first);
      for (int64_t e = 0; e < run; e++) y[e] = alpha * x[e] + (beta == 0 ? 0 : beta * y[e]);
      u += run;
    }
  }
}

// --- exchange ----------------------------------------------------------------------------------------

// The message of a piece, or nothing.
static tg_status message_of(const shipment *s, int64_t k, int partner, int64_t range[2], int *count, int *rank)
{
  *count = 0;
  *rank = MPI_PROC_NULL;
  range[0] = range[1] = 0;
  if (k >= s->pieces) return TG_OK;
  piece_range(s, k, &range[0], &range[1]);
  *rank = partner;
  return tg_abi_int((range[1] - range[0]) * s->rows.count, "a piece of a transposed matrix", count);
}

static tg_status exchange_step(const tg_dmat *in, int step, double *const buffers[2], double alpha, double beta,
                               tg_dmat *out)
{
  const tg_grid *grid = in->grid;
  const int to = (grid->rank + step) % grid->size;
  const int from = (grid->rank - step + grid->size) % grid->size;
  const shipment mine = shipment_of(in, grid->rank, to);
  const shipment theirs = shipment_of(in, from, grid->rank);
  const int64_t pieces = mine.pieces > theirs.pieces ? mine.pieces : theirs.pieces;
  for (int64_t k = 0; k < pieces; k++) {
    int64_t sent[2];
    int64_t received[2];
    int counts[2];
    int ranks[2];
    TG_TRY(message_of(&mine, k, to, sent, &counts[0], &ranks[0]));
    TG_TRY(message_of(&theirs, k, from, received, &counts[1], &ranks[1]));
    if (counts[0] > 0) pack(in, &mine, sent[0], sent[1], buffers[0]);
    if (step > 0)
      TG_TRY_MPI(MPI_Sendrecv(buffers[0], counts[0], MPI_DOUBLE, ranks[0], 0, buffers[1], counts[1], MPI_DOUBLE,
                              ranks[1], 0, grid->comm, MPI_STATUS_IGNORE));
    if (counts[1] > 0) unpack(&theirs, received[0], received[1], buffers[step > 0], alpha, beta, out);
  }
  return TG_OK;
}

tg_status tg_dmat_transpose_add(tg_workspace *workspace, double alpha, const tg_dmat *in, double beta, tg_dmat *out)
{
  if (in->rows != out->cols || in->cols != out->rows || !tg_dmat_is_aligned(in, out))
    TG_FAIL(TG_INTERNAL, "the transpose of %" PRId64 " x %" PRId64 " is not %" PRId64 " x %" PRId64, in->rows, in->cols,
            out->rows, out->cols);
  const tg_grid *grid = in->grid;
  if (grid->size == 1) {
    transpose_local(alpha, in, beta, out);
    return TG_OK;
  }
  // A piece is one column of its class at least, which no rank owns more of than rank 0 does of all rows.
  const int64_t column = tg_layout_count(in->rows, in->block, 0, grid->rows);
  const int64_t local = column * tg_layout_count(in->cols, in->block, 0, grid->cols);
  const int64_t largest = local < PIECE_ENTRIES ? local : PIECE_ENTRIES;
  double *buffers[2];
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_SEND, largest > column ? largest : column, &buffers[0]));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_RECEIVE, largest > column ? largest : column, &buffers[1]));
  for (int step = 0; step < grid->size; step++) TG_TRY(exchange_step(in, step, buffers, alpha, beta, out));
  return TG_OK;
}

tg_status tg_dmat_symmetrise(tg_workspace *workspace, tg_dmat *m)
{
  const tg_grid *grid = m->grid;
  tg_dmat copy;
  double *room = NULL;
  TG_ASSERT(m->rows == m->cols);
  if (grid->size == 1) {
    symmetrise_local(m);
    return TG_OK;
  }
  TG_TRY(
      tg_workspace_reserve(workspace, TG_SLOT_TURNED, tg_dmat_most_entries(grid, m->rows, m->cols, m->block), &room));
  tg_dmat_view(grid, m->rows, m->cols, m->block, room, &copy);
  TG_TRY(tg_dmat_copy(m, &copy));
  return tg_dmat_transpose_add(workspace, 0.5, &copy, 0.5, m);
}

tg_status tg_dmat_transpose(tg_workspace *workspace, double alpha, const tg_dmat *in, tg_dmat *out)
{
  return tg_dmat_transpose_add(workspace, alpha, in, 0, out);
}
