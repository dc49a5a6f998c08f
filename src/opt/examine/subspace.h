// The directions that may be taken at a point that is to be called stationary.
//
//     no constraint   all
//     a manifold      the tangent space
//     bounds          the entries off the bounds, and those at one whose multiplier is zero
//     convex sets     the linear part of v -> (P(x - a g + t v) - P(x - a g)) / t for a small t. The derivative of the
//                     projection P at x - a g projects onto the critical cone: the feasible directions along which f
//                     does not rise at first order (A. Haraux 1977; J. F. Bonnans, A. Shapiro, Perturbation Analysis of
//                     Optimization Problems, 2000, 4.4). With norm1 P is the proximal step, and zeros stay zeros.
//
// Where a multiplier is zero these directions make a cone: `admit` projects onto it, `restrict` onto its linear span.
#ifndef OPT_SUBSPACE_H
#define OPT_SUBSPACE_H

#include "opt/solver.h"

typedef enum opt_subspace_kind {
  OPT_SUBSPACE_ALL,
  OPT_SUBSPACE_TANGENT,
  OPT_SUBSPACE_BOUNDS,
  OPT_SUBSPACE_CONVEX
} opt_subspace_kind;

typedef struct opt_subspace {
  opt_run *run;
  opt_subspace_kind kind;
  opt_point *scratch;    // of CONVEX; left alone by the others
  double weak;           // BOUNDS: a multiplier up to this is zero
  double a;              // CONVEX, see above
  double length;         // CONVEX: |t v|
  double size;           // the length scale of x
  double residual;       // |g| within the span
  double gradient_scale; // |g| as the space has it, multipliers included
} opt_subspace;

// At run->x, whose gradient is run->g. CONVEX uses the scratch, which is another point than all v below. Collective.
tg_status opt_subspace_find(opt_run *run, opt_point *scratch, opt_subspace *out);
// v := its projection onto the span. Collective.
tg_status opt_subspace_restrict(const opt_subspace *s, opt_point *v);
// v := its projection onto the cone. Collective.
tg_status opt_subspace_admit(const opt_subspace *s, opt_point *v);
// v := its part in the directions along which f can fall at first order: of the entries at a bound those that -g pulls
// off it, however small their multipliers are beside others, which may have other units. Collective.
tg_status opt_subspace_release(const opt_subspace *s, opt_point *v);
// v := the gradient of f, norm1 included, within these directions. Collective.
tg_status opt_subspace_gradient(const opt_subspace *s, opt_point *v);
// Whether the cone is a linear space by construction. Local.
bool opt_subspace_is_linear(const opt_subspace *s);

#endif
