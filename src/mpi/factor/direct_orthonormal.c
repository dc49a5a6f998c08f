// Minimisers on X'X = I: eigenvectors, polar factors.
#include "base/memory.h"
#include "mpi/factor/direct_parts.h"
#include "mpi/factor/eigen.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

// ---- scale tr(X'AXN) ----
//
// With A = Q diag(a) Q' and scale N = M diag(w) M', f = sum_ij a_i w_j y_ij^2 over Y = Q'XM with orthonormal columns: a
// linear function of a substochastic matrix, least at a matching. The weights in decreasing order take the least
// eigenvalues of A in increasing order as long as they are positive; the negative ones take the largest. In the order
// of decreasing w the columns of Q taken are in increasing order of a, so X = Q_taken M'.

// -scale N = M diag(-w) M': ascending values are decreasing weights. n_low of them are not negative.
static tg_status decompose_weights(double scale, const tg_dmat *weights, tg_dmat *m, int64_t *n_low)
{
  double *values = NULL;
  tg_dmat *turned = NULL;
  const double factor = -scale;
  tg_status status = tg_alloc_numbers(weights->cols, &values);
  if (status == TG_OK) status = tg_dmat_create(weights->grid, weights->rows, weights->cols, &turned);
  TG_TRY_GOTO(tg_agree(weights->grid->comm, status));
  TG_TRY_GOTO(tg_dmat_lincomb(1, &factor, &weights, turned));
  TG_TRY_GOTO(tg_eigen_symmetric(turned, values, m));
  *n_low = 0;
  while (*n_low < weights->cols && values[*n_low] <= 0) (*n_low)++;
done:
  tg_dmat_destroy(&turned);
  tg_free(values);
  return status;
}

// What it takes to find X.
typedef struct scratch {
  tg_dmat *m;
  tg_dmat *taken;
  double *values;
  tg_workspace *workspace;
} scratch;

static tg_status create_scratch(const tg_grid *grid, int64_t rows, int64_t cols, scratch *s)
{
  *s = (scratch){0};
  TG_TRY(tg_dmat_create(grid, cols, cols, &s->m));
  TG_TRY(tg_dmat_create(grid, rows, cols, &s->taken));
  TG_TRY(tg_alloc_numbers(cols, &s->values));
  return tg_workspace_create(grid, &s->workspace);
}

static void destroy_scratch(scratch *s)
{
  tg_dmat_destroy(&s->m);
  tg_dmat_destroy(&s->taken);
  tg_free(s->values);
  tg_workspace_destroy(&s->workspace);
}

static tg_status find_eigenvectors(double scale, const tg_dmat *a, const tg_dmat *weights, tg_dmat *x, double *flops)
{
  const double p = (double)x->cols;
  scratch s;
  int64_t n_low = scale > 0 ? x->cols : 0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_agree(x->grid->comm, create_scratch(x->grid, x->rows, x->cols, &s)));
  if (weights != NULL) TG_TRY_GOTO(decompose_weights(scale, weights, s.m, &n_low));
  tg_dmat *taken = weights != NULL ? s.taken : x;
  TG_TRY_GOTO(tg_eigen_extremes(a, n_low, x->cols - n_low, s.values, taken, flops));
  if (weights == NULL) goto done;
  *flops += 9 * p * p * p + 2 * (double)x->rows * p * p;
  status = tg_product(TG_PRODUCT_AUTO, false, true, 1, s.taken, s.m, 0, x, s.workspace, NULL);
done:
  destroy_scratch(&s);
  return status;
}

// ---- <C, X> ----

static tg_status find_polar(const tg_dmat *c, tg_dmat *x, double *flops)
{
  const double n = (double)x->rows;
  const double p = (double)x->cols;
  scratch s;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_agree(x->grid->comm, create_scratch(x->grid, x->rows, x->cols, &s)));
  TG_TRY_GOTO(tg_eigen_svd(c, s.taken, s.values, s.m));
  *flops = 14 * n * p * p + 8 * p * p * p + 2 * n * p * p;
  status = tg_product(TG_PRODUCT_AUTO, false, false, -1, s.taken, s.m, 0, x, s.workspace, NULL);
done:
  destroy_scratch(&s);
  return status;
}

// ---- both as a closed form ----

static tg_status check_shape(int64_t rows, int64_t cols)
{
  if (rows < cols)
    TG_FAIL(TG_INTERNAL, "a %lld x %lld matrix has no orthonormal columns", (long long)rows, (long long)cols);
  return TG_OK;
}

tg_status tg_direct_create_eigenvectors(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const *matrices,
                                        tg_direct **out)
{
  const tg_dmat *a = tg_direct_part(matrices, 0, TG_CLOSED_BASE);
  const tg_dmat *weights = tg_direct_part(matrices, 1, TG_CLOSED_BASE);
  tg_dmat *x = NULL;
  double flops = 0;
  *out = NULL;
  TG_TRY(check_shape(plan->rows, plan->cols));
  tg_status status = tg_agree(grid->comm, tg_dmat_create(grid, plan->rows, plan->cols, &x));
  if (status == TG_OK) status = find_eigenvectors(plan->scale, a, weights, x, &flops);
  if (status == TG_OK) return tg_direct_create_known(grid, x, flops, out);
  tg_dmat_destroy(&x);
  return tg_error_pass(status, TG_HERE);
}

tg_status tg_direct_create_polar(const tg_grid *grid, tg_dmat *const *matrices, tg_direct **out)
{
  const tg_dmat *c = tg_direct_part(matrices, 0, TG_CLOSED_BASE);
  tg_dmat *x = NULL;
  double flops = 0;
  *out = NULL;
  TG_TRY(check_shape(c->rows, c->cols));
  tg_status status = tg_agree(grid->comm, tg_dmat_create(grid, c->rows, c->cols, &x));
  if (status == TG_OK) status = find_polar(c, x, &flops);
  if (status == TG_OK) return tg_direct_create_known(grid, x, flops, out);
  tg_dmat_destroy(&x);
  return tg_error_pass(status, TG_HERE);
}
