// Taylor tests of gradient and Hessian action.
#include "cli/problem/taylor.h"

#include <float.h>
#include <math.h>

// A remainder counts when it stands this far above the rounding of the numbers it is the difference of. The
// objective's own sums round as well, by more than one unit in its last place.
static const double FLOOR_UNITS = 1e3;
static const double RATIO = 10.0;

const char *tg_taylor_verdict_label(tg_taylor_verdict verdict)
{
  static const char *const labels[] = {[TG_TAYLOR_PASSED] = "passed",
                                       [TG_TAYLOR_EXACT] = "exact",
                                       [TG_TAYLOR_FAILED] = "failed",
                                       [TG_TAYLOR_UNRESOLVED] = "unresolved",
                                       [TG_TAYLOR_NOT_FINITE] = "not finite"};
  return labels[verdict];
}

static bool is_resolved(const tg_taylor_row *row)
{
  return isfinite(row->remainder) && row->remainder > row->floor;
}

// Wrong gradients show as a run of slopes near 1. A right one passes 1 at most once, on its way from 2 into the
// rounding, which is why one such slope condemns nobody.
void tg_taylor_judge(tg_taylor *taylor)
{
  enum { RUN_NEEDED = 3 };
  int resolved = 0;
  int finite = 0;
  int run = 0;
  int longest = 0;
  double best = -INFINITY;
  double first_order = NAN;
  for (int k = 0; k < taylor->n; k++) {
    tg_taylor_row *row = &taylor->rows[k];
    row->order = NAN;
    finite += isfinite(row->remainder);
    resolved += is_resolved(row);
    if (k == 0 || !is_resolved(row) || !is_resolved(row - 1)) {
      run = 0;
      continue;
    }
    row->order = log((row - 1)->remainder / row->remainder) / log((row - 1)->t / row->t);
    run = fabs(row->order - 1.0) < 0.25 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      first_order = row->order;
    }
    if (row->order > best) best = row->order;
  }
  taylor->order = longest >= RUN_NEEDED ? first_order : best;
  if (longest >= RUN_NEEDED)
    taylor->verdict = TG_TAYLOR_FAILED;
  else if (finite > 0 && resolved == 0)
    taylor->verdict = TG_TAYLOR_EXACT;
  else
    taylor->verdict = best >= 1.75 ? TG_TAYLOR_PASSED : TG_TAYLOR_UNRESOLVED;
  if (!isfinite(taylor->order)) taylor->order = NAN;
}

// ---- points ----

// A test of the gradient has the first TG_TAYLOR_POINTS of them.
enum { N_POINTS = 5 };
typedef enum point_role { DIRECTION, GRADIENT, TRIAL, OTHER, ACTION } point_role;

typedef struct probe {
  opt_problem *problem;
  const opt_space *space;
  const opt_point *x;
  opt_point *points[N_POINTS];
} probe;

static void close_probe(probe *p)
{
  for (int k = 0; k < N_POINTS; k++) p->space->ops->destroy(p->space, &p->points[k]);
}

static tg_status dot(const probe *p, const opt_point *x, const opt_point *y, double *out)
{
  return p->space->ops->dots(p->space, 1, &x, &y, out);
}

// A random direction as long as the point, so that the first t are relative changes.
static tg_status make_direction(probe *p, uint64_t seed)
{
  double x_square = 0;
  double d_square = 0;
  TG_TRY(p->space->ops->random(p->space, seed, p->points[DIRECTION]));
  TG_TRY(dot(p, p->x, p->x, &x_square));
  TG_TRY(dot(p, p->points[DIRECTION], p->points[DIRECTION], &d_square));
  const double length = fmax(1.0, sqrt(x_square));
  if (!(d_square > 0) || !isfinite(length)) return TG_OK;
  return p->space->ops->axpby(p->space, 0.0, p->x, length / sqrt(d_square), p->points[DIRECTION]);
}

static tg_status open_probe(probe *p, opt_problem *problem, const opt_point *x, uint64_t seed, int n_points)
{
  *p = (probe){.problem = problem, .space = problem->space, .x = x};
  for (int k = 0; k < n_points; k++) TG_TRY(p->space->ops->create(p->space, &p->points[k]));
  return make_direction(p, seed);
}

static tg_status make_trial(probe *p, double t)
{
  TG_TRY(p->space->ops->copy(p->space, p->x, p->points[TRIAL]));
  return p->space->ops->axpby(p->space, t, p->points[DIRECTION], 1.0, p->points[TRIAL]);
}

// ---- gradient ----

static tg_status gradient_row(probe *p, double f, double slope, tg_taylor_row *row)
{
  double trial = 0;
  TG_TRY(make_trial(p, row->t));
  TG_TRY(p->problem->ops->value(p->problem, p->points[TRIAL], &trial));
  row->remainder = fabs(trial - f - row->t * slope);
  row->floor = FLOOR_UNITS * DBL_EPSILON * (fabs(f) + fabs(trial) + fabs(row->t * slope));
  return TG_OK;
}

static tg_status gradient_rows(probe *p, int steps, tg_taylor *out)
{
  double f = 0;
  double slope = 0;
  TG_TRY(p->problem->ops->gradient(p->problem, p->x, &f, p->points[GRADIENT]));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[DIRECTION], &slope));
  if (!isfinite(f) || !isfinite(slope)) {
    out->verdict = TG_TAYLOR_NOT_FINITE;
    return TG_OK;
  }
  double t = 1.0;
  for (out->n = 0; out->n < steps && out->n < TG_TAYLOR_MAX; out->n++) {
    out->rows[out->n].t = t /= RATIO;
    TG_TRY(gradient_row(p, f, slope, &out->rows[out->n]));
  }
  tg_taylor_judge(out);
  return TG_OK;
}

tg_status tg_taylor_gradient(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out)
{
  *out = (tg_taylor){.order = NAN};
  probe p;
  tg_status status = open_probe(&p, problem, x, seed, TG_TAYLOR_POINTS);
  if (status == TG_OK) status = gradient_rows(&p, steps, out);
  close_probe(&p);
  return status;
}

// ---- Hessian action ----

static tg_status hessian_row(probe *p, double gradient_norm, tg_taylor_row *row)
{
  double f = 0;
  double square = 0;
  double trial_square = 0;
  opt_point *rest = p->points[OTHER];
  TG_TRY(make_trial(p, row->t));
  TG_TRY(p->problem->ops->gradient(p->problem, p->points[TRIAL], &f, rest));
  TG_TRY(dot(p, rest, rest, &trial_square));
  TG_TRY(p->space->ops->axpby(p->space, -1.0, p->points[GRADIENT], 1.0, rest));
  TG_TRY(p->space->ops->axpby(p->space, -row->t, p->points[ACTION], 1.0, rest));
  TG_TRY(dot(p, rest, rest, &square));
  row->remainder = sqrt(square);
  row->floor = FLOOR_UNITS * DBL_EPSILON * (gradient_norm + sqrt(trial_square));
  return TG_OK;
}

static tg_status hessian_rows(probe *p, int steps, tg_taylor *out)
{
  double f = 0;
  double square = 0;
  TG_TRY(p->problem->ops->gradient(p->problem, p->x, &f, p->points[GRADIENT]));
  TG_TRY(p->problem->ops->hessian(p->problem, p->x, p->points[DIRECTION], p->points[ACTION]));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[GRADIENT], &square));
  if (!isfinite(f) || !isfinite(square)) {
    out->verdict = TG_TAYLOR_NOT_FINITE;
    return TG_OK;
  }
  double t = 1.0;
  for (out->n = 0; out->n < steps && out->n < TG_TAYLOR_MAX; out->n++) {
    out->rows[out->n].t = t /= RATIO;
    TG_TRY(hessian_row(p, sqrt(square), &out->rows[out->n]));
  }
  tg_taylor_judge(out);
  return TG_OK;
}

tg_status tg_taylor_hessian(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out)
{
  TG_ASSERT(problem->has_hessian);
  *out = (tg_taylor){.order = NAN};
  probe p;
  tg_status status = open_probe(&p, problem, x, seed, N_POINTS);
  if (status == TG_OK) status = hessian_rows(&p, steps, out);
  close_probe(&p);
  return status;
}
