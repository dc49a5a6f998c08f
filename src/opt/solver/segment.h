// Search along a feasible segment x + t d, 0 < t <= 1: what the solvers for convex sets have in common.
#ifndef OPT_SEGMENT_H
#define OPT_SEGMENT_H

#include "opt/solver.h"

// On a polynomial objective moves to its minimiser on 0 < t <= longest; else from t = first on shortened until f falls
// enough (opt_nonmonotone_search with nothing allowed). A segment without such a point leaves x and a verdict with its
// reason; `where` completes it: "along the feasible direction".
tg_status opt_segment_minimise(opt_ray *ray, double first, double longest, const char *where, opt_verdict *verdict);

#endif
