// Expressions of a job's data, and of a point, as matrices: factors of closed forms, preconditioners.
#ifndef TG_ENGINE_CONSTANTS_H
#define TG_ENGINE_CONSTANTS_H

#include "engine/model/model.h"
#include "mpi/matrix/dmat.h"

// out[k] = the value of nodes[k]; NULL for TG_NONE. data by position in model->plan->data; x NULL where no variable
// occurs.
// out is the caller's to destroy, also after a failure. *products is raised by those it took, in
// units of one of the larger side of the first variable. Collective.
tg_status tg_constants_evaluate(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                                const opt_point *x, int n, const tg_node *nodes, tg_dmat **out, double *products);

#endif
