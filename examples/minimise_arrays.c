/* Ridge regression on matrices that are in memory: minimises sumsq(Y - X*W) + lambda*sumsq(W) for several weights.
 *
 *     mpicc minimise_arrays.c -o minimise_arrays $(pkg-config --cflags --libs tracegrad) -lm
 *     mpirun -n 2 ./minimise_arrays
 *
 * Rank 0 has the data; the library deals it to the ranks. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <tracegrad_solve.h>

enum { SAMPLES = 400, FEATURES = 30, TARGETS = 3 };

static void must(int exit_class)
{
  if (exit_class == 0) return;
  fprintf(stderr, "%s\n", tracegrad_error());
  MPI_Abort(MPI_COMM_WORLD, exit_class);
}

static double *make(int rows, int columns, double phase)
{
  double *a = malloc((size_t)(rows * columns) * sizeof *a);
  for (int k = 0; a != NULL && k < rows * columns; k++) a[k] = sin(phase + 1.7 * k + 0.001 * k * k);
  return a;
}

static int show(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  (void)x;
  if (*(const int *)self == 0 && figures->iteration % 5 == 0)
    printf("  %3d  %.10g\n", (int)figures->iteration, figures->objective);
  return 0; /* anything else stops the minimisation */
}

int main(int argc, char **argv)
{
  int provided = 0;
  int rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  double *x = rank == 0 ? make(SAMPLES, FEATURES, 0.3) : NULL; /* row by row, as C programs have it */
  double *y = rank == 0 ? make(SAMPLES, TARGETS, 0.9) : NULL;
  double w[FEATURES * TARGETS];
  tracegrad_array for_x = {.size = sizeof for_x, .numbers = x, .rows = SAMPLES, .columns = FEATURES};
  tracegrad_array for_y = {.size = sizeof for_y, .numbers = y, .rows = SAMPLES, .columns = TARGETS};
  const tracegrad_array for_w = {.size = sizeof for_w, .numbers = w, .rows = FEATURES, .columns = TARGETS};
  for_x.order = for_y.order = TRACEGRAD_ROW_MAJOR;
  for_x.place = for_y.place = TRACEGRAD_ON_ROOT;

  tracegrad_problem *p = NULL;
  must(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  must(tracegrad_problem_objective(p, "sumsq(Y - X*W) + lambda*sumsq(W)", 0));
  must(tracegrad_problem_variable(p, "W", 0, 0)); /* 30 x 3, by the expression */
  must(tracegrad_problem_data(p, "X", &for_x));
  must(tracegrad_problem_data(p, "Y", &for_y));
  must(tracegrad_problem_set(p, "solver.gradient_tolerance", "1e-10"));
  must(tracegrad_problem_on_iteration(p, show, &rank));
  for (double lambda = 0.1; lambda < 1000; lambda *= 10) {
    tracegrad_result r;
    must(tracegrad_problem_number(p, "lambda", lambda));
    must(tracegrad_problem_minimise(p));
    must(tracegrad_problem_result(p, sizeof r, &r));
    must(tracegrad_problem_get(p, "W", &for_w)); /* on every rank; the next one starts here */
    must(tracegrad_problem_start(p, "W", &for_w));
    if (rank == 0)
      printf("lambda %g: %s by %s, objective %.12g, W[0] %.6f\n", lambda, r.status, r.method, r.objective, w[0]);
  }
  tracegrad_problem_destroy(&p);
  free(x);
  free(y);
  MPI_Finalize();
  return 0;
}
