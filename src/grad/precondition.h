// Preconditioners read off the Hessian action of a quadratic, as expressions.
#ifndef TG_GRAD_PRECONDITION_H
#define TG_GRAD_PRECONDITION_H

#include "grad/closed_form.h"

// The diagonal of H, of the variable's shape: sum_k c_k diag(L_k) diag(R_k)' + sum of c L .* R over terms L V' R.
// Diagonals of products come from row sums, nothing larger than the factors is formed. TG_NONE without an operator.
tg_status tg_precondition_diagonal(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// The terms L V R of H to choose dominant ones from, at most `room`: groups with a positive coefficient whose factors
// are symmetric. Which of them dominate is a matter of numbers: tr(L) tr(R) is the sum of a term's eigenvalues.
tg_status tg_precondition_terms(tg_graph *graph, tg_node f, int32_t wrt, int32_t room, int32_t *n_out,
                                tg_closed_group *out);

#endif
