// The change of variables of a metric in numbers: S = L L', Q = inv(L') (engine/model/metric_change.h).
#ifndef TG_ENGINE_METRIC_CHANGE_NUMBERS_H
#define TG_ENGINE_METRIC_CHANGE_NUMBERS_H

#include "engine/problem/setup.h"

// Factorises the metrics and fills the Q of the plan. TG_DATA, located, where one is not positive definite. Collective.
tg_status tg_metric_change_fill(tg_setup *setup);
// What a metric of n rows keeps beside the Q of the plan: L', and S where the objective does not have it. Local.
double tg_metric_change_bytes(const tg_cost_grid *grid, int64_t n, bool is_shared);
// The start X becomes Y = L'X. Collective.
tg_status tg_metric_change_enter(const tg_setup *setup);
// x, of the variable, becomes Q x; as it is where the variable has no metric. Collective.
tg_status tg_metric_change_undo(const tg_setup *setup, int variable, tg_dmat *x);
// Y becomes X = Q Y; *violation = the largest |X'SX - I|, 0 without a metric. Collective.
tg_status tg_metric_change_leave(tg_setup *setup, double *violation);
// Local.
void tg_metric_change_destroy(tg_setup *setup);

#endif
