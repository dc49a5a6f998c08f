// Whether a scalar is bounded below by zero, as a sum of squares is.
#ifndef TG_GRAD_NONNEGATIVE_H
#define TG_GRAD_NONNEGATIVE_H

#include "grad/graph/graph.h"

// *out: f >= 0 for all values of its symbols, by rules: sums, products and powers of what is, entries that are not
// negative (curvature.h), tr(Z' Z) and tr(Z' S Z) with S declared semidefinite, whatever Z is.
tg_status tg_nonnegative_find(tg_graph *graph, tg_node f, bool *out);

#endif
