/* The usual pdgemm program, C = A*B on a process grid of its own, in which a problem over C was put in:
 * pdgemm_demo ROWS COLUMNS N BLOCK FOLDER. Entries are eighths, so that C is exact whatever the order of its sums. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <tracegrad_solve.h>

void Cblacs_pinfo(int *rank, int *size);
void Cblacs_get(int context, int what, int *value);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int context);
void Cblacs_exit(int keep_mpi);
int numroc_(const int *n, const int *block, const int *me, const int *source, const int *processes);
int indxl2g_(const int *local, const int *block, const int *me, const int *source, const int *processes);
void descinit_(int *descriptor, const int *m, const int *n, const int *mb, const int *nb, const int *source_row,
               const int *source_column, const int *context, const int *leading, int *info);
void pdgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *da, const double *b, const int *ib,
             const int *jb, const int *db, const double *beta, double *c, const int *ic, const int *jc, const int *dc);

/* 0, or another number where it failed. */
static int minimise(double *c, double *b, const int *descriptor, const char *folder, int rank)
{
  tracegrad_problem *p = NULL;
  tracegrad_result r;
  const tracegrad_array for_c = {
      .size = sizeof for_c, .numbers = c, .place = TRACEGRAD_CYCLIC, .descriptor = descriptor};
  const tracegrad_array for_b = {
      .size = sizeof for_b, .numbers = b, .place = TRACEGRAD_CYCLIC, .descriptor = descriptor};
  const char *way = "";
  const int failed = tracegrad_problem_create(MPI_COMM_WORLD, &p) ||
                     tracegrad_problem_objective(p, "sumsq(C*X - B) + sumsq(X)", 0) ||
                     tracegrad_problem_variable(p, "X", 0, 0) || tracegrad_problem_data(p, "C", &for_c) ||
                     tracegrad_problem_data(p, "B", &for_b) || tracegrad_problem_set(p, "solver.method", "l-bfgs") ||
                     tracegrad_problem_set(p, "output.directory", folder) || tracegrad_problem_minimise(p) ||
                     tracegrad_problem_result(p, sizeof r, &r) || tracegrad_problem_data_way(p, "C", &way);
  if (failed) fprintf(stderr, "%s\n", tracegrad_error());
  if (!failed && rank == 0) printf("%s %s %.17g\n", r.status, way, r.objective);
  tracegrad_problem_destroy(&p);
  return failed;
}

int main(int argc, char **argv)
{
  const int zero = 0;
  const int one = 1;
  const double alpha = 1;
  const double beta = 0;
  int rank = 0;
  int size = 0;
  int context = 0;
  int rows = 0;
  int columns = 0;
  int row = 0;
  int column = 0;
  int info = 0;
  int descriptor[9];
  if (argc != 6) return 2;
  const int n = atoi(argv[3]);
  const int block = atoi(argv[4]);
  MPI_Init(&argc, &argv);
  Cblacs_pinfo(&rank, &size);
  Cblacs_get(-1, 0, &context);
  Cblacs_gridinit(&context, "Row", atoi(argv[1]), atoi(argv[2]));
  Cblacs_gridinfo(context, &rows, &columns, &row, &column);
  const int local_rows = numroc_(&n, &block, &row, &zero, &rows);
  const int local_columns = numroc_(&n, &block, &column, &zero, &columns);
  const int leading = local_rows > 1 ? local_rows : 1;
  descinit_(descriptor, &n, &n, &block, &block, &zero, &zero, &context, &leading, &info);
  double *a = calloc((size_t)leading * (size_t)(local_columns + 1), sizeof *a);
  double *b = calloc((size_t)leading * (size_t)(local_columns + 1), sizeof *b);
  double *c = calloc((size_t)leading * (size_t)(local_columns + 1), sizeof *c);
  for (int l = 1; l <= local_columns; l++)
    for (int k = 1; k <= local_rows; k++) {
      const int i = indxl2g_(&k, &block, &row, &zero, &rows);
      const int j = indxl2g_(&l, &block, &column, &zero, &columns);
      a[(k - 1) + (l - 1) * leading] = ((3 * i + 7 * j + i * j) % 11 - 5) / 8.0 + (i == j ? 4 : 0);
      b[(k - 1) + (l - 1) * leading] = ((5 * i + 2 * j + i * j) % 13 - 6) / 8.0 + (i == j ? 4 : 0);
    }
  pdgemm_("N", "N", &n, &n, &n, &alpha, a, &one, &one, descriptor, b, &one, &one, descriptor, &beta, c, &one, &one,
          descriptor);

  const int failed = minimise(c, b, descriptor, argv[5], rank);
  free(a);
  free(b);
  free(c);
  Cblacs_gridexit(context);
  Cblacs_exit(1);
  MPI_Finalize();
  return failed;
}
