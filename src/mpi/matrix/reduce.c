// Reductions in a fixed order, inside a rank and across ranks.
#include "mpi/matrix/reduce.h"

double tg_reduce_pairwise(double *values, int64_t count)
{
  if (count == 0) return 0;
  while (count > 1) {
    const int64_t half = (count + 1) / 2;
    for (int64_t i = 0; i < count - half; i++) values[i] += values[half + i];
    count = half;
  }
  return values[0];
}

tg_segments tg_segments_make(int64_t count)
{
  return (tg_segments){.count = count, .chunks = count < TG_REDUCE_CHUNKS ? count : TG_REDUCE_CHUNKS};
}

int64_t tg_segments_begin(const tg_segments *segments, int64_t chunk)
{
  // count / chunks pieces each, the first count % chunks chunks take one more; no product that could overflow
  const int64_t each = segments->count / segments->chunks;
  const int64_t extra = segments->count % segments->chunks;
  return chunk * each + (chunk < extra ? chunk : extra);
}

// Eight independent sums: fast on any vector unit, and the same order whatever the alignment of a and b.
double tg_reduce_run_dot(const double *a, const double *b, int64_t count)
{
  double sums[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++) sums[lane] += a[i + lane] * b[i + lane];
  for (int lane = 0; i + lane < count; lane++) sums[lane] += a[i + lane] * b[i + lane];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// A piece of a column, or of a local part that counts as one long column: one with gaps between its columns, which the
// memory of a caller may have, goes through `room`.
static const double *piece_of(const tg_dmat *m, bool is_long, int64_t i, int64_t j, int64_t count, double *room)
{
  if (!is_long || m->ld == m->local_rows) return m->data + i + j * m->ld;
  tg_dmat_copy_run(m, i, count, room);
  return room;
}

// Pieces of 8 KiB stay in the cache while all pairs that read them are served.
void tg_reduce_local_dots(int n, const tg_dmat *const *a, const tg_dmat *const *b, double *out)
{
  const int64_t local_rows = a[0]->local_rows;
  const int64_t local_cols = a[0]->local_cols;
  // A dense local part is one long column, so that short columns do not mean short sums.
  const bool dense = tg_dmat_is_long(local_rows);
  const int64_t rows = dense ? local_rows * local_cols : local_rows;
  const int64_t per_column = (rows + TG_SEGMENT_ROWS - 1) / TG_SEGMENT_ROWS;
  const tg_segments s = tg_segments_make(per_column * (dense ? 1 : local_cols));
  double partials[TG_REDUCE_FUSED][TG_REDUCE_CHUNKS];
  TG_ASSERT(n >= 1 && n <= TG_REDUCE_FUSED);
#pragma omp parallel for schedule(static) if (local_rows * local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t k = 0; k < s.chunks; k++) {
    double sums[TG_REDUCE_FUSED] = {0};
    for (int64_t piece = tg_segments_begin(&s, k); piece < tg_segments_begin(&s, k + 1); piece++) {
      const int64_t j = piece / per_column;
      const int64_t i = piece % per_column * TG_SEGMENT_ROWS;
      const int64_t count = rows - i < TG_SEGMENT_ROWS ? rows - i : TG_SEGMENT_ROWS;
      for (int d = 0; d < n; d++) {
        double room[2][TG_SEGMENT_ROWS];
        sums[d] += tg_reduce_run_dot(piece_of(a[d], dense, i, j, count, room[0]),
                                     piece_of(b[d], dense, i, j, count, room[1]), count);
      }
    }
    for (int d = 0; d < n; d++) partials[d][k] = sums[d];
  }
  for (int d = 0; d < n; d++) out[d] = tg_reduce_pairwise(partials[d], s.chunks);
}

double tg_reduce_local_dot(const tg_dmat *a, const tg_dmat *b)
{
  double out = 0;
  tg_reduce_local_dots(1, &a, &b, &out);
  return out;
}

tg_status tg_reduce_sum(const tg_grid *grid, int n, const double *partials, double *totals)
{
  double column[TG_GRID_BATCH];
  for (int begin = 0; begin < n; begin += TG_GRID_BATCH) {
    const int count = n - begin < TG_GRID_BATCH ? n - begin : TG_GRID_BATCH;
    for (int k = 0; k < count; k++) column[k] = partials[begin + k];
    TG_TRY_MPI(MPI_Allgather(column, count, MPI_DOUBLE, grid->scratch, count, MPI_DOUBLE, grid->comm));
    // Pairwise over the ranks, all sums of the batch side by side: row r holds rank r's numbers.
    for (int ranks = grid->size; ranks > 1;) {
      const int half = (ranks + 1) / 2;
      for (int64_t i = 0; i < (int64_t)(ranks - half) * count; i++)
        grid->scratch[i] += grid->scratch[(int64_t)half * count + i];
      ranks = half;
    }
    for (int k = 0; k < count; k++) totals[begin + k] = grid->scratch[k];
  }
  return TG_OK;
}
