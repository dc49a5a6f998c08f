// Both signs of a direction are tried, by trial points: on a manifold along the retraction, on a convex set along the
// projected ray.
#include "opt/examine/leave.h"

#include <float.h>

#include "opt/stationarity.h"

enum { EXPANSIONS = 20, CONTRACTIONS = 14 };

static const double factor = 4; // between trial steps
// A ray that is still feasible at this multiple of x stays so: an argument for cones and half-spaces.
static const double far_out = 1e6;

typedef struct departure {
  opt_run *run;
  opt_point *v;
  opt_point *trial;
  opt_point *kept; // x, until the move has proved good
  double first;    // trial step
} departure;

// trial := the point at t, which may be negative, of the ray or curve along v.
static tg_status place(const departure *d, double t)
{
  const opt_run *run = d->run;
  if (run->manifold != NULL) return run->manifold->ops->retract(run->manifold, run->x, t, d->v, d->trial);
  TG_TRY(opt_copy(run->space, run->x, d->trial));
  TG_TRY(opt_axpby(run->space, t, d->v, 1, d->trial));
  if (run->constraint != NULL) TG_TRY(run->constraint->ops->project(run->constraint, d->trial));
  return TG_OK;
}

static tg_status rise_at(const departure *d, double t, double *rise)
{
  opt_run *run = d->run;
  double f = 0;
  TG_TRY(place(d, t));
  TG_TRY(run->problem->ops->value(run->problem, d->trial, &f));
  TG_TRY(opt_run_add_norm1(run, d->trial, &f));
  *rise = isfinite(f) ? f - run->f : (double)INFINITY;
  return TG_OK;
}

// The lowest of trial steps sign * first * factor^k: shorter ones until f falls, then longer ones while it falls on.
static tg_status search(const departure *d, double sign, double noise, double *t, double *rise)
{
  double step = sign * d->first;
  double best = 0;
  *t = 0;
  for (int k = 0; k < CONTRACTIONS; k++) {
    TG_TRY(rise_at(d, step, &best));
    if (best < -noise) break;
    step /= factor;
  }
  *rise = best;
  if (!(best < -noise)) return TG_OK;
  *t = step;
  const bool was_first = step == sign * d->first;
  for (int k = 0; k < EXPANSIONS && was_first; k++) {
    double next = 0;
    TG_TRY(rise_at(d, *t * factor, &next));
    if (!(next < *rise)) return TG_OK;
    *rise = next;
    *t *= factor;
  }
  return TG_OK;
}

// A step at which the curvature alone would lower f by a share of its size; a share of x where f is zero.
static double first_step(const opt_run *run, double curvature)
{
  const double scale = fmax(fabs(run->f), 1e-10 * fabs(run->f_start));
  const double by_value = sqrt(0.2 * scale / -curvature);
  return by_value > 0 && isfinite(by_value) ? by_value : run->x_reach > 0 ? 0.1 * run->x_reach : 1;
}

// x := the point at t, f and g there. Back again where f did not fall after all.
static tg_status move(const departure *d, double t, opt_departure *out)
{
  opt_run *run = d->run;
  const double f_before = run->f;
  TG_TRY(place(d, t));
  TG_TRY(opt_copy(run->space, run->x, d->kept));
  TG_TRY(opt_copy(run->space, d->trial, run->x));
  TG_TRY(opt_run_make_feasible(run));
  TG_TRY(opt_run_refresh(run));
  if (run->f < f_before && isfinite(run->g_norm)) {
    run->step = fabs(t);
    run->step_norm = fabs(t);
    run->x_reach += run->step_norm;
    *out = OPT_DEPARTURE_MOVED;
    return TG_OK;
  }
  TG_TRY(opt_copy(run->space, d->kept, run->x));
  return opt_run_refresh(run);
}

// Whether x + t v is feasible far out, and v therefore a direction of recession of the set, which is convex and closed.
static tg_status recedes(const departure *d, double sign, bool *out)
{
  const opt_run *run = d->run;
  double distance = 0;
  double size = 0;
  *out = run->constraint == NULL;
  if (run->constraint == NULL || run->manifold != NULL) return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &size));
  const double t = sign * far_out * (size > 0 ? size : 1);
  TG_TRY(place(d, t));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, d->trial));
  TG_TRY(opt_axpby(run->space, -t, d->v, 1, d->trial));
  TG_TRY(opt_norm(run->space, d->trial, &distance));
  *out = distance <= 1e-9 * fabs(t);
  return TG_OK;
}

// A quadratic falls without end along a feasible ray of negative curvature, whatever its slope.
static tg_status test_unbounded(const departure *d, double curvature, bool *out)
{
  opt_run *run = d->run;
  const opt_wording *wording = run->options->wording;
  double slope = 0;
  *out = false;
  if (run->problem->degree != 2 || run->manifold != NULL || run->options->is_nonnegative) return TG_OK;
  TG_TRY(opt_dot(run->space, run->g, d->v, &slope));
  const double downhill = slope > 0 ? -1 : 1;
  double sign = downhill;
  TG_TRY(recedes(d, sign, out));
  if (!*out) sign = -downhill;
  if (!*out) TG_TRY(recedes(d, sign, out));
  if (!*out) return TG_OK;
  TG_TRY(opt_axpby(run->space, 0, run->x, sign, d->v));
  slope *= sign;
  run->ray = d->v;
  opt_run_explain(run,
                  "the objective is unbounded %s: from a stationary point, |g| = %.3g, f(x + t d) - f(x) = %.4g t + "
                  "%.4g t^2 along a %sdirection d with |d| = 1; add a constraint or a regularising term",
                  wording->below, run->g_norm, opt_run_shown(run, slope), opt_run_shown(run, curvature / 2),
                  run->constraint != NULL ? "feasible " : "");
  return TG_OK;
}

tg_status opt_leave(const opt_subspace *s, const opt_krylov *work, double curvature, bool may_move, opt_departure *out)
{
  opt_run *run = s->run;
  const double noise = opt_run_noise(run);
  departure d = {
      .run = run, .v = work->found, .trial = work->now, .kept = work->before, .first = first_step(run, curvature)};
  bool is_unbounded = false;
  double t[2];
  double rise[2];
  *out = OPT_DEPARTURE_NONE;
  TG_TRY(test_unbounded(&d, curvature, &is_unbounded));
  if (is_unbounded) {
    *out = OPT_DEPARTURE_UNBOUNDED;
    return TG_OK;
  }
  TG_TRY(search(&d, 1, noise, &t[0], &rise[0]));
  TG_TRY(search(&d, -1, noise, &t[1], &rise[1]));
  const int lower = rise[1] < rise[0] ? 1 : 0;
  if (t[lower] == 0) return TG_OK;
  if (!may_move) {
    *out = OPT_DEPARTURE_MOVED;
    return TG_OK;
  }
  return move(&d, t[lower], out);
}

tg_status opt_leave_flat(const opt_subspace *s, const opt_krylov *work, double slope, opt_departure *out)
{
  enum { DISTANCES = 3 };
  static const double distances[DISTANCES] = {1e3, 1e6, 1e9}; // times the size of x
  opt_run *run = s->run;
  const opt_wording *wording = run->options->wording;
  const departure d = {.run = run, .v = work->found, .trial = work->now, .kept = work->before};
  bool falls = run->manifold == NULL && s->size > 0 && !run->options->is_nonnegative;
  *out = OPT_DEPARTURE_NONE;
  if (falls) TG_TRY(recedes(&d, 1, &falls));
  for (int k = 0; k < DISTANCES && falls; k++) {
    const double t = distances[k] * s->size;
    double rise = 0;
    TG_TRY(rise_at(&d, t, &rise));
    falls = rise < 0.5 * t * slope;
  }
  if (!falls) return TG_OK;
  opt_run_explain(
      run,
      "the objective is unbounded %s: along a %sdirection d with |d| = 1, slope %.4g and no curvature it still "
      "%s at distance %.4g; add a constraint or a regularising term",
      wording->below, run->constraint != NULL ? "feasible " : "", opt_run_shown(run, slope), wording->falls,
      distances[DISTANCES - 1] * s->size);
  run->ray = work->found;
  *out = OPT_DEPARTURE_UNBOUNDED;
  return TG_OK;
}

// trial := a random feasible point, with the zero variables of x at zero; *is_any: some are zero and others are not.
static tg_status place_beside_zeros(const departure *d, uint64_t seed, bool *is_any)
{
  const opt_run *run = d->run;
  const opt_space *space = run->space;
  double *keep = run->stationarity.squares;
  int zeros = 0;
  TG_TRY(
      space->ops->block_dots(space, 1, (const opt_point *const[]){run->x}, (const opt_point *const[]){run->x}, keep));
  for (int b = 0; b < space->n_blocks; b++) {
    zeros += keep[b] == 0;
    keep[b] = keep[b] == 0 ? 0 : 1;
  }
  *is_any = zeros > 0 && zeros < space->n_blocks;
  if (!*is_any) return TG_OK;
  TG_TRY(opt_constraint_random(run->constraint, seed, d->trial));
  return space->ops->block_scale(space, keep, d->trial);
}

tg_status opt_leave_plateau(opt_run *run, const opt_krylov *work, opt_departure *out)
{
  enum { TRIALS = 4 };
  const departure d = {.run = run, .trial = work->now, .kept = work->before};
  const double f_before = run->f;
  const double noise = opt_run_noise(run);
  bool is_any = run->constraint != NULL && run->space->n_blocks > 1;
  *out = OPT_DEPARTURE_NONE;
  for (uint64_t k = 1; k <= TRIALS && is_any; k++) {
    double f = 0;
    TG_TRY(place_beside_zeros(&d, (uint64_t)run->options->seed + k, &is_any));
    if (!is_any) return TG_OK;
    TG_TRY(run->problem->ops->value(run->problem, d.trial, &f));
    TG_TRY(opt_run_add_norm1(run, d.trial, &f));
    if (!(fabs(f - f_before) <= noise)) return TG_OK;
    TG_TRY(opt_copy(run->space, run->x, d.kept));
    TG_TRY(opt_copy(run->space, d.trial, run->x));
    TG_TRY(opt_run_refresh(run));
    if (!opt_run_is_stationary(run) && isfinite(run->g_norm)) {
      *out = OPT_DEPARTURE_MOVED;
      return TG_OK;
    }
    TG_TRY(opt_copy(run->space, d.kept, run->x));
    TG_TRY(opt_run_refresh(run));
  }
  return TG_OK;
}
