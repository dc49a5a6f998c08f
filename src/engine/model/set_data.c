// Arguments of constraints that are names of data.
#include "engine/model/set_data.h"

#include <inttypes.h>
#include <string.h>

static opt_constraint_argument kind_of(const tg_task_variable *variable)
{
  const opt_constraint_row *row = opt_constraint_find(variable->constraint);
  return row != NULL ? row->argument : OPT_ARGUMENT_NONE;
}

int tg_set_data_find(const tg_task_variable *variable, int k)
{
  const tg_spec_argument *argument = &variable->spec->arguments[k];
  const opt_constraint_argument kind = kind_of(variable);
  const bool takes_data =
      kind == OPT_ARGUMENT_INTERVAL || kind == OPT_ARGUMENT_TOTALS || (kind == OPT_ARGUMENT_TOTAL && k == 0);
  return takes_data && argument->kind == TG_ARGUMENT_DATUM ? argument->datum : -1;
}

bool tg_set_data_by_rows(const opt_constraint_row *row, int k)
{
  return row->argument == OPT_ARGUMENT_TOTALS ? k == 0 : row->kind == OPT_CONSTRAINT_SIMPLEX_ROWS;
}

bool tg_set_data_needs(const tg_task *task, int datum)
{
  for (int k = 0; k < task->spec->n_variables; k++)
    for (int a = 0; a < 2; a++)
      if (tg_set_data_find(&task->variables[k], a) == datum) return true;
  return false;
}

// A number, or a matrix of the variable's shape.
static tg_status check_bounds(const tg_task_variable *x, tg_mark mark, const tg_task_data *d)
{
  if ((d->rows == 1 && d->cols == 1) || (d->rows == x->rows && d->cols == x->cols)) return TG_OK;
  TG_FAIL_MARK(TG_SHAPE, mark,
               "the bounds %s of %s are %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64
               ", a bound for each entry, or one number",
               d->spec->name, x->spec->name, d->rows, d->cols, x->rows, x->cols);
}

// A vector with a number for each line; where may_be_number, one number for all.
static tg_status check_totals(const tg_task_variable *x, bool by_rows, bool may_be_number, tg_mark mark,
                              const tg_task_data *d)
{
  const int64_t lines = by_rows ? x->rows : x->cols;
  const bool is_vector =
      d->spec->source != TG_SOURCE_NUMBER && (d->rows == 1 || d->cols == 1) && d->rows * d->cols == lines;
  if (is_vector || (may_be_number && d->rows == 1 && d->cols == 1)) return TG_OK;
  TG_FAIL_MARK(TG_SHAPE, mark,
               "the sums %s of the %s of %s are %" PRId64 " x %" PRId64 ", expected a vector of %" PRId64 " entries%s",
               d->spec->name, by_rows ? "rows" : "columns", x->spec->name, d->rows, d->cols, lines,
               may_be_number ? ", or one number" : "");
}

static tg_status check_argument(const tg_task_variable *x, int k, const tg_task_data *d)
{
  const opt_constraint_row *row = opt_constraint_find(x->constraint);
  const tg_mark mark = x->spec->arguments[k].mark;
  if (row->argument == OPT_ARGUMENT_INTERVAL) return check_bounds(x, mark, d);
  return check_totals(x, tg_set_data_by_rows(row, k), row->argument == OPT_ARGUMENT_TOTAL, mark, d);
}

tg_status tg_set_data_check(const tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    for (int a = 0; a < 2; a++) {
      const int datum = tg_set_data_find(&task->variables[k], a);
      if (datum >= 0) TG_TRY(check_argument(&task->variables[k], a, &task->data[datum]));
    }
  }
  return TG_OK;
}
