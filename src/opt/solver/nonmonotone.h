// The nonmonotone search: f may rise to the largest of its last values.
//
//     f(x + t d) <= max of the last values + 1e-4 t <g, d>
//
// L. Grippo, F. Lampariello and S. Lucidi, SIAM J. Numer. Anal. 23 (1986).
#ifndef OPT_NONMONOTONE_H
#define OPT_NONMONOTONE_H

#include "opt/solver.h"

typedef struct opt_recent {
  double *values; // a ring
  int64_t memory;
  int64_t n_values; // ever put in
} opt_recent;

tg_status opt_recent_create(int64_t memory, opt_recent *out);
void opt_recent_destroy(opt_recent *recent);
// Remembers f; returns how far the largest remembered value stands above it.
double opt_recent_allowance(opt_recent *recent, double f);
tg_status opt_recent_list(opt_recent *recent, opt_listing *listing);

// Whether the test above holds for f(x + t d) - f(x) = rise, `allowed` above f(x). A rise that is not finite fails.
bool opt_nonmonotone_accepts(const opt_ray *ray, double allowed, double t, double rise);
// From `first` on t is shortened by the parabola through f(x), the slope and f(x + t d) until the test holds; then the
// move. The first trial computes the gradient as well, which the next iteration needs when it is accepted, as it mostly
// is. `where` completes the reason of a failure: "towards the extreme point".
tg_status opt_nonmonotone_search(opt_ray *ray, double allowed, double first, const char *where, opt_verdict *verdict);

#endif
