// The job's symbols read once more, with what its numbers have shown.
#ifndef TG_ENGINE_FOUND_USE_H
#define TG_ENGINE_FOUND_USE_H

#include "engine/problem/setup.h"

// The data of the plan are read. Looks at those square ones whose kind the job leaves open. Where some are symmetric or
// diagonal, model and method become those of the job that says so, unless that job is an error or the caller does not
// admit them. Whether a symmetric one is definite is asked only where a closed form or a preconditioner hangs on it.
// Collective.
tg_status tg_found_use(tg_setup *setup);

// Takes all used data of the job that it would look at as symmetric; false where there are none. Local.
bool tg_found_suppose(tg_task *task);
// "S, A": the data in the model's plan that it will look at; nothing where there are none. Local.
void tg_found_print_open(const tg_task *task, const tg_model *model, tg_text *out);
// "S is symmetric, T is diagonal": all that was found and used; nothing where nothing was. Local.
void tg_found_print(const tg_task *task, tg_text *out);
// The word for what was found of one datum, NULL for nothing. Local.
const char *tg_found_word(const tg_task_data *datum);

#endif
