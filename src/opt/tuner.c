// A quasi-Newton method for a function of a few variables in a box.
//
// BFGS on the variables that no bound holds, with steps that are bounded in each variable (J. Nocedal, S. Wright,
// Numerical Optimization, 2006, ch. 4 and 6). Where the gradients show no curvature yet the step is as long as it may
// be, and longer each time: such functions are flat far from their minimum. A trial that is no better lies beyond the
// minimum on its line: the next one is the minimum of the cubic through both ends.
#include "opt/tuner.h"

#include <math.h>
#include <stddef.h>

static const double growth = 2.5;
// Towards a bound at which the function levels off the slope halves again and again with steps of one length: where
// more than this share of it is left in a variable, its next step is twice as long.
static const double slow = 0.25;
static const double stretch_most = 8;
// A gradient below this share of |f| in all free variables is none.
static const double gradient_noise = 1e-12;
static const double least_step = 1e-6;

void opt_tuner_init(opt_tuner *t, int n, const double *start, const double *low, const double *high, double step,
                    double tolerance)
{
  *t = (opt_tuner){.n = n, .tolerance = tolerance, .radius = step};
  for (int i = 0; i < n; i++) {
    t->low[i] = low[i];
    t->high[i] = high[i];
    t->trial[i] = start[i];
    t->b[i][i] = 1;
    t->stretch[i] = 1;
  }
}

// A bound holds x(i), and the function falls beyond it.
static bool is_held(const opt_tuner *t, int i)
{
  return (t->x[i] <= t->low[i] && t->g[i] > 0) || (t->x[i] >= t->high[i] && t->g[i] < 0);
}

// ---- curvature ----

// The step s has changed the gradient by y.
static void update(opt_tuner *t, const double *s, const double *y)
{
  double sy = 0;
  double ss = 0;
  double yy = 0;
  double bs[OPT_TUNER_MAX] = {0};
  double sbs = 0;
  for (int i = 0; i < t->n; i++) {
    sy += s[i] * y[i];
    ss += s[i] * s[i];
    yy += y[i] * y[i];
  }
  if (!(sy > 1e-8 * sqrt(ss * yy))) return;
  if (!t->has_curvature)
    for (int i = 0; i < t->n; i++)
      for (int j = 0; j < t->n; j++) t->b[i][j] = i == j ? sy / ss : 0;
  t->has_curvature = true;
  for (int i = 0; i < t->n; i++) {
    for (int j = 0; j < t->n; j++) bs[i] += t->b[i][j] * s[j];
    sbs += s[i] * bs[i];
  }
  for (int i = 0; i < t->n; i++)
    for (int j = 0; j < t->n; j++) t->b[i][j] += y[i] * y[j] / sy - bs[i] * bs[j] / sbs;
}

// d := -B^-1 g on the free variables, by Gauss: B is positive definite.
static void newton_step(const opt_tuner *t, const bool *held, double *d)
{
  double a[OPT_TUNER_MAX][OPT_TUNER_MAX + 1];
  int free[OPT_TUNER_MAX];
  int n = 0;
  for (int i = 0; i < t->n; i++) {
    d[i] = 0;
    if (!held[i]) free[n++] = i;
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) a[i][j] = t->b[free[i]][free[j]];
    a[i][n] = -t->g[free[i]];
  }
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++) {
      const double factor = i == k ? 0 : a[i][k] / a[k][k];
      for (int j = k; i != k && j <= n; j++) a[i][j] -= factor * a[k][j];
    }
  for (int k = 0; k < n; k++) d[free[k]] = a[k][n] / a[k][k];
}

// ---- the next point ----

static bool end(opt_tuner *t, const char *reason)
{
  t->reason = reason;
  return false;
}

// trial := x + scale d inside the box; the largest step of a variable.
static double move(opt_tuner *t, double scale, const double *d)
{
  double largest = 0;
  for (int i = 0; i < t->n; i++) {
    t->trial[i] = fmin(t->high[i], fmax(t->low[i], t->x[i] + scale * d[i]));
    largest = fmax(largest, fabs(t->trial[i] - t->x[i]));
  }
  return largest;
}

static bool propose(opt_tuner *t)
{
  bool held[OPT_TUNER_MAX];
  double d[OPT_TUNER_MAX];
  double slope = 0;
  double steepest = 0;
  double longest = 0;
  for (int i = 0; i < t->n; i++) {
    held[i] = is_held(t, i);
    if (!held[i]) steepest = fmax(steepest, fabs(t->g[i]));
  }
  if (!(steepest > gradient_noise * fabs(t->f))) return end(t, "the gradient vanishes inside the bounds");
  if (t->has_curvature)
    newton_step(t, held, d);
  else // as far as allowed
    for (int i = 0; i < t->n; i++) d[i] = held[i] ? 0 : -t->g[i] * t->radius / steepest;
  for (int i = 0; i < t->n; i++) slope += t->g[i] * d[i];
  if (t->has_curvature && -slope / 2 <= t->tolerance * fabs(t->f))
    return end(t, "the decrease still to be had is below the tolerance");
  longest = 0;
  for (int i = 0; i < t->n; i++) {
    if (t->has_curvature && d[i] * t->g[i] < 0) d[i] *= t->stretch[i];
    longest = fmax(longest, fabs(d[i]));
  }
  const double step = move(t, longest > t->radius ? t->radius / longest : 1, d);
  return step > least_step ? true : end(t, "no step is left");
}

// Where the cubic with these values and slopes at 0 and 1 is least, inside.
static double cubic_minimum(double f0, double g0, double f1, double g1)
{
  const double c = 3 * (f1 - f0) - 2 * g0 - g1;
  const double d = g0 + g1 - 2 * (f1 - f0);
  const double root = c * c - 3 * d * g0;
  double at = -1;
  if (fabs(d) > 1e-14 * fabs(c) && root >= 0)
    at = (-c + sqrt(root)) / (3 * d);
  else if (c > 0)
    at = -g0 / (2 * c);
  return at > 0.05 && at < 0.95 ? at : at >= 0.95 ? 0.95 : 0.3;
}

// Back on the line to a trial that was no better.
static bool shorten(opt_tuner *t, double f, const double *g)
{
  double s[OPT_TUNER_MAX];
  double slopes[2] = {0, 0};
  for (int i = 0; i < t->n; i++) {
    s[i] = t->trial[i] - t->x[i];
    slopes[0] += t->g[i] * s[i];
    slopes[1] += isfinite(f) ? g[i] * s[i] : 0;
  }
  const double at = isfinite(f) ? cubic_minimum(t->f, slopes[0], f, slopes[1]) : 0.25;
  // What the cubic promises; the values may not tell so little apart.
  if (isfinite(f) && t->has_curvature && at * fabs(slopes[0]) <= t->tolerance * fabs(t->f))
    return end(t, "the decrease still to be had is below the tolerance");
  const double step = move(t, at, s);
  t->radius = fmax(step, 10 * least_step);
  return step > least_step ? true : end(t, "no step is left");
}

static void take(opt_tuner *t, double f, const double *g)
{
  for (int i = 0; i < t->n; i++) {
    t->x[i] = t->trial[i];
    t->g[i] = g[i];
  }
  t->f = f;
}

bool opt_tuner_tell(opt_tuner *t, double f, const double *g)
{
  double s[OPT_TUNER_MAX];
  double y[OPT_TUNER_MAX];
  double slope = 0;
  double longest = 0;
  t->n_told++;
  if (!t->has_point) {
    take(t, f, g);
    t->has_point = isfinite(f);
    return t->has_point ? propose(t) : end(t, "there is no score to begin with");
  }
  if (!isfinite(f)) return shorten(t, f, g);
  for (int i = 0; i < t->n; i++) {
    s[i] = t->trial[i] - t->x[i];
    y[i] = g[i] - t->g[i];
    slope += g[i] * s[i];
    longest = fmax(longest, fabs(s[i]));
  }
  update(t, s, y);
  for (int i = 0; i < t->n; i++) {
    const bool is_slow = f < t->f && s[i] * t->g[i] < 0 && g[i] / t->g[i] > slow;
    t->stretch[i] = is_slow ? fmin(2 * t->stretch[i], stretch_most) : 1;
  }
  if (!(f < t->f)) return shorten(t, f, g);
  // Still falling at the end of a step that was as long as it might be.
  if (slope < 0 && longest > 0.9 * t->radius) t->radius *= growth;
  take(t, f, g);
  return propose(t);
}
