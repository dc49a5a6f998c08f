// Half-steps through plans of their own.
#include "engine/problem/alternating.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/model/build.h"
#include "engine/problem/half_by_lines.h"
#include "mpi/constraint/constraint.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"
#include "opt/driver.h"
#include "opt/solver.h"
#include "opt/vector.h"

// A half-step goes no further than this: the other variables will move.
enum { INNER_ITERATIONS = 100 };

// The job in one variable. What auto makes of it is decided again at each half-step, for it may depend on the numbers
// (whether V'*V is positive definite), and its factorisations do.
typedef struct half {
  tg_spec spec; // its text and names are those of the whole job
  tg_spec_variable variable;
  tg_spec_data *others; // the data, and the variables that stand still
  tg_task *task;
  tg_model *model;
  tg_dmat **data; // borrowed
  opt_space *space;
  opt_point *x; // one block
  tg_exec *exec;
  opt_problem *problem;
  opt_constraint *constraint;
  tg_method *method;
  tg_line_half *lines; // takes the method's place where it is not NULL
} half;

struct tg_alternating {
  opt_block_solver base; // base.self points back here
  tg_setup *setup;
  opt_point *point; // where the half-steps find the other variables
  int n;
  half *halves;
  tg_half_way *ways; // of the halves, for the verdict
};

static bool is_alternating(const opt_options *options)
{
  return options->method == opt_option_choice(OPT_KIND_METHOD, "alternating");
}

// ---- the job in one variable ----

static void fill_spec(const tg_task *whole, int variable, half *h)
{
  const tg_spec *given = whole->spec;
  tg_spec *out = &h->spec;
  *out = *given;
  out->messages = NULL; // the whole has said it
  out->errors = NULL;
  opt_options_init(&out->solver);
  out->solver.wording = given->solver.wording;
  out->n_variables = 1;
  h->variable = given->variables[variable];
  h->variable.rows = whole->variables[variable].rows;
  h->variable.cols = whole->variables[variable].cols;
  out->variables = &h->variable;
  out->data = h->others;
  for (int k = 0; k < given->n_data; k++) {
    out->data[k] = given->data[k];
    out->data[k].rows = whole->data[k].rows;
    out->data[k].cols = whole->data[k].cols;
  }
  for (int k = 0; k < given->n_variables; k++) {
    const tg_task_variable *other = &whole->variables[k];
    if (k == variable) continue;
    out->data[out->n_data++] = (tg_spec_data){.name = other->spec->name,
                                              .mark = other->spec->mark,
                                              .rows = other->rows,
                                              .cols = other->cols,
                                              .properties = other->domain};
  }
}

// What the numbers have shown of the data holds for the half as well.
static tg_status make_task(const tg_task *whole, int variable, half *h)
{
  TG_TRY(TG_NEW(whole->spec->n_data + whole->spec->n_variables - 1, &h->others));
  fill_spec(whole, variable, h);
  TG_TRY(tg_task_create(&h->spec, &h->task));
  h->task->share = whole->share;
  for (int k = 0; k < whole->spec->n_data; k++) h->task->data[k].found = whole->data[k].found;
  return TG_OK;
}

static tg_dmat *find_matrix(const tg_alternating *self, const char *name)
{
  const tg_plan *plan = self->setup->model->plan;
  for (int32_t k = 0; k < plan->n_data; k++)
    if (strcmp(plan->data[k].name, name) == 0) return self->setup->data[k];
  for (int32_t k = 0; k < plan->n_variables; k++)
    if (strcmp(plan->variables[k].name, name) == 0) return tg_space_block(self->point, k);
  return NULL;
}

static tg_status bind_data(const tg_alternating *self, half *h)
{
  const tg_plan *plan = h->model->plan;
  TG_TRY(TG_NEW(plan->n_data + 1, &h->data));
  for (int32_t k = 0; k < plan->n_data; k++) {
    h->data[k] = find_matrix(self, plan->data[k].name);
    if (h->data[k] == NULL)
      TG_FAIL(TG_INTERNAL, "the objective in %s needs %s, which the whole does not read", h->variable.name,
              plan->data[k].name);
  }
  return TG_OK;
}

// Symbols to plan: no communication.
static tg_status compile_alone(const tg_task *whole, int variable, half *h)
{
  const tg_lower_options options = {.want_hessian = true, .expected_iterations = INNER_ITERATIONS};
  TG_TRY(make_task(whole, variable, h));
  TG_TRY(tg_model_create(h->task, &options, &h->model));
  return tg_method_choose(h->task, h->model, &h->method);
}

static tg_status compile(const tg_alternating *self, int variable, half *h)
{
  TG_TRY(compile_alone(self->setup->task, variable, h));
  return bind_data(self, h);
}

static tg_status copy_block(const opt_point *from, int from_block, opt_point *to, int to_block)
{
  return tg_dmat_copy(tg_space_block(from, from_block), tg_space_block(to, to_block));
}

static tg_status create_lines(const tg_setup *setup, half *h)
{
  tg_strategy_lines lines;
  TG_TRY(tg_agree(setup->comm, tg_method_find_lines(h->task, h->model, 0, &lines)));
  return lines.serves ? tg_line_half_create(setup->grid, h->problem, &lines, &h->lines) : TG_OK;
}

static tg_status create_half(tg_alternating *self, int variable)
{
  tg_setup *setup = self->setup;
  half *h = &self->halves[variable];
  TG_TRY(tg_agree(setup->comm, compile(self, variable, h)));
  const tg_plan_data *shape = &h->model->plan->variables[0];
  const tg_exec_settings settings = {.product = (tg_product_kind)setup->task->spec->products};
  TG_TRY(tg_space_create(setup->grid, 1, &shape->rows, &shape->cols, &h->space));
  TG_TRY(tg_space_set_groups(h->space, h->model->n_groups, h->model->group_rows));
  const bool is_symmetric = h->task->variables[0].domain != 0;
  TG_TRY(tg_space_set_symmetric(h->space, &is_symmetric));
  TG_TRY(h->space->ops->create(h->space, &h->x));
  TG_TRY(copy_block(setup->x, variable, h->x, 0));
  TG_TRY(tg_exec_create(setup->grid, h->model->plan, h->data, &settings, &h->exec));
  TG_TRY(tg_problem_create(h->exec, h->space, NULL, &h->problem));
  TG_TRY(tg_feasible_create(h->task, setup->grid, setup->set_data, h->problem, h->x, &h->constraint));
  return create_lines(setup, h);
}

static void destroy_half(half *h)
{
  tg_method_destroy(&h->method);
  tg_line_half_destroy(&h->lines);
  tg_problem_destroy(&h->problem);
  tg_constraint_destroy(&h->constraint);
  tg_exec_destroy(&h->exec);
  if (h->space != NULL) h->space->ops->destroy(h->space, &h->x);
  tg_space_destroy(&h->space);
  tg_model_destroy(&h->model);
  tg_free(h->data);
  tg_task_destroy(&h->task);
  tg_free(h->others);
}

// ---- a half-step ----

// What the method needs of the numbers of now.
static tg_status renew(const tg_setup *setup, half *h)
{
  if (h->lines != NULL) return tg_problem_renew(h->problem);
  tg_method_destroy(&h->method);
  TG_TRY(tg_problem_renew(h->problem));
  TG_TRY(tg_agree(setup->comm, tg_method_choose(h->task, h->model, &h->method)));
  return tg_method_prepare(h->task, h->model, setup->grid, h->data, h->method);
}

// The half-step's work is the whole problem's.
static void count(opt_problem *whole, const half *h, const opt_counts *before)
{
  const opt_counts *now = &h->problem->counts;
  tg_problem_add_products(whole, now->products - before->products + tg_method_products(h->method));
  whole->counts.values += now->values - before->values;
  whole->counts.gradients += now->gradients - before->gradients;
  whole->counts.lines += now->lines - before->lines;
  whole->counts.hessians += now->hessians - before->hessians;
}

static tg_status minimise(half *h, double tolerance, opt_result *result)
{
  if (h->lines != NULL) return tg_line_half_solve(h->lines, tolerance, h->x, result);
  opt_options options = h->method->options;
  options.gradient_tolerance = 0;
  options.absolute_gradient_tolerance = tolerance;
  options.max_iterations = INNER_ITERATIONS;
  options.examines = OPT_EXAMINE_NEVER; // what counts is the whole in all variables
  return opt_minimise(h->problem, &options, h->x, NULL, result);
}

static tg_status solve(void *context, int k, double tolerance, opt_point *x, opt_result *result)
{
  tg_alternating *self = context;
  half *h = &self->halves[k];
  const opt_counts before = h->problem->counts;
  TG_TRY(opt_copy(self->setup->space, x, self->point));
  TG_TRY(copy_block(x, k, h->x, 0));
  tg_status status = renew(self->setup, h);
  if (status == TG_OK) status = minimise(h, tolerance, result);
  TG_TRY(status);
  count(self->setup->problem, h, &before);
  return copy_block(h->x, 0, x, k);
}

// ---- memory ----

// What a half-step keeps, and what it takes for its time.
static tg_status forecast_half(const tg_task *task, int variable, const tg_cost_grid *grid, double *kept,
                               double *passing)
{
  half h = {0};
  tg_strategy_lines lines = {.serves = false};
  tg_memory_cost plan = {0};
  tg_status status = compile_alone(task, variable, &h);
  if (status == TG_OK) status = tg_plan_memory(h.model->plan, grid, &plan);
  if (status == TG_OK) {
    const int degree = h.model->plan->has_line ? h.model->plan->degree : -1;
    const double block = tg_cost_matrix_bytes(grid, h.variable.rows, h.variable.cols);
    *kept = plan.storage + plan.factors + plan.workspace + block;
    *passing = (double)tg_feasible_points(h.task, &h.method->options, degree) * block;
    status = tg_method_find_lines(h.task, h.model, 0, &lines);
  }
  if (status == TG_OK && lines.serves) {
    *kept += TG_LINE_HALF_POINTS * tg_cost_matrix_bytes(grid, h.variable.rows, h.variable.cols);
    *passing = 0;
  }
  destroy_half(&h);
  return status;
}

tg_status tg_alternating_memory(const tg_task *task, const opt_options *options, const tg_cost_grid *grid, double *out)
{
  double most = 0;
  *out = 0;
  if (!is_alternating(options)) return TG_OK;
  for (int k = 0; k < task->spec->n_variables; k++) {
    double kept = 0;
    double passing = 0;
    TG_TRY(forecast_half(task, k, grid, &kept, &passing));
    // The half's, and the point that the others find the variable in.
    *out += kept + tg_cost_matrix_bytes(grid, task->variables[k].rows, task->variables[k].cols);
    most = fmax(most, passing);
  }
  *out += most;
  return TG_OK;
}

// ---- life ----

// What minimises over each variable, for the words of a job that names alternating; auto has said why.
static void note_halves(tg_alternating *self)
{
  tg_verdict *verdict = &self->setup->method->verdict;
  for (int k = 0; k < self->n; k++) {
    const half *h = &self->halves[k];
    const char *solver = h->lines != NULL ? "coordinate descent" : tg_method_way(h->method)->solver->name;
    self->ways[k] = (tg_half_way){.variable = h->variable.name, .solver = solver};
  }
  verdict->n_halves = self->n;
  verdict->halves = self->ways;
}

static tg_status create(tg_alternating *self)
{
  tg_setup *setup = self->setup;
  tg_status allocated = TG_NEW(self->n, &self->halves);
  if (allocated == TG_OK) allocated = TG_NEW(self->n, &self->ways);
  TG_TRY(tg_agree(setup->comm, allocated));
  TG_TRY(setup->space->ops->create(setup->space, &self->point));
  TG_TRY(opt_copy(setup->space, setup->x, self->point));
  for (int k = 0; k < self->n; k++) TG_TRY(create_half(self, k));
  if (setup->task->spec->solver.method != 0) note_halves(self);
  return TG_OK;
}

tg_status tg_alternating_create(tg_setup *setup, tg_alternating **out)
{
  *out = NULL;
  tg_alternating *self = NULL;
  if (!is_alternating(&setup->method->options)) return TG_OK;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(1, &self), &self));
  *self = (tg_alternating){.setup = setup, .n = setup->task->spec->n_variables};
  self->base = (opt_block_solver){.n = self->n, .solve = solve, .self = self};
  const tg_status status = create(self);
  if (status != TG_OK) {
    tg_alternating_destroy(&self);
    return tg_error_pass(status, TG_HERE);
  }
  setup->method->options.blocks = &self->base;
  *out = self;
  return TG_OK;
}

void tg_alternating_resume(tg_alternating *alternating)
{
  for (int k = 0; alternating != NULL && k < alternating->n; k++)
    tg_problem_add_products(alternating->halves[k].problem, 0);
}

int tg_alternating_count(const tg_alternating *a)
{
  return a->n;
}

const tg_exec *tg_alternating_exec(const tg_alternating *a, int k, const char **variable)
{
  *variable = a->halves[k].variable.name;
  return a->halves[k].exec;
}

void tg_alternating_destroy(tg_alternating **alternating)
{
  tg_alternating *self = *alternating;
  if (self == NULL) return;
  for (int k = 0; self->halves != NULL && k < self->n; k++) destroy_half(&self->halves[k]);
  if (self->point != NULL) self->setup->space->ops->destroy(self->setup->space, &self->point);
  tg_free(self->halves);
  tg_free(self->ways);
  tg_free(self);
  *alternating = NULL;
}
