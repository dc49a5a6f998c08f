// Hand-written objectives on manifolds of matrices, each with its optimum known from its spectrum.
//
//     brockett     tr(X'A X N), N diagonal        the least eigenvalues of A against the largest of N
//     pca          tr(X'A X)                      the sum of the least eigenvalues of A
//     procrustes   -2 <M, X>                      minus twice the sum of the singular values of M
//     trace-ratio  tr(X'A X) / tr(X'B X)          the r at which the least eigenvalues of A - r B add up to 0
//     rayleigh     tr(X'A X), unit columns        columns times the least eigenvalue of A
#ifndef HAND_CURVED_H
#define HAND_CURVED_H

#include "opt/constraint.h"
#include "support/hand_problem.h"

typedef struct hand_curved {
  hand_objective objective;
  opt_constraint_kind kind;
} hand_curved;

int hand_curved_count(void);
const hand_curved *hand_curved_at(int index);
const hand_curved *hand_curved_find(const char *name);

// The optimum of the row, for any sizes: from the same spectra as the data (hand_curved_data).
double hand_curved_optimum(const char *name, int64_t n, int64_t p);
// A and B (n x n) or M (n x p) of the row; b may be NULL. N is diag(p, ..., 1).
void hand_curved_data(const char *name, int64_t n, int64_t p, double *a, double *b);

#endif
