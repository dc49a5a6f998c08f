// Minimisers in closed form: what the Hessian action of an objective in one variable allows to compute directly.
//
// A quadratic has H[V] = sum_k c_k L_k V R_k with constant factors. When the L_k are polynomials in one symmetric
// matrix, or a pair of them, and the R_k likewise, a change of basis on either side makes H diagonal; a single term
// needs two Cholesky factorisations only. G. Golub, C. Van Loan, Matrix Computations, 2013, sections 7.6 and 8.7; for A
// X + X B: R. Bartels, G. Stewart, Comm. ACM 15, 1972, in the symmetric case.
#ifndef TG_GRAD_CLOSED_FORM_H
#define TG_GRAD_CLOSED_FORM_H

#include "grad/structure/structure.h"

enum { TG_CLOSED_TERMS = 8, TG_CLOSED_POWERS = 5, TG_CLOSED_STACK = 4 };

typedef enum tg_closed_kind {
  TG_CLOSED_NONE,     // why: the reason
  TG_CLOSED_CHOLESKY, // H[V] = scale L V R: X = x - L^-1 g R^-1 / scale
  TG_CLOSED_SPECTRAL, // H[V] diagonal in the bases of two symmetric pencils
  TG_CLOSED_INVERSE,  // tr(S X) - scale logdet(X): X = scale S^-1
  // on X'X = I
  TG_CLOSED_EIGENVECTORS, // f = scale tr(X' A X N) + constant: X = eigenvectors of A, in the order of those of N
  TG_CLOSED_POLAR         // f = <C, X> + constant: X = -U V' with C = U diag(s) V'
} tg_closed_kind;

// One side of the operator. CHOLESKY: `base` is the factor. SPECTRAL: T' metric T = I and T' base T = diag(t); without
// a metric T is orthogonal, without a base T = I. TG_NONE is the identity. INVERSE: `base` of side 0 is S.
// EIGENVECTORS: `base` is A (left), N (right). POLAR: `base` of side 0 is C, of the variable's shape.
//
// CHOLESKY with `wide`: the factor is ridge I + gain K'K, K = wide of fewer rows than columns, and `base` the smaller
// ridge I + gain K K', by which factor^-1 = (I - gain K' base^-1 K) / ridge (M. Woodbury, Princeton 1950). ridge and
// gain are 1 x 1. Without a ridge the pseudo-inverse gain K' base^-2 K takes its place: X is the minimiser of least
// norm.
typedef struct tg_closed_side {
  tg_node metric;
  tg_node base;
  tg_node wide;
  tg_node ridge;
  tg_node gain;
} tg_closed_side;

enum { TG_CLOSED_NODES = 10 };

// The term's factors as polynomials in the eigenvalues of the two sides; the coefficient is in left.
typedef struct tg_closed_term {
  double left[TG_CLOSED_POWERS];
  double right[TG_CLOSED_POWERS];
} tg_closed_term;

// CHOLESKY with one side only: f = sum_k w_k/2 |K_k X - B_k|^2 + constant, where it can be read so
// (closed_form_stack.c). For the right side it is the problem of X'.
typedef struct tg_closed_stack {
  int32_t n; // 0: none
  int side;
  tg_node weights[TG_CLOSED_STACK]; // w, 1 x 1
  tg_node factors[TG_CLOSED_STACK]; // K
  tg_node linear[TG_CLOSED_STACK];  // L = -w B: the gradient at X = 0 is the sum of K'L; TG_NONE: zero
} tg_closed_stack;

typedef struct tg_closed_form {
  tg_closed_kind kind;
  tg_closed_side sides[2]; // left, right
  double scale;
  int32_t n_terms; // SPECTRAL
  tg_closed_term terms[TG_CLOSED_TERMS];
  tg_closed_stack stack;
  bool is_proved;   // the factors are positive definite by declaration or construction
  char reason[512]; // "because ...", or why there is none
} tg_closed_form;

// A term with the factors of equal sides summed: coef * left * V * right, TG_NONE the identity.
typedef struct tg_closed_group {
  double coef;
  tg_node left;
  tg_node right;
  bool is_fit; // of a preconditioner: stands in for a weighted term, which is no product L V R
} tg_closed_group;

// The expressions of both sides, five each in the order above: what is to be evaluated.
void tg_closed_form_nodes(const tg_closed_form *form, tg_node *nodes);

// The untransposed operator terms in as few groups as summing over equal left or right factors gives. *out is in the
// graph's memory; scalar symbols stand in the factors. n_out = 0 without an operator.
tg_status tg_closed_groups(tg_graph *graph, const tg_structure *structure, int32_t wrt, int32_t *n_out,
                           tg_closed_group **out);

// The closed form of the operator that is the sum of groups[0..n): CHOLESKY for one, SPECTRAL for more, NONE with a
// reason.
tg_status tg_closed_form_of_groups(tg_graph *graph, int32_t n, const tg_closed_group *groups, tg_closed_form *out);

// Recognises the closed form of min f over the symbols wrt[0..n). f without one is no failure: kind NONE with a reason.
// Whether factors that are not proved definite are so is left to the numbers.
tg_status tg_closed_form_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_closed_form *out);

// The gradient at X = 0.
tg_status tg_closed_linear_term(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);

// f = <linear, X> + coef logdet(X) + constants: the two parts, *linear of the symmetric part where X is symmetric.
// *coef = 0 where f is something else.
tg_status tg_closed_read_logdet(tg_graph *graph, tg_node f, int32_t wrt, double *coef, tg_node *linear);

// The same for min f over the matrices wrt, n x p, with X'X = I (closed_form_orthonormal.c). EIGENVECTORS, POLAR, or
// NONE with a reason. n >= p is the caller's to check.
tg_status tg_closed_form_find_orthonormal(tg_graph *graph, tg_node f, int32_t wrt, tg_closed_form *out);

#endif
