// The half-steps of method: alternating: for each variable of a job the job in that variable alone, the others data.
#ifndef TG_ENGINE_ALTERNATING_H
#define TG_ENGINE_ALTERNATING_H

#include "engine/problem/setup.h"
#include "grad/plan/cost.h"

typedef struct tg_alternating tg_alternating;

// Compiles the objective in each variable alone and gives the solver of the blocks to setup->method; nothing with
// another method. setup is filled, and not owned. Collective.
tg_status tg_alternating_create(tg_setup *setup, tg_alternating **out);
// The run before has counted the products that creating it took: they are not counted again. NULL is fine. Local.
void tg_alternating_resume(tg_alternating *alternating);
// Bytes of the half-steps on the fullest rank: their plans, points and results, not their factorisations; 0 with
// another method. Local, no data.
tg_status tg_alternating_memory(const tg_task *task, const opt_options *options, const tg_cost_grid *grid, double *out);
// The variables and the executors of the half-steps. Local.
int tg_alternating_count(const tg_alternating *alternating);
const tg_exec *tg_alternating_exec(const tg_alternating *alternating, int k, const char **variable);
// NULL is fine. Local.
void tg_alternating_destroy(tg_alternating **alternating);

#endif
