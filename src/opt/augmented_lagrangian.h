// Minimisation under general equalities and inequalities by an augmented Lagrangian.
//
//     minimise f(x)  subject to  h(x) = 0,  g(x) <= 0     (and x in the feasible set of the problem, if it has one)
//     L(x) = f(x) + <m_h, h(x)> + penalty/2 |h(x)|^2
//                 + penalty/2 |max(0, g(x) + m_g / penalty)|^2 - |m_g|^2 / (2 penalty)
//
// A term max(a e(x), b e(x)) of f has multipliers between a and b, and its Moreau envelope in its place in L: the same
// method for the term of z under e(x) = z, minimised over z.
//
// The problem's objective is L; what makes it out of f, the multipliers m and the penalty stands behind opt_lagrangian.
// At a minimiser of L the gradient of L is that of the Lagrangian f + <m, (h, g)> with the multipliers of the update
// below, so that the inner stopping test is the stationarity test of the whole.
#ifndef OPT_AUGMENTED_LAGRANGIAN_H
#define OPT_AUGMENTED_LAGRANGIAN_H

#include "opt/driver.h"

// What the constraints say at a point.
typedef struct opt_measure {
  double objective;       // f
  double violation;       // largest of |h_i| and max(0, g_i) over all entries
  double share;           // the largest where each is divided by the size of its constraint
  double complementarity; // likewise of |h_i| and |max(g_i, -m_i / penalty)|: 0 says that m_i = 0 where g_i < 0 as well
  double size;            // of a constraint, the largest
  double square;          // |h|^2 + |max(0, g)|^2
  int worst;              // the constraint of the largest share
  double penalty;         // that fits the kinks of f at x; 0: f has none
  bool has_constraints;   // beside kinks; needed with them alone
} opt_measure;

// What the first penalty is chosen by, with J the derivative of all constraints and d = J'w for a random w.
typedef struct opt_survey {
  double gradient_norm; // |gradient of f + <m, (h, g)>|
  double gram;          // |J'w|^2 / |w|^2: the mean of the squared norms of J's rows
  double curvature;     // |H d| / |d| with the Hessian H of that; NAN where there is no Hessian action
  double size;          // the root of the mean square of all entries of h and g
  double x_norm;
} opt_survey;

typedef struct opt_lagrangian opt_lagrangian;

typedef struct opt_lagrangian_ops {
  // norm := |gradient of f| at x; and from now on each constraint is as large as its terms are at x. A commit
  // has to follow. Collective.
  tg_status (*scale)(opt_lagrangian *lagrangian, const opt_point *x, double *norm);
  // After `measure` at x, with the multipliers as they are. A commit has to follow. Collective.
  tg_status (*survey)(opt_lagrangian *lagrangian, const opt_point *x, opt_survey *out);
  // f and the constraints at x, kept for `update`. Collective.
  tg_status (*measure)(opt_lagrangian *lagrangian, const opt_point *x, opt_measure *out);
  // The same against the sizes of the constraints' terms at x alone; a `measure` has to follow. May be NULL.
  // Collective.
  tg_status (*probe)(opt_lagrangian *lagrangian, const opt_point *x, opt_measure *out);
  // m_h := m_h + penalty h, m_g := max(0, m_g + penalty g), m_e := m_e + penalty e moved into [a, b], with the values
  // of the last measure and the penalty of the last commit, every entry kept within +-limit; norm := |m|_F. Collective.
  tg_status (*update)(opt_lagrangian *lagrangian, double limit, double *norm);
  // At the point of the last `measure` the gradient of L becomes that of the Lagrangian with the multipliers as they
  // are: those that bind are lowered by penalty times their constraint, and those of inequalities that are no more than
  // rounding beside `norm`, that of all, become as negative as shifts their constraints outward by a little. A commit
  // has to follow. NULL: saddles are not looked for. Collective.
  tg_status (*relax)(opt_lagrangian *lagrangian, double norm);
  // Puts the multipliers aside, or takes them back; needed with `relax`. Collective.
  tg_status (*keep)(opt_lagrangian *lagrangian, bool back);
  // From now on the problem's objective is L with the multipliers as they are and this penalty; *options are those to
  // minimise it with (a preconditioner may depend on the penalty), valid until the next commit. Collective.
  tg_status (*commit)(opt_lagrangian *lagrangian, double penalty, const opt_options **options);
  // Adds the multipliers and what is said of them, so that a resumed run goes on with their bits; a commit follows when
  // they were filled. May be NULL where the observer does not save.
  tg_status (*list)(opt_lagrangian *lagrangian, opt_listing *listing);
  // Constraint k in the user's words.
  const char *(*describe)(const opt_lagrangian *lagrangian, int k);
} opt_lagrangian_ops;

struct opt_lagrangian {
  const opt_lagrangian_ops *ops;
  void *self;
};

// What is known beyond opt_result when it ends.
typedef struct opt_lagrangian_report {
  int64_t rounds;         // minimisations of L
  double penalty;         // the last one
  double multiplier_norm; // |m|_F
  double complementarity;
} opt_lagrangian_report;

// Minimises f under the constraints from x; problem's objective is L. Converged is said only if, at the point returned,
//     |gradient of L| <= max(gradient_tolerance G, absolute_gradient_tolerance),
// G the largest |gradient of f| at the start and after the first rounds, where it is what the multipliers hold;
// violation and complementarity are at most constraint_tolerance times the size of the terms of their constraint, and
// |L - f| at most that share of |f|, or of G |x|, which is what f consists of.
// max_iterations, max_evaluations and time_limit count all rounds together; result->objective is f, result->violation
// the larger of the problem's feasible set's and that of h and g. Constraints that cannot be met end as stalled, with
// the reason. observer sees one sequence of iterations, with values of L; a checkpoint holds the round it falls into,
// and the multipliers. Collective.
tg_status opt_minimise_lagrangian(opt_problem *problem, opt_lagrangian *lagrangian, const opt_options *options,
                                  opt_point *x, const opt_observer *observer, opt_result *result,
                                  opt_lagrangian_report *report);

#endif
