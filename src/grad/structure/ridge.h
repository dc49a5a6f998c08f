// The squares that a convex sum has beside everything else: f = rest + sum_k w_k sumsq(X_k).
#ifndef TG_GRAD_RIDGE_H
#define TG_GRAD_RIDGE_H

#include "grad/graph/graph.h"

// The largest c that the rules prove for f - c/2 sum_k |X_k|^2 to be convex in wrt[0..n): the least 2 w_k, where the
// rest is convex and every X_k has a w_k > 0; else 0. Then f - min f <= |grad f|^2 / (2 c) wherever f is finite (Y.
// Nesterov, Lectures on Convex Optimization, 2018, 2.1.3). Numbers of the symbols in w by `values` where is_known.
// Adds nodes to the graph.
tg_status tg_ridge_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                        const bool *is_known, double *out);

#endif
