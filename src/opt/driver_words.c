// What the driver calls the endings of a run, and how far it stands from the target.
#include <stdio.h>

#include "opt/driver_parts.h"
#include "opt/stationarity.h"

static const char *const outcome_labels[] = {
#define OPT_OUTCOME_LABEL(name, exit_status, label) label,
    OPT_OUTCOME_LIST(OPT_OUTCOME_LABEL)
#undef OPT_OUTCOME_LABEL
};

static const int outcome_exits[] = {
#define OPT_OUTCOME_EXIT(name, exit_status, label) exit_status,
    OPT_OUTCOME_LIST(OPT_OUTCOME_EXIT)
#undef OPT_OUTCOME_EXIT
};

const char *opt_outcome_label(opt_outcome outcome)
{
  TG_ASSERT(outcome < OPT_OUTCOME_COUNT);
  return outcome_labels[outcome];
}

int opt_outcome_exit(opt_outcome outcome)
{
  TG_ASSERT(outcome < OPT_OUTCOME_COUNT);
  return outcome_exits[outcome];
}

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
