// What makes two runs the same minimisation: only between such may a checkpoint be handed on.
#ifndef TG_ENGINE_IDENTITY_H
#define TG_ENGINE_IDENTITY_H

#include "engine/problem/setup.h"
#include <jansson.h>

// The job as far as a resumed run must agree with it: objective, subject_to, variables, data, and the solver's options
// but for limits and tolerances. Known before any data file is opened. Local; the same on all ranks.
tg_status tg_identity_of_job(const tg_spec *spec, json_t **out);
// The data in the plan that come from files: their sizes, and a hash of their numbers that does not depend on the grid.
// Collective.
tg_status tg_identity_of_data(const tg_setup *setup, json_t **out);
// A hash of either. Local.
tg_status tg_identity_hash(const json_t *identity, uint64_t *out);
// Whether they are equal; else what differs first: "solver.method is "l-bfgs" in the checkpoint, "auto" now". Local.
bool tg_identity_equal(const json_t *saved, const json_t *now, tg_text *difference);

#endif
