// Data that the constraints of variables name: bounds by entries, sums of rows and columns.
#ifndef TG_ENGINE_SET_DATA_H
#define TG_ENGINE_SET_DATA_H

#include "job/job.h"

// Argument k of the variable's constraint: of box low and high, of transport the sums of rows and of columns, of the
// simplices the one sum. NULL: there is none.
const tg_yaml_node *tg_set_data_argument(const tg_job_variable *variable, int k);
// The datum that it names, -1: it is none, or a number.
int tg_set_data_find(const tg_job *job, const tg_job_variable *variable, int k);
// Whether a constraint names this datum. Local.
bool tg_set_data_needs(const tg_job *job, const char *datum);
// Whether the data have the shapes that the constraints need: sizes are known (tg_job_probe). TG_SHAPE, located at the
// name. Local.
tg_status tg_set_data_check(tg_job *job);

#endif
