// Expressions through a plan of their own.
#include "engine/model/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/build.h"
#include "engine/share/share.h"
#include "grad/plan/cost.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"

enum { POINTS_EXPECTED = 100 };

// A linear functional and what it takes to run it.
struct tg_values {
  bool is_as_written; // no pass may multiply out, which loses digits to cancellation
  int n;              // nodes other than TG_NONE
  int n_nodes;
  int *blocks;      // by node, -1 for TG_NONE
  int32_t *symbols; // Z_k
  int64_t *rows;
  int64_t *cols;
  tg_node f;
  tg_plan *plan;
  tg_dmat **data; // borrowed
  opt_space *space;
  opt_point *z;
  opt_point *gradient;
  tg_exec *exec;
  opt_problem *problem;
  tg_memo *memo; // NULL: none; not owned
};

void tg_values_destroy(tg_values **values)
{
  tg_values *self = *values;
  if (self == NULL) return;
  tg_problem_destroy(&self->problem);
  tg_exec_destroy(&self->exec);
  if (self->space != NULL) {
    self->space->ops->destroy(self->space, &self->gradient);
    self->space->ops->destroy(self->space, &self->z);
  }
  tg_space_destroy(&self->space);
  tg_plan_destroy(&self->plan);
  tg_free(self->data);
  tg_free(self->blocks);
  tg_free(self->symbols);
  tg_free(self->rows);
  tg_free(self->cols);
  tg_free(self);
  *values = NULL;
}

// Z_k of the node's shape: a name that no user can write, and the same at each evaluation, or a graph whose expressions
// are evaluated again and again would grow, and all its walks with it.
static tg_status add_symbol(tg_graph *graph, tg_node node, int k, int32_t *out)
{
  char name[96];
  const tg_info *info = tg_node_info(graph, node);
  snprintf(name, sizeof name, "Z#%d:%" PRId32 ",%" PRId32, k, info->rows, info->cols);
  *out = tg_symbol_find(graph, name);
  return *out >= 0 ? TG_OK : tg_symbol_add(graph, name, info->rows, info->cols, 0, true, out);
}

// + <Z, node>
static tg_status add_term(tg_graph *graph, tg_node node, tg_values *self)
{
  const int k = self->n++;
  tg_node z = TG_NONE;
  tg_node dot = TG_NONE;
  TG_TRY(add_symbol(graph, node, k, &self->symbols[k]));
  TG_TRY(tg_make_sym(graph, self->symbols[k], &z));
  TG_TRY(tg_make_dot(graph, z, node, &dot));
  self->rows[k] = tg_dim_value(graph, tg_node_info(graph, node)->rows);
  self->cols[k] = tg_dim_value(graph, tg_node_info(graph, node)->cols);
  if (self->f == TG_NONE)
    self->f = dot;
  else
    TG_TRY(tg_make_add(graph, self->f, dot, &self->f));
  return TG_OK;
}

static tg_dmat *find_matrix(const tg_model *model, tg_dmat *const *data, const opt_point *x,
                            const tg_values_beside *beside, const char *name)
{
  for (int k = 0; beside != NULL && k < beside->n; k++)
    if (strcmp(beside->names[k], name) == 0) return beside->matrices[k];
  for (int32_t k = 0; k < model->plan->n_data; k++)
    if (strcmp(model->plan->data[k].name, name) == 0) return data[k];
  for (int32_t k = 0; x != NULL && k < model->plan->n_variables; k++)
    if (strcmp(model->plan->variables[k].name, name) == 0) return tg_space_block(x, k);
  return NULL;
}

static tg_status find_data(const tg_model *model, tg_dmat *const *data, const opt_point *x,
                           const tg_values_beside *beside, tg_values *self)
{
  TG_TRY(TG_NEW(self->plan->n_data + 1, &self->data));
  for (int32_t k = 0; k < self->plan->n_data; k++) {
    self->data[k] = find_matrix(model, data, x, beside, self->plan->data[k].name);
    if (self->data[k] == NULL)
      TG_FAIL(TG_INTERNAL, "an expression needs %s, which the plan of the objective does not read",
              self->plan->data[k].name);
  }
  return TG_OK;
}

// Symbols to plan: no communication.
static tg_status compile(const tg_task *task, tg_model *model, int n, const tg_node *nodes, tg_values *self)
{
  self->n_nodes = n;
  TG_TRY(TG_NEW(n, &self->blocks));
  TG_TRY(TG_NEW(n, &self->symbols));
  TG_TRY(TG_NEW(n, &self->rows));
  TG_TRY(TG_NEW(n, &self->cols));
  for (int k = 0; k < n; k++) {
    self->blocks[k] = nodes[k] != TG_NONE ? self->n : -1;
    if (nodes[k] != TG_NONE) TG_TRY(add_term(model->graph, nodes[k], self));
  }
  if (self->n == 0) return TG_OK;
  // What is made once for all points of a sweep stands in the plan's setup.
  const int64_t uses = task->share != NULL ? POINTS_EXPECTED : 1;
  const tg_lower_options options = {.expected_iterations = uses, .without[TG_PASS_HOISTING] = self->is_as_written};
  return tg_model_lower(task, model->graph, self->f, self->n, self->symbols, &options, &self->plan);
}

static tg_status allocate(const tg_grid *grid, tg_values *self)
{
  TG_TRY(tg_space_create(grid, self->n, self->rows, self->cols, &self->space));
  TG_TRY(self->space->ops->create(self->space, &self->z));
  TG_TRY(self->space->ops->create(self->space, &self->gradient));
  const tg_exec_settings settings = {.memo = self->memo};
  TG_TRY(tg_exec_create(grid, self->plan, self->data, &settings, &self->exec));
  return TG_OK;
}

static tg_status create(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                        const opt_point *x, const tg_values_beside *beside, int n, const tg_node *nodes,
                        bool is_as_written, tg_values **out)
{
  *out = NULL;
  tg_values *self = NULL;
  tg_status status = TG_NEW(1, &self);
  if (status == TG_OK) self->is_as_written = is_as_written;
  if (status == TG_OK && task->share != NULL && !is_as_written) self->memo = tg_share_memo(task->share);
  if (status == TG_OK) status = compile(task, model, n, nodes, self);
  if (status == TG_OK && self->n > 0) status = find_data(model, data, x, beside, self);
  status = tg_agree(grid->comm, status);
  if (status == TG_OK && self->n > 0) status = allocate(grid, self);
  if (status != TG_OK) {
    tg_values_destroy(&self);
    return tg_error_pass(status, TG_HERE);
  }
  *out = self;
  return TG_OK;
}

tg_status tg_values_create(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                           const opt_point *x, int n, const tg_node *nodes, tg_values **out)
{
  return create(task, model, grid, data, x, NULL, n, nodes, false, out);
}

tg_status tg_values_create_beside(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                                  const opt_point *x, const tg_values_beside *beside, int n, const tg_node *nodes,
                                  tg_values **out)
{
  return create(task, model, grid, data, x, beside, n, nodes, false, out);
}

tg_status tg_values_scalar(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                           const opt_point *x, tg_node node, double *out)
{
  tg_values *self = NULL;
  *out = (double)NAN;
  TG_TRY(create(task, model, grid, data, x, NULL, 1, &node, true, &self));
  tg_status status = tg_values_evaluate(self);
  if (status == TG_OK) status = tg_dmat_fetch(tg_values_matrix(self, 0), out);
  tg_values_destroy(&self);
  if (status != TG_NUMERIC) return status;
  tg_error_clear(); // outside the domain of an inverse
  return TG_OK;
}

tg_status tg_values_evaluate(tg_values *values)
{
  double value = 0;
  if (values->n == 0) return TG_OK;
  // What depends on the numbers is computed in the plan's setup.
  if (values->problem == NULL)
    TG_TRY(tg_problem_create(values->exec, values->space, NULL, &values->problem));
  else
    TG_TRY(tg_problem_renew(values->problem));
  return values->problem->ops->gradient(values->problem, values->z, &value, values->gradient);
}

tg_dmat *tg_values_matrix_of(const tg_values *values, int k)
{
  return values->blocks[k] >= 0 ? tg_space_block(values->gradient, values->blocks[k]) : NULL;
}

const tg_dmat *tg_values_matrix(const tg_values *values, int k)
{
  return tg_values_matrix_of(values, k);
}

tg_status tg_values_memory(const tg_task *task, tg_model *model, const tg_cost_grid *grid, int n, const tg_node *nodes,
                           tg_memory_cost *out)
{
  tg_values *self = NULL;
  *out = (tg_memory_cost){0};
  TG_TRY(TG_NEW(1, &self));
  tg_status status = compile(task, model, n, nodes, self);
  if (status == TG_OK && self->n > 0) status = tg_plan_memory(self->plan, grid, out);
  tg_values_destroy(&self);
  return status;
}

tg_status tg_values_cost(const tg_task *task, tg_model *model, const tg_cost_grid *grid, const tg_cost_machine *machine,
                         int n, const tg_node *nodes, tg_cost *out)
{
  static const tg_program_id programs[] = {TG_PROGRAM_SETUP, TG_PROGRAM_REFRESH, TG_PROGRAM_GRADIENT};
  tg_values *self = NULL;
  *out = (tg_cost){0};
  TG_TRY(TG_NEW(1, &self));
  tg_status status = compile(task, model, n, nodes, self);
  for (size_t k = 0; k < sizeof programs / sizeof programs[0] && status == TG_OK && self->n > 0; k++) {
    tg_cost part;
    status = tg_plan_cost(self->plan, programs[k], grid, machine, &part);
    if (status == TG_OK) tg_cost_accumulate(&part, out);
  }
  tg_values_destroy(&self);
  return status;
}

tg_status tg_values_scalar_memory(const tg_task *task, tg_model *model, const tg_cost_grid *grid, tg_node node,
                                  tg_memory_cost *out)
{
  tg_values *self = NULL;
  *out = (tg_memory_cost){0};
  TG_TRY(TG_NEW(1, &self));
  self->is_as_written = true;
  tg_status status = compile(task, model, 1, &node, self);
  if (status == TG_OK) status = tg_plan_memory(self->plan, grid, out);
  tg_values_destroy(&self);
  return status;
}

tg_status tg_values_key(const tg_values *values, int k, tg_memo_key *out)
{
  *out = (tg_memo_key){.is_known = false};
  return values->blocks[k] >= 0 ? tg_exec_gradient_key(values->exec, values->blocks[k], out) : TG_OK;
}

double tg_values_flops(const tg_values *values)
{
  static const tg_program_id programs[] = {TG_PROGRAM_SETUP, TG_PROGRAM_REFRESH, TG_PROGRAM_GRADIENT};
  double flops = 0;
  for (size_t k = 0; k < sizeof programs / sizeof programs[0] && values->n > 0; k++)
    flops += tg_program_flops(values->plan, programs[k]);
  return flops;
}

int64_t tg_values_products(const tg_values *values)
{
  return values->problem != NULL ? values->problem->counts.products : 0;
}

double tg_values_product_units(const tg_values *values, double unit_flops)
{
  double units = 0;
  for (int k = 0; values->exec != NULL && k < TG_PROGRAM_COUNT; k++) {
    const tg_program *program = &values->plan->programs[k];
    const double runs = (double)tg_exec_program_usage(values->exec, (tg_program_id)k)->runs;
    for (int32_t i = 0; i < program->n_instrs; i++)
      if (tg_instr_is_product(&program->instrs[i]) && tg_exec_runs(values->exec, (tg_program_id)k, i))
        units += runs * fmin(1, tg_instr_flops(values->plan, &program->instrs[i]) / unit_flops);
  }
  return units;
}
