// The reasons of a minimisation of -f in the words of the maximum of f.
#ifndef TG_CLI_MAXIMUM_H
#define TG_CLI_MAXIMUM_H

#include <stddef.h>

#include "base/status.h"

// Rewrites a reason of opt_result: phrases about the objective's direction, and the values of the objective, its slope
// and its curvature behind them, change their sign. What is longer than room bytes is cut. Local.
tg_status tg_maximum_reason(char *reason, size_t room);

#endif
