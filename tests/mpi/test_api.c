// The public C API as a user has it: only tracegrad_solve.h and MPI.
#include "tracegrad_solve.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void expect_gradient(const char *expression, const char *const *options, const char *expected)
{
  tracegrad_derivation *d = NULL;
  const char *text = NULL;
  int exit_class = tracegrad_derive(expression, options, &d);
  if (exit_class == 0) exit_class = tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, &text);
  CHECK(exit_class == 0, "%s: %s", expression, tracegrad_error());
  CHECK(text != NULL && strcmp(text, expected) == 0, "%s: found %s, expected %s", expression,
        text != NULL ? text : "nothing", expected);
  tracegrad_derivation_destroy(&d);
}

static void test_derive(void)
{
  static const char *const by_x[] = {"wrt=X", NULL};
  static const char *const by_u[] = {"wrt=u", "symmetric=A", NULL};
  static const char *const by_a[] = {"wrt=A", NULL};
  static const char *const by_z[] = {"wrt=Z", NULL};
  expect_gradient("tr(A*X)", by_x, "A'");
  expect_gradient("sumsq(X)", by_x, "2*X");
  expect_gradient("u'*A*u", by_u, "2*A*u");
  tracegrad_derivation *d = NULL;
  CHECK(tracegrad_derive("tr(A*", by_a, &d) == 2, "an open bracket");
  CHECK(d == NULL, "no derivation");
  CHECK(strstr(tracegrad_error(), "expression:1:") != NULL, "a place: %s", tracegrad_error());
  CHECK(tracegrad_derive("tr(A)", by_z, &d) == 2, "a name that does not occur");
  CHECK(strstr(tracegrad_error(), "Z") != NULL, "names Z: %s", tracegrad_error());
}

static void write_text(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
}

// sumsq(X - A) + sumsq(X) over X, A of ones 5 x 4: minimum at A/2 with the value 10.
static const char job[] = "minimize: sumsq(X - A) + sumsq(X)\n"
                          "variables:\n  X: {rows: 5, columns: 4, start: normal}\n"
                          "data:\n  A: {generate: ones, rows: 5, columns: 4}\n";

static void test_run(MPI_Comm comm, const char *folder)
{
  char path[512];
  char output[512];
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  snprintf(path, sizeof path, "%s/job.yaml", folder);
  snprintf(output, sizeof output, "output.directory=%s/out", folder);
  if (rank == 0) write_text(path, job);
  MPI_Barrier(comm);
  const char *const overrides[] = {output, "solver.gradient_tolerance=1e-10"};
  tracegrad_report report;
  const int exit_class = tracegrad_run(comm, path, 2, overrides, &report);
  CHECK(exit_class == 0, "run: %s", tracegrad_error());
  if (exit_class != 0) return;
  CHECK(strcmp(report.status, "converged") == 0 && report.exit_status == 0, "status %s", report.status);
  CHECK(fabs(report.objective - 10) < 1e-9, "objective %.17g", report.objective);
  CHECK(report.iterations >= 1 && report.seconds > 0, "%d iterations", (int)report.iterations);
  snprintf(path, sizeof path, "%s/out/report.json", folder);
  if (rank == 0) CHECK(access(path, R_OK) == 0, "%s is missing", path);

  const char *const wrong[] = {"solver.methd=l-bfgs"};
  snprintf(path, sizeof path, "%s/job.yaml", folder);
  CHECK(tracegrad_run(comm, path, 1, wrong, &report) == 2, "an unknown key");
  CHECK(strstr(tracegrad_error(), "did you mean 'method'") != NULL, "a suggestion: %s", tracegrad_error());
  CHECK(tracegrad_run(comm, "nowhere.yaml", 0, NULL, &report) == 2, "a missing file");
  CHECK(strstr(tracegrad_error(), "nowhere.yaml") != NULL, "names the file: %s", tracegrad_error());
}

// A host program in a country that writes 0,5. Not tested where no such locale can be had.
static void test_comma(MPI_Comm comm, const char *folder)
{
  char output[512];
  const char *const overrides[] = {"minimize=sumsq(X - 0.5*A) + 0.25*sumsq(X)", "solver.max_iterations=1.5e2", output};
  char command[1200];
  char path[512];
  int rank = 0;
  int is_made = 1;
  tracegrad_report reports[2];
  MPI_Comm_rank(comm, &rank);
  snprintf(path, sizeof path, "%s/job.yaml", folder);
  snprintf(output, sizeof output, "output.directory=%s/out", folder);
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 > /dev/null 2>&1", folder);
  if (rank == 0) is_made = system(command) == 0;
  MPI_Barrier(comm);
  setenv("LOCPATH", folder, 1);
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) is_made = 0;
  MPI_Allreduce(MPI_IN_PLACE, &is_made, 1, MPI_INT, MPI_MIN, comm);
  for (int k = 0; k < 2 && is_made == 1; k++) {
    char after[32];
    CHECK(tracegrad_run(comm, path, 3, overrides, &reports[k]) == 0, "run %d: %s", k, tracegrad_error());
    snprintf(after, sizeof after, "%.1f", 0.5);
    CHECK(strcmp(after, k == 0 ? "0,5" : "0.5") == 0, "the host's locale: %s", after);
    setlocale(LC_ALL, "C");
  }
  setlocale(LC_ALL, "C");
  unsetenv("LOCPATH");
  if (is_made == 1) CHECK(reports[0].objective == reports[1].objective, "%.17g", reports[0].objective);
  if (is_made == 1) CHECK(fabs(reports[0].objective - 1) < 1e-9, "objective %.17g", reports[0].objective);
  snprintf(command, sizeof command, "rm -rf %s/de_DE.UTF-8", folder);
  if (rank == 0) CHECK(system(command) == 0, "%s", command);
}

static void in_folder(MPI_Comm comm)
{
  char folder[] = "/tmp/tracegrad-api-XXXXXX";
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0 && mkdtemp(folder) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, comm);
  test_run(comm, folder);
  test_comma(comm, folder);
  MPI_Barrier(comm);
  if (rank != 0) return;
  static const char *const names[] = {"out/report.json", "out/history.jsonl", "out/X.npy", "out", "job.yaml", ""};
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, names[k]);
    CHECK(remove(path) == 0, "%s cannot be removed", path);
  }
}

static void take_warning(void *self, const char *text)
{
  printf("%s: %s\n", (const char *)self, text);
}

// A communicator that is not MPI_COMM_WORLD: two groups run at the same time, each its own job.
static void run(void)
{
  // system.test_blas_kernel starts this test with kernels that are slow or wrong.
  static char label[] = "taken";
  if (getenv("TEST_WARNING_HANDLER") != NULL) tracegrad_on_warning(take_warning, label);
  char version[32];
  (void)snprintf(version, sizeof version, "%d.%d.%d", TRACEGRAD_VERSION_MAJOR, TRACEGRAD_VERSION_MINOR,
                 TRACEGRAD_VERSION_PATCH);
  CHECK(strcmp(tracegrad_version(), version) == 0, "version %s", tracegrad_version());
  test_derive();
  in_folder(MPI_COMM_WORLD);
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, check_rank() % 2, check_rank(), &half);
  in_folder(half);
  MPI_Comm_free(&half);
}

CHECK_PROGRAM(program_api, run)
