// The table of feasible sets, and the solvers that serve each geometry.
#include "opt/constraint.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "opt/solver.h"

static const opt_constraint_row rows[] = {
#define OPT_CONSTRAINT(id, row_name, row_geometry, square, bounds, oracle, family, row_argument, row_help) \
  {.kind = OPT_CONSTRAINT_##id,                                                                            \
   .name = row_name,                                                                                       \
   .argument = OPT_ARGUMENT_##row_argument,                                                                \
   .help = row_help,                                                                                       \
   .geometry = OPT_GEOMETRY_##row_geometry,                                                                \
   .is_square = square,                                                                                    \
   .is_bounds = bounds,                                                                                    \
   .has_oracle = oracle},
#include "opt/constraints.def"
#undef OPT_CONSTRAINT
};

int opt_constraint_count(void)
{
  return (int)(sizeof rows / sizeof rows[0]);
}

const opt_constraint_row *opt_constraint_at(int index)
{
  TG_ASSERT(index >= 0 && index < opt_constraint_count());
  return &rows[index];
}

const opt_constraint_row *opt_constraint_row_of(opt_constraint_kind kind)
{
  TG_ASSERT(kind > OPT_CONSTRAINT_FREE && kind < OPT_CONSTRAINT_COUNT);
  return &rows[kind - 1];
}

const opt_constraint_row *opt_constraint_find(const char *name)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (strcmp(rows[i].name, name) == 0) return &rows[i];
  }
  return NULL;
}

tg_status opt_traits_find(int n_blocks, const opt_constraint_block *blocks, opt_traits *out)
{
  const opt_constraint_row *first = NULL;
  *out = (opt_traits){.geometry = OPT_GEOMETRY_CONVEX, .is_bounds = true, .has_oracle = true};
  out->is_entrywise = true;
  for (int k = 0; k < n_blocks; k++) {
    if (blocks[k].norm1 > 0) out->has_any = out->has_norm1 = true;
    if (blocks[k].kind == OPT_CONSTRAINT_FREE) {
      out->has_oracle = false;
      continue;
    }
    const opt_constraint_row *row = opt_constraint_row_of(blocks[k].kind);
    if (first == NULL) first = row;
    out->has_any = true;
    out->geometry =
        row->geometry == first->geometry && out->geometry != OPT_GEOMETRY_MIXED ? row->geometry : OPT_GEOMETRY_MIXED;
    out->is_bounds = out->is_bounds && row->is_bounds;
    out->is_entrywise = out->is_bounds;
    const bool is_open = row->kind == OPT_CONSTRAINT_BOX && !(isfinite(blocks[k].low) && isfinite(blocks[k].high));
    out->has_oracle = out->has_oracle && row->has_oracle && !is_open;
    if (blocks[k].norm1 > 0 && !row->is_bounds)
      TG_FAIL(TG_UNSUPPORTED, "norm1 has no proximal step under the constraint %s, only under bounds or none",
              row->name);
  }
  if (out->has_norm1 && out->geometry == OPT_GEOMETRY_MANIFOLD) out->geometry = OPT_GEOMETRY_MIXED;
  if (out->geometry == OPT_GEOMETRY_MIXED) out->is_entrywise = false;
  if (out->has_norm1) out->is_bounds = out->has_oracle = false;
  return TG_OK;
}

tg_status opt_constraint_random(const opt_constraint *constraint, uint64_t seed, opt_point *x)
{
  TG_TRY(constraint->space->ops->random(constraint->space, seed, x));
  TG_TRY(constraint->ops->project(constraint, x));
  return TG_OK;
}

// ---- which solver ----

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

// ---- steps into the set ----

tg_status opt_run_proximal(const opt_run *run, double a, opt_point *x)
{
  const opt_constraint *constraint = run->constraint;
  if (constraint->traits.has_norm1) return constraint->ops->proximal(constraint, a, x);
  return constraint->ops->approach(constraint, x);
}

tg_status opt_run_add_norm1(const opt_run *run, const opt_point *x, double *f)
{
  double norm1 = 0;
  if (run->constraint == NULL || !run->constraint->traits.has_norm1) return TG_OK;
  TG_TRY(run->constraint->ops->norm1(run->constraint, x, &norm1));
  *f += norm1;
  return TG_OK;
}

tg_status opt_run_make_feasible(opt_run *run)
{
  if (run->constraint == NULL) return TG_OK;
  TG_TRY(run->constraint->ops->project(run->constraint, run->x));
  run->is_fresh = false;
  return TG_OK;
}
