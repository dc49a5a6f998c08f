/* A ScaLAPACK program that minimises over its own matrices: C = A*B by pdgemm, then X with C*X near D.
 *
 *     mpicc scalapack.c -o scalapack $(pkg-config --cflags --libs tracegrad) -lscalapack-openmpi -lm
 *     mpirun -n 4 ./scalapack [N [BLOCK [FOLDER]]]
 *
 * The matrices stay where they are: the library takes over the process grid and the block size, and reads C and D
 * without a copy. With FOLDER, report.json and X.npy are left there. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <tracegrad_solve.h>

void Cblacs_pinfo(int *rank, int *size);
void Cblacs_get(int context, int what, int *value);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int context);
int numroc_(const int *n, const int *block, const int *me, const int *source, const int *processes);
void descinit_(int *descriptor, const int *m, const int *n, const int *mb, const int *nb, const int *source_row,
               const int *source_column, const int *context, const int *leading, int *info);
void pdgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *da, const double *b, const int *ib,
             const int *jb, const int *db, const double *beta, double *c, const int *ic, const int *jc, const int *dc);

static int context, grid_rows, grid_columns, my_row, my_column;

typedef struct matrix {
  int descriptor[9];
  double *numbers;
} matrix;

/* Entry (i, j) is scale * sin(phase + i + 3 j + i j / 9), and 4 more on the diagonal. */
static matrix make(int m, int n, int block, double scale, double phase)
{
  matrix a;
  const int zero = 0;
  int info = 0;
  const int rows = numroc_(&m, &block, &my_row, &zero, &grid_rows);
  const int columns = numroc_(&n, &block, &my_column, &zero, &grid_columns);
  const int leading = rows > 0 ? rows : 1;
  descinit_(a.descriptor, &m, &n, &block, &block, &zero, &zero, &context, &leading, &info);
  a.numbers = malloc((size_t)(leading * (columns > 0 ? columns : 1)) * sizeof(double));
  for (int l = 0; l < columns; l++)
    for (int k = 0; k < rows; k++) {
      const int i = (k / block * grid_rows + my_row) * block + k % block;
      const int j = (l / block * grid_columns + my_column) * block + l % block;
      a.numbers[k + l * leading] = scale * sin(phase + i + 3.0 * j + i * j / 9.0) + (i == j ? 4 : 0);
    }
  return a;
}

static void must(int exit_class)
{
  if (exit_class == 0) return;
  fprintf(stderr, "%s\n", tracegrad_error());
  MPI_Abort(MPI_COMM_WORLD, exit_class);
}

static tracegrad_array array_of(const matrix *a)
{
  return (tracegrad_array){
      .size = sizeof(tracegrad_array), .numbers = a->numbers, .place = TRACEGRAD_CYCLIC, .descriptor = a->descriptor};
}

int main(int argc, char **argv)
{
  int rank = 0;
  int size = 0;
  MPI_Init(&argc, &argv);
  Cblacs_pinfo(&rank, &size);
  const int n = argc > 1 ? atoi(argv[1]) : 120;
  const int block = argc > 2 ? atoi(argv[2]) : 16;
  for (grid_rows = 1; (grid_rows + 1) * (grid_rows + 1) <= size; grid_rows++) continue;
  while (size % grid_rows != 0) grid_rows--;
  Cblacs_get(-1, 0, &context);
  Cblacs_gridinit(&context, "Row", grid_rows, size / grid_rows);
  Cblacs_gridinfo(context, &grid_rows, &grid_columns, &my_row, &my_column);

  const int one = 1;
  const int columns = 8;
  const double alpha = 1;
  const double beta = 0;
  const matrix a = make(n, n, block, 0.05, 0.1);
  const matrix b = make(n, n, block, 0.05, 0.7);
  const matrix c = make(n, n, block, 0, 0);
  const matrix d = make(n, columns, block, 1, 0.4);
  const matrix x = make(n, columns, block, 0, 0);
  pdgemm_("N", "N", &n, &n, &n, &alpha, a.numbers, &one, &one, a.descriptor, b.numbers, &one, &one, b.descriptor, &beta,
          c.numbers, &one, &one, c.descriptor);

  const tracegrad_array for_c = array_of(&c);
  const tracegrad_array for_d = array_of(&d);
  const tracegrad_array for_x = array_of(&x);
  const char *way = NULL;
  tracegrad_result r;
  tracegrad_problem *p = NULL;
  must(tracegrad_problem_create(MPI_COMM_WORLD, &p));
  must(tracegrad_problem_objective(p, "sumsq(C*X - D) + 0.01*sumsq(X)", 0));
  must(tracegrad_problem_variable(p, "X", n, columns));
  must(tracegrad_problem_data(p, "C", &for_c));
  must(tracegrad_problem_data(p, "D", &for_d));
  must(tracegrad_problem_set(p, "solver.method", "conjugate-gradient"));
  if (argc > 3) must(tracegrad_problem_set(p, "output.directory", argv[3]));
  must(tracegrad_problem_minimise(p));
  must(tracegrad_problem_result(p, sizeof r, &r));
  must(tracegrad_problem_data_way(p, "C", &way));
  must(tracegrad_problem_get(p, "X", &for_x)); /* into the program's own matrix */

  /* The residual by the program's own means. */
  double square = 0;
  const double minus = -1;
  pdgemm_("N", "N", &n, &columns, &n, &alpha, c.numbers, &one, &one, c.descriptor, x.numbers, &one, &one, x.descriptor,
          &minus, d.numbers, &one, &one, d.descriptor);
  const int zero = 0;
  const int here = numroc_(&columns, &block, &my_column, &zero, &grid_columns);
  for (int k = 0; k < d.descriptor[8] * here && numroc_(&n, &block, &my_row, &zero, &grid_rows) > 0; k++)
    square += d.numbers[k] * d.numbers[k] + 0.01 * x.numbers[k] * x.numbers[k];
  MPI_Allreduce(MPI_IN_PLACE, &square, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0)
    printf("%s after %d iterations, C %s\nobjective %.17g\nby pdgemm %.17g\n", r.status, (int)r.iterations, way,
           r.objective, square);
  tracegrad_problem_destroy(&p);
  free(a.numbers);
  free(b.numbers);
  free(c.numbers);
  free(d.numbers);
  free(x.numbers);
  Cblacs_gridexit(context);
  MPI_Finalize();
  return 0;
}
