// The block-cyclic distribution of n indices over np processes, first block on process 0, as arithmetic. Local.
#ifndef TG_MPI_LAYOUT_H
#define TG_MPI_LAYOUT_H

#include <stdint.h>

// Number of rows (or columns) of n that process `p` of `np` owns, block-cyclic from process 0.
int64_t tg_layout_count(int64_t n, int64_t block, int p, int np);
// Global index of local index `local` on process `p` of `np`.
int64_t tg_layout_global(int64_t local, int64_t block, int p, int np);
// Owner process and local index of global index `global`.
int tg_layout_owner(int64_t global, int64_t block, int np);
int64_t tg_layout_local(int64_t global, int64_t block, int np);

#endif
