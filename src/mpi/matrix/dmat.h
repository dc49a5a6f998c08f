// Block-cyclic dense matrix, compatible with a ScaLAPACK descriptor.
//
// Entry (i, j) of the global matrix lives on the process of grid row (i / block) mod P and grid column
// (j / block) mod Q, first block on process (0, 0). The local part is column-major with leading dimension ld.
#ifndef TG_MPI_DMAT_H
#define TG_MPI_DMAT_H

#include "mpi/matrix/grid.h"
#include "mpi/matrix/layout.h"

// Fewer entries than this are worked on by one thread: waking a team costs some microseconds, more than
// it saves on a few pages of memory.
enum { TG_PARALLEL_ENTRIES = 1 << 15 };

typedef struct tg_dmat {
  const tg_grid *grid; // not owned
  int64_t rows;        // global
  int64_t cols;
  int64_t block;
  int64_t local_rows; // mine; may be 0
  int64_t local_cols;
  int64_t ld;   // >= max(1, local_rows)
  double *data; // local_rows x local_cols, column-major, 64-byte aligned
  bool owns_data;
  int holders; // beside the first
} tg_dmat;

enum { TG_DMAT_GATHER_LIMIT = 1000000 };

// Zeroed matrix with the grid's block size. Local (no communication); agree before the next collective call.
tg_status tg_dmat_create(const tg_grid *grid, int64_t rows, int64_t cols, tg_dmat **out);
// The same with another block size. Operations on several matrices need equal block sizes unless they say otherwise.
tg_status tg_dmat_create_block(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block, tg_dmat **out);
// NULL is fine. One that is held more than once loses a holder. Local.
void tg_dmat_destroy(tg_dmat **matrix);
// One more holder of the same matrix, who destroys it as his own; nobody writes into it from then on. Local.
tg_dmat *tg_dmat_hold(tg_dmat *matrix);

// Leading dimension of a local part with so many rows: at least 1, padded for long columns. The same rule on
// every rank, so that a sender can compute a receiver's offsets.
int64_t tg_dmat_leading_dimension(int64_t local_rows);
// Whether such local parts are dense, so that sums run down all of their columns as one: by the number of rows alone,
// or the order of a sum would depend on whose memory it is in.
bool tg_dmat_is_long(int64_t local_rows);
// Copies `count` entries of the local part from entry `begin` on, numbered down its columns.
void tg_dmat_copy_run(const tg_dmat *matrix, int64_t begin, int64_t count, double *out);
// Entries that a matrix of this shape takes on this rank, padding included: ld * local_cols.
int64_t tg_dmat_local_entries(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block);
// The most that any rank takes: the same number on all ranks, for agreed allocations.
int64_t tg_dmat_most_entries(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block);
// A matrix over memory of the caller's with room for tg_dmat_local_entries numbers; the contents are kept. Local.
void tg_dmat_view(const tg_grid *grid, int64_t rows, int64_t cols, int64_t block, double *data, tg_dmat *out);

// The nine integers of a ScaLAPACK descriptor; TG_LIMIT when a size does not fit 32 bits. Local; all ranks
// judge alike.
tg_status tg_dmat_descriptor(const tg_dmat *matrix, int descriptor[9]);
// Same grid and same block size: local parts of equal shapes correspond entry by entry.
bool tg_dmat_is_aligned(const tg_dmat *a, const tg_dmat *b);
bool tg_dmat_same_shape(const tg_dmat *a, const tg_dmat *b);

// The whole matrix, column-major with leading dimension rows, on every rank: for tests and tiny results.
// TG_LIMIT above TG_DMAT_GATHER_LIMIT entries. Bits are copied, not added. Collective.
tg_status tg_dmat_gather_small(const tg_dmat *matrix, double *out);
// The columns [begin, end) of it alone, rows * (end - begin) numbers; at most INT_MAX of them. Collective.
tg_status tg_dmat_gather_columns(const tg_dmat *matrix, int64_t begin, int64_t end, double *out);
// The reverse: every rank holds all of `in` and takes its part. Local.
void tg_dmat_scatter_small(const double *in, tg_dmat *matrix);

#endif
