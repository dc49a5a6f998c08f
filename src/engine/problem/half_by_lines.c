// Half-steps by coordinate descent.
#include "engine/problem/half_by_lines.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/factor/line_descent.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

struct tg_line_half {
  opt_problem *problem; // not owned
  tg_strategy_lines lines;
  tg_line_descent *descent;
  opt_point *g;
  opt_point *unit; // ones on the diagonal
  opt_point *v;    // the steepest descent, then H unit
};

tg_status tg_line_half_create(const tg_grid *grid, opt_problem *problem, const tg_strategy_lines *lines,
                              tg_line_half **out)
{
  const opt_space *space = problem->space;
  tg_line_half *self = NULL;
  *out = NULL;
  TG_TRY(tg_agree_memory(grid->comm, TG_NEW(1, &self), &self));
  *out = self;
  *self = (tg_line_half){.problem = problem, .lines = *lines};
  TG_TRY(space->ops->create(space, &self->g));
  TG_TRY(space->ops->create(space, &self->unit));
  TG_TRY(space->ops->create(space, &self->v));
  tg_dmat *unit = tg_space_block(self->unit, 0);
  tg_dmat_eye(1, unit);
  return tg_line_descent_create(grid, unit->rows, unit->cols, lines->by_rows, &self->descent);
}

void tg_line_half_destroy(tg_line_half **half)
{
  tg_line_half *self = *half;
  if (self == NULL) return;
  const opt_space *space = self->problem->space;
  space->ops->destroy(space, &self->g);
  space->ops->destroy(space, &self->unit);
  space->ops->destroy(space, &self->v);
  tg_line_descent_destroy(&self->descent);
  tg_free(self);
  *half = NULL;
}

tg_status tg_line_half_solve(tg_line_half *self, double tolerance, opt_point *x, opt_result *result)
{
  opt_problem *problem = self->problem;
  const opt_space *space = problem->space;
  const opt_point *const v = self->v;
  double f = 0;
  double square = 0;
  memset(result, 0, sizeof *result);
  TG_TRY(problem->ops->gradient(problem, x, &f, self->g));
  TG_TRY(problem->constraint->ops->steepest(problem->constraint, x, self->g, self->v));
  TG_TRY(space->ops->dots(space, 1, &v, &v, &square));
  result->gradient_norm_start = sqrt(square);
  result->outcome = isfinite(f) && isfinite(square) ? OPT_CONVERGED : OPT_NOT_FINITE;
  if (result->outcome == OPT_NOT_FINITE)
    snprintf(result->reason, sizeof result->reason, "the objective or its gradient is not finite");
  if (result->outcome == OPT_NOT_FINITE || result->gradient_norm_start <= tolerance) return TG_OK;
  TG_TRY(problem->ops->hessian(problem, x, self->unit, self->v));
  TG_TRY(tg_line_descent_bind(self->descent, tg_space_block(self->v, 0)));
  return tg_line_descent_solve(self->descent, self->lines.low, self->lines.high, tg_space_block(self->g, 0),
                               tg_space_block(x, 0));
}
