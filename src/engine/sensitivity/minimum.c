// A minimum where a run has ended.
#include "engine/sensitivity/minimum.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/build.h"
#include "engine/model/norm1_split.h"
#include "engine/model/values.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

enum { PROBE_SEED = 20260102, ITERATIONS_LEAST = 100, ITERATIONS_MOST = 5000 };

// ---- by the symbols ----

static bool is_bounds(const char *constraint)
{
  return opt_constraint_find(constraint)->is_bounds;
}

bool tg_minimum_find_tangents(const tg_task *task, opt_tangents *out, int *which)
{
  bool has[OPT_TANGENTS_CONVEX + 1] = {false};
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
      *out = OPT_TANGENTS_CONVEX;
    has[*out] = true;
  }
  // The product of convex sets is one, whatever they are; manifolds stand by themselves.
  const bool are_several = has[OPT_TANGENTS_FACE] + has[OPT_TANGENTS_LINEAR] + has[OPT_TANGENTS_CONVEX] > 1;
  if (are_several || has[OPT_TANGENTS_CONVEX]) *out = OPT_TANGENTS_CONVEX;
  return !has[OPT_TANGENTS_MANIFOLD] || *out == OPT_TANGENTS_MANIFOLD;
}

static tg_status check_smooth(bool has_kinks, const char *key, tg_mark mark)
{
  if (!has_kinks) return TG_OK;
  TG_FAIL_MARK(TG_UNSUPPORTED, mark,
               "%s: the objective has kinks (norm1, abs, relu or a norm by singular values), at which it has no "
               "Hessian; write a smooth form, such as sum((E.^2 + 1e-6*ones).^0.5)",
               key);
}

tg_status tg_minimum_check_smooth(const tg_task *task, const tg_model *model, const char *key, tg_mark mark)
{
  return check_smooth(tg_model_has_norm1(task) || model->has_kinks || !model->is_smooth, key, mark);
}

// Of the objective as it is written: inequalities are smooth where their multipliers are told from zero.
static tg_status has_own_kinks(const tg_model *model, bool *out)
{
  *out = model->has_kinks || (model->constraints == NULL && !model->is_smooth);
  for (int k = 0; model->constraints != NULL && k < model->constraints->n; k++) {
    bool here = false;
    TG_TRY(tg_model_find_kinks(model->graph, model->constraints->terms[k].node, &here));
    *out = *out || here || model->constraints->terms[k].is_kink;
  }
  return TG_OK;
}

tg_status tg_minimum_check(const tg_task *task, const tg_model *model, const char *key, bool is_search, tg_mark mark)
{
  const tg_spec *job = task->spec;
  opt_tangents tangents = OPT_TANGENTS_ALL;
  int which = 0;
  if (is_search && job->n_relations > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "%s: the slopes of a score along the constraints of subject_to are not implemented; constraints of "
                 "variables are served",
                 key);
  if (is_search && model->n_changes > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark, "%s: not implemented for orthonormal_columns with a metric", key);
  if (!tg_minimum_find_tangents(task, &tangents, &which))
    TG_FAIL_MARK(
        TG_UNSUPPORTED, mark,
        "%s: not implemented for the constraint %s of %s beside the others: convex sets are served together, and "
        "so are orthonormal_columns and unit_columns",
        key, task->variables[which].constraint, job->variables[which].name);
  bool has_kinks = false;
  TG_TRY(has_own_kinks(model, &has_kinks));
  return check_smooth(tg_model_has_norm1(task) || has_kinks, key, mark);
}

tg_status tg_minimum_check_number(const tg_task *task, const tg_model *model, const char *key, int datum, tg_mark mark)
{
  const tg_spec *job = task->spec;
  const char *name = job->data[datum].name;
  const int32_t symbol = tg_symbol_find(model->graph, name);
  for (int k = 0; k < job->n_variables; k++)
    for (int i = 0; i < 2; i++)
      if (job->variables[k].constraint != NULL && job->variables[k].arguments[i].kind == TG_ARGUMENT_DATUM &&
          job->variables[k].arguments[i].datum == datum)
        TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                     "%s: %s is in the constraint of %s; the derivative by numbers of a constraint is not implemented",
                     key, name, job->variables[k].name);
  if (symbol < 0 || !tg_node_depends_on(model->graph, model->objective, symbol))
    TG_FAIL_MARK(TG_NAME, mark, "%s: %s does not occur in the objective: nothing moves with it", key, name);
  return TG_OK;
}

// ---- life ----

static void choose_help(tg_minimum *m, const opt_result *result)
{
  const tg_setup *s = m->setup;
  const opt_options *options = &s->method->options;
  if (s->constraint == NULL && s->problem->degree == 2 && s->method->direct != NULL)
    m->equation.closed_form = options->closed_form;
  if (opt_preconditioner_is_used(options->preconditioning, result->iterations))
    m->equation.preconditioner = options->preconditioning;
}

static tg_status open_minimum(tg_minimum *m, const opt_result *result)
{
  tg_setup *s = m->setup;
  opt_point *projected = NULL;
  double f = 0;
  int which = 0;
  TG_TRY(s->space->ops->create(s->space, &m->gradient));
  TG_TRY(s->space->ops->create(s->space, &projected));
  tg_status status = s->problem->ops->gradient(s->problem, s->x, &f, m->gradient);
  m->equation.g = m->gradient;
  if (s->constraint != NULL) tg_minimum_find_tangents(s->task, &m->equation.tangents, &which);
  if (status == TG_OK) status = opt_newton_equation_open(&m->equation);
  if (status == TG_OK) status = opt_copy(s->space, m->gradient, projected);
  if (status == TG_OK) status = opt_newton_equation_project(&m->equation, projected);
  if (status == TG_OK) status = opt_norm(s->space, projected, &m->free_norm);
  s->space->ops->destroy(s->space, &projected);
  choose_help(m, result);
  return status;
}

tg_status tg_minimum_open(tg_setup *setup, const opt_result *result, tg_minimum *out)
{
  *out = (tg_minimum){.setup = setup, .before = setup->problem->counts, .begin = MPI_Wtime()};
  out->equation = (opt_newton_equation){.problem = setup->problem, .constraint = setup->constraint, .x = setup->x};
  if (result->outcome != OPT_CONVERGED)
    tg_minimum_refuse(out, "the run has not converged (%s): a derivative is one of a minimum",
                      opt_outcome_label(result->outcome));
  else if (!setup->problem->has_hessian)
    tg_minimum_refuse(out, "the objective has no Hessian action");
  return tg_minimum_is_refused(out) ? TG_OK : open_minimum(out, result);
}

void tg_minimum_close(tg_minimum *m, int64_t *products, double *seconds)
{
  if (m->setup == NULL) return;
  opt_problem *problem = m->setup->problem;
  if (products != NULL) *products = m->products + problem->counts.products - m->before.products;
  if (seconds != NULL) *seconds = MPI_Wtime() - m->begin;
  problem->counts = m->before;
  opt_newton_equation_close(&m->equation);
  m->setup->space->ops->destroy(m->setup->space, &m->gradient);
}

void tg_minimum_refuse(tg_minimum *m, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(m->refusal, sizeof m->refusal, format, arguments);
  va_end(arguments);
}

bool tg_minimum_is_refused(const tg_minimum *m)
{
  return m->refusal[0] != '\0';
}

// ---- the equation ----

int64_t tg_minimum_iterations(const tg_minimum *m)
{
  const int64_t dimension = m->setup->space->dimension;
  const int64_t wanted = dimension < ITERATIONS_MOST ? 2 * dimension + ITERATIONS_LEAST : ITERATIONS_MOST;
  return wanted < ITERATIONS_MOST ? wanted : ITERATIONS_MOST;
}

void tg_minimum_judge(tg_minimum *m, const opt_newton_result *result, const char *what)
{
  if (result->verdict == OPT_NEWTON_FLAT)
    tg_minimum_refuse(
        m, "the Hessian at the point is singular: X may move along a direction without changing the objective, and "
           "no derivative is the only one");
  if (result->verdict == OPT_NEWTON_NEGATIVE)
    tg_minimum_refuse(m, "the Hessian at the point has a negative curvature: it is no minimum");
  if (result->verdict == OPT_NEWTON_UNFINISHED)
    tg_minimum_refuse(
        m,
        "the Newton equation for %s was not solved in %lld iterations (residual %.1e of 1): the Hessian at the "
        "point is "
        "singular or nearly so",
        what, (long long)result->iterations, result->residual);
}

tg_status tg_minimum_solve(tg_minimum *m, const opt_point *b, double tolerance, const char *what, opt_point *y,
                           opt_newton_result *result)
{
  TG_TRY(opt_newton_equation_solve(&m->equation, b, tolerance, tg_minimum_iterations(m), y, result));
  tg_minimum_judge(m, result, what);
  return TG_OK;
}

tg_status tg_minimum_check_singular(tg_minimum *m, opt_point *scratch, opt_point *solution)
{
  const opt_space *space = m->setup->space;
  const double enough = 1e-3 / sqrt((double)space->dimension);
  opt_newton_result result;
  TG_TRY(space->ops->random(space, PROBE_SEED, scratch));
  return tg_minimum_solve(m, scratch, enough, "a random right side", solution, &result);
}

// ---- by a number ----

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

// right := minus the values of the nodes.
static tg_status evaluate(tg_minimum *m, tg_node *nodes, opt_point *right)
{
  tg_setup *s = m->setup;
  tg_values *values = NULL;
  const int n = s->model->n_variables;
  TG_TRY(opt_axpby(s->space, 0, s->x, 0, right));
  for (int k = 0; k < n; k++)
    if (tg_node_is_zero(s->model->graph, nodes[k])) nodes[k] = TG_NONE;
  if (is_constant_zero(s->model, n, nodes)) return TG_OK;
  tg_status status = tg_values_create(s->task, s->model, s->grid, s->data, s->x, n, nodes, &values);
  if (status == TG_OK) status = tg_values_evaluate(values);
  for (int k = 0; k < n && status == TG_OK; k++)
    if (nodes[k] != TG_NONE) status = negate(tg_values_matrix(values, k), tg_space_block(right, k));
  if (status == TG_OK) {
    status = tg_space_symmetrise(s->space, right);
    m->products += tg_values_products(values);
  }
  tg_values_destroy(&values);
  return status;
}

tg_status tg_minimum_differentiate(tg_minimum *m, const char *number, double *slope, opt_point *right)
{
  tg_setup *s = m->setup;
  tg_node node = TG_NONE;
  tg_node *nodes = NULL;
  *slope = 0;
  tg_status status = TG_NEW(s->model->n_variables, &nodes);
  if (status == TG_OK) status = differentiate(s->model, number, &node, nodes);
  status = tg_agree(s->comm, status);
  if (status == TG_OK && !tg_node_is_zero(s->model->graph, node))
    status = tg_values_scalar(s->task, s->model, s->grid, s->data, s->x, node, slope);
  if (status == TG_OK) status = evaluate(m, nodes, right);
  tg_free(nodes);
  return status;
}
