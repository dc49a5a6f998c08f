// The methods on manifolds, from the text of the objective to distributed matrices: every method on every problem whose
// optimum is known from its spectrum, and the same iterates as on plain arrays.
#include "check.h"

#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "mpi/constraint/constraint.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"
#include "opt/solver.h"
#include "support/hand_curved.h"
#include "support/serial_constraint.h"

enum { ROWS = 10, COLS = 3, DATA_MAX = 4 };

// A row of hand_curved in the language.
typedef struct written {
  const char *name;
  const char *text;
} written;

static const written problems[] = {
    {"brockett", "tr(X'*A*X*N)"},  {"pca", "tr(X'*A*X)"},
    {"procrustes", "-2*tr(M'*X)"}, {"trace-ratio", "tr(X'*A*X)/tr(X'*B*X)"},
    {"rayleigh", "tr(X'*A*X)"},
};

enum { PROBLEMS = sizeof problems / sizeof problems[0] };

typedef struct bench {
  const hand_curved *row;
  tg_graph *graph;
  tg_plan *plan;
  tg_dmat *data[DATA_MAX];
  tg_exec *exec;
  opt_space *space;
  opt_constraint *constraint;
  opt_problem *problem;
  opt_point *x;
} bench;

static void compile(bench *b, const char *text)
{
  static const tg_declaration names[] = {{.name = "X", .rows = ROWS, .cols = COLS, .is_free = true},
                                         {.name = "A", .rows = ROWS, .cols = ROWS, .properties = TG_SYMMETRIC},
                                         {.name = "B", .rows = ROWS, .cols = ROWS, .properties = TG_SYMMETRIC},
                                         {.name = "M", .rows = ROWS, .cols = COLS},
                                         {.name = "N", .rows = COLS, .cols = COLS, .properties = TG_SYMMETRIC}};
  const tg_compile_options options = {
      .n_declarations = sizeof names / sizeof names[0], .declarations = names, .require_scalar = true};
  const tg_lower_options lowering = {.want_hessian = true};
  tg_node f = TG_NONE;
  REQUIRE_OK(tg_graph_create(&b->graph));
  REQUIRE_OK(tg_compile(b->graph, text, strlen(text), &options, &f));
  const int32_t x = tg_symbol_find(b->graph, "X");
  REQUIRE_OK(tg_lower(b->graph, f, 1, &x, &lowering, &b->plan));
}

static void fill_data(bench *b, const tg_grid *grid)
{
  double a[ROWS * ROWS];
  double other[ROWS * ROWS];
  double weights[COLS * COLS] = {3, 0, 0, 0, 2, 0, 0, 0, 1};
  hand_curved_data(b->row->objective.name, ROWS, COLS, a, other);
  for (int32_t k = 0; k < b->plan->n_data; k++) {
    const tg_plan_data *entry = &b->plan->data[k];
    const char name = entry->name[0];
    REQUIRE_OK(tg_dmat_create(grid, entry->rows, entry->cols, &b->data[k]));
    tg_dmat_scatter_small(name == 'B' ? other : name == 'N' ? weights : a, b->data[k]);
  }
}

static void set_up(bench *b, const tg_grid *grid, const written *problem, opt_retraction retraction)
{
  const int64_t rows = ROWS;
  const int64_t cols = COLS;
  *b = (bench){.row = hand_curved_find(problem->name)};
  compile(b, problem->text);
  fill_data(b, grid);
  const opt_constraint_block block = {.kind = b->row->kind, .retraction = retraction};
  REQUIRE_OK(tg_exec_create(grid, b->plan, b->data, NULL, &b->exec));
  REQUIRE_OK(tg_space_create(grid, 1, &rows, &cols, &b->space));
  REQUIRE_OK(tg_constraint_create(b->space, grid, &block, &b->constraint));
  REQUIRE_OK(tg_problem_create(b->exec, b->space, NULL, &b->problem));
  REQUIRE_OK(b->space->ops->create(b->space, &b->x));
  b->problem->constraint = b->constraint;
}

static void tear_down(bench *b)
{
  b->space->ops->destroy(b->space, &b->x);
  tg_problem_destroy(&b->problem);
  tg_constraint_destroy(&b->constraint);
  tg_space_destroy(&b->space);
  tg_exec_destroy(&b->exec);
  for (int k = 0; k < DATA_MAX; k++) tg_dmat_destroy(&b->data[k]);
  tg_plan_destroy(&b->plan);
  tg_graph_destroy(&b->graph);
}

// The same irregular start on both sides, projected.
static void start(bench *b, hand_problem *serial, serial_constraint *set, opt_point **serial_x)
{
  hand_problem_init(serial, &b->row->objective);
  const opt_constraint_block block = {.kind = b->row->kind};
  REQUIRE_OK(serial_constraint_init(set, &serial->space, &block));
  serial->base.constraint = &set->base;
  REQUIRE_OK(hand_problem_start(serial, serial_x));
  REQUIRE_OK(set->base.ops->project(&set->base, *serial_x));
  tg_dmat_scatter_small(serial_block(*serial_x, 0), tg_space_block(b->x, 0));
}

static void options_of(const char *method, opt_options *options)
{
  opt_options_init(options);
  REQUIRE_OK(opt_option_set(options, "method", method));
}

static void check_optimum(bench *b, const char *method)
{
  const char *name = b->row->objective.name;
  const double optimum = hand_curved_optimum(name, ROWS, COLS);
  opt_options options;
  opt_result result;
  options_of(method, &options);
  REQUIRE_OK(opt_minimise(b->problem, &options, b->x, NULL, &result));
  CHECK(result.outcome == OPT_CONVERGED, "%s on %s: %s, %s", method, name, opt_outcome_label(result.outcome),
        result.reason);
  CHECK(fabs(result.objective - optimum) <= 1e-10 * fabs(optimum), "%s on %s: f = %.17g, the optimum is %.17g", method,
        name, result.objective, optimum);
  CHECK(result.violation <= 1e-13, "%s on %s: violation %.3g", method, name, result.violation);
}

// Rounding apart the iterates do not depend on who computes them.
static void check_iterates(bench *b, const char *method)
{
  hand_problem serial;
  serial_constraint set;
  opt_point *serial_x = NULL;
  opt_options options;
  opt_result expected;
  opt_result found;
  start(b, &serial, &set, &serial_x);
  options_of(method, &options);
  options.max_iterations = 4;
  REQUIRE_OK(opt_minimise(&serial.base, &options, serial_x, NULL, &expected));
  b->problem->counts = (opt_counts){0};
  REQUIRE_OK(opt_minimise(b->problem, &options, b->x, NULL, &found));
  CHECK(found.iterations == expected.iterations && found.counts.gradients == expected.counts.gradients &&
            found.counts.values == expected.counts.values && found.counts.hessians == expected.counts.hessians,
        "%s on %s: other counts than on plain arrays", method, b->row->objective.name);
  CHECK_MATRIX(tg_space_block(b->x, 0), serial_block(serial_x, 0), 1e-9, method);
  serial.space.base.ops->destroy(&serial.space.base, &serial_x);
}

static bool is_served(const char *method)
{
  const opt_solver *solver = opt_solver_find(method);
  return solver != NULL && solver->serves_manifolds && !solver->needs_closed_form && !solver->needs_blocks;
}

// The first iterations of every method; to the end only those that take few, and on the wide grids.
static void test_problem(const tg_grid *grid, const written *problem)
{
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  bench b;
  set_up(&b, grid, problem, OPT_RETRACTION_AUTO);
  for (int m = 0; methods[m] != NULL; m++) {
    if (!is_served(methods[m])) continue;
    const bool is_short = strcmp(methods[m], "l-bfgs") == 0 || strcmp(methods[m], "newton-cg") == 0;
    check_iterates(&b, methods[m]);
    if (is_short && grid->rows <= grid->cols) check_optimum(&b, methods[m]); // goes on from there
  }
  tear_down(&b);
}

static void test_problems(const tg_grid *grid)
{
  for (int k = 0; k < PROBLEMS; k++) test_problem(grid, &problems[k]);
  bench b;
  set_up(&b, grid, &problems[0], OPT_RETRACTION_POLAR);
  REQUIRE_OK(opt_constraint_random(b.constraint, 5, b.x));
  check_optimum(&b, "newton-cg");
  tear_down(&b);
}

// The reflection's columns, eigenvectors in the wrong order: a saddle, as every rank says, and which is left if it may
// be.
static void test_saddle(const tg_grid *grid)
{
  double q[ROWS * ROWS];
  double wrong[ROWS * COLS];
  opt_options options;
  opt_result result;
  bench b;
  set_up(&b, grid, &problems[0], OPT_RETRACTION_AUTO);
  hand_curved_data("procrustes", ROWS, 4, q, NULL);
  for (int64_t e = 0; e < (int64_t)ROWS * COLS; e++) wrong[e] = q[e % ROWS + ROWS * (2 - e / ROWS)];
  tg_dmat_scatter_small(wrong, tg_space_block(b.x, 0));
  REQUIRE_OK(b.constraint->ops->project(b.constraint, b.x));
  opt_options_init(&options);
  options.saddles = OPT_SADDLES_STOP;
  REQUIRE_OK(opt_minimise(b.problem, &options, b.x, NULL, &result));
  CHECK(result.outcome == OPT_STALLED && strstr(result.reason, "a saddle") != NULL, "%s: %s",
        opt_outcome_label(result.outcome), result.reason);
  const double at_saddle = result.objective;
  options.saddles = OPT_SADDLES_LEAVE;
  REQUIRE_OK(opt_minimise(b.problem, &options, b.x, NULL, &result));
  CHECK(result.outcome == OPT_CONVERGED && result.saddles > 0 && result.objective < at_saddle - 0.01, "%s: %s",
        opt_outcome_label(result.outcome), result.reason);
  tear_down(&b);
}

static void run(void)
{
  const int64_t blocks[] = {3, 64, 0};
  const int64_t ragged[] = {3, 0};
  check_on_grids(ragged, test_problems);
  check_on_grids(blocks, test_saddle);
}

CHECK_PROGRAM(program_manifold, run)
