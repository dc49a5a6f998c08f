// Sets judged entry by entry or by one norm: nonnegative, box, frobenius_ball, symmetric.
#include <float.h>
#include <math.h>

#include "mpi/constraint/constraint_set.h"
#include "mpi/matrix/dmat_ops.h"

// ---- nonnegative, box, and no bounds with a norm1: every entry by itself ----

// Bounds given by entries are matrices of the layout of x: local entries correspond.
typedef struct bounds {
  double low;
  double high;
  const tg_dmat *lows; // NULL: low
  const tg_dmat *highs;
} bounds;

static bounds bounds_of(const tg_set *set)
{
  const opt_constraint_block *block = &set->block;
  switch (block->kind) {
  case OPT_CONSTRAINT_BOX:
    return (bounds){.low = block->low, .high = block->high, .lows = block->lows, .highs = block->highs};
  case OPT_CONSTRAINT_NONNEGATIVE:
    return (bounds){.low = 0, .high = (double)INFINITY};
  default:
    return (bounds){.low = -(double)INFINITY, .high = (double)INFINITY};
  }
}

static double low_at(const bounds *b, int64_t i, int64_t j)
{
  return b->lows != NULL ? b->lows->data[i + j * b->lows->ld] : b->low;
}

static double high_at(const bounds *b, int64_t i, int64_t j)
{
  return b->highs != NULL ? b->highs->data[i + j * b->highs->ld] : b->high;
}

static tg_status violation_interval(tg_set *set, const tg_dmat *x, double *out)
{
  const bounds b = bounds_of(set);
  double worst = 0;
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double entry = x->data[i + j * x->ld];
      worst = tg_set_worse(worst, tg_set_worse(low_at(&b, i, j) - entry, entry - high_at(&b, i, j)));
    }
  }
  TG_TRY(tg_set_largest(set->grid, worst, out));
  return TG_OK;
}

// Comparisons let a NaN through: the objective shall see it.
static double moved_between(double entry, double low, double high)
{
  return entry < low ? low : entry > high ? high : entry;
}

static tg_status project_interval(tg_set *set, tg_dmat *x)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < x->local_cols; j++) {
    double *column = x->data + j * x->ld;
    for (int64_t i = 0; i < x->local_rows; i++)
      column[i] = moved_between(column[i], low_at(&b, i, j), high_at(&b, i, j));
  }
  return TG_OK;
}

static void norm1_interval(const tg_set *set, const tg_dmat *x, double *part)
{
  for (int64_t j = 0; j < x->local_cols; j++) {
    double sum = 0;
    for (int64_t i = 0; i < x->local_rows; i++) sum += fabs(x->data[i + j * x->ld]);
    *part += set->block.norm1 * sum;
  }
}

// The entry nearer to zero by a norm1, at most to zero, then moved between the bounds: the function of one entry is
// convex, so that its minimiser between bounds is the free one moved there.
static void proximal_interval(const tg_set *set, double a, tg_dmat *x)
{
  const bounds b = bounds_of(set);
  const double shrinkage = a * set->block.norm1;
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      double *entry = &x->data[i + j * x->ld];
      // A NaN passes all comparisons by: the objective shall see it.
      const double shrunk = *entry > shrinkage ? *entry - shrinkage : *entry < -shrinkage ? *entry + shrinkage : *entry;
      *entry = moved_between(fabs(*entry) <= shrinkage ? 0 : shrunk, low_at(&b, i, j), high_at(&b, i, j));
    }
  }
}

static tg_status extreme_interval(tg_set *set, const tg_dmat *g, tg_dmat *z)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < z->local_cols; j++)
    for (int64_t i = 0; i < z->local_rows; i++)
      z->data[i + j * z->ld] = g->data[i + j * g->ld] < 0 ? high_at(&b, i, j) : low_at(&b, i, j);
  return TG_OK;
}

enum { PIECE = 256 };

// Where x has arrived at its bounds: a difference of a bound's own rounding is none.
typedef struct ends {
  double low[PIECE];
  double high[PIECE];
} ends;

static double rounding_of(double bound)
{
  return isfinite(bound) ? 4 * DBL_EPSILON * fabs(bound) : 0;
}

// Those of `count` entries of column j from row i on; all PIECE where the bounds are numbers.
static void find_ends(const bounds *b, int64_t i, int64_t j, int64_t count, ends *out)
{
  for (int64_t k = 0; k < count; k++) {
    const double low = low_at(b, i + k, j);
    const double high = high_at(b, i + k, j);
    out->low[k] = low + rounding_of(low);
    out->high[k] = high - rounding_of(high);
  }
}

// How fast g x + w |x| falls when x moves to the right or to the left, whichever it may and falls faster. Selections
// only, no jumps: the signs of a gradient are as good as random.
static void steepest_piece(const ends *e, double w, int64_t count, const double *x, const double *g, double *v)
{
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const double right = (x[i] >= 0 ? -w : w) - g[i];
    const double left = (x[i] <= 0 ? w : -w) - g[i];
    const double may_rise = x[i] < e->high[i] ? right : 0;
    const double may_fall = x[i] > e->low[i] ? left : 0;
    const double rise = may_rise > 0 ? may_rise : 0;
    const double fall = may_fall < 0 ? may_fall : 0;
    const double step = rise > 0 ? rise : fall;
    v[i] = g[i] == g[i] ? step : g[i];
  }
}

static void steepest_interval(const tg_set *set, const tg_dmat *x, const tg_dmat *g, tg_dmat *v)
{
  const bounds b = bounds_of(set);
  const bool is_same = b.lows == NULL && b.highs == NULL;
  ends e;
  if (is_same) find_ends(&b, 0, 0, PIECE, &e);
  for (int64_t j = 0; j < v->local_cols; j++)
    for (int64_t i = 0; i < v->local_rows; i += PIECE) {
      const int64_t count = v->local_rows - i < PIECE ? v->local_rows - i : PIECE;
      if (!is_same) find_ends(&b, i, j, count, &e);
      steepest_piece(&e, set->block.norm1, count, x->data + i + j * x->ld, g->data + i + j * g->ld,
                     v->data + i + j * v->ld);
    }
}

// An entry at a bound stays there, unless it may be released and -g pulls it inwards. One with equal bounds never
// moves.
static bool is_held(double x, double g, bool release, double low, double high)
{
  return (x <= low && !(release && g < 0)) || (x >= high && !(release && g > 0));
}

// At the kink of a norm1, unless g overcomes it.
static bool is_at_kink(double x, double g, bool release, double w)
{
  return w > 0 && x == 0 && !(release && fabs(g) > w);
}

static void mask_interval(const tg_set *set, const tg_dmat *x, const tg_dmat *g, bool release, tg_dmat *v)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < v->local_cols; j++)
    for (int64_t i = 0; i < v->local_rows; i++)
      if (is_held(x->data[i + j * x->ld], g->data[i + j * g->ld], release, low_at(&b, i, j), high_at(&b, i, j)) ||
          is_at_kink(x->data[i + j * x->ld], g->data[i + j * g->ld], release, set->block.norm1))
        v->data[i + j * v->ld] = 0;
}

static void orthant_interval(const tg_set *set, const tg_dmat *x, tg_dmat *y)
{
  const bounds b = bounds_of(set);
  const bool has_kink = set->block.norm1 > 0;
  for (int64_t j = 0; j < y->local_cols; j++)
    for (int64_t i = 0; i < y->local_rows; i++) {
      const double side = x->data[i + j * x->ld];
      const double low = has_kink && side >= 0 ? fmax(0, low_at(&b, i, j)) : low_at(&b, i, j);
      const double high = has_kink && side <= 0 ? fmin(0, high_at(&b, i, j)) : high_at(&b, i, j);
      y->data[i + j * y->ld] = moved_between(y->data[i + j * y->ld], low, high);
    }
}

// An entry at a bound is held where -g pulls it outwards by more than `weak`, and, inwards, where v pulls it there.
static void critical_interval(const tg_set *set, const tg_dmat *x, const tg_dmat *g, double weak, bool inwards,
                              tg_dmat *v)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < v->local_cols; j++) {
    for (int64_t i = 0; i < v->local_rows; i++) {
      const double entry = x->data[i + j * x->ld];
      const double slope = g->data[i + j * g->ld];
      const double low = low_at(&b, i, j);
      const double high = high_at(&b, i, j);
      double *step = &v->data[i + j * v->ld];
      if (entry <= low && (slope > weak || high == low || (inwards && *step < 0))) *step = 0;
      if (entry >= high && (-slope > weak || (inwards && *step > 0))) *step = 0;
    }
  }
}

static void room_interval(const tg_set *set, const tg_dmat *x, const tg_dmat *d, double *t)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double entry = x->data[i + j * x->ld];
      const double step = d->data[i + j * d->ld];
      if (step < 0) *t = fmin(*t, (low_at(&b, i, j) - entry) / step);
      if (step > 0) *t = fmin(*t, (high_at(&b, i, j) - entry) / step);
    }
  }
}

// x + t d was meant to be at a bound and is there up to the rounding of t d.
static void settle_interval(const tg_set *set, double t, const tg_dmat *d, tg_dmat *x)
{
  const bounds b = bounds_of(set);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      double *entry = &x->data[i + j * x->ld];
      const double low = low_at(&b, i, j);
      const double high = high_at(&b, i, j);
      const double error = 4 * DBL_EPSILON * fabs(t * d->data[i + j * d->ld]);
      if (*entry <= low + error) *entry = low;
      if (*entry >= high - error) *entry = high;
    }
  }
}

const tg_set_ops tg_set_interval = {.violation = violation_interval,
                                    .norm1 = norm1_interval,
                                    .proximal = proximal_interval,
                                    .project = project_interval,
                                    .extreme = extreme_interval,
                                    .steepest = steepest_interval,
                                    .mask = mask_interval,
                                    .orthant = orthant_interval,
                                    .critical = critical_interval,
                                    .room = room_interval,
                                    .settle = settle_interval};

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

// z := -r g / |g|, the centre where g = 0.
static tg_status extreme_ball(tg_set *set, const tg_dmat *g, tg_dmat *z)
{
  double square = 0;
  TG_TRY(tg_dmat_dot(g, g, &square));
  const double factor = square == 0 ? 0 : -set->block.high / sqrt(square);
  const tg_dmat *const in[1] = {g};
  return tg_dmat_lincomb(1, &factor, in, z);
}

const tg_set_ops tg_set_ball = {.violation = violation_ball, .project = project_ball, .extreme = extreme_ball};

// ---- symmetric: a linear subspace, P(x) = (x + x') / 2 ----

static tg_bytes bytes_symmetric(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  return (tg_bytes){.kept = tg_cost_matrix_bytes(grid, rows, cols)};
}

static tg_status create_symmetric(tg_set *set)
{
  return tg_dmat_create(set->grid, set->rows, set->cols, &set->scratch[0]);
}

tg_status tg_set_skewness(const tg_set *set, const tg_dmat *x, tg_dmat *part, double *out)
{
  double square = 0;
  TG_TRY(tg_dmat_copy(x, part));
  TG_TRY(tg_dmat_transpose_add(set->workspace, -1, x, 1, part));
  TG_TRY(tg_dmat_dot(part, part, &square));
  *out = sqrt(square);
  return TG_OK;
}

static tg_status violation_symmetric(tg_set *set, const tg_dmat *x, double *out)
{
  return tg_set_skewness(set, x, set->scratch[0], out);
}

static tg_status project_symmetric(tg_set *set, tg_dmat *x)
{
  TG_TRY(tg_dmat_copy(x, set->scratch[0]));
  TG_TRY(tg_dmat_transpose_add(set->workspace, 0.5, set->scratch[0], 0.5, x));
  return TG_OK;
}

const tg_set_ops tg_set_symmetric = {.create = create_symmetric,
                                     .bytes = bytes_symmetric,
                                     .violation = violation_symmetric,
                                     .project = project_symmetric};
