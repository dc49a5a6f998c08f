// Whether f is convex or concave, by rules.
#ifndef TG_GRAD_CURVATURE_H
#define TG_GRAD_CURVATURE_H

#include "grad/graph/graph.h"

typedef enum tg_curvature {
  TG_CURVATURE_UNKNOWN,
  TG_CURVATURE_AFFINE,
  TG_CURVATURE_CONVEX,
  TG_CURVATURE_CONCAVE
} tg_curvature;

// What the rules prove of the scalar f as a function of the symbols wrt[0..n) together, the others held constant:
// convex functions of affine ones, nondecreasing convex ones of convex ones, sums with positive coefficients, norms,
// log-sum-exp, perspectives and entropies (S. Boyd, L. Vandenberghe, Convex Optimization, 2004, section 3.2). *reason
// is a phrase.
tg_status tg_curvature_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_curvature *out,
                            const char **reason);

// Whether every entry is proved to be positive, whatever its symbols are: exp(X), ones + X.^2, their sums and products.
bool tg_node_is_positive(const tg_graph *graph, tg_node node);
// The same of entries that are not negative: abs(X), softplus(X), X.^2.
bool tg_node_is_nonnegative(const tg_graph *graph, tg_node node);

#endif
