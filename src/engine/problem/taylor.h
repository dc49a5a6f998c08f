// Taylor tests: does the gradient, or the Hessian action, belong to the function it is used with?
//
// For a right gradient the remainder r(t) = |f(x+tH) - f(x) - t<G,H>| falls like t^2, for a wrong one like t; the
// same holds for R(t) = |G(x+tV) - G(x) - t H[V]|_F. What is compiled is tested, not what is on paper.
#ifndef TG_ENGINE_TAYLOR_H
#define TG_ENGINE_TAYLOR_H

#include "opt/problem.h"

enum { TG_TAYLOR_MAX = 16 };
// Points that a test of the gradient makes beside x.
enum { TG_TAYLOR_POINTS = 3 };

typedef enum tg_taylor_verdict {
  TG_TAYLOR_PASSED,     // second order or better where it can be seen
  TG_TAYLOR_EXACT,      // no remainder above rounding: f is linear along H
  TG_TAYLOR_FAILED,     // first order
  TG_TAYLOR_UNRESOLVED, // it cannot be tested here: no step lies between curvature and rounding
  TG_TAYLOR_NOT_FINITE  // f or its gradient is not finite at x
} tg_taylor_verdict;

typedef struct tg_taylor_row {
  double t;
  double remainder;
  double floor; // remainders below are rounding
  double order; // log(r(t before) / r(t)) / log(t before / t); NaN in the first row and at or below the floor
} tg_taylor_row;

typedef struct tg_taylor {
  int n;
  tg_taylor_row rows[TG_TAYLOR_MAX]; // t falling by 10 from row to row; by more in the two rows of a probe
  tg_taylor_verdict verdict;
  double scale; // |<G,H>| or |H[V]|: rounding that hides most of it leaves nothing to see
  int suspect;  // the row where a run of first order ends, when failed; else -1
  double order; // the best seen by two rows above the floor when passed, the first-order one when failed
} tg_taylor;

// Tests at x along one random direction of norm |x|_F, or 1 where x = 0: `steps` values of t from 10^-1 downwards, and
// more while these are too long for the curvature. x becomes the problem's current point. Collective.
tg_status tg_taylor_gradient(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out);
// The same with two values of the objective where these decide, for the start of every run: the second t is so small
// that a wrong gradient would show. Where they do not, tg_taylor_gradient's rows follow. Collective.
tg_status tg_taylor_probe(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out);
// The same for the Hessian action; the problem must have one.
tg_status tg_taylor_hessian(opt_problem *problem, const opt_point *x, uint64_t seed, int steps, tg_taylor *out);

// Fills orders, verdict and order from t, remainder and floor of the rows. Local; apart, so that it can be tested.
void tg_taylor_judge(tg_taylor *taylor);
const char *tg_taylor_verdict_label(tg_taylor_verdict verdict);

#endif
