// Problems of the public interface: callbacks, wrong calls, ranks that disagree, several at once, nothing left behind.
#include "tracegrad_solve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define OK(call)            check_note((call) == 0, __FILE__, __LINE__, "%s: %s", #call, tracegrad_error())
#define FAILS(call, expect) expect_failure((call), (expect), __LINE__, #call)

enum { N = 12 };

static void expect_failure(int exit_class, const char *text, int line, const char *call)
{
  check_note(exit_class == 2, __FILE__, line, "%s returns %d", call, exit_class);
  check_note(strstr(tracegrad_error(), text) != NULL, __FILE__, line, "%s: found %s, expected %s", call,
             tracegrad_error(), text);
}

static double numbers[N * N];

static tracegrad_array square(void)
{
  return (tracegrad_array){.size = sizeof(tracegrad_array), .numbers = numbers, .rows = N, .columns = N};
}

static int my_rank(MPI_Comm comm)
{
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

static int ranks_of(MPI_Comm comm)
{
  int size = 1;
  MPI_Comm_size(comm, &size);
  return size;
}

// Rosenbrock's function along a matrix, so that an iteration is one of many.
static tracegrad_problem *describe(MPI_Comm comm)
{
  tracegrad_problem *p = NULL;
  const tracegrad_array a = square();
  OK(tracegrad_problem_create(comm, &p));
  OK(tracegrad_problem_objective(p, "sumsq(X - A) + sum((X*X' - A).^2)", 0));
  OK(tracegrad_problem_variable(p, "X", N, N));
  OK(tracegrad_problem_data(p, "A", &a));
  return p;
}

// ---- callbacks ----

typedef struct watcher {
  tracegrad_problem *problem;
  int calls;
  int stop_at; // on the last rank; -1: never
  double seen[N * N];
  double objective;
  int64_t iteration;
} watcher;

static int on_iteration(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  watcher *w = self;
  const tracegrad_array array = {.size = sizeof array, .numbers = w->seen, .rows = N, .columns = N};
  w->calls++;
  w->objective = figures->objective;
  w->iteration = figures->iteration;
  OK(tracegrad_point_get(x, "X", &array));
  CHECK(tracegrad_problem_minimise(w->problem) == 2, "a minimisation within one");
  const bool is_last = check_rank() == ranks_of(MPI_COMM_WORLD) - 1;
  return is_last && w->stop_at >= 0 && w->calls > w->stop_at ? 1 : 0;
}

static void test_callback(void)
{
  watcher w = {.stop_at = 3};
  double x[N * N] = {0};
  tracegrad_result r = {0};
  const tracegrad_array out = {.size = sizeof out, .numbers = x, .rows = N, .columns = N};
  w.problem = describe(MPI_COMM_WORLD);
  OK(tracegrad_problem_on_iteration(w.problem, on_iteration, &w));
  OK(tracegrad_problem_minimise(w.problem));
  OK(tracegrad_problem_result(w.problem, sizeof r, &r));
  CHECK(strcmp(r.status, "interrupted") == 0 && r.exit_status == 75, "status %s", r.status);
  CHECK(strstr(r.reason, "by the callback") != NULL, "reason %s", r.reason);
  CHECK(w.calls == 4 && w.iteration == 3 && r.iterations == 3, "%d calls, %d iterations", w.calls, (int)r.iterations);
  OK(tracegrad_problem_get(w.problem, "X", &out));
  CHECK(memcmp(x, w.seen, sizeof x) == 0, "the point of the last call is the one returned");
  // And to the end, from there.
  w.stop_at = -1;
  OK(tracegrad_problem_start(w.problem, "X", &out));
  OK(tracegrad_problem_minimise(w.problem));
  OK(tracegrad_problem_result(w.problem, sizeof r, &r));
  CHECK(strcmp(r.status, "converged") == 0, "status %s: %s", r.status, r.reason);
  tracegrad_problem_destroy(&w.problem);
}

// A change of variables by a metric, and the multipliers of subject_to.
static int see_feasible(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  double *worst = self;
  double y[N * 2];
  const tracegrad_array array = {.size = sizeof array, .numbers = y, .rows = N, .columns = 2};
  (void)figures;
  OK(tracegrad_point_get(x, "Y", &array));
  // Y'SY = I with S = 4 I.
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      double sum = i == j ? -1 : 0;
      for (int k = 0; k < N; k++) sum += 4 * y[k + i * N] * y[k + j * N];
      if (fabs(sum) > *worst) *worst = fabs(sum);
    }
  return 0;
}

static void test_constraints(void)
{
  double worst = 0;
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "tr(Y'*A*Y)", 0));
  OK(tracegrad_problem_variable(p, "Y", N, 2));
  OK(tracegrad_problem_set(p, "variables.Y.constraint", "{orthonormal_columns: {metric: S}}"));
  OK(tracegrad_problem_set(p, "data.S", "{generate: identity, rows: 12, scale: 4, symmetric: true}"));
  OK(tracegrad_problem_set(p, "data.A", "{generate: minij, rows: 12}"));
  OK(tracegrad_problem_set(p, "solver.method", "conjugate-gradient"));
  OK(tracegrad_problem_on_iteration(p, see_feasible, &worst));
  OK(tracegrad_problem_minimise(p));
  CHECK(worst < 1e-12, "Y'SY - I is %g at an iteration", worst);
  tracegrad_problem_destroy(&p);

  double m[1] = {0};
  tracegrad_result r = {0};
  tracegrad_constraint c = {0};
  const tracegrad_array multiplier = {.size = sizeof multiplier, .numbers = m, .rows = 1, .columns = 1};
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "sumsq(X)", 0));
  OK(tracegrad_problem_variable(p, "X", 2, 3));
  OK(tracegrad_problem_subject_to(p, "sum(X) = 3"));
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_result(p, sizeof r, &r));
  CHECK(fabs(r.objective - 1.5) < 1e-6 && r.constraints == 1, "objective %g, %d constraints", r.objective,
        r.constraints);
  OK(tracegrad_problem_constraint(p, 0, sizeof c, &c));
  CHECK(strcmp(c.text, "sum(X) = 3") == 0 && c.rows == 1 && c.columns == 1 && c.violation < 1e-6, "%s: %g", c.text,
        c.violation);
  OK(tracegrad_problem_multipliers(p, 0, &multiplier));
  // 2 X + m = 0 at X = 1/2.
  CHECK(fabs(m[0] + 1) < 1e-5, "multiplier %g", m[0]);
  FAILS(tracegrad_problem_constraint(p, 1, sizeof c, &c), "there is no constraint 1");
  tracegrad_problem_destroy(&p);
}

// ---- wrong calls ----

static void test_nulls(void)
{
  tracegrad_problem *p = NULL;
  tracegrad_point *x = NULL;
  tracegrad_result r;
  const char *text = NULL;
  double f = 0;
  const tracegrad_array a = square();
  FAILS(tracegrad_problem_create(MPI_COMM_WORLD, NULL), "NULL");
  FAILS(tracegrad_problem_create(MPI_COMM_NULL, &p), "MPI_COMM_NULL");
  FAILS(tracegrad_problem_objective(NULL, "tr(X)", 0), "the problem is NULL");
  FAILS(tracegrad_problem_minimise(NULL), "the problem is NULL");
  FAILS(tracegrad_problem_result(NULL, sizeof r, &r), "the problem is NULL");
  FAILS(tracegrad_problem_report(NULL, &text), "NULL");
  FAILS(tracegrad_point_create(NULL, &x), "NULL");
  FAILS(tracegrad_point_set(NULL, "X", &a), "a point is NULL");
  FAILS(tracegrad_problem_evaluate(NULL, NULL, &f, NULL), "the problem is NULL");
  tracegrad_problem_destroy(NULL);
  tracegrad_problem_destroy(&p);
  tracegrad_point_destroy(&x);
  p = describe(MPI_COMM_WORLD);
  FAILS(tracegrad_problem_objective(p, NULL, 0), "NULL");
  FAILS(tracegrad_problem_set(p, NULL, "1"), "key");
  FAILS(tracegrad_problem_data(p, "B", NULL), "NULL");
  FAILS(tracegrad_problem_data(p, NULL, &a), "the name is NULL");
  FAILS(tracegrad_problem_result(p, sizeof r, &r), "was not minimised");
  tracegrad_report report;
  FAILS(tracegrad_run(MPI_COMM_NULL, "job.yaml", 0, NULL, &report), "MPI_COMM_NULL");
  FAILS(tracegrad_run(MPI_COMM_WORLD, NULL, 0, NULL, &report), "the path of the job is NULL");
  FAILS(tracegrad_run(MPI_COMM_WORLD, "job.yaml", -1, NULL, &report), "-1 overrides");
  FAILS(tracegrad_run(MPI_COMM_WORLD, "job.yaml", 1, NULL, &report), "1 overrides at NULL");
  FAILS(tracegrad_run(MPI_COMM_WORLD, "job.yaml", 1, &text, &report), "override 1 of 1 is NULL");
  FAILS(tracegrad_run(MPI_COMM_WORLD, "job.yaml", 0, NULL, NULL), "the report is NULL");
  FAILS(tracegrad_problem_evaluate(p, NULL, &f, NULL), "a point is NULL");
  OK(tracegrad_point_create(p, &x));
  FAILS(tracegrad_problem_evaluate(p, x, NULL, NULL), "NULL");
  FAILS(tracegrad_problem_evaluate(p, x, &f, x), "a point of its own");
  FAILS(tracegrad_point_get(x, "Z", &a), "'Z' is no variable");
  FAILS(tracegrad_point_get(x, "X", NULL), "NULL");
  tracegrad_point_destroy(&x);
  tracegrad_problem_destroy(&p);
}

static void test_values(void)
{
  tracegrad_problem *p = describe(MPI_COMM_WORLD);
  tracegrad_array a = square();
  FAILS(tracegrad_problem_set(p, "solver.methd", "l-bfgs"), "did you mean 'method'");
  CHECK(strstr(tracegrad_error(), "^") != NULL, "a caret: %s", tracegrad_error());
  OK(tracegrad_problem_set(p, "solver.methd", "l-bfgs") == 2 ? 0 : 1);
  tracegrad_problem_destroy(&p);
  p = describe(MPI_COMM_WORLD);
  FAILS(tracegrad_problem_set(p, "solver.max_iterations", "many"), "many");
  OK(tracegrad_problem_set(p, "solver.max_iterations", "3"));
  FAILS(tracegrad_problem_variable(p, "tr", 2, 2), "'tr' is a function");
  FAILS(tracegrad_problem_variable(p, "Z", -1, 2), "-1 x 2");
  FAILS(tracegrad_problem_number(p, "c", (double)NAN), "finite");
  a.size = 8;
  FAILS(tracegrad_problem_data(p, "A", &a), "sizeof(tracegrad_array)");
  a = square();
  a.place = 7;
  FAILS(tracegrad_problem_data(p, "A", &a), "place 7");
  a = square();
  a.leading_dimension = 3;
  OK(tracegrad_problem_data(p, "A", &a));
  FAILS(tracegrad_problem_minimise(p), "leading dimension");
  a = square();
  a.rows = 3;
  a.leading_dimension = 0;
  OK(tracegrad_problem_data(p, "A", &a));
  FAILS(tracegrad_problem_minimise(p), "objective:1:");
  a = square();
  a.numbers = NULL;
  OK(tracegrad_problem_data(p, "A", &a));
  FAILS(tracegrad_problem_minimise(p), "the numbers of A");
  a = square();
  OK(tracegrad_problem_data(p, "A", &a));
  numbers[5] = (double)NAN;
  FAILS(tracegrad_problem_minimise(p), "A(6,1) is NaN");
  numbers[5] = 0.5;
  OK(tracegrad_problem_objective(p, "sumsq(X - A", 0));
  FAILS(tracegrad_problem_minimise(p), "objective:1:");
  OK(tracegrad_problem_objective(p, "sumsq(X - A)", 0));
  OK(tracegrad_problem_minimise(p));
  tracegrad_result r;
  FAILS(tracegrad_problem_result(p, 1 << 20, &r), "1048576 bytes");
  tracegrad_problem_destroy(&p);
  FAILS(tracegrad_problem_from_job(MPI_COMM_WORLD, "nowhere.yaml", &p), "nowhere.yaml");
  CHECK(p == NULL, "no problem of a file that is not there");
}

static void test_variables(void)
{
  int count = 0;
  int64_t size[2] = {0, 0};
  const char *name = "";
  tracegrad_problem *p = describe(MPI_COMM_WORLD);
  OK(tracegrad_problem_objective(p, "sumsq(X - A) + sumsq(A*Y - ones(12,3))", 0));
  OK(tracegrad_problem_variable(p, "X", 0, 0));
  OK(tracegrad_problem_variable(p, "Y", 0, 0));
  OK(tracegrad_problem_variable_count(p, &count));
  CHECK(count == 2, "%d variables", count);
  OK(tracegrad_problem_variable_get(p, 1, &name, &size[0], &size[1]));
  CHECK(strcmp(name, "Y") == 0 && size[0] == N && size[1] == 3, "%s is %d x %d", name, (int)size[0], (int)size[1]);
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_variable_get(p, 0, NULL, &size[0], &size[1]));
  CHECK(size[0] == N && size[1] == N, "X is %d x %d", (int)size[0], (int)size[1]);
  FAILS(tracegrad_problem_variable_get(p, 2, &name, NULL, NULL), "there is no variable 2");
  tracegrad_problem_destroy(&p);
}

static void test_jobs_in_memory(void)
{
  // What only a program can give.
  tracegrad_problem *p = NULL;
  const tracegrad_array a = square();
  const char *text = "minimize: sumsq(X - A)\nvariables: {X: {rows: 12, columns: 12}}\n"
                     "data: {A: {memory: true, rows: 12}}\n";
  OK(tracegrad_problem_from_text(MPI_COMM_WORLD, "job.yaml", text, &p));
  FAILS(tracegrad_problem_minimise(p), "memory of a program");
  OK(tracegrad_problem_data(p, "A", &a));
  OK(tracegrad_problem_minimise(p));
  tracegrad_problem_destroy(&p);
}

// ---- ranks that disagree ----

static void test_disagreement(void)
{
  const bool is_last = check_rank() == ranks_of(MPI_COMM_WORLD) - 1;
  const int ranks = ranks_of(MPI_COMM_WORLD);
  double f = 0;
  tracegrad_point *x = NULL;
  tracegrad_point *g = NULL;
  if (ranks == 1) return;
  tracegrad_problem *p = describe(MPI_COMM_WORLD);
  OK(tracegrad_problem_set(p, "solver.max_iterations", is_last ? "4" : "3"));
  FAILS(tracegrad_problem_minimise(p), "the ranks describe different problems");
  OK(tracegrad_problem_set(p, "solver.max_iterations", "3"));
  if (is_last) OK(tracegrad_problem_set(p, "solver.seed", "3"));
  FAILS(tracegrad_problem_minimise(p), "one has said more");
  tracegrad_problem_destroy(&p);
  p = describe(MPI_COMM_WORLD);
  OK(tracegrad_point_create(p, &x));
  OK(tracegrad_point_create(p, &g));
  FAILS(is_last ? tracegrad_problem_evaluate(p, x, &f, g) : tracegrad_problem_evaluate(p, x, &f, NULL),
        "different calls");
  const char *text = NULL;
  tracegrad_problem *q = NULL;
  tracegrad_point *none = NULL;
  FAILS(tracegrad_point_create(p, is_last ? NULL : &none), "NULL");
  FAILS(tracegrad_problem_plan(p, 0, 0, is_last ? NULL : &text), "NULL");
  FAILS(tracegrad_problem_memory(p, 0, 0, is_last ? NULL : &f), "NULL");
  FAILS(tracegrad_problem_variable_count(p, is_last ? NULL : &(int){0}), "NULL");
  FAILS(tracegrad_problem_create(MPI_COMM_WORLD, is_last ? NULL : &q), "NULL");
  CHECK(q == NULL, "a problem of some ranks");
  FAILS(is_last ? tracegrad_point_dot(x, x, &f) : tracegrad_point_start(x), "different calls");
  FAILS(tracegrad_problem_evaluate(p, is_last ? NULL : x, &f, g), "a point is NULL");
  tracegrad_array a = square();
  a.rows = is_last ? 3 : N;
  FAILS(tracegrad_point_get(x, "X", &a), "the array for it");
  OK(tracegrad_problem_evaluate(p, x, &f, g));
  tracegrad_point_destroy(&x);
  tracegrad_point_destroy(&g);
  tracegrad_problem_destroy(&p);
}

// ---- plans, several problems, loops ----

static void test_plan(void)
{
  const char *text = NULL;
  double bytes = 0;
  tracegrad_problem *p = NULL;
  tracegrad_array large = square();
  large.rows = large.columns = 200000;
  large.numbers = NULL;
  OK(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  OK(tracegrad_problem_objective(p, "tr(X'*A*X)", 0));
  OK(tracegrad_problem_variable(p, "X", 200000, 10));
  OK(tracegrad_problem_data(p, "A", &large));
  OK(tracegrad_problem_plan(p, 64, 8, &text));
  CHECK(text != NULL && strstr(text, "grid 8 x 8") != NULL, "the plan: %.200s", text != NULL ? text : "");
  OK(tracegrad_problem_memory(p, 64, 8, &bytes));
  CHECK(bytes > 8.0 * 200000 * 200000 / 64 && bytes < 10 * 8.0 * 200000 * 200000 / 64, "%g bytes", bytes);
  FAILS(tracegrad_problem_plan(p, -1, 0, &text), "a plan for");
  tracegrad_problem_destroy(&p);
}

static void test_two_at_once(MPI_Comm comm)
{
  tracegrad_problem *p = describe(comm);
  tracegrad_problem *q = describe(comm);
  tracegrad_result r = {0};
  tracegrad_result s = {0};
  tracegrad_point *x = NULL;
  tracegrad_point *y = NULL;
  double f = 0;
  OK(tracegrad_problem_objective(q, "sumsq(X - A)", 0));
  OK(tracegrad_point_create(p, &x));
  OK(tracegrad_problem_minimise(q));
  OK(tracegrad_problem_evaluate(p, x, &f, NULL));
  OK(tracegrad_point_create(q, &y));
  FAILS(tracegrad_point_copy(x, y), "different problems");
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_result(q, sizeof s, &s));
  OK(tracegrad_problem_result(p, sizeof r, &r));
  CHECK(s.objective < 1e-9 && r.objective > 1e-3, "objectives %g and %g", s.objective, r.objective);
  tracegrad_point_destroy(&x);
  tracegrad_point_destroy(&y);
  tracegrad_problem_destroy(&p);
  tracegrad_problem_destroy(&q);
}

static long resident_pages(void)
{
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file != NULL) fclose(file);
  return pages;
}

// Communicators run out long before this many problems would have left one each.
static void test_loops(void)
{
  long before = 0;
  for (int k = 0; k < 24; k++) {
    tracegrad_point *x = NULL;
    tracegrad_problem *p = describe(MPI_COMM_WORLD);
    OK(tracegrad_problem_set(p, "solver.max_iterations", "2"));
    OK(tracegrad_problem_minimise(p));
    OK(tracegrad_point_create(p, &x));
    tracegrad_point_destroy(&x);
    tracegrad_problem_destroy(&p);
    if (k == 8) before = resident_pages();
  }
  // Address sanitizers keep freed memory for a while, and look for leaks themselves.
  if (tg_memory_most() == 0) return;
  CHECK((resident_pages() - before) * 4096L < 4L << 20, "%ld KiB are left of 15 problems",
        (resident_pages() - before) * 4);
}

// ---- memory that runs out ----

// What a local call says, the worst on all ranks: they go on together.
static int together(int exit_class)
{
  MPI_Allreduce(MPI_IN_PLACE, &exit_class, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return exit_class;
}

// What a collective call says: the same on all ranks.
static int same(int exit_class)
{
  const int worst = together(exit_class);
  CHECK(worst == exit_class, "a collective call returns %d here and %d elsewhere: %s", exit_class, worst,
        tracegrad_error());
  return worst;
}

typedef struct usage {
  const char *objective;
  const char *method;
  const char *constraint; // NULL: none
} usage;

static int describe_all(tracegrad_problem *p, const usage *u, const tracegrad_array *a)
{
  int bad = together(tracegrad_problem_objective(p, u->objective, 0));
  if (bad == 0) bad = together(tracegrad_problem_variable(p, "X", N, N));
  if (bad == 0) bad = together(tracegrad_problem_data(p, "A", a));
  if (bad == 0) bad = together(tracegrad_problem_set(p, "solver.method", u->method));
  if (bad == 0) bad = together(tracegrad_problem_set(p, "solver.max_iterations", "4"));
  if (bad == 0 && u->constraint != NULL)
    bad = together(tracegrad_problem_set(p, "variables.X.constraint", u->constraint));
  return bad;
}

// Everything once; 0, or the first exit class that is not.
static int use_all(const usage *u)
{
  double x[N * N];
  double f = 0;
  const char *json = NULL;
  const tracegrad_array a = square();
  const tracegrad_array out = {.size = sizeof out, .numbers = x, .rows = N, .columns = N};
  tracegrad_point *point = NULL;
  tracegrad_point *gradient = NULL;
  tracegrad_problem *p = NULL;
  int bad = same(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  if (bad == 0) bad = describe_all(p, u, &a);
  if (bad == 0) bad = same(tracegrad_problem_minimise(p));
  if (bad == 0) bad = same(tracegrad_problem_get(p, "X", &out));
  if (bad == 0) bad = same(tracegrad_problem_report(p, &json));
  if (bad == 0) bad = same(tracegrad_point_create(p, &point));
  if (bad == 0) bad = same(tracegrad_point_create(p, &gradient));
  if (bad == 0) bad = same(tracegrad_point_set(point, "X", &a));
  if (bad == 0) bad = same(tracegrad_problem_evaluate(p, point, &f, gradient));
  tracegrad_point_destroy(&point);
  tracegrad_point_destroy(&gradient);
  tracegrad_problem_destroy(&p);
  return bad;
}

// On one rank, or on the last of several alone: none waits for another.
static void fail_each(const usage *u)
{
  const int ranks = ranks_of(MPI_COMM_WORLD);
  CHECK(use_all(u) == 0, "%s: %s", u->method, tracegrad_error());
  int64_t whole = tg_alloc_count();
  CHECK(use_all(u) == 0, "%s: %s", u->method, tracegrad_error());
  whole = tg_alloc_count() - whole;
  MPI_Bcast(&whole, 1, MPI_INT64_T, ranks - 1, MPI_COMM_WORLD);
  // Ranks beyond the cores take many times their time for each.
  const int64_t stride = whole / (ranks == 1 ? 25 : 8) + 1;
  for (int64_t k = 1; k < whole; k += stride) {
    if (check_rank() == ranks - 1) tg_alloc_fail_after(k);
    const int exit_class = use_all(u);
    tg_alloc_fail_after(0);
    CHECK(exit_class <= 1, "%s, allocation %d of %d fails: %d, %s", u->method, (int)k, (int)whole, exit_class,
          tracegrad_error());
  }
  CHECK(use_all(u) == 0, "%s: %s", u->method, tracegrad_error());
}

static void test_memory(void)
{
  static const char quadratic[] = "sumsq(X - A) + sumsq(X*A)";
  static const char quartic[] = "sumsq(X - A) + sum((X*X' - A).^2)";
  static const char loss[] = "sum(softplus(A*X)) + sumsq(X)";
  static const usage usages[] = {{quadratic, "auto", NULL},
                                 {loss, "auto", NULL},
                                 {loss, "newton-cg", NULL},
                                 {loss, "gradient-descent", NULL},
                                 {quartic, "conjugate-gradient", NULL},
                                 {quartic, "nesterov", NULL},
                                 {quartic, "barzilai-borwein", NULL},
                                 {quartic, "l-bfgs", "nonnegative"},
                                 {quartic, "newton-cg", "nonnegative"},
                                 {loss, "barzilai-borwein", "positive_semidefinite"},
                                 {loss, "frank-wolfe", "simplex_columns"},
                                 {quartic, "l-bfgs", "orthonormal_columns"}};
  for (size_t k = 0; k < sizeof usages / sizeof usages[0]; k++) fail_each(&usages[k]);
}

static void run(void)
{
  for (int k = 0; k < N * N; k++) numbers[k] = 0.1 * (k % 7) + (k % (N + 1) == 0 ? 3 : 0);
  test_callback();
  test_constraints();
  test_nulls();
  test_values();
  test_variables();
  test_jobs_in_memory();
  test_disagreement();
  test_plan();
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, check_rank() % 2, -check_rank(), &half);
  CHECK(my_rank(half) >= 0, "a communicator of half the ranks");
  test_two_at_once(half);
  MPI_Comm_free(&half);
  test_loops();
  test_memory();
}

CHECK_PROGRAM(program_api_misuse, run)
