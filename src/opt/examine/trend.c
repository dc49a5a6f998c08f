// A table of values by powers of ten.
#include "opt/examine/trend.h"

#include <math.h>

#include "opt/stationarity.h"

void opt_trend_follow(const opt_run *run, opt_trend *t)
{
  int worst = 0;
  const double share = opt_run_share(run, &worst);
  const double before = t->met == 0 ? run->f : t->last;
  while (t->met < OPT_TREND_POWERS && share <= pow(10, -(double)t->met)) t->before[t->met++] = before;
  t->last = run->f;
}

// The largest power of ten that is ten times the gradient or more, and was met before; *power is that of the gradient.
// Below 1: not known.
static int64_t find_power(const opt_run *run, const opt_trend *t, double *power)
{
  int worst = 0;
  *power = -log10(opt_run_share(run, &worst));
  if (!(*power >= 2)) return 0;
  const int64_t k = (int64_t)fmin(floor(*power), OPT_TREND_POWERS) - 1;
  return k < t->met ? k : 0;
}

static double above_rounding(const opt_run *run, double amount)
{
  return amount > 2 * opt_run_value_rounding(run) ? amount : 0;
}

double opt_trend_left(const opt_run *run, const opt_trend *t)
{
  double power = 0;
  const int64_t k = find_power(run, t, &power);
  if (k < 1) return 0;
  const double gain = (t->before[k] - run->f) / (power - (double)k);
  const double before = t->before[k - 1] - t->before[k];
  const double window = t->before[k >= 2 ? k - 2 : 0] - run->f;
  // One step over several powers: it may have removed what large eigenvalues held, at no gain, and says nothing.
  const double left = before == 0 ? fmax(gain, window) : before > 2 * gain ? gain * gain / (before - gain) : gain;
  return above_rounding(run, left);
}

double opt_trend_most(const opt_run *run, const opt_trend *t)
{
  double power = 0;
  double most = 0;
  for (int64_t k = find_power(run, t, &power); k >= 0; k--)
    if (k < t->met) most = fmax(most, (t->before[k] - run->f) * pow(10, (double)k - power));
  return above_rounding(run, most);
}

tg_status opt_trend_list(opt_trend *t, opt_listing *listing)
{
  for (int k = 0; k < OPT_TREND_POWERS; k++) TG_TRY(opt_listing_add_number(listing, "trend", k, &t->before[k]));
  TG_TRY(opt_listing_add_number(listing, "trend_objective", -1, &t->last));
  TG_TRY(opt_listing_add_count(listing, "trend_met", &t->met));
  opt_listing_limit(listing, 0, OPT_TREND_POWERS);
  return TG_OK;
}
