// Away from a saddle along a direction of negative curvature, and from a plateau.
#ifndef OPT_LEAVE_H
#define OPT_LEAVE_H

#include "opt/examine/curvature.h"

typedef enum opt_departure {
  OPT_DEPARTURE_NONE,     // f falls along neither sign by more than its rounding error
  OPT_DEPARTURE_MOVED,    // run->x is lower; f and g are recomputed there
  OPT_DEPARTURE_UNBOUNDED // f falls without end along it, which stays feasible; run->reason says so
} opt_departure;

// From run->x along work->found, of norm 1, and its opposite, whichever leads lower; the other points of work are
// overwritten. may_move: false asks only whether there is a way. Collective.
tg_status opt_leave(const opt_subspace *s, const opt_krylov *work, double curvature, bool may_move, opt_departure *out);

// Whether f falls along work->found, of norm 1, with this slope as far out as can be asked, on a ray that stays
// feasible; then *out is UNBOUNDED. Not on manifolds, which are bounded. Collective.
tg_status opt_leave_flat(const opt_subspace *s, const opt_krylov *work, double slope, opt_departure *out);

// Where variables of several are zero and f depends on no other while they are, as sumsq(A - U*V) at V = 0, x is one of
// many points of that value: the others move to random feasible ones, from which the zero variables may fall. Two
// points of work, before and now, serve. Collective.
tg_status opt_leave_plateau(opt_run *run, const opt_krylov *work, opt_departure *out);

#endif
