// The driver's inside, shared by driver.c and driver_checkpoint.c.
#ifndef OPT_DRIVER_PARTS_H
#define OPT_DRIVER_PARTS_H

#include "opt/driver.h"
#include "opt/examine/examine.h"
#include "opt/solver.h"

// What the driver itself keeps. Progress is judged over windows of iterations.
typedef struct opt_driver {
  opt_run run;
  void *state;              // of the solver
  const opt_solver *second; // the one that is not at work: before it takes over, or after; NULL: there is one alone
  void *second_state;
  int64_t is_exchanged; // the second one has taken over
  const opt_observer *observer;
  opt_result *result;
  opt_listing listing;
  opt_point *user_x;
  opt_point *best; // NULL where f cannot rise but by its own rounding
  double best_f;
  double fall_f; // f when the fall was looked at last, and the fall before that
  double fall_before;
  int64_t returns; // to the best point, from where a method that is not monotone would have ended above it
  double clock_start;
  double earlier_seconds; // of the runs before it was resumed
  double listed_seconds;  // elapsed, as the listing sees it
  int64_t listed_fresh;   // run.is_fresh, likewise
  double window_f;        // least value, gradient norm, and share of the references at the last progress
  double window_g;
  double window_share;
  int64_t window_iteration;
  int64_t small_changes; // iterations in a row below objective_tolerance or step_tolerance
  int64_t small_steps;
  int64_t failed_tests; // times that the recomputed gradient failed where the carried one passed
  double failed_share;  // the least recomputed one, of the references
  bool is_refuted;      // that has just happened
  int64_t last_failure; // iteration of the last step that found nothing, -1: none
  double f_before;
  int64_t renewed_at;       // iteration of the preconditioner's last renewal
  opt_point *renewal_x;     // where the preconditioner was made last; NULL where it is never renewed, or nobody saves
  int64_t has_renewal_x;    // it was renewed there
  char standing[160];       // for a reason
  opt_poll last_poll;       // inside a step
  opt_counts counts_before; // of the step at hand, for one that is given up
  double rayleigh_before;
  opt_examiner examiner; // of points that pass the stopping test
} opt_driver;

// Seconds since the start, those of earlier runs included. Local.
double opt_driver_elapsed(const opt_driver *self);

// Chooses the method and line search by the options and the constraints, and allocates everything. Collective.
tg_status opt_driver_set_up(opt_driver *self);
// Frees it, also after a set-up that failed; the user keeps his x. Local.
void opt_driver_tear_down(opt_driver *self);

// What the number that is to become small is called: "gradient norm", or what the solver calls its own.
const char *opt_driver_measure(const opt_driver *self);
// "gradient norm 1.2e-3, the target is 1e-8"; of several variables that which is furthest from its own target.
const char *opt_driver_standing(opt_driver *self);
// Between two steps: whether time or a signal ends the run; saves a checkpoint that is due. Collective.
tg_status opt_driver_poll(opt_driver *self, bool *ended);
// The same in the middle of one, for opt_run_gives_up.
tg_status opt_driver_gives_up(opt_run *run, bool *out);
// One step of the solver.
tg_status opt_driver_step(opt_driver *self, opt_verdict *verdict);
// After a step that was given up: the state is that before it, so that a resumed run makes the same step again.
void opt_driver_give_up(opt_driver *self);

// The second method takes over at x, or had when the state was saved; it begins with what it was restored to. Local.
void opt_driver_exchange(opt_driver *self);
// Everything that the iterations to come read: the driver's own entries first, then the solver's, then what the problem
// keeps for the current point. What a step writes before it reads it has no place here.
tg_status opt_driver_list(opt_driver *self);
// Hands the state to the observer as it is.
tg_status opt_driver_save(opt_driver *self);
// Fills the state from a checkpoint, if the observer has one. The preconditioner is made again where it was made last.
tg_status opt_driver_restore(opt_driver *self, bool *restored);
// Whether the state at the end is one that a run can be resumed from, with other limits or tolerances.
bool opt_driver_can_go_on(const opt_driver *self);

#endif
