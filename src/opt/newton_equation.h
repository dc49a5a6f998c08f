// The Newton equation H y = b where a minimisation ended: on the face of bounds, in the tangent space of a manifold, in
// the space of symmetric matrices, in a convex set, or in the whole space.
//
// On a convex set with the projection P a minimum is x = P(z), z = x - a g. Let D be the derivative of P at z, which is
// symmetric with eigenvalues from 0 to 1 (a projection where the set has faces alone). A change b of -g moves x by y
// with
//     y = D w,   D (I - D) / a w + D H D w = D b,
// where the first term is the curvature of the set under the multipliers: w is the change of z (A. Haraux 1977; J. F.
// Bonnans, A. Shapiro, Perturbation Analysis of Optimization Problems, 2000, 4.4). The system is symmetric and
// semidefinite. D v is the difference of two projections near z. Where P bends at z, because a multiplier is zero,
// there is no D: opt_newton_equation_bend tells.
#ifndef OPT_NEWTON_EQUATION_H
#define OPT_NEWTON_EQUATION_H

#include "opt/options.h"
#include "opt/problem.h"

// Where y lives.
typedef enum opt_tangents {
  OPT_TANGENTS_ALL,
  OPT_TANGENTS_FACE,     // entries that no bound holds
  OPT_TANGENTS_MANIFOLD, // with the Riemannian Hessian
  OPT_TANGENTS_LINEAR,   // the set is a linear subspace: its projection serves vectors as well
  OPT_TANGENTS_CONVEX    // any product of convex sets, by the derivative of its projection
} opt_tangents;

typedef struct opt_newton_equation {
  opt_problem *problem;
  const opt_constraint *constraint; // NULL: none
  opt_tangents tangents;
  const opt_point *x;                       // the problem's current point
  const opt_point *g;                       // the gradient there
  const opt_preconditioner *preconditioner; // NULL: none
  const opt_closed_form *closed_form;       // of a quadratic without constraint: M is H itself; NULL: none
  opt_point *z;                             // CONVEX, by opt_newton_equation_open: x - a g
  opt_point *room[2];                       // likewise
  double a;                                 // likewise
  double length;                            // likewise: how far from z the projections are
} opt_newton_equation;

typedef enum opt_newton_verdict {
  OPT_NEWTON_SOLVED,
  OPT_NEWTON_FLAT,      // a direction without curvature: H is singular
  OPT_NEWTON_NEGATIVE,  // a direction of negative curvature
  OPT_NEWTON_UNFINISHED // `iterations` did not suffice
} opt_newton_verdict;

typedef struct opt_newton_result {
  opt_newton_verdict verdict;
  double residual; // |b - H y| / |b|, the projected ones; 0 where b vanishes, of |H| |x| where b is rounding
  int64_t iterations;
} opt_newton_result;

// CONVEX: finds a and z, where x and g stand; to be closed in any case. Nothing for other spaces. Collective.
tg_status opt_newton_equation_open(opt_newton_equation *by);
void opt_newton_equation_close(opt_newton_equation *by);
// CONVEX: how much P bends at z along the change w that the solution y of b has made: |D+ w - D- w| / |y|, D+ and D-
// one-sided. Uses no point of the caller's. Collective.
tg_status opt_newton_equation_bend(const opt_newton_equation *by, const opt_point *b, const opt_point *y, double *out);
// v := its projection onto the space that y lives in; of CONVEX D v.
tg_status opt_newton_equation_project(const opt_newton_equation *by, opt_point *v);
// hv := P H v, P that projection and v in the space. Collective.
tg_status opt_newton_equation_apply(const opt_newton_equation *by, const opt_point *v, opt_point *hv);
// y := the solution by conjugate gradients up to a residual of tolerance |b|, b projected first; b is kept. Where the
// verdict is not SOLVED y is of no use. Collective.
tg_status opt_newton_equation_solve(const opt_newton_equation *by, const opt_point *b, double tolerance,
                                    int64_t iterations, opt_point *y, opt_newton_result *result);

#endif
