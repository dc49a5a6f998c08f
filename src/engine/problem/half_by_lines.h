// A half-step of method: alternating by coordinate descent on the lines of its variable.
#ifndef TG_ENGINE_HALF_BY_LINES_H
#define TG_ENGINE_HALF_BY_LINES_H

#include "engine/method/method.h"
#include "opt/driver.h"

typedef struct tg_line_half tg_line_half;

// Points of the variable's shape that it keeps: three, and two of other blocks where a line is on several ranks.
enum { TG_LINE_HALF_POINTS = 5 };

// For a problem in one variable, its set made; lines->serves. Collective.
tg_status tg_line_half_create(const tg_grid *grid, opt_problem *problem, const tg_strategy_lines *lines,
                              tg_line_half **out);
void tg_line_half_destroy(tg_line_half **half);
// x := a better point, or as it was where its gradient is at most `tolerance`. Collective.
tg_status tg_line_half_solve(tg_line_half *self, double tolerance, opt_point *x, opt_result *result);

#endif
