// Reductions in a fixed order, inside a rank and across ranks.
#include "mpi/reduce.h"

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
static double dot_segment(const double *a, const double *b, int64_t count)
{
  double sums[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++) sums[lane] += a[i + lane] * b[i + lane];
  for (int lane = 0; i + lane < count; lane++) sums[lane] += a[i + lane] * b[i + lane];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

double tg_reduce_local_dot(const tg_dmat *a, const tg_dmat *b)
{
  // A dense local part is one long column, so that short columns do not mean short sums.
  const bool dense = a->ld == a->local_rows && b->ld == b->local_rows;
  const int64_t rows = dense ? a->local_rows * a->local_cols : a->local_rows;
  const int64_t per_column = (rows + TG_SEGMENT_ROWS - 1) / TG_SEGMENT_ROWS;
  const tg_segments s = tg_segments_make(per_column * (dense ? 1 : a->local_cols));
  double partials[TG_REDUCE_CHUNKS];
#pragma omp parallel for schedule(static) if (a->local_rows * a->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t k = 0; k < s.chunks; k++) {
    double sum = 0;
    for (int64_t piece = tg_segments_begin(&s, k); piece < tg_segments_begin(&s, k + 1); piece++) {
      const int64_t j = piece / per_column;
      const int64_t i = piece % per_column * TG_SEGMENT_ROWS;
      const int64_t rest = rows - i;
      sum += dot_segment(a->data + i + j * a->ld, b->data + i + j * b->ld,
                         rest < TG_SEGMENT_ROWS ? rest : TG_SEGMENT_ROWS);
    }
    partials[k] = sum;
  }
  return tg_reduce_pairwise(partials, s.chunks);
}

tg_status tg_reduce_sum(const tg_grid *grid, int n, const double *partials, double *totals)
{
  double column[TG_REDUCE_BATCH];
  for (int begin = 0; begin < n; begin += TG_REDUCE_BATCH) {
    const int count = n - begin < TG_REDUCE_BATCH ? n - begin : TG_REDUCE_BATCH;
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
