// Preconditioners read off the Hessian action of a quadratic, as expressions.
#ifndef TG_GRAD_PRECONDITION_H
#define TG_GRAD_PRECONDITION_H

#include "grad/structure/closed_form.h"

// The quadratic that stands for f where a preconditioner is made: f itself up to degree 2; else 1/2 sum_k <X_k,
// H_kk(0)[X_k]> with the Hessian of each variable at zero, where f is smooth in the entries there. For losses whose
// curvature is largest at zero (logistic) that is an upper bound (D. Boehning, B. Lindsay, Ann. Inst. Stat. Math. 40,
// 1988). TG_NONE where there is none: an inverse, a determinant, a kink, or nothing of second order.
tg_status tg_precondition_model(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out);

// That Hessian at another point than zero, points[k] the value of the variable wrt[k]: 1/2 sum_k <X_k,
// H_kk(points)[X_k]>, of degree 2 in the X_k, inside the domain of f: with inverses, determinants, logarithms and roots
// too. TG_NONE as above else, and where f is a quadratic itself.
tg_status tg_precondition_model_at(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_node *points,
                                   tg_node *out);

// Whether f has a function of the entries of the variable, alone, that is defined for some numbers only: a logarithm, a
// root, a negative power. Towards the border of the domain its second derivative grows without bound, so that the
// units of the entries are those of the point.
tg_status tg_precondition_has_border(const tg_graph *graph, tg_node f, int32_t wrt, bool *out);

// The diagonal of H, of the variable's shape: sum_k c_k diag(L_k) diag(R_k)' + sum of c L .* R over terms L V' R + sum
// of c (L .* J') Q (K' .* R) over weighted terms L (Q .* (J V K)) R. Diagonals of products come from row sums, nothing
// larger than the factors is formed. TG_NONE without an operator.
tg_status tg_precondition_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// The same of those terms of the sum f that have an operator, the others left out: squares of scalars such as
// (sum(X) - 1)^2, which add one direction to H.
tg_status tg_precondition_partial_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// Where H has weights, Q of L (Q .* (J V K)) R: what the diagonal of H says of them.
typedef enum tg_weights {
  TG_WEIGHTS_NONE,
  TG_WEIGHTS_DIAGONAL, // everything between diagonal factors: all of them stand in the diagonal of H
  TG_WEIGHTS_INSIDE    // between others, whose conditioning no diagonal mends
} tg_weights;
// nodes[0..*n_out): the weights, at most `room` of them.
tg_status tg_precondition_weights(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, tg_weights *out,
                                  int32_t *n_out, tg_node *nodes);

// The terms L V R of H to choose dominant ones from, at most `room`: groups with a positive coefficient whose factors
// are symmetric. Which of them dominate is a matter of numbers: tr(L) tr(R) is the sum of a term's eigenvalues.
//
// A weight Q takes part as the separable r c' / s of its row sums r, column sums c and their sum s, which turns Q .* Z
// into diag(r) Z diag(c) / s. Of all matrices of rank one it is the nearest to Q by I-divergence (L. Finesso, P.
// Spreij, Linear Algebra Appl. 416, 2006); with it H between any square J, K has the condition of Q ./ r c', whatever
// theirs is (a separable operator as preconditioner: P. Concus, G. Golub, SIAM J. Numer. Anal. 10, 1973). To r and c is
// added TG_WEIGHT_SHIFT of their mean, for rows and columns without weight. Such terms have is_fit set.
#define TG_WEIGHT_SHIFT 1e-6
tg_status tg_precondition_terms(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, int32_t *n_out,
                                tg_closed_group *out);
// The diagonal of H over that of the sum of all terms, stand-ins included, entry by entry: the least that M^-1 H
// spreads. TG_NONE without weights, or without a diagonal.
tg_status tg_precondition_mismatch(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// Whether L and R of the term are diagonal, so that it is a part of the diagonal of H alone.
bool tg_precondition_is_diagonal(const tg_graph *graph, const tg_closed_group *term);

#endif
