// Which solver and line search the options and the constraints mean, and what it keeps; `method: auto` of a job is
// decided before, by engine/strategy/strategize.c.
#ifndef OPT_RESOLVE_H
#define OPT_RESOLVE_H

#include "opt/solver.h"

// Whether method and line search of the options can serve a problem with this degree (-1: not a polynomial) and these
// calls; TG_UNSUPPORTED says what is missing. Local: for `check`, before any data is read.
tg_status opt_options_verify(const opt_options *options, int degree, bool has_hessian);
// Pairs that the options make l-bfgs keep: 10 where they leave it open.
int64_t opt_pairs(const opt_options *options);
// Pairs that pay where an iteration's value and gradient take so many flops, for points of so many numbers: what the
// caller who knows the flops puts for `memory: 0`. Depends on neither ranks nor machine. Local.
int64_t opt_automatic_pairs(double flops, double dimension);
// Points that opt_minimise makes besides x: what the memory forecast needs. One more where there is a preconditioner
// that is renewed and the observer saves. Local.
int64_t opt_working_points(const opt_options *options, int degree);
// The same under constraints; as without any where no solver serves them.
int64_t opt_constrained_points(const opt_options *options, int degree, const opt_traits *traits);
// The solver that method and constraints make, and the name of its line search ("none": its own rule). TG_UNSUPPORTED
// says what the constraints can have instead. Local.
tg_status opt_constrained_solver(const opt_options *options, const opt_traits *traits, const opt_solver **out);
// The method of the options that means this solver under constraints.
const char *opt_constrained_method(const opt_solver *solver);
tg_status opt_constrained_search(const opt_options *options, const opt_solver *solver, const char **out);
// Names that `auto` stands for with such a problem. Local.
const char *opt_resolved_method(const opt_options *options, int degree);
const char *opt_resolved_line_search(const opt_options *options, int degree);

// Whether the driver keeps a trial point, which after a move is the point before it: not along lines and parabolas,
// whose coefficients leave no doubt.
bool opt_keeps_trial(int degree);
// Whether the driver keeps the best point: f may rise by more than the rounding of one value, as the method is not
// monotone, or as a step is accepted within the noise of a search (opt_run_noise).
bool opt_keeps_best(const opt_solver *solver, int degree);
// Whether the driver keeps H d: of a quadratic, for all solvers that move along rays.
bool opt_keeps_hd(const opt_solver *solver, int degree);
// Whether the start needs a point of its own, for H x: where none of the others stands free.
bool opt_needs_spare(const opt_options *options, const opt_solver *solver, int degree);

#endif
