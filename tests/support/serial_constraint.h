// A product of feasible sets on plain arrays, for the solvers.
#ifndef SERIAL_CONSTRAINT_H
#define SERIAL_CONSTRAINT_H

#include "support/serial_set.h"
#include "support/serial_space.h"

typedef struct serial_constraint {
  opt_constraint base; // base.self points back here
  serial_set sets[SERIAL_BLOCKS_MAX];
  int64_t strays; // retractions and Hessian actions of vectors that are not tangent
} serial_constraint;

// The product of one set a block of the space. Fills the caller's storage, which must not move.
tg_status serial_constraint_init(serial_constraint *constraint, const serial_space *space,
                                 const opt_constraint_block *blocks);

#endif
