// What the symbols reveal about an objective: degree, homogeneity, the quadratic operator, convexity.
#ifndef TG_GRAD_STRUCTURE_H
#define TG_GRAD_STRUCTURE_H

#include "grad/calculus.h"
#include "grad/structure/curvature.h"

// coef * scalars * left * V * right, V transposed or not: one term of a linear operator on matrices.
typedef struct tg_operator_term {
  double coef;
  tg_node scalars; // TG_NONE: none
  tg_node left;    // TG_NONE: identity
  tg_node right;   // TG_NONE: identity
  bool transposed; // acts on V'
} tg_operator_term;

// left * (weight .* inner(V)) * right: a term that a constant weights entry by entry, as in the Hessian of
// sumsq(W .* (A X B)): 2 A' ((W .* W) .* (A V B)) B'. Terms that differ in nothing but the weight are one.
typedef struct tg_weighted_term {
  tg_operator_term inner;
  tg_node weight;
  tg_node left;  // TG_NONE: identity
  tg_node right; // TG_NONE: identity
} tg_weighted_term;

typedef struct tg_structure {
  int degree;            // as a polynomial in X, -1: none
  bool homogeneous;      // f(tX) = t^k f(X) for t > 0
  double homogeneity;    // k
  bool has_operator;     // degree 2 and H[V] is a sum of the terms below
  const char *direction; // the name of V: one that f does not use
  int32_t n_terms;
  tg_operator_term *terms; // in the graph's memory
  bool has_weights;        // degree 2 and H[V] is a sum of the terms above and, some at least, of these
  int32_t n_weighted;
  tg_weighted_term *weighted; // in the graph's memory
  bool self_adjoint;          // every term's adjoint L' V R' is a term
  tg_curvature curvature;
  const char *reason; // of the curvature: a phrase
} tg_structure;

// Examines the scalar f as a function of the symbol wrt, the others held constant.
tg_status tg_structure_find(tg_graph *graph, tg_node f, int32_t wrt, tg_structure *out);

#endif
