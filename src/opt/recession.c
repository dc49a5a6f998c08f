// Whether a quadratic falls without end along a direction without curvature that the feasible set leaves open.
//
// Where H y = -g has no solution conjugate gradients on it end in a direction of the kernel of H (M. Hestenes, E.
// Stiefel 1952): the part of g in the range of H dies out, the rest stays. A set is left open along d as far as its
// projection of x + T d, T d large, goes.
#include <float.h>
#include <math.h>

#include "opt/solver.h"

// r = g + H y, the direction d and H d: rooms of the run that are free between two steps.
typedef struct probe {
  opt_point *r;
  opt_point *d;
  opt_point *hd;
} probe;

enum { ITERATIONS_MAX = 60 };
static const double far = 1e8; // times |x|: where the set is asked
static const double open_share = 1e-4;

// Conjugate gradients until d has no curvature beyond rounding. False where the system is solved, or not settled.
static tg_status find_kernel(opt_run *run, probe *p, bool *found)
{
  const opt_space *space = run->space;
  double rr = 0;
  *found = false;
  TG_TRY(opt_dot(space, p->r, p->r, &rr));
  const double solved = 1e-20 * rr;
  for (int k = 0; k < ITERATIONS_MAX && rr > solved; k++) {
    double q[2];
    TG_TRY(run->problem->ops->hessian(run->problem, run->x, p->d, p->hd));
    TG_TRY(
        space->ops->dots(space, 2, (const opt_point *const[]){p->d, p->d}, (const opt_point *const[]){p->hd, p->d}, q));
    if (!isfinite(q[0])) return TG_OK;
    run->rayleigh_max = fmax(run->rayleigh_max, fabs(q[0]) / q[1]);
    *found = q[0] <= 16 * DBL_EPSILON * run->rayleigh_max * q[1];
    if (*found) return TG_OK;
    const double t = rr / q[0];
    const double before = rr;
    TG_TRY(opt_axpby(space, t, p->hd, 1, p->r));
    TG_TRY(opt_dot(space, p->r, p->r, &rr));
    TG_TRY(opt_axpby(space, -1, p->r, rr / before, p->d));
  }
  return TG_OK;
}

// d := (P(x + T d) - x) / T
static tg_status bend_into_set(const opt_run *run, double d_norm, opt_point *d)
{
  double x_norm = 0;
  if (run->constraint == NULL) return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  const double t = far * (x_norm > 0 ? x_norm : 1) / d_norm;
  TG_TRY(opt_axpby(run->space, 1, run->x, t, d));
  TG_TRY(run->constraint->ops->project(run->constraint, d));
  return opt_axpby(run->space, -1 / t, run->x, 1 / t, d);
}

// The proof: f falls along d, which has no curvature.
static tg_status judge(opt_run *run, probe *p, bool *falls)
{
  const opt_space *space = run->space;
  double q[4];
  double d_norm = 0;
  TG_TRY(opt_norm(space, p->d, &d_norm));
  TG_TRY(bend_into_set(run, d_norm, p->d));
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, p->d, p->hd));
  TG_TRY(space->ops->dots(space, 4, (const opt_point *const[]){run->g, p->d, p->d, run->g},
                          (const opt_point *const[]){p->d, p->hd, p->d, run->g}, q));
  // What a bounded set leaves of d, |x| / far of it or so, is no direction of recession.
  if (!(sqrt(q[2]) > open_share * d_norm)) {
    *falls = false;
    return TG_OK;
  }
  const double slope = q[0] / sqrt(q[2]);
  const double curvature = q[1] / q[2];
  const double noise = 1e-13 * run->rayleigh_max;
  // If the curvature is only rounding, its largest possible value may end the fall as low as a sum of squares may go.
  const bool may_end = run->f - slope * slope / (2 * noise) >= -fabs(run->f_start);
  const bool is_open = curvature < -noise || (curvature <= noise && !may_end);
  // Not by the rounding of g.
  const double g_error = 16 * DBL_EPSILON * fmax(run->g_norm_start, run->rayleigh_max * run->x_reach);
  *falls = q[2] > 0 && is_open && slope < -1e-6 * sqrt(q[3]) && slope < -g_error;
  if (!*falls) return TG_OK;
  const opt_wording *wording = run->options->wording;
  run->ray = p->d;
  opt_run_explain(run,
                  "the objective is unbounded %s: along a direction d with |d| = 1 and slope %.4g, along which the "
                  "curvature is %.3g, it %s without end%s; add a constraint or a regularising term",
                  wording->below, opt_run_shown(run, slope), opt_run_shown(run, curvature), wording->falls,
                  run->constraint != NULL ? " inside the feasible set" : "");
  return TG_OK;
}

tg_status opt_run_probe_recession(opt_run *run, bool *falls)
{
  probe p = {.r = run->rooms[0], .d = run->rooms[1], .hd = run->hd};
  bool found = false;
  const bool has_norm1 = run->constraint != NULL && run->constraint->traits.has_norm1;
  *falls = false;
  if (run->hd == NULL || has_norm1 || run->options->is_nonnegative) return TG_OK;
  TG_TRY(opt_copy(run->space, run->g, p.r));
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, p.d));
  TG_TRY(find_kernel(run, &p, &found));
  return found ? judge(run, &p, falls) : TG_OK;
}

tg_status opt_ray_turns(opt_ray *ray, double t, bool *turns)
{
  static const double shares[] = {1e-4, 1e-2, 1};
  static const double least = 1e-6;
  double slopes[3] = {0, 0, 0};
  for (int k = 0; k < 3; k++) {
    double rise = 0;
    TG_TRY(opt_ray_eval(ray, shares[k] * t, &rise, &slopes[k]));
  }
  const double before = slopes[1] - slopes[0];
  const double last = slopes[2] - slopes[1];
  *turns = last > least * fabs(slopes[2]) && last >= before / 2;
  return TG_OK;
}
