// Taylor tests of gradient and Hessian action.
#include "engine/problem/taylor.h"

#include <float.h>
#include <math.h>

#include "opt/vector.h"

// A remainder counts when it stands this far above the rounding of the numbers it is the difference of. The
// objective's own sums round as well, by more than one unit in its last place.
static const double FLOOR_UNITS = 1e3;
static const double RATIO = 10.0;
// A derivative that changes by less than this share of its alleged error over a step does not explain it.
static const double SHARE_OF_ERROR = 0.1;

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

// An error e of the derivative along H makes every r(t)/t at least |e - c t|: no row may be far below what a run of
// first order claims. The least bound over all rows, roundings counted in.
static double least_quotient(const tg_taylor *taylor)
{
  double least = INFINITY;
  for (int k = 0; k < taylor->n; k++) {
    const tg_taylor_row *row = &taylor->rows[k];
    if (isfinite(row->remainder)) least = fmin(least, (row->remainder + row->floor) / row->t);
  }
  return least;
}

// Fills the orders; the row at which the last long run of slopes near 1 ends, -1: there is none.
static int find_first_order(tg_taylor *taylor, double *best)
{
  enum { RUN_NEEDED = 3 };
  int run = 0;
  int last = -1;
  *best = -INFINITY;
  for (int k = 0; k < taylor->n; k++) {
    tg_taylor_row *row = &taylor->rows[k];
    row->order = NAN;
    if (k == 0 || !is_resolved(row) || !is_resolved(row - 1)) {
      run = 0;
      continue;
    }
    row->order = log((row - 1)->remainder / row->remainder) / log((row - 1)->t / row->t);
    run = fabs(row->order - 1.0) < 0.25 ? run + 1 : 0;
    if (run >= RUN_NEEDED) last = k;
    *best = fmax(*best, row->order);
  }
  return last;
}

// A wrong gradient shows as a run of slopes near 1 down to the rounding. A right one has such runs where t is too long
// for the curvature, with second order below them, and where the rounding of f or of G is a staircase: then r(t)/t was
// smaller at a longer t.
void tg_taylor_judge(tg_taylor *taylor)
{
  int resolved = 0;
  int finite = 0;
  double best = 0;
  const int last = find_first_order(taylor, &best);
  for (int k = 0; k < taylor->n; k++) {
    finite += isfinite(taylor->rows[k].remainder);
    resolved += is_resolved(&taylor->rows[k]);
  }
  const tg_taylor_row *end = last >= 0 ? &taylor->rows[last] : NULL;
  const bool is_first_order = end != NULL && end->remainder / end->t <= 4 * least_quotient(taylor);
  taylor->order = is_first_order ? end->order : best;
  taylor->suspect = is_first_order ? last : -1;
  if (is_first_order)
    taylor->verdict = TG_TAYLOR_FAILED;
  else if (finite > 0 && resolved == 0)
    taylor->verdict =
        least_quotient(taylor) <= 0.1 * taylor->scale || taylor->scale == 0 ? TG_TAYLOR_EXACT : TG_TAYLOR_UNRESOLVED;
  else
    taylor->verdict = best >= 1.75 ? TG_TAYLOR_PASSED : TG_TAYLOR_UNRESOLVED;
  if (!isfinite(taylor->order)) taylor->order = NAN;
}

// Rows beyond those asked for are taken while they may still tell: t was too long for the curvature so far. Below the
// rounding there is nothing to see.
static bool wants_more(tg_taylor *taylor, int steps)
{
  enum { HIDDEN_MAX = 2 };
  int hidden = 0;
  if (taylor->n == TG_TAYLOR_MAX) return false;
  if (taylor->n < steps) return true;
  tg_taylor_judge(taylor);
  if (taylor->verdict == TG_TAYLOR_PASSED || taylor->verdict == TG_TAYLOR_EXACT) return false;
  for (int k = taylor->n; k > 0 && taylor->rows[k - 1].remainder <= taylor->rows[k - 1].floor; k--) hidden++;
  return hidden < HIDDEN_MAX;
}

// ---- points ----

// A test of the gradient has the first TG_TAYLOR_POINTS of them.
enum { N_POINTS = 5 };
typedef enum point_role { DIRECTION, GRADIENT, TRIAL, OTHER, ACTION } point_role;

typedef struct probe {
  opt_problem *problem;
  const opt_space *space;
  const opt_point *x;
  double length; // of the direction
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

// A random direction as long as the point, so that t is a relative change; of norm 1 at the origin.
static tg_status make_direction(probe *p, uint64_t seed)
{
  double x_square = 0;
  double d_square = 0;
  TG_TRY(p->space->ops->random(p->space, seed, p->points[DIRECTION]));
  TG_TRY(dot(p, p->x, p->x, &x_square));
  TG_TRY(dot(p, p->points[DIRECTION], p->points[DIRECTION], &d_square));
  const double length = x_square > 0 ? sqrt(x_square) : 1;
  p->length = length;
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

// What the test of the gradient knows at x.
typedef struct at_x {
  double f;
  double slope;
  double g_norm;
} at_x;

// f and its change round, and so do the entries of x + t d.
static double gradient_floor(const probe *p, const at_x *at, double t, double trial)
{
  return FLOOR_UNITS * DBL_EPSILON * (fabs(at->f) + fabs(trial) + fabs(t * at->slope)) +
         4 * DBL_EPSILON * at->g_norm * p->length;
}

static tg_status gradient_row(probe *p, const at_x *at, tg_taylor_row *row)
{
  double trial = 0;
  TG_TRY(make_trial(p, row->t));
  TG_TRY(p->problem->ops->value(p->problem, p->points[TRIAL], &trial));
  row->remainder = fabs(trial - at->f - row->t * at->slope);
  row->floor = gradient_floor(p, at, row->t, trial);
  return TG_OK;
}

// First order proves an error only where the slope stays what it is: f(x + td) - f(x) is t times a slope between the
// two ends. Where the slope changes by as much as the remainder says, the curvature is too strong for every t tried.
static tg_status question_gradient(probe *p, const at_x *at, tg_taylor *out)
{
  const tg_taylor_row *row = &out->rows[out->suspect];
  double f = 0;
  double slope = 0;
  TG_TRY(make_trial(p, row->t));
  TG_TRY(p->problem->ops->gradient(p->problem, p->points[TRIAL], &f, p->points[GRADIENT]));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[DIRECTION], &slope));
  if (!(fabs(slope - at->slope) < SHARE_OF_ERROR * row->remainder / row->t)) out->verdict = TG_TAYLOR_UNRESOLVED;
  return p->problem->ops->gradient(p->problem, p->x, &f, p->points[GRADIENT]);
}

// The smallest t of those that the full test has whose remainder will stand well above the rounding, should it fall
// like t^2 from the row that is there; 0 where that is too near to tell first from second order.
static double second_step(const probe *p, const at_x *at, const tg_taylor_row *row)
{
  static const double clear = 10.0;
  enum { LEAST_DECADES = 2, MOST_DECADES = 5 };
  double found = 0;
  double t = row->t;
  for (int decade = 1; decade <= MOST_DECADES; decade++) {
    t /= RATIO;
    const double expected = row->remainder * (t / row->t) * (t / row->t);
    const bool is_clear = expected > clear * gradient_floor(p, at, t, at->f + t * at->slope);
    if (decade >= LEAST_DECADES && is_clear) found = t;
  }
  return found;
}

// With an error e of the slope r(t) is about |e t + c t^2|: second order down to t says that e is less than c t there.
static tg_status two_rows(probe *p, const at_x *at, tg_taylor *out)
{
  out->rows[0].t = 1.0 / RATIO;
  TG_TRY(gradient_row(p, at, &out->rows[0]));
  out->n = 1;
  const double t = is_resolved(&out->rows[0]) ? second_step(p, at, &out->rows[0]) : 0;
  if (t <= 0) return TG_OK;
  out->rows[1].t = t;
  TG_TRY(gradient_row(p, at, &out->rows[1]));
  out->n = 2;
  tg_taylor_judge(out);
  return TG_OK;
}

static tg_status gradient_rows(probe *p, int steps, bool is_quick, tg_taylor *out)
{
  at_x at = {0};
  double square = 0;
  TG_TRY(p->problem->ops->gradient(p->problem, p->x, &at.f, p->points[GRADIENT]));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[DIRECTION], &at.slope));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[GRADIENT], &square));
  if (!isfinite(at.f) || !isfinite(at.slope)) {
    out->verdict = TG_TAYLOR_NOT_FINITE;
    return TG_OK;
  }
  at.g_norm = sqrt(square);
  out->scale = fabs(at.slope);
  double t = 1.0;
  if (is_quick) {
    TG_TRY(two_rows(p, &at, out));
    if (out->n == 2 && out->verdict == TG_TAYLOR_PASSED) return TG_OK;
    out->n = 1; // its t is the first of the full test
    t = out->rows[0].t;
  }
  for (; wants_more(out, steps); out->n++) {
    out->rows[out->n].t = t /= RATIO;
    TG_TRY(gradient_row(p, &at, &out->rows[out->n]));
  }
  tg_taylor_judge(out);
  return out->verdict == TG_TAYLOR_FAILED ? question_gradient(p, &at, out) : TG_OK;
}

static tg_status test_gradient(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, bool is_quick,
                               tg_taylor *out)
{
  *out = (tg_taylor){.order = NAN, .suspect = -1};
  probe p;
  tg_status status = open_probe(&p, problem, x, seed, TG_TAYLOR_POINTS);
  if (status == TG_OK) status = gradient_rows(&p, steps, is_quick, out);
  close_probe(&p);
  return status;
}

tg_status tg_taylor_gradient(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out)
{
  return test_gradient(problem, x, seed, steps, false, out);
}

tg_status tg_taylor_probe(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out)
{
  return test_gradient(problem, x, seed, steps, true, out);
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

// As question_gradient, of the Hessian action along the direction.
static tg_status question_hessian(probe *p, tg_taylor *out)
{
  const tg_taylor_row *row = &out->rows[out->suspect];
  double f = 0;
  double square = 0;
  opt_point *change = p->points[OTHER];
  TG_TRY(make_trial(p, row->t));
  TG_TRY(p->problem->ops->gradient(p->problem, p->points[TRIAL], &f, p->points[GRADIENT]));
  TG_TRY(p->problem->ops->hessian(p->problem, p->points[TRIAL], p->points[DIRECTION], change));
  TG_TRY(p->space->ops->axpby(p->space, -1.0, p->points[ACTION], 1.0, change));
  TG_TRY(dot(p, change, change, &square));
  if (!(sqrt(square) < SHARE_OF_ERROR * row->remainder / row->t)) out->verdict = TG_TAYLOR_UNRESOLVED;
  return p->problem->ops->gradient(p->problem, p->x, &f, p->points[GRADIENT]);
}

static tg_status hessian_rows(probe *p, int steps, tg_taylor *out)
{
  double f = 0;
  double square = 0;
  TG_TRY(p->problem->ops->gradient(p->problem, p->x, &f, p->points[GRADIENT]));
  TG_TRY(p->problem->ops->hessian(p->problem, p->x, p->points[DIRECTION], p->points[ACTION]));
  TG_TRY(dot(p, p->points[GRADIENT], p->points[GRADIENT], &square));
  TG_TRY(opt_norm(p->space, p->points[ACTION], &out->scale));
  if (!isfinite(f) || !isfinite(square)) {
    out->verdict = TG_TAYLOR_NOT_FINITE;
    return TG_OK;
  }
  double t = 1.0;
  for (out->n = 0; wants_more(out, steps); out->n++) {
    out->rows[out->n].t = t /= RATIO;
    TG_TRY(hessian_row(p, sqrt(square), &out->rows[out->n]));
  }
  tg_taylor_judge(out);
  return out->verdict == TG_TAYLOR_FAILED ? question_hessian(p, out) : TG_OK;
}

tg_status tg_taylor_hessian(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out)
{
  TG_ASSERT(problem->has_hessian);
  *out = (tg_taylor){.order = NAN, .suspect = -1};
  probe p;
  tg_status status = open_probe(&p, problem, x, seed, N_POINTS);
  if (status == TG_OK) status = hessian_rows(&p, steps, out);
  close_probe(&p);
  return status;
}
