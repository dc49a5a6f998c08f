// The metric of orthonormal columns in numbers.
#include "engine/problem/metric_change_numbers.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/metric_change.h"
#include "engine/problem/found.h"
#include "engine/problem/read_data.h"
#include "grad/plan/cost.h"
#include "mpi/factor/root.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"
#include "mpi/space/space.h"

// S as the plan holds it, or read for this alone: then *own.
static tg_status get_metric(tg_setup *setup, const tg_change *change, tg_dmat **own, const tg_dmat **out)
{
  const int32_t position = tg_model_find_data(setup->model, change->datum);
  if (position >= 0) {
    *out = setup->data[position];
    return TG_OK;
  }
  TG_TRY(tg_setup_read_datum(setup, &setup->task->data[change->datum], own));
  *out = *own;
  return TG_OK;
}

// Whether it is symmetric, the job says or the numbers do.
static tg_status make_root(const tg_setup *setup, int datum, tg_setup_metric *m)
{
  static const unsigned wanted = TG_SPD | TG_SYMMETRIC;
  tg_task_data *s = &setup->task->data[datum];
  if (((s->spec->properties | s->found) & wanted) == 0) TG_TRY(tg_found_look(m->s, &s->found));
  if (((s->spec->properties | s->found) & wanted) == 0) TG_FAIL(TG_NUMERIC, "it is not symmetric");
  return tg_root_create(m->s, &m->root, &m->inverse);
}

static tg_status at_metric(tg_setup *setup, int change, tg_status status)
{
  if (status != TG_NUMERIC) return status;
  int k = 0;
  while (setup->model->change_of[k] != change) k++;
  const tg_task_variable *variable = &setup->task->variables[k];
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "the metric %s is not positive definite: %s",
               setup->task->spec->data[tg_metric_change_datum(variable)].name, tg_error_get()->message);
  tg_error_set_mark(TG_DATA, TG_HERE, variable->spec->arguments[0].mark, "%s", tg_text_string(&message));
  tg_text_fini(&message);
  return TG_DATA;
}

tg_status tg_metric_change_fill(tg_setup *setup)
{
  const tg_model *model = setup->model;
  if (model->n_changes == 0) return TG_OK;
  TG_TRY(tg_agree(setup->comm, TG_NEW(model->n_changes, &setup->metrics)));
  for (int c = 0; c < model->n_changes; c++) {
    tg_setup_metric *m = &setup->metrics[c];
    TG_TRY(get_metric(setup, &model->changes[c], &m->own, &m->s));
    TG_TRY(at_metric(setup, c, make_root(setup, model->changes[c].datum, m)));
    for (int32_t k = 0; k < model->plan->n_data; k++) {
      if (strcmp(model->plan->data[k].name, model->changes[c].name) != 0) continue;
      setup->data[k] = m->inverse;
    }
  }
  return TG_OK;
}

// x := a x.
static tg_status multiply(const tg_dmat *a, tg_dmat *x)
{
  tg_workspace *workspace = NULL;
  tg_dmat *image = NULL;
  tg_status status = tg_workspace_create(x->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->rows, x->cols, &image);
  TG_TRY_GOTO(tg_agree(x->grid->comm, status));
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, x, 0, image, workspace, NULL));
  status = tg_dmat_copy(image, x);
done:
  tg_dmat_destroy(&image);
  tg_workspace_destroy(&workspace);
  return status;
}

double tg_metric_change_bytes(const tg_cost_grid *grid, int64_t n, bool is_shared)
{
  return (is_shared ? 1 : 2) * tg_cost_matrix_bytes(grid, n, n);
}

tg_status tg_metric_change_enter(const tg_setup *setup)
{
  for (int k = 0; k < setup->model->n_variables; k++) {
    const int change = setup->model->change_of[k];
    if (change >= 0) TG_TRY(multiply(setup->metrics[change].root, tg_space_block(setup->x, k)));
  }
  return TG_OK;
}

// |X'SX - I|.
static tg_status measure(const tg_dmat *s, const tg_dmat *x, double *out)
{
  tg_workspace *workspace = NULL;
  tg_dmat *image = NULL;
  tg_dmat *gram = NULL;
  double square = 0;
  tg_status status = tg_workspace_create(x->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->rows, x->cols, &image);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->cols, x->cols, &gram);
  TG_TRY_GOTO(tg_agree(x->grid->comm, status));
  tg_dmat_eye(1, gram);
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, s, x, 0, image, workspace, NULL));
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, true, false, 1, x, image, -1, gram, workspace, NULL));
  TG_TRY_GOTO(tg_dmat_dot(gram, gram, &square));
  *out = sqrt(square);
done:
  tg_dmat_destroy(&gram);
  tg_dmat_destroy(&image);
  tg_workspace_destroy(&workspace);
  return status;
}

tg_status tg_metric_change_undo(const tg_setup *setup, int variable, tg_dmat *x)
{
  const int change = setup->model->change_of[variable];
  return change >= 0 ? multiply(setup->metrics[change].inverse, x) : TG_OK;
}

tg_status tg_metric_change_leave(tg_setup *setup, double *violation)
{
  *violation = 0;
  for (int k = 0; k < setup->model->n_variables; k++) {
    const int change = setup->model->change_of[k];
    double here = 0;
    if (change < 0) continue;
    tg_dmat *x = tg_space_block(setup->x, k);
    TG_TRY(multiply(setup->metrics[change].inverse, x));
    TG_TRY(measure(setup->metrics[change].s, x, &here));
    if (!(here <= *violation)) *violation = here; // NaN too
  }
  return TG_OK;
}

void tg_metric_change_destroy(tg_setup *setup)
{
  for (int c = 0; setup->metrics != NULL && c < setup->model->n_changes; c++) {
    tg_setup_metric *m = &setup->metrics[c];
    for (int32_t k = 0; k < setup->model->plan->n_data; k++)
      if (setup->data[k] == m->inverse) setup->data[k] = NULL; // the plan borrowed it
    tg_dmat_destroy(&m->own);
    tg_dmat_destroy(&m->root);
    tg_dmat_destroy(&m->inverse);
  }
  tg_free(setup->metrics);
}
