// Which variables start randomly because the form says that nothing would move them from zero.
#ifndef TG_ENGINE_DEFAULT_START_H
#define TG_ENGINE_DEFAULT_START_H

#include "engine/model/model.h"

// Variables whose start the job leaves open, and by which the gradient of f vanishes where they are zero: the factors
// of sumsq(M - U*V), X of sumsq(X*X' - S), L of logdet(L*L' + D) + tr(R*inv(L*L' + D)). Zero is no start for them,
// unless f is convex in them or a quadratic without constraints, whose curvature is looked at anyway. variable->start
// becomes NORMAL, or UNIFORM where the constraint has no negative entries, and variable->start_is_chosen is set. Local.
tg_status tg_default_start_choose(tg_task *task, tg_model *model);
// "U and V at random, scaled to the data: ..." for the header; nothing where none was chosen.
void tg_default_start_print(const tg_task *task, const char *label, tg_text *out);

#endif
