// Every row of the table of constraints: the laws of projections, tangent spaces and retractions, and what the solvers
// make of them, on plain arrays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "opt/resolve.h"
#include "opt/solver.h"
#include "support/hand_problem.h"
#include "support/serial_constraint.h"

enum { BLOCKS = 2, POINTS = 5, RIVALS = 40 };

// A set beside a free block, and some points.
// What of a set is given entry by entry, or line by line: bounds, some of them equal or infinite, and sums.
typedef struct details {
  double lows[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double highs[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double row_totals[SERIAL_SIDE_MAX];
  double column_totals[SERIAL_SIDE_MAX];
} details;

typedef struct bench {
  details details;
  serial_space space;
  serial_constraint constraint;
  const opt_constraint_row *row;
  opt_point *p[POINTS];
} bench;

static opt_constraint_block block_of(opt_constraint_kind kind)
{
  return (opt_constraint_block){.kind = kind, .low = -0.4, .high = kind == OPT_CONSTRAINT_FROBENIUS_BALL ? 1.5 : 0.7};
}

static void add_details(int64_t rows, int64_t cols, bool has_open, details *d, opt_constraint_block *block)
{
  for (int64_t e = 0; e < rows * cols; e++) {
    d->lows[e] = has_open && e % 5 == 3 ? -(double)INFINITY : -0.1 * (double)(e % 3);
    d->highs[e] = e % 7 == 2 ? d->lows[e] : d->lows[e] + 0.2 * (double)(1 + e % 4);
    if (isinf(d->lows[e])) d->highs[e] = has_open && e % 2 == 0 ? (double)INFINITY : 0.3;
  }
  serial_set_totals(rows, cols, d->row_totals, d->column_totals);
  block->lows = d->lows;
  block->highs = d->highs;
  block->row_totals = d->row_totals;
  block->column_totals = d->column_totals;
}

// Whether the set of that kind has numbers by entries or lines, and whether it has to.
static bool may_have_details(opt_constraint_kind kind)
{
  const opt_constraint_argument argument = opt_constraint_row_of(kind)->argument;
  return argument == OPT_ARGUMENT_INTERVAL || argument == OPT_ARGUMENT_TOTAL || argument == OPT_ARGUMENT_TOTALS;
}

static bool must_have_details(opt_constraint_kind kind)
{
  return opt_constraint_row_of(kind)->argument == OPT_ARGUMENT_TOTALS;
}

static void set_up(bench *b, opt_constraint_kind kind, opt_retraction retraction, bool has_details)
{
  b->row = opt_constraint_row_of(kind);
  const int64_t rows[BLOCKS] = {b->row->is_square ? 5 : 6, 2};
  const int64_t cols[BLOCKS] = {b->row->is_square ? 5 : 3, 2};
  opt_constraint_block blocks[BLOCKS] = {block_of(kind), {.kind = OPT_CONSTRAINT_FREE}};
  blocks[0].retraction = retraction;
  if (has_details) add_details(rows[0], cols[0], !b->row->has_oracle, &b->details, &blocks[0]);
  serial_space_init(&b->space, BLOCKS, rows, cols);
  assert_int_equal(serial_constraint_init(&b->constraint, &b->space, blocks), TG_OK);
  for (int k = 0; k < POINTS; k++) assert_int_equal(b->space.base.ops->create(&b->space.base, &b->p[k]), TG_OK);
}

static void tear_down(bench *b)
{
  for (int k = 0; k < POINTS; k++) b->space.base.ops->destroy(&b->space.base, &b->p[k]);
  assert_int_equal(b->space.live, 0);
}

static void random_point(bench *b, uint64_t seed, opt_point *x)
{
  assert_int_equal(b->space.base.ops->random(&b->space.base, seed, x), TG_OK);
}

static void feasible_point(bench *b, uint64_t seed, opt_point *x)
{
  assert_int_equal(opt_constraint_random(&b->constraint.base, seed, x), TG_OK);
}

static void project(bench *b, opt_point *x)
{
  assert_int_equal(b->constraint.base.ops->project(&b->constraint.base, x), TG_OK);
}

static void tangent(bench *b, const opt_point *x, opt_point *v)
{
  assert_int_equal(b->constraint.base.ops->tangent(&b->constraint.base, x, v), TG_OK);
}

static void retract(bench *b, const opt_point *x, double t, const opt_point *v, opt_point *out)
{
  assert_int_equal(b->constraint.base.ops->retract(&b->constraint.base, x, t, v, out), TG_OK);
}

static double violation(bench *b, const opt_point *x)
{
  double out = -1;
  assert_int_equal(b->constraint.base.ops->violation(&b->constraint.base, x, &out), TG_OK);
  return out;
}

static double dot(bench *b, const opt_point *x, const opt_point *y)
{
  double out = 0;
  assert_int_equal(opt_dot(&b->space.base, x, y, &out), TG_OK);
  return out;
}

// |x - y|; overwrites nothing.
static double distance(bench *b, const opt_point *x, const opt_point *y)
{
  double square = 0;
  for (int64_t e = 0; e < b->space.base.dimension; e++)
    square += pow(serial_block_const(x, 0)[e] - serial_block_const(y, 0)[e], 2);
  return sqrt(square);
}

// On failure the name of the set is what one wants to know.
static void expect(const bench *b, bool holds, const char *law, double found)
{
  if (!holds) fail_msg("%s: %s: found %.6g", b->row->name, law, found);
}

static void check_projection(bench *b)
{
  opt_point *z = b->p[0];
  opt_point *x = b->p[1];
  opt_point *again = b->p[2];
  opt_point *rival = b->p[3];
  random_point(b, 11, z);
  expect(b, violation(b, z) > 1e-2, "a random point is infeasible", violation(b, z));
  assert_int_equal(opt_copy(&b->space.base, z, x), TG_OK);
  project(b, x);
  expect(b, violation(b, x) <= 1e-12, "a projected point is feasible", violation(b, x));
  assert_int_equal(opt_copy(&b->space.base, x, again), TG_OK);
  project(b, again);
  expect(b, distance(b, x, again) <= 1e-13, "projecting twice is projecting once", distance(b, x, again));
  for (uint64_t k = 0; k < RIVALS; k++) {
    feasible_point(b, 100 + k, rival);
    expect(b, violation(b, rival) <= 1e-12, "a random feasible point is feasible", violation(b, rival));
    expect(b, distance(b, z, x) <= distance(b, z, rival), "nothing feasible is nearer", distance(b, z, rival));
    // The projection x on a convex set satisfies <z - x, rival - x> <= 0.
    const double inner = dot(b, z, rival) - dot(b, z, x) - dot(b, x, rival) + dot(b, x, x);
    if (b->row->geometry == OPT_GEOMETRY_CONVEX)
      expect(b, inner <= 1e-12, "the projection makes obtuse angles with the set", inner);
  }
}

// The extreme point of a random linear function: feasible, and nothing feasible is lower.
static void check_extreme(bench *b)
{
  opt_point *g = b->p[0];
  opt_point *z = b->p[1];
  opt_point *rival = b->p[3];
  const serial_set *set = &b->constraint.sets[0];
  const serial_set alone = {.block = set->block, .rows = set->rows, .cols = set->cols};
  random_point(b, 61, g);
  assert_int_equal(opt_copy(&b->space.base, g, z), TG_OK);
  for (int64_t e = 0; e < set->rows * set->cols; e++) serial_block(z, 0)[e] = NAN;
  serial_set_extreme(&alone, serial_block_const(g, 0), serial_block(z, 0));
  expect(b, violation(b, z) <= 1e-15, "an extreme point is feasible", violation(b, z));
  for (uint64_t k = 0; k < RIVALS; k++) {
    feasible_point(b, 100 + k, rival);
    double rise = 0;
    for (int64_t e = 0; e < set->rows * set->cols; e++)
      rise += serial_block_const(g, 0)[e] * (serial_block_const(rival, 0)[e] - serial_block_const(z, 0)[e]);
    expect(b, rise >= -1e-13, "no feasible point has a smaller <g, z>", rise);
  }
}

static void check_tangents(bench *b)
{
  opt_point *x = b->p[0];
  opt_point *u = b->p[1];
  opt_point *v = b->p[2];
  opt_point *w = b->p[3];
  feasible_point(b, 21, x);
  random_point(b, 22, u);
  random_point(b, 23, w);
  assert_int_equal(opt_copy(&b->space.base, u, v), TG_OK);
  tangent(b, x, v); // v = T u
  expect(b, distance(b, u, v) > 1e-2, "a random vector is not tangent", distance(b, u, v));
  const double vw = dot(b, v, w);
  tangent(b, x, w);
  const double uw = dot(b, u, w);
  expect(b, fabs(vw - uw) <= 1e-12, "the tangent projection is self-adjoint", vw - uw);
  assert_int_equal(opt_copy(&b->space.base, v, u), TG_OK);
  tangent(b, x, u);
  expect(b, distance(b, u, v) <= 1e-13, "it is idempotent", distance(b, u, v));
}

// |R_x(t v) - x - t v| for a tangent v.
static double retraction_error(bench *b, const opt_point *x, double t, const opt_point *v)
{
  retract(b, x, t, v, b->p[3]);
  assert_int_equal(opt_copy(&b->space.base, x, b->p[4]), TG_OK);
  assert_int_equal(opt_axpby(&b->space.base, t, v, 1, b->p[4]), TG_OK);
  return distance(b, b->p[3], b->p[4]);
}

static void check_retraction(bench *b)
{
  opt_point *x = b->p[0];
  opt_point *v = b->p[1];
  feasible_point(b, 31, x);
  random_point(b, 32, v);
  tangent(b, x, v);
  const double order = log(retraction_error(b, x, 1e-3, v) / retraction_error(b, x, 1e-4, v)) / log(10);
  expect(b, order > 1.9, "a retraction is x + t v to first order: order of the rest", order);
  expect(b, retraction_error(b, x, 0, v) <= 1e-14, "R_x(0) = x", retraction_error(b, x, 0, v));
  const double lengths[] = {1e-8, 1, 1e3};
  for (int k = 0; k < 3; k++) {
    retract(b, x, lengths[k], v, b->p[2]);
    expect(b, violation(b, b->p[2]) <= 1e-12, "a retracted point is feasible", violation(b, b->p[2]));
  }
}

// |T(R_x(t v) - x - t v)|: O(t^3) of a second-order retraction.
static double tangential_error(bench *b, const opt_point *x, double t, const opt_point *v)
{
  retraction_error(b, x, t, v);
  assert_int_equal(opt_axpby(&b->space.base, -1, b->p[4], 1, b->p[3]), TG_OK);
  tangent(b, x, b->p[3]);
  return sqrt(dot(b, b->p[3], b->p[3]));
}

static void check_second_order(bench *b)
{
  opt_point *x = b->p[0];
  opt_point *v = b->p[1];
  feasible_point(b, 33, x);
  random_point(b, 34, v);
  tangent(b, x, v);
  const double order = log(tangential_error(b, x, 1e-2, v) / tangential_error(b, x, 1e-3, v)) / log(10);
  const bool is_second =
      b->row->kind == OPT_CONSTRAINT_UNIT_COLUMNS || b->constraint.sets[0].block.retraction == OPT_RETRACTION_POLAR;
  expect(b, order > (is_second ? 2.9 : 1.9), "the order of a retraction along the tangents", order);
}

// f = <c, x> + |x .* c|^2 / 2, with gradient c + c .* c .* x.
static double value_at(bench *b, const opt_point *c, const opt_point *x)
{
  double f = 0;
  for (int64_t e = 0; e < b->space.base.dimension; e++) {
    const double ce = serial_block_const(c, 0)[e];
    const double xe = serial_block_const(x, 0)[e];
    f += ce * xe + ce * ce * xe * xe / 2;
  }
  return f;
}

// The Riemannian gradient there.
static void gradient_at(bench *b, const opt_point *c, const opt_point *x, opt_point *g)
{
  for (int64_t e = 0; e < b->space.base.dimension; e++) {
    const double ce = serial_block_const(c, 0)[e];
    serial_block(g, 0)[e] = ce + ce * ce * serial_block_const(x, 0)[e];
  }
  tangent(b, x, g);
}

static void check_gradient(bench *b)
{
  opt_point *x = b->p[0];
  opt_point *v = b->p[1];
  opt_point *c = b->p[2];
  opt_point *g = b->p[4];
  const double t = 1e-5;
  feasible_point(b, 41, x);
  random_point(b, 42, c);
  gradient_at(b, c, x, g);
  for (uint64_t k = 0; k < 5; k++) {
    random_point(b, 50 + k, v);
    tangent(b, x, v);
    retract(b, x, t, v, b->p[3]);
    const double ahead = value_at(b, c, b->p[3]);
    retract(b, x, -t, v, b->p[3]);
    const double quotient = (ahead - value_at(b, c, b->p[3])) / (2 * t);
    expect(b, fabs(quotient - dot(b, g, v)) <= 1e-7, "the Riemannian gradient is the slope along retractions",
           quotient - dot(b, g, v));
  }
}

// hv := the Riemannian Hessian of f on v, from H[v] = c .* c .* v and the Euclidean gradient, which takes p's place.
static void hessian_at(bench *b, const opt_point *c, const opt_point *x, const opt_point *v, opt_point *p,
                       opt_point *hv)
{
  for (int64_t e = 0; e < b->space.base.dimension; e++) {
    const double ce = serial_block_const(c, 0)[e];
    serial_block(p, 0)[e] = ce + ce * ce * serial_block_const(x, 0)[e];
    serial_block(hv, 0)[e] = ce * ce * serial_block_const(v, 0)[e];
  }
  assert_int_equal(b->constraint.base.ops->hessian(&b->constraint.base, x, p, v, hv), TG_OK);
}

// The tangent part of the derivative of the Riemannian gradient along a curve with tangent v is Hess f[v].
static void check_hessian(bench *b)
{
  opt_point *x = b->p[0];
  opt_point *v = b->p[1];
  opt_point *c = b->p[2];
  opt_point *ahead = b->p[3];
  opt_point *other = b->p[4];
  opt_point *gradient = NULL;
  const opt_space *space = &b->space.base;
  const double t = 1e-5;
  assert_int_equal(space->ops->create(space, &gradient), TG_OK);
  feasible_point(b, 61, x);
  random_point(b, 62, c);
  random_point(b, 63, v);
  tangent(b, x, v);
  retract(b, x, t, v, other);
  gradient_at(b, c, other, ahead);
  retract(b, x, -t, v, other);
  gradient_at(b, c, other, gradient);
  assert_int_equal(opt_axpby(space, -0.5 / t, gradient, 0.5 / t, ahead), TG_OK);
  tangent(b, x, ahead);
  hessian_at(b, c, x, v, gradient, other);
  expect(b, distance(b, ahead, other) <= 1e-7, "the Hessian is the derivative of the Riemannian gradient",
         distance(b, ahead, other));
  assert_int_equal(opt_copy(space, other, ahead), TG_OK);
  tangent(b, x, ahead);
  expect(b, distance(b, ahead, other) <= 1e-13, "it is tangent", distance(b, ahead, other));
  space->ops->destroy(space, &gradient);
}

static void check_laws(opt_constraint_kind kind, opt_retraction retraction, bool has_details)
{
  bench b;
  set_up(&b, kind, retraction, has_details);
  check_projection(&b);
  if (b.row->has_oracle) check_extreme(&b);
  if (b.row->geometry == OPT_GEOMETRY_MANIFOLD) {
    check_tangents(&b);
    check_retraction(&b);
    check_second_order(&b);
    check_gradient(&b);
    check_hessian(&b);
  }
  tear_down(&b);
}

static void test_laws(void **unused)
{
  (void)unused;
  for (int kind = OPT_CONSTRAINT_FREE + 1; kind < OPT_CONSTRAINT_COUNT; kind++)
    for (int with = must_have_details((opt_constraint_kind)kind); with <= may_have_details((opt_constraint_kind)kind);
         with++)
      check_laws((opt_constraint_kind)kind, OPT_RETRACTION_AUTO, with > 0);
  check_laws(OPT_CONSTRAINT_ORTHONORMAL_COLUMNS, OPT_RETRACTION_POLAR, false);
}

// ---- solvers ----

// Whether any feasible move from x, no longer than given, lowers f: towards random feasible points, or along random
// tangents.
static double best_descent(const hand_problem *problem, serial_constraint *set, const opt_point *x, double longest,
                           opt_point *rival)
{
  const opt_space *space = &problem->space.base;
  const hand_objective *objective = problem->objective;
  const double f = objective->value(problem, serial_block_const(x, 0));
  opt_point *near = NULL;
  double best = 0;
  assert_int_equal(space->ops->create(space, &near), TG_OK);
  for (uint64_t k = 0; k < RIVALS; k++) {
    assert_int_equal(space->ops->random(space, 300 + k, rival), TG_OK);
    for (double t = longest; t > 1e-4; t /= 8) { // the projection of x + t rival is feasible for both geometries
      assert_int_equal(opt_copy(space, x, near), TG_OK);
      assert_int_equal(opt_axpby(space, t, rival, 1, near), TG_OK);
      assert_int_equal(set->base.ops->project(&set->base, near), TG_OK);
      best = fmin(best, objective->value(problem, serial_block_const(near, 0)) - f);
    }
  }
  space->ops->destroy(space, &near);
  return best;
}

// docs/constraints.md promises these numbers.
static int64_t convex_points(const opt_solver *solver, int degree)
{
  const int64_t trial = degree < 0 || degree > 2 ? 1 : 0;
  const int64_t best = !solver->is_monotone ? 0 : trial; // beside the numbers below, which count that of the others
  const int64_t examiner = degree == 0 || degree == 1 ? 0 : 5;
  if (solver == &opt_solver_frank_wolfe) return 2 + trial + (degree < 0 ? 1 : 0) + best + examiner;
  if (solver == &opt_solver_bounded_newton) return 7 + trial + best + examiner;
  if (solver == &opt_solver_bounded_lbfgs) return 5 + 2 * 10 + trial + best + examiner;
  return 5 + trial + best + examiner;
}

static void check_solver(const char *objective, const opt_constraint_row *row, const char *method, bool has_details)
{
  details numbers;
  hand_problem problem;
  serial_constraint set;
  opt_options options;
  opt_result result;
  opt_point *x = NULL;
  opt_point *rival = NULL;
  opt_constraint_block block = block_of(row->kind);
  hand_problem_init(&problem, hand_objective_find(objective));
  if (has_details) add_details(problem.space.rows[0], problem.space.cols[0], false, &numbers, &block);
  assert_int_equal(serial_constraint_init(&set, &problem.space, &block), TG_OK);
  problem.base.constraint = &set.base;
  opt_options_init(&options);
  assert_int_equal(opt_option_set(&options, "method", method), TG_OK);
  options.max_iterations = 20000;
  const opt_solver *solver = NULL;
  if (opt_constrained_solver(&options, &set.base.traits, &solver) != TG_OK) return;
  if (solver->needs_closed_form || solver->needs_blocks) return; // has tests of its own
  // Its gap falls like 1/k.
  const bool is_slow = solver == &opt_solver_frank_wolfe;
  if (is_slow) options.gradient_tolerance = 1e-4;
  const opt_space *space = &problem.space.base;
  assert_int_equal(hand_problem_start(&problem, &x), TG_OK);
  assert_int_equal(space->ops->create(space, &rival), TG_OK);
  // logdet has a domain of its own, in which its start lies; the others start anywhere.
  if (strcmp(objective, "logdet") != 0) assert_int_equal(opt_constraint_random(&set.base, 7, x), TG_OK);
  const int64_t before = problem.space.created;
  const tg_status status = opt_minimise(&problem.base, &options, x, NULL, &result);
  int64_t points = convex_points(solver, problem.objective->degree);
  if (row->geometry == OPT_GEOMETRY_MANIFOLD) {
    points = opt_constrained_points(&options, problem.objective->degree, &set.base.traits);
  }
  assert_int_equal(problem.space.created - before, points);
  assert_int_equal(points, opt_constrained_points(&options, problem.objective->degree, &set.base.traits));
  const double f = problem.objective->value(&problem, serial_block_const(x, 0));
  if (status != TG_OK || result.outcome != OPT_CONVERGED || !(result.violation <= 1e-12) || problem.violations > 0 ||
      fabs(f - result.objective) > 1e-13 * fmax(1, fabs(f)) ||
      fabs(result.violation - serial_set_violation(&set.sets[0], serial_block_const(x, 0))) > 1e-15)
    fail_msg("%s on %s, %s: %s, violation %.3g, %s", method, objective, row->name, opt_outcome_label(result.outcome),
             result.violation, result.reason);
  // Between bounds by entries the orbital functional has several minima.
  const double descent = best_descent(&problem, &set, x, has_details ? 0.02 : 1, rival);
  if (descent < -(is_slow ? result.gradient_target : 1e-9) * fmax(1, fabs(f)))
    fail_msg("%s on %s, %s: f = %.12g can be lowered by %.3g", method, objective, row->name, f, -descent);
  space->ops->destroy(space, &x);
  space->ops->destroy(space, &rival);
  assert_int_equal(problem.space.live, 0);
}

// A polynomial and the same function shown as a general one; square and tall.
static void check_method(const opt_constraint_row *row, const char *method, bool has_details)
{
  if (row->has_oracle || row->geometry == OPT_GEOMETRY_MANIFOLD) { // linear functions have a least value
    check_solver("linear", row, method, has_details);
    check_solver("linear-general", row, method, has_details);
  }
  if (row->is_square) check_solver("logdet", row, method, has_details);
  if (!row->is_square) check_solver("orbital", row, method, has_details);
  if (!row->is_square) check_solver("orbital-general", row, method, has_details);
}

static void test_solvers(void **unused)
{
  (void)unused;
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int k = 0; k < opt_constraint_count(); k++) {
    const opt_constraint_row *row = opt_constraint_at(k);
    for (int m = 0; methods[m] != NULL; m++)
      for (int with = must_have_details(row->kind); with <= may_have_details(row->kind); with++)
        check_method(row, methods[m], with > 0);
  }
}

static void check_unbounded(opt_constraint_kind kind, const char *method)
{
  hand_problem problem;
  serial_constraint set;
  opt_options options;
  opt_result result;
  opt_point *x = NULL;
  const opt_constraint_block block = {.kind = kind};
  hand_problem_init(&problem, hand_objective_find("linear"));
  assert_int_equal(serial_constraint_init(&set, &problem.space, &block), TG_OK);
  problem.base.constraint = &set.base;
  opt_options_init(&options);
  assert_int_equal(opt_option_set(&options, "method", method), TG_OK);
  assert_int_equal(hand_problem_start(&problem, &x), TG_OK);
  assert_int_equal(opt_minimise(&problem.base, &options, x, NULL, &result), TG_OK);
  if (result.outcome != OPT_UNBOUNDED)
    fail_msg("%s: linear on %s: %s, %s", method, opt_constraint_row_of(kind)->name, opt_outcome_label(result.outcome),
             result.reason);
  assert_non_null(strstr(result.reason, "unbounded below"));
  problem.space.base.ops->destroy(&problem.space.base, &x);
}

// A linear function on an unbounded set falls without end: found out, not taken for stationary where x - g rounds to x.
static void test_unbounded(void **unused)
{
  (void)unused;
  check_unbounded(OPT_CONSTRAINT_SYMMETRIC, "auto");
  const char *const methods[] = {"auto", "newton-cg", "barzilai-borwein"};
  for (int m = 0; m < 3; m++) check_unbounded(OPT_CONSTRAINT_NONNEGATIVE, methods[m]);
}

static void test_refusals(void **unused)
{
  (void)unused;
  serial_space space;
  serial_constraint set;
  opt_options options;
  const opt_solver *solver = NULL;
  const char *search = NULL;
  const int64_t sides[2] = {3, 3};
  const opt_constraint_block blocks[2] = {{.kind = OPT_CONSTRAINT_NONNEGATIVE}, {.kind = OPT_CONSTRAINT_UNIT_COLUMNS}};
  serial_space_init(&space, 2, sides, sides);
  assert_int_equal(serial_constraint_init(&set, &space, blocks), TG_OK);
  assert_int_equal(set.base.traits.geometry, OPT_GEOMETRY_MIXED);
  opt_options_init(&options);
  assert_int_equal(opt_option_set(&options, "method", "l-bfgs"), TG_OK);
  assert_int_equal(opt_constrained_solver(&options, &set.base.traits, &solver), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "l-bfgs does not know manifolds beside convex sets"));
  opt_traits traits = {.has_any = true, .geometry = OPT_GEOMETRY_CONVEX};
  assert_int_equal(opt_constrained_solver(&options, &traits, &solver), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "l-bfgs does not know these convex constraints"));
  assert_int_equal(opt_option_set(&options, "method", "frank-wolfe"), TG_OK);
  assert_int_equal(opt_constrained_solver(&options, &traits, &solver), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "frank-wolfe needs a bounded convex constraint on every variable"));
  assert_int_equal(opt_options_verify(&options, 2, true), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "frank-wolfe needs a bounded convex constraint on every variable"));
  traits.geometry = OPT_GEOMETRY_MANIFOLD;
  assert_int_equal(opt_option_set(&options, "method", "nesterov"), TG_OK);
  assert_int_equal(opt_constrained_solver(&options, &traits, &solver), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "nesterov does not know manifolds; take auto or one of gradient-d"));
  assert_int_equal(opt_option_set(&options, "line_search", "fixed"), TG_OK);
  assert_int_equal(opt_constrained_search(&options, &opt_solver_conjugate_gradient, &search), TG_UNSUPPORTED);
  assert_non_null(strstr(tg_error_get()->message, "fixed does not know manifolds"));
  assert_null(opt_constraint_find("nonnegativ"));
  tg_error_clear();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_laws), cmocka_unit_test(test_solvers),
                                     cmocka_unit_test(test_unbounded), cmocka_unit_test(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
