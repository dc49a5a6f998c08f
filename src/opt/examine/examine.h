// The examination of a point before it is called converged: what is left to gain, and whether it is a saddle.
//
// Where the Hessian action exists a gradient that vanishes is not believed alone. At most 12 steps of conjugate
// gradients estimate the decrease still to be had (decrease.h); where that is more than a share of f, the tolerance
// of the gradient is lowered and the run goes on. At most 20 Lanczos steps look for negative curvature (curvature.h)
// among the directions that the constraints leave (subspace.h); where f falls along one, x moves (leave.h). It also
// moves where a variable is zero and f depends on no other (a plateau).
#ifndef OPT_EXAMINE_H
#define OPT_EXAMINE_H

#include "opt/examine/leave.h"
#include "opt/examine/trend.h"
#include "opt/outcome.h"

typedef enum opt_finding {
  OPT_FINDING_MINIMUM,   // nothing against it
  OPT_FINDING_DECREASE,  // the tolerance was lowered: go on
  OPT_FINDING_FAR,       // the start was far away, and the tolerance refers to x now: go on
  OPT_FINDING_LEFT,      // x has moved away from a saddle
  OPT_FINDING_SADDLE,    // and x is not to move: run->reason says so
  OPT_FINDING_UNBOUNDED, // run->reason has the ray
} opt_finding;

// What an examination keeps from one to the next.
typedef struct opt_examiner {
  opt_run *run; // not owned
  void *state;  // of its solver, likewise
  opt_krylov work;
  opt_point *scratch; // of subspaces; on a manifold the Euclidean gradient
  int64_t saddles;    // left so far
  int64_t far_starts; // times that the tolerance was referred to where the run had come
  int64_t vanished;   // times that all terms of f seemed to vanish there together
  int64_t may_be_far; // and do again: nothing tells whether the minimum is zero
  double bend;        // a negative curvature along which f did not fall, the last one; 0: none
  int64_t passed_at;  // 1 + the iteration whose point was found to be a minimum last; 0: none
  double decrease;    // still to be had, as estimated last; NAN: never
  double rest;        // what rounding may hide of it, likewise
  double trend;       // what it may be by the gains so far, where the estimate is not sure; else 0
  double condition;   // of the Hessian in the preconditioner, likewise
  double reach;       // how far the step that takes the decrease is, as a share of x; 0: not known
  double start_size;  // |x| at the start
  opt_trend gains;    // of the run so far
} opt_examiner;

// Points that an examiner makes. Local.
int64_t opt_examiner_points(const opt_options *options, int degree, bool is_constrained);
// Makes them.
tg_status opt_examiner_create(opt_run *run, void *state, opt_examiner *e);
void opt_examiner_destroy(opt_examiner *e);
// What later examinations read of earlier ones.
tg_status opt_examiner_list(opt_examiner *e, opt_listing *listing);

// At a point whose gradient, computed from x itself, passes. Collective.
tg_status opt_examine(opt_examiner *e, opt_finding *out);
// At the end of a run whose tolerance was lowered: what it means, in outcome and reason. Local.
void opt_examiner_conclude(opt_examiner *e, opt_outcome *outcome);
// At each point of the run. Local.
void opt_examiner_follow(opt_examiner *e);
// Whether so much is left, as estimated, that the point is no minimum whatever its gradient says: a tenth of f or of
// what it has fallen, a thousandth where there may be much more. Local.
bool opt_examiner_doubts(const opt_examiner *e);
// " ..., but an estimated 3% of the objective remains ...", where that is so. Local.
void opt_examiner_qualify(opt_examiner *e);

#endif
