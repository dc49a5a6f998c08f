// What the families of hand-written objectives share: irregular numbers, symmetric matrices with known eigenvalues.
#ifndef HAND_TOOLS_H
#define HAND_TOOLS_H

#include "support/hand_problem.h"

int64_t hand_size(const hand_problem *problem);
// Numbers in (-1, 1) that look irregular and are the same everywhere.
double hand_wobble(int64_t i);
double hand_dot(int64_t n, const double *x, const double *y);
// out (n x n) := Q diag(lambda) Q',  Q = I - 2 v v' / <v, v>,  v = (1, 2, ..., n)
void hand_reflect_diagonal(int64_t n, const double *lambda, double *out);
void hand_start_zeros(const hand_problem *problem, double *x);
void hand_start_wobbly(const hand_problem *problem, double *x);

// The families.
extern const hand_objective hand_quadratics[];
extern const int hand_quadratics_count;
extern const hand_objective hand_polynomials[];
extern const int hand_polynomials_count;
extern const hand_objective hand_generals[];
extern const int hand_generals_count;

// A row of a family: its functions are named by family.
#define HAND_OBJECTIVE(label, family, n_rows, n_cols, row_degree, number, start_function, line_function, outcome, \
                       hard)                                                                                      \
  {                                                                                                               \
    .name = label, .n_blocks = 1, .rows = {n_rows}, .cols = {n_cols}, .degree = row_degree, .parameter = number,  \
    .set_up = set_up_##family, .start = start_function, .value = value_##family, .gradient = gradient_##family,   \
    .line = line_function, .hessian = hessian_##family, .expected = outcome, .is_hard = hard                      \
  }

#endif
