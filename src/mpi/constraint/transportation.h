// The transportation problem on one rank: which nonnegative matrix with given row and column sums has the least inner
// product with a cost matrix.
#ifndef TG_MPI_TRANSPORTATION_H
#define TG_MPI_TRANSPORTATION_H

#include <stdint.h>

#include "base/status.h"

// Dense matrices of costs and flows of this side take 64 MiB on one rank.
enum { TG_TRANSPORTATION_SIDE_MAX = 2048 };

// TG_LIMIT where an m x n problem is too large for one rank. Local.
tg_status tg_transportation_check(int64_t m, int64_t n);

// Numbers that tg_transportation_solve works in.
int64_t tg_transportation_room(int64_t m, int64_t n);

// flow := a matrix with the row sums supply[m] and the column sums demand[n], nonnegative and of equal totals up to
// rounding, with the least <cost, flow>. cost and flow are m x n, column-major with leading dimension m; where a cost
// is not finite flow is zero, for no sum means anything. Exact in the costs where they are multiples of one unit, as
// tg_costs_round leaves them; sums hold to rounding. Room: tg_transportation_room numbers. Local; no allocation; some
// m + n searches of O(m n) operations each.
void tg_transportation_solve(int64_t m, int64_t n, const double *cost, const double *supply, const double *demand,
                             double *room, double *flow);

#endif
