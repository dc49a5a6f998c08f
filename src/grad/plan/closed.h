// A closed form, or a preconditioner that is made like one, as plain data beside the plan: which matrices are
// factorised, how, and what that gives. No nodes, no numbers of matrices, no processes. mpi/factor/direct.h executes
// it, closed_cost.h prices it.
//
// H[V] = sum_k c_k L_k V R_k with symmetric factors, V rows x cols. Either one term by two Cholesky factorisations, or
// any number whose factors on each side become diagonal together, by symmetric eigenproblems.
#ifndef TG_GRAD_CLOSED_H
#define TG_GRAD_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

enum { TG_CLOSED_TERMS = 8, TG_CLOSED_POWERS = 5, TG_CLOSED_EXTRAS = 4, TG_CLOSED_STACK = 4 };

typedef enum tg_closed_kind {
  TG_CLOSED_NONE,
  TG_CLOSED_CHOLESKY, // H[V] = scale L V R: X = x - L^-1 g R^-1 / scale
  TG_CLOSED_SPECTRAL, // H[V] diagonal in the bases of two symmetric pencils
  TG_CLOSED_INVERSE,  // tr(S X) - scale logdet(X): X = scale S^-1
  // on X'X = I
  TG_CLOSED_EIGENVECTORS, // f = scale tr(X' A X N) + constant: X = eigenvectors of A, in the order of those of N
  TG_CLOSED_POLAR,        // f = <C, X> + constant: X = -U V' with C = U diag(s) V'
  TG_CLOSED_KINDS
} tg_closed_kind;

// The matrices of a side. CHOLESKY: BASE is the factor. SPECTRAL: T' METRIC T = I and T' BASE T = diag(t); without a
// metric T is orthogonal, without a base T = I. INVERSE: BASE of the left side is S. EIGENVECTORS: BASE is A (left), N
// (right). POLAR: BASE of the left side is C, rows x cols. What is not there is the identity.
//
// CHOLESKY with WIDE: the factor is RIDGE I + GAIN K'K, K = WIDE of fewer rows than columns, and BASE the smaller RIDGE
// I + GAIN K K', by which factor^-1 = (I - GAIN K' BASE^-1 K) / RIDGE (M. Woodbury, Princeton 1950). RIDGE and GAIN are
// 1 x 1. Without RIDGE the pseudo-inverse GAIN K' BASE^-2 K takes its place: X is the minimiser of least norm.
typedef enum tg_closed_part {
  TG_CLOSED_METRIC,
  TG_CLOSED_BASE,
  TG_CLOSED_WIDE,
  TG_CLOSED_RIDGE,
  TG_CLOSED_GAIN,
  TG_CLOSED_PARTS
} tg_closed_part;

// Left side first, then right.
enum { TG_CLOSED_MATRICES = 2 * TG_CLOSED_PARTS };

// SPECTRAL: H's eigenvalues are w(i,j) = sum_k left_k(s_i) right_k(t_j), polynomials in the eigenvalues of the sides;
// the coefficient of the term is in left.
typedef struct tg_closed_term {
  double left[TG_CLOSED_POWERS];
  double right[TG_CLOSED_POWERS];
} tg_closed_term;

// SPECTRAL, of a preconditioner: a term c L V R that the bases do not make diagonal. Only its diagonal in them counts.
typedef struct tg_closed_extra {
  double coef;
  bool has[2]; // L, R; else the identity
} tg_closed_extra;

typedef struct tg_closed_plan_side {
  bool has[TG_CLOSED_PARTS];
  int64_t wide_rows; // of WIDE
} tg_closed_plan_side;

typedef struct tg_closed_plan {
  tg_closed_kind kind;
  int64_t rows; // of the variable
  int64_t cols;
  double scale;
  tg_closed_plan_side sides[2]; // left, right
  int32_t n_terms;
  tg_closed_term terms[TG_CLOSED_TERMS];
  int32_t n_extras;
  tg_closed_extra extras[TG_CLOSED_EXTRAS];
} tg_closed_plan;

// EIGENVECTORS: whether the p extreme vectors of n are computed from the tridiagonal form, on one rank, or all of them.
enum { TG_CLOSED_GATHERED = 4000000 };
static inline bool tg_closed_takes_few(int64_t n, int64_t p)
{
  return 2 * p <= n && n * p <= TG_CLOSED_GATHERED;
}

#endif
