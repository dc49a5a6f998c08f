// The inverse of a whole Hessian of few unknowns.
#ifndef TG_ENGINE_COVARIANCE_WHOLE_H
#define TG_ENGINE_COVARIANCE_WHOLE_H

#include "engine/sensitivity/minimum.h"

// By variable: whether it lives among symmetric matrices. To be freed. Local.
tg_status tg_covariance_symmetric_flags(const tg_task *task, bool **out);
// diagonal := that of the inverse of the Hessian in the space of the equation, entry by entry, and the logarithm of its
// determinant there; a Hessian that is not positive definite is refused in `at`. n Hessian actions, a Cholesky
// factorisation n x n. Collective.
tg_status tg_covariance_invert_whole(tg_minimum *at, opt_point *diagonal, double *logdet);

#endif
