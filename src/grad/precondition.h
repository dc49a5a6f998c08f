// Preconditioners read off the Hessian action of a quadratic, as expressions.
#ifndef TG_GRAD_PRECONDITION_H
#define TG_GRAD_PRECONDITION_H

#include "grad/closed_form.h"

// The quadratic that stands for f where a preconditioner is made: f itself up to degree 2; else 1/2 sum_k <X_k,
// H_kk(0)[X_k]> with the Hessian of each variable at zero, where f is smooth in the entries there. For losses whose
// curvature is largest at zero (logistic) that is an upper bound (D. Boehning, B. Lindsay, Ann. Inst. Stat. Math. 40,
// 1988). TG_NONE where there is none: an inverse, a determinant, a kink, or nothing of second order.
tg_status tg_precondition_model(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out);

// The diagonal of H, of the variable's shape: sum_k c_k diag(L_k) diag(R_k)' + sum of c L .* R over terms L V' R.
// Diagonals of products come from row sums, nothing larger than the factors is formed. TG_NONE without an operator.
tg_status tg_precondition_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// The terms L V R of H to choose dominant ones from, at most `room`: groups with a positive coefficient whose factors
// are symmetric. Which of them dominate is a matter of numbers: tr(L) tr(R) is the sum of a term's eigenvalues.
tg_status tg_precondition_terms(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, int32_t *n_out,
                                tg_closed_group *out);

#endif
