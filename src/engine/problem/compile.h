// From the symbols of a spec to its method.
#ifndef TG_ENGINE_COMPILE_H
#define TG_ENGINE_COMPILE_H

#include "engine/method/method.h"

// From the symbols to the method, once the data have their sizes (tg_task_probe): what needs no process grid. *model
// and *method are to be destroyed, on failure too. Local.
tg_status tg_setup_compile(tg_task *task, const tg_lower_options *options, tg_model **model, tg_method **method);

#endif
