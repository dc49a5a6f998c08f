// Constraints of the job file, checked and made.
#include "engine/method/feasible.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/norm1_split.h"
#include "engine/model/set_data.h"
#include "mpi/constraint/assignment.h"
#include "mpi/constraint/constraint.h"
#include "mpi/constraint/transportation.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"
#include "opt/driver.h"
#include "opt/resolve.h"
#include "opt/solver.h"

// Argument k as a number, of the job or of its data; false: it is a matrix.
static bool has_number(const tg_task *task, const tg_task_variable *variable, int k, double *out)
{
  const tg_spec_argument *argument = &variable->spec->arguments[k];
  const int datum = tg_set_data_find(variable, k);
  const bool is_number = argument->kind == TG_ARGUMENT_NUMBER;
  if (is_number) *out = argument->number;
  if (is_number || datum < 0 || task->spec->data[datum].source != TG_SOURCE_NUMBER) return is_number;
  *out = task->spec->data[datum].number;
  return true;
}

// Numbers of the job; those of matrices are not known yet and taken for finite.
static void read_numbers(const tg_task *task, const tg_task_variable *variable, const opt_constraint_row *row,
                         opt_constraint_block *out)
{
  switch (row->argument) {
  case OPT_ARGUMENT_RADIUS:
    out->high = variable->spec->arguments[0].number;
    break;
  case OPT_ARGUMENT_INTERVAL:
    has_number(task, variable, 0, &out->low);
    has_number(task, variable, 1, &out->high);
    break;
  case OPT_ARGUMENT_TOTAL:
    has_number(task, variable, 0, &out->total);
    break;
  default:
    break;
  }
}

// The set of one variable; its argument was validated when the job was read.
tg_status tg_feasible_read(const tg_task *task, const tg_task_variable *variable, opt_constraint_block *out)
{
  *out = (opt_constraint_block){.kind = OPT_CONSTRAINT_FREE, .norm1 = variable->norm1};
  if (variable->constraint == NULL) return TG_OK;
  const opt_constraint_row *row = opt_constraint_find(variable->constraint);
  TG_ASSERT(row != NULL); // the job was read: it is the name of one
  if (row->is_square && variable->rows != variable->cols)
    TG_FAIL_MARK(TG_SHAPE, variable->spec->constraint_mark,
                 "constraint %s needs a square matrix, %s is %" PRId64 " x %" PRId64, row->name, variable->spec->name,
                 variable->rows, variable->cols);
  if (row->kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS && variable->cols > variable->rows)
    TG_FAIL_MARK(TG_SHAPE, variable->spec->constraint_mark,
                 "constraint %s needs at least as many rows as columns, %s is %" PRId64 " x %" PRId64, row->name,
                 variable->spec->name, variable->rows, variable->cols);
  out->kind = row->kind;
  out->retraction = (opt_retraction)task->spec->solver.retraction;
  read_numbers(task, variable, row, out);
  return TG_OK;
}

// The last variable that has a constraint; NULL: none has.
static const tg_task_variable *last_constrained(const tg_task *task)
{
  const tg_task_variable *found = NULL;
  for (int k = 0; k < task->spec->n_variables; k++)
    if (task->variables[k].constraint != NULL) found = &task->variables[k];
  return found;
}

static tg_mark last_mark(const tg_task *task)
{
  const tg_task_variable *last = last_constrained(task);
  return last != NULL ? last->spec->constraint_mark : (tg_mark){0};
}

// No sets and no proximal steps: nothing of this file is needed.
static bool is_plain(const tg_task *task)
{
  return last_constrained(task) == NULL && !tg_model_has_norm1(task);
}

// All blocks, and what they have in common.
static tg_status read_blocks(const tg_task *task, opt_constraint_block *blocks, opt_traits *traits)
{
  for (int k = 0; k < task->spec->n_variables; k++) TG_TRY(tg_feasible_read(task, &task->variables[k], &blocks[k]));
  return tg_error_locate(last_mark(task), opt_traits_find(task->spec->n_variables, blocks, traits));
}

// An extreme point of a large matrix may be more than one rank can find.
static tg_status check_extremes(const tg_task *task, const opt_constraint_block *blocks)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (blocks[k].kind == OPT_CONSTRAINT_DOUBLY_STOCHASTIC)
      TG_TRY(tg_error_locate(x->spec->constraint_mark, tg_assignment_check(x->rows)));
    if (blocks[k].kind == OPT_CONSTRAINT_TRANSPORT)
      TG_TRY(tg_error_locate(x->spec->constraint_mark, tg_transportation_check(x->rows, x->cols)));
  }
  return TG_OK;
}

// Infinite bounds among the data may take the method its ground.
static tg_status check_solver(const tg_task *task, const opt_traits *traits)
{
  const opt_solver *solver = NULL;
  return tg_error_locate(tg_spec_solver_mark(task->spec, "method"),
                         opt_constrained_solver(&task->spec->solver, traits, &solver));
}

tg_status tg_feasible_check(const tg_task *task)
{
  opt_constraint_block *blocks = NULL;
  opt_traits traits;
  if (last_constrained(task) == NULL) return TG_OK;
  TG_TRY(TG_NEW(task->spec->n_variables, &blocks));
  tg_status status = read_blocks(task, blocks, &traits);
  const bool has_vertices = task->spec->solver.method == opt_option_choice(OPT_KIND_METHOD, "frank-wolfe");
  if (status == TG_OK && has_vertices) status = check_extremes(task, blocks);
  tg_free(blocks);
  return status;
}

int64_t tg_feasible_points(const tg_task *task, const opt_options *options, int degree)
{
  opt_constraint_block *blocks = NULL;
  opt_traits traits = {0};
  tg_status status = !is_plain(task) ? TG_NEW(task->spec->n_variables, &blocks) : TG_OK;
  if (status == TG_OK && blocks != NULL) status = read_blocks(task, blocks, &traits);
  tg_free(blocks);
  if (status != TG_OK) tg_error_clear();
  return traits.has_any ? opt_constrained_points(options, degree, &traits) : opt_working_points(options, degree);
}

tg_status tg_feasible_project(const tg_task *task, const opt_constraint *constraint, opt_point *x)
{
  if (constraint == NULL) return TG_OK;
  const tg_status status = constraint->ops->project(constraint, x);
  if (status != TG_NUMERIC) return status;
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "the start has no nearest feasible point: %s; give start: feasible", tg_error_get()->message);
  tg_error_set_mark(TG_VALUE, TG_HERE, last_mark(task), "%s", tg_text_string(&message));
  tg_text_fini(&message);
  return TG_VALUE;
}

// ---- numbers of data ----

// The least entry with sign 1, the largest with sign -1.
static tg_status find_extreme(const tg_dmat *m, double sign, double *out)
{
  double least = (double)INFINITY;
  for (int64_t j = 0; j < m->local_cols; j++)
    for (int64_t i = 0; i < m->local_rows; i++) least = fmin(least, sign * m->data[i + j * m->ld]);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, m->grid->comm));
  *out = sign * least;
  return TG_OK;
}

// A bound: the number of a 1 x 1 matrix, or the matrix and its extreme number.
static tg_status bind_bound(const tg_dmat *m, double sign, const void **matrix, double *number)
{
  const bool is_number = m->rows == 1 && m->cols == 1;
  if (!is_number) *matrix = m;
  return is_number ? tg_dmat_fetch(m, number) : find_extreme(m, sign, number);
}

static tg_status bind_matrix(const opt_constraint_row *row, int argument, const tg_dmat *m, opt_constraint_block *out)
{
  if (row->argument == OPT_ARGUMENT_INTERVAL)
    return argument == 0 ? bind_bound(m, 1, &out->lows, &out->low) : bind_bound(m, -1, &out->highs, &out->high);
  const bool is_number = row->argument == OPT_ARGUMENT_TOTAL && m->rows == 1 && m->cols == 1;
  *(tg_set_data_by_rows(row, argument) ? &out->row_totals : &out->column_totals) = m;
  if (!is_number) return TG_OK;
  out->row_totals = out->column_totals = NULL;
  TG_TRY(tg_dmat_fetch(m, &out->total));
  if (!(out->total > 0)) TG_FAIL(TG_DATA, "the sum of each line is to be %.6g, expected a positive number", out->total);
  return TG_OK;
}

// Puts the matrices that the constraint names into the block and verifies their numbers.
static tg_status bind_data(const tg_task *task, const tg_grid *grid, const tg_task_variable *x,
                           tg_dmat *const *set_data, opt_constraint_block *out)
{
  if (x->constraint == NULL) return TG_OK;
  const opt_constraint_row *row = opt_constraint_find(x->constraint);
  for (int a = 0; a < 2; a++) {
    const int datum = tg_set_data_find(x, a);
    if (datum >= 0 && task->spec->data[datum].source != TG_SOURCE_NUMBER)
      TG_TRY(tg_error_locate(x->spec->arguments[a].mark, bind_matrix(row, a, set_data[datum], out)));
  }
  const bool has_numbers = out->lows == NULL && out->highs == NULL;
  if (row->kind == OPT_CONSTRAINT_BOX && has_numbers && !(out->low <= out->high))
    TG_FAIL_MARK(TG_DATA, x->spec->constraint_mark, "no matrix is between these bounds: at least %.6g and at most %.6g",
                 out->low, out->high);
  return tg_error_locate(x->spec->constraint_mark, tg_constraint_verify(grid, out, x->rows, x->cols));
}

tg_status tg_feasible_create(const tg_task *task, const tg_grid *grid, tg_dmat *const *set_data, opt_problem *problem,
                             opt_point *x, opt_constraint **out)
{
  opt_constraint_block *blocks = NULL;
  opt_traits traits;
  *out = NULL;
  if (is_plain(task)) return TG_OK;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_agree(grid->comm, TG_NEW(task->spec->n_variables, &blocks)));
  TG_TRY_GOTO(read_blocks(task, blocks, &traits));
  for (int k = 0; k < task->spec->n_variables; k++)
    TG_TRY_GOTO(bind_data(task, grid, &task->variables[k], set_data, &blocks[k]));
  TG_TRY_GOTO(tg_error_locate(last_mark(task), opt_traits_find(task->spec->n_variables, blocks, &traits)));
  TG_TRY_GOTO(check_solver(task, &traits));
  TG_TRY_GOTO(tg_constraint_create(problem->space, grid, blocks, out));
  problem->constraint = *out;
  status = tg_feasible_project(task, *out, x);
done:
  tg_free(blocks);
  return status;
}
