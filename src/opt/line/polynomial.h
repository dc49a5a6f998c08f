// Polynomials in one variable: values, real roots, the minimiser on the positive half-line.
//
// Coefficients stand from low to high: p(t) = c[0] + c[1] t + ... + c[degree] t^degree, degree <= OPT_DEGREE_MAX.
#ifndef OPT_POLYNOMIAL_H
#define OPT_POLYNOMIAL_H

#include "opt/problem.h"

// p(t), and p'(t) where slope is not NULL. Horner's scheme.
double opt_polynomial_value(int degree, const double *c, double t, double *slope);

// The distinct real roots in [lower, upper], ascending; roots has room for degree of them. Returns their number.
//
// The roots of p' cut the interval into pieces on which p is monotone; each piece with a change of sign holds one
// root, found by Newton's method kept inside a shrinking bracket. The roots of p' come the same way, from p'' and so
// on. A root of even multiplicity is a root of p' where |p| is below the rounding error of its evaluation. Accuracy:
// a simple root to a few ulps of its condition, a root of multiplicity m to about eps^(1/m). The zero polynomial has
// no roots.
int opt_polynomial_roots(int degree, const double *c, double lower, double upper, double *roots);

typedef enum opt_polynomial_shape {
  OPT_POLYNOMIAL_MINIMUM, // attained at t
  OPT_POLYNOMIAL_FALLING, // no lower bound for t -> infinity
  OPT_POLYNOMIAL_FLAT     // p does not fall on t > 0
} opt_polynomial_shape;

// The global minimiser of p on t > 0, for c[1] < 0 (else FLAT unless p falls further out); *rise = p(t) - p(0), formed
// without c[0], so that it does not drown in c[0]'s rounding. Where errors is not NULL, c[k] is known to within
// errors[k], k > 1, and p stands for the highest of the polynomials that it may be: at *t all of them have fallen by
// -*rise at least, and FALLING is said of all. A distant minimum of coefficients that are rounding is none of it.
//
// A negative leading coefficient means FALLING, except where its term is at rounding level (1e-12 of the sum of
// moduli) at a minimum of the rest: the coefficients are computed numbers, and a zero may come as -1e-20.
opt_polynomial_shape opt_polynomial_minimise(int degree, const double *c, const double *errors, double *t,
                                             double *rise);
// p(t) - p(0), without c[0].
double opt_polynomial_rise(int degree, const double *c, double t);

// The minimiser of p on 0 <= t <= longest, longest finite; errors and *rise as above, 0 at t = 0.
void opt_polynomial_minimise_within(int degree, const double *c, const double *errors, double longest, double *t,
                                    double *rise);

#endif
