// The absolute values that a sum has outside everything else: f = smooth + sum_k w_k norm1(X_k).
#ifndef TG_GRAD_NORM1_H
#define TG_GRAD_NORM1_H

#include "grad/graph/graph.h"

// Takes the terms w norm1(X) out of f for the symbols X = wrt[0..n): weights[k] is the sum of their w, 0 for none.
// Only terms whose w is a positive number are taken, numbers of the symbols in w given by values where is_known;
// *smooth is the rest of f, which may hold other absolute values still.
tg_status tg_norm1_split(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                         const bool *is_known, double *weights, tg_node *smooth);

#endif
