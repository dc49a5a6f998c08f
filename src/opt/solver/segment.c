// Search along a feasible segment.
#include "opt/solver/segment.h"

#include "opt/line/polynomial.h"
#include "opt/solver/nonmonotone.h"

tg_status opt_segment_minimise(opt_ray *ray, double first, double longest, const char *where, opt_verdict *verdict)
{
  double t = 0;
  double rise = 0;
  if (ray->degree < 0) return opt_nonmonotone_search(ray, 0, fmin(first, longest), where, verdict);
  opt_polynomial_minimise_within(ray->degree, ray->coefs, ray->errors, longest, &t, &rise);
  if (t > 0) return opt_ray_move(ray, t, verdict);
  *verdict = OPT_STUCK;
  opt_run_explain(ray->run, "the objective %s %s, |d| = %.3e, slope %.3e", ray->run->options->wording->no_fall, where,
                  ray->d_norm, opt_run_shown(ray->run, ray->slope));
  return TG_OK;
}
