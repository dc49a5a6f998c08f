// Kinks of a sum: f = rest + sum_k sum_ij max(low_k t, high_k t), t the entries of an affine function of the variables.
#ifndef TG_GRAD_KINKS_H
#define TG_GRAD_KINKS_H

#include "grad/graph/graph.h"

enum { TG_KINKS_MAX = 32 };

// The slopes of w norm1(E) are -w and w, those of w sum(relu(E)) are 0 and w; terms in E and -E are one kink.
typedef struct tg_kink {
  tg_node inside; // E, with the weights in it: W.*E
  tg_node weight; // W of sum(W.*abs(E)), for which no entry of W may be negative; TG_NONE: a number
  double low;
  double high;
} tg_kink;

// Adds a kink to so many; one more of the same or the opposite inside. TG_LIMIT above TG_KINKS_MAX.
tg_status tg_kinks_add(tg_graph *graph, tg_kink kink, tg_kink *kinks, int *n_kinks);
// Adds the kinks among the terms of f to those given: terms w norm1(E), w sum(relu(E)) with a positive number w,
// numbers of the symbols in w given by values where is_known, sum(W.*abs(E)) and sum(W.*relu(E)) with a constant W, and
// E affine in the symbols wrt[0..n) and dependent on one of them. *rest is f without them.
tg_status tg_kinks_split(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const double *values,
                         const bool *is_known, tg_kink *kinks, int *n_kinks, tg_node *rest);
// Whether f holds singular vectors of an expression in wrt[0..n): polar_factor jumps where a singular value vanishes,
// leading_dyad where the largest two meet, and towards these points the gradient grows without bound although f does
// not.
tg_status tg_kinks_find_jumps(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, bool *out);

#endif
