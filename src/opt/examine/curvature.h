// Negative curvature by a few Lanczos steps from a random vector.
//
//     A = R H R,  R the projection of a subspace;  with a preconditioner the pencil A - theta M
//
// The least Ritz value is an upper bound of the least eigenvalue and comes near it within a few steps: after k of them
// it is off by more than a share e of the spread with a probability of at most 1.65 sqrt(n) exp(-sqrt(e) (2 k - 1)) (J.
// Kuczynski, H. Wozniakowski, SIAM J. Matrix Anal. Appl. 13, 1992). By Sylvester's law a definite preconditioner
// changes no sign. The Ritz vector comes from a second pass, so that three vectors are kept instead of all.
#ifndef OPT_CURVATURE_H
#define OPT_CURVATURE_H

#include "opt/examine/subspace.h"

// Points for the work, all different. `scaled` is NULL without a preconditioner.
typedef struct opt_krylov {
  opt_point *before;
  opt_point *now;
  opt_point *image;
  opt_point *scaled;
  opt_point *found;
} opt_krylov;

typedef struct opt_curvature {
  bool is_negative;
  double curvature; // of the direction in `found`: <v, H v> / <v, v>
  double largest;   // modulus of a Ritz value, in the preconditioner
} opt_curvature;

// At most `actions` Hessian actions, twice as many where the answer is yes: then found is the direction, of norm 1.
// Collective.
tg_status opt_curvature_find(const opt_subspace *s, const opt_krylov *work, int actions, opt_curvature *out);

// A curvature below this share of the largest is rounding.
extern const double opt_curvature_flat;

#endif
