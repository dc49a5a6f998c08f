// Minimisers in closed form: what the Hessian action of an objective in one variable allows to compute directly.
//
// A quadratic has H[V] = sum_k c_k L_k V R_k with constant factors. When the L_k are polynomials in one symmetric
// matrix, or a pair of them, and the R_k likewise, a change of basis on either side makes H diagonal; a single term
// needs two Cholesky factorisations only. G. Golub, C. Van Loan, Matrix Computations, 2013, sections 7.6 and 8.7; for A
// X + X B: R. Bartels, G. Stewart, Comm. ACM 15, 1972, in the symmetric case.
#ifndef TG_GRAD_CLOSED_FORM_H
#define TG_GRAD_CLOSED_FORM_H

#include "grad/plan/closed.h"
#include "grad/structure/structure.h"

// One side of the operator as expressions: the matrices of tg_closed_part, TG_NONE the identity.
typedef struct tg_closed_side {
  tg_node metric;
  tg_node base;
  tg_node wide;
  tg_node ridge;
  tg_node gain;
  tg_node whole; // with `wide`: the factor that the others stand for
} tg_closed_side;

// Why there is a closed form, or none. What the words need beside the form itself stands behind the code
// (closed_words.c).
typedef enum tg_closed_code {
  // there is one
  TG_CLOSED_WHY_ACTION,       // the Hessian action is the sum of the form's groups
  TG_CLOSED_WHY_INVERSE,      // the gradient of tr(S X) - scale logdet(X) vanishes at scale inv(S)
  TG_CLOSED_WHY_EIGENVECTORS, // on X'X = I
  TG_CLOSED_WHY_POLAR,        // on X'X = I
  // there is none
  TG_CLOSED_WHY_SEVERAL,  // counts[0] variables
  TG_CLOSED_WHY_CONSTANT, // the objective does not depend on the variable
  TG_CLOSED_WHY_LINEAR,   // it is linear in it
  TG_CLOSED_WHY_WEIGHTS,  // the Hessian action is not a sum of L V R
  TG_CLOSED_WHY_DEGREE,   // a polynomial of degree counts[0]
  TG_CLOSED_WHY_NOT_QUADRATIC,
  TG_CLOSED_WHY_TRANSPOSED,   // V' in the Hessian action
  TG_CLOSED_WHY_ASYMMETRIC,   // the factor `node` is not known to be symmetric
  TG_CLOSED_WHY_APART,        // the factors of counts[0] terms do not become diagonal together
  TG_CLOSED_WHY_NEGATIVE,     // the Hessian action has the coefficient `number`
  TG_CLOSED_WHY_RANK,         // the factor `node`, counts[0] square, has a rank of at most counts[1]
  TG_CLOSED_WHY_LOGDET_SIGN,  // logdet has the coefficient `number`
  TG_CLOSED_WHY_LOGDET_ALONE, // nothing else depends on the variable
  // there is none on X'X = I
  TG_CLOSED_WHY_SET_KIND,     // neither tr(X'AXN) nor linear
  TG_CLOSED_WHY_SET_CONSTANT, // the objective is constant on the set
  TG_CLOSED_WHY_SET_BOTH,     // a quadratic and a linear part
  TG_CLOSED_WHY_SET_APART,    // counts[0] terms that do not join
  TG_CLOSED_WHY_COUNT
} tg_closed_code;

typedef struct tg_closed_why {
  tg_closed_code code;
  tg_node node;
  double number;
  int64_t counts[2];
} tg_closed_why;

// CHOLESKY with one side only: f = sum_k w_k/2 |K_k X - B_k|^2 + constant, where it can be read so
// (closed_form_stack.c). For the right side it is the problem of X'.
typedef struct tg_closed_stack {
  int32_t n; // 0: none
  int side;
  tg_node weights[TG_CLOSED_STACK]; // w, 1 x 1
  tg_node factors[TG_CLOSED_STACK]; // K
  tg_node linear[TG_CLOSED_STACK];  // L = -w B: the gradient at X = 0 is the sum of K'L; TG_NONE: zero
} tg_closed_stack;

// A term with the factors of equal sides summed: coef * left * V * right, TG_NONE the identity.
typedef struct tg_closed_group {
  double coef;
  tg_node left;
  tg_node right;
  bool is_fit; // of a preconditioner: stands in for a weighted term, which is no product L V R
} tg_closed_group;

typedef struct tg_closed_form {
  tg_closed_kind kind;
  tg_closed_side sides[2]; // left, right
  double scale;
  int32_t n_terms; // SPECTRAL
  tg_closed_term terms[TG_CLOSED_TERMS];
  tg_closed_stack stack;
  bool is_proved; // the factors are positive definite by declaration or construction
  int32_t symbol; // of the variable
  int32_t n_groups;
  const tg_closed_group *groups; // the terms that the form was read off; in the graph's memory
  tg_closed_why why;
} tg_closed_form;

// nodes[0..TG_CLOSED_MATRICES): the expressions of both sides in the order of tg_closed_part, TG_NONE for none.
void tg_closed_form_nodes(const tg_closed_form *form, tg_node *nodes);
// What is to be made of their values: plain data. Sizes must be known. Local.
tg_status tg_closed_form_plan(const tg_graph *graph, const tg_closed_form *form, tg_closed_plan *out);
// "because the Hessian action is ...", "no closed form: ...".
void tg_closed_form_explain(tg_graph *graph, const tg_closed_form *form, tg_text *out);

// The untransposed operator terms in as few groups as summing over equal left or right factors gives. *out is in the
// graph's memory; scalar symbols stand in the factors. n_out = 0 without an operator.
tg_status tg_closed_groups(tg_graph *graph, const tg_structure *structure, int32_t wrt, int32_t *n_out,
                           tg_closed_group **out);

// The closed form, in the variable `symbol`, of the operator that is the sum of groups[0..n): CHOLESKY for one,
// SPECTRAL for more, NONE with a reason. The groups must last as long as the form.
tg_status tg_closed_form_of_groups(tg_graph *graph, int32_t symbol, int32_t n, const tg_closed_group *groups,
                                   tg_closed_form *out);

// Recognises the closed form of min f over the symbols wrt[0..n). f without one is no failure: kind NONE with a reason.
// Whether factors that are not proved definite are so is left to the numbers.
tg_status tg_closed_form_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_closed_form *out);

// The operator of f with the numbers values[k], by symbol where known[k], and its terms apart: SPECTRAL where bases
// make it diagonal whatever these numbers are, such as those of X'X for X'X + lambda I. NONE: elsewhere
// (closed_form_apart.c). Adds nodes to the graph. Local.
tg_status tg_closed_form_find_apart(tg_graph *graph, tg_node f, int32_t wrt, const double *values, const bool *known,
                                    tg_closed_form *out);

// The gradient at X = 0.
tg_status tg_closed_linear_term(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// f = <linear, X> + coef logdet(X) + constants: the two parts, *linear of the symmetric part where X is symmetric.
// *coef = 0 where f is something else.
tg_status tg_closed_read_logdet(tg_graph *graph, tg_node f, int32_t wrt, double *coef, tg_node *linear);

// The same for min f over the matrices wrt, n x p, with X'X = I (closed_form_orthonormal.c). EIGENVECTORS, POLAR, or
// NONE with a reason. n >= p is the caller's to check.
tg_status tg_closed_form_find_orthonormal(tg_graph *graph, tg_node f, int32_t wrt, tg_closed_form *out);

#endif
