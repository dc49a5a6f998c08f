// The inverse of a whole Hessian of few unknowns.
//
// Unit vectors e_k give the columns of P H P, P the projection onto the space: all matrices, or the symmetric ones.
// There P H P + s (I - P) has the same inverse and the same determinant but for the factors s, and is definite.
// Scaled to a diagonal of ones, so that no unit of the unknowns decides whether it is singular.
#include "engine/sensitivity/covariance_whole.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/domain.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

typedef struct work {
  tg_minimum *at;
  int64_t n;
  opt_point *unit;
  opt_point *image;
  double *column;   // the image, on every rank
  double *beside;   // of entry k: <e_k, (I - P) e_k>
  double *scale;    // of entry k: the root of its diagonal
  tg_dmat *hessian; // n x n
  tg_factor *factor;
  tg_workspace *workspace;
} work;

tg_status tg_covariance_symmetric_flags(const tg_task *task, bool **out)
{
  TG_TRY(tg_domain_flags(task, out));
  for (int k = 0; k < task->spec->n_variables; k++) {
    const char *constraint = task->variables[k].constraint;
    if (constraint != NULL && strcmp(constraint, "symmetric") == 0) (*out)[k] = true;
  }
  return TG_OK;
}

// ---- entries by number: block after block, down the columns ----

static void set_entry(opt_point *point, int64_t k, double value)
{
  for (int b = 0; b < tg_space_blocks(point); b++) {
    tg_dmat *m = tg_space_block(point, b);
    const int64_t i = k % m->rows;
    const int64_t j = k / m->rows;
    if (j < m->cols) {
      const bool is_mine = tg_layout_owner(i, m->block, m->grid->rows) == m->grid->row &&
                           tg_layout_owner(j, m->block, m->grid->cols) == m->grid->col;
      if (is_mine)
        m->data[tg_layout_local(i, m->block, m->grid->rows) + tg_layout_local(j, m->block, m->grid->cols) * m->ld] =
            value;
      return;
    }
    k -= m->rows * m->cols;
  }
}

static tg_status gather(const opt_point *point, double *out)
{
  for (int b = 0; b < tg_space_blocks(point); b++) {
    const tg_dmat *m = tg_space_block(point, b);
    TG_TRY(tg_dmat_gather_small(m, out));
    out += m->rows * m->cols;
  }
  return TG_OK;
}

static void scatter(const double *in, opt_point *point)
{
  for (int b = 0; b < tg_space_blocks(point); b++) {
    tg_dmat *m = tg_space_block(point, b);
    tg_dmat_scatter_small(in, m);
    in += m->rows * m->cols;
  }
}

// Column k of the Hessian += factor * column. Local.
static void add_column(tg_dmat *h, int64_t k, double factor, const double *column)
{
  const tg_grid *grid = h->grid;
  if (tg_layout_owner(k, h->block, grid->cols) != grid->col) return;
  double *out = h->data + tg_layout_local(k, h->block, grid->cols) * h->ld;
  for (int64_t i = 0; i < h->local_rows; i++)
    out[i] += factor * column[tg_layout_global(i, h->block, grid->row, grid->rows)];
}

// ---- the matrix ----

// w->unit := P e_k
static tg_status make_unit(work *w, int64_t k)
{
  for (int b = 0; b < tg_space_blocks(w->unit); b++) tg_dmat_fill(0, tg_space_block(w->unit, b));
  set_entry(w->unit, k, 1);
  TG_TRY(tg_space_symmetrise(w->at->setup->space, w->unit));
  return opt_newton_equation_project(&w->at->equation, w->unit);
}

static tg_status fill(work *w)
{
  for (int64_t k = 0; k < w->n; k++) {
    TG_TRY(make_unit(w, k));
    TG_TRY(opt_newton_equation_apply(&w->at->equation, w->unit, w->image));
    TG_TRY(gather(w->image, w->column));
    add_column(w->hessian, k, 1, w->column);
  }
  return tg_factor_gather_diagonal(w->hessian, w->scale);
}

// Adds s (I - P), s the largest entry of the diagonal.
static tg_status complete(work *w, double *s, double *dropped)
{
  *s = 0;
  *dropped = 0;
  for (int64_t k = 0; k < w->n; k++) *s = fmax(*s, w->scale[k]);
  for (int64_t k = 0; k < w->n; k++) {
    TG_TRY(make_unit(w, k));
    TG_TRY(gather(w->unit, w->column));
    for (int64_t i = 0; i < w->n; i++) w->column[i] = (i == k) - w->column[i];
    w->beside[k] = w->column[k];
    *dropped += w->column[k];
    add_column(w->hessian, k, *s, w->column);
    w->scale[k] += *s * w->column[k];
  }
  return TG_OK;
}

// Whether the diagonal leaves a matrix that may be definite, whose roots are then the scale.
static bool is_possible(work *w)
{
  double largest = 0;
  double smallest = HUGE_VAL;
  for (int64_t k = 0; k < w->n; k++) {
    largest = fmax(largest, fabs(w->scale[k]));
    smallest = fmin(smallest, w->scale[k]);
  }
  if (!(smallest > 0)) {
    tg_minimum_judge(
        w->at,
        &(opt_newton_result){.verdict = smallest < -DBL_EPSILON * largest ? OPT_NEWTON_NEGATIVE : OPT_NEWTON_FLAT}, "");
    return false;
  }
  for (int64_t k = 0; k < w->n; k++) w->scale[k] = sqrt(w->scale[k]);
  return true;
}

static void divide_by_scale(work *w)
{
  tg_dmat *h = w->hessian;
  for (int64_t j = 0; j < h->local_cols; j++) {
    const double right = w->scale[tg_layout_global(j, h->block, h->grid->col, h->grid->cols)];
    for (int64_t i = 0; i < h->local_rows; i++)
      h->data[i + j * h->ld] /= right * w->scale[tg_layout_global(i, h->block, h->grid->row, h->grid->rows)];
  }
}

static tg_status factorise(work *w)
{
  tg_status status = tg_factor_cholesky(w->factor, w->hessian);
  if (status == TG_OK && tg_factor_pivot_ratio(w->factor) > (double)w->n * DBL_EPSILON) return TG_OK;
  if (status != TG_OK && status != TG_NUMERIC) return status;
  tg_error_clear();
  tg_minimum_judge(w->at, &(opt_newton_result){.verdict = OPT_NEWTON_FLAT}, "");
  return TG_OK;
}

static tg_status invert(work *w, opt_point *diagonal, double *logdet)
{
  double s = 0;
  double dropped = 0;
  TG_TRY(fill(w));
  TG_TRY(complete(w, &s, &dropped));
  if (!is_possible(w)) return TG_OK;
  divide_by_scale(w);
  TG_TRY(factorise(w));
  if (tg_minimum_is_refused(w->at)) return TG_OK;
  TG_TRY(tg_factor_logdet(w->factor, logdet));
  for (int64_t k = 0; k < w->n; k++) *logdet += 2 * log(w->scale[k]);
  if (dropped > 0) *logdet -= dropped * log(s);
  TG_TRY(tg_factor_inverse(w->factor, false, w->hessian, w->workspace));
  TG_TRY(tg_factor_gather_diagonal(w->hessian, w->column));
  for (int64_t k = 0; k < w->n; k++) {
    w->column[k] /= w->scale[k] * w->scale[k];
    if (w->beside[k] > 0) w->column[k] -= w->beside[k] / s;
  }
  scatter(w->column, diagonal);
  return TG_OK;
}

static tg_status create(work *w)
{
  const tg_setup *s = w->at->setup;
  w->n = s->space->dimension;
  TG_TRY(s->space->ops->create(s->space, &w->unit));
  TG_TRY(s->space->ops->create(s->space, &w->image));
  tg_status status = tg_alloc_numbers(w->n, &w->column);
  if (status == TG_OK) status = tg_alloc_numbers(w->n, &w->beside);
  if (status == TG_OK) status = tg_alloc_numbers(w->n, &w->scale);
  if (status == TG_OK) status = tg_dmat_create(s->grid, w->n, w->n, &w->hessian);
  TG_TRY(tg_agree(s->comm, status));
  TG_TRY(tg_factor_create(s->grid, w->n, &w->factor));
  return tg_agree(s->comm, tg_workspace_create(s->grid, &w->workspace));
}

tg_status tg_covariance_invert_whole(tg_minimum *at, opt_point *diagonal, double *logdet)
{
  work w = {.at = at};
  const opt_space *space = at->setup->space;
  *logdet = 0;
  tg_status status = create(&w);
  if (status == TG_OK) status = invert(&w, diagonal, logdet);
  space->ops->destroy(space, &w.unit);
  space->ops->destroy(space, &w.image);
  tg_free(w.column);
  tg_free(w.beside);
  tg_free(w.scale);
  tg_dmat_destroy(&w.hessian);
  tg_factor_destroy(&w.factor);
  tg_workspace_destroy(&w.workspace);
  return status;
}
