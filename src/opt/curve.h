// A curve t -> R_x(t d) on a manifold: trials, and the move along it. Internal to the Riemannian solvers.
#ifndef OPT_CURVE_H
#define OPT_CURVE_H

#include "opt/solver.h"

typedef struct opt_curve {
  opt_run *run;
  const opt_point *d; // tangent at x
  double slope;       // <g, d>
  double d_norm;
  double trial_t; // run->trial holds R_x(trial_t d); NAN: nothing
  double trial_f;
  bool trial_has_gradient; // run->g_old holds the Riemannian gradient there
} opt_curve;

static inline opt_curve opt_curve_start(opt_run *run, const opt_point *d, double slope, double d_norm)
{
  return (opt_curve){.run = run, .d = d, .slope = slope, .d_norm = d_norm, .trial_t = NAN};
}

// f(R_x(t d)) - f(x), and its derivative unless slope is NULL: <g there, d>, which is the inner product with the
// transported d, for g is tangent; right to first order in t. The signature is opt_phi's.
tg_status opt_curve_eval(void *self, double t, double *rise, double *slope);
// Makes R_x(t d) the current point; g_norm stays with the caller.
tg_status opt_curve_move(opt_curve *curve, double t);

#endif
