// Exact line search: the global minimiser of a known polynomial on t > 0.
#include "opt/line/line_search.h"
#include "opt/line/polynomial.h"

// The coefficients are used and never differences of f: near an optimum f(x + t d) - f(x) drowns in rounding while
// <g, d> and <d, H d> do not.
static tg_status search_exact(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  TG_ASSERT(phi->degree >= 0);
  *found = (opt_line_found){.verdict = OPT_LINE_STUCK};
  switch (opt_polynomial_minimise(phi->degree, phi->coefs, phi->errors, &found->t, &found->rise)) {
  case OPT_POLYNOMIAL_MINIMUM:
    found->verdict = OPT_LINE_FOUND;
    break;
  case OPT_POLYNOMIAL_FALLING:
    found->verdict = OPT_LINE_FALLING;
    found->t = options->longest;
    break;
  case OPT_POLYNOMIAL_FLAT:
    break;
  }
  if (found->verdict == OPT_LINE_FOUND && found->t > options->longest)
    opt_polynomial_minimise_within(phi->degree, phi->coefs, phi->errors, options->longest, &found->t, &found->rise);
  // A step of subnormal or infinite length moves nothing.
  if (found->verdict == OPT_LINE_FOUND && !(found->t > 0 && found->t <= options->longest))
    found->verdict = OPT_LINE_STUCK;
  return TG_OK;
}

const opt_line_search opt_line_search_exact = {.name = "exact", .needs_polynomial = true, .search = search_exact};
