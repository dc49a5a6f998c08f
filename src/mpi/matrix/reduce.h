// Sums over the ranks of a grid in a fixed order: the same configuration gives the same bits.
#ifndef TG_MPI_REDUCE_H
#define TG_MPI_REDUCE_H

#include "mpi/matrix/dmat.h"

// totals[k] = sum over ranks of partials[k], k < n, added pairwise in rank order: one allgather for every
// TG_GRID_BATCH of them, so callers batch several dots into one collective. The result is the same, bit by bit,
// on all ranks. partials == totals is allowed. Collective, no allocation.
tg_status tg_reduce_sum(const tg_grid *grid, int n, const double *partials, double *totals);

// My part of sum_ij a(i,j) b(i,j): fixed chunks, several accumulators inside, pairwise between, so that the
// value does not depend on how threads are scheduled nor on their number. Local. Shapes and blocks must be equal.
double tg_reduce_local_dot(const tg_dmat *a, const tg_dmat *b);
// The same for n <= TG_REDUCE_FUSED pairs of one shape, in one pass over memory, each with the bits it has alone.
enum { TG_REDUCE_FUSED = 8 };
void tg_reduce_local_dots(int n, const tg_dmat *const *a, const tg_dmat *const *b, double *out);

// sum_i a[i] b[i] of a run in one order, whatever its alignment. Local.
double tg_reduce_run_dot(const double *a, const double *b, int64_t count);

// Adds a run of `count` >= 0 numbers by pairs of halves: error O(log count). Overwrites values. Local.
double tg_reduce_pairwise(double *values, int64_t count);

// The fixed cutting of `count` pieces of work into at most TG_REDUCE_CHUNKS runs of consecutive pieces, one
// partial sum each: it depends on the count only.
enum { TG_SEGMENT_ROWS = 1024, TG_REDUCE_CHUNKS = 1024 };
typedef struct tg_segments {
  int64_t count;
  int64_t chunks; // 0 when there is nothing
} tg_segments;
tg_segments tg_segments_make(int64_t count);
// First piece of chunk k; chunk k ends where k + 1 begins.
int64_t tg_segments_begin(const tg_segments *segments, int64_t chunk);

#endif
