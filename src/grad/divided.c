// Divided differences of exp, log and sqrt by series near the limits and by expm1 and log1p elsewhere.
#include "grad/divided.h"

#include <math.h>
#include <string.h>

// Closer than this, relative to the scale on which the function changes, f[a,c,b] is taken from its limits: the mean
// of f[a,a,c] and f[b,b,c] differs from it by the square of the distance over 12, and a difference quotient by the
// rounding over the distance. Both are about 1e-11 here.
static const double near = 1e-5;

// (e^-t - 1 + t)/t^2 and, for a negative sign, (e^t - 1 - t)/t^2 follow from one series about 0.
static double second_of_exp(double t)
{
  // (e^t - 1 - t)/t^2 = 1/2 + t/6 + t^2/24 + ...
  if (fabs(t) > 0.5) return (expm1(t) - t) / (t * t);
  double term = 0.5;
  double sum = 0.5;
  for (int k = 3; fabs(term) > 1e-18 && k < 40; k++) {
    term *= t / k;
    sum += term;
  }
  return sum;
}

// (t - log(1 + t))/t^2 = 1/2 - t/3 + t^2/4 - ...
static double second_of_log(double t)
{
  if (fabs(t) > 0.1) return (t - log1p(t)) / (t * t);
  double power = 1.0;
  double sum = 0.0;
  for (int k = 2; k < 24; k++) {
    sum += power / k;
    power *= -t;
  }
  return sum;
}

static double exp_first(double a, double b)
{
  const double high = fmax(a, b);
  const double d = fabs(a - b);
  return d == 0 ? exp(high) : exp(high) * (-expm1(-d) / d);
}

static double exp_second(double a, double b)
{
  const double d = b - a;
  if (d <= 0.5) return exp(a) * second_of_exp(d);
  // e^a (e^d - 1 - d)/d^2 with the larger exponential in front, which alone may overflow
  return exp(b) * ((1 - (1 + d) * exp(-d)) / (d * d));
}

static double log_first(double a, double b)
{
  const double low = fmin(a, b);
  const double t = fabs(a - b) / low;
  if (!(low > 0)) return NAN;
  return t == 0 ? 1 / low : log1p(t) / t / low;
}

// -(t - log(1 + t))/(t a)^2, t = (b - a)/a; near t = -1 log(b/a) keeps the digits of a small b.
static double log_second(double a, double b)
{
  const double t = (b - a) / a;
  if (t > -0.5) return -second_of_log(t) / (a * a);
  return -((t - log(b / a)) / (t * t)) / (a * a);
}

static double apart(bool is_far, double a, double b)
{
  return is_far ? 1 / (a - b) : 0;
}

double tg_divided_value(tg_divided which, double a, double b)
{
  switch (which) {
  case TG_DIVIDED_SQRT:
    return 1 / (sqrt(a) + sqrt(b));
  case TG_DIVIDED_EXP:
    return exp_first(a, b);
  case TG_DIVIDED_EXP_TWICE:
    return exp_second(a, b);
  case TG_DIVIDED_EXP_FAR:
    return apart(fabs(a - b) > near, a, b);
  case TG_DIVIDED_EXP_NEAR:
    return fabs(a - b) > near ? 0 : 0.5;
  case TG_DIVIDED_LOG:
    return log_first(a, b);
  case TG_DIVIDED_LOG_TWICE:
    return log_second(a, b);
  case TG_DIVIDED_LOG_FAR:
    return apart(fabs(a - b) > near * fmin(a, b), a, b);
  case TG_DIVIDED_LOG_NEAR:
    return fabs(a - b) > near * fmin(a, b) ? 0 : 0.5;
  case TG_DIVIDED_STEP:
    return (a > 0) == (b > 0) ? 0 : 1 / (a + b);
  case TG_DIVIDED_SIGNS:
    return a + b > 0 ? ((a > 0) + (b > 0)) / (a + b) : 0;
  case TG_DIVIDED_TOP:
    return a == b ? 0 : a / ((a - b) * (a + b));
  case TG_DIVIDED_BELOW_TOP:
    return a == b ? 0 : b / ((a - b) * (a + b));
  default:
    return NAN;
  }
}

const char *tg_divided_label(tg_divided which)
{
  static const char *const labels[TG_DIVIDED_COUNT] = {
#define TG_DIVIDED_LABEL(name, label, symmetric) label,
      TG_DIVIDED_LIST(TG_DIVIDED_LABEL)
#undef TG_DIVIDED_LABEL
  };
  return which < TG_DIVIDED_COUNT ? labels[which] : "unknown";
}

const char *tg_divided_function(tg_divided which)
{
  return which == TG_DIVIDED_EXP ? "divided_exp" : which == TG_DIVIDED_LOG ? "divided_log" : NULL;
}

tg_divided tg_divided_find(const char *function)
{
  for (int which = 0; which < TG_DIVIDED_COUNT; which++) {
    const char *name = tg_divided_function((tg_divided)which);
    if (name != NULL && strcmp(name, function) == 0) return (tg_divided)which;
  }
  return TG_DIVIDED_COUNT;
}

bool tg_divided_is_symmetric(tg_divided which)
{
  static const bool symmetric[TG_DIVIDED_COUNT] = {
#define TG_DIVIDED_SYMMETRIC(name, label, symmetric) symmetric,
      TG_DIVIDED_LIST(TG_DIVIDED_SYMMETRIC)
#undef TG_DIVIDED_SYMMETRIC
  };
  return which < TG_DIVIDED_COUNT && symmetric[which];
}
