// The system of Karush, Kuhn and Tucker at a minimum.
#include "engine/sensitivity/relations.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/values.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

enum { STEPS_MAX = 200 };

// An entry whose multiplier and whose distance times the penalty are both below this share of the largest is told from
// neither side.
static const double unclear = 1e-6;
// A share of y that it is off the constraints by for a rounding error.
static const double met = 1e-9;
// Of the multipliers' equation; what is accepted where rounding ends it.
static const double tolerance_accepted = 1e-8;

struct tg_relations {
  tg_minimum *at;
  opt_space *duals;  // a block for each relation
  opt_point *active; // 1 where the entry binds, else 0
  opt_point *n;      // the change of the multipliers, and what the expressions of `columns` read
  opt_point *residual;
  opt_point *d;
  opt_point *sd;
  opt_point *v;      // of the space of X: what those of `rows` read
  opt_point *image;  // K^-1 of something
  char (*names)[32]; // of both, n_variables + relations
  const char **pointers;
  tg_dmat **matrices;
  tg_values *rows;    // J v
  tg_values *columns; // J' n
};

static int count_of(const tg_relations *r)
{
  return r->at->setup->model->constraints->n;
}

// ---- symbols ----

// A symbol of the shape of another node.
static tg_status make_symbol(tg_graph *graph, const char *name, tg_node like, tg_node *out)
{
  const tg_info *info = tg_node_info(graph, like);
  int32_t symbol = tg_symbol_find(graph, name);
  if (symbol < 0) TG_TRY(tg_symbol_add(graph, name, info->rows, info->cols, 0, true, &symbol));
  return tg_make_sym(graph, symbol, out);
}

static tg_status name_all(tg_relations *r)
{
  const tg_model *model = r->at->setup->model;
  const int n = model->n_variables + count_of(r);
  TG_TRY(TG_NEW(n, &r->names));
  TG_TRY(TG_NEW(n, &r->pointers));
  TG_TRY(TG_NEW(n, &r->matrices));
  for (int k = 0; k < n; k++) {
    const bool is_variable = k < model->n_variables;
    const int index = is_variable ? k : k - model->n_variables;
    snprintf(r->names[k], sizeof r->names[k], "%s#%d", is_variable ? "moved" : "dual", index);
    r->pointers[k] = r->names[k];
    r->matrices[k] = tg_space_block(is_variable ? r->v : r->n, index);
  }
  return TG_OK;
}

// J v of each relation, and J' n of each variable. Local.
static tg_status make_nodes(tg_relations *r, tg_node *rows, tg_node *columns)
{
  const tg_model *model = r->at->setup->model;
  tg_graph *graph = model->graph;
  tg_node *along = NULL;
  tg_node sum = TG_NONE;
  tg_status status = TG_NEW(model->n_variables, &along);
  for (int k = 0; k < model->n_variables && status == TG_OK; k++) {
    status = tg_make_sym(graph, model->symbols[k], &along[k]);
    if (status == TG_OK) status = make_symbol(graph, r->names[k], along[k], &along[k]);
  }
  for (int k = 0; k < count_of(r) && status == TG_OK; k++) {
    const tg_node h = model->constraints->terms[k].node;
    tg_node dual = TG_NONE;
    status = tg_forward(graph, h, model->n_variables, model->symbols, along, &rows[k]);
    if (status == TG_OK) status = make_symbol(graph, r->names[model->n_variables + k], h, &dual);
    if (status == TG_OK) status = tg_make_dot(graph, dual, h, &dual);
    if (status == TG_OK && sum != TG_NONE) status = tg_make_add(graph, sum, dual, &dual);
    sum = dual;
  }
  if (status == TG_OK) status = tg_gradient(graph, sum, model->n_variables, model->symbols, columns);
  tg_free(along);
  return status;
}

static void drop_zeros(const tg_graph *graph, int n, tg_node *nodes)
{
  for (int k = 0; k < n; k++)
    if (nodes[k] != TG_NONE && tg_node_is_zero(graph, nodes[k])) nodes[k] = TG_NONE;
}

static tg_status make_values(tg_relations *r)
{
  const tg_setup *s = r->at->setup;
  const int n = s->model->n_variables;
  const tg_values_beside beside = {n + count_of(r), r->pointers, r->matrices};
  tg_node *rows = NULL;
  tg_node *columns = NULL;
  tg_status status = TG_NEW(count_of(r), &rows);
  if (status == TG_OK) status = TG_NEW(n, &columns);
  if (status == TG_OK) status = make_nodes(r, rows, columns);
  status = tg_agree(s->comm, status);
  if (status == TG_OK) {
    drop_zeros(s->model->graph, count_of(r), rows);
    drop_zeros(s->model->graph, n, columns);
    status = tg_values_create_beside(s->task, s->model, s->grid, s->data, s->x, &beside, count_of(r), rows, &r->rows);
  }
  if (status == TG_OK)
    status = tg_values_create_beside(s->task, s->model, s->grid, s->data, s->x, &beside, n, columns, &r->columns);
  tg_free(columns);
  tg_free(rows);
  return status;
}

// ---- what is active ----

static const tg_dmat *find_own(const tg_setup *setup, int index)
{
  const int32_t position = tg_model_find_data(setup->model, setup->task->spec->n_data + index);
  return position >= 0 ? setup->data[position] : NULL;
}

// The multiplier of an entry of h <= 0 or its distance times the penalty, whichever is larger: which is the answer, how
// large it is how sure.
static void look(const tg_relations *r, double penalty, bool marks, double *extremes)
{
  const tg_setup *s = r->at->setup;
  for (int k = 0; k < count_of(r); k++) {
    const tg_dmat *m = find_own(s, k);
    const tg_dmat *h = tg_space_block(r->residual, k);
    tg_dmat *active = tg_space_block(r->active, k);
    const bool is_equality = !isfinite(s->model->constraints->terms[k].low);
    for (int64_t j = 0; j < h->local_cols; j++)
      for (int64_t i = 0; i < h->local_rows; i++) {
        const double multiplier = m != NULL ? m->data[i + j * m->ld] : 0;
        const double distance = -penalty * h->data[i + j * h->ld];
        const double sure = fmax(multiplier, distance);
        if (marks) active->data[i + j * active->ld] = is_equality || multiplier > distance ? 1 : 0;
        if (is_equality) continue;
        extremes[0] = fmax(extremes[0], sure);
        extremes[1] = fmax(extremes[1], -sure);
      }
  }
}

// r->residual := h at x.
static tg_status evaluate_constraints(tg_relations *r)
{
  const tg_setup *s = r->at->setup;
  tg_node *nodes = NULL;
  tg_values *values = NULL;
  TG_TRY(tg_agree_memory(s->comm, TG_NEW(count_of(r), &nodes), &nodes));
  for (int k = 0; k < count_of(r); k++) nodes[k] = s->model->constraints->terms[k].node;
  tg_status status = tg_values_create(s->task, s->model, s->grid, s->data, s->x, count_of(r), nodes, &values);
  if (status == TG_OK) status = tg_values_evaluate(values);
  for (int k = 0; k < count_of(r) && status == TG_OK; k++)
    status = tg_dmat_copy(tg_values_matrix(values, k), tg_space_block(r->residual, k));
  tg_values_destroy(&values);
  tg_free(nodes);
  return status;
}

static tg_status find_active(tg_relations *r)
{
  const tg_setup *s = r->at->setup;
  const tg_dmat *penalty_data = find_own(s, count_of(r));
  double penalty = 1;
  double extremes[2] = {-HUGE_VAL, -HUGE_VAL};
  TG_TRY(evaluate_constraints(r));
  if (penalty_data != NULL) TG_TRY(tg_dmat_fetch(penalty_data, &penalty));
  look(r, penalty, true, extremes);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MAX, s->comm));
  if (isfinite(extremes[1]) && -extremes[1] <= unclear * extremes[0])
    tg_minimum_refuse(r->at,
                      "an inequality of subject_to is met with a multiplier that is not told from zero: X may leave it "
                      "to one side of the number, and there is no derivative");
  return TG_OK;
}

// ---- life ----

void tg_relations_destroy(tg_relations **relations)
{
  tg_relations *r = *relations;
  if (r == NULL) return;
  const opt_space *space = r->at->setup->space;
  tg_values_destroy(&r->columns);
  tg_values_destroy(&r->rows);
  if (r->duals != NULL) {
    opt_point **const points[] = {&r->active, &r->n, &r->residual, &r->d, &r->sd};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) r->duals->ops->destroy(r->duals, points[i]);
  }
  space->ops->destroy(space, &r->v);
  space->ops->destroy(space, &r->image);
  tg_space_destroy(&r->duals);
  tg_free(r->names);
  tg_free(r->pointers);
  tg_free(r->matrices);
  tg_free(r);
  *relations = NULL;
}

static tg_status make_duals(tg_relations *r)
{
  const tg_setup *s = r->at->setup;
  const int n = count_of(r);
  int64_t *sizes = NULL;
  TG_TRY(tg_agree_memory(s->comm, TG_NEW((int64_t)2 * n, &sizes), &sizes));
  for (int k = 0; k < n; k++) {
    const tg_info *info = tg_node_info(s->model->graph, s->model->constraints->terms[k].node);
    sizes[k] = tg_dim_value(s->model->graph, info->rows);
    sizes[n + k] = tg_dim_value(s->model->graph, info->cols);
  }
  const tg_status status = tg_space_create(s->grid, n, sizes, sizes + n, &r->duals);
  tg_free(sizes);
  TG_TRY(status);
  opt_point **const points[] = {&r->active, &r->n, &r->residual, &r->d, &r->sd};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) TG_TRY(r->duals->ops->create(r->duals, points[i]));
  TG_TRY(s->space->ops->create(s->space, &r->v));
  return s->space->ops->create(s->space, &r->image);
}

tg_status tg_relations_create(tg_minimum *minimum, tg_relations **out)
{
  const tg_setup *s = minimum->setup;
  *out = NULL;
  if (s->model->constraints == NULL || tg_minimum_is_refused(minimum)) return TG_OK;
  TG_TRY(tg_agree_memory(s->comm, TG_NEW(1, out), out));
  (*out)->at = minimum;
  TG_TRY(make_duals(*out));
  TG_TRY(tg_agree(s->comm, name_all(*out)));
  TG_TRY(make_values(*out));
  return find_active(*out);
}

// ---- the operators ----

// v := v where it is active, else 0. Local.
static void mask(const tg_relations *r, opt_point *v)
{
  for (int k = 0; k < count_of(r); k++) {
    tg_dmat *m = tg_space_block(v, k);
    const tg_dmat *active = tg_space_block(r->active, k);
    for (int64_t j = 0; j < m->local_cols; j++)
      for (int64_t i = 0; i < m->local_rows; i++) m->data[i + j * m->ld] *= active->data[i + j * active->ld];
  }
}

static tg_status copy_values(tg_values *values, opt_point *out)
{
  TG_TRY(tg_values_evaluate(values));
  for (int k = 0; k < tg_space_blocks(out); k++) {
    const tg_dmat *from = tg_values_matrix(values, k);
    if (from != NULL)
      TG_TRY(tg_dmat_copy(from, tg_space_block(out, k)));
    else
      tg_dmat_fill(0, tg_space_block(out, k));
  }
  return TG_OK;
}

// out := J v
static tg_status apply_rows(tg_relations *r, const opt_point *v, opt_point *out)
{
  TG_TRY(opt_copy(r->at->setup->space, v, r->v));
  TG_TRY(copy_values(r->rows, out));
  mask(r, out);
  return TG_OK;
}

// out := J' n; n is active entries alone. r->n is what the expressions read.
static tg_status apply_columns(tg_relations *r, const opt_point *n, opt_point *out)
{
  if (n != r->n) TG_TRY(opt_copy(r->duals, n, r->n));
  return copy_values(r->columns, out);
}

// r->sd := J K^-1 J' d
static tg_status apply_schur(tg_relations *r, const opt_point *d, double tolerance, const char *what)
{
  opt_newton_result result;
  TG_TRY(apply_columns(r, d, r->v));
  TG_TRY(tg_minimum_solve(r->at, r->v, tolerance, what, r->image, &result));
  return tg_minimum_is_refused(r->at) ? TG_OK : apply_rows(r, r->image, r->sd);
}

// r->sd := dh/dtheta of the active ones.
static tg_status differentiate(tg_relations *r, const char *number)
{
  const tg_setup *s = r->at->setup;
  tg_graph *graph = s->model->graph;
  const int32_t symbol = tg_symbol_find(graph, number);
  tg_node *nodes = NULL;
  tg_node one = TG_NONE;
  tg_values *values = NULL;
  tg_status status = TG_NEW(count_of(r), &nodes);
  if (status == TG_OK) status = tg_make_num(graph, 1, &one);
  for (int k = 0; k < count_of(r) && status == TG_OK; k++)
    status = tg_forward(graph, s->model->constraints->terms[k].node, 1, &symbol, &one, &nodes[k]);
  status = tg_agree(s->comm, status);
  if (status == TG_OK) {
    drop_zeros(graph, count_of(r), nodes);
    status = tg_values_create(s->task, s->model, s->grid, s->data, s->x, count_of(r), nodes, &values);
  }
  if (status == TG_OK) status = copy_values(values, r->sd);
  tg_values_destroy(&values);
  tg_free(nodes);
  mask(r, r->sd);
  return status;
}

// ---- the system ----

// total := the sum of d over the steps, by conjugate gradients from the right side in r->residual.
static tg_status solve_multipliers(tg_relations *r, const char *number, double tolerance, opt_point *total)
{
  const opt_space *duals = r->duals;
  double rr = 0;
  TG_TRY(opt_dot(duals, r->residual, r->residual, &rr));
  const double size = sqrt(rr);
  TG_TRY(opt_axpby(duals, 0, r->residual, 0, total));
  TG_TRY(opt_copy(duals, r->residual, r->d));
  for (int step = 0; step < STEPS_MAX && sqrt(rr) > tolerance * size; step++) {
    const double before = rr;
    double dsd = 0;
    TG_TRY(apply_schur(r, r->d, tolerance, number));
    if (tg_minimum_is_refused(r->at)) return TG_OK;
    TG_TRY(opt_dot(duals, r->d, r->sd, &dsd));
    if (!(dsd > 0)) break;
    TG_TRY(opt_axpby(duals, rr / dsd, r->d, 1, total));
    TG_TRY(opt_axpby(duals, -rr / dsd, r->sd, 1, r->residual));
    TG_TRY(opt_dot(duals, r->residual, r->residual, &rr));
    // Rounding of the inner systems.
    if (rr > before && sqrt(rr) <= tolerance_accepted * size) break;
    TG_TRY(opt_axpby(duals, 1, r->residual, rr / before, r->d));
  }
  if (sqrt(rr) > tolerance_accepted * size)
    tg_minimum_refuse(r->at,
                      "the change of the multipliers of subject_to by %s was not found (residual %.1e of 1): "
                      "constraints may depend on each other",
                      number, sqrt(rr) / size);
  return TG_OK;
}

// Whether the right side in r->residual is rounding of a y that meets the constraints already: what it would move y by
// along J' is nothing beside y, which is in r->image.
static tg_status is_met(tg_relations *r, bool *out)
{
  const opt_space *space = r->at->setup->space;
  double size = 0;
  double column = 0;
  double moved = 0;
  TG_TRY(opt_norm(r->duals, r->residual, &size));
  TG_TRY(opt_norm(space, r->image, &moved));
  TG_TRY(apply_columns(r, r->residual, r->v));
  TG_TRY(opt_norm(space, r->v, &column));
  *out = !(size > 0) || size * size <= met * column * moved;
  return TG_OK;
}

static tg_status solve(tg_relations *r, const char *number, const opt_point *right, double tolerance, opt_point *total,
                       opt_point *y, opt_newton_result *result)
{
  const opt_space *space = r->at->setup->space;
  TG_TRY(tg_minimum_solve(r->at, right, tolerance, number, r->image, result));
  if (tg_minimum_is_refused(r->at)) return TG_OK;
  TG_TRY(apply_rows(r, r->image, r->residual));
  TG_TRY(differentiate(r, number));
  TG_TRY(opt_axpby(r->duals, 1, r->sd, 1, r->residual));
  bool holds = false;
  TG_TRY(is_met(r, &holds));
  if (holds) return opt_copy(space, r->image, y);
  TG_TRY(solve_multipliers(r, number, tolerance, total));
  if (tg_minimum_is_refused(r->at)) return TG_OK;
  TG_TRY(apply_columns(r, total, r->v));
  TG_TRY(opt_axpby(space, 1, right, -1, r->v));
  return tg_minimum_solve(r->at, r->v, tolerance, number, y, result);
}

tg_status tg_relations_solve(tg_relations *r, const char *number, const opt_point *right, double tolerance,
                             opt_point *y, opt_newton_result *result)
{
  opt_point *total = NULL;
  TG_TRY(r->duals->ops->create(r->duals, &total));
  const tg_status status = solve(r, number, right, tolerance, total, y, result);
  r->duals->ops->destroy(r->duals, &total);
  return status;
}
