// One minimisation of a hand-written objective, set up and torn down: what the tests of driver and methods share.
//
// Include after cmocka.h.
#ifndef OPT_FIXTURE_H
#define OPT_FIXTURE_H

#include <string.h>

#include "opt/solver.h"
#include "support/hand_curved.h"
#include "support/hand_problem.h"
#include "support/serial_constraint.h"

// One minimisation with its problem, options and start.
typedef struct fixture {
  hand_problem problem;
  serial_constraint set; // of objectives on manifolds
  opt_options options;
  opt_point *x;
  opt_result result;
} fixture;

// Whether a method (auto among them) needs nothing but the objective; the others have tests of their own, with closed
// forms and constraints.
static inline bool stands_alone(const char *method)
{
  const opt_solver *solver = opt_solver_find(method);
  return solver == NULL || !(solver->needs_closed_form || solver->needs_blocks || solver->needs_constraint);
}

// An objective of either catalogue.
static inline void set_up(fixture *f, const char *objective, const char *method)
{
  const hand_curved *curved = hand_curved_find(objective);
  hand_problem_init(&f->problem, curved != NULL ? &curved->objective : hand_objective_find(objective));
  opt_options_init(&f->options);
  assert_int_equal(opt_option_set(&f->options, "method", method), TG_OK);
  assert_int_equal(hand_problem_start(&f->problem, &f->x), TG_OK);
  if (curved == NULL) return;
  const opt_constraint_block block = {.kind = curved->kind};
  assert_int_equal(serial_constraint_init(&f->set, &f->problem.space, &block), TG_OK);
  f->problem.base.constraint = &f->set.base;
  assert_int_equal(opt_constraint_random(&f->set.base, 3, f->x), TG_OK);
}

static inline bool serves_manifolds(const char *method)
{
  const opt_solver *solver = opt_solver_find(method);
  return solver == NULL || solver->serves_manifolds; // auto does
}

static inline void tear_down(fixture *f)
{
  const opt_space *space = &f->problem.space.base;
  space->ops->destroy(space, &f->x);
  assert_int_equal(f->problem.space.live, 0);
  assert_int_equal(f->problem.violations, 0);
}

static inline tg_status minimise(fixture *f, const opt_observer *observer)
{
  return opt_minimise(&f->problem.base, &f->options, f->x, observer, &f->result);
}

static inline bool reason_has(const fixture *f, const char *part)
{
  const bool has = strstr(f->result.reason, part) != NULL;
  if (!has) print_error("the reason is: %s\n", f->result.reason);
  return has;
}

#endif
