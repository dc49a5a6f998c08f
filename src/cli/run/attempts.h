// The minimisation of a run: one, or the best of several from random starts (solver.restarts).
#ifndef TG_CLI_ATTEMPTS_H
#define TG_CLI_ATTEMPTS_H

#include "cli/run/run.h"

// TG_UNSUPPORTED, located, where the starts of all attempts would be the same, or do not matter. Local.
tg_status tg_attempts_check(tg_job *job, const tg_method *method);
// Fills run->result, run->attempts and run->subject_report, and leaves the point returned in run->setup->x. The best
// attempt is the one with the lowest objective, of those that meet the constraints where any does. max_iterations
// counts each attempt, time_limit all of them. Collective.
tg_status tg_attempts_minimise(tg_run *run, const opt_observer *observer);
// [{"seeds": {"X": 1}, "status", "objective", "gradient_norm", "constraint_violation", "iterations"}], one an attempt;
// NULL when memory is short. Local.
json_t *tg_attempts_report(const tg_run *run);

#endif
