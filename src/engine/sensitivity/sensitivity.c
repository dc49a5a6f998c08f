// How the minimum moves with a number of the job.
#include "engine/sensitivity/sensitivity.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/problem/metric_change_numbers.h"
#include "engine/sensitivity/minimum.h"
#include "engine/sensitivity/relations.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

static const double residual_wanted = 1e-10;
// What the multipliers of degenerate entries may move by, of the right side.
static const double degenerate_residual = 1e-7;
// A share of dX that the two sides of a projection may differ by: that of a curved set is of second order.
static const double bend_most = 1e-3;
// Multipliers below so many times the gradient that the run has left are not told from zero.
static const double multiplier_margin = 10;

// ---- by the symbols ----

tg_status tg_sensitivity_check(const tg_task *task, const tg_model *model)
{
  const tg_spec *job = task->spec;
  const tg_tune *tune = job->tune;
  if (tune != NULL) TG_TRY(tg_minimum_check(task, model, "tune", true, tune->mark));
  for (int k = 0; tune != NULL && k < tune->n; k++)
    TG_TRY(tg_minimum_check_number(task, model, "tune", tune->data[k], tune->marks[k]));
  if (job->n_sensitivities == 0) return TG_OK;
  TG_TRY(tg_minimum_check(task, model, "sensitivity", false, job->sensitivities[0].mark));
  for (int k = 0; k < job->n_sensitivities; k++)
    TG_TRY(
        tg_minimum_check_number(task, model, "sensitivity", job->sensitivities[k].datum, job->sensitivities[k].mark));
  return TG_OK;
}

// ---- whether there is a derivative ----

typedef struct work {
  tg_minimum at;
  tg_sensitivity *out;
  tg_relations *relations; // NULL: no subject_to
  opt_point *right;        // -d(grad f)/dtheta
  opt_point *probe;
  opt_point *hessian; // H dX
  double weak;        // multipliers up to this may be zero
  double degenerate;  // number of entries that such ones hold
} work;

// |v| over the entries at a bound whose multiplier may be zero. Uses w->probe; v loses its other entries.
static tg_status degenerate_norm(work *w, opt_point *v, double *out)
{
  const opt_space *space = w->at.setup->space;
  const opt_newton_equation *by = &w->at.equation;
  TG_TRY(opt_copy(space, v, w->probe));
  TG_TRY(opt_newton_equation_project(by, w->probe));
  TG_TRY(opt_axpby(space, -1, w->probe, 1, v));
  TG_TRY(by->constraint->ops->critical(by->constraint, by->x, by->g, w->weak, false, v));
  return opt_norm(space, v, out);
}

// Counts the degenerate entries.
static tg_status check_multipliers(work *w)
{
  double size = 0;
  if (w->at.equation.tangents != OPT_TANGENTS_FACE) return TG_OK;
  TG_TRY(opt_norm(w->at.setup->space, w->at.gradient, &size));
  w->weak = multiplier_margin * fmax(w->at.free_norm, 1e-13 * size);
  for (int k = 0; k < tg_space_blocks(w->right); k++) tg_dmat_fill(1.0, tg_space_block(w->right, k));
  TG_TRY(degenerate_norm(w, w->right, &size));
  w->degenerate = round(size * size);
  return TG_OK;
}

// With the degenerate entries held, their multipliers must not move either: else the entries leave the bound to one
// side of theta. w->right is overwritten.
static tg_status check_degenerate(work *w, const tg_sensitivity_row *row)
{
  const opt_problem *problem = w->at.setup->problem;
  const opt_space *space = w->at.setup->space;
  double size = 0;
  double moved = 0;
  if (w->degenerate == 0) return TG_OK;
  TG_TRY(opt_norm(space, w->right, &size));
  TG_TRY(problem->ops->hessian(w->at.setup->problem, w->at.setup->x, row->point, w->hessian));
  TG_TRY(opt_axpby(space, 1, w->hessian, -1, w->right));
  TG_TRY(degenerate_norm(w, w->right, &moved));
  if (moved > degenerate_residual * size)
    tg_minimum_refuse(
        &w->at,
        "%.0f %s at a bound with a multiplier of at most %.1e, which the accuracy of the run does not tell from "
        "zero, and would leave it to one side of %s: there is no derivative; a smaller gradient_tolerance may tell "
        "them apart",
        w->degenerate, w->degenerate > 1 ? "entries are" : "entry is", w->weak, row->name);
  return TG_OK;
}

// On a convex set by its projection: where that bends along the change, X leaves its face to one side of theta.
static tg_status check_bend(work *w, const tg_sensitivity_row *row)
{
  double bend = 0;
  TG_TRY(opt_newton_equation_bend(&w->at.equation, w->right, row->point, &bend));
  if (bend > bend_most)
    tg_minimum_refuse(&w->at,
                      "the constraint holds X by a multiplier that is not told from zero, and would leave it to one "
                      "side of %s (by a share of %.1e of dX): there is no derivative",
                      row->name, bend);
  return TG_OK;
}

// ---- the equation ----

static tg_status solve(work *w, tg_sensitivity_row *row)
{
  const tg_setup *s = w->at.setup;
  opt_newton_result result;
  double slope = 0;
  TG_TRY(tg_minimum_differentiate(&w->at, row->name, &slope, w->right));
  row->objective = s->task->spec->maximize ? 0.0 - slope : slope;
  if (tg_minimum_is_refused(&w->at)) return TG_OK;
  TG_TRY(s->space->ops->create(s->space, &row->point));
  TG_TRY(w->relations != NULL
             ? tg_relations_solve(w->relations, row->name, w->right, residual_wanted, row->point, &result)
             : tg_minimum_solve(&w->at, w->right, residual_wanted, row->name, row->point, &result));
  if (!tg_minimum_is_refused(&w->at)) TG_TRY(check_bend(w, row));
  if (!tg_minimum_is_refused(&w->at)) TG_TRY(check_degenerate(w, row));
  row->residual = result.residual;
  row->iterations = result.iterations;
  for (int k = 0; k < tg_space_blocks(row->point); k++)
    TG_TRY(tg_metric_change_undo(s, k, tg_space_block(row->point, k)));
  return opt_norm(s->space, row->point, &row->norm);
}

static tg_status find_all(work *w)
{
  const opt_space *space = w->at.setup->space;
  TG_TRY(space->ops->create(space, &w->right));
  TG_TRY(space->ops->create(space, &w->probe));
  TG_TRY(space->ops->create(space, &w->hessian));
  TG_TRY(check_multipliers(w));
  TG_TRY(tg_relations_create(&w->at, &w->relations));
  if (!tg_minimum_is_refused(&w->at)) TG_TRY(tg_minimum_check_singular(&w->at, w->right, w->probe));
  for (int k = 0; k < w->out->n; k++) TG_TRY(solve(w, &w->out->rows[k]));
  return TG_OK;
}

static void drop_points(tg_sensitivity *s)
{
  for (int k = 0; s->rows != NULL && k < s->n; k++) s->space->ops->destroy(s->space, &s->rows[k].point);
}

static tg_status fill(work *w, tg_setup *setup, const opt_result *result)
{
  const opt_space *space = setup->space;
  tg_status status = tg_minimum_open(setup, result, &w->at);
  if (status == TG_OK && !tg_minimum_is_refused(&w->at)) status = find_all(w);
  tg_relations_destroy(&w->relations);
  tg_minimum_close(&w->at, &w->out->products, &w->out->seconds);
  memcpy(w->out->refusal, w->at.refusal, sizeof w->out->refusal);
  space->ops->destroy(space, &w->right);
  space->ops->destroy(space, &w->probe);
  space->ops->destroy(space, &w->hessian);
  if (tg_minimum_is_refused(&w->at)) drop_points(w->out);
  return status;
}

tg_status tg_sensitivity_create(tg_setup *setup, const opt_result *result, tg_sensitivity **out)
{
  const tg_spec *job = setup->task->spec;
  work w = {.out = NULL};
  tg_status status = TG_NEW(1, out);
  if (status == TG_OK) status = TG_NEW(job->n_sensitivities + 1, &(*out)->rows);
  TG_TRY(tg_agree(setup->comm, status));
  w.out = *out;
  w.out->space = setup->space;
  w.out->n = job->n_sensitivities;
  for (int k = 0; k < w.out->n; k++) {
    w.out->rows[k].name = job->sensitivities[k].name;
    w.out->rows[k].objective = (double)NAN;
  }
  return fill(&w, setup, result);
}

void tg_sensitivity_destroy(tg_sensitivity **sensitivity)
{
  tg_sensitivity *s = *sensitivity;
  if (s == NULL) return;
  drop_points(s);
  tg_free(s->rows);
  tg_free(s);
  *sensitivity = NULL;
}
