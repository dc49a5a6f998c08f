// Which solver and line search the options mean for a kind of problem, and what they need. `method: auto` of a job is
// decided before, by engine/strategy/strategize.c.
#include "opt/resolve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "opt/examine/examine.h"

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
  const opt_second *second = options->second;
  const int64_t of_second =
      second != NULL
          ? opt_solver_find(opt_option_choices(OPT_KIND_METHOD)[second->method])->count_points(options, degree)
          : 0;
  return count_points(options, opt_solver_find(opt_resolved_method(options, degree)), degree) + of_second +
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

// ---- under constraints ----

// What a method of the options means on convex sets; auto takes the first row that serves the set.
typedef struct solver_for_set {
  const char *method;
  const opt_solver *solver;
  bool needs_bounds;
  bool needs_oracle;
  bool needs_entries;
  bool has_proximal;
} solver_for_set;

static const solver_for_set solvers_for_sets[] = {
    {"l-bfgs", &opt_solver_bounded_lbfgs, .needs_bounds = true},
    {"newton-cg", &opt_solver_bounded_newton, .needs_bounds = true},
    {"conjugate-gradient", &opt_solver_bounded_newton, .needs_bounds = true},
    {"barzilai-borwein", &opt_solver_projected_gradient, .needs_bounds = false},
    {"newton-cg", &opt_solver_proximal_newton, .needs_entries = true, .has_proximal = true},
    {"conjugate-gradient", &opt_solver_proximal_newton, .needs_entries = true, .has_proximal = true},
    {"barzilai-borwein", &opt_solver_proximal_gradient, .has_proximal = true},
    {"frank-wolfe", &opt_solver_frank_wolfe, .needs_oracle = true},
    {"alternating", &opt_solver_alternating, .needs_oracle = false},
    {"alternating", &opt_solver_alternating, .has_proximal = true},
};

static bool serves(const solver_for_set *row, const opt_traits *traits, const char *method)
{
  const bool is_meant = strcmp(method, "auto") == 0 || strcmp(method, row->method) == 0;
  return is_meant && row->has_proximal == traits->has_norm1 && (!row->needs_bounds || traits->is_bounds) &&
         (!row->needs_entries || traits->is_entrywise) && (!row->needs_oracle || traits->has_oracle);
}

// Products to a relative gradient of 1e-8, X 200 x 10 with X'X = I where nothing else is said, A with
// eigenvalues 1..200:
//
//                                        l-bfgs   newton-cg   conjugate-gradient   barzilai-borwein
//     tr(X'AXN), N = diag(10, ..., 1)      1194        1326                 2610               2544
//     tr(X'AX)                              132         230                  255                172
//     tr(X'AX) / tr(X'BX)                   250         588                  538                284
//     sumsq(AX - M)                        1513        3130                 6022             > 5000
//     sumsq(AX - M), unit columns          2114        3429                 7764             > 5000
//     tr(X'HX), the orbitals, 60 x 30        37          53                   68                 39
static const char *const manifold_auto = "l-bfgs";

// On a manifold a method is what it is elsewhere, its rays being curves (ray.c), where it knows how to carry its
// vectors.
static tg_status solver_on_manifold(const char *method, const opt_solver **out)
{
  const opt_solver *solver = opt_solver_find(strcmp(method, "auto") == 0 ? manifold_auto : method);
  if (solver->serves_manifolds) {
    *out = solver;
    return TG_OK;
  }
  char names[200] = "";
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int k = 1; methods[k] != NULL; k++) {
    const size_t used = strlen(names);
    if (opt_solver_find(methods[k])->serves_manifolds)
      snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", methods[k]);
  }
  TG_FAIL(TG_UNSUPPORTED, "method: %s does not know manifolds; take auto or one of %s", method, names);
}

tg_status opt_constrained_solver(const opt_options *options, const opt_traits *traits, const opt_solver **out)
{
  const char *method = opt_option_choices(OPT_KIND_METHOD)[options->method];
  if (traits->geometry == OPT_GEOMETRY_MANIFOLD) return solver_on_manifold(method, out);
  for (size_t i = 0; i < sizeof solvers_for_sets / sizeof solvers_for_sets[0]; i++) {
    if (!serves(&solvers_for_sets[i], traits, method)) continue;
    *out = solvers_for_sets[i].solver;
    return TG_OK;
  }
  if (strcmp(method, "frank-wolfe") == 0)
    TG_FAIL(TG_UNSUPPORTED, "method: frank-wolfe needs a bounded convex constraint on every variable: box, "
                            "frobenius_ball, simplex_rows, simplex_columns, doubly_stochastic or transport; take auto");
  if (traits->geometry == OPT_GEOMETRY_MIXED)
    TG_FAIL(
        TG_UNSUPPORTED,
        "method: %s does not know manifolds beside convex sets; take auto, barzilai-borwein (the spectral projected "
        "gradient) or alternating",
        method);
  TG_FAIL(TG_UNSUPPORTED,
          "method: %s does not know %s; take auto, barzilai-borwein (the spectral projected gradient), on bounded sets "
          "frank-wolfe, or, where all constraints are nonnegative and box, l-bfgs, newton-cg or conjugate-gradient",
          method, traits->is_bounds ? "bounds" : "these convex constraints");
}

const char *opt_constrained_method(const opt_solver *solver)
{
  for (size_t i = 0; i < sizeof solvers_for_sets / sizeof solvers_for_sets[0]; i++)
    if (solvers_for_sets[i].solver == solver) return solvers_for_sets[i].method;
  return solver->name;
}

tg_status opt_constrained_search(const opt_options *options, const opt_solver *solver, const char **out)
{
  const char *wish = opt_option_choices(OPT_KIND_LINE_SEARCH)[options->line_search];
  *out = solver->search_general;
  // Along a curve the slope is known to first order only: a search that brackets by its sign bears that.
  if (strcmp(*out, "strong-wolfe") == 0) *out = "hager-zhang";
  if (options->line_search == 0 || strcmp(*out, "none") == 0) return TG_OK;
  if (strcmp(wish, "exact") == 0 || strcmp(wish, "fixed") == 0)
    TG_FAIL(TG_UNSUPPORTED, "line_search: %s does not know manifolds; take auto, armijo, strong-wolfe or hager-zhang",
            wish);
  *out = wish;
  return TG_OK;
}
