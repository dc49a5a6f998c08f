// Sets judged entry by entry or by one norm: nonnegative, box, frobenius_ball, symmetric.
#include <math.h>

#include "mpi/constraint_set.h"
#include "mpi/dmat_ops.h"

// ---- nonnegative, box: every entry by itself ----

static void bounds_of(const tg_set *set, double *low, double *high)
{
  const bool is_box = set->block.kind == OPT_CONSTRAINT_BOX;
  *low = is_box ? set->block.low : 0;
  *high = is_box ? set->block.high : (double)INFINITY;
}

static tg_status violation_interval(tg_set *set, const tg_dmat *x, double *out)
{
  double low = 0;
  double high = 0;
  double worst = 0;
  bounds_of(set, &low, &high);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double entry = x->data[i + j * x->ld];
      worst = tg_set_worse(worst, tg_set_worse(low - entry, entry - high));
    }
  }
  TG_TRY(tg_set_largest(set->grid, worst, out));
  return TG_OK;
}

static tg_status project_interval(tg_set *set, tg_dmat *x)
{
  double low = 0;
  double high = 0;
  bounds_of(set, &low, &high);
  for (int64_t j = 0; j < x->local_cols; j++) {
    double *column = x->data + j * x->ld;
    // Comparisons let a NaN through: the objective shall see it.
    for (int64_t i = 0; i < x->local_rows; i++) column[i] = column[i] < low ? low : column[i] > high ? high : column[i];
  }
  return TG_OK;
}

const tg_set_ops tg_set_interval = {.violation = violation_interval, .project = project_interval};

// ---- frobenius_ball ----

static tg_status violation_ball(tg_set *set, const tg_dmat *x, double *out)
{
  double square = 0;
  TG_TRY(tg_dmat_dot(x, x, &square));
  const double outside = sqrt(square) - set->block.high;
  *out = outside < 0 ? 0 : outside;
  return TG_OK;
}

static tg_status project_ball(tg_set *set, tg_dmat *x)
{
  double square = 0;
  TG_TRY(tg_dmat_dot(x, x, &square));
  const double norm = sqrt(square);
  if (!(norm > set->block.high)) return TG_OK;
  const double factor = set->block.high / norm;
  const tg_dmat *const in[1] = {x};
  TG_TRY(tg_dmat_lincomb(1, &factor, in, x));
  return TG_OK;
}

const tg_set_ops tg_set_ball = {.violation = violation_ball, .project = project_ball};

// ---- symmetric: a linear subspace, P(x) = (x + x') / 2 ----

static tg_status create_symmetric(tg_set *set)
{
  return tg_dmat_create(set->grid, set->rows, set->cols, &set->scratch[0]);
}

static tg_status violation_symmetric(tg_set *set, const tg_dmat *x, double *out)
{
  double square = 0;
  TG_TRY(tg_dmat_copy(x, set->scratch[0]));
  TG_TRY(tg_dmat_transpose_add(set->workspace, -1, x, 1, set->scratch[0]));
  TG_TRY(tg_dmat_dot(set->scratch[0], set->scratch[0], &square));
  *out = sqrt(square);
  return TG_OK;
}

static tg_status project_symmetric(tg_set *set, tg_dmat *x)
{
  TG_TRY(tg_dmat_copy(x, set->scratch[0]));
  TG_TRY(tg_dmat_transpose_add(set->workspace, 0.5, set->scratch[0], 0.5, x));
  return TG_OK;
}

const tg_set_ops tg_set_symmetric = {
    .create = create_symmetric, .violation = violation_symmetric, .project = project_symmetric};
