// Data that the constraints of variables name: bounds by entries, sums of rows and columns.
#ifndef TG_ENGINE_SET_DATA_H
#define TG_ENGINE_SET_DATA_H

#include "engine/task.h"
#include "opt/constraint.h"

// The datum that argument k of the variable's constraint names: of box low and high, of transport the sums of rows and
// of columns, of the simplices the one sum. -1: there is none, or it is a number.
int tg_set_data_find(const tg_task_variable *variable, int k);
// Whether argument k of the set, sums of lines, is those of the rows. Local.
bool tg_set_data_by_rows(const opt_constraint_row *row, int k);
// Whether a constraint names this datum. Local.
bool tg_set_data_needs(const tg_task *task, int datum);
// Whether the data have the shapes that the constraints need: sizes are known (tg_task_probe). TG_SHAPE, located at the
// name. Local.
tg_status tg_set_data_check(const tg_task *task);

#endif
