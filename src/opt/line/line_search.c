// The table of line searches and the conditions they share.
#include "opt/line/line_search.h"

#include <math.h>
#include <string.h>

const opt_line_search *opt_line_search_find(const char *name)
{
  static const opt_line_search *const tables[] = {
#define OPT_LINE_SEARCH(row_name, table, help) &table,
#include "opt/line_searches.def"
#undef OPT_LINE_SEARCH
  };
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    if (strcmp(tables[i]->name, name) == 0) return tables[i];
  }
  return NULL;
}

bool opt_line_is_approximate_wolfe(const opt_phi *phi, const opt_line_options *options, double rise, double slope)
{
  return fabs(rise) <= phi->noise && slope >= options->curvature * phi->slope &&
         slope <= (2 * options->decrease - 1) * phi->slope;
}
