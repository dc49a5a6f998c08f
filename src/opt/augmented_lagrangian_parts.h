// What the files of the augmented Lagrangian method share.
#ifndef OPT_AUGMENTED_LAGRANGIAN_PARTS_H
#define OPT_AUGMENTED_LAGRANGIAN_PARTS_H

#include "opt/augmented_lagrangian.h"
#include "opt/sequence.h"

typedef struct opt_outer {
  opt_problem *problem;
  opt_lagrangian *lagrangian;
  const opt_options *options; // the user's
  const opt_options *current; // of the present L
  opt_sequence sequence;      // the rounds done
  opt_point *x;
  opt_point *before; // x at the beginning of a round
  opt_point *best;   // where the constraints held and f was least: the start, or the end of a round
  double best_f;     // INFINITY: nowhere
  opt_point *origin; // the start of the whole
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
} opt_outer;

// Ends the whole; true.
__attribute__((format(printf, 3, 4))) bool opt_outer_end(opt_outer *o, opt_outcome outcome, const char *format, ...);

// Whether f falls for ever along the direction in which x has gone since the start, where that direction stays
// feasible; then the whole ends as unbounded, with the ray. Uses `aside`; x comes back with its bits. Collective.
tg_status opt_outer_test_ray(opt_outer *o, bool *ended);

#endif
