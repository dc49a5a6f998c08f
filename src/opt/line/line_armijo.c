// Armijo's sufficient decrease by safeguarded quadratic interpolation, with expansion.
//
// Accepts t when  phi(t) - phi(0) <= c t phi'(0).  Nocedal and Wright (2006), section 3.5. The slope is asked for at
// the first trial only: a gradient there is what the next iteration needs when the trial is accepted, which is the
// rule.
#include <math.h>

#include "opt/line/line_search.h"

static bool is_sufficient(const opt_phi *phi, const opt_line_options *options, double t, double rise)
{
  return rise <= options->decrease * t * phi->slope;
}

// The minimiser of the parabola through phi'(0) and phi(t), kept within [t/10, t/2].
static double shorter_step(const opt_phi *phi, double t, double rise)
{
  if (!isfinite(rise)) return t / 10;
  const double minimiser = -phi->slope * t * t / (2 * (rise - phi->slope * t));
  return fmin(fmax(minimiser, t / 10), t / 2);
}

// The first trial was good and the slope there is still steep: longer steps while they lower phi further.
static tg_status expand(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  while (found->evaluations < options->max_evaluations) {
    const double t = fmin(4 * found->t, options->longest);
    if (t <= found->t) {
      found->verdict = OPT_LINE_FALLING;
      return TG_OK;
    }
    double rise = 0;
    TG_TRY(phi->eval(phi->self, t, &rise, NULL));
    found->evaluations++;
    if (!isfinite(rise) || rise >= found->rise || !is_sufficient(phi, options, t, rise)) return TG_OK;
    found->t = t;
    found->rise = rise;
  }
  return TG_OK;
}

// Where even the linear decrease drowns in the noise of f, the slopes must find the step.
static bool is_hidden(const opt_phi *phi, const opt_line_found *found)
{
  return found->rise <= phi->noise && -found->t * phi->slope <= phi->noise;
}

static tg_status search_by_slopes(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  const int spent = found->evaluations;
  TG_TRY(opt_line_search_hager_zhang.search(phi, options, found));
  found->evaluations += spent;
  return TG_OK;
}

static tg_status search_armijo(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  *found = (opt_line_found){.verdict = OPT_LINE_NOT_FINITE, .t = fmin(options->first, options->longest)};
  for (; found->evaluations < options->max_evaluations && found->t > 0; found->evaluations++) {
    const bool is_first = found->evaluations == 0;
    double slope = 0;
    TG_TRY(phi->eval(phi->self, found->t, &found->rise, is_first ? &slope : NULL));
    // A finite value with an infinite gradient is no point to stand on.
    if (is_first && !isfinite(slope)) found->rise = NAN;
    if (isfinite(found->rise)) found->verdict = OPT_LINE_STUCK;
    if (isfinite(found->rise) && is_sufficient(phi, options, found->t, found->rise)) {
      found->verdict = OPT_LINE_FOUND;
      found->evaluations++;
      if (is_first && slope < options->curvature * phi->slope) TG_TRY(expand(phi, options, found));
      return TG_OK;
    }
    if (isfinite(found->rise) && is_hidden(phi, found)) break;
    found->t = shorter_step(phi, found->t, found->rise);
  }
  if (found->verdict == OPT_LINE_STUCK) TG_TRY(search_by_slopes(phi, options, found));
  return TG_OK;
}

const opt_line_search opt_line_search_armijo = {.name = "armijo", .search = search_armijo};
