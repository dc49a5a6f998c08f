// A minimum where a run has ended, for what is differentiated there: the Newton equation with the run's own help, and
// the right sides by numbers of the job.
#ifndef TG_ENGINE_MINIMUM_H
#define TG_ENGINE_MINIMUM_H

#include "engine/problem/setup.h"
#include "opt/driver.h"
#include "opt/newton_equation.h"

enum { TG_REFUSAL_BYTES = 400 };

typedef struct tg_minimum {
  tg_setup *setup;
  opt_newton_equation equation;
  opt_point *gradient;            // at setup->x
  double free_norm;               // of its projection onto the space of the equation
  int64_t products;               // beside those that the problem counts
  opt_counts before;              // of the problem
  double begin;                   // by MPI_Wtime
  char refusal[TG_REFUSAL_BYTES]; // why nothing is differentiated: a sentence; "": it is
} tg_minimum;

// By the symbols: the space that dX is in; false: the sets have none in common, and `which` is the variable that is in
// the way. Local.
bool tg_minimum_find_tangents(const tg_task *task, opt_tangents *out, int *which);
// TG_UNSUPPORTED, located at the mark of `key`, where the objective has kinks. Local.
tg_status tg_minimum_check_smooth(const tg_task *task, const tg_model *model, const char *key, tg_mark mark);
// The same where the sets of the variables have no space in common. Local.
// A search for numbers evaluates the score where the run has handed out X: neither a change of variables nor
// constraints by expressions are served there.
tg_status tg_minimum_check(const tg_task *task, const tg_model *model, const char *key, bool is_search, tg_mark mark);
// TG_NAME where the number does not occur in the objective, TG_UNSUPPORTED where a constraint names it. Local.
tg_status tg_minimum_check_number(const tg_task *task, const tg_model *model, const char *key, int datum, tg_mark mark);

// At setup->x, where the minimisation of setup->problem ended with this result: refused unless it has converged and
// there is a Hessian action. To be closed in any case. Collective.
tg_status tg_minimum_open(tg_setup *setup, const opt_result *result, tg_minimum *out);
// The counts of the problem are again what they were when it was opened. products and seconds may be NULL. Local.
void tg_minimum_close(tg_minimum *minimum, int64_t *products, double *seconds);
__attribute__((format(printf, 2, 3))) void tg_minimum_refuse(tg_minimum *minimum, const char *format, ...);
bool tg_minimum_is_refused(const tg_minimum *minimum);

// How many iterations the equation may take. Local.
int64_t tg_minimum_iterations(const tg_minimum *minimum);
// Refuses by the verdict on a right side, unless it is solved. Local.
void tg_minimum_judge(tg_minimum *minimum, const opt_newton_result *result, const char *what);
// H y = b in the space of the equation; `what` is the right side, for the refusal where the numbers give no solution.
// Collective.
tg_status tg_minimum_solve(tg_minimum *minimum, const opt_point *b, double tolerance, const char *what, opt_point *y,
                           opt_newton_result *result);
// Refuses where H is singular: by a random right side, which has a share of every direction. Collective.
tg_status tg_minimum_check_singular(tg_minimum *minimum, opt_point *scratch, opt_point *solution);
// df/dtheta of what is minimised, and -d(grad f)/dtheta into `right`. Collective.
tg_status tg_minimum_differentiate(tg_minimum *minimum, const char *number, double *slope, opt_point *right);

#endif
