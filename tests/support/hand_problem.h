// Hand-written objectives on plain arrays, each with its optimum known independently: what the solvers are tested on.
#ifndef HAND_PROBLEM_H
#define HAND_PROBLEM_H

#include "opt/driver.h"
#include "support/serial_space.h"

enum { HAND_DATA_MAX = 512 };

typedef struct hand_problem hand_problem;

// A row of the catalogue. Arrays x, d, v, g hold the whole point, block after block.
typedef struct hand_objective {
  const char *name;
  int n_blocks;
  int degree; // -1: shown to the solver as a general function
  int64_t rows[SERIAL_BLOCKS_MAX];
  int64_t cols[SERIAL_BLOCKS_MAX];
  double parameter;
  void (*set_up)(hand_problem *problem); // fills data and optimum
  void (*start)(const hand_problem *problem, double *x);
  double (*value)(const hand_problem *problem, const double *x);
  void (*gradient)(const hand_problem *problem, const double *x, double *g);
  void (*line)(const hand_problem *problem, const double *x, const double *d, double *c);     // NULL: general
  void (*hessian)(const hand_problem *problem, const double *x, const double *v, double *hv); // NULL: not offered
  opt_outcome expected;
  bool is_hard; // a first-order method without memory may run into its iteration limit
} hand_objective;

struct hand_problem {
  opt_problem base; // base.self points back here
  serial_space space;
  const hand_objective *objective;
  double optimum;
  double (*rounding)(const hand_problem *problem, const double *x); // of value; NULL: not known
  double a[HAND_DATA_MAX];
  double b[HAND_DATA_MAX];
  double c[HAND_DATA_MAX];
  double carried_error; // the gradient that `advance` returns, or H v of a quadratic, is wrong by this factor of
                        // itself: drift to order
  double cubic_error;   // subtracted from c[3] of `line`: with c[4] small, a distant minimum that f does not have
  double line_error;    // added to the slope among the coefficients of `line`: a sum of traces that cancel
  // Protocol: `line` and `hessian` are asked at the current point, `advance` follows a `line` along the same direction.
  double current[HAND_DATA_MAX];
  double direction[HAND_DATA_MAX];
  bool has_current;
  bool has_line;
  int64_t violations;
};

// The catalogue.
int hand_objective_count(void);
const hand_objective *hand_objective_at(int index);
const hand_objective *hand_objective_find(const char *name);

// Fills the caller's storage, which must not move while it is used.
void hand_problem_init(hand_problem *problem, const hand_objective *objective);
// A new point of the problem's space, at the objective's start.
tg_status hand_problem_start(hand_problem *problem, opt_point **out);

#endif
