// Eigenvalues of small symmetric matrices for oracles, in plain loops.
#ifndef TESTS_SUPPORT_JACOBI_H
#define TESTS_SUPPORT_JACOBI_H

#include <stdint.h>

// x := c x - s y, y := s x + c y of n entries, `step` apart.
void jacobi_rotate(int64_t n, double c, double s, double *x, double *y, int64_t step);
// The symmetric a becomes diagonal, the rotations are multiplied to q from the right.
void jacobi_diagonalise(int64_t n, double *a, double *q);

#endif
