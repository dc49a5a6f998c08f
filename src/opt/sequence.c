// Records of one minimisation after another, numbered through.
#include "opt/sequence.h"

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  const opt_sequence *sequence = self;
  const opt_observer *observer = sequence->observer;
  if (observer == NULL || observer->iteration == NULL) return TG_OK;
  if (sequence->skips_start && record->iteration == 0) return TG_OK;
  opt_record shifted = *record;
  shifted.iteration += sequence->iterations;
  shifted.seconds += sequence->seconds;
  return observer->iteration(observer->self, &shifted, x);
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  const opt_sequence *sequence = self;
  const opt_observer *observer = sequence->observer;
  if (observer == NULL || observer->poll == NULL) return TG_OK;
  return observer->poll(observer->self, poll);
}

opt_observer opt_sequence_observer(opt_sequence *sequence)
{
  return (opt_observer){.self = sequence, .iteration = on_iteration, .poll = on_poll};
}
