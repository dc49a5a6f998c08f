// Every solver with every line search on every problem of the catalogue: outcome, optimum, claims, protocol, memory.
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
#include "support/hand_problem.h"

// What one run must satisfy; complaints are counted and printed, so that one run shows all of them.
typedef struct trial {
  const char *method;
  const char *line_search;
  const hand_objective *objective;
  int complaints;
} trial;

static void complain(trial *t, const opt_result *result, const char *what)
{
  t->complaints++;
  print_error("%s / %s on %s: %s (%s after %lld iterations: f = %.10g, |g| = %.3g; %s)\n", t->method, t->line_search,
              t->objective->name, what, opt_outcome_label(result->outcome), (long long)result->iterations,
              result->objective, result->gradient_norm, result->reason);
}

// First-order methods without memory creep on ill-conditioned problems: there the limit is an honest end. So is it for
// conjugate gradients with inexact steps on the quadratic that falls along the kernel of its Hessian only, and with the
// least exact ones at a condition of 1e8.
static bool may_give_up(const trial *t)
{
  const bool is_exact = strcmp(t->line_search, "auto") == 0 || strcmp(t->line_search, "exact") == 0;
  if (strcmp(t->method, "conjugate-gradient") == 0 && !is_exact && strcmp(t->objective->name, "inconsistent") == 0)
    return true;
  if (strcmp(t->method, "conjugate-gradient") == 0 && strcmp(t->line_search, "armijo") == 0 && t->objective->is_hard)
    return true;
  const bool has_memory = strcmp(t->method, "conjugate-gradient") == 0 || strcmp(t->method, "l-bfgs") == 0 ||
                          strcmp(t->method, "newton-cg") == 0;
  return t->objective->is_hard && !has_memory;
}

static bool is_expected(const trial *t, opt_outcome outcome)
{
  if (outcome == t->objective->expected) return true;
  return may_give_up(t) && (outcome == OPT_ITERATION_LIMIT || outcome == OPT_STALLED);
}

// The oracle recomputes value and gradient at the point returned.
static void check_claims(trial *t, hand_problem *problem, const opt_point *x, const opt_result *result)
{
  const int64_t n = problem->space.base.dimension;
  double g[HAND_DATA_MAX];
  const double f = t->objective->value(problem, serial_block_const(x, 0));
  t->objective->gradient(problem, serial_block_const(x, 0), g);
  double norm = 0;
  for (int64_t i = 0; i < n; i++) norm += g[i] * g[i];
  norm = sqrt(norm);
  if (result->outcome == OPT_NOT_FINITE) return;
  if (fabs(f - result->objective) > 1e-13 * fmax(1, fabs(f))) complain(t, result, "reports another objective");
  if (fabs(norm - result->gradient_norm) > 1e-12 * result->gradient_norm_start)
    complain(t, result, "reports another gradient norm");
  if (result->outcome != OPT_CONVERGED) return;
  if (norm > result->gradient_target * (1 + 1e-12)) complain(t, result, "claims convergence");
  const bool is_optimal = fabs(f - problem->optimum) <= 1e-6 * fmax(1, fabs(problem->optimum));
  if (!is_optimal) complain(t, result, "is not at the optimum");
}

static void check_run(trial *t)
{
  hand_problem problem;
  hand_problem_init(&problem, t->objective);
  opt_options options;
  opt_options_init(&options);
  assert_int_equal(opt_option_set(&options, "method", t->method), TG_OK);
  assert_int_equal(opt_option_set(&options, "line_search", t->line_search), TG_OK);
  options.max_iterations = 20000;
  if (opt_options_verify(&options, t->objective->degree, problem.base.has_hessian) != TG_OK) return;
  opt_point *x = NULL;
  opt_result result;
  assert_int_equal(hand_problem_start(&problem, &x), TG_OK);
  const double f_start = t->objective->value(&problem, serial_block_const(x, 0));
  const int64_t created = problem.space.created;
  const tg_status status = opt_minimise(&problem.base, &options, x, NULL, &result);
  if (status != TG_OK) complain(t, &result, tg_error_get()->message);
  if (!is_expected(t, result.outcome)) complain(t, &result, "ends otherwise than expected");
  if (result.reason[0] == '\0') complain(t, &result, "gives no reason");
  if (result.objective > f_start) complain(t, &result, "ends above its start");
  if (problem.violations > 0) complain(t, &result, "breaks the protocol of opt_problem");
  if (problem.space.created - created != opt_working_points(&options, t->objective->degree))
    complain(t, &result, "makes another number of points than forecast");
  if (problem.space.live != 1) complain(t, &result, "leaks points");
  check_claims(t, &problem, x, &result);
  if (getenv("OPT_TEST_SHOW") != NULL)
    print_message("%-20s %-13s %-22s %-16s it %6lld f %.12g g %.2e  v%lld g%lld l%lld h%lld r%lld\n", t->method,
                  t->line_search, t->objective->name, opt_outcome_label(result.outcome), (long long)result.iterations,
                  result.objective, result.gradient_norm, (long long)result.counts.values,
                  (long long)result.counts.gradients, (long long)result.counts.lines, (long long)result.counts.hessians,
                  (long long)result.restarts);
  problem.space.base.ops->destroy(&problem.space.base, &x);
}

static int check_pair(const char *method, const char *line_search)
{
  int complaints = 0;
  for (int i = 0; i < hand_objective_count(); i++) {
    trial t = {.method = method, .line_search = line_search, .objective = hand_objective_at(i)};
    check_run(&t);
    complaints += t.complaints;
  }
  return complaints;
}

// `fixed` promises nothing: it has tests of its own. A method with its own rule ignores the option: once is enough.
static void test_every_combination(void **unused)
{
  (void)unused;
  int complaints = 0;
  const char *only = getenv("OPT_TEST_METHOD");
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  const char *const *searches = opt_option_choices(OPT_KIND_LINE_SEARCH);
  for (int m = 0; methods[m] != NULL; m++) {
    const opt_solver *named = opt_solver_find(methods[m]);
    // These have tests of their own, with closed forms and constraints.
    if (named != NULL && (named->needs_closed_form || named->needs_blocks || named->needs_constraint)) continue;
    for (int s = 0; searches[s] != NULL; s++) {
      if (strcmp(searches[s], "fixed") == 0) continue;
      if (only != NULL && strcmp(methods[m], only) != 0) continue;
      const opt_solver *solver = opt_solver_find(methods[m]);
      const bool has_own = solver != NULL && strcmp(solver->search_general, "none") == 0;
      if (!has_own || s == 0) complaints += check_pair(methods[m], searches[s]);
    }
  }
  assert_int_equal(complaints, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_combination)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
