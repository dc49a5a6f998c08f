// What the files of the augmented Lagrangian method share.
#ifndef OPT_AUGMENTED_LAGRANGIAN_PARTS_H
#define OPT_AUGMENTED_LAGRANGIAN_PARTS_H

#include "opt/augmented_lagrangian.h"
#include "opt/outer_loop.h"

typedef struct opt_outer {
  opt_problem *problem;
  opt_lagrangian *lagrangian;
  const opt_options *options; // the user's
  const opt_options *current; // of the present L
  opt_outer_loop outer_loop;  // the rounds done
  opt_point *x;
  opt_point *before;      // x at the beginning of a round
  opt_point *best;        // where the constraints held and f was least: the start, or the end of a round
  double best_f;          // INFINITY: nowhere
  opt_point *first_start; // the start of the whole
  opt_point *aside;
  opt_result *result;
  opt_lagrangian_report *report;
  opt_result inner;
  opt_measure measure;
  double penalty;
  double first_penalty;
  double tolerance; // of the inner gradient
  double target;    // what it comes down to
  double best_violation;
  double last_complementarity;
  int64_t futile;
  int64_t falling;
  int64_t scaled; // times that sizes were looked at
  int64_t restarts;
  int64_t saddles;
  double drift;
  double gradient_norm_start; // of f
  double reference;           // the largest met
  double x_norm;
  double value_scale; // the size of f and of its terms, the largest met
  double first_gone;  // how far x was from the start when it first was elsewhere
  int64_t renewed;    // starts over with a larger penalty
  // State of the search for a lower point, see augmented_lagrangian_saddle.c.
  opt_point *kept; // where the whole would have converged
  double kept_f;
  double kept_penalty;
  double kept_norm;     // of its multipliers
  double kept_gradient; // of the Lagrangian
  int64_t tries;
  int64_t is_trying;
  int64_t looks;          // the next round begins with an examination
  double least_reference; // after a saddle
  bool stays;             // at a saddle, as asked for
  int64_t left;           // points of which a lower one was found
} opt_outer;

// Ends the whole; true.
__attribute__((format(printf, 3, 4))) bool opt_outer_end(opt_outer *o, opt_outcome outcome, const char *format, ...);

// Whether f falls without end along the direction in which x has gone since the start, where that direction stays
// feasible; then the whole ends as unbounded, with the ray. Uses `aside`; x comes back with its bits. Collective.
tg_status opt_outer_test_ray(opt_outer *o, bool *ended);

// L with this penalty from now on.
tg_status opt_outer_commit(opt_outer *o, double penalty);

// Before a round that looks: the constraints that do not bind are put out of the way. Collective.
tg_status opt_outer_relax(opt_outer *o);

// After such a round: whether it has left the point. If not, x is put elsewhere where there is negative curvature, and
// a round is to follow; else the whole ends there. Collective.
tg_status opt_outer_test_departure(opt_outer *o, bool *scattered, bool *ended);

// The whole is about to end: a trial that led to no lower point is taken back, and from a point that is to be called
// converged one is begun: then *ended is false. Collective.
tg_status opt_outer_judge(opt_outer *o, bool *ended);

// Says that the whole has converged. Local.
void opt_outer_say_converged(opt_outer *o);

#endif
