// Strong Wolfe conditions by the algorithm of More and Thuente.
//
// Finds t with  phi(t) - phi(0) <= decrease t phi'(0)  and  |phi'(t)| <= curvature |phi'(0)|.
// J. J. More and D. J. Thuente, Line search algorithms with guaranteed sufficient decrease, ACM TOMS 20 (1994).
// An interval I with end points l (the best so far) and u is kept such that it contains an acceptable step; trials come
// from cubics and parabolas through the ends, by the four cases of section 4. While no trial has satisfied the decrease
// with a rising slope, the auxiliary function  psi(t) = phi(t) - phi(0) - decrease t phi'(0)  takes the place of phi.
#include <math.h>

#include "opt/line/line_search.h"

typedef struct wolfe_point {
  double t;
  double rise; // of phi, or of psi in stage one
  double slope;
} wolfe_point;

typedef struct wolfe_interval {
  wolfe_point l;
  wolfe_point u;
  bool bracketed;
  double t_min; // of the next trial
  double t_max;
} wolfe_interval;

// Minimiser of the cubic that has the values and slopes of a and b; NAN when it has none.
static double cubic_minimiser(const wolfe_point *a, const wolfe_point *b)
{
  const double theta = 3 * (a->rise - b->rise) / (b->t - a->t) + a->slope + b->slope;
  const double scale = fmax(fabs(theta), fmax(fabs(a->slope), fabs(b->slope)));
  const double radicand = (theta / scale) * (theta / scale) - (a->slope / scale) * (b->slope / scale);
  if (!(radicand >= 0)) return NAN;
  const double gamma = copysign(scale * sqrt(radicand), b->t - a->t);
  const double r = (gamma - a->slope + theta) / (2 * gamma - a->slope + b->slope);
  return a->t + r * (b->t - a->t);
}

// Zero of the line through the slopes of a and b.
static double secant_minimiser(const wolfe_point *a, const wolfe_point *b)
{
  return a->t + a->slope / (a->slope - b->slope) * (b->t - a->t);
}

// Minimiser of the parabola with the value and slope of a and the value of b.
static double parabola_minimiser(const wolfe_point *a, const wolfe_point *b)
{
  const double h = b->t - a->t;
  return a->t + a->slope * h * h / (2 * (a->slope * h - (b->rise - a->rise)));
}

// Case 1: the trial p is higher than l, so a minimum lies between them; the parabola guards against a cubic that
// comes too near to p.
static double trial_when_higher(const wolfe_interval *interval, const wolfe_point *p)
{
  const double cubic = cubic_minimiser(&interval->l, p);
  const double parabola = parabola_minimiser(&interval->l, p);
  if (isnan(cubic)) return parabola;
  return fabs(cubic - interval->l.t) < fabs(parabola - interval->l.t) ? cubic : cubic + (parabola - cubic) / 2;
}

// Case 2: lower, with slopes of opposite sign: between them again; the bolder of the two.
static double trial_when_turned(const wolfe_interval *interval, const wolfe_point *p)
{
  const double cubic = cubic_minimiser(&interval->l, p);
  const double secant = secant_minimiser(&interval->l, p);
  if (isnan(cubic)) return secant;
  return fabs(cubic - p->t) > fabs(secant - p->t) ? cubic : secant;
}

// Case 3: lower, same sign of slope, flatter: extrapolates beyond p. The cubic counts only if it tends to infinity in
// the direction of the step or its minimiser is beyond p.
static double trial_when_flatter(const wolfe_interval *interval, const wolfe_point *p)
{
  const wolfe_point *l = &interval->l;
  const double cubic = cubic_minimiser(p, l);
  const double secant = secant_minimiser(p, l);
  const bool is_beyond = isfinite(cubic) && (cubic - p->t) * (p->t - l->t) > 0;
  const double far = p->t > l->t ? interval->t_max : interval->t_min;
  const double usable = is_beyond ? cubic : far;
  if (!interval->bracketed) {
    const double bolder = fabs(usable - p->t) > fabs(secant - p->t) ? usable : secant;
    return fmin(fmax(bolder, interval->t_min), interval->t_max);
  }
  const double nearer = fabs(usable - p->t) < fabs(secant - p->t) ? usable : secant;
  // Not more than two thirds of the way to u, so that the interval shrinks.
  const double guard = p->t + 0.66 * (interval->u.t - p->t);
  return p->t > l->t ? fmin(guard, nearer) : fmax(guard, nearer);
}

// Case 4: lower, same sign of slope, not flatter: towards u, or as far as allowed.
static double trial_when_steeper(const wolfe_interval *interval, const wolfe_point *p)
{
  if (!interval->bracketed) return p->t > interval->l.t ? interval->t_max : interval->t_min;
  const double cubic = cubic_minimiser(p, &interval->u);
  return isnan(cubic) ? (p->t + interval->u.t) / 2 : cubic;
}

// The next trial from the interval and the last trial p, and the interval updated by p.
static double update_interval(wolfe_interval *interval, const wolfe_point *p)
{
  const wolfe_point l = interval->l;
  const bool is_higher = p->rise > l.rise;
  const bool has_turned = (p->slope < 0) != (l.slope < 0);
  double next = 0;
  if (is_higher) {
    next = trial_when_higher(interval, p);
  } else if (has_turned) {
    next = trial_when_turned(interval, p);
  } else if (fabs(p->slope) < fabs(l.slope)) {
    next = trial_when_flatter(interval, p);
  } else {
    next = trial_when_steeper(interval, p);
  }
  interval->bracketed = interval->bracketed || is_higher || has_turned;
  if (is_higher) {
    interval->u = *p;
  } else {
    if (has_turned) interval->u = l;
    interval->l = *p;
  }
  return next;
}

typedef struct wolfe_search {
  const opt_phi *phi;
  const opt_line_options *options;
  wolfe_interval interval;
  bool is_first_stage;
  double width; // of the interval, two trials ago
  double width_before;
} wolfe_search;

// Ends of the range of the next trial.
static void set_range(wolfe_search *search, double t)
{
  wolfe_interval *interval = &search->interval;
  if (interval->bracketed) {
    interval->t_min = fmin(interval->l.t, interval->u.t);
    interval->t_max = fmax(interval->l.t, interval->u.t);
  } else {
    // Extrapolation by a factor between 1.1 and 4 of the last advance.
    interval->t_min = t + 1.1 * (t - interval->l.t);
    interval->t_max = t + 4 * (t - interval->l.t);
  }
}

// The interval's update, on psi in stage one where the trial is lower but not by enough.
static double next_trial(wolfe_search *search, const wolfe_point *p)
{
  const double tilt = search->options->decrease * search->phi->slope;
  wolfe_interval *interval = &search->interval;
  if (!(search->is_first_stage && p->rise <= interval->l.rise && p->rise > tilt * p->t))
    return update_interval(interval, p);
  wolfe_point tilted = {p->t, p->rise - tilt * p->t, p->slope - tilt};
  interval->l.rise -= tilt * interval->l.t;
  interval->u.rise -= tilt * interval->u.t;
  interval->l.slope -= tilt;
  interval->u.slope -= tilt;
  const double next = update_interval(interval, &tilted);
  interval->l.rise += tilt * interval->l.t;
  interval->u.rise += tilt * interval->u.t;
  interval->l.slope += tilt;
  interval->u.slope += tilt;
  return next;
}

// Forces the interval to two thirds of its length within two trials.
static double shrink(wolfe_search *search, double next)
{
  wolfe_interval *interval = &search->interval;
  if (!interval->bracketed) return next;
  const double width = fabs(interval->u.t - interval->l.t);
  if (width >= 0.66 * search->width_before) next = interval->l.t + (interval->u.t - interval->l.t) / 2;
  search->width_before = search->width;
  search->width = width;
  return next;
}

// The best point so far if it descends enough, though its slope is too steep; else the slopes alone must find the step:
// the rounding of f hides the decrease.
static tg_status settle(const wolfe_search *search, opt_line_found *found)
{
  const wolfe_point *best = &search->interval.l;
  const int spent = found->evaluations;
  if (best->t > 0 && best->rise <= search->options->decrease * best->t * search->phi->slope) {
    *found = (opt_line_found){.verdict = OPT_LINE_FOUND, .t = best->t, .rise = best->rise, .evaluations = spent};
    return TG_OK;
  }
  if (found->verdict == OPT_LINE_NOT_FINITE) return TG_OK;
  TG_TRY(opt_line_search_hager_zhang.search(search->phi, search->options, found));
  found->evaluations += spent;
  return TG_OK;
}

// Judges the trial p: true when the search ends here.
static bool is_final(wolfe_search *search, const wolfe_point *p, opt_line_found *found)
{
  const opt_line_options *options = search->options;
  const double slope = search->phi->slope;
  const bool is_lower = p->rise <= options->decrease * p->t * slope;
  found->t = p->t;
  found->rise = p->rise;
  found->verdict = OPT_LINE_FOUND;
  if (is_lower && fabs(p->slope) <= -options->curvature * slope) return true;
  if (opt_line_is_approximate_wolfe(search->phi, options, p->rise, p->slope)) return true;
  found->verdict = is_lower && p->t >= options->longest && p->slope < 0 ? OPT_LINE_FALLING : OPT_LINE_STUCK;
  if (is_lower && p->slope >= 0) search->is_first_stage = false;
  return found->verdict == OPT_LINE_FALLING;
}

// Updates the interval by p and chooses the next trial; false when the interval has shrunk to nothing.
static bool advance_interval(wolfe_search *search, const wolfe_point *p, double *next)
{
  wolfe_interval *interval = &search->interval;
  set_range(search, p->t);
  *next = shrink(search, next_trial(search, p));
  if (!interval->bracketed) return true;
  set_range(search, p->t);
  if (!(*next > interval->t_min && *next < interval->t_max))
    *next = interval->t_min + (interval->t_max - interval->t_min) / 2;
  return interval->t_max - interval->t_min > 1e-15 * interval->t_max;
}

// The share of the way to a point outside the domain of f that a step may take (S. Wright, Primal-Dual Interior-Point
// Methods, 1997, ch. 10).
static const double to_wall = 0.9;

static tg_status search_strong_wolfe(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  wolfe_search search = {.phi = phi, .options = options, .is_first_stage = true, .width = INFINITY};
  search.width_before = INFINITY;
  search.interval.l = (wolfe_point){0, 0, phi->slope};
  search.interval.u = search.interval.l;
  double wall = INFINITY; // the shortest step with a non-finite value
  *found = (opt_line_found){.verdict = OPT_LINE_NOT_FINITE};
  double t = fmin(options->first, options->longest);
  while (found->evaluations < options->max_evaluations && t > 0) {
    wolfe_point p = {.t = t};
    TG_TRY(phi->eval(phi->self, t, &p.rise, &p.slope));
    found->evaluations++;
    if (!isfinite(p.rise) || !isfinite(p.slope)) {
      wall = t;
      t = search.interval.l.t + (t - search.interval.l.t) / 10;
      continue;
    }
    if (is_final(&search, &p, found)) return TG_OK;
    // Where even the linear decrease drowns in the noise of f, comparing values leads nowhere.
    if (fabs(p.rise) <= phi->noise && -t * phi->slope <= phi->noise) break;
    double next = 0;
    if (!advance_interval(&search, &p, &next)) break;
    // Short of the wall the trials stay inside, and none goes right up to it: from there the next step leads nowhere.
    if (next > to_wall * wall) {
      if (p.t >= to_wall * to_wall * wall) break;
      next = fmin(p.t + (wall - p.t) / 2, to_wall * wall);
    }
    t = fmin(next, options->longest);
  }
  TG_TRY(settle(&search, found));
  return TG_OK;
}

const opt_line_search opt_line_search_strong_wolfe = {.name = "strong-wolfe", .search = search_strong_wolfe};
