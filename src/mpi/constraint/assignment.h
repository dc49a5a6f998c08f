// The linear assignment problem on one rank: which permutation matrix has the least inner product with a cost matrix.
#ifndef TG_MPI_ASSIGNMENT_H
#define TG_MPI_ASSIGNMENT_H

#include <stdint.h>

#include "base/status.h"

// A dense cost matrix of this side takes 128 MiB on one rank.
enum { TG_ASSIGNMENT_SIDE_MAX = 4096 };

// TG_LIMIT where an n x n problem is too large for one rank. Local.
tg_status tg_assignment_check(int64_t n);

// Numbers that tg_assignment_solve works in.
int64_t tg_assignment_room(int64_t n);

// Rounds so many costs to 2^-40 of the largest: entries that are equal but for rounding errors, which depend on the
// number of ranks, become ties, and which of equally good assignments is found does not depend on it. Not where an
// entry is not finite. Local.
void tg_costs_round(int64_t count, double *cost);

// row_of[j], j < n: the row that column j takes, so that the sum of cost(row_of[j], j) is least. cost is n x n,
// column-major with leading dimension n; where an entry is not finite the answer is the identity, for no sum means
// anything. Room: tg_assignment_room numbers. Local; no allocation; O(n^3) in the worst case.
void tg_assignment_solve(int64_t n, const double *cost, double *room, int64_t *row_of);

#endif
