// Rays from the current point: evaluation, line search, and the move along them.
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "opt/line/polynomial.h"
#include "opt/solver.h"
#include "opt/stationarity.h"

// A step further than this many times |x|, or the first trial where x is zero, with f still falling, is taken for
// infinite.
static const double horizon = 1e12;
// On a manifold, of which most are compact, no trial goes further than this: a step that still falls there is taken.
static const double manifold_horizon = 1e3;
// A first trial goes no further than this many times |x|.
static const double furthest_trial = 100;

void opt_run_explain(opt_run *run, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(run->reason, sizeof run->reason, format, arguments);
  va_end(arguments);
}

double opt_run_shown(const opt_run *run, double value)
{
  return opt_wording_value(run->options->wording, value);
}

opt_verdict opt_run_no_step(opt_run *run, bool was_finite, const char *where, double length)
{
  opt_run_explain(run, "the objective %s %s down to |step| = %.3e, the gradient norm is %.3e",
                  was_finite ? run->options->wording->no_fall : "is not finite", where, length, run->g_norm);
  return was_finite ? OPT_STUCK : OPT_OUT_OF_RANGE;
}

tg_status opt_run_slope(const opt_run *run, const opt_point *d, double *slope, double *norm)
{
  double p[2];
  TG_TRY(
      run->space->ops->dots(run->space, 2, (const opt_point *const[]){run->g, d}, (const opt_point *const[]){d, d}, p));
  *slope = p[0];
  *norm = sqrt(p[1]);
  return TG_OK;
}

// f and the gradient at x: on a manifold the Riemannian one.
static tg_status differentiate(const opt_run *run, const opt_point *x, double *f, opt_point *g)
{
  const opt_constraint *manifold = run->manifold;
  TG_TRY(run->problem->ops->gradient(run->problem, x, f, g));
  if (manifold == NULL) return opt_run_add_norm1(run, x, f);
  TG_TRY(opt_run_note_rounding(run, g));
  if (run->g_free != NULL) TG_TRY(opt_copy(run->space, g, run->g_free));
  TG_TRY(manifold->ops->tangent(manifold, x, g));
  return opt_run_add_norm1(run, x, f);
}

tg_status opt_run_refresh(opt_run *run)
{
  TG_TRY(differentiate(run, run->x, &run->f, run->g));
  TG_TRY(opt_run_measure(run));
  run->is_fresh = true;
  return TG_OK;
}

// 0 where the problem knows none, or where a value on the way overflowed.
static double known_rounding(const opt_run *run)
{
  const double known = run->problem->value_error;
  return isfinite(known) ? known : 0;
}

double opt_run_noise(const opt_run *run)
{
  const double known = known_rounding(run);
  // The f of a quadratic is updated from step to step and keeps the rounding of its earlier values.
  const double start = known > 0 && run->hd == NULL ? 0 : 16 * DBL_EPSILON * fabs(run->f_start);
  return fmax(1e-10 * fabs(run->f), fmax(4 * known, start));
}

double opt_run_value_rounding(const opt_run *run)
{
  const double known = known_rounding(run);
  const double start = known > 0 && run->hd == NULL ? 0 : 16 * DBL_EPSILON * fabs(run->f_start);
  return fmax(8 * DBL_EPSILON * fabs(run->f), fmax(known, start));
}

tg_status opt_run_transport(const opt_run *run, opt_point *v)
{
  if (run->manifold == NULL) return TG_OK;
  TG_TRY(run->manifold->ops->tangent(run->manifold, run->x, v));
  return TG_OK;
}

tg_status opt_run_hessian(const opt_run *run, const opt_point *v, opt_point *hv)
{
  const opt_constraint *manifold = run->manifold;
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, v, hv));
  if (manifold == NULL) return TG_OK;
  TG_TRY(manifold->ops->hessian(manifold, run->x, run->g_free, v, hv));
  return TG_OK;
}

tg_status opt_run_precondition(const opt_run *run, const opt_point *g, opt_point *z)
{
  const opt_preconditioner *preconditioner = run->options->preconditioning;
  if (!opt_preconditioner_is_used(preconditioner, run->iteration)) return opt_copy(run->space, g, z);
  TG_TRY(preconditioner->apply_at != NULL ? preconditioner->apply_at(preconditioner->self, run->x, g, z)
                                          : preconditioner->apply(preconditioner->self, g, z));
  return TG_OK;
}

static bool has_finite_coefs(const opt_ray *ray)
{
  bool is_finite = isfinite(ray->slope) != 0;
  for (int k = 1; k <= ray->degree; k++) is_finite = is_finite && isfinite(ray->coefs[k]);
  return is_finite;
}

// Whether a quadratic falls without end. A curvature that is rounding error next to the largest one met may be zero, of
// either sign: d is a direction of the Hessian's kernel, in which conjugate gradients on an inconsistent system end, or
// the Hessian is too ill-conditioned to tell. It is taken for zero where much of the gradient lies along d, and where
// even the largest such curvature would let f fall as far below zero as it was above it at the start, which a sum of
// squares cannot; else for positive, so that the step is finite and lowers f. Where f is known to be nonnegative it
// always is, and a negative one is rounding, however large: that of a Gram matrix, say.
static bool quadratic_falls(opt_ray *ray)
{
  const opt_run *run = ray->run;
  const double d_squared = ray->d_norm * ray->d_norm;
  const double noise = 16 * DBL_EPSILON * run->rayleigh_max;
  if (run->options->is_nonnegative) {
    ray->coefs[2] = fmax(ray->coefs[2], noise * d_squared / 2);
    return false;
  }
  if (fabs(2 * ray->coefs[2]) > noise * d_squared) return ray->coefs[2] < 0;
  const double slope = ray->slope / ray->d_norm;
  if (fabs(slope) > 0.1 * run->g_norm) return true;
  if (!(run->f - slope * slope / (2 * noise) >= -fabs(run->f_start))) return true;
  if (ray->coefs[2] <= 0) ray->coefs[2] = noise * d_squared / 2;
  return false;
}

static bool polynomial_falls(opt_ray *ray)
{
  double t = 0;
  double rise = 0;
  if (ray->degree < 1 || !has_finite_coefs(ray)) return false;
  if (ray->degree == 2) return quadratic_falls(ray);
  return opt_polynomial_minimise(ray->degree, ray->coefs, ray->errors, &t, &rise) == OPT_POLYNOMIAL_FALLING;
}

// Computes H d of a quadratic, which the move will need, and the coefficients that follow from it.
static tg_status take_line_from_hessian(opt_ray *ray)
{
  opt_run *run = ray->run;
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, ray->d, run->hd));
  TG_TRY(opt_dot(run->space, ray->d, run->hd, &ray->curvature));
  ray->coefs[0] = run->f;
  ray->coefs[2] = ray->curvature / 2;
  return TG_OK;
}

static tg_status take_line(opt_ray *ray)
{
  opt_problem *problem = ray->run->problem;
  TG_TRY(problem->ops->line(problem, ray->run->x, ray->d, ray->coefs));
  for (int k = 2; k <= ray->degree; k++) ray->errors[k] = problem->line_errors[k];
  return TG_OK;
}

tg_status opt_ray_start(opt_run *run, const opt_point *d, double slope, double d_norm, opt_ray *ray)
{
  *ray = (opt_ray){.run = run, .d = d, .slope = slope, .d_norm = d_norm, .degree = run->degree, .trial_t = NAN};
  if (ray->degree < 0) {
    ray->noise = opt_run_noise(run);
    return TG_OK;
  }
  if (run->hd != NULL)
    TG_TRY(take_line_from_hessian(ray));
  else
    TG_TRY(take_line(ray));
  // <g, d> as an inner product keeps its digits near an optimum; as a sum of traces it would not.
  if (ray->degree >= 1) ray->coefs[1] = slope;
  if (ray->degree >= 2) run->rayleigh_max = fmax(run->rayleigh_max, fabs(2 * ray->coefs[2]) / (d_norm * d_norm));
  ray->falls = polynomial_falls(ray);
  return TG_OK;
}

// run->trial := x + t d
static tg_status place_trial(opt_ray *ray, double t)
{
  const opt_run *run = ray->run;
  if (ray->trial_t == t) return TG_OK;
  if (run->manifold != NULL) {
    TG_TRY(run->manifold->ops->retract(run->manifold, run->x, t, ray->d, run->trial));
  } else {
    TG_TRY(opt_copy(run->space, run->x, run->trial));
    TG_TRY(opt_axpby(run->space, t, ray->d, 1, run->trial));
  }
  ray->trial_t = t;
  ray->trial_has_gradient = false;
  return TG_OK;
}

static tg_status differentiate_trial(opt_ray *ray)
{
  const opt_run *run = ray->run;
  if (ray->trial_has_gradient) return TG_OK;
  TG_TRY(differentiate(run, run->trial, &ray->trial_f, run->g_old));
  ray->trial_has_gradient = true;
  return TG_OK;
}

tg_status opt_ray_eval(void *self, double t, double *rise, double *slope)
{
  opt_ray *ray = self;
  opt_run *run = ray->run;
  if (ray->degree >= 0) {
    double c[OPT_DEGREE_MAX + 1];
    for (int k = 1; k <= ray->degree; k++) c[k] = ray->coefs[k];
    c[0] = 0;
    *rise = opt_polynomial_value(ray->degree, c, t, slope);
    return TG_OK;
  }
  TG_TRY(place_trial(ray, t));
  if (slope != NULL) {
    TG_TRY(differentiate_trial(ray));
    TG_TRY(opt_dot(run->space, run->g_old, ray->d, slope));
  } else if (!ray->trial_has_gradient) {
    TG_TRY(run->problem->ops->value(run->problem, run->trial, &ray->trial_f));
    TG_TRY(opt_run_add_norm1(run, run->trial, &ray->trial_f));
  }
  *rise = ray->trial_f - run->f;
  return TG_OK;
}

// The polynomial's move: the problem carries f and g along.
static tg_status move_along(opt_ray *ray, double t)
{
  opt_run *run = ray->run;
  opt_point *target = run->g_old != NULL ? run->g_old : run->g;
  TG_TRY(run->problem->ops->advance(run->problem, t, run->x, ray->d, &run->f, target));
  TG_TRY(opt_run_add_norm1(run, run->x, &run->f));
  if (run->g_old != NULL) opt_swap(&run->g, &run->g_old);
  run->is_fresh = false;
  return TG_OK;
}

// Whether f has moved as the polynomial says, here by `expected`: a fall by a tenth of it at least. Where the rounding
// of f hides that, the polynomial is believed.
static bool is_as_expected(const opt_run *run, double f_before, double expected)
{
  const double noise = opt_run_noise(run);
  return isfinite(run->f) && run->f - f_before <= expected + 0.9 * fabs(expected) + noise;
}

// Back to the point before the move, which run->trial holds, and its line, for another one.
static tg_status take_back(opt_ray *ray)
{
  opt_run *run = ray->run;
  TG_TRY(opt_copy(run->space, run->trial, run->x));
  TG_TRY(opt_run_refresh(run));
  TG_TRY(take_line(ray));
  ray->coefs[1] = ray->slope;
  return TG_OK;
}

// The polynomial's move, checked: its coefficients are computed numbers, and far out their rounding makes minima that f
// does not have. f at the new point is known anyway.
static tg_status move_checked(opt_ray *ray, double *t, opt_verdict *verdict)
{
  enum { TRIALS_MAX = 40 };
  opt_run *run = ray->run;
  for (int trial = 0; trial<TRIALS_MAX && * t> 0; trial++) {
    const double f_before = run->f;
    const double expected = opt_polynomial_rise(ray->degree, ray->coefs, *t);
    double rise = 0;
    TG_TRY(opt_copy(run->space, run->x, run->trial));
    TG_TRY(move_along(ray, *t));
    if (is_as_expected(run, f_before, expected)) return TG_OK;
    TG_TRY(take_back(ray));
    const double longest = *t / 8;
    opt_polynomial_minimise_within(ray->degree, ray->coefs, ray->errors, longest, t, &rise);
  }
  opt_run_explain(
      run,
      "the objective does not follow its polynomial along a direction of %s: the coefficients are rounding, "
      "|g| = %.3e",
      run->options->wording->descent, run->g_norm);
  *verdict = OPT_STUCK;
  return TG_OK;
}

// x += t d, g += t H d, and f by its polynomial: what the method of Hestenes and Stiefel does with its residual. The
// error of g is then made of the errors of the steps and shrinks with them; G(x) recomputed has that of its largest
// term.
static tg_status move_by_hessian(opt_ray *ray, double t)
{
  opt_run *run = ray->run;
  double norm1 = 0;
  double slope = ray->slope;
  TG_TRY(opt_run_add_norm1(run, run->x, &norm1));
  // Where there is a norm1 term the ray's slope has a share of it.
  if (run->constraint != NULL && run->constraint->traits.has_norm1) TG_TRY(opt_dot(run->space, run->g, ray->d, &slope));
  TG_TRY(opt_axpby(run->space, t, ray->d, 1, run->x));
  run->f += t * (slope + t * ray->curvature / 2) - norm1;
  TG_TRY(opt_run_add_norm1(run, run->x, &run->f));
  TG_TRY(opt_axpby(run->space, 1, run->g, t, run->hd));
  opt_swap(&run->g, &run->hd);
  if (run->g_old != NULL) opt_swap(&run->g_old, &run->hd);
  run->is_fresh = false;
  return TG_OK;
}

// The general move: the trial point and its gradient change places with the current ones.
static tg_status move_to_trial(opt_ray *ray, double t)
{
  opt_run *run = ray->run;
  TG_TRY(place_trial(ray, t));
  TG_TRY(differentiate_trial(ray));
  opt_swap(&run->x, &run->trial);
  opt_swap(&run->g, &run->g_old);
  run->f = ray->trial_f;
  run->is_fresh = run->manifold == NULL; // a retracted point is feasible up to rounding only
  return TG_OK;
}

tg_status opt_ray_move(opt_ray *ray, double t, opt_verdict *verdict)
{
  opt_run *run = ray->run;
  *verdict = OPT_MOVED;
  if (run->hd != NULL) {
    TG_TRY(move_by_hessian(ray, t));
  } else if (ray->degree > 2) {
    TG_TRY(move_checked(ray, &t, verdict));
    if (*verdict != OPT_MOVED) return TG_OK;
  } else if (ray->degree >= 0) {
    TG_TRY(move_along(ray, t));
  } else {
    TG_TRY(move_to_trial(ray, t));
  }
  run->g_norm = NAN;
  run->step = t;
  run->step_norm = t * ray->d_norm;
  run->x_reach += run->step_norm;
  return TG_OK;
}

bool opt_ray_falls(const opt_ray *ray)
{
  return ray->falls;
}

double opt_first_trial(const opt_run *run, double d_norm)
{
  return run->iteration == 0 ? 0 : run->step_norm / d_norm;
}

// <d, H d> of a general objective: by a Hessian action where there is one, else by the slope a little further on, where
// |x| says what little is.
static tg_status find_curvature(opt_ray *ray, double x_norm, double *curvature)
{
  opt_run *run = ray->run;
  const double t = x_norm / ray->d_norm / 1024;
  double rise = 0;
  double slope = 0;
  if (run->problem->has_hessian && run->manifold == NULL) {
    TG_TRY(run->problem->ops->hessian(run->problem, run->x, ray->d, run->g_old));
    return opt_dot(run->space, ray->d, run->g_old, curvature);
  }
  *curvature = 0;
  if (!(t > 0)) return TG_OK;
  TG_TRY(opt_ray_eval(ray, t, &rise, &slope));
  *curvature = (slope - ray->slope) / t;
  return TG_OK;
}

tg_status opt_ray_natural(opt_ray *ray, double *t)
{
  const opt_run *run = ray->run;
  double curvature = 0;
  double x_norm = 0;
  double rise = 0;
  *t = 0;
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  if (ray->degree < 0)
    TG_TRY(find_curvature(ray, x_norm, &curvature));
  else if (ray->degree == 2)
    curvature = 2 * ray->coefs[2];
  else
    opt_polynomial_minimise(ray->degree, ray->coefs, ray->errors, t, &rise);
  if (!(*t > 0)) *t = fabs(ray->slope) / fabs(curvature);
  if (x_norm > 0) *t = fmin(*t, furthest_trial * x_norm / ray->d_norm);
  // Without curvature any other length that the numbers know; in the end a step of length 1.
  const double others[] = {x_norm / ray->d_norm, fabs(run->f / ray->slope), 1 / ray->d_norm};
  for (size_t i = 0; i < sizeof others / sizeof others[0] && !(*t > 0 && isfinite(*t)); i++) *t = others[i];
  return TG_OK;
}

bool opt_ray_is_resolved(const opt_ray *ray)
{
  const opt_run *run = ray->run;
  const double g_error = 4 * DBL_EPSILON * fmax(run->g_norm_start, run->rayleigh_max * run->x_reach);
  return fabs(ray->slope) > g_error * ray->d_norm;
}

double opt_ray_noise(const opt_ray *ray)
{
  return ray->noise;
}

opt_phi opt_ray_phi(opt_ray *ray)
{
  return (opt_phi){.eval = opt_ray_eval,
                   .self = ray,
                   .slope = ray->slope,
                   .noise = opt_ray_noise(ray),
                   .degree = ray->degree,
                   .coefs = ray->coefs,
                   .errors = ray->errors};
}

// "-2 t - 3 t^2" for the reason.
static void print_polynomial(const opt_ray *ray, char *out, size_t size)
{
  size_t used = 0;
  out[0] = '\0';
  for (int k = 1; k <= ray->degree && used < size; k++) {
    if (ray->coefs[k] == 0) continue;
    const int n =
        snprintf(out + used, size - used, "%s%.4g t", used > 0 ? " + " : "", opt_run_shown(ray->run, ray->coefs[k]));
    used += n > 0 ? (size_t)n : 0;
    if (k > 1 && used < size) used += (size_t)snprintf(out + used, size - used, "^%d", k);
  }
}

opt_verdict opt_ray_falling(opt_ray *ray)
{
  opt_run *run = ray->run;
  const opt_wording *wording = run->options->wording;
  if (!opt_ray_is_resolved(ray)) {
    opt_run_explain(run, "the gradient, |g| = %.3e, is at its own rounding error: a smaller one cannot be resolved",
                    run->g_norm);
    return OPT_STUCK;
  }
  if (run->options->is_nonnegative) {
    opt_run_explain(run,
                    "the objective seems to fall without end along a direction, |g| = %.3e, which it cannot: "
                    "rounding hides how it bends",
                    run->g_norm);
    return OPT_STUCK;
  }
  run->ray = run->manifold == NULL ? ray->d : NULL;
  if (ray->degree < 0) {
    opt_run_explain(run,
                    "the objective is unbounded %s: along a direction d with |d| = %.4g and slope %.4g it still "
                    "%s at distance %.4g; add a constraint or a regularising term",
                    wording->below, ray->d_norm, opt_run_shown(run, ray->slope), wording->falls,
                    ray->trial_t * ray->d_norm);
    return OPT_FALLING;
  }
  char polynomial[256];
  print_polynomial(ray, polynomial, sizeof polynomial);
  opt_run_explain(run,
                  "the objective is unbounded %s: f(x + t d) - f(x) = %s along a direction d with |d| = %.4g; add a "
                  "constraint or a regularising term",
                  wording->below, polynomial, ray->d_norm);
  return OPT_FALLING;
}

// The line search's verdict in the driver's terms; the move itself when a step was found.
tg_status opt_ray_conclude(opt_ray *ray, const opt_line_found *found, opt_verdict *verdict)
{
  opt_run *run = ray->run;
  const opt_wording *wording = run->options->wording;
  bool goes_on = run->manifold != NULL;
  switch (found->verdict) {
  case OPT_LINE_FOUND:
    TG_TRY(opt_ray_move(ray, found->t, verdict));
    break;
  case OPT_LINE_STUCK:
    *verdict = OPT_STUCK;
    opt_run_explain(run,
                    "the objective cannot be resolved %s %.17g: no step along a direction of %s %s it by "
                    "more than its rounding error, |g| = %.3e",
                    wording->below, opt_run_shown(run, run->f), wording->descent, wording->lowers, run->g_norm);
    break;
  case OPT_LINE_FALLING:
    if (!goes_on && ray->degree < 0) TG_TRY(opt_ray_turns(ray, found->t, &goes_on));
    if (goes_on) return opt_ray_move(ray, found->t, verdict);
    *verdict = opt_ray_falling(ray);
    break;
  case OPT_LINE_NOT_FINITE:
    *verdict = OPT_OUT_OF_RANGE;
    opt_run_explain(
        run,
        "the objective is not finite at any of %d steps tried, down to |step| = %.3e, from a point where it is %.6g",
        found->evaluations, found->t * ray->d_norm, opt_run_shown(run, run->f));
    break;
  }
  return TG_OK;
}

opt_line_options opt_ray_line_options(const opt_ray *ray, double first, double curvature)
{
  const opt_run *run = ray->run;
  const double furthest = run->manifold != NULL ? manifold_horizon : horizon;
  return (opt_line_options){.first = first,
                            .longest = furthest * fmax(run->x_reach / ray->d_norm, first),
                            .decrease = 1e-4,
                            .curvature = curvature,
                            .step_length = run->options->step_length,
                            .max_evaluations = 60};
}

bool opt_run_steps_apart(const opt_run *run)
{
  const bool is_exact = run->search == &opt_line_search_exact;
  return run->n_groups > 1 && run->constraint == NULL && run->hd != NULL && is_exact;
}

// How far each group goes, from <g, d>, <d, H d> and <d, d> by groups: to its minimiser. Where a group falls without
// end those that do so go alone, and where one has no curvature beyond rounding all stay together: false.
static bool choose_group_steps(opt_run *run, double *steps)
{
  const int n = run->n_groups;
  const double *gd = run->group_products;
  const double *dhd = gd + n;
  const double *dd = dhd + n;
  bool is_resolved = true;
  bool any_falls = false;
  for (int q = 0; q < n; q++)
    if (dd[q] > 0) run->rayleigh_max = fmax(run->rayleigh_max, fabs(dhd[q]) / dd[q]);
  for (int q = 0; q < n; q++) {
    const double noise = 16 * DBL_EPSILON * run->rayleigh_max * dd[q];
    steps[q] = dhd[q] > noise ? -gd[q] / dhd[q] : 0;
    is_resolved = is_resolved && (dd[q] == 0 || dhd[q] > noise);
    any_falls = any_falls || dhd[q] < -noise;
  }
  for (int q = 0; q < n && any_falls; q++) steps[q] = dhd[q] < 0 ? 1 : 0;
  return is_resolved || any_falls;
}

// Scales d and H d in each group of unknowns, for a quadratic that is a sum over groups: along the new d all groups
// have their minimisers at t = 1.
static tg_status balance(opt_ray *ray, opt_point *d)
{
  opt_run *run = ray->run;
  const int n = run->n_groups;
  double *gd = run->group_products;
  double *steps = gd + (ptrdiff_t)3 * n;
  double *zeros = gd;
  double sums[3] = {0, 0, 0};
  TG_TRY(opt_group_dots(run->space, n, 3, (const opt_point *const[]){run->g, d, d},
                        (const opt_point *const[]){d, run->hd, d}, gd));
  if (!choose_group_steps(run, steps)) return TG_OK;
  for (int q = 0; q < n; q++) {
    sums[0] += steps[q] * gd[q];
    sums[1] += steps[q] * steps[q] * gd[n + q];
    sums[2] += steps[q] * steps[q] * gd[2 * n + q];
    zeros[q] = 0;
  }
  TG_TRY(opt_group_axpby(run->space, n, zeros, run->g, steps, d));
  TG_TRY(opt_group_axpby(run->space, n, zeros, run->g, steps, run->hd));
  ray->slope = ray->coefs[1] = sums[0];
  ray->curvature = sums[1];
  ray->coefs[2] = sums[1] / 2;
  ray->d_norm = sqrt(sums[2]);
  ray->falls = polynomial_falls(ray);
  return TG_OK;
}

tg_status opt_run_search(opt_run *run, opt_point *d, double slope, double d_norm, double first, double curvature,
                         opt_verdict *verdict)
{
  opt_ray ray;
  TG_TRY(opt_ray_start(run, d, slope, d_norm, &ray));
  if (opt_run_steps_apart(run) && has_finite_coefs(&ray)) TG_TRY(balance(&ray, d));
  if (!has_finite_coefs(&ray)) {
    opt_run_explain(run, "the objective's polynomial along the direction is not finite, |d| = %.3e", d_norm);
    *verdict = OPT_OUT_OF_RANGE;
    return TG_OK;
  }
  // Whatever the line search: a polynomial that falls without end is known to.
  if (opt_ray_falls(&ray)) {
    *verdict = opt_ray_falling(&ray);
    return TG_OK;
  }
  if (!(first > 0)) TG_TRY(opt_ray_natural(&ray, &first));
  opt_line_found found;
  const opt_phi phi = opt_ray_phi(&ray);
  const opt_line_options options = opt_ray_line_options(&ray, first, curvature);
  TG_TRY(run->search->search(&phi, &options, &found));
  TG_TRY(opt_ray_conclude(&ray, &found, verdict));
  return TG_OK;
}
