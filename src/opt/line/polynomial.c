// Real roots by monotone pieces, global minimisers from the roots of the derivative.
#include "opt/line/polynomial.h"

#include <float.h>
#include <math.h>

double opt_polynomial_value(int degree, const double *c, double t, double *slope)
{
  double value = c[degree];
  double derivative = 0;
  for (int k = degree - 1; k >= 0; k--) {
    derivative = derivative * t + value;
    value = value * t + c[k];
  }
  if (slope != NULL) *slope = derivative;
  return value;
}

// Bound of the rounding error of Horner's scheme at t, with a margin for the error of the coefficients themselves.
static double value_error(int degree, const double *c, double t)
{
  double sum = 0;
  for (int k = degree; k >= 0; k--) sum = sum * fabs(t) + fabs(c[k]);
  return 4 * (degree + 1) * DBL_EPSILON * sum;
}

// A point well inside (a, b): the geometric mean where the ends differ by magnitudes, for a root's size may be
// anything.
static double middle_of(double a, double b)
{
  if (a == 0 && b > 0) return b / 1024;
  if (a > 0 && b > 4 * a) return sqrt(a) * sqrt(b);
  return a + (b - a) / 2;
}

// The root in [a, b] where p changes sign: Newton's method, bisection whenever it leaves the bracket or is slow.
static double root_in_bracket(int degree, const double *c, double a, double b)
{
  const bool rising = opt_polynomial_value(degree, c, a, NULL) < 0;
  double t = middle_of(a, b);
  for (int iteration = 0; iteration < 400; iteration++) {
    double slope = 0;
    const double value = opt_polynomial_value(degree, c, t, &slope);
    if (value == 0) return t;
    if ((value < 0) == rising) {
      a = t;
    } else {
      b = t;
    }
    const double newton = t - value / slope;
    const double middle = middle_of(a, b);
    // Every third step bisects, so that a multiple root costs a logarithm and not a crawl.
    const double next = newton > a && newton < b && iteration % 3 != 2 ? newton : middle;
    if (next == t || middle == a || middle == b) return next;
    t = next;
  }
  return t;
}

// Roots of p in [lower, upper], its critical points given: one root at most on each monotone piece.
static int roots_between(int degree, const double *c, int n_critical, const double *critical, double lower,
                         double upper, double *roots)
{
  int count = 0;
  double a = lower;
  for (int piece = 0; piece <= n_critical; piece++) {
    const double b = piece < n_critical ? critical[piece] : upper;
    const double pa = opt_polynomial_value(degree, c, a, NULL);
    const double pb = opt_polynomial_value(degree, c, b, NULL);
    const bool a_zero = fabs(pa) <= value_error(degree, c, a);
    const bool b_zero = fabs(pb) <= value_error(degree, c, b);
    double root = NAN;
    if (a_zero && piece == 0) root = a; // an inner end was reported by the piece before
    if (b_zero) {
      if (!isnan(root) && root != b && count < degree) roots[count++] = root;
      root = b;
    } else if (!a_zero && (pa < 0) != (pb < 0)) {
      root = root_in_bracket(degree, c, a, b);
    }
    if (!isnan(root) && count < degree && (count == 0 || root > roots[count - 1])) roots[count++] = root;
    a = b;
  }
  return count;
}

int opt_polynomial_roots(int degree, const double *c, double lower, double upper, double *roots)
{
  TG_ASSERT(degree >= 0 && degree <= OPT_DEGREE_MAX);
  while (degree > 0 && c[degree] == 0) degree--;
  if (degree == 0 || !(lower <= upper)) return 0;
  // derivatives[k] = p^(k), from the linear one down to p itself.
  double derivatives[OPT_DEGREE_MAX][OPT_DEGREE_MAX + 1];
  for (int k = 0; k <= degree; k++) derivatives[0][k] = c[k];
  for (int order = 1; order < degree; order++) {
    for (int k = 0; k + order <= degree; k++) derivatives[order][k] = (k + 1) * derivatives[order - 1][k + 1];
  }
  double critical[OPT_DEGREE_MAX];
  int n_critical = 0;
  for (int order = degree - 1; order >= 0; order--) {
    double found[OPT_DEGREE_MAX];
    const int n = roots_between(degree - order, derivatives[order], n_critical, critical, lower, upper, found);
    for (int i = 0; i < n; i++) critical[i] = found[i];
    n_critical = n;
  }
  for (int i = 0; i < n_critical; i++) roots[i] = critical[i];
  return n_critical;
}

// Cauchy's bound: every root of p lies in |t| <= 2 max_k |c[degree-k] / c[degree]|^(1/k) (Fujiwara's form).
static double root_bound(int degree, const double *c)
{
  double bound = 0;
  for (int k = 1; k <= degree; k++) bound = fmax(bound, pow(fabs(c[degree - k] / c[degree]), 1.0 / k));
  return 2 * bound;
}

// p(t) - p(0)
static double rise_at(int degree, const double *c, double t)
{
  double value = 0;
  for (int k = degree; k >= 1; k--) value = value * t + c[k];
  return value * t;
}

// The lowest critical point on t > 0, if p is below p(0) there.
static bool lowest_critical(int degree, const double *c, double *t, double *rise)
{
  double derivative[OPT_DEGREE_MAX + 1];
  for (int k = 1; k <= degree; k++) derivative[k - 1] = k * c[k];
  double roots[OPT_DEGREE_MAX];
  const double bound = root_bound(degree - 1, derivative);
  const int n = opt_polynomial_roots(degree - 1, derivative, 0, bound, roots);
  *rise = 0;
  for (int i = 0; i < n; i++) {
    const double candidate = rise_at(degree, c, roots[i]);
    if (roots[i] > 0 && candidate < *rise) {
      *rise = candidate;
      *t = roots[i];
    }
  }
  return *rise < 0;
}

// Whether the leading term counts for nothing at t.
static bool leading_is_noise(int degree, const double *c, double t)
{
  double sum = 0;
  for (int k = 1; k <= degree; k++) sum += fabs(c[k]) * pow(t, k);
  return fabs(c[degree]) * pow(t, degree) <= 1e-12 * sum;
}

static opt_polynomial_shape minimise(int degree, const double *c, double *t, double *rise)
{
  *t = 0;
  *rise = 0;
  while (degree > 0 && c[degree] == 0) degree--;
  if (degree == 0) return OPT_POLYNOMIAL_FLAT;
  if (degree == 1) return c[1] < 0 ? OPT_POLYNOMIAL_FALLING : OPT_POLYNOMIAL_FLAT;
  if (c[degree] < 0) {
    const opt_polynomial_shape rest = minimise(degree - 1, c, t, rise);
    if (rest == OPT_POLYNOMIAL_MINIMUM && leading_is_noise(degree, c, *t)) return rest;
    *t = 0;
    *rise = 0;
    return OPT_POLYNOMIAL_FALLING;
  }
  if (degree == 2) {
    if (c[1] >= 0) return OPT_POLYNOMIAL_FLAT;
    *t = -c[1] / (2 * c[2]);
    *rise = c[1] * *t / 2;
    return OPT_POLYNOMIAL_MINIMUM;
  }
  return lowest_critical(degree, c, t, rise) ? OPT_POLYNOMIAL_MINIMUM : OPT_POLYNOMIAL_FLAT;
}

// What p is at most for t > 0, where each coefficient may be off by so much: the minimiser of that falls for sure.
// p'(0) is taken as it is.
static void raise(int degree, const double *c, const double *errors, double *raised)
{
  for (int k = 0; k <= degree; k++) raised[k] = c[k] + (errors != NULL && k > 1 ? errors[k] : 0);
}

opt_polynomial_shape opt_polynomial_minimise(int degree, const double *c, const double *errors, double *t, double *rise)
{
  double raised[OPT_DEGREE_MAX + 1];
  raise(degree, c, errors, raised);
  return minimise(degree, raised, t, rise);
}

double opt_polynomial_rise(int degree, const double *c, double t)
{
  return rise_at(degree, c, t);
}

void opt_polynomial_minimise_within(int degree, const double *p, const double *errors, double longest, double *t,
                                    double *rise)
{
  double c[OPT_DEGREE_MAX + 1];
  raise(degree, p, errors, c);
  double derivative[OPT_DEGREE_MAX + 1] = {0};
  double roots[OPT_DEGREE_MAX];
  for (int k = 1; k <= degree; k++) derivative[k - 1] = k * c[k];
  const int n = degree > 1 ? opt_polynomial_roots(degree - 1, derivative, 0, longest, roots) : 0;
  *t = 0;
  *rise = 0;
  for (int i = 0; i <= n; i++) {
    const double candidate = i < n ? roots[i] : longest;
    const double value = rise_at(degree, c, candidate);
    if (!(value < *rise)) continue;
    *t = candidate;
    *rise = value;
  }
}
