// Records of one minimisation after another, numbered through.
#include "opt/sequence.h"

#include <float.h>
#include <stdio.h>

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

// "rounds_seconds" among the driver's "seconds".
static tg_status list_own(opt_sequence *sequence, opt_listing *listing)
{
  char name[32];
  snprintf(name, sizeof name, "%s_iterations", sequence->name);
  TG_TRY(opt_listing_add_count(listing, name, &sequence->iterations));
  snprintf(name, sizeof name, "%s_seconds", sequence->name);
  TG_TRY(opt_listing_add_number(listing, name, -1, &sequence->seconds));
  if (sequence->list != NULL) TG_TRY(sequence->list(sequence->caller, listing));
  return TG_OK;
}

static tg_status on_checkpoint(void *self, opt_listing *listing)
{
  opt_sequence *sequence = self;
  TG_TRY(list_own(sequence, listing));
  return sequence->observer->checkpoint(sequence->observer->self, listing);
}

// The entries of the driver, or of a sequence inside this one, whose minimisation has several; our own were restored
// before.
static tg_status on_restore(void *self, const opt_listing *listing, bool *restored)
{
  opt_sequence *sequence = self;
  *restored = false;
  if (!sequence->resumes) return TG_OK;
  return sequence->observer->restore(sequence->observer->self, listing, restored);
}

opt_observer opt_sequence_observer(opt_sequence *sequence)
{
  const opt_observer *seen = sequence->observer;
  opt_observer out = {.self = sequence, .iteration = on_iteration, .poll = on_poll};
  if (seen != NULL && seen->checkpoint != NULL) out.checkpoint = on_checkpoint;
  if (seen != NULL && seen->restore != NULL) out.restore = on_restore;
  return out;
}

tg_status opt_sequence_restore(opt_sequence *sequence, bool *restored)
{
  const opt_observer *observer = sequence->observer;
  *restored = false;
  if (observer == NULL || observer->restore == NULL) return TG_OK;
  opt_listing_clear(&sequence->listing);
  TG_TRY(list_own(sequence, &sequence->listing));
  TG_TRY(observer->restore(observer->self, &sequence->listing, restored));
  sequence->resumes = *restored;
  if (*restored) sequence->earlier_seconds = sequence->seconds;
  return TG_OK;
}

void opt_sequence_add(opt_sequence *sequence, int64_t iterations, const opt_result *result)
{
  sequence->iterations += iterations;
  sequence->seconds += result->seconds;
  sequence->earlier_seconds += result->earlier_seconds;
  sequence->resumes = false;
}

double opt_sequence_time_left(const opt_sequence *sequence, double time_limit)
{
  const double spent = sequence->seconds - sequence->earlier_seconds;
  return time_limit > 0 ? fmax(DBL_MIN, time_limit - spent) : 0;
}

void opt_sequence_fini(opt_sequence *sequence)
{
  opt_listing_fini(&sequence->listing);
}
