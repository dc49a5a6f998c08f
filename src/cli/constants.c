// Constant expressions through a plan of their own.
#include "cli/constants.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/dmat_ops.h"
#include "mpi/problem.h"
#include "mpi/space.h"

// A linear functional and what it takes to run it.
typedef struct functional {
  int n;
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
} functional;

static void release(functional *self)
{
  tg_problem_destroy(&self->problem);
  tg_exec_destroy(&self->exec);
  if (self->space != NULL) {
    self->space->ops->destroy(self->space, &self->gradient);
    self->space->ops->destroy(self->space, &self->z);
  }
  tg_space_destroy(&self->space);
  tg_plan_destroy(&self->plan);
  tg_free(self->data);
  tg_free(self->symbols);
  tg_free(self->rows);
  tg_free(self->cols);
}

// A name that no symbol has yet.
static tg_status add_symbol(tg_graph *graph, tg_node node, int32_t *out)
{
  char name[32];
  int number = 0;
  do {
    snprintf(name, sizeof name, "Z__%d", number++);
  } while (tg_symbol_find(graph, name) >= 0);
  const tg_info *info = tg_node_info(graph, node);
  return tg_symbol_add(graph, name, info->rows, info->cols, 0, true, out);
}

// + <Z, node>
static tg_status add_term(tg_graph *graph, tg_node node, functional *self)
{
  const int k = self->n++;
  tg_node z = TG_NONE;
  tg_node dot = TG_NONE;
  TG_TRY(add_symbol(graph, node, &self->symbols[k]));
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

static tg_status find_data(const tg_model *model, tg_dmat *const *data, functional *self)
{
  TG_TRY(TG_NEW(self->plan->n_data + 1, &self->data));
  for (int32_t k = 0; k < self->plan->n_data; k++) {
    for (int32_t i = 0; i < model->plan->n_data; i++)
      if (strcmp(model->plan->data[i].name, self->plan->data[k].name) == 0) self->data[k] = data[i];
    if (self->data[k] == NULL)
      TG_FAIL(TG_INTERNAL, "a constant needs %s, which the plan of the objective does not read",
              self->plan->data[k].name);
  }
  return TG_OK;
}

// Symbols to plan: no communication.
static tg_status compile(tg_job *job, tg_model *model, tg_dmat *const *data, int n, const tg_node *nodes,
                         functional *self)
{
  TG_TRY(TG_NEW(n, &self->symbols));
  TG_TRY(TG_NEW(n, &self->rows));
  TG_TRY(TG_NEW(n, &self->cols));
  for (int k = 0; k < n; k++)
    if (nodes[k] != TG_NONE) TG_TRY(add_term(model->graph, nodes[k], self));
  if (self->n == 0) return TG_OK;
  const tg_lower_options options = {.expected_iterations = 1};
  TG_TRY(tg_model_lower(job, model->graph, self->f, self->n, self->symbols, &options, &self->plan));
  return find_data(model, data, self);
}

static tg_status evaluate(const tg_grid *grid, functional *self)
{
  double value = 0;
  TG_TRY(tg_space_create(grid, self->n, self->rows, self->cols, &self->space));
  TG_TRY(self->space->ops->create(self->space, &self->z));
  TG_TRY(self->space->ops->create(self->space, &self->gradient));
  TG_TRY(tg_exec_create(grid, self->plan, self->data, NULL, &self->exec));
  TG_TRY(tg_problem_create(self->exec, self->space, NULL, &self->problem));
  return self->problem->ops->gradient(self->problem, self->z, &value, self->gradient);
}

static tg_status copy_out(const tg_grid *grid, const functional *self, int n, const tg_node *nodes, tg_dmat **out)
{
  tg_status status = TG_OK;
  for (int k = 0, block = 0; k < n && status == TG_OK; k++) {
    if (nodes[k] == TG_NONE) continue;
    const tg_dmat *from = tg_space_block(self->gradient, block++);
    status = tg_dmat_create(grid, from->rows, from->cols, &out[k]);
    if (status == TG_OK) status = tg_dmat_copy(from, out[k]);
  }
  return tg_agree(grid->comm, status);
}

tg_status tg_constants_evaluate(tg_job *job, tg_model *model, const tg_grid *grid, tg_dmat *const *data, int n,
                                const tg_node *nodes, tg_dmat **out)
{
  functional self = {0};
  for (int k = 0; k < n; k++) out[k] = NULL;
  tg_status status = tg_agree(grid->comm, compile(job, model, data, n, nodes, &self));
  if (status == TG_OK && self.n > 0) status = evaluate(grid, &self);
  if (status == TG_OK && self.n > 0) status = copy_out(grid, &self, n, nodes, out);
  release(&self);
  return status;
}
