// Points of a problem, and its objective at them.
#include <math.h>
#include <string.h>

#include "api/error.h"
#include "api/problem.h"
#include "base/memory.h"
#include "engine/problem/metric_change_numbers.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/grid.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

// ---- what a call may use ----

// A point for reading: of a callback as well, while its problem is minimised.
static tg_status check_readable(const tracegrad_point *x)
{
  if (x == NULL) TG_FAIL(TG_USAGE, "a point is NULL");
  if (x->is_owned) return tg_api_check_problem(x->problem);
  return TG_OK;
}

static tg_status check_point(const tracegrad_point *x)
{
  if (x == NULL) TG_FAIL(TG_USAGE, "a point is NULL");
  if (!x->is_owned) TG_FAIL(TG_USAGE, "the point of a callback can be read and copied, not more");
  return tg_api_check_problem(x->problem);
}

// Points that are worked on together.
static tg_status check_points(const tracegrad_problem *p, int n, const tracegrad_point *const *points)
{
  for (int k = 0; k < n; k++) {
    TG_TRY(check_point(points[k]));
    if (points[k]->problem != p) TG_FAIL(TG_USAGE, "the points belong to different problems");
  }
  return TG_OK;
}

static tg_status find_variable(const tracegrad_point *x, const char *name, int *out)
{
  *out = name != NULL ? tg_spec_find_variable(x->setup->task->spec, name) : -1;
  if (*out < 0) TG_FAIL(TG_NAME, "'%.64s' is no variable of the problem", name != NULL ? name : "NULL");
  return TG_OK;
}

// ---- life ----

static tg_status make_evaluator(tracegrad_problem *p)
{
  tg_api_call call;
  TG_TRY(tg_api_read(p));
  if (p->evaluator != NULL) return TG_OK;
  TG_TRY(tg_agree(p->comm, tg_api_enter(&call)));
  const tg_status status = tg_evaluator_create(p->comm, &p->job->spec, &p->evaluator);
  tg_api_leave(&call);
  return status;
}

static tg_status create(tracegrad_problem *p, tracegrad_point **out)
{
  TG_TRY(tg_api_meet(p, TG_CALL_POINT, tg_api_check_place(p, out)));
  TG_TRY(make_evaluator(p));
  tracegrad_point *x = NULL;
  const tg_setup *setup = tg_evaluator_setup(p->evaluator);
  tg_status status = tg_agree(p->comm, TG_NEW(1, &x));
  if (status == TG_OK) status = setup->space->ops->create(setup->space, &x->point);
  if (status != TG_OK) {
    tg_free(x);
    return tg_error_pass(status, TG_HERE);
  }
  x->problem = p;
  x->setup = setup;
  x->space = setup->space;
  x->is_owned = true;
  p->n_points++;
  *out = x;
  return TG_OK;
}

int tracegrad_point_create(tracegrad_problem *p, tracegrad_point **out)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  if (out != NULL) *out = NULL;
  return tg_api_end(p, create(p, out));
}

void tracegrad_point_destroy(tracegrad_point **point)
{
  if (point == NULL || *point == NULL || !(*point)->is_owned) return;
  tracegrad_point *x = *point;
  x->space->ops->destroy(x->space, &x->point);
  x->problem->n_points--;
  tg_free(x);
  *point = NULL;
}

// ---- numbers in and out ----

static tg_status copy_start(tracegrad_point *x)
{
  TG_TRY(tg_api_meet(x->problem, TG_CALL_START, check_point(x)));
  return opt_copy(x->space, x->setup->x, x->point);
}

int tracegrad_point_start(tracegrad_point *x)
{
  if (x == NULL) return tg_api_end(NULL, check_point(x));
  return tg_api_end(x->problem, copy_start(x));
}

static tg_status set(tracegrad_point *x, const char *name, const tracegrad_array *array)
{
  int k = -1;
  tg_status status = check_point(x);
  if (status == TG_OK) status = find_variable(x, name, &k);
  TG_TRY(tg_api_meet(x->problem, TG_CALL_SET, status));
  return tg_api_read_array(x->problem, name, array, tg_space_block(x->point, k));
}

int tracegrad_point_set(tracegrad_point *x, const char *name, const tracegrad_array *array)
{
  if (x == NULL) return tg_api_end(NULL, check_point(x));
  return tg_api_end(x->problem, set(x, name, array));
}

// A variable in the caller's terms: *out is the point's own matrix, or *made, to be destroyed.
static tg_status open_variable(const tracegrad_point *x, int k, const tg_dmat **out, tg_dmat **made)
{
  const tg_dmat *block = tg_space_block(x->point, k);
  *out = block;
  *made = NULL;
  if (x->setup->model->n_changes == 0 || x->setup->model->change_of[k] < 0) return TG_OK;
  TG_TRY(tg_agree(x->problem->comm, tg_dmat_create(block->grid, block->rows, block->cols, made)));
  *out = *made;
  TG_TRY(tg_dmat_copy(block, *made));
  return tg_metric_change_undo(x->setup, k, *made);
}

static tg_status get(const tracegrad_point *x, const char *name, const tracegrad_array *array)
{
  int k = -1;
  const tg_dmat *matrix = NULL;
  tg_dmat *made = NULL;
  tg_status status = check_readable(x);
  if (status == TG_OK) status = find_variable(x, name, &k);
  TG_TRY(tg_api_meet(x->problem, TG_CALL_GET, status));
  status = open_variable(x, k, &matrix, &made);
  if (status == TG_OK) status = tg_api_write_array(x->problem, name, matrix, array);
  tg_dmat_destroy(&made);
  return status;
}

int tracegrad_point_get(const tracegrad_point *x, const char *name, const tracegrad_array *array)
{
  if (x == NULL) return tg_api_end(NULL, check_readable(x));
  return tg_api_end(x->problem, get(x, name, array));
}

// Grids are of the evaluator and of each minimisation, by the same rule for one description.
static tg_status move_block(const tg_dmat *from, tg_dmat *to)
{
  const tg_grid *g = from->grid;
  if (g == to->grid) return tg_dmat_copy(from, to);
  int *ranks = NULL;
  TG_TRY(tg_agree_memory(g->comm, TG_NEW(g->size, &ranks), &ranks));
  for (int k = 0; k < g->size; k++) ranks[k] = k % g->rows * g->cols + k / g->rows;
  const tg_array view = {.place = TG_ARRAY_DEALT,
                         .rows = from->rows,
                         .cols = from->cols,
                         .numbers = from->data,
                         .row_step = 1,
                         .col_step = from->ld,
                         .grid = {.rows = g->rows,
                                  .cols = g->cols,
                                  .row = g->row,
                                  .col = g->col,
                                  .ranks = ranks,
                                  .row_block = from->block,
                                  .col_block = from->block}};
  const tg_status status = tg_array_fill(&view, "a point", to);
  tg_free(ranks);
  return status;
}

static tg_status copy(const tracegrad_point *x, tracegrad_point *y)
{
  tg_status status = check_readable(x);
  if (status == TG_OK && !y->is_owned) status = check_point(y);
  if (status == TG_OK && x->problem != y->problem)
    status = tg_error_set(TG_USAGE, TG_HERE, "the points belong to different problems");
  TG_TRY(tg_api_meet(y->problem, TG_CALL_COPY, status));
  for (int k = 0; k < tg_space_blocks(x->point); k++) {
    const tg_dmat *matrix = NULL;
    tg_dmat *made = NULL;
    status = open_variable(x, k, &matrix, &made);
    if (status == TG_OK) status = move_block(matrix, tg_space_block(y->point, k));
    tg_dmat_destroy(&made);
    TG_TRY(status);
  }
  return TG_OK;
}

int tracegrad_point_copy(const tracegrad_point *x, tracegrad_point *y)
{
  if (x == NULL || y == NULL) return tg_api_end(NULL, tg_error_set(TG_USAGE, TG_HERE, "a point is NULL"));
  return tg_api_end(y->problem, copy(x, y));
}

static tg_status axpby(double a, const tracegrad_point *x, double b, tracegrad_point *y)
{
  const tracegrad_point *const points[] = {x, y};
  TG_TRY(tg_api_meet(y->problem, TG_CALL_AXPBY, check_points(y->problem, 2, points)));
  if (x != y) return opt_axpby(y->space, a, x->point, b, y->point);
  return opt_axpby(y->space, 0, y->point, a + b, y->point);
}

int tracegrad_point_axpby(double a, const tracegrad_point *x, double b, tracegrad_point *y)
{
  if (x == NULL || y == NULL) return tg_api_end(NULL, tg_error_set(TG_USAGE, TG_HERE, "a point is NULL"));
  return tg_api_end(y->problem, axpby(a, x, b, y));
}

static tg_status dot(const tracegrad_point *x, const tracegrad_point *y, double *out)
{
  const tracegrad_point *const points[] = {x, y};
  tg_status status = check_points(x->problem, 2, points);
  if (status == TG_OK && out == NULL) status = tg_error_set(TG_USAGE, TG_HERE, "the place for the number is NULL");
  TG_TRY(tg_api_meet(x->problem, TG_CALL_DOT, status));
  return opt_dot(x->space, x->point, y->point, out);
}

int tracegrad_point_dot(const tracegrad_point *x, const tracegrad_point *y, double *out)
{
  if (x == NULL || y == NULL) return tg_api_end(NULL, tg_error_set(TG_USAGE, TG_HERE, "a point is NULL"));
  return tg_api_end(x->problem, dot(x, y, out));
}

static tg_status find_local(tracegrad_point *x, const char *name, const tg_dmat **out)
{
  int k = -1;
  TG_TRY(check_point(x));
  TG_TRY(find_variable(x, name, &k));
  *out = tg_space_block(x->point, k);
  return TG_OK;
}

int tracegrad_point_local(tracegrad_point *x, const char *name, double **numbers, int64_t *rows, int64_t *columns,
                          int64_t *leading_dimension)
{
  const tg_dmat *m = NULL;
  const tg_status status = find_local(x, name, &m);
  if (status != TG_OK) return tg_api_end(x != NULL ? x->problem : NULL, status);
  if (numbers != NULL) *numbers = m->data;
  if (rows != NULL) *rows = m->local_rows;
  if (columns != NULL) *columns = m->local_cols;
  if (leading_dimension != NULL) *leading_dimension = m->ld;
  return 0;
}

static tg_status find_grid(tracegrad_problem *p, const tg_grid **out)
{
  TG_TRY(tg_api_meet(p, TG_CALL_GRID, tg_api_check_problem(p)));
  TG_TRY(make_evaluator(p));
  *out = tg_evaluator_setup(p->evaluator)->grid;
  return TG_OK;
}

int tracegrad_problem_grid(tracegrad_problem *p, int *rows, int *columns, int *row, int *column, int64_t *block)
{
  const tg_grid *g = NULL;
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  const tg_status status = find_grid(p, &g);
  if (status != TG_OK) return tg_api_end(p, status);
  if (rows != NULL) *rows = g->rows;
  if (columns != NULL) *columns = g->cols;
  if (row != NULL) *row = g->row;
  if (column != NULL) *column = g->col;
  if (block != NULL) *block = g->block;
  return 0;
}

// ---- evaluation ----

static tg_status check_result(const void *place, tg_status status)
{
  if (status == TG_OK && place == NULL) TG_FAIL(TG_USAGE, "the place for the result is NULL");
  return status;
}

static tg_status refuse_alias(const tracegrad_point *a, const tracegrad_point *b, tg_status status)
{
  if (status == TG_OK && a == b) TG_FAIL(TG_USAGE, "the result is one of the arguments: it needs a point of its own");
  return status;
}

static tg_status evaluate(tracegrad_problem *p, const tracegrad_point *x, double *f, tracegrad_point *gradient)
{
  const tracegrad_point *const points[] = {x, gradient};
  const int n = gradient != NULL ? 2 : 1;
  tg_status status = tg_api_check_problem(p);
  if (status == TG_OK) status = check_points(p, n, points);
  status = refuse_alias(x, gradient, check_result(f, status));
  TG_TRY(tg_api_meet(p, gradient != NULL ? TG_CALL_GRADIENT : TG_CALL_VALUE, status));
  if (gradient == NULL) return tg_evaluator_value(p->evaluator, x->point, f);
  return tg_evaluator_gradient(p->evaluator, x->point, f, gradient->point);
}

int tracegrad_problem_evaluate(tracegrad_problem *p, const tracegrad_point *x, double *f, tracegrad_point *gradient)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  return tg_api_end(p, evaluate(p, x, f, gradient));
}

static tg_status hessian(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *v, tracegrad_point *hv)
{
  const tracegrad_point *const points[] = {x, v, hv};
  tg_status status = tg_api_check_problem(p);
  if (status == TG_OK) status = check_points(p, 3, points);
  status = refuse_alias(v, hv, refuse_alias(x, hv, status));
  TG_TRY(tg_api_meet(p, TG_CALL_HESSIAN, status));
  return tg_evaluator_hessian(p->evaluator, x->point, v->point, hv->point);
}

int tracegrad_problem_hessian(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *v,
                              tracegrad_point *hv)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  return tg_api_end(p, hessian(p, x, v, hv));
}

static tg_status line(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *d, int n, const double *t,
                      double *f)
{
  const tracegrad_point *const points[] = {x, d};
  tg_status status = tg_api_check_problem(p);
  if (status == TG_OK) status = check_points(p, 2, points);
  if (status == TG_OK && (n < 0 || (n > 0 && (t == NULL || f == NULL))))
    status = tg_error_set(TG_USAGE, TG_HERE, "a line needs n >= 0 and room for n numbers");
  TG_TRY(tg_api_meet(p, TG_CALL_LINE, status));
  int range[2] = {n, -n};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_INT, MPI_MAX, p->comm));
  if (range[0] != -range[1]) TG_FAIL(TG_USAGE, "the ranks ask for different numbers of values along a line");
  return tg_evaluator_line(p->evaluator, x->point, d->point, n, t, f);
}

int tracegrad_problem_line(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *d, int n,
                           const double *t, double *f)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  return tg_api_end(p, line(p, x, d, n, t, f));
}
