// Every method that serves manifolds, with every line search and retraction, on problems whose optimum is known from
// eigenvalues: outcome, optimum, claims, protocol, memory, iterations. Saddles among them are named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opt/resolve.h"
#include "opt/solver.h"
#include "support/hand_curved.h"
#include "support/serial_constraint.h"

// One minimisation.
typedef struct trial {
  const char *method;
  const char *line_search;
  opt_retraction retraction;
  const hand_curved *row;
  hand_problem problem;
  serial_constraint set;
  opt_options options;
  opt_point *x;
  opt_result result;
  int complaints;
} trial;

static void complain(trial *t, const char *what)
{
  const opt_result *r = &t->result;
  t->complaints++;
  print_error("%s / %s / %s on %s: %s (%s after %lld iterations: f = %.10g, |g| = %.3g; %s)\n", t->method,
              t->line_search, opt_option_choices(OPT_KIND_RETRACTION)[t->retraction], t->row->objective.name, what,
              opt_outcome_label(r->outcome), (long long)r->iterations, r->objective, r->gradient_norm, r->reason);
}

static void set_up(trial *t)
{
  hand_problem_init(&t->problem, &t->row->objective);
  const opt_constraint_block block = {.kind = t->row->kind, .retraction = t->retraction};
  assert_int_equal(serial_constraint_init(&t->set, &t->problem.space, &block), TG_OK);
  t->problem.base.constraint = &t->set.base;
  opt_options_init(&t->options);
  assert_int_equal(opt_option_set(&t->options, "method", t->method), TG_OK);
  assert_int_equal(opt_option_set(&t->options, "line_search", t->line_search), TG_OK);
  t->options.max_iterations = 2000;
  assert_int_equal(hand_problem_start(&t->problem, &t->x), TG_OK);
  assert_int_equal(opt_constraint_random(&t->set.base, 3, t->x), TG_OK);
}

static void tear_down(trial *t)
{
  const opt_space *space = &t->problem.space.base;
  space->ops->destroy(space, &t->x);
  if (t->problem.space.live != 0) complain(t, "leaks points");
  if (t->set.strays > 0) complain(t, "steps along vectors that are not tangent");
}

// The oracle recomputes value, violation and Riemannian gradient at the point returned.
static void check_claims(trial *t)
{
  const opt_result *r = &t->result;
  const double *x = serial_block_const(t->x, 0);
  double g[HAND_DATA_MAX];
  const double f = t->row->objective.value(&t->problem, x);
  double square = 0;
  t->row->objective.gradient(&t->problem, x, g);
  serial_set_tangent(&t->set.sets[0], x, g);
  for (int64_t e = 0; e < t->problem.space.base.dimension; e++) square += g[e] * g[e];
  if (fabs(f - r->objective) > 1e-13 * fmax(1, fabs(f))) complain(t, "reports another objective");
  if (fabs(sqrt(square) - r->gradient_norm) > 1e-12) complain(t, "reports another gradient norm");
  if (fabs(r->violation - serial_set_violation(&t->set.sets[0], x)) > 1e-15) complain(t, "reports another violation");
  if (!(r->violation <= 1e-12)) complain(t, "leaves the manifold");
  if (!(r->gradient_norm <= r->gradient_target)) complain(t, "claims convergence");
  if (fabs(f - t->problem.optimum) > 1e-10 * fabs(t->problem.optimum)) complain(t, "is not at the optimum");
}

static void check_run(trial *t)
{
  const opt_solver *solver = NULL;
  set_up(t);
  assert_int_equal(opt_constrained_solver(&t->options, &t->set.base.traits, &solver), TG_OK);
  const double f_start = t->row->objective.value(&t->problem, serial_block_const(t->x, 0));
  const int64_t created = t->problem.space.created;
  if (opt_minimise(&t->problem.base, &t->options, t->x, NULL, &t->result) != TG_OK)
    complain(t, tg_error_get()->message);
  if (t->result.outcome != OPT_CONVERGED) complain(t, "does not converge");
  if (strcmp(t->result.method, solver->name) != 0) complain(t, "reports another method");
  if (t->result.objective > f_start) complain(t, "ends above its start");
  if (t->problem.violations > 0 || t->result.counts.lines > 0) complain(t, "breaks the protocol of opt_problem");
  const int64_t points = opt_constrained_points(&t->options, t->problem.base.degree, &t->set.base.traits);
  if (t->problem.space.created - created != points) complain(t, "makes another number of points than forecast");
  if (t->result.outcome == OPT_CONVERGED) check_claims(t);
  const opt_counts *c = &t->result.counts;
  if (getenv("OPT_TEST_SHOW") != NULL)
    print_message("%-20s %-13s %-5s %-12s it %5lld f %.12g g %.2e  v%lld g%lld h%lld r%lld\n", t->method,
                  t->line_search, opt_option_choices(OPT_KIND_RETRACTION)[t->retraction], t->row->objective.name,
                  (long long)t->result.iterations, t->result.objective, t->result.gradient_norm, (long long)c->values,
                  (long long)c->gradients, (long long)c->hessians, (long long)t->result.restarts);
  tear_down(t);
}

// On every problem, on orthonormal columns by both retractions.
static int check_pair(const char *method, const char *line_search)
{
  int complaints = 0;
  for (int k = 0; k < hand_curved_count(); k++) {
    const hand_curved *row = hand_curved_at(k);
    const bool has_choice = row->kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS;
    for (int retraction = OPT_RETRACTION_QR; retraction <= (has_choice ? OPT_RETRACTION_POLAR : 1); retraction++) {
      trial t = {.method = method, .line_search = line_search, .retraction = (opt_retraction)retraction, .row = row};
      check_run(&t);
      complaints += t.complaints;
    }
  }
  return complaints;
}

// direct needs more than an objective.
static bool is_served(const char *method)
{
  const opt_solver *solver = opt_solver_find(method);
  return solver == NULL || (solver->serves_manifolds && !solver->needs_closed_form && !solver->needs_blocks);
}

static void test_every_combination(void **unused)
{
  (void)unused;
  int complaints = 0;
  int served = 0;
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  const char *const *searches = opt_option_choices(OPT_KIND_LINE_SEARCH);
  for (int m = 0; methods[m] != NULL; m++) {
    const opt_solver *solver = opt_solver_find(methods[m]);
    if (!is_served(methods[m])) continue;
    served++;
    for (int s = 0; searches[s] != NULL; s++) {
      if (strcmp(searches[s], "fixed") == 0 || strcmp(searches[s], "exact") == 0) continue;
      const bool has_own = solver != NULL && strcmp(solver->search_general, "none") == 0;
      if (!has_own || s == 0) complaints += check_pair(methods[m], searches[s]);
    }
  }
  assert_int_equal(complaints, 0);
  assert_int_equal(served, 6); // auto and the five of docs/constraints.md
}

// Measured counts with a margin of a half: a formula gone wrong still converges, but not in these.
static void test_iteration_budgets(void **unused)
{
  (void)unused;
  const struct {
    const char *method;
    const char *problem;
    int64_t iterations;
    int64_t evaluations;
  } budgets[] = {
      {"barzilai-borwein", "brockett", 155, 170},
      {"conjugate-gradient", "brockett", 110, 210},
      {"l-bfgs", "brockett", 96, 108},
      {"l-bfgs", "trace-ratio", 60, 72},
      {"newton-cg", "brockett", 18, 160},
      {"newton-cg", "rayleigh", 15, 95},
      {"newton-cg", "procrustes", 9, 36},
  };
  for (size_t k = 0; k < sizeof budgets / sizeof budgets[0]; k++) {
    trial t = {.method = budgets[k].method, .line_search = "auto", .row = hand_curved_find(budgets[k].problem)};
    set_up(&t);
    t.options.max_iterations = budgets[k].iterations;
    t.options.max_evaluations = budgets[k].evaluations;
    assert_int_equal(opt_minimise(&t.problem.base, &t.options, t.x, NULL, &t.result), TG_OK);
    if (t.result.outcome != OPT_CONVERGED) complain(&t, "exceeds its budget");
    tear_down(&t);
    assert_int_equal(t.complaints, 0);
  }
}

// Eigenvectors are stationary points of a Brockett function, but only in the right order and of the least eigenvalues a
// minimum: of A = Q diag(lambda) Q' they are the columns of the reflection Q, which the data of a Procrustes problem
// hold.
static void start_at_eigenvectors(trial *t, const int64_t *which)
{
  double q[HAND_DATA_MAX];
  const int64_t n = t->row->objective.rows[0];
  hand_curved_data("procrustes", n, 4, q, NULL);
  for (int64_t j = 0; j < t->row->objective.cols[0]; j++)
    for (int64_t i = 0; i < n; i++) serial_block(t->x, 0)[i + n * j] = q[i + n * which[j]];
  assert_int_equal(t->set.base.ops->project(&t->set.base, t->x), TG_OK); // Q diag(s) to Q
  assert_int_equal(opt_minimise(&t->problem.base, &t->options, t->x, NULL, &t->result), TG_OK);
}

static void test_saddles_are_left(void **unused)
{
  (void)unused;
  const int64_t orders[4][3] = {{0, 1, 2}, {1, 0, 2}, {0, 1, 3}, {2, 1, 0}};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!is_served(methods[m])) continue;
    for (int k = 0; k < 4; k++) {
      trial t = {.method = methods[m], .line_search = "auto", .row = hand_curved_find("brockett")};
      set_up(&t);
      start_at_eigenvectors(&t, orders[k]);
      if (t.result.outcome != OPT_CONVERGED) complain(&t, "does not converge from a saddle");
      if ((t.result.saddles > 0) != (k > 0)) complain(&t, "counts its saddles wrongly");
      if (t.result.outcome == OPT_CONVERGED) check_claims(&t);
      tear_down(&t);
      assert_int_equal(t.complaints, 0);
    }
  }
}

static void test_saddles_are_named(void **unused)
{
  (void)unused;
  const int64_t orders[4][3] = {{0, 1, 2}, {1, 0, 2}, {0, 1, 3}, {2, 1, 0}};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!is_served(methods[m])) continue;
    for (int k = 0; k < 4; k++) {
      trial t = {.method = methods[m], .line_search = "auto", .row = hand_curved_find("brockett")};
      set_up(&t);
      t.options.saddles = OPT_SADDLES_STOP;
      start_at_eigenvectors(&t, orders[k]);
      assert_int_equal(t.result.iterations, 0);
      assert_int_equal(t.result.outcome, k == 0 ? OPT_CONVERGED : OPT_STALLED);
      assert_int_equal(strstr(t.result.reason, "a saddle") != NULL, k > 0);
      tear_down(&t);
      assert_int_equal(t.complaints, 0);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_combination), cmocka_unit_test(test_iteration_budgets),
                                     cmocka_unit_test(test_saddles_are_left), cmocka_unit_test(test_saddles_are_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
