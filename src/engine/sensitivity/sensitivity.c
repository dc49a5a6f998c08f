// How the minimum moves with a number of the job.
#include "engine/sensitivity/sensitivity.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/norm1_split.h"
#include "engine/model/values.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/newton_equation.h"
#include "opt/vector.h"

enum { PROBE_SEED = 20260102, ITERATIONS_LEAST = 100, ITERATIONS_MOST = 5000 };

static const double residual_wanted = 1e-10;
// What the multipliers of degenerate entries may move by, of the right side.
static const double degenerate_residual = 1e-7;
// Multipliers below so many times the gradient that the run has left are not told from zero.
static const double multiplier_margin = 10;

// ---- by the symbols ----

static bool is_bounds(const char *constraint)
{
  return opt_constraint_find(constraint)->is_bounds;
}

// The space that dX is in; false: the sets have none in common, and `which` is the variable that is in the way.
static bool find_tangents(const tg_task *task, opt_tangents *out, int *which)
{
  bool has[OPT_TANGENTS_LINEAR + 1] = {false};
  *out = OPT_TANGENTS_ALL;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (x->constraint == NULL) continue;
    *which = k;
    if (is_bounds(x->constraint))
      *out = OPT_TANGENTS_FACE;
    else if (strcmp(x->constraint, "symmetric") == 0)
      *out = OPT_TANGENTS_LINEAR;
    else if (tg_task_on_manifold(x))
      *out = OPT_TANGENTS_MANIFOLD;
    else
      return false;
    has[*out] = true;
  }
  return has[OPT_TANGENTS_FACE] + has[OPT_TANGENTS_LINEAR] + has[OPT_TANGENTS_MANIFOLD] <= 1;
}

static tg_status check_sets(const tg_task *task, const tg_model *model)
{
  const tg_spec *job = task->spec;
  const tg_mark mark = job->sensitivities[0].mark;
  opt_tangents tangents = OPT_TANGENTS_ALL;
  int which = 0;
  if (job->n_relations > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "sensitivity: how a minimum moves along the constraints of subject_to is not implemented; constraints "
                 "of variables (nonnegative, box, symmetric, orthonormal_columns, unit_columns) are served");
  if (model->n_changes > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark, "sensitivity: not implemented for orthonormal_columns with a metric");
  if (!find_tangents(task, &tangents, &which))
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "sensitivity: not implemented for the constraint %s of %s%s; nonnegative and box, or symmetric, or "
                 "orthonormal_columns and unit_columns are served",
                 task->variables[which].constraint, job->variables[which].name,
                 job->n_variables > 1 ? " beside the others" : "");
  return TG_OK;
}

static tg_status check_number(const tg_spec *job, const tg_model *model, const tg_spec_sensitivity *asked)
{
  const int32_t symbol = tg_symbol_find(model->graph, asked->name);
  for (int k = 0; k < job->n_variables; k++)
    for (int i = 0; i < 2; i++)
      if (job->variables[k].constraint != NULL && job->variables[k].arguments[i].kind == TG_ARGUMENT_DATUM &&
          job->variables[k].arguments[i].datum == asked->datum)
        TG_FAIL_MARK(TG_UNSUPPORTED, asked->mark,
                     "sensitivity: %s is in the constraint of %s; the derivative by numbers of a constraint is not "
                     "implemented",
                     asked->name, job->variables[k].name);
  if (symbol < 0 || !tg_node_depends_on(model->graph, model->objective, symbol))
    TG_FAIL_MARK(TG_NAME, asked->mark, "sensitivity: %s does not occur in the objective: nothing moves with it",
                 asked->name);
  return TG_OK;
}

tg_status tg_sensitivity_check(const tg_task *task, const tg_model *model)
{
  const tg_spec *job = task->spec;
  if (job->n_sensitivities == 0) return TG_OK;
  TG_TRY(check_sets(task, model));
  if (tg_model_has_norm1(task) || model->has_kinks || !model->is_smooth)
    TG_FAIL_MARK(TG_UNSUPPORTED, job->sensitivities[0].mark,
                 "sensitivity: the objective has kinks (norm1, abs, relu or a norm by singular values), at which it "
                 "has no Hessian; write a smooth form, such as sum((E.^2 + 1e-6*ones).^0.5)");
  for (int k = 0; k < job->n_sensitivities; k++) TG_TRY(check_number(job, model, &job->sensitivities[k]));
  return TG_OK;
}

// ---- d(grad f)/dtheta ----

typedef struct work {
  tg_setup *setup;
  tg_sensitivity *out;
  opt_newton_equation equation;
  opt_point *gradient;
  opt_point *right; // -d(grad f)/dtheta
  opt_point *probe;
  opt_point *hessian; // H dX
  double weak;        // multipliers up to this may be zero
  double degenerate;  // number of entries that such ones hold
} work;

// df/dtheta and its gradient. Local.
static tg_status differentiate(const tg_model *model, const char *name, tg_node *slope, tg_node *gradient)
{
  const int32_t symbol = tg_symbol_find(model->graph, name);
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(model->graph, 1, &one));
  TG_TRY(tg_forward(model->graph, model->objective, 1, &symbol, &one, slope));
  return tg_gradient(model->graph, *slope, model->n_variables, model->symbols, gradient);
}

static bool is_constant_zero(const tg_model *model, int n, const tg_node *nodes)
{
  for (int k = 0; k < n; k++)
    if (nodes[k] != TG_NONE && !tg_node_is_zero(model->graph, nodes[k])) return false;
  return true;
}

static tg_status negate(const tg_dmat *in, tg_dmat *out)
{
  static const double minus = -1;
  return tg_dmat_lincomb(1, &minus, &in, out);
}

// w->right := minus the values of the nodes.
static tg_status evaluate(work *w, tg_node *nodes)
{
  tg_setup *s = w->setup;
  tg_values *values = NULL;
  const int n = s->model->n_variables;
  TG_TRY(opt_axpby(s->space, 0, s->x, 0, w->right));
  for (int k = 0; k < n; k++)
    if (tg_node_is_zero(s->model->graph, nodes[k])) nodes[k] = TG_NONE;
  if (is_constant_zero(s->model, n, nodes)) return TG_OK;
  tg_status status = tg_values_create(s->task, s->model, s->grid, s->data, s->x, n, nodes, &values);
  if (status == TG_OK) status = tg_values_evaluate(values);
  for (int k = 0; k < n && status == TG_OK; k++)
    if (nodes[k] != TG_NONE) status = negate(tg_values_matrix(values, k), tg_space_block(w->right, k));
  if (status == TG_OK) {
    status = tg_space_symmetrise(s->space, w->right);
    w->out->products += tg_values_products(values);
  }
  tg_values_destroy(&values);
  return status;
}

static tg_status make_right_side(work *w, tg_sensitivity_row *row)
{
  tg_setup *s = w->setup;
  tg_node slope = TG_NONE;
  tg_node *nodes = NULL;
  double value = 0;
  tg_status status = TG_NEW(s->model->n_variables, &nodes);
  if (status == TG_OK) status = differentiate(s->model, row->name, &slope, nodes);
  status = tg_agree(s->comm, status);
  if (status == TG_OK && !tg_node_is_zero(s->model->graph, slope))
    status = tg_values_scalar(s->task, s->model, s->grid, s->data, s->x, slope, &value);
  if (status == TG_OK) {
    row->objective = s->task->spec->maximize ? 0.0 - value : value;
    status = evaluate(w, nodes);
  }
  tg_free(nodes);
  return status;
}

// ---- whether there is a derivative ----

__attribute__((format(printf, 2, 3))) static void refuse(work *w, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(w->out->refusal, sizeof w->out->refusal, format, arguments);
  va_end(arguments);
}

static bool is_refused(const work *w)
{
  return w->out->refusal[0] != '\0';
}

// |v| over the entries at a bound whose multiplier may be zero. Uses w->probe; v loses its other entries.
static tg_status degenerate_norm(work *w, opt_point *v, double *out)
{
  const opt_space *space = w->setup->space;
  const opt_newton_equation *by = &w->equation;
  TG_TRY(opt_copy(space, v, w->probe));
  TG_TRY(opt_newton_equation_project(by, w->probe));
  TG_TRY(opt_axpby(space, -1, w->probe, 1, v));
  TG_TRY(by->constraint->ops->critical(by->constraint, by->x, by->g, w->weak, false, v));
  return opt_norm(space, v, out);
}

// Counts the degenerate entries.
static tg_status check_multipliers(work *w, double free_norm)
{
  double size = 0;
  if (w->equation.tangents != OPT_TANGENTS_FACE) return TG_OK;
  TG_TRY(opt_norm(w->setup->space, w->gradient, &size));
  w->weak = multiplier_margin * fmax(free_norm, 1e-13 * size);
  for (int k = 0; k < tg_space_blocks(w->right); k++) tg_dmat_fill(1.0, tg_space_block(w->right, k));
  TG_TRY(degenerate_norm(w, w->right, &size));
  w->degenerate = round(size * size);
  return TG_OK;
}

// With the degenerate entries held, their multipliers must not move either: else the entries leave the bound to one
// side of theta. w->right is overwritten.
static tg_status check_degenerate(work *w, const tg_sensitivity_row *row)
{
  const opt_problem *problem = w->setup->problem;
  const opt_space *space = w->setup->space;
  double size = 0;
  double moved = 0;
  if (w->degenerate == 0) return TG_OK;
  TG_TRY(opt_norm(space, w->right, &size));
  TG_TRY(problem->ops->hessian(w->setup->problem, w->setup->x, row->point, w->hessian));
  TG_TRY(opt_axpby(space, 1, w->hessian, -1, w->right));
  TG_TRY(degenerate_norm(w, w->right, &moved));
  if (moved > degenerate_residual * size)
    refuse(w,
           "%.0f %s at a bound with a multiplier of at most %.1e, which the accuracy of the run does not tell from "
           "zero, and would leave it to one side of %s: there is no derivative; a smaller gradient_tolerance may tell "
           "them apart",
           w->degenerate, w->degenerate > 1 ? "entries are" : "entry is", w->weak, row->name);
  return TG_OK;
}

static int64_t iterations_allowed(const work *w)
{
  const int64_t dimension = w->setup->space->dimension;
  const int64_t wanted = dimension < ITERATIONS_MOST ? 2 * dimension + ITERATIONS_LEAST : ITERATIONS_MOST;
  return wanted < ITERATIONS_MOST ? wanted : ITERATIONS_MOST;
}

static void judge(work *w, const opt_newton_result *result, const char *what)
{
  if (result->verdict == OPT_NEWTON_FLAT)
    refuse(w, "the Hessian at the point is singular: X may move along a direction without changing the objective, and "
              "no derivative is the only one");
  if (result->verdict == OPT_NEWTON_NEGATIVE)
    refuse(w, "the Hessian at the point has a negative curvature: it is no minimum");
  if (result->verdict == OPT_NEWTON_UNFINISHED)
    refuse(w,
           "the Newton equation for %s was not solved in %lld iterations (residual %.1e of 1): the Hessian at the "
           "point is "
           "singular or nearly so",
           what, (long long)result->iterations, result->residual);
}

// A random right side has a share of every direction: it is not met where the Hessian is singular.
static tg_status check_singular(work *w)
{
  const opt_space *space = w->setup->space;
  const double enough = 1e-3 / sqrt((double)space->dimension);
  opt_newton_result result;
  TG_TRY(space->ops->random(space, PROBE_SEED, w->right));
  TG_TRY(opt_newton_equation_solve(&w->equation, w->right, enough, iterations_allowed(w), w->probe, &result));
  judge(w, &result, "a random right side");
  return TG_OK;
}

// ---- the equation ----

static tg_status solve(work *w, tg_sensitivity_row *row)
{
  const opt_space *space = w->setup->space;
  opt_newton_result result;
  TG_TRY(make_right_side(w, row));
  if (is_refused(w)) return TG_OK;
  TG_TRY(space->ops->create(space, &row->point));
  TG_TRY(
      opt_newton_equation_solve(&w->equation, w->right, residual_wanted, iterations_allowed(w), row->point, &result));
  judge(w, &result, row->name);
  if (!is_refused(w)) TG_TRY(check_degenerate(w, row));
  row->residual = result.residual;
  row->iterations = result.iterations;
  return opt_norm(space, row->point, &row->norm);
}

static void choose_help(work *w, const opt_result *result)
{
  const tg_setup *s = w->setup;
  const opt_options *options = &s->method->options;
  if (s->constraint == NULL && s->problem->degree == 2 && s->method->direct != NULL)
    w->equation.closed_form = options->closed_form;
  if (opt_preconditioner_is_used(options->preconditioning, result->iterations))
    w->equation.preconditioner = options->preconditioning;
}

static tg_status begin(work *w, const opt_result *result)
{
  tg_setup *s = w->setup;
  double f = 0;
  int which = 0;
  double free_norm = 0;
  w->equation = (opt_newton_equation){.problem = s->problem, .constraint = s->constraint, .x = s->x};
  TG_TRY(s->space->ops->create(s->space, &w->gradient));
  TG_TRY(s->space->ops->create(s->space, &w->right));
  TG_TRY(s->space->ops->create(s->space, &w->probe));
  TG_TRY(s->space->ops->create(s->space, &w->hessian));
  TG_TRY(s->problem->ops->gradient(s->problem, s->x, &f, w->gradient));
  w->equation.g = w->gradient;
  if (s->constraint != NULL) find_tangents(s->task, &w->equation.tangents, &which);
  TG_TRY(opt_copy(s->space, w->gradient, w->probe));
  TG_TRY(opt_newton_equation_project(&w->equation, w->probe));
  TG_TRY(opt_norm(s->space, w->probe, &free_norm));
  choose_help(w, result);
  return check_multipliers(w, free_norm);
}

static tg_status find_all(work *w, const opt_result *result)
{
  if (result->outcome != OPT_CONVERGED)
    refuse(w, "the run has not converged (%s): a derivative is one of a minimum", opt_outcome_label(result->outcome));
  else if (!w->setup->problem->has_hessian)
    refuse(w, "the objective has no Hessian action");
  if (is_refused(w)) return TG_OK;
  TG_TRY(begin(w, result));
  TG_TRY(check_singular(w));
  for (int k = 0; k < w->out->n; k++) TG_TRY(solve(w, &w->out->rows[k]));
  return TG_OK;
}

static void drop_points(tg_sensitivity *s)
{
  for (int k = 0; s->rows != NULL && k < s->n; k++) s->space->ops->destroy(s->space, &s->rows[k].point);
}

static tg_status fill(work *w, const opt_result *result)
{
  opt_problem *problem = w->setup->problem;
  const opt_space *space = w->setup->space;
  const opt_counts before = problem->counts;
  const double begin_seconds = MPI_Wtime();
  const tg_status status = find_all(w, result);
  w->out->products += problem->counts.products - before.products;
  w->out->seconds = MPI_Wtime() - begin_seconds;
  problem->counts = before;
  space->ops->destroy(space, &w->gradient);
  space->ops->destroy(space, &w->right);
  space->ops->destroy(space, &w->probe);
  space->ops->destroy(space, &w->hessian);
  if (is_refused(w)) drop_points(w->out);
  return status;
}

tg_status tg_sensitivity_create(tg_setup *setup, const opt_result *result, tg_sensitivity **out)
{
  const tg_spec *job = setup->task->spec;
  work w = {.setup = setup};
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
  return fill(&w, result);
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
