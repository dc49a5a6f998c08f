// The abstract objective f over an opt_space: what a solver may ask.
//
// The implementation keeps state for the current point (linear images of it), so a solver says how the
// point moves: `gradient` at a new point, `advance` along the last direction. A quadratic with a Hessian action needs
// no such state: f(x + t d) = f + t <g, d> + t^2 <d, H d> / 2, the gradient there is g + t H d, and x moves without a
// call. Between two calls the current point may change by rounding errors (an entry put on the bound that a step has
// brought it to). All calls are collective; returned scalars are the same on all ranks. A non-finite value is a result,
// not an error: the line searches back off.
#ifndef OPT_PROBLEM_H
#define OPT_PROBLEM_H

#include "opt/constraint.h"
#include "opt/listing.h"
#include "opt/space.h"

enum { OPT_DEGREE_MAX = 8 };

typedef struct opt_problem opt_problem;

typedef struct opt_problem_ops {
  // f at x alone (a trial point; does not change the current point's state).
  tg_status (*value)(opt_problem *problem, const opt_point *x, double *f);
  // Makes x the current point: f and gradient there. gradient has the shape of x.
  tg_status (*gradient)(opt_problem *problem, const opt_point *x, double *f, opt_point *gradient);
  // Coefficients of t -> f(x + t d) at the current point x: c[0..degree], c[0] = f(x). Only when degree >= 0, and not
  // of a quadratic with a Hessian action, which gives the line as well.
  tg_status (*line)(opt_problem *problem, const opt_point *x, const opt_point *d, double *c);
  // After `line`: x += t d, the state moves along; then f and the gradient at the new x.
  tg_status (*advance)(opt_problem *problem, double t, opt_point *x, const opt_point *d, double *f,
                       opt_point *gradient);
  // hv = H(x)[v] at the current point.
  tg_status (*hessian)(opt_problem *problem, const opt_point *x, const opt_point *v, opt_point *hv);
  // Adds the state kept for the current point, so that a resumed run goes on with its bits. NULL: there is none.
  tg_status (*list)(opt_problem *problem, opt_listing *listing);
  // The entries of `list`, the counts and x were filled from a checkpoint: x is the current point again. NULL where it
  // makes no difference. Local.
  void (*restored)(opt_problem *problem, const opt_point *x);
} opt_problem_ops;

// Counts since the start, all incremented by the implementation; the driver reports and bounds them.
typedef struct opt_counts {
  int64_t values;
  int64_t gradients;
  int64_t lines;
  int64_t hessians;
  int64_t products; // large matrix products done by all of these
} opt_counts;

// Number of evaluations of all kinds, which max_evaluations bounds.
static inline int64_t opt_evaluations(const opt_counts *counts)
{
  return counts->values + counts->gradients + counts->lines + counts->hessians;
}

struct opt_problem {
  const opt_problem_ops *ops;
  const opt_space *space;
  const opt_constraint *constraint; // feasible set; NULL: the whole space. Not owned
  int degree;                       // of f jointly in all variables, -1 when not polynomial or above OPT_DEGREE_MAX
  bool has_hessian;                 // the hessian call exists
  // Bounds of the rounding in the value at the current point and in the coefficients of the last `line`, as far as the
  // implementation knows them: 0 where it does not.
  double value_error;
  double line_errors[OPT_DEGREE_MAX + 1];
  opt_counts counts;
  void *self;
};

#endif
