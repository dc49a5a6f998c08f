// The point of the variables that a preconditioner is made of, handed from point to point of a sweep.
//
// Along a path the Hessian changes little, and the making of a preconditioner may cost as much as many iterations. The
// share keeps the point that the last one was made of: its factors are constants of that point, which the memo has, and
// the numbers that are swept stand in it as they are. So a sweep that is resumed, which reads the point from the disk,
// makes the same preconditioner.
#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/share/share.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

static void destroy_all(int n, tg_dmat **matrices)
{
  for (int k = 0; matrices != NULL && k < n; k++) tg_dmat_destroy(&matrices[k]);
  tg_free(matrices);
}

static tg_status copy_blocks(const tg_grid *grid, const opt_point *x, tg_dmat **out)
{
  tg_status status = TG_OK;
  for (int k = 0; k < tg_space_blocks(x) && status == TG_OK; k++) {
    const tg_dmat *from = tg_space_block(x, k);
    status = tg_dmat_create(grid, from->rows, from->cols, &out[k]);
    if (status == TG_OK) status = tg_dmat_copy(from, out[k]);
  }
  return status;
}

static tg_status set(const tg_method_numbers *by, const opt_point *x)
{
  const int n = tg_space_blocks(x);
  tg_dmat **copies = NULL;
  tg_status status = TG_NEW(n, &copies);
  if (status == TG_OK) status = copy_blocks(by->grid, x, copies);
  status = tg_agree(by->grid->comm, status);
  if (status == TG_OK) return tg_agree(by->grid->comm, tg_share_set_metric(by->task->share, n, copies));
  destroy_all(n, copies);
  return status;
}

static tg_status look_from(const tg_method_numbers *by, tg_method_numbers *at)
{
  opt_point *view = NULL;
  tg_share *share = by->task->share;
  tg_dmat *const *metric = tg_share_metric_matrices(share);
  TG_TRY(tg_agree(by->grid->comm, tg_space_view_all(by->model->n_variables, metric, &view)));
  at->x = at->view = view;
  tg_memo_set_label(tg_share_memo(share), "the preconditioner");
  return TG_OK;
}

tg_status tg_method_metric_renew(const tg_method_numbers *by, tg_method *m, const opt_point *x, tg_method_numbers *at)
{
  *at = *by;
  at->x = x;
  if (!m->hands_on) return TG_OK;
  TG_TRY(set(by, x));
  tg_share_metric_facts(by->task->share)->was_renewed = x != m->point;
  return look_from(by, at);
}

tg_status tg_method_metric_enter(const tg_method_numbers *by, tg_method *m, tg_method_numbers *at)
{
  if (!m->hands_on || tg_share_metric_matrices(by->task->share) == NULL)
    return tg_method_metric_renew(by, m, m->point, at);
  *at = *by;
  return look_from(by, at);
}

void tg_method_metric_leave(const tg_method *m, tg_method_numbers *at, bool holds)
{
  tg_share *share = at->task->share;
  if (!m->hands_on || at->view == NULL) return;
  tg_memo_set_label(tg_share_memo(share), NULL);
  tg_space_view_destroy(&at->view);
  at->x = NULL;
  if (!holds) tg_share_drop_metric(share);
}
