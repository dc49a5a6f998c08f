// The minimisation of a run: one, or the best of several from random starts (solver.restarts).
#ifndef TG_ENGINE_ATTEMPTS_H
#define TG_ENGINE_ATTEMPTS_H

#include "engine/state.h"

// Fills result, attempts and constraints of the engine, and leaves the point returned in setup->x. The best
// attempt is the one with the lowest objective, of those that meet the constraints where any does. max_iterations
// counts each attempt, time_limit all of them. Collective.
tg_status tg_attempts_minimise(tg_engine *engine, const opt_observer *observer);

#endif
