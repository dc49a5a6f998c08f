// Values of entrywise functions that the C library does not have: for entrywise.def.
#ifndef TG_GRAD_ENTRYWISE_H
#define TG_GRAD_ENTRYWISE_H

#include <math.h>

static inline double tg_entry_sign(double x)
{
  return x > 0 ? 1 : x < 0 ? -1 : x; // keeps zero and NaN
}

// Only the one of e^x and e^-x that is below 1 is formed.
static inline double tg_entry_sigmoid(double x)
{
  const double e = exp(-fabs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|); NaN passes through the exponential.
static inline double tg_entry_softplus(double x)
{
  return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

// |x| + log(1 + e^-2|x|) - log(2), which cancels near 0: there log(1 + (cosh(x) - 1)), cosh(x) - 1 = 2 sinh(x/2)^2.
static inline double tg_entry_logcosh(double x)
{
  const double half = sinh(0.5 * x);
  if (fabs(x) < 1) return log1p(2 * half * half);
  return fabs(x) + log1p(exp(-2 * fabs(x))) - 0.6931471805599453;
}

#endif
