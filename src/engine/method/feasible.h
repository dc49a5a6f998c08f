// The feasible set of a job: from `constraint:` of its variables to an opt_constraint.
#ifndef TG_ENGINE_FEASIBLE_H
#define TG_ENGINE_FEASIBLE_H

#include "engine/method/method.h"
#include "job/job.h"
#include "opt/problem.h"

// Whether the constraints the job names can be met: known to the solvers, of fitting shapes, of one geometry, with a
// method that serves it. TG_UNSUPPORTED or TG_SHAPE, located at the constraint or the key of `solver:`. Local.
tg_status tg_feasible_check(tg_job *job);
// Sets method, line search and their reason to what the constraints make of them; nothing without constraints, or with
// such as tg_feasible_check refuses. Local.
void tg_feasible_explain(tg_job *job, tg_method *method);
// Moves x into the set; NULL: everything. TG_VALUE, located, where it has no nearest feasible point. Collective.
tg_status tg_feasible_project(tg_job *job, const opt_constraint *constraint, opt_point *x);
// Points that the minimisation makes beside x with these options, under the job's constraints if it has any. Local.
int64_t tg_feasible_points(tg_job *job, const opt_options *options, int degree);
// Makes the set (NULL without constraints), gives it to the problem and moves the start x into it. set_data by position
// in job->data: the matrices that constraints name, which must outlive the set. TG_DATA, located, where their numbers
// leave no set, TG_VALUE where the start has no nearest feasible point. Collective.
tg_status tg_feasible_create(tg_job *job, const tg_grid *grid, tg_dmat *const *set_data, opt_problem *problem,
                             opt_point *x, opt_constraint **out);

#endif
