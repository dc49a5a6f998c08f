// What the choice of a method shares with its numbers. Internal to method*.c.
#ifndef TG_CLI_METHOD_PARTS_H
#define TG_CLI_METHOD_PARTS_H

#include "cli/method.h"

bool tg_method_is_direct(const opt_options *options);
// The method for an objective without a closed form; form.reason says why there is none. Local.
void tg_method_choose_iterative(const tg_model *model, tg_method *method);
// By symbols: candidates for each kind of preconditioner. TG_UNSUPPORTED, located, for a wish that cannot be served.
// Local.
tg_status tg_method_choose_preconditioner(tg_job *job, const tg_model *model, tg_method *method);

#endif
