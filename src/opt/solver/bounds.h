// Faces of a set of bounds and steps that stay inside: what the solvers for bounds have in common.
//
// Every entry is free or at a bound. The free ones span the face of x; an entry at a bound that -g pulls inwards may be
// released. Steps go along a direction that moves nothing else. Where the step wanted is longer than the room there is,
// its projection P(x + t d) - x is taken as the direction, along which many bounds are met at once.
#ifndef OPT_BOUNDS_H
#define OPT_BOUNDS_H

#include "opt/solver.h"

// z := g in the free entries, with release also in those that may be released, else 0.
tg_status opt_bounds_face(const opt_run *run, bool release, opt_point *z);
// z likewise, released where the entries that may be weigh more than the free ones, |all|^2 > 2 |free|^2
// (proportioning: Z. Dostal, J. Schoeberl, Comput. Optim. Appl. 30 (2005)). Uses run->feasible.
tg_status opt_bounds_weigh(const opt_run *run, opt_point *z, bool *released);

// How a step ended.
typedef struct opt_bounds_step {
  opt_verdict verdict;
  const opt_point *along; // x moved by run->step times this
  bool met_bound;         // the face may be another one now
} opt_bounds_step;

// A step from x along d, slope = <g, d>, of the length `first` or so. Where there is room for it: along d, on a
// polynomial objective to the minimiser, else by a strong Wolfe search. Else along P(x + t d) - x, made in
// run->feasible, for the first t = first, first / 2, ... for which it descends a tenth as fast as t d; it does so at
// the latest when t d stays inside. With finds_face also for the first t at whose end, on a polynomial objective, f is
// lower by a quarter of what its minimiser on the way gains at least: there x goes to the end, to the bounds met. Uses
// line, advance and gradient of the problem as a ray does.
tg_status opt_bounds_move(opt_run *run, const opt_point *d, double slope, double d_norm, double first, bool finds_face,
                          opt_bounds_step *out);

#endif
