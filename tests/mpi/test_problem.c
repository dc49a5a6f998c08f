// opt_problem on distributed matrices against the serial reading of opt/problem.h: values, state, drift, counts.
#include "check.h"

#include "mpi/problem/problem.h"
#include "mpi/space/space.h"
#include "support/sample_plans.h"
#include "support/serial_problem.h"

enum { DATA_MAX = 4, POINTS = 4 };

static const double tolerance = 1e-11;

// Both problems, and points x, d, g, v of both spaces with equal contents.
typedef struct twins {
  tg_plan *plan;
  double *arrays[DATA_MAX];
  tg_dmat *data[DATA_MAX];
  tg_exec *exec;
  opt_space *space;
  serial_space serial_space;
  opt_problem *problem;
  opt_problem *serial;
  opt_point *points[POINTS];
  opt_point *serial_points[POINTS];
} twins;

enum { X, D, G, V };

static void set_point(twins *t, int k, const char *name, uint64_t seed)
{
  const tg_plan_data *shape = &t->plan->variables[0];
  sample_fill(name, shape->rows, shape->cols, seed, serial_block(t->serial_points[k], 0));
  tg_dmat_scatter_small(serial_block(t->serial_points[k], 0), tg_space_block(t->points[k], 0));
}

static void twins_init(twins *t, const tg_grid *grid, tg_plan *plan, int64_t refresh_interval)
{
  *t = (twins){.plan = plan};
  const tg_plan_data *shape = &plan->variables[0];
  for (int32_t k = 0; k < plan->n_data; k++) {
    const tg_plan_data *entry = &plan->data[k];
    REQUIRE_OK(tg_alloc_numbers(entry->rows * entry->cols, &t->arrays[k]));
    sample_fill(entry->name, entry->rows, entry->cols, (uint64_t)k + 1, t->arrays[k]);
    REQUIRE_OK(tg_dmat_create(grid, entry->rows, entry->cols, &t->data[k]));
    tg_dmat_scatter_small(t->arrays[k], t->data[k]);
  }
  const tg_problem_settings settings = {.refresh_interval = refresh_interval};
  REQUIRE_OK(tg_exec_create(grid, plan, t->data, NULL, &t->exec));
  REQUIRE_OK(tg_space_create(grid, 1, &shape->rows, &shape->cols, &t->space));
  REQUIRE_OK(tg_problem_create(t->exec, t->space, &settings, &t->problem));
  serial_space_init(&t->serial_space, 1, &shape->rows, &shape->cols);
  REQUIRE_OK(serial_problem_create(plan, (const double *const *)t->arrays, &t->serial_space, &t->serial));
  for (int k = 0; k < POINTS; k++) {
    REQUIRE_OK(t->space->ops->create(t->space, &t->points[k]));
    REQUIRE_OK(t->serial_space.base.ops->create(&t->serial_space.base, &t->serial_points[k]));
    set_point(t, k, "P", (uint64_t)k + 40);
  }
}

static void twins_fini(twins *t)
{
  for (int k = 0; k < POINTS; k++) {
    t->space->ops->destroy(t->space, &t->points[k]);
    t->serial_space.base.ops->destroy(&t->serial_space.base, &t->serial_points[k]);
  }
  tg_problem_destroy(&t->problem);
  serial_problem_destroy(&t->serial);
  tg_space_destroy(&t->space);
  tg_exec_destroy(&t->exec);
  for (int k = 0; k < DATA_MAX; k++) {
    tg_free(t->arrays[k]);
    tg_dmat_destroy(&t->data[k]);
  }
  tg_plan_destroy(&t->plan);
}

static void compare(double found, double expected, const char *what)
{
  CHECK(check_distance(&found, &expected, 1) <= tolerance, "%s: %.17g, expected %.17g", what, found, expected);
}

static void compare_point(const twins *t, int k, const char *what)
{
  CHECK_MATRIX(tg_space_block(t->points[k], 0), serial_block(t->serial_points[k], 0), tolerance, what);
}

// ---- one call of both, compared ----

static void value(twins *t, int x)
{
  double found = 0;
  double expected = 0;
  REQUIRE_OK(t->problem->ops->value(t->problem, t->points[x], &found));
  REQUIRE_OK(t->serial->ops->value(t->serial, t->serial_points[x], &expected));
  compare(found, expected, "value");
}

static void gradient(twins *t, int x)
{
  double found = 0;
  double expected = 0;
  REQUIRE_OK(t->problem->ops->gradient(t->problem, t->points[x], &found, t->points[G]));
  REQUIRE_OK(t->serial->ops->gradient(t->serial, t->serial_points[x], &expected, t->serial_points[G]));
  compare(found, expected, "f with the gradient");
  compare_point(t, G, "gradient");
}

static void line(twins *t, int x)
{
  double found[OPT_DEGREE_MAX + 1];
  double expected[OPT_DEGREE_MAX + 1];
  REQUIRE_OK(t->problem->ops->line(t->problem, t->points[x], t->points[D], found));
  REQUIRE_OK(t->serial->ops->line(t->serial, t->serial_points[x], t->serial_points[D], expected));
  for (int k = 0; k <= t->problem->degree; k++) compare(found[k], expected[k], "coefficient of the line");
}

static void advance(twins *t, double step, int x)
{
  double found = 0;
  double expected = 0;
  REQUIRE_OK(t->problem->ops->advance(t->problem, step, t->points[x], t->points[D], &found, t->points[G]));
  REQUIRE_OK(t->serial->ops->advance(t->serial, step, t->serial_points[x], t->serial_points[D], &expected,
                                     t->serial_points[G]));
  compare(found, expected, "f after the advance");
  compare_point(t, x, "advanced point");
  compare_point(t, G, "gradient after the advance");
}

static void hessian(twins *t, int x)
{
  REQUIRE_OK(t->problem->ops->hessian(t->problem, t->points[x], t->points[D], t->points[V]));
  REQUIRE_OK(t->serial->ops->hessian(t->serial, t->serial_points[x], t->serial_points[D], t->serial_points[V]));
  compare_point(t, V, "Hessian action");
}

static int64_t runs(const twins *t, tg_program_id program)
{
  return tg_exec_program_usage(t->exec, program)->runs;
}

// ---- orders of calls ----

static tg_plan *ridge(void)
{
  tg_plan *plan = NULL;
  REQUIRE_OK(sample_plan_ridge(12, 7, 3, 0.2, &plan));
  return plan;
}

// The way of CG with exact steps: one line and one advance an iteration, and no refresh between.
static void descent(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  CHECK(t.problem->degree == 2 && t.problem->has_hessian, "degree %d", t.problem->degree);
  gradient(&t, X);
  for (int k = 0; k < 6; k++) {
    set_point(&t, D, "D", (uint64_t)k + 60);
    line(&t, X);
    hessian(&t, X);
    advance(&t, 0.1 * k - 0.2, X);
  }
  CHECK(runs(&t, TG_PROGRAM_REFRESH) == 1, "%" PRId64 " refreshes", runs(&t, TG_PROGRAM_REFRESH));
  CHECK(runs(&t, TG_PROGRAM_VALUE) == 0, "%" PRId64 " values", runs(&t, TG_PROGRAM_VALUE));
  const opt_counts *counts = &t.problem->counts;
  CHECK(counts->gradients == 7 && counts->lines == 6 && counts->hessians == 6 && counts->values == 0,
        "%" PRId64 " gradients, %" PRId64 " lines, %" PRId64 " Hessian actions, %" PRId64 " values", counts->gradients,
        counts->lines, counts->hessians, counts->values);
  // One refresh, a product a gradient, one a line, two a Hessian action.
  CHECK(counts->products == 1 + 7 + 6 + 12, "%" PRId64 " products", counts->products);
  twins_fini(&t);
}

// Values at trial points between all other calls: the current point's answers do not change.
static void trial_points(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  gradient(&t, X);
  value(&t, V);
  line(&t, X);
  value(&t, V);
  hessian(&t, X);
  value(&t, V);
  set_point(&t, V, "D", 77);
  value(&t, V);
  line(&t, X);
  value(&t, V);
  advance(&t, 0.5, X);
  line(&t, X);
  advance(&t, -0.25, X);
  twins_fini(&t);
}

// A trial point that is accepted keeps its images: value, then gradient at the same point, is one refresh.
static void accepted_trial(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  gradient(&t, X);
  value(&t, D);
  gradient(&t, D);
  CHECK(runs(&t, TG_PROGRAM_REFRESH) == 2, "%" PRId64 " refreshes", runs(&t, TG_PROGRAM_REFRESH));
  // Changed in one entry on one rank alone, the point is another.
  value(&t, D);
  serial_block(t.serial_points[D], 0)[3] += 0.5;
  tg_dmat_scatter_small(serial_block(t.serial_points[D], 0), tg_space_block(t.points[D], 0));
  gradient(&t, D);
  CHECK(runs(&t, TG_PROGRAM_REFRESH) == 4, "%" PRId64 " refreshes", runs(&t, TG_PROGRAM_REFRESH));
  twins_fini(&t);
}

// A line without a gradient before it has its c[0] all the same.
static void line_first(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  line(&t, X);
  hessian(&t, X);
  twins_fini(&t);
}

// Every third advance refreshes, and the drift is measured: rounding, not more.
static void drift(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 3);
  gradient(&t, X);
  for (int k = 0; k < 7; k++) {
    set_point(&t, D, "D", (uint64_t)k + 80);
    line(&t, X);
    advance(&t, 0.3, X);
  }
  const tg_problem_drift *found = tg_problem_get_drift(t.problem);
  CHECK(runs(&t, TG_PROGRAM_REFRESH) == 3 && found->refreshes == 2, "%" PRId64 " refreshes, %" PRId64 " measured",
        runs(&t, TG_PROGRAM_REFRESH), found->refreshes);
  CHECK(found->last < 1e-14 && found->worst < 1e-14 && found->last <= found->worst, "drift %g, worst %g", found->last,
        found->worst);
  // A state that someone damages is seen: the image is off by half of itself.
  line(&t, X);
  const int32_t image = t.plan->programs[TG_PROGRAM_REFRESH].instrs[0].out;
  tg_dmat *state = tg_exec_buffer(t.exec, image);
  for (int64_t j = 0; j < state->local_cols; j++)
    for (int64_t i = 0; i < state->local_rows; i++) state->data[i + j * state->ld] *= 1.5;
  double f = 0;
  for (int k = 0; k < 2; k++)
    REQUIRE_OK(t.problem->ops->advance(t.problem, 0, t.points[X], t.points[D], &f, t.points[G]));
  CHECK(fabs(found->last - 0.5) < 1e-12, "drift %g of a state that is off by half", found->last);
  gradient(&t, X);
  twins_fini(&t);
}

// Without state and line: trace and logdet, with points outside the domain.
static void without_state(const tg_grid *grid)
{
  tg_plan *plan = NULL;
  twins t;
  REQUIRE_OK(sample_plan_trace(6, 5, &plan));
  twins_init(&t, grid, plan, 0);
  CHECK(t.problem->degree == -1 && !t.problem->has_hessian, "degree %d", t.problem->degree);
  gradient(&t, X);
  value(&t, D);
  gradient(&t, D);
  double f = 0;
  CHECK_FAILS(t.problem->ops->advance(t.problem, 1, t.points[X], t.points[D], &f, t.points[G]), TG_INTERNAL,
              "advance without a line");
  twins_fini(&t);
  REQUIRE_OK(sample_plan_logdet(5, &plan));
  twins_init(&t, grid, plan, 0);
  set_point(&t, X, "S", 3);
  gradient(&t, X);
  CHECK(tg_problem_reason(t.problem)[0] == '\0', "reason %s", tg_problem_reason(t.problem));
  for (int64_t k = 0; k < 25; k++) serial_block(t.serial_points[D], 0)[k] = k % 6 == 0 ? -1 : 0;
  tg_dmat_scatter_small(serial_block(t.serial_points[D], 0), tg_space_block(t.points[D], 0));
  REQUIRE_OK(t.problem->ops->value(t.problem, t.points[D], &f));
  CHECK(isinf(f) && f > 0, "f is %g outside the domain", f);
  CHECK(strstr(tg_problem_reason(t.problem), "cholesky") != NULL, "reason '%s'", tg_problem_reason(t.problem));
  gradient(&t, X);
  twins_fini(&t);
}

// No allocation in an iteration, trial values included.
static void no_allocation(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 2);
  int64_t before = 0;
  for (int k = 0; k < 6; k++) {
    double f = 0;
    double c[OPT_DEGREE_MAX + 1];
    if (k == 3) before = tg_alloc_count();
    REQUIRE_OK(t.problem->ops->gradient(t.problem, t.points[X], &f, t.points[G]));
    REQUIRE_OK(t.problem->ops->value(t.problem, t.points[V], &f));
    REQUIRE_OK(t.problem->ops->hessian(t.problem, t.points[X], t.points[D], t.points[V]));
    for (int s = 0; s < 3; s++) {
      REQUIRE_OK(t.problem->ops->line(t.problem, t.points[X], t.points[D], c));
      REQUIRE_OK(t.problem->ops->advance(t.problem, 0.01, t.points[X], t.points[D], &f, t.points[G]));
    }
  }
  CHECK(tg_alloc_count() == before, "%" PRId64 " allocations", tg_alloc_count() - before);
  twins_fini(&t);
}

static void wrong_space(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  const int64_t sizes[2] = {7, 7};
  opt_space *space = NULL;
  opt_problem *problem = NULL;
  REQUIRE_OK(tg_space_create(grid, 2, sizes, sizes, &space));
  CHECK_FAILS(tg_problem_create(t.exec, space, NULL, &problem), TG_INTERNAL, "the space has 2 blocks, the plan 1");
  tg_space_destroy(&space);
  REQUIRE_OK(tg_space_create(grid, 1, sizes, sizes, &space));
  CHECK_FAILS(tg_problem_create(t.exec, space, NULL, &problem), TG_SHAPE, "'W' is 7 x 7, expected 7 x 3");
  CHECK(problem == NULL, "a problem came of a failure");
  tg_space_destroy(&space);
  twins_fini(&t);
}

// Memory that runs out on one rank alone, at every allocation of creation in turn.
static void lack_of_memory(const tg_grid *grid)
{
  twins t;
  twins_init(&t, grid, ridge(), 0);
  tg_status status = TG_MEMORY;
  int failures = 0;
  for (int64_t n = 1; status != TG_OK && n < 100; n++) {
    opt_problem *problem = NULL;
    tg_alloc_fail_after(grid->rank == grid->size - 1 ? n : 0);
    status = tg_problem_create(t.exec, t.space, NULL, &problem);
    tg_alloc_fail_after(0);
    CHECK(status == TG_OK || status == TG_MEMORY, "%s: %s", tg_status_label(status), tg_error_get()->message);
    failures += status != TG_OK;
    tg_problem_destroy(&problem);
  }
  CHECK(status == TG_OK && failures > 2, "%d failures, then %s", failures, tg_status_label(status));
  twins_fini(&t);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 3, 64, 0};
  static const int64_t middle[] = {2, 0};
  check_on_grids(blocks, descent);
  check_on_grids(blocks, trial_points);
  check_on_grids(middle, accepted_trial);
  check_on_grids(middle, line_first);
  check_on_grids(blocks, drift);
  check_on_grids(blocks, without_state);
  check_on_grids(middle, no_allocation);
  check_on_grids(middle, wrong_space);
  check_on_grids(middle, lack_of_memory);
}

CHECK_PROGRAM(program_problem, run)
