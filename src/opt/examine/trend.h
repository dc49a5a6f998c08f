// What f gained for each power of ten of the gradient.
//
// Near a minimum f - f* goes like |g|^2: each power of ten gains a hundredth of the one before, and what is left is
// nothing beside the last. Where eigenvalues of the Hessian lie in all orders of size, as of a Gaussian kernel, each
// power of ten of |g| belongs to eigenvalues smaller by as much and gains as much as the one before: what is left is no
// less than the last gain, however small |g| is. A few steps of conjugate gradients do not meet such eigenvalues.
#ifndef OPT_TREND_H
#define OPT_TREND_H

#include "opt/solver.h"

enum { OPT_TREND_POWERS = 17 };

typedef struct opt_trend {
  double before[OPT_TREND_POWERS]; // k: f before the gradient first met the tolerance 10^-k
  int64_t met;                     // so many of them are known
  double last;                     // f when it was looked at last
} opt_trend;

// At each point of a run, the start included; a run begins with a trend of zeros. Local.
void opt_trend_follow(const opt_run *run, opt_trend *t);
// What f may still fall if it goes on as before: a geometric series of gains by powers of ten, but no more than the
// last. 0 where nothing is known. Local.
double opt_trend_left(const opt_run *run, const opt_trend *t);
// What is left if the way to the minimum has not become shorter since any of these points, f - f* <= |g| |x - x*|: then
// f - f* goes like |g|. Mostly far too much: a reason to look twice. Local.
double opt_trend_most(const opt_run *run, const opt_trend *t);
tg_status opt_trend_list(opt_trend *t, opt_listing *listing);

#endif
