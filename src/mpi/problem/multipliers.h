// Multipliers of general constraints in numbers: how far constraints are violated, and the update of an augmented
// Lagrangian (opt/augmented_lagrangian.h has the formulas).
#ifndef TG_MPI_MULTIPLIERS_H
#define TG_MPI_MULTIPLIERS_H

#include "mpi/matrix/dmat.h"

// One constraint: the values of h or g at a point and its multipliers, of equal shape and layout; not owned.
typedef struct tg_multiplier {
  const tg_dmat *value;
  tg_dmat *multiplier;
  bool is_equality; // h = 0, else g <= 0
} tg_multiplier;

typedef struct tg_violation {
  double largest;         // over all entries: |h|, max(0, g)
  double complementarity; // likewise |h|, |max(g, -m / penalty)|
  double square;          // |h|^2 + |max(0, g)|^2
} tg_violation;

// A value that is not a number counts as an infinite violation. Collective.
tg_status tg_multiplier_measure(const tg_multiplier *constraint, double penalty, tg_violation *out);
// The root of the mean square of the value's finite entries, 0 without any. Collective.
tg_status tg_multiplier_size(const tg_multiplier *constraint, double *out);
// m := m + penalty h, or max(0, m + penalty g), each entry kept within +-limit; square := |m|^2. Collective.
tg_status tg_multiplier_update(const tg_multiplier *constraint, double penalty, double limit, double *square);

#endif
