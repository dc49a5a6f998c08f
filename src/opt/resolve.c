// What `auto` stands for, what it needs, and whether the options can serve a problem.
#include <math.h>
#include <string.h>

#include "opt/driver.h"
#include "opt/examine/examine.h"
#include "opt/solver.h"

// More pairs save iterations, and cost time in each and room. Beyond 100 little is saved; 50 of a point so small that
// they stay in a core's cache take no time that shows.
enum { PAIRS_LEAST = 10, PAIRS_IN_CACHE = 50, PAIRS_MOST = 100 };

static const double work_share = 0.25;      // of value and gradient: what the two loops may take
static const double memory_cost = 10;       // a flop on vectors from memory takes as long as so many in a product
static const double cached_bytes = 1 << 20; // of all ranks together: the smallest cache there may be
static const double pairs_bytes = 1 << 26;  // beyond the least: moderate beside what a rank has

const char *opt_resolved_method(const opt_options *options, int degree)
{
  if (options->method > 0) return opt_option_choices(OPT_KIND_METHOD)[options->method];
  return degree >= 0 && degree <= 2 ? "conjugate-gradient" : "l-bfgs";
}

const char *opt_resolved_line_search(const opt_options *options, int degree)
{
  const opt_solver *solver = opt_solver_find(opt_resolved_method(options, degree));
  const char *own = degree >= 0 ? solver->search_polynomial : solver->search_general;
  if (strcmp(own, "none") == 0 || options->line_search == 0) return own;
  return opt_option_choices(OPT_KIND_LINE_SEARCH)[options->line_search];
}

bool opt_keeps_trial(int degree)
{
  return degree < 0 || degree > 2;
}

bool opt_keeps_best(const opt_solver *solver, int degree)
{
  return !solver->is_monotone || opt_keeps_trial(degree);
}

bool opt_keeps_hd(const opt_solver *solver, int degree)
{
  return degree == 2 && !solver->needs_closed_form;
}

bool opt_needs_spare(const opt_options *options, const opt_solver *solver, int degree)
{
  if (opt_keeps_trial(degree) || solver->measure != NULL || opt_ignores_start(options, solver)) return false;
  return !solver->keeps_gradient && !opt_keeps_hd(solver, degree);
}

bool opt_ignores_start(const opt_options *options, const opt_solver *solver)
{
  return solver->ignores_start && options->max_iterations > 0;
}

int64_t opt_pairs(const opt_options *options)
{
  return options->memory > 0 ? options->memory : PAIRS_LEAST;
}

int64_t opt_automatic_pairs(double flops, double dimension)
{
  // One pair costs two inner products and two updates in the two loops, two flops an entry each.
  const double pays = work_share * flops / (memory_cost * 8 * dimension);
  const double fits = pairs_bytes / (2 * sizeof(double) * dimension);
  const double cheap = cached_bytes / (2 * sizeof(double) * dimension) >= PAIRS_IN_CACHE ? PAIRS_IN_CACHE : PAIRS_LEAST;
  return (int64_t)fmax(PAIRS_LEAST, fmin(PAIRS_MOST, fmin(fits, fmax(pays, cheap))));
}

// What the driver and the solver make.
static int64_t count_points(const opt_options *options, const opt_solver *solver, int degree)
{
  int64_t count = 1 + solver->count_points(options, degree); // g
  if (solver->keeps_gradient || degree < 0) count++;
  if (opt_keeps_trial(degree)) count++;
  if (opt_keeps_hd(solver, degree)) count += 3; // and the rooms
  if (opt_needs_spare(options, solver, degree)) count++;
  if (opt_keeps_best(solver, degree)) count++;
  return count;
}

int64_t opt_working_points(const opt_options *options, int degree)
{
  return count_points(options, opt_solver_find(opt_resolved_method(options, degree)), degree) +
         opt_examiner_points(options, degree, false);
}

int64_t opt_constrained_points(const opt_options *options, int degree, const opt_traits *traits)
{
  const opt_solver *solver = NULL;
  if (opt_constrained_solver(options, traits, &solver) != TG_OK) {
    tg_error_clear();
    return opt_working_points(options, degree);
  }
  if (traits->geometry == OPT_GEOMETRY_MIXED) return 1 + count_points(options, solver, -1);
  const int64_t examiner = opt_examiner_points(options, degree, true);
  if (traits->geometry == OPT_GEOMETRY_CONVEX) return 1 + count_points(options, solver, degree) + examiner;
  return count_points(options, solver, -1) + (solver->needs_hessian ? 1 : 0) + examiner;
}

tg_status opt_options_verify(const opt_options *options, int degree, bool has_hessian)
{
  const char *method = opt_resolved_method(options, degree);
  const opt_solver *solver = opt_solver_find(method);
  const opt_line_search *search = opt_line_search_find(opt_resolved_line_search(options, degree));
  if (solver->needs_constraint)
    TG_FAIL(TG_UNSUPPORTED, "method: %s needs a bounded convex constraint on every variable; take auto", method);
  if (solver->needs_hessian && !has_hessian)
    TG_FAIL(TG_UNSUPPORTED, "method: %s needs the Hessian action, which this objective does not offer; use l-bfgs",
            method);
  if (search != NULL && search->needs_polynomial && degree < 0)
    TG_FAIL(TG_UNSUPPORTED,
            "line_search: exact needs an objective that is a polynomial of degree at most %d in the variables; use "
            "strong-wolfe or armijo",
            OPT_DEGREE_MAX);
  return TG_OK;
}
