// Arguments of constraints that are names of data.
#include "engine/model/set_data.h"

#include <inttypes.h>
#include <string.h>

#include "job/job_table.h"
#include "opt/constraint.h"

static opt_constraint_argument kind_of(const tg_job_variable *variable)
{
  const opt_constraint_row *row = variable->constraint != NULL ? opt_constraint_find(variable->constraint) : NULL;
  return row != NULL ? row->argument : OPT_ARGUMENT_NONE;
}

const tg_yaml_node *tg_set_data_argument(const tg_job_variable *variable, int k)
{
  const tg_yaml_node *node = tg_yaml_get(variable->node, "constraint");
  if (node == NULL || node->kind != TG_YAML_MAPPING) return NULL;
  const tg_yaml_node *argument = node->first->value;
  switch (kind_of(variable)) {
  case OPT_ARGUMENT_INTERVAL:
  case OPT_ARGUMENT_TOTALS:
    return k == 0 ? argument->first->value : argument->last->value;
  case OPT_ARGUMENT_TOTAL:
    return k == 0 && argument->kind != TG_YAML_NULL ? argument : NULL;
  default:
    return NULL;
  }
}

int tg_set_data_find(const tg_job *job, const tg_job_variable *variable, int k)
{
  double number = 0;
  const tg_yaml_node *node = tg_set_data_argument(variable, k);
  if (node == NULL || tg_value_bound(node, &number)) return -1;
  return tg_job_find_data(job, node->text);
}

bool tg_set_data_needs(const tg_job *job, const char *datum)
{
  for (int k = 0; k < job->n_variables; k++) {
    for (int a = 0; a < 2; a++) {
      const int found = tg_set_data_find(job, &job->variables[k], a);
      if (found >= 0 && strcmp(job->data[found].name, datum) == 0) return true;
    }
  }
  return false;
}

// A number, or a matrix of the variable's shape.
static tg_status check_bounds(const tg_job_variable *x, const tg_yaml_node *node, const tg_job_data *d)
{
  if ((d->rows == 1 && d->cols == 1) || (d->rows == x->rows && d->cols == x->cols)) return TG_OK;
  TG_FAIL_NODE(node, TG_SHAPE,
               "the bounds %s of %s are %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64
               ", a bound for each entry, or one number",
               d->name, x->name, d->rows, d->cols, x->rows, x->cols);
}

// A vector with a number for each line; where may_be_number, one number for all.
static tg_status check_totals(const tg_job_variable *x, bool by_rows, bool may_be_number, const tg_yaml_node *node,
                              const tg_job_data *d)
{
  const int64_t lines = by_rows ? x->rows : x->cols;
  const bool is_vector = !d->is_number && (d->rows == 1 || d->cols == 1) && d->rows * d->cols == lines;
  if (is_vector || (may_be_number && d->rows == 1 && d->cols == 1)) return TG_OK;
  TG_FAIL_NODE(node, TG_SHAPE,
               "the sums %s of the %s of %s are %" PRId64 " x %" PRId64 ", expected a vector of %" PRId64 " entries%s",
               d->name, by_rows ? "rows" : "columns", x->name, d->rows, d->cols, lines,
               may_be_number ? ", or one number" : "");
}

static tg_status check_argument(const tg_job_variable *x, int k, const tg_job_data *d)
{
  const tg_yaml_node *node = tg_set_data_argument(x, k);
  switch (kind_of(x)) {
  case OPT_ARGUMENT_INTERVAL:
    return check_bounds(x, node, d);
  case OPT_ARGUMENT_TOTALS:
    return check_totals(x, k == 0, false, node, d);
  default:
    return check_totals(x, opt_constraint_find(x->constraint)->kind == OPT_CONSTRAINT_SIMPLEX_ROWS, true, node, d);
  }
}

tg_status tg_set_data_check(tg_job *job)
{
  for (int k = 0; k < job->n_variables; k++) {
    for (int a = 0; a < 2; a++) {
      const int datum = tg_set_data_find(job, &job->variables[k], a);
      if (datum >= 0) TG_TRY(check_argument(&job->variables[k], a, &job->data[datum]));
    }
  }
  return TG_OK;
}
