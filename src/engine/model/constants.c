// Expressions evaluated once.
#include "engine/model/constants.h"

#include <math.h>

#include "engine/model/values.h"
#include "mpi/matrix/dmat_ops.h"

static tg_status copy_out(const tg_grid *grid, const tg_values *values, int n, tg_dmat **out)
{
  tg_status status = TG_OK;
  for (int k = 0; k < n && status == TG_OK; k++) {
    const tg_dmat *from = tg_values_matrix(values, k);
    if (from == NULL) continue;
    status = tg_dmat_create(grid, from->rows, from->cols, &out[k]);
    if (status == TG_OK) status = tg_dmat_copy(from, out[k]);
  }
  return tg_agree(grid->comm, status);
}

tg_status tg_constants_evaluate(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                                const opt_point *x, int n, const tg_node *nodes, tg_dmat **out, double *products)
{
  const tg_plan_data *shape = &model->plan->variables[0];
  const double side = fmax((double)shape->rows, (double)shape->cols);
  tg_values *values = NULL;
  for (int k = 0; k < n; k++) out[k] = NULL;
  tg_status status = tg_values_create(task, model, grid, data, x, n, nodes, &values);
  if (status == TG_OK) status = tg_values_evaluate(values);
  if (status == TG_OK) status = copy_out(grid, values, n, out);
  if (status == TG_OK) *products += tg_values_product_units(values, 2 * pow(side, 3));
  tg_values_destroy(&values);
  return status;
}
