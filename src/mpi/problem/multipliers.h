// Multipliers of general constraints in numbers: how far constraints are violated, and the update of an augmented
// Lagrangian (opt/augmented_lagrangian.h has the formulas).
#ifndef TG_MPI_MULTIPLIERS_H
#define TG_MPI_MULTIPLIERS_H

#include "mpi/matrix/dmat.h"

// One constraint, or one kink: the values of h, g or e at a point and the multipliers, of equal shape and layout; not
// owned. The multipliers of h = 0 are any numbers, those of g <= 0 not negative, those of the term sum max(low e, high
// e) of the objective between low and high.
typedef struct tg_multiplier {
  const tg_dmat *value;
  tg_dmat *multiplier;
  double low;
  double high;
} tg_multiplier;

typedef struct tg_violation {
  double largest;         // over all entries: |h|, max(0, g); of a kink 0
  double complementarity; // likewise |h|, |max(g, -m / penalty)|, in general the multiplier's next change over penalty
  double square;          // |h|^2 + |max(0, g)|^2
  double size;            // largest |value|
  double typical;         // (mean of the roots of |value|)^2: a few large ones do not count much
} tg_violation;

// A value that is not a number counts as an infinite violation. Collective.
tg_status tg_multiplier_measure(const tg_multiplier *constraint, double penalty, tg_violation *out);
// The root of the mean square of the value's finite entries, 0 without any. Collective.
tg_status tg_multiplier_size(const tg_multiplier *constraint, double *out);
// m := m + penalty value, each entry kept between low and high, where they are infinite within +-limit; square :=
// |m|^2. Collective.
tg_status tg_multiplier_update(const tg_multiplier *constraint, double penalty, double limit, double *square);

// m := a slope of the kink at its value: low where it is negative, else high. Local.
void tg_multiplier_set_slope(const tg_multiplier *kink);

#endif
