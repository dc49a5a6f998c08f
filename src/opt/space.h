// The abstract space a solver works in: points are tuples of real matrices with the Frobenius inner product.
//
// Implemented on distributed matrices by src/mpi/space/space.c and on plain arrays by tests/support. A solver
// sees only these operations. Every operation is collective over the ranks that own the space, and every
// scalar it returns is the same on all ranks.
#ifndef OPT_SPACE_H
#define OPT_SPACE_H

#include <stdint.h>

#include "base/status.h"

typedef struct opt_point opt_point; // defined by the implementation
typedef struct opt_space opt_space;

typedef struct opt_space_ops {
  // The same status on all ranks: a failure where the local one is a failure on any of them.
  tg_status (*agree)(const opt_space *space, tg_status local);
  // New point, all zeros. destroy takes NULL.
  tg_status (*create)(const opt_space *space, opt_point **out);
  void (*destroy)(const opt_space *space, opt_point **point);
  tg_status (*copy)(const opt_space *space, const opt_point *source, opt_point *target);
  // y := a x + b y, one fused pass; b = 0 does not read y.
  tg_status (*axpby)(const opt_space *space, double a, const opt_point *x, double b, opt_point *y);
  // out[k] = <x[k], y[k]>, k < count: one reduction for all of them, in a fixed order.
  tg_status (*dots)(const opt_space *space, int count, const opt_point *const *x, const opt_point *const *y,
                    double *out);
  // The same over each group of entries by itself: out[k * n_groups + q] = <x[k], y[k]>_q. NULL without groups.
  tg_status (*group_dots)(const opt_space *space, int count, const opt_point *const *x, const opt_point *const *y,
                          double *out);
  // y := a[q] x + b[q] y in group q; b[q] = 0 does not read y. NULL without groups.
  tg_status (*group_axpby)(const opt_space *space, const double *a, const opt_point *x, const double *b, opt_point *y);
  // The same over each matrix of the point by itself: out[k * n_blocks + b] = <x[k], y[k]> in block b.
  tg_status (*block_dots)(const opt_space *space, int count, const opt_point *const *x, const opt_point *const *y,
                          double *out);
  // y := a[b] x + y in block b.
  tg_status (*block_axpy)(const opt_space *space, const double *a, const opt_point *x, opt_point *y);
  // y := a[b] y in block b.
  tg_status (*block_scale)(const opt_space *space, const double *a, opt_point *y);
  // x := x .* y and x := x ./ y, entry by entry.
  tg_status (*scale_entries)(const opt_space *space, const opt_point *y, opt_point *x);
  tg_status (*divide_entries)(const opt_space *space, const opt_point *y, opt_point *x);
  // Standard normal entries that depend on (seed, block, i, j) only.
  tg_status (*random)(const opt_space *space, uint64_t seed, opt_point *x);
} opt_space_ops;

struct opt_space {
  const opt_space_ops *ops;
  int n_blocks;      // matrices in a point
  int64_t dimension; // total number of entries
  int n_groups; // disjoint groups of entries of which f is a sum of functions, one of each; 1: f is not known to be
  void *self;   // of the implementation
};

#endif
