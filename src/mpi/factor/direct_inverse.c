// The inverse of a Hessian whose factors are known: its diagonal and its determinant.
#include <math.h>

#include "base/memory.h"
#include "mpi/factor/direct_parts.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

// ---- diagonals ----

// out(i,j) = left[i] right[j]. Local.
static void fill_outer(const double *left, const double *right, tg_dmat *out)
{
  const tg_grid *grid = out->grid;
  for (int64_t j = 0; j < out->local_cols; j++) {
    const double factor = right[tg_layout_global(j, out->block, grid->col, grid->cols)];
    for (int64_t i = 0; i < out->local_rows; i++)
      out->data[i + j * out->ld] = factor * left[tg_layout_global(i, out->block, grid->row, grid->rows)];
  }
}

// The diagonal of (ridge I + gain K'K)^-1 = (I - gain K' B^-1 K) / ridge, B being what is factorised.
static tg_status invert_wide(tg_direct *d, const side *s, double *out)
{
  tg_dmat *solved = NULL;
  tg_status status = tg_dmat_create(d->grid, s->wide->rows, s->n, &solved);
  TG_TRY_GOTO(tg_agree(d->grid->comm, status));
  TG_TRY_GOTO(tg_factor_solve(s->factor, false, false, s->wide, solved, d->workspace));
  d->flops += 2.0 * (double)s->wide->rows * (double)s->wide->rows * (double)s->n;
  TG_TRY_GOTO(tg_direct_dot_columns(s->wide, solved, out));
  for (int64_t i = 0; i < s->n; i++) out[i] = (1 - s->gain * out[i]) / s->ridge;
done:
  tg_dmat_destroy(&solved);
  return status;
}

static tg_status invert_side(tg_direct *d, const side *s, double *out)
{
  tg_dmat *inverse = NULL;
  for (int64_t i = 0; i < s->n; i++) out[i] = 1;
  if (s->factor == NULL) return TG_OK;
  if (s->wide != NULL) return invert_wide(d, s, out);
  tg_status status = tg_agree(d->grid->comm, tg_dmat_create(d->grid, s->n, s->n, &inverse));
  if (status == TG_OK) status = tg_factor_inverse(s->factor, false, inverse, d->workspace);
  if (status == TG_OK) status = tg_factor_gather_diagonal(inverse, out);
  d->flops += 2.0 / 3 * pow((double)s->n, 3);
  tg_dmat_destroy(&inverse);
  return status;
}

// log det of the factor of one side.
static tg_status logdet_of_side(const side *s, double *out)
{
  *out = 0;
  if (s->factor == NULL) return TG_OK;
  TG_TRY(tg_factor_logdet(s->factor, out));
  // det(ridge I_n + gain K'K) = ridge^(n - r) det(ridge I_r + gain K K')
  if (s->wide != NULL) *out += (double)(s->n - s->wide->rows) * log(s->ridge);
  return TG_OK;
}

// H = scale L x R.
static tg_status invert_cholesky(tg_direct *d, tg_dmat *diagonal, double *logdet)
{
  const side *s = d->sides;
  double *values[2] = {NULL, NULL};
  double logs[2] = {0, 0};
  tg_status status = TG_NEW(s[0].n, &values[0]);
  if (status == TG_OK) status = TG_NEW(s[1].n, &values[1]);
  status = tg_agree(d->grid->comm, status);
  for (int k = 0; k < 2 && status == TG_OK; k++) {
    status = invert_side(d, &s[k], values[k]);
    if (status == TG_OK) status = logdet_of_side(&s[k], &logs[k]);
  }
  if (status == TG_OK) {
    for (int64_t i = 0; i < s[0].n; i++) values[0][i] /= d->scale;
    fill_outer(values[0], values[1], diagonal);
    *logdet = (double)s[0].n * (double)s[1].n * log(d->scale) + (double)s[1].n * logs[0] + (double)s[0].n * logs[1];
  }
  tg_free(values[0]);
  tg_free(values[1]);
  return status;
}

// ---- in bases ----

static tg_status square_entries(const tg_dmat *basis, tg_dmat **out)
{
  TG_TRY(tg_agree(basis->grid->comm, tg_dmat_create(basis->grid, basis->rows, basis->cols, out)));
  TG_TRY(tg_dmat_copy(basis, *out));
  for (int64_t j = 0; j < (*out)->local_cols; j++)
    for (int64_t i = 0; i < (*out)->local_rows; i++)
      (*out)->data[i + j * (*out)->ld] *= (*out)->data[i + j * (*out)->ld];
  return TG_OK;
}

// out = (T.^2) in or in (U.^2)', a side without a basis being the identity.
static tg_status apply_squares(tg_direct *d, int which, const tg_dmat *in, tg_dmat *out)
{
  const tg_dmat *basis = d->sides[which].basis;
  tg_dmat *squares = NULL;
  if (basis == NULL) return tg_dmat_copy(in, out);
  tg_status status = square_entries(basis, &squares);
  if (status == TG_OK)
    status = which == 0 ? tg_product(TG_PRODUCT_AUTO, false, false, 1, squares, in, 0, out, d->workspace, NULL)
                        : tg_product(TG_PRODUCT_AUTO, false, true, 1, in, squares, 0, out, d->workspace, NULL);
  d->flops += 2.0 * (double)in->rows * (double)in->cols * (double)basis->rows;
  tg_dmat_destroy(&squares);
  return status;
}

// 2 log |det T|: 0 where T is orthogonal.
static tg_status logdet_of_basis(tg_direct *d, const side *s, double *out)
{
  tg_factor *factor = NULL;
  bool is_orthogonal = true;
  *out = 0;
  for (int64_t i = 0; i < s->n; i++) is_orthogonal = is_orthogonal && fabs(s->norms[i] - 1) < 1e-10;
  if (s->basis == NULL || is_orthogonal) return TG_OK;
  tg_status status = tg_factor_create(d->grid, s->n, &factor);
  if (status == TG_OK) status = tg_factor_lu(factor, s->basis);
  for (int64_t i = 0; status == TG_OK && i < s->n; i++) *out += 2 * log(fabs(factor->diagonal[i]));
  d->flops += 2.0 / 3 * pow((double)s->n, 3);
  tg_factor_destroy(&factor);
  return status;
}

// H^-1 = sum over (i,j) of (t_i u_j')(t_i u_j')' / w(i,j), so that its diagonal is (T.^2) (1 ./ w) (U.^2)'; and
// det H = prod w(i,j) / (det T^2n det U^2m).
static tg_status invert_spectral(tg_direct *d, tg_dmat *diagonal, double *logdet)
{
  const side *s = d->sides;
  double bases[2] = {0, 0};
  double sum = 0;
  tg_dmat *one = d->scratch[0];
  tg_dmat *two = d->scratch[1];
  for (int64_t j = 0; j < one->local_cols; j++)
    for (int64_t i = 0; i < one->local_rows; i++) {
      const double w = tg_direct_eigenvalue(d, tg_layout_global(i, one->block, one->grid->row, one->grid->rows),
                                            tg_layout_global(j, one->block, one->grid->col, one->grid->cols));
      one->data[i + j * one->ld] = 1 / w;
      sum += log(w);
    }
  TG_TRY(apply_squares(d, 0, one, two));
  TG_TRY(apply_squares(d, 1, two, diagonal));
  for (int k = 0; k < 2; k++) TG_TRY(logdet_of_basis(d, &s[k], &bases[k]));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, d->grid->comm));
  *logdet = sum - (double)s[1].n * bases[0] - (double)s[0].n * bases[1];
  return TG_OK;
}

// Of tr(S X) - c logdet(X) at X: H V = c X^-1 V X^-1 among symmetric matrices, so that the diagonal is
// (x_ii x_jj + x_ij^2) / 2c and det H = c^(n(n+1)/2) det X^-(n+1), X being c S^-1.
static tg_status invert_inverse(tg_direct *d, const tg_dmat *x, tg_dmat *diagonal, double *logdet)
{
  double *values = NULL;
  double logdet_s = 0;
  const double n = (double)x->rows;
  TG_TRY(tg_agree_memory(d->grid->comm, TG_NEW(x->rows, &values), &values));
  tg_status status = tg_factor_gather_diagonal(x, values);
  if (status == TG_OK) status = tg_factor_logdet(d->sides[0].factor, &logdet_s);
  if (status == TG_OK) {
    fill_outer(values, values, diagonal);
    for (int64_t j = 0; j < x->local_cols; j++)
      for (int64_t i = 0; i < x->local_rows; i++) {
        double *out = &diagonal->data[i + j * diagonal->ld];
        *out = (*out + x->data[i + j * x->ld] * x->data[i + j * x->ld]) / (2 * d->scale);
      }
    *logdet = n * (n + 1) / 2 * log(d->scale) + (n + 1) * (logdet_s - n * log(d->scale));
  }
  tg_free(values);
  return status;
}

tg_status tg_direct_invert(tg_direct *d, const tg_dmat *x, tg_dmat *diagonal, double *logdet, bool *is_known)
{
  *is_known = d->kind != DIRECT_KNOWN;
  for (int k = 0; k < 2; k++) // a pseudo-inverse
    if (d->sides[k].wide != NULL && !(d->sides[k].ridge > 0)) *is_known = false;
  if (!*is_known) return TG_OK;
  if (d->kind == DIRECT_INVERSE) return invert_inverse(d, x, diagonal, logdet);
  return d->kind == DIRECT_SPECTRAL ? invert_spectral(d, diagonal, logdet) : invert_cholesky(d, diagonal, logdet);
}
