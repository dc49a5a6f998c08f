// The points of a sweep: their order, and the spec of each.
//
// Points are numbered along a path on which neighbours differ by one step of one axis: the last axis runs fastest, and
// back again where the one before it has moved.
#ifndef TG_ENGINE_SWEEP_POINTS_H
#define TG_ENGINE_SWEEP_POINTS_H

#include "engine/spec.h"

// positions[0..n_axes) of point number `point`, 0 <= point < n_points. Local.
void tg_sweep_positions(const tg_sweep *sweep, int64_t point, int *positions);
// The axis of the folds; -1: there is none. Local.
int tg_sweep_fold_axis(const tg_sweep *sweep);
// A copy with lists of its own, without a sweep; texts and marks are shared. *out is to be destroyed, on failure too.
tg_status tg_sweep_copy_spec(const tg_spec *base, tg_spec **out);
// NULL is fine.
void tg_sweep_destroy_spec(tg_spec **spec);
// The base with the values of the point, as such a copy. Local.
tg_status tg_sweep_spec_at(const tg_spec *base, int64_t point, tg_spec **out);
// The same with the last value of each axis: another one on every axis that has several, but for the fold.
tg_status tg_sweep_spec_at_ends(const tg_spec *base, tg_spec **out);
// TG_NAME, located, where a swept number occurs neither in the objective nor in subject_to or a constraint. Local.
tg_status tg_sweep_check(const tg_spec *base);
// How to extrapolate the path to a point from n points before it, newest first: weights of the first few of them, whose
// number is returned. Those that lie on one line with it, along a number of data, by the polynomial through them in its
// logarithm where that exists; else the newest alone. Local.
int tg_sweep_weights(const tg_sweep *sweep, int64_t point, int n, const int64_t *before, double *weights);
// "lambda = 0.1, mu = 2". Local.
void tg_sweep_describe(const tg_sweep *sweep, int64_t point, tg_text *out);

#endif
