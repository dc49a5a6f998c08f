// Any calls in any order with any arguments: an exit class and a message, never a crash, a wait or a leak. The ranks
// make the same random calls, as the interface asks.
#include "tracegrad_solve.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { N = 3, PROBLEMS = 2, POINTS = 3, CALLS = 400, SEEDS = 3 };

static uint64_t state;

static int below(int n)
{
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int)((state >> 33) % (uint64_t)n);
}

#define ANY(table) (table)[below((int)(sizeof(table) / sizeof((table)[0])))]

static const char *any_text(void)
{
  static const char *const texts[] = {NULL,
                                      "",
                                      "X",
                                      "A",
                                      "b",
                                      "sumsq(A*X - B)",
                                      "sumsq(X) + b*tr(X)",
                                      "tr(X",
                                      "X*X*Y",
                                      "\xff\xfe",
                                      "X = A",
                                      "tr(X) <= 1",
                                      "X'*X = eye",
                                      "solver.method",
                                      "data.A.symmetric",
                                      "solver.max_iterations",
                                      "variables.X.constraint",
                                      "nonnegative",
                                      "{generate: normal, rows: 3, columns: 3}",
                                      "-1",
                                      "3",
                                      "true",
                                      "nothing=3",
                                      "process_grid",
                                      "{rows: 1, columns: 1}",
                                      "data.A",
                                      "output.variables",
                                      "none",
                                      "newton-cg",
                                      "1e400",
                                      "a: [",
                                      "solver"};
  return ANY(texts);
}

static double numbers[64];

static tracegrad_array any_array(int *descriptor)
{
  static const int64_t sizes[] = {0, 1, N, N, N, N, 4, -1, INT64_MAX, (int64_t)INT_MAX + 1};
  static const size_t bytes[] = {
      sizeof(tracegrad_array), sizeof(tracegrad_array), sizeof(tracegrad_array), 0, 8, SIZE_MAX};
  static const int places[] = {0, 0, 0, 0, 1, 1, 2, 3, 4, -1};
  tracegrad_array a = {.size = ANY(bytes),
                       .numbers = below(8) == 0 ? NULL : numbers,
                       .rows = ANY(sizes),
                       .columns = ANY(sizes),
                       .leading_dimension = below(4) == 0 ? ANY(sizes) : 0,
                       .order = below(8) == 0 ? 7 : below(2),
                       .place = ANY(places)};
  // Sizes that are given with numbers must be there: nothing can find out that they are not.
  if (a.size == SIZE_MAX || a.rows > N || a.columns > N || a.leading_dimension > 4) a.numbers = NULL;
  if (a.size == SIZE_MAX) a.size = sizeof a;
  for (int k = 0; k < 9; k++) descriptor[k] = below(3) - 1;
  a.descriptor = below(2) == 0 ? NULL : descriptor;
  a.local_rows = a.row_begin = below(3) - 1;
  a.local_columns = below(3) - 1;
  if (a.place == TRACEGRAD_CYCLIC) a.numbers = NULL;
  return a;
}

static int stop_at_random(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  tracegrad_problem *p = self;
  const tracegrad_array a = {.size = sizeof a, .numbers = numbers, .rows = N, .columns = N};
  (void)tracegrad_point_get(x, "X", &a);
  CHECK(tracegrad_problem_minimise(p) == 2, "a problem is not minimised from its own callback");
  return figures->iteration >= 2;
}

static int describe(tracegrad_problem *p)
{
  int descriptor[9];
  const char *name = any_text();
  const tracegrad_array array = any_array(descriptor);
  switch (below(9)) {
  case 0:
    return tracegrad_problem_objective(p, below(2) == 0 ? "sumsq(A*X - B)" : any_text(), below(3));
  case 1:
    return tracegrad_problem_variable(p, below(2) == 0 ? "X" : name, below(5) - 1, below(5) - 1);
  case 2:
    return tracegrad_problem_start(p, below(2) == 0 ? "X" : name, below(9) == 0 ? NULL : &array);
  case 3:
    return tracegrad_problem_data(p, below(2) == 0 ? "A" : "B", below(9) == 0 ? NULL : &array);
  case 4:
    return tracegrad_problem_number(p, name, below(3) == 0 ? (double)NAN : 1.5);
  case 5:
    return tracegrad_problem_subject_to(p, name);
  case 6:
    return tracegrad_problem_set(p, name, any_text());
  case 7:
    return tracegrad_problem_on_iteration(p, below(2) == 0 ? stop_at_random : NULL, p);
  default:
    return tracegrad_problem_resume(p, below(4) == 0);
  }
}

static int ask(tracegrad_problem *p)
{
  int descriptor[9];
  const tracegrad_array array = any_array(descriptor);
  const tracegrad_array *given = below(9) == 0 ? NULL : &array;
  const char *text = NULL;
  int count = 0;
  int64_t size = 0;
  double value = 0;
  tracegrad_result result;
  tracegrad_constraint constraint;
  switch (below(11)) {
  case 0:
    return tracegrad_problem_variable_count(p, below(5) == 0 ? NULL : &count);
  case 1:
    return tracegrad_problem_variable_get(p, below(4) - 1, &text, &size, NULL);
  case 2:
    return tracegrad_problem_plan(p, below(6) - 1, below(4) - 1, below(5) == 0 ? NULL : &text);
  case 3:
    return tracegrad_problem_memory(p, below(6) - 1, below(4) - 1, &value);
  case 4:
    return tracegrad_problem_minimise(p);
  case 5:
    return tracegrad_problem_result(p, below(3) == 0 ? 0 : sizeof result, &result);
  case 6:
    return tracegrad_problem_constraint(p, below(3) - 1, sizeof constraint, &constraint);
  case 7:
    return tracegrad_problem_multipliers(p, below(3) - 1, given);
  case 8:
    return tracegrad_problem_get(p, below(2) == 0 ? "X" : any_text(), given);
  case 9:
    return tracegrad_problem_report(p, below(5) == 0 ? NULL : &text);
  default:
    return tracegrad_problem_data_way(p, any_text(), &text);
  }
}

static int with_points(tracegrad_problem *p, tracegrad_point **points)
{
  int descriptor[9];
  const tracegrad_array array = any_array(descriptor);
  tracegrad_point *x = ANY(((tracegrad_point *[]){points[0], points[1], points[2]}));
  tracegrad_point *y = points[below(POINTS)];
  double values[2] = {0};
  const double steps[2] = {0, 0.5};
  double *local = NULL;
  int64_t size[3];
  switch (below(11)) {
  case 0:
    return tracegrad_point_start(x);
  case 1:
    return tracegrad_point_set(x, "X", &array);
  case 2:
    return tracegrad_point_get(x, below(2) == 0 ? "X" : any_text(), &array);
  case 3:
    return tracegrad_point_copy(x, y);
  case 4:
    return tracegrad_point_axpby(2, x, 0.5, y);
  case 5:
    return tracegrad_point_dot(x, y, below(5) == 0 ? NULL : values);
  case 6:
    return tracegrad_problem_evaluate(p, x, values, below(2) == 0 ? NULL : y);
  case 7:
    return tracegrad_problem_hessian(p, x, y, points[below(POINTS)]);
  case 8:
    return tracegrad_problem_line(p, x, y, below(4) - 1, below(5) == 0 ? NULL : steps, values);
  case 9:
    return tracegrad_point_local(x, any_text(), &local, &size[0], &size[1], &size[2]);
  default:
    return tracegrad_point_create(p, NULL);
  }
}

typedef struct table {
  tracegrad_problem *problems[PROBLEMS];
  tracegrad_point *points[PROBLEMS][POINTS];
} table;

static void drop_points(table *t, int k)
{
  for (int i = 0; i < POINTS; i++) tracegrad_point_destroy(&t->points[k][i]);
}

static int live_and_die(table *t, int k)
{
  static const char right[] = "minimize: sumsq(A*X)\nvariables: {X: {rows: 3, columns: 3}}\ndata: {A: "
                              "{generate: normal, rows: 3, columns: 3}}\n";
  static const char *const jobs[] = {"", right, "minimize: [", "a"};
  const int i = below(POINTS);
  switch (below(6)) {
  case 0:
    drop_points(t, k);
    tracegrad_problem_destroy(&t->problems[k]);
    return tracegrad_problem_from_text(MPI_COMM_WORLD, below(2) == 0 ? NULL : "job", ANY(jobs), &t->problems[k]);
  case 1:
    return tracegrad_problem_from_job(MPI_COMM_WORLD, below(2) == 0 ? NULL : "/nowhere.yaml",
                                      &(tracegrad_problem *){NULL});
  case 2:
    drop_points(t, k);
    return 0;
  default:
    if (t->points[k][i] != NULL) return 0;
    return tracegrad_point_create(t->problems[k], &t->points[k][i]);
  }
}

static void play(int seed)
{
  table t = {0};
  int counts[3] = {0};
  state = (uint64_t)seed;
  for (int k = 0; k < PROBLEMS; k++)
    CHECK(tracegrad_problem_create(MPI_COMM_WORLD, &t.problems[k]) == 0, "%s", tracegrad_error());
  for (int n = 0; n < CALLS; n++) {
    const int k = below(PROBLEMS);
    tracegrad_problem *p = below(20) == 0 ? NULL : t.problems[k];
    const int kind = below(10);
    const int found = kind < 4   ? describe(p)
                      : kind < 7 ? ask(p)
                      : kind < 9 ? with_points(p, t.points[k])
                                 : live_and_die(&t, k);
    CHECK(found >= 0 && found <= 2, "call %d of seed %d returns %d", n, seed, found);
    if (found < 0 || found > 2) continue;
    counts[found]++;
    if (found != 0) CHECK(tracegrad_error()[0] != '\0', "call %d of seed %d fails without a word", n, seed);
  }
  CHECK(counts[0] > CALLS / 20 && counts[2] > CALLS / 20, "%d calls succeed, %d are refused", counts[0], counts[2]);
  for (int k = 0; k < PROBLEMS; k++) {
    drop_points(&t, k);
    tracegrad_problem_destroy(&t.problems[k]);
  }
}

static void ignore(void *self, const char *text)
{
  (void)self;
  (void)text;
}

static void run(void)
{
  for (int k = 0; k < 64; k++) numbers[k] = 1.0 / (k + 1);
  tracegrad_on_warning(ignore, NULL);
  const char *given = getenv("TRACEGRAD_SEEDS");
  const int seeds = given != NULL ? atoi(given) : SEEDS;
  for (int seed = 1; seed <= seeds; seed++) play(seed);
}

CHECK_PROGRAM(program_api_random, run)
