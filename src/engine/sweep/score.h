// What a fit is judged by: the score of the folds, at a point that was found.
#ifndef TG_ENGINE_SWEEP_SCORE_H
#define TG_ENGINE_SWEEP_SCORE_H

#include "engine/problem/setup.h"

// Whether the score can be evaluated, by the sizes and names alone: located in the spec's own text. Local.
tg_status tg_score_check(const tg_spec *base);
// The score of setup->x on the fold of its job: NAN where it is none, outside the domain of an inverse. Collective.
tg_status tg_score_evaluate(const tg_setup *setup, double *out);

#endif
