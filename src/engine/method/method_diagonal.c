// The diagonal of the Hessian at the point as a preconditioner, whatever the point is.
//
// Of sum(X.*log(X)) + <C, X> it is 1 ./ X, so that M^-1 G = X .* G, the natural gradient (S. Amari, Neural Comput. 10,
// 1998): steps have the units of the entries, which at the minimum, exp(-1 - C), may differ by any factor.
#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/method/method_parts.h"
#include "engine/model/values.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/preconditioner.h"
#include "mpi/space/space.h"

struct tg_method_following {
  int n;
  opt_constraint_kind *sets; // of the variables: free, or simplices
  opt_space *space;
  opt_point *at; // where the diagonals are taken
  tg_values *diagonals;
};

void tg_method_following_destroy(tg_method_following **following)
{
  tg_method_following *f = *following;
  if (f == NULL) return;
  tg_values_destroy(&f->diagonals);
  if (f->space != NULL) f->space->ops->destroy(f->space, &f->at);
  tg_space_destroy(&f->space);
  tg_free(f->sets);
  tg_free(f);
  *following = NULL;
}

int64_t tg_method_following_products(const tg_method_following *following)
{
  return following != NULL ? tg_values_products(following->diagonals) : 0;
}

static tg_status create_point(const tg_method_numbers *by, tg_method_following *f)
{
  const tg_plan *plan = by->model->plan;
  int64_t *sizes = NULL;
  f->n = plan->n_variables;
  TG_TRY(TG_NEW(f->n, &f->sets));
  for (int k = 0; k < f->n && k < by->task->spec->n_variables; k++) {
    opt_constraint_block block;
    TG_TRY(tg_feasible_read(by->task, &by->task->variables[k], &block));
    f->sets[k] = block.kind;
  }
  TG_TRY(TG_NEW((int64_t)2 * f->n, &sizes));
  for (int k = 0; k < f->n; k++) {
    sizes[k] = plan->variables[k].rows;
    sizes[f->n + k] = plan->variables[k].cols;
  }
  tg_status status = tg_space_create(by->grid, f->n, sizes, sizes + f->n, &f->space);
  if (status == TG_OK) status = f->space->ops->create(f->space, &f->at);
  tg_free(sizes);
  return status;
}

// z := r ./ |d|, within the sums of lines where the set asks for them.
static tg_status divide(opt_constraint_kind set, const tg_dmat *d, const tg_dmat *r, tg_dmat *z)
{
  if (set == OPT_CONSTRAINT_SIMPLEX_ROWS || set == OPT_CONSTRAINT_SIMPLEX_COLUMNS)
    return tg_diagonal_divide_lines(d, set == OPT_CONSTRAINT_SIMPLEX_ROWS, r, z);
  return tg_diagonal_divide(d, r, z);
}

// z := r ./ |diagonal at x|; r itself where the point has none, at the very border of the domain.
static tg_status apply_at(void *self, const opt_point *x, const opt_point *r, opt_point *z)
{
  const tg_method_following *f = ((tg_method *)self)->following;
  for (int k = 0; k < f->n; k++) TG_TRY(tg_dmat_copy(tg_space_block(x, k), tg_space_block(f->at, k)));
  const tg_status status = tg_values_evaluate(f->diagonals);
  if (status != TG_OK && status != TG_NUMERIC) return status;
  if (status == TG_NUMERIC) tg_error_clear();
  for (int k = 0; k < f->n; k++) {
    const tg_dmat *in = tg_space_block(r, k);
    tg_dmat *out = tg_space_block(z, k);
    TG_TRY(status == TG_OK ? divide(f->sets[k], tg_values_matrix(f->diagonals, k), in, out) : tg_dmat_copy(in, out));
  }
  return TG_OK;
}

tg_status tg_method_follow_diagonal(const tg_method_numbers *by, tg_method *m)
{
  const tg_offer *offer = &m->strategy->offer;
  TG_TRY(tg_agree(by->grid->comm, TG_NEW(1, &m->following)));
  TG_TRY(tg_agree(by->grid->comm, create_point(by, m->following)));
  TG_TRY(tg_values_create(by->task, by->model, by->grid, by->data, m->following->at, offer->n_diagonals,
                          offer->diagonals, &m->following->diagonals));
  m->preconditioning = (opt_preconditioner){.name = "diagonal", .apply_at = apply_at, .is_scaled = true, .self = m};
  m->options.preconditioning = &m->preconditioning;
  return TG_OK;
}
