// The table of solvers.
#include "opt/solver.h"

#include <string.h>

const opt_solver *opt_solver_find(const char *name)
{
  static const opt_solver *const tables[] = {
#define OPT_SOLVER(row_name, table, help) &table,
#include "opt/solvers.def"
#undef OPT_SOLVER
  };
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    if (strcmp(tables[i]->name, name) == 0) return tables[i];
  }
  return NULL;
}
