// Several minimisations as one outer loop: a single count of iterations, by an observer around another one.
#ifndef OPT_OUTER_LOOP_H
#define OPT_OUTER_LOOP_H

#include "opt/driver.h"

// Iterations and seconds of the minimisations done are added to each record of the next; the caller keeps them up to
// date (opt_outer_loop_add).
typedef struct opt_outer_loop {
  const opt_observer *observer; // NULL: nobody looks
  const char *name;             // of this loop's own entries in a checkpoint: "rounds"
  int64_t iterations;
  double seconds;
  double earlier_seconds; // of these, in the runs before it was resumed
  int64_t round;          // for the records, where this loop counts rounds: which it is, the violation before it and
  double violation;       // what the gradient has to come down to in the end; 0: they are as they come
  double gradient_target;
  bool skips_start; // record 0 of the next minimisation was seen as the end of the one before
  // The caller's own entries for a checkpoint; NULL: none.
  tg_status (*list)(void *caller, opt_listing *listing);
  void *caller;
  opt_listing listing; // memory of opt_outer_loop_restore
  bool resumes;        // the next minimisation goes on from the checkpoint
} opt_outer_loop;

// The observer for the next minimisation; outer_loop must stay where it is. A checkpoint in the middle of a
// minimisation holds the caller's entries and the loop's own beside the driver's. That one of the minimisations
// converged or stalled is not the end: no checkpoint is asked for there.
opt_observer opt_outer_loop_observer(opt_outer_loop *outer_loop);
// Fills the caller's entries and the loop's own from the observer's checkpoint, if it has one: then the next
// minimisation, and no other, goes on from it. Before the first one.
tg_status opt_outer_loop_restore(opt_outer_loop *outer_loop, bool *restored);
// Hands the observer a direction along which f falls without end, which the caller has found. Collective.
tg_status opt_outer_loop_show_ray(const opt_outer_loop *outer_loop, const opt_point *d);
// A minimisation ended: its seconds, and `iterations` records beside the first.
void opt_outer_loop_add(opt_outer_loop *outer_loop, int64_t iterations, const opt_result *result);
// What is left of a time limit, which counts from where it was resumed; 0: there is none.
double opt_outer_loop_time_left(const opt_outer_loop *outer_loop, double time_limit);
void opt_outer_loop_fini(opt_outer_loop *outer_loop);

#endif
