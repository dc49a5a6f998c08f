// The feasible set of a job: from `constraint:` of its variables to an opt_constraint.
#ifndef TG_ENGINE_FEASIBLE_H
#define TG_ENGINE_FEASIBLE_H

#include "engine/task.h"
#include "mpi/matrix/dmat.h"
#include "opt/constraint.h"
#include "opt/problem.h"

// Whether the constraints the job names can be met: of fitting shapes, of geometries that go together. TG_UNSUPPORTED
// or TG_SHAPE, located at the constraint. Whether a method serves them, the strategy says. Local.
tg_status tg_feasible_check(const tg_task *task);
// The set of one variable, with the numbers of the job; those of matrices are not known yet. TG_SHAPE, located. Local.
tg_status tg_feasible_read(const tg_task *task, const tg_task_variable *variable, opt_constraint_block *out);
// Moves x into the set; NULL: everything. TG_VALUE, located, where it has no nearest feasible point. Collective.
tg_status tg_feasible_project(const tg_task *task, const opt_constraint *constraint, opt_point *x);
// Points that the minimisation makes beside x with these options, under the job's constraints if it has any. Local.
int64_t tg_feasible_points(const tg_task *task, const opt_options *options, int degree);
// Makes the set (NULL without constraints), gives it to the problem and moves the start x into it. set_data by position
// in task->data: the matrices that constraints name, which must outlive the set. TG_DATA, located, where their numbers
// leave no set, TG_VALUE where the start has no nearest feasible point. Collective.
tg_status tg_feasible_create(const tg_task *task, const tg_grid *grid, tg_dmat *const *set_data, opt_problem *problem,
                             opt_point *x, opt_constraint **out);

#endif
