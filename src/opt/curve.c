// Trials along a curve on a manifold, and the move along it.
#include "opt/curve.h"

static tg_status place_trial(opt_curve *curve, double t)
{
  const opt_run *run = curve->run;
  if (curve->trial_t == t) return TG_OK;
  TG_TRY(run->constraint->ops->retract(run->constraint, run->x, t, curve->d, run->trial));
  curve->trial_t = t;
  curve->trial_has_gradient = false;
  return TG_OK;
}

// f and the Riemannian gradient at the trial point.
static tg_status differentiate_trial(opt_curve *curve)
{
  opt_run *run = curve->run;
  if (curve->trial_has_gradient) return TG_OK;
  TG_TRY(run->problem->ops->gradient(run->problem, run->trial, &curve->trial_f, run->g_old));
  TG_TRY(run->constraint->ops->tangent(run->constraint, run->trial, run->g_old));
  curve->trial_has_gradient = true;
  return TG_OK;
}

tg_status opt_curve_eval(void *self, double t, double *rise, double *slope)
{
  opt_curve *curve = self;
  opt_run *run = curve->run;
  TG_TRY(place_trial(curve, t));
  if (slope == NULL) {
    if (!curve->trial_has_gradient) TG_TRY(run->problem->ops->value(run->problem, run->trial, &curve->trial_f));
  } else {
    TG_TRY(differentiate_trial(curve));
    TG_TRY(opt_dot(run->space, run->g_old, curve->d, slope));
  }
  *rise = curve->trial_f - run->f;
  return TG_OK;
}

static void swap_points(opt_point **a, opt_point **b)
{
  opt_point *kept = *a;
  *a = *b;
  *b = kept;
}

tg_status opt_curve_move(opt_curve *curve, double t)
{
  opt_run *run = curve->run;
  TG_TRY(place_trial(curve, t));
  TG_TRY(differentiate_trial(curve));
  swap_points(&run->x, &run->trial);
  swap_points(&run->g, &run->g_old);
  run->f = curve->trial_f;
  run->g_norm = NAN;
  run->step = t;
  run->step_norm = t * curve->d_norm;
  run->x_reach += run->step_norm;
  run->is_fresh = false; // the retraction is feasible up to rounding only
  return TG_OK;
}
