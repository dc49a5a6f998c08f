// Data onto the grid: from files, generators, memory, with what is claimed of them verified.
#ifndef TG_ENGINE_READ_DATA_H
#define TG_ENGINE_READ_DATA_H

#include "engine/problem/setup.h"

// Reads or generates one datum and verifies its properties; errors are located at its declaration. Collective.
tg_status tg_setup_read_datum(tg_setup *setup, const tg_task_data *datum, tg_dmat **out);
// The datum at that position of the model's plan, NULL for what is made of a metric. Collective.
tg_status tg_setup_make_datum(tg_setup *setup, const tg_model *model, int32_t position, tg_dmat **out);
// The same of a matrix of bounds, whose entries may be infinite. Collective.
tg_status tg_setup_read_bounds(tg_setup *setup, const tg_task_data *datum, tg_dmat **out);
// The start of a variable from its file or from memory, times its scale; errors are located at the start. Collective.
tg_status tg_setup_read_start(const tg_setup *setup, const tg_task_variable *variable, tg_dmat *out);

#endif
