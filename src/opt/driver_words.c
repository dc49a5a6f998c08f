// How the driver names what is to become small, and how far it stands from its target.
#include <stdio.h>

#include "opt/driver_parts.h"
#include "opt/stationarity.h"

const char *opt_driver_measure(const opt_driver *self)
{
  const char *own = self->run.solver->measure_name;
  return own != NULL ? own : "gradient norm";
}

const char *opt_driver_standing(opt_driver *self)
{
  const opt_run *run = &self->run;
  int b = 0;
  opt_run_share(run, &b);
  const int n = run->stationarity.n;
  const bool names_one = n > 1 && run->options->gradient_tolerance > 0;
  const double norm = names_one ? run->stationarity.norms[b] : run->g_norm;
  const double target = names_one ? opt_run_target_of(run, b) : opt_run_target(run);
  char which[48] = "";
  if (names_one) snprintf(which, sizeof which, " by variable %d of %d", b + 1, n);
  snprintf(self->standing, sizeof self->standing, "%s%s %.6g, the target is %.6g", opt_driver_measure(self), which,
           norm, target);
  return self->standing;
}
