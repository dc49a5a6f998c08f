// How ill-conditioned a direct solver's factors are, and what its terms weigh.
#include <math.h>

#include "base/memory.h"
#include "mpi/factor/direct_parts.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/matrix/reduce.h"
#include "mpi/product/product.h"

// v := A v / |A v| or A^-1 v / |A^-1 v|; *out = |A v|.
static tg_status power_step(tg_direct *d, const tg_dmat *a, const tg_factor *inverse, tg_dmat *v, tg_dmat *image,
                            double *out)
{
  double square = 0;
  if (a != NULL)
    TG_TRY(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, v, 0, image, d->workspace, NULL));
  else
    TG_TRY(tg_factor_solve(inverse, false, false, v, image, d->workspace));
  TG_TRY(tg_dmat_dot(image, image, &square));
  *out = sqrt(square);
  const double coef = 1 / *out;
  return tg_dmat_lincomb(1, &coef, (const tg_dmat *const[]){image}, v);
}

// v := v / |v|; *norm := |v|
static tg_status normalise(tg_dmat *v, double *norm)
{
  double square = 0;
  TG_TRY(tg_dmat_dot(v, v, &square));
  *norm = sqrt(square);
  const double coef = 1 / *norm;
  return tg_dmat_lincomb(1, &coef, (const tg_dmat *const[]){v}, v);
}

// v := D A^-1 D v with D = diag(A)^1/2, whose eigenvalues are those of the inverse of A scaled to a diagonal of ones.
static tg_status scaled_step(tg_direct *d, const tg_factor *inverse, const double *roots, tg_dmat *v)
{
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t j = 0; j < v->local_cols; j++)
      for (int64_t i = 0; i < v->local_rows; i++)
        v->data[i + j * v->ld] *= roots[tg_layout_global(i, v->block, d->grid->row, d->grid->rows)];
    if (pass == 0) TG_TRY(tg_factor_solve(inverse, false, false, v, v, d->workspace));
  }
  return TG_OK;
}

tg_status tg_direct_scaled_condition(tg_direct *direct, int which, const tg_dmat *matrix, double *out)
{
  enum { STEPS = 8 };
  const side *s = &direct->sides[which];
  tg_dmat *v = NULL;
  double *roots = NULL;
  double norm = 0;
  *out = 1;
  if (s->factor == NULL || matrix == NULL) return TG_OK;
  tg_status status = tg_dmat_create(direct->grid, matrix->rows, 1, &v);
  if (status == TG_OK) status = tg_alloc_numbers(matrix->rows, &roots);
  TG_TRY_GOTO(tg_agree(direct->grid->comm, status));
  TG_TRY_GOTO(tg_factor_gather_diagonal(matrix, roots));
  for (int64_t i = 0; i < matrix->rows; i++) roots[i] = sqrt(roots[i]);
  tg_generate_normal(1, 0, v);
  TG_TRY_GOTO(normalise(v, &norm));
  for (int k = 0; k < STEPS; k++) {
    TG_TRY_GOTO(scaled_step(direct, s->factor, roots, v));
    TG_TRY_GOTO(normalise(v, &norm));
  }
  *out = (double)matrix->rows * norm;
done:
  tg_free(roots);
  tg_dmat_destroy(&v);
  return status;
}

// The largest eigenvalue of A times that of A^-1.
static tg_status estimate_side(tg_direct *d, const side *s, const tg_dmat *a, double *out)
{
  enum { STEPS = 12 };
  tg_dmat *v = NULL;
  tg_dmat *image = NULL;
  double norm = 0;
  *out = 1;
  tg_status status = tg_dmat_create(d->grid, s->n, 1, &v);
  if (status == TG_OK) status = tg_dmat_create(d->grid, s->n, 1, &image);
  TG_TRY_GOTO(tg_agree(d->grid->comm, status));
  for (int inverse = 0; inverse < 2; inverse++) {
    tg_generate_normal(1, 0, v);
    for (int k = 0; k < STEPS; k++) TG_TRY_GOTO(power_step(d, inverse == 0 ? a : NULL, s->factor, v, image, &norm));
    *out *= norm;
  }
done:
  tg_dmat_destroy(&image);
  tg_dmat_destroy(&v);
  return status;
}

tg_status tg_direct_estimate_condition(tg_direct *direct, const tg_dmat *left, const tg_dmat *right, double *out)
{
  const tg_dmat *const matrices[2] = {left, right};
  *out = 1;
  for (int k = 0; k < 2; k++) {
    double condition = 1;
    if (matrices[k] != NULL) TG_TRY(estimate_side(direct, &direct->sides[k], matrices[k], &condition));
    *out *= condition;
  }
  return TG_OK;
}

tg_status tg_direct_share(const tg_direct *direct, unsigned terms, double *out)
{
  const side *s = direct->sides;
  const int64_t ranks = (int64_t)direct->grid->rows * direct->grid->cols;
  double sum = 0;
  int rank = 0;
  MPI_Comm_rank(direct->grid->comm, &rank);
  for (int64_t j = rank; j < s[1].n; j += ranks)
    for (int64_t i = 0; i < s[0].n; i++) {
      double part = 0;
      for (int k = 0; k < direct->n_terms; k++)
        if ((terms >> k & 1U) != 0) part += s[0].factors[k * s[0].n + i] * s[1].factors[k * s[1].n + j];
      sum += part / tg_direct_eigenvalue(direct, i, j);
    }
  TG_TRY(tg_reduce_sum(direct->grid, 1, &sum, out));
  *out /= (double)s[0].n * (double)s[1].n;
  return TG_OK;
}
