/* Your own solver over the library's matrices: it evaluates, a method of thirty lines decides.
 *
 *     mpicc own_solver.c -o own_solver $(pkg-config --cflags --libs tracegrad) -lm
 *     mpirun -n 2 ./own_solver */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <tracegrad_solve.h>

static void must(int exit_class)
{
  if (exit_class == 0) return;
  fprintf(stderr, "%s\n", tracegrad_error());
  MPI_Abort(MPI_COMM_WORLD, exit_class);
}

/* Gradient descent with the step of Barzilai and Borwein: IMA J. Numer. Anal. 8, 1988. Returns the iterations done. */
static int descend(tracegrad_problem *p, tracegrad_point *x, double tolerance, double *f)
{
  tracegrad_point *g = NULL; /* the gradient */
  tracegrad_point *s = NULL; /* the last step */
  tracegrad_point *y = NULL; /* the change of the gradient along it */
  double square = 0;
  double step = 1e-3;
  int k = 0;
  must(tracegrad_point_create(p, &g));
  must(tracegrad_point_create(p, &s));
  must(tracegrad_point_create(p, &y));
  must(tracegrad_problem_evaluate(p, x, f, g));
  must(tracegrad_point_dot(g, g, &square));
  for (; k < 10000 && sqrt(square) > tolerance; k++) {
    double ss = 0;
    double sy = 0;
    must(tracegrad_point_axpby(-step, g, 0, s));
    must(tracegrad_point_axpby(1, s, 1, x));
    must(tracegrad_point_axpby(-1, g, 0, y));
    must(tracegrad_problem_evaluate(p, x, f, g));
    must(tracegrad_point_axpby(1, g, 1, y));
    must(tracegrad_point_dot(s, s, &ss));
    must(tracegrad_point_dot(s, y, &sy));
    must(tracegrad_point_dot(g, g, &square));
    step = sy > 0 ? ss / sy : step;
  }
  tracegrad_point_destroy(&g);
  tracegrad_point_destroy(&s);
  tracegrad_point_destroy(&y);
  return k;
}

int main(int argc, char **argv)
{
  int rank = 0;
  double f = 0;
  tracegrad_problem *p = NULL;
  tracegrad_point *x = NULL;
  tracegrad_result r;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  must(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  must(tracegrad_problem_objective(p, "sum(log(1 + exp(-S.*(A*X)))) + 0.1*sumsq(X)", 0));
  must(tracegrad_problem_variable(p, "X", 0, 0));
  must(tracegrad_problem_set(p, "data.A", "{generate: normal, rows: 300, columns: 20, seed: 1}"));
  must(tracegrad_problem_set(p, "data.S", "{generate: normal, rows: 300, columns: 4, seed: 2}"));
  must(tracegrad_problem_set(p, "solver.gradient_tolerance", "1e-10"));
  must(tracegrad_point_create(p, &x));
  const int iterations = descend(p, x, 1e-8, &f);
  must(tracegrad_problem_minimise(p));
  must(tracegrad_problem_result(p, sizeof r, &r));
  if (rank == 0)
    printf("own solver: %d iterations, objective %.14g\ntracegrad:  %d iterations by %s, objective %.14g\n", iterations,
           f, (int)r.iterations, r.method, r.objective);
  tracegrad_point_destroy(&x);
  tracegrad_problem_destroy(&p);
  MPI_Finalize();
  return fabs(f - r.objective) <= 1e-10 * fabs(f) ? 0 : 1;
}
