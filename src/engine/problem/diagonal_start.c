// The minimiser of tr(S X) - c logdet(X) + w norm1(X) among diagonal matrices.
#include "engine/problem/diagonal_start.h"

#include <stdio.h>

#include "base/memory.h"
#include "engine/model/constants.h"
#include "grad/structure/closed_form.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

// diagonal[0..n) = c / (s_ii + w); *is_positive: all are.
static void invert(int64_t n, double c, double w, double *diagonal, bool *is_positive)
{
  *is_positive = true;
  for (int64_t i = 0; i < n; i++) {
    diagonal[i] += w;
    *is_positive = *is_positive && diagonal[i] > 0;
    diagonal[i] = c / diagonal[i];
  }
}

static void fill(const double *diagonal, tg_dmat *x)
{
  for (int64_t j = 0; j < x->local_cols; j++) {
    const int64_t column = tg_layout_global(j, x->block, x->grid->col, x->grid->cols);
    for (int64_t i = 0; i < x->local_rows; i++) {
      const int64_t row = tg_layout_global(i, x->block, x->grid->row, x->grid->rows);
      x->data[i + j * x->ld] = row == column ? diagonal[row] : 0;
    }
  }
}

static tg_status place(tg_setup *setup, tg_node s, double c, bool *done)
{
  const tg_task_variable *variable = &setup->task->variables[0];
  tg_dmat *x = tg_space_block(setup->x, 0);
  tg_dmat *matrix = NULL;
  double *diagonal = NULL;
  TG_TRY(tg_constants_evaluate(setup->task, setup->model, setup->grid, setup->data, NULL, 1, &s, &matrix,
                               &setup->method->products));
  tg_status status = tg_agree(setup->comm, TG_NEW(x->rows, &diagonal));
  if (status == TG_OK && matrix != NULL) status = tg_factor_gather_diagonal(matrix, diagonal);
  if (status == TG_OK) invert(x->rows, c, variable->norm1, diagonal, done);
  if (status == TG_OK && *done) {
    fill(diagonal, x);
    snprintf(setup->start_note, sizeof setup->start_note, "%s = the best diagonal matrix, for the job gives no start",
             variable->spec->name);
  }
  tg_free(diagonal);
  tg_dmat_destroy(&matrix);
  return status;
}

tg_status tg_diagonal_start(tg_setup *setup, bool *done)
{
  const tg_task_variable *x = &setup->task->variables[0];
  tg_model *model = setup->model;
  double coef = 0;
  tg_node s = TG_NONE;
  *done = false;
  if (model->n_variables != 1 || model->constraints != NULL || x->constraint != NULL || !(x->norm1 > 0)) return TG_OK;
  TG_TRY(tg_closed_read_logdet(model->graph, model->objective, model->symbols[0], &coef, &s));
  return coef < 0 ? place(setup, s, -coef, done) : TG_OK;
}
