// What a fit is judged by.
#include "engine/sweep/score.h"

#include <math.h>

#include "base/memory.h"
#include "engine/model/build.h"
#include "engine/model/probe_files.h"
#include "engine/model/values.h"
#include "engine/problem/assemble.h"
#include "engine/sweep/points.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

// ---- the spec of the score ----

static bool is_in_a_part(const tg_spec *spec, int n, const tg_spec_part *parts, const char *name)
{
  for (int k = 0; k < n; k++)
    if (tg_spec_has_name(parts[k].value.text, name)) return true;
  return tg_spec_has_name(spec->objective.text, name);
}

// The parts that the score uses, and those that these use.
static tg_status keep_parts(tg_spec *spec, tg_spec_part **out)
{
  int n = 0;
  TG_TRY(TG_NEW(spec->n_parts + 1, out));
  for (int before = -1; before < n;) {
    before = n;
    for (int k = 0; k < spec->n_parts; k++) {
      bool is_there = false;
      for (int i = 0; i < n; i++) is_there = is_there || (*out)[i].name == spec->parts[k].name;
      if (!is_there && is_in_a_part(spec, n, *out, spec->parts[k].name)) (*out)[n++] = spec->parts[k];
    }
  }
  spec->parts = *out;
  spec->n_parts = n;
  return TG_OK;
}

// The point's spec with the score for its objective, over the variables that are in it.
static tg_status make_spec(const tg_task *point, const tg_excerpt *score, tg_spec **out, tg_spec_part **parts)
{
  TG_TRY(tg_sweep_copy_spec(point->spec, out));
  tg_spec *spec = *out;
  spec->objective = *score;
  spec->tune = NULL;
  spec->n_sensitivities = 0;
  spec->covariance.is_asked = false;
  spec->is_score = true;
  spec->maximize = false;
  spec->n_relations = 0;
  spec->errors = NULL;
  spec->messages = NULL;
  spec->checkpoint_directory = NULL;
  spec->solver.max_iterations = 1; // nothing is multiplied out
  TG_TRY(keep_parts(spec, parts));
  int n = 0;
  for (int k = 0; k < spec->n_variables; k++) {
    tg_spec_variable x = spec->variables[k];
    if (!is_in_a_part(spec, spec->n_parts, spec->parts, x.name)) continue;
    x.constraint = NULL;
    x.arguments[0] = x.arguments[1] = (tg_spec_argument){TG_ARGUMENT_ABSENT, 0, 0, x.mark};
    x.rows = point->variables[k].rows;
    x.cols = point->variables[k].cols;
    x.start = TG_START_ZEROS; // it is filled with what was found
    spec->variables[n++] = x;
  }
  spec->n_variables = n;
  if (n == 0)
    TG_FAIL_MARK(TG_NAME, spec->objective.mark, "the score depends on no variable: every fit would have the same");
  return TG_OK;
}

static void destroy_spec(tg_spec **spec, tg_spec_part **parts)
{
  tg_sweep_destroy_spec(spec);
  tg_free(*parts);
}

// ---- before the first fit ----

static tg_status compile(tg_task *score)
{
  const tg_lower_options lowering = {.expected_iterations = 1};
  tg_model *model = NULL;
  tg_task_drop_restrictions(score);
  const tg_status status = tg_model_create_plain(score, &lowering, &model);
  tg_model_destroy(&model);
  return status;
}

// The sizes of the variables are what the job's own expressions make of them.
static tg_status check(tg_task *point, const tg_excerpt *what)
{
  tg_spec *spec = NULL;
  tg_spec_part *parts = NULL;
  tg_task *score = NULL;
  TG_TRY(tg_task_probe(point));
  tg_status status = make_spec(point, what, &spec, &parts);
  if (status == TG_OK) status = tg_task_create(spec, &score);
  if (status == TG_OK) status = tg_task_probe(score);
  if (status == TG_OK) status = compile(score);
  tg_task_destroy(&score);
  destroy_spec(&spec, &parts);
  return status;
}

tg_status tg_score_check(const tg_spec *point, const tg_excerpt *score)
{
  tg_task *task = NULL;
  tg_status status = tg_task_create(point, &task);
  if (status == TG_OK) status = check(task, score);
  tg_task_destroy(&task);
  return status;
}

// ---- at a point ----

static tg_status fill(const tg_setup *setup, tg_setup *score)
{
  TG_TRY(tg_setup_fill_plain(score));
  const tg_spec *spec = score->task->spec;
  for (int k = 0; k < spec->n_variables; k++) {
    const int from = tg_spec_find_variable(setup->task->spec, spec->variables[k].name);
    TG_TRY(tg_dmat_copy(tg_space_block(setup->x, from), tg_space_block(score->x, k)));
  }
  return TG_OK;
}

// The score as an objective of its own, at the point of a fit.
typedef struct scoring {
  tg_spec *spec;
  tg_spec_part *parts;
  tg_setup *setup;
} scoring;

static void close_score(scoring *s)
{
  tg_setup_destroy(&s->setup);
  destroy_spec(&s->spec, &s->parts);
}

// Its value: NAN where there is none. To be closed in any case.
static tg_status open_score(const tg_setup *setup, const tg_excerpt *score, scoring *s, double *out)
{
  *s = (scoring){NULL, NULL, NULL};
  *out = (double)NAN;
  TG_TRY(tg_agree(setup->comm, make_spec(setup->task, score, &s->spec, &s->parts)));
  TG_TRY(tg_setup_create_plain(setup->comm, s->spec, setup->task->share, &s->setup));
  TG_TRY(fill(setup, s->setup));
  const tg_setup *own = s->setup;
  TG_TRY(tg_values_scalar(own->task, own->model, own->grid, own->data, own->x, own->model->objective, out));
  if (!isfinite(*out)) *out = (double)NAN;
  return TG_OK;
}

tg_status tg_score_evaluate(const tg_setup *setup, const tg_excerpt *score, double *out)
{
  scoring s;
  const tg_status status = open_score(setup, score, &s, out);
  close_score(&s);
  return status;
}

// ---- derivatives ----

// gradient := that of the score by the variables of the fit, zero in those that are not in it.
static tg_status find_gradient(const tg_setup *setup, scoring *s, opt_point *gradient)
{
  tg_setup *own = s->setup;
  const int n = own->model->n_variables;
  tg_node *nodes = NULL;
  tg_values *values = NULL;
  tg_status status = TG_NEW(n, &nodes);
  if (status == TG_OK) status = tg_gradient(own->model->graph, own->model->objective, n, own->model->symbols, nodes);
  for (int k = 0; k < n && status == TG_OK; k++)
    if (tg_node_is_zero(own->model->graph, nodes[k])) nodes[k] = TG_NONE;
  status = tg_agree(setup->comm, status);
  if (status == TG_OK)
    status = tg_values_create(own->task, own->model, own->grid, own->data, own->x, n, nodes, &values);
  if (status == TG_OK) status = tg_values_evaluate(values);
  for (int k = 0; k < tg_space_blocks(gradient); k++) tg_dmat_fill(0, tg_space_block(gradient, k));
  for (int k = 0; k < n && status == TG_OK; k++) {
    const int to = tg_spec_find_variable(setup->task->spec, s->spec->variables[k].name);
    if (nodes[k] != TG_NONE) status = tg_dmat_copy(tg_values_matrix(values, k), tg_space_block(gradient, to));
  }
  tg_values_destroy(&values);
  tg_free(nodes);
  return status == TG_OK ? tg_space_symmetrise(setup->space, gradient) : status;
}

// What the score itself has of the number.
static tg_status find_own_slope(scoring *s, const char *number, double *out)
{
  tg_setup *own = s->setup;
  const int32_t symbol = tg_symbol_find(own->model->graph, number);
  tg_node one = TG_NONE;
  tg_node slope = TG_NONE;
  *out = 0;
  if (symbol < 0) return TG_OK;
  tg_status status = tg_make_num(own->model->graph, 1, &one);
  if (status == TG_OK) status = tg_forward(own->model->graph, own->model->objective, 1, &symbol, &one, &slope);
  TG_TRY(tg_agree(own->comm, status));
  if (tg_node_is_zero(own->model->graph, slope)) return TG_OK;
  return tg_values_scalar(own->task, own->model, own->grid, own->data, own->x, slope, out);
}

// ds/dtheta = the score's own part + <grad s, dX/dtheta>, and H dX/dtheta = right: <H^-1 grad s, right>.
static tg_status find_slopes(tg_minimum *at, scoring *s, int n, const int *numbers, opt_point *right,
                             opt_point *adjoint, double *slopes)
{
  static const double residual_wanted = 1e-9;
  const tg_setup *setup = at->setup;
  opt_newton_result result;
  TG_TRY(find_gradient(setup, s, right));
  TG_TRY(tg_minimum_solve(at, right, residual_wanted, "the score", adjoint, &result));
  for (int k = 0; k < n && !tg_minimum_is_refused(at); k++) {
    const char *name = setup->task->spec->data[numbers[k]].name;
    double of_objective = 0;
    double moved = 0;
    TG_TRY(tg_minimum_differentiate(at, name, &of_objective, right));
    TG_TRY(opt_dot(setup->space, adjoint, right, &moved));
    TG_TRY(find_own_slope(s, name, &slopes[k]));
    slopes[k] += moved;
  }
  return TG_OK;
}

tg_status tg_score_differentiate(tg_minimum *at, const tg_excerpt *score, int n, const int *numbers, double *out,
                                 double *slopes)
{
  const opt_space *space = at->setup->space;
  opt_point *right = NULL;
  opt_point *adjoint = NULL;
  scoring s;
  for (int k = 0; k < n; k++) slopes[k] = 0;
  tg_status status = open_score(at->setup, score, &s, out);
  if (status == TG_OK) status = space->ops->create(space, &right);
  if (status == TG_OK) status = space->ops->create(space, &adjoint);
  if (status == TG_OK && isfinite(*out)) status = find_slopes(at, &s, n, numbers, right, adjoint, slopes);
  space->ops->destroy(space, &right);
  space->ops->destroy(space, &adjoint);
  close_score(&s);
  return status;
}
