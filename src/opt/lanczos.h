// Quadratic forms of functions of the Hessian by Lanczos' method.
#ifndef OPT_LANCZOS_H
#define OPT_LANCZOS_H

#include "opt/newton_equation.h"

// *out := <z, log(H) z>, z in the space of the equation, by Gaussian quadrature (G. Golub, G. Meurant, Matrices,
// Moments and Quadrature, 2010), until it changes by at most tolerance |z|^2. The preconditioner is not used. Where the
// verdict is not SOLVED *out is of no use. Collective.
tg_status opt_lanczos_log(const opt_newton_equation *by, const opt_point *z, double tolerance, int64_t steps,
                          double *out, opt_newton_verdict *verdict);

#endif
