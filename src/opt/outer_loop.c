// Records of one minimisation after another, numbered through.
#include "opt/outer_loop.h"

#include <float.h>
#include <stdio.h>

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  const opt_outer_loop *outer_loop = self;
  const opt_observer *observer = outer_loop->observer;
  if (observer == NULL || observer->iteration == NULL) return TG_OK;
  if (outer_loop->skips_start && record->iteration == 0) return TG_OK;
  opt_record shifted = *record;
  shifted.iteration += outer_loop->iterations;
  shifted.seconds += outer_loop->seconds;
  if (outer_loop->round > 0) {
    shifted.round = outer_loop->round;
    shifted.violation = outer_loop->violation;
    shifted.gradient_target = outer_loop->gradient_target;
  }
  return observer->iteration(observer->self, &shifted, x);
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  const opt_outer_loop *outer_loop = self;
  const opt_observer *observer = outer_loop->observer;
  if (observer == NULL || observer->poll == NULL) return TG_OK;
  return observer->poll(observer->self, poll);
}

static tg_status on_ray(void *self, const opt_point *d)
{
  return opt_outer_loop_show_ray(self, d);
}

tg_status opt_outer_loop_show_ray(const opt_outer_loop *outer_loop, const opt_point *d)
{
  const opt_observer *observer = outer_loop->observer;
  return observer == NULL || observer->ray == NULL ? TG_OK : observer->ray(observer->self, d);
}

// "rounds_seconds" among the driver's "seconds".
static tg_status list_own(opt_outer_loop *outer_loop, opt_listing *listing)
{
  char name[32];
  snprintf(name, sizeof name, "%s_iterations", outer_loop->name);
  TG_TRY(opt_listing_add_count(listing, name, &outer_loop->iterations));
  snprintf(name, sizeof name, "%s_seconds", outer_loop->name);
  TG_TRY(opt_listing_add_number(listing, name, -1, &outer_loop->seconds));
  if (outer_loop->list != NULL) TG_TRY(outer_loop->list(outer_loop->caller, listing));
  return TG_OK;
}

static tg_status on_checkpoint(void *self, opt_listing *listing)
{
  opt_outer_loop *outer_loop = self;
  TG_TRY(list_own(outer_loop, listing));
  return outer_loop->observer->checkpoint(outer_loop->observer->self, listing);
}

// The entries of the driver, or of an outer loop inside this one, whose minimisation has several; our own were restored
// before.
static tg_status on_restore(void *self, const opt_listing *listing, bool *restored)
{
  opt_outer_loop *outer_loop = self;
  *restored = false;
  if (!outer_loop->resumes) return TG_OK;
  return outer_loop->observer->restore(outer_loop->observer->self, listing, restored);
}

opt_observer opt_outer_loop_observer(opt_outer_loop *outer_loop)
{
  const opt_observer *seen = outer_loop->observer;
  opt_observer out = {.self = outer_loop, .iteration = on_iteration, .poll = on_poll, .ray = on_ray};
  if (seen != NULL && seen->checkpoint != NULL) out.checkpoint = on_checkpoint;
  if (seen != NULL && seen->restore != NULL) out.restore = on_restore;
  return out;
}

tg_status opt_outer_loop_restore(opt_outer_loop *outer_loop, bool *restored)
{
  const opt_observer *observer = outer_loop->observer;
  *restored = false;
  if (observer == NULL || observer->restore == NULL) return TG_OK;
  opt_listing_clear(&outer_loop->listing);
  TG_TRY(list_own(outer_loop, &outer_loop->listing));
  TG_TRY(observer->restore(observer->self, &outer_loop->listing, restored));
  outer_loop->resumes = *restored;
  if (*restored) outer_loop->earlier_seconds = outer_loop->seconds;
  return TG_OK;
}

void opt_outer_loop_add(opt_outer_loop *outer_loop, int64_t iterations, const opt_result *result)
{
  outer_loop->iterations += iterations;
  outer_loop->seconds += result->seconds;
  outer_loop->earlier_seconds += result->earlier_seconds;
  outer_loop->resumes = false;
}

double opt_outer_loop_time_left(const opt_outer_loop *outer_loop, double time_limit)
{
  const double spent = outer_loop->seconds - outer_loop->earlier_seconds;
  return time_limit > 0 ? fmax(DBL_MIN, time_limit - spent) : 0;
}

void opt_outer_loop_fini(opt_outer_loop *outer_loop)
{
  opt_listing_fini(&outer_loop->listing);
}
