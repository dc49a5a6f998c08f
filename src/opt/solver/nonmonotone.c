// The nonmonotone search, and the values of f that it remembers.
#include "opt/solver/nonmonotone.h"

#include <math.h>

#include "base/memory.h"

static const double sufficient = 1e-4;

enum { TRIALS_MAX = 60 };

tg_status opt_recent_create(int64_t memory, opt_recent *out)
{
  out->memory = memory;
  TG_TRY(tg_alloc(memory, sizeof *out->values, (void **)&out->values));
  return TG_OK;
}

void opt_recent_destroy(opt_recent *recent)
{
  tg_free(recent->values);
}

double opt_recent_allowance(opt_recent *recent, double f)
{
  recent->values[recent->n_values++ % recent->memory] = f;
  double largest = f;
  for (int64_t i = 0; i < recent->memory && i < recent->n_values; i++) largest = fmax(largest, recent->values[i]);
  return largest - f;
}

tg_status opt_recent_list(opt_recent *recent, opt_listing *listing)
{
  TG_TRY(opt_listing_add_count(listing, "n_values", &recent->n_values));
  for (int64_t i = 0; i < recent->memory; i++) TG_TRY(opt_listing_add_number(listing, "value", i, &recent->values[i]));
  return TG_OK;
}

bool opt_nonmonotone_accepts(const opt_ray *ray, double allowed, double t, double rise)
{
  return isfinite(rise) && rise <= allowed + opt_ray_noise(ray) + sufficient * t * ray->slope;
}

tg_status opt_nonmonotone_search(opt_ray *ray, double allowed, double first, const char *where, opt_verdict *verdict)
{
  // Inside a domain that f defines a long step may be had next to its border; what overflows does so far away.
  const bool has_border = ray->run->options->has_border;
  const double back = has_border ? 2 : 10;
  bool was_finite = false;
  double t = first;
  for (int trial = 0; trial < TRIALS_MAX; trial++) {
    double rise = 0;
    double slope = 0;
    TG_TRY(opt_ray_eval(ray, t, &rise, trial == 0 ? &slope : NULL));
    const bool is_finite = isfinite(rise) && isfinite(slope);
    if (is_finite && has_border && !was_finite && trial > 0) {
      was_finite = true;
      t /= 2;
      continue;
    }
    if (is_finite && opt_nonmonotone_accepts(ray, allowed, t, rise)) {
      return opt_ray_move(ray, t, verdict);
    }
    was_finite = was_finite || is_finite;
    const double minimiser = -ray->slope * t * t / (2 * (rise - t * ray->slope));
    t = is_finite ? fmin(fmax(minimiser, t / 10), t / 2) : t / back;
  }
  *verdict = opt_run_no_step(ray->run, was_finite, where, t * ray->d_norm);
  return TG_OK;
}
