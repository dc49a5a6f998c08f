// norm1 of a variable in the objective: taken out of it for solvers that have a proximal step.
#ifndef TG_ENGINE_NORM1_SPLIT_H
#define TG_ENGINE_NORM1_SPLIT_H

#include "engine/model/model.h"

// Rewrites model->objective, before it is compiled. Of a nonnegative variable norm1(X) is sum(X), which is smooth.
// Else, where the method leaves the choice (auto) or has the step (barzilai-borwein, alternating), the term leaves the
// objective and its weight goes to variable->norm1, 0 for none; TG_UNSUPPORTED, located, where the variable's
// constraint has no such step. Other methods descend along a subgradient. Local.
tg_status tg_model_split_norm1(tg_task *task, tg_model *model);
// Whether any variable has a weight.
bool tg_model_has_norm1(const tg_task *task);

#endif
