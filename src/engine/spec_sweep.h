// A sweep, as plain data: which numbers of a spec take several values, one minimisation for each combination.
//
// It is part of the spec (engine/spec.h); engine/sweep/points.h says which point is which.
#ifndef TG_ENGINE_SPEC_SWEEP_H
#define TG_ENGINE_SPEC_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/source.h"

// More points than this are taken for a misprint.
enum { TG_SWEEP_POINTS_MAX = 10000, TG_SWEEP_AXES_MAX = 8 };

// What an axis moves.
typedef enum tg_sweep_target {
  TG_SWEEP_NUMBER, // of data
  TG_SWEEP_OPTION, // of the solver
  TG_SWEEP_SEED,   // of a variable's start
  TG_SWEEP_SCALE   // likewise
} tg_sweep_target;

typedef struct tg_sweep_value {
  double number;    // NAN: a word
  const char *text; // as --set would take it
} tg_sweep_value;

typedef struct tg_sweep_axis {
  const char *name; // as the user writes it: lambda, solver.memory, variables.X.seed
  tg_mark mark;
  tg_sweep_target target;
  int index; // of the datum, the row of opt/options.def, the variable
  int n;     // at least 1
  const tg_sweep_value *values;
} tg_sweep_axis;

// Where a point begins.
typedef enum tg_sweep_start {
  TG_SWEEP_START_AUTO, // warm where the objective is convex, which has the same minimum from everywhere
  TG_SWEEP_START_WARM, // where the point before ended
  TG_SWEEP_START_COLD  // as a run of its own would
} tg_sweep_start;

typedef struct tg_sweep {
  tg_mark mark;
  int n_axes;
  const tg_sweep_axis *axes;
  int64_t n_points; // the product of the lengths
  tg_sweep_start start;
  bool keeps_report; // of each point
  bool keeps_history;
  const bool *keeps_variable; // by variable
} tg_sweep;

#endif
