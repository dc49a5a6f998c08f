// Sums of functions that share no unknown: f(X) = f_1(X e_1) + ... + f_n(X e_n), by the columns or the rows of X.
#ifndef TG_GRAD_GROUPS_H
#define TG_GRAD_GROUPS_H

#include "grad/graph/graph.h"

// Whether f is, for all values of the data, a sum over q = 1..*count of functions of the q-th group of unknowns: of
// each variable its q-th row where by_rows says so, else its q-th column. *count is 1 where f is not seen to fall apart
// like that; by_rows has n entries. Sizes must be numbers. No second derivative mixes two groups, so that a
// quasi-Newton estimate may be kept for each of them: A. Griewank, Ph. Toint, Numer. Math. 39 (1982).
tg_status tg_find_groups(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, int64_t *count,
                         bool *by_rows);

#endif
