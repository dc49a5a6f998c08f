// The driver: starts, monitors and stops a solver, and says honestly how the minimisation ended.
#ifndef OPT_DRIVER_H
#define OPT_DRIVER_H

#include "opt/listing.h"
#include "opt/options.h"
#include "opt/outcome.h"
#include "opt/problem.h"

// One iteration, as it goes into history.jsonl. Record 0 is the start.
typedef struct opt_record {
  int64_t iteration;
  double objective;
  double gradient_norm;
  double gradient_target; // what it may be, as far as is known so far
  int64_t round;          // of the augmented Lagrangian, from 1; 0: there are none
  double violation;       // of subject_to at the beginning of the round; 0 without rounds
  double step;            // length t along the direction; 0 at the start
  double seconds;         // since the start, earlier runs included after it was resumed; of this rank
  int64_t products;
} opt_record;

// What is asked at each iteration. All ranks must leave with the same values.
typedef struct opt_poll {
  bool time_over;      // in: by this rank's clock; out: as agreed
  bool interrupted;    // in: false
  bool checkpoint_due; // in: false
} opt_poll;

// Callbacks of the caller; any may be NULL, self is handed back. All are called on every rank, in the same order.
typedef struct opt_observer {
  void *self;
  // After the start and after each iteration. x is the current point.
  tg_status (*iteration)(void *self, const opt_record *record, const opt_point *x);
  // Once an iteration, and in long steps with every product: the one place where ranks agree on time, signals and
  // checkpoints.
  tg_status (*poll)(void *self, opt_poll *poll);
  // A checkpoint is due, or the run ended in a way that it can go on from. Everything that the iterations to come read
  // is in the listing, as it is: nothing is recomputed, so that a run does not know whether it was saved. An observer
  // between driver and writer may add entries of its own.
  tg_status (*checkpoint)(void *self, opt_listing *listing);
  // The run is about to end as unbounded: f falls without end along d, of any length. Not called where the direction is
  // known in words only. The last call counts.
  tg_status (*ray)(void *self, const opt_point *d);
  // Called once before the first evaluation: fills every entry of the listing from a checkpoint of the same method and
  // options, by name, and sets *restored, or leaves *restored false: a fresh start. Entries that the checkpoint has
  // beyond are those of somebody else. A vector that was idle when it was written is left alone.
  tg_status (*restore)(void *self, const opt_listing *listing, bool *restored);
  // Whether a checkpoint is wanted where the run converged or stalled too: to go on with another tolerance.
  bool saves_end;
} opt_observer;

typedef struct opt_result {
  opt_outcome outcome;
  char reason[512];        // a sentence a user can act on
  const char *method;      // as resolved: never "auto"; of two the last one
  const char *line_search; // likewise; "none" where the method has its own rule
  double objective;        // at the point returned
  const char *measure;     // what is called the gradient norm here: "gap" by Frank-Wolfe's method, else "gradient norm"
  double gradient_norm;    // recomputed there from x itself
  double gradient_norm_start;
  double gradient_target; // the test was gradient_norm <= gradient_target; of several variables each by itself
  int n_measured;         // variables that were
  int worst;              // the one furthest from its target, and its numbers
  double worst_norm;
  double worst_target;
  double violation;         // of the constraints, at the point returned; 0 without any
  double drift;             // largest | |g| carried along - |g| recomputed | / |g start| met
  double value_drift;       // largest |f carried along - f recomputed| met
  int64_t saddles;          // left along negative curvature
  double bend;              // a negative curvature met in an examination along which f did not fall; 0: none
  double decrease_estimate; // what f could still fall, as the last examination has it (opt/examine); NAN: not estimated
  double condition_estimate; // of the Hessian in the preconditioner, likewise, from below
  int64_t iterations;
  int64_t restarts; // directions given up for steepest descent
  opt_counts counts;
  double seconds;
  double earlier_seconds; // of these, in the runs before it was resumed
} opt_result;

// Minimises f from x; on return x is the final point, or the best one where the run did not converge. Converged is said
// only if the gradient recomputed at the final x passes the test of opt/stationarity.h, or |g| <=
// absolute_gradient_tolerance. With a feasible set (problem->constraint) the start is projected onto it, and every
// claim is about a projected point. How the minimisation ended is result->outcome, never an error; the status tells of
// failures (memory, callbacks, an option that the problem cannot serve: TG_UNSUPPORTED). observer may be NULL.
// Collective. No allocation after the first iteration began. A resumed run goes on with the bits of the run that was
// saved, on as many ranks; its time_limit counts from where it was resumed, all other limits and counts from the very
// start.
tg_status opt_minimise(opt_problem *problem, const opt_options *options, opt_point *x, const opt_observer *observer,
                       opt_result *result);

#endif
