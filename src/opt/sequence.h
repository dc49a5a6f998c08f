// Several minimisations seen as one sequence of iterations: an observer around another one.
#ifndef OPT_SEQUENCE_H
#define OPT_SEQUENCE_H

#include "opt/driver.h"

// Iterations and seconds of the minimisations done are added to each record of the next; the caller keeps them up to
// date (opt_sequence_add).
typedef struct opt_sequence {
  const opt_observer *observer; // NULL: nobody looks
  const char *name;             // of this sequence's own entries in a checkpoint: "rounds"
  int64_t iterations;
  double seconds;
  double earlier_seconds; // of these, in the runs before a restart
  bool skips_start;       // record 0 of the next minimisation was seen as the end of the one before
  // The caller's own entries for a checkpoint; NULL: none.
  tg_status (*list)(void *caller, opt_listing *listing);
  void *caller;
  opt_listing listing; // memory of opt_sequence_restore
  bool resumes;        // the next minimisation goes on from the checkpoint
} opt_sequence;

// The observer for the next minimisation; sequence must stay where it is. A checkpoint in the middle of a minimisation
// holds the caller's entries and the sequence's own beside the driver's. That one of the minimisations converged or
// stalled is not the end: no checkpoint is asked for there.
opt_observer opt_sequence_observer(opt_sequence *sequence);
// Fills the caller's entries and the sequence's own from the observer's checkpoint, if it has one: then the next
// minimisation, and no other, goes on from it. Before the first one.
tg_status opt_sequence_restore(opt_sequence *sequence, bool *restored);
// A minimisation ended: its seconds, and `iterations` records beside the first.
void opt_sequence_add(opt_sequence *sequence, int64_t iterations, const opt_result *result);
// What is left of a time limit, which counts from the restart; 0: there is none.
double opt_sequence_time_left(const opt_sequence *sequence, double time_limit);
void opt_sequence_fini(opt_sequence *sequence);

#endif
