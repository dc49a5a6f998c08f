// What a fit is judged by: a score, of the folds or of tune, at a point that was found.
#ifndef TG_ENGINE_SWEEP_SCORE_H
#define TG_ENGINE_SWEEP_SCORE_H

#include "engine/sensitivity/minimum.h"

// Whether the score can be evaluated, by the sizes and names alone: located in the spec's own text. `point` is the spec
// of a fit. Local.
tg_status tg_score_check(const tg_spec *point, const tg_excerpt *score);
// The score of setup->x on the fold of its job, or on all data: NAN where it is none, outside the domain of an inverse.
// Collective.
tg_status tg_score_evaluate(const tg_setup *setup, const tg_excerpt *score, double *out);
// The same at a minimum, and its derivatives by n numbers of the job, X moving along as the minimum does: one equation
// with the Hessian for all of them. Refused in `at` where the Hessian is singular. Collective.
tg_status tg_score_differentiate(tg_minimum *at, const tg_excerpt *score, int n, const int *numbers, double *out,
                                 double *slopes);

#endif
