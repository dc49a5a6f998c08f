// A sweep, as plain data: which numbers of a spec take several values, one minimisation for each combination.
//
// It is part of the spec (engine/spec.h); engine/sweep/points.h says which point is which.
#ifndef TG_ENGINE_SPEC_SWEEP_H
#define TG_ENGINE_SPEC_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/source.h"

// More points than this are taken for a misprint, unless the job allows more.
enum {
  TG_SWEEP_POINTS_MAX = 10000,
  TG_SWEEP_LIMIT_MAX = 1000000,
  TG_SWEEP_AXES_MAX = 8,
  TG_SWEEP_GROUPS_MAX = 1000000
};
// For n_groups: as many as cost least.
enum { TG_SWEEP_GROUPS_AUTO = 0 };

// What an axis moves.
typedef enum tg_sweep_target {
  TG_SWEEP_NUMBER, // of data
  TG_SWEEP_OPTION, // of the solver
  TG_SWEEP_SEED,   // of a variable's start
  TG_SWEEP_SCALE,  // likewise
  TG_SWEEP_FOLD    // of the data: which one is left out
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

// What cross-validation leaves out of the data.
typedef enum tg_fold_kind {
  TG_FOLD_ROWS,
  TG_FOLD_COLUMNS,
  TG_FOLD_ENTRIES // of a matrix of weights, whose entries become zero
} tg_fold_kind;

// Cross-validation: a point fits to the data without one fold, and is scored on that fold.
typedef struct tg_folds {
  tg_mark mark;
  tg_fold_kind kind;
  int n; // folds
  tg_mark n_mark;
  int n_of; // matrices that are divided alike
  const int *of;
  const tg_mark *of_marks;
  tg_excerpt score; // of the data of the fold, and of the variables; the lowest is the best
  bool is_shuffled; // else folds are neighbours
  uint64_t seed;
} tg_folds;

// Numbers that are found by minimising a score of the fit, or its mean over the folds.
enum { TG_TUNE_MAX = 8, TG_TUNE_EVALUATIONS = 30 };

typedef struct tg_tune {
  tg_mark mark;
  int n; // at least 1
  const int *data;
  const tg_mark *marks;
  tg_excerpt score; // that of the folds, where there are any
  double smallest;  // of each number; 0: a millionth of the one to begin with
  double largest;   // 0: a million times that one
  int evaluations;  // of the score, at most
  double tolerance; // on the decrease of the score still to be had, of the score
} tg_tune;

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
  int n_groups; // of ranks that take points side by side; 1: none
  tg_mark groups_mark;
  bool keeps_report; // of each point
  bool keeps_history;
  const bool *keeps_variable; // by variable
} tg_sweep;

#endif
