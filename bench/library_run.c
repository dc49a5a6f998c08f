// bench/library: a job by the library, as a program of others calls it: library_run JOB [KEY=VALUE]...
//
// It prints the objective as the report has it and the seconds of the whole minimisation.
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <tracegrad_solve.h>

static int set(tracegrad_problem *p, char *text)
{
  char *value = strchr(text, '=');
  if (value == NULL) return 2;
  *value = '\0';
  return tracegrad_problem_set(p, text, value + 1);
}

int main(int argc, char **argv)
{
  tracegrad_problem *p = NULL;
  tracegrad_result r = {0};
  int rank = 0;
  if (argc < 2) return 2;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int failed = tracegrad_problem_from_job(MPI_COMM_WORLD, argv[1], &p);
  for (int k = 2; k < argc && failed == 0; k++) failed = set(p, argv[k]);
  if (failed == 0) failed = tracegrad_problem_minimise(p);
  if (failed == 0) failed = tracegrad_problem_result(p, sizeof r, &r);
  if (failed != 0) fprintf(stderr, "%s\n", tracegrad_error());
  if (failed == 0 && rank == 0) printf("%.17g %.6f\n", r.objective, r.total_seconds);
  tracegrad_problem_destroy(&p);
  MPI_Finalize();
  return failed;
}
