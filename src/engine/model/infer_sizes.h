// Sizes of variables that the spec leaves open: what its start files, constraints and expressions make of them.
#ifndef TG_ENGINE_INFER_SIZES_H
#define TG_ENGINE_INFER_SIZES_H

#include "engine/task.h"

// Fills in rows and cols of the variables where they are 0, once the data have their sizes. An expression is read as
// `derive` reads it: a small letter is rather a column, a Greek one a scalar, a capital a matrix. TG_SHAPE at the
// variable whose size stays open, with all such variables in spec->errors; a fault of the expressions goes before.
// Local.
tg_status tg_sizes_infer(tg_task *task);

// One line on the variables whose sizes were inferred, with the label in front: those that the spec leaves open.
void tg_sizes_print(const tg_task *task, const char *label, tg_text *out);

#endif
