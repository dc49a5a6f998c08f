// Runs files of MPI tests in one start: all of them, or those named.
//
//   mpirun -n 3 mpi_tests [NAME...]     "direct" is tests/mpi/test_direct.c
//
// CMake writes mpi_tests.def: a row MPI_TEST(NAME, program_NAME) for each file test_NAME.c, which ends with
// CHECK_PROGRAM(program_NAME, run).
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MPI_TEST(name, run) int run(void);
#include "mpi_tests.def"
#undef MPI_TEST

static const struct {
  const char *name;
  int (*run)(void);
} programs[] = {
#define MPI_TEST(name, run) {#name, run},
#include "mpi_tests.def"
#undef MPI_TEST
};

enum { N_PROGRAMS = sizeof programs / sizeof programs[0] };

static bool is_wanted(const char *program, int argc, char **argv)
{
  bool wanted = argc < 2;
  for (int k = 1; k < argc; k++) wanted = wanted || strcmp(program, argv[k]) == 0;
  return wanted;
}

// The first argument that names no file, or NULL.
static const char *unknown_name(int argc, char **argv)
{
  for (int k = 1; k < argc; k++) {
    bool known = false;
    for (int p = 0; p < N_PROGRAMS; p++) known = known || strcmp(programs[p].name, argv[k]) == 0;
    if (!known) return argv[k];
  }
  return NULL;
}

// The name stands before the verdict: where a test ends the job, the last line says which.
static int run_wanted(int rank, int argc, char **argv)
{
  int failed = 0;
  for (int p = 0; p < N_PROGRAMS; p++) {
    if (!is_wanted(programs[p].name, argc, argv)) continue;
    if (rank == 0) printf("%s: ", programs[p].name);
    fflush(stdout);
    const int status = programs[p].run();
    if (status != 0 && rank == 0) printf("FAILED: %s\n", programs[p].name);
    failed += status != 0;
  }
  return failed;
}

int main(int argc, char **argv)
{
  int provided = 0;
  int rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const char *unknown = unknown_name(argc, argv);
  if (unknown != NULL && rank == 0) fprintf(stderr, "there is no test named %s\n", unknown);
  const int failed = unknown != NULL ? 1 : run_wanted(rank, argc, argv);
  MPI_Finalize();
  return failed == 0 ? 0 : 1;
}
