// Problems of the public interface: arrays in, results out, evaluation; only the public headers and MPI.
#include "tracegrad_solve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define OK(call) check_note((call) == 0, __FILE__, __LINE__, "%s: %s", #call, tracegrad_error())

enum { M = 30, N = 20, K = 5 };

// ---- numbers ----

// Entry (i, j) of a matrix that is known by its seed.
static double entry(int seed, int64_t i, int64_t j)
{
  return sin(1.0 + 0.7 * seed + 1.3 * (double)i + 2.1 * (double)j + 0.05 * (double)(i * j));
}

static double *make(int seed, int64_t rows, int64_t cols, bool by_rows, int64_t ld)
{
  double *out = calloc((size_t)(ld * (by_rows ? rows : cols)), sizeof *out);
  if (out == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) out[by_rows ? i * ld + j : i + j * ld] = entry(seed, i, j);
  return out;
}

static void write_npy(const char *path, int seed, int rows, int cols)
{
  char header[128];
  FILE *file = fopen(path, "wb");
  if (file == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  const int used =
      snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': True, 'shape': (%d, %d), }", rows, cols);
  memset(header + used, ' ', sizeof header - (size_t)used);
  header[117] = '\n';
  fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
  fwrite(header, 1, 118, file);
  double *numbers = make(seed, rows, cols, false, rows);
  fwrite(numbers, sizeof *numbers, (size_t)(rows * cols), file);
  free(numbers);
  if (fclose(file) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
}

static int rank_in(MPI_Comm comm)
{
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

static void wait_for_all(MPI_Comm comm)
{
  MPI_Barrier(comm);
}

// ---- least squares: from files, and from arrays of every kind ----

static const char objective[] = "sumsq(A*X - B) + mu*sumsq(X)";

static void solve(tracegrad_problem *p, double *x, tracegrad_result *r)
{
  const tracegrad_array out = {.size = sizeof out, .numbers = x, .rows = N, .columns = K};
  OK(tracegrad_problem_minimise(p));
  if (tracegrad_problem_result(p, sizeof *r, r) != 0) {
    CHECK(false, "%s", tracegrad_error());
    return;
  }
  OK(tracegrad_problem_get(p, "X", &out));
}

static void solve_from_files(MPI_Comm comm, const char *folder, double *x, tracegrad_result *r)
{
  char path[512];
  char text[2048];
  for (int k = 0; k < 2 && rank_in(comm) == 0; k++) {
    snprintf(path, sizeof path, "%s/%s.npy", folder, k == 0 ? "A" : "B");
    write_npy(path, k + 1, M, k == 0 ? N : K);
  }
  wait_for_all(comm);
  snprintf(text, sizeof text,
           "minimize: %s\nvariables:\n  X: {rows: %d, columns: %d}\ndata:\n  A: {file: %s/A.npy}\n  B: {file: "
           "%s/B.npy}\n  mu: 0.25\nsolver: {method: l-bfgs}\n",
           objective, N, K, folder, folder);
  tracegrad_problem *p = NULL;
  OK(tracegrad_problem_from_text(comm, "files.yaml", text, &p));
  solve(p, x, r);
  tracegrad_problem_destroy(&p);
  CHECK(p == NULL, "the handle is cleared");
  wait_for_all(comm);
  for (int k = 0; k < 2 && rank_in(comm) == 0; k++) {
    snprintf(path, sizeof path, "%s/%s.npy", folder, k == 0 ? "A" : "B");
    remove(path);
  }
}

typedef struct form {
  int order;
  int place;
  int64_t pad; // beyond the shortest leading dimension
  const char *way;
  const char *way_alone; // on one rank
} form;

static tracegrad_problem *describe(MPI_Comm comm, const form *f, double **a, double **b)
{
  tracegrad_problem *p = NULL;
  const bool by_rows = f->order == TRACEGRAD_ROW_MAJOR;
  const bool has = f->place == TRACEGRAD_ON_ALL || rank_in(comm) == 0;
  const int64_t lda = (by_rows ? N : M) + f->pad;
  const int64_t ldb = (by_rows ? K : M) + f->pad;
  *a = has ? make(1, M, N, by_rows, lda) : NULL;
  *b = has ? make(2, M, K, by_rows, ldb) : NULL;
  const tracegrad_array for_a = {.size = sizeof for_a,
                                 .numbers = *a,
                                 .rows = M,
                                 .columns = N,
                                 .leading_dimension = f->pad > 0 ? lda : 0,
                                 .order = f->order,
                                 .place = f->place};
  const tracegrad_array for_b = {.size = sizeof for_b,
                                 .numbers = *b,
                                 .rows = M,
                                 .columns = K,
                                 .leading_dimension = f->pad > 0 ? ldb : 0,
                                 .order = f->order,
                                 .place = f->place};
  OK(tracegrad_problem_create(comm, &p));
  OK(tracegrad_problem_objective(p, objective, 0));
  OK(tracegrad_problem_variable(p, "X", N, K));
  OK(tracegrad_problem_data(p, "A", &for_a));
  OK(tracegrad_problem_data(p, "B", &for_b));
  OK(tracegrad_problem_number(p, "mu", 0.25));
  OK(tracegrad_problem_set(p, "solver.method", "l-bfgs"));
  return p;
}

static void test_arrays(MPI_Comm comm, const char *folder)
{
  static const form forms[] = {{TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ALL, 0, "copied", "borrowed"},
                               {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ALL, 3, "copied", "borrowed"},
                               {TRACEGRAD_ROW_MAJOR, TRACEGRAD_ON_ALL, 0, "copied", "copied"},
                               {TRACEGRAD_ROW_MAJOR, TRACEGRAD_ON_ALL, 2, "copied", "copied"},
                               {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ROOT, 1, "scattered from one rank", "borrowed"},
                               {TRACEGRAD_ROW_MAJOR, TRACEGRAD_ON_ROOT, 1, "scattered from one rank", "copied"}};
  double expected[N * K] = {0};
  tracegrad_result from_files = {0};
  int size = 1;
  MPI_Comm_size(comm, &size);
  solve_from_files(comm, folder, expected, &from_files);
  CHECK(strcmp(from_files.status, "converged") == 0, "from files: %s", from_files.status);
  for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
    double x[N * K] = {0};
    double *a = NULL;
    double *b = NULL;
    tracegrad_result r = {0};
    const char *way = "";
    tracegrad_problem *p = describe(comm, &forms[k], &a, &b);
    solve(p, x, &r);
    CHECK(memcmp(x, expected, sizeof x) == 0, "form %d: the bits of the files' result", (int)k);
    CHECK(r.objective == from_files.objective && r.iterations == from_files.iterations, "form %d: %.17g, %.17g", (int)k,
          r.objective, from_files.objective);
    OK(tracegrad_problem_data_way(p, "A", &way));
    CHECK(strcmp(way, size > 1 ? forms[k].way : forms[k].way_alone) == 0, "form %d: %s", (int)k, way);
    tracegrad_problem_destroy(&p);
    double *fresh = make(1, M, N, forms[k].order == TRACEGRAD_ROW_MAJOR,
                         (forms[k].order == TRACEGRAD_ROW_MAJOR ? N : M) + forms[k].pad);
    if (a != NULL) CHECK(memcmp(a, fresh, M * N * sizeof *a) == 0, "form %d: the caller's numbers stay", (int)k);
    free(fresh);
    free(a);
    free(b);
  }
}

// A single column has no order, and neither has a single row.
static void test_vectors(MPI_Comm comm)
{
  static const struct {
    int64_t rows, columns, leading;
    const char *way;
  } forms[] = {{N, 1, 0, "borrowed"}, {N, 1, 1, "borrowed"}, {N, 1, 2, "copied"}, {1, N, 0, "borrowed"}};
  double numbers[2 * N];
  int size = 1;
  MPI_Comm_size(comm, &size);
  for (int k = 0; k < 2 * N; k++) numbers[k] = k + 1;
  for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
    double found[N] = {0};
    const char *way = "";
    tracegrad_problem *p = NULL;
    const tracegrad_array a = {.size = sizeof a,
                               .numbers = numbers,
                               .rows = forms[k].rows,
                               .columns = forms[k].columns,
                               .leading_dimension = forms[k].leading,
                               .order = TRACEGRAD_ROW_MAJOR};
    const tracegrad_array x = {.size = sizeof x, .numbers = found, .rows = a.rows, .columns = a.columns};
    OK(tracegrad_problem_create(comm, &p));
    OK(tracegrad_problem_objective(p, "sumsq(x - a)", 0));
    OK(tracegrad_problem_variable(p, "x", 0, 0));
    OK(tracegrad_problem_data(p, "a", &a));
    OK(tracegrad_problem_minimise(p));
    OK(tracegrad_problem_data_way(p, "a", &way));
    CHECK(strcmp(way, size > 1 ? "copied" : forms[k].way) == 0, "vector %d: %s", (int)k, way);
    OK(tracegrad_problem_get(p, "x", &x));
    for (int i = 0; i < N; i++)
      CHECK(fabs(found[i] - numbers[i * (forms[k].leading == 2 ? 2 : 1)]) < 1e-6, "vector %d: x(%d) is %g", (int)k,
            i + 1, found[i]);
    tracegrad_problem_destroy(&p);
  }
}

// ---- results in every form ----

static void test_results(MPI_Comm comm)
{
  double *a = NULL;
  double *b = NULL;
  double x[N * K] = {0};
  double rows[N * (K + 2)];
  tracegrad_result r = {0};
  const char *json = NULL;
  const form plain = {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ALL, 0, "", ""};
  tracegrad_problem *p = describe(comm, &plain, &a, &b);
  CHECK(tracegrad_problem_result(p, sizeof r, &r) == 2, "no result before");
  CHECK(strstr(tracegrad_error(), "was not minimised") != NULL, "%s", tracegrad_error());
  solve(p, x, &r);
  const tracegrad_array by_rows = {.size = sizeof by_rows,
                                   .numbers = rank_in(comm) == 0 ? rows : NULL,
                                   .rows = N,
                                   .columns = K,
                                   .leading_dimension = K + 2,
                                   .order = TRACEGRAD_ROW_MAJOR,
                                   .place = TRACEGRAD_ON_ROOT};
  OK(tracegrad_problem_get(p, "X", &by_rows));
  for (int i = 0; i < N && rank_in(comm) == 0; i++)
    for (int j = 0; j < K; j++) CHECK(rows[i * (K + 2) + j] == x[i + j * N], "entry (%d,%d)", i, j);
  OK(tracegrad_problem_report(p, &json));
  CHECK(json != NULL && strstr(json, "\"status\": \"converged\"") != NULL, "the report");
  CHECK(json != NULL && strstr(json, "\"memory\": true") != NULL, "the job in the report");
  CHECK(json != NULL && strstr(json, "\"arrays\"") != NULL, "how arrays came, in the report");
  CHECK(r.gradients > 0 && r.products > 0 && r.peak_memory > 0 && r.total_seconds > 0, "counts");
  CHECK(strcmp(r.method, "l-bfgs") == 0 && r.method_reason[0] != '\0', "method %s: %s", r.method, r.method_reason);
  // Another option, the same problem.
  OK(tracegrad_problem_number(p, "mu", 4));
  CHECK(tracegrad_problem_result(p, sizeof r, &r) == 2, "a result of another description");
  OK(tracegrad_problem_minimise(p));
  tracegrad_result second = {0};
  OK(tracegrad_problem_result(p, sizeof second, &second));
  CHECK(second.objective > r.objective, "a larger weight: %g", second.objective);
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
}

// ---- evaluation ----

static void fill_point(tracegrad_point *x, int seed)
{
  double *numbers = make(seed, N, K, false, N);
  const tracegrad_array array = {.size = sizeof array, .numbers = numbers, .rows = N, .columns = K};
  OK(tracegrad_point_set(x, "X", &array));
  free(numbers);
}

// |f(x + t d) - f - t <g, d> - t^2/2 <d, H d>| falls as t^3; of a quadratic there is none.
static void test_taylor(MPI_Comm comm, const char *text, bool is_quadratic)
{
  double *a = NULL;
  double *b = NULL;
  tracegrad_point *x = NULL;
  tracegrad_point *d = NULL;
  tracegrad_point *g = NULL;
  tracegrad_point *hd = NULL;
  const form plain = {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ROOT, 0, "", ""};
  tracegrad_problem *p = describe(comm, &plain, &a, &b);
  OK(tracegrad_problem_objective(p, text, 0));
  OK(tracegrad_point_create(p, &x));
  OK(tracegrad_point_create(p, &d));
  OK(tracegrad_point_create(p, &g));
  OK(tracegrad_point_create(p, &hd));
  fill_point(x, 3);
  fill_point(d, 4);
  const double t[3] = {1e-2, 5e-3, 2.5e-3};
  double f = 0;
  double alone = 0;
  double slope = 0;
  double bend = 0;
  double line[3] = {0};
  double rest[3] = {0};
  OK(tracegrad_problem_evaluate(p, x, &alone, NULL));
  OK(tracegrad_problem_evaluate(p, x, &f, g));
  CHECK(fabs(alone - f) <= 1e-12 * fabs(f), "%.17g alone, %.17g with the gradient", alone, f);
  OK(tracegrad_problem_hessian(p, x, d, hd));
  OK(tracegrad_point_dot(g, d, &slope));
  OK(tracegrad_point_dot(d, hd, &bend));
  OK(tracegrad_problem_line(p, x, d, 3, t, line));
  for (int k = 0; k < 3; k++) {
    double value = 0;
    OK(tracegrad_point_copy(x, hd));
    OK(tracegrad_point_axpby(t[k], d, 1, hd));
    OK(tracegrad_problem_evaluate(p, hd, &value, NULL));
    CHECK(fabs(value - line[k]) <= 1e-11 * fabs(value), "on the line %.17g, alone %.17g", line[k], value);
    rest[k] = fabs(value - f - t[k] * slope - t[k] * t[k] / 2 * bend);
  }
  if (is_quadratic)
    CHECK(rest[0] <= 1e-10 * fabs(f), "remainder %g of a quadratic", rest[0]);
  else
    CHECK(rest[0] / rest[1] > 6 && rest[1] / rest[2] > 6, "remainders %g %g %g", rest[0], rest[1], rest[2]);
  CHECK(tracegrad_problem_set(p, "solver.max_iterations", "7") == 2, "described while it has points");
  tracegrad_point_destroy(&hd);
  tracegrad_point_destroy(&g);
  tracegrad_point_destroy(&d);
  tracegrad_point_destroy(&x);
  OK(tracegrad_problem_set(p, "solver.max_iterations", "7"));
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
}

// An outside solver: gradient descent with a step from the curvature along the gradient.
static void test_outside_solver(MPI_Comm comm)
{
  double *a = NULL;
  double *b = NULL;
  tracegrad_point *x = NULL;
  tracegrad_point *g = NULL;
  tracegrad_point *hg = NULL;
  const form plain = {TRACEGRAD_ROW_MAJOR, TRACEGRAD_ON_ALL, 0, "", ""};
  tracegrad_problem *p = describe(comm, &plain, &a, &b);
  OK(tracegrad_point_create(p, &x));
  OK(tracegrad_point_create(p, &g));
  OK(tracegrad_point_create(p, &hg));
  double f = 0;
  double square = 1;
  for (int k = 0; k < 2000 && square > 1e-20; k++) {
    double bend = 0;
    OK(tracegrad_problem_evaluate(p, x, &f, g));
    OK(tracegrad_problem_hessian(p, x, g, hg));
    OK(tracegrad_point_dot(g, g, &square));
    OK(tracegrad_point_dot(g, hg, &bend));
    if (square > 0) OK(tracegrad_point_axpby(-square / bend, g, 1, x));
  }
  OK(tracegrad_problem_minimise(p));
  tracegrad_result r = {0};
  OK(tracegrad_problem_result(p, sizeof r, &r));
  CHECK(fabs(f - r.objective) <= 1e-10 * fabs(f), "outside %.17g, inside %.17g", f, r.objective);
  tracegrad_point_destroy(&x);
  tracegrad_point_destroy(&g);
  tracegrad_point_destroy(&hg);
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
}

// ---- checkpoints ----

static int stop_after_three(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  (void)self;
  (void)x;
  return figures->iteration == 3;
}

static tracegrad_problem *describe_saved(MPI_Comm comm, const char *folder, double **a, double **b)
{
  char path[512];
  const form plain = {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ALL, 0, "", ""};
  tracegrad_problem *p = describe(comm, &plain, a, b);
  snprintf(path, sizeof path, "%s/checkpoints", folder);
  OK(tracegrad_problem_set(p, "checkpoint.directory", path));
  return p;
}

// Stopped after three iterations and gone on with: the bits of a run that was never stopped.
static void test_resume(MPI_Comm comm, const char *folder)
{
  double *a = NULL;
  double *b = NULL;
  double x[N * K] = {0};
  double expected[N * K] = {0};
  char command[600];
  tracegrad_result r = {0};
  tracegrad_result whole = {0};
  const form plain = {TRACEGRAD_COLUMN_MAJOR, TRACEGRAD_ON_ALL, 0, "", ""};
  tracegrad_problem *p = describe(comm, &plain, &a, &b);
  solve(p, expected, &whole);
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
  p = describe_saved(comm, folder, &a, &b);
  OK(tracegrad_problem_on_iteration(p, stop_after_three, NULL));
  solve(p, x, &r);
  CHECK(strcmp(r.status, "interrupted") == 0 && r.iterations == 3, "stopped: %s", r.status);
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
  p = describe_saved(comm, folder, &a, &b);
  OK(tracegrad_problem_resume(p, 1));
  solve(p, x, &r);
  CHECK(strcmp(r.status, "converged") == 0 && r.iterations == whole.iterations, "gone on with: %s after %d iterations",
        r.status, (int)r.iterations);
  CHECK(memcmp(x, expected, sizeof x) == 0, "the bits of a run that was never stopped");
  // Other numbers in memory are other data.
  a[0] += 1;
  CHECK(tracegrad_problem_minimise(p) == 2 && strstr(tracegrad_error(), "A") != NULL, "other data: %s",
        tracegrad_error());
  tracegrad_problem_destroy(&p);
  free(a);
  free(b);
  wait_for_all(comm);
  snprintf(command, sizeof command, "rm -r %s/checkpoints", folder);
  if (rank_in(comm) == 0) CHECK(system(command) == 0, "the checkpoints are removed");
}

// ---- everything, on one communicator ----

static void on_communicator(MPI_Comm comm)
{
  char folder[] = "/tmp/tracegrad-problem-XXXXXX";
  if (rank_in(comm) == 0 && mkdtemp(folder) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, comm);
  test_arrays(comm, folder);
  test_vectors(comm);
  test_resume(comm, folder);
  if (rank_in(comm) == 0) CHECK(rmdir(folder) == 0, "nothing else was written into %s", folder);
  test_results(comm);
  test_taylor(comm, objective, true);
  test_taylor(comm, "sum(log(ones + exp(A*X - B))) + mu*sumsq(X'*X)", false);
  test_outside_solver(comm);
}

static void run(void)
{
  on_communicator(MPI_COMM_WORLD);
  // Two groups at the same time, each its own problem.
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, check_rank() % 2, check_rank(), &half);
  on_communicator(half);
  MPI_Comm_free(&half);
}

CHECK_PROGRAM(program_api_problem, run)
