// Several minimisations seen as one sequence of iterations: an observer around another one.
#ifndef OPT_SEQUENCE_H
#define OPT_SEQUENCE_H

#include "opt/driver.h"

// Iterations and seconds of the minimisations done are added to each record of the next; the caller keeps them up to
// date.
typedef struct opt_sequence {
  const opt_observer *observer; // NULL: nobody looks
  int64_t iterations;
  double seconds;
  bool skips_start; // record 0 of the next minimisation was seen as the end of the one before
} opt_sequence;

// The observer for the next minimisation; sequence must stay where it is. Checkpoints are not passed on.
opt_observer opt_sequence_observer(opt_sequence *sequence);

#endif
