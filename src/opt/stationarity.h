// How far a point is from stationary, in the units of the gradient, and how far it may be.
//
// Each variable (block of the point) is judged by itself, for their units may differ. Its measure r is
//     free                    |g|
//     on a manifold           |g|, g the Riemannian gradient
//     bounds, norm1           |d|, d the steepest descent into the set, less the subgradient of least norm: of g the
//                             entries that are free and those that -g pulls off their bound
//     other convex sets       |P(x - a g) - x| / a, P the projection, with the step a = |x| / |g|, as long as x itself
// The last does not grow with a and is |d| for short steps; a step as long as x resolves it to the rounding of g, and
// all four are multiplied by c s when f is multiplied by c and x by 1/s. Stationary is what has, in every variable,
//     r <= max(min(gradient_tolerance, cap) * reference, rounding)
// with reference the largest r met at points no higher than the start (that of the start alone where the domain of f
// has a border, as under logdet), and of the first order change of g from 0 to the start, H x, where that is larger: a
// run that starts at a solution knows its scale by that alone. On manifolds, where x is no tangent, and for a solver's
// own measure, a start from a file is compared with a random feasible point instead. rounding is that of r where it is
// what is left of a larger g, on manifolds and general sets; and beside other variables the r that changes f along all
// of x by no more than the rounding of what theirs have changed it by.
#ifndef OPT_STATIONARITY_H
#define OPT_STATIONARITY_H

#include "opt/solver.h"

// Local.
tg_status opt_stationarity_init(opt_run *run);
void opt_stationarity_fini(opt_run *run);

// r at x from g: norms and run->g_norm, their Euclidean norm together; or the solver's own measure. Collective.
tg_status opt_run_measure(opt_run *run);
// The same where run->g_norm may stand already: NAN if not.
tg_status opt_run_complete(opt_run *run);
// On a manifold, from the Euclidean gradient, before its tangent part is taken: rounding. Collective.
tg_status opt_run_note_rounding(const opt_run *run, const opt_point *g);
// The references, at the start and after a move. The first takes a Hessian action, at most. Collective.
tg_status opt_run_start_references(opt_run *run);
void opt_run_update_references(opt_run *run);
// Where the run came from so far away that its start says nothing of what is small here: the references are the
// measures of g and H x at x, and f_start is f, as if it began here. Not on manifolds. room is overwritten. Collective.
tg_status opt_run_refer_to_here(opt_run *run, opt_point *room);
// Raises the reference of variable b to a measure on the way to the current point. Local.
void opt_run_raise_reference(opt_run *run, int b, double norm);

// Where several variables pass together, raises the rounding of each to cover the rounding of f by the others. A
// variable that was brought to its solution in one step, from a start where the gradient by it vanished, has no
// reference of its own. Collective.
tg_status opt_run_find_rounding(opt_run *run);

// Local, from here on.
bool opt_run_is_stationary(const opt_run *run);
// What run->g_norm may be: of several variables a necessary condition, each of which must pass.
double opt_run_target(const opt_run *run);
// The largest share r / reference over the variables, and where it is.
double opt_run_share(const opt_run *run, int *where);
// What r of variable b may be.
double opt_run_target_of(const opt_run *run, int b);

tg_status opt_stationarity_list(opt_run *run, opt_listing *listing);

#endif
