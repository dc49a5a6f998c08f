// Time, signals and checkpoints: what the driver asks its observer, between the steps and inside of long ones.
#include <inttypes.h>

#include "opt/driver_parts.h"

// Here ranks agree.
static tg_status ask(opt_driver *self, opt_poll *out)
{
  const double limit = self->run.options->time_limit;
  // The limit is that of this run: what a batch system grants.
  *out = (opt_poll){.time_over = limit > 0 && opt_driver_elapsed(self) - self->earlier_seconds >= limit};
  if (self->observer->poll != NULL) TG_TRY(self->observer->poll(self->observer->self, out));
  return TG_OK;
}

static bool must_end(const opt_poll *poll)
{
  return poll->interrupted || poll->time_over;
}

static void end_by(opt_driver *self, const opt_poll *poll)
{
  opt_run *run = &self->run;
  if (poll->interrupted) {
    opt_run_explain(run, "interrupted after %" PRId64 " iterations with %s %.6g", run->iteration,
                    opt_driver_measure(self), run->g_norm);
    self->result->outcome = OPT_INTERRUPTED;
  } else {
    opt_run_explain(run, "time_limit: %g s are over after %" PRId64 " iterations with %s", run->options->time_limit,
                    run->iteration, opt_driver_standing(self));
    self->result->outcome = OPT_TIME_LIMIT;
  }
}

tg_status opt_driver_poll(opt_driver *self, bool *ended)
{
  opt_poll poll;
  TG_TRY(ask(self, &poll));
  *ended = must_end(&poll);
  if (*ended) end_by(self, &poll);
  if (!*ended && poll.checkpoint_due) TG_TRY(opt_driver_save(self));
  return TG_OK;
}

// A checkpoint that is due waits for the end of the step.
tg_status opt_driver_gives_up(opt_run *run, bool *out)
{
  opt_driver *self = (opt_driver *)run; // its first member
  TG_TRY(ask(self, &self->last_poll));
  *out = must_end(&self->last_poll);
  return TG_OK;
}

tg_status opt_driver_step(opt_driver *self, opt_verdict *verdict)
{
  opt_run *run = &self->run;
  self->counts_before = run->problem->counts;
  self->rayleigh_before = run->rayleigh_max;
  return run->solver->step(run, self->state, verdict);
}

void opt_driver_give_up(opt_driver *self)
{
  self->run.problem->counts = self->counts_before;
  self->run.rayleigh_max = self->rayleigh_before;
  end_by(self, &self->last_poll);
}

tg_status opt_run_gives_up(opt_run *run, bool *out)
{
  *out = false;
  return run->gives_up != NULL ? run->gives_up(run, out) : TG_OK;
}
