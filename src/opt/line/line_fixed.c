// Fixed step length: for the user who knows it, and for comparisons.
#include <math.h>

#include "opt/line/line_search.h"

// No test of descent. A step onto a non-finite value is the one thing refused.
static tg_status search_fixed(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  *found = (opt_line_found){.verdict = OPT_LINE_FOUND, .t = options->step_length, .evaluations = 1};
  double slope = 0;
  TG_TRY(phi->eval(phi->self, found->t, &found->rise, &slope));
  if (!isfinite(found->rise) || !isfinite(slope)) found->verdict = OPT_LINE_NOT_FINITE;
  return TG_OK;
}

const opt_line_search opt_line_search_fixed = {.name = "fixed", .search = search_fixed};
