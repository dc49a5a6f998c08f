// How much f can still fall, by a few steps of conjugate gradients on the Newton equation.
//
//     H p = -g,    f(x) - f(x + p) = <g, H^-1 g> / 2 >= sum of <r_k, z_k>^2 / (2 <d_k, H d_k>) over the steps done
//
// The sum is what these steps would gain on the quadratic model (M. Hestenes, E. Stiefel 1952, theorem 6:1): a lower
// bound of half the squared Newton decrement (S. Boyd, L. Vandenberghe, Convex Optimization, 2004, 9.5), which it
// reaches when the steps have solved the equation.
#ifndef OPT_DECREASE_H
#define OPT_DECREASE_H

#include "opt/examine/curvature.h"

typedef struct opt_decrease {
  double amount;    // the sum
  double rest;      // what there may be at most, where rounding hides the least eigenvalues; else 0
  double condition; // of M^-1 H, as far as the steps show it; 1 at least
  double reach;     // how far the step is that takes it, roughly, in the norm of M
  bool is_sure;     // smaller eigenvalues than those met hold no more than is allowed, unless they are far smaller
  bool is_negative; // <d, H d> < 0 was met: d is in work->found, of norm 1, with this curvature
  double curvature;
  bool is_flat; // <d, H d> = 0 up to rounding was met: d is in work->found, of norm 1, with this slope
  double slope;
} opt_decrease;

// A condition so near 1/eps that the steps lose their way before they have met the least eigenvalue.
extern const double opt_decrease_hopeless;

// Takes at most 12 steps, and stops as soon as the sum, and what the conditioning may hide, is below `allowed`. A
// thorough look takes 12 at least and 32 at most. Collective.
tg_status opt_decrease_find(const opt_subspace *s, const opt_krylov *work, double allowed, bool is_thorough,
                            opt_decrease *out);

#endif
