// The program `tracegrad`: derives at once, and hands everything else to `tracegrad-mpi` beside it.
//
// Loading MPI, ScaLAPACK, OpenBLAS and HDF5 takes longer than a derivation. A gradient asked for at a prompt, or a
// hundred of them in a script, should not wait for libraries that it does not use.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/blas_choice.h"
#include "cli/cli.h"
#include "cli/launch.h"
#include "cli/run/signals.h"

// The console's questions, where there is no MPI.
bool tg_cli_has_mpi(void)
{
  return false;
}

int tg_cli_rank(void)
{
  return 0;
}

// The other program, in the folder of this one; NULL when that folder cannot be told.
static const char *find_engine(char path[PATH_MAX])
{
  static const char name[] = "tracegrad-mpi";
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof name);
  if (length <= 0) return NULL;
  path[length] = '\0';
  char *slash = strrchr(path, '/');
  if (slash == NULL) return NULL;
  memcpy(slash + 1, name, sizeof name);
  return path;
}

static int derive_here(int argc, char **argv)
{
  int exit_status = 0;
  const tg_status status = cmd_derive(argc, argv, &exit_status);
  if (status == TG_OK) return exit_status;
  tg_cli_print_error(status, NULL);
  return tg_status_exit(status);
}

int main(int argc, char **argv)
{
  char path[PATH_MAX];
  // Under a launcher one rank speaks for all, which takes MPI.
  if (argc > 1 && strcmp(argv[1], "derive") == 0 && !tg_cli_is_launched()) return derive_here(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "run") == 0) tg_signals_block();
  if (tg_blas_choice_matters(argc, argv)) tg_blas_choice_foresee();
  const char *engine = find_engine(path);
  if (engine != NULL) execv(engine, argv);
  fprintf(stderr, "tracegrad: error: cannot start %s: %s; it is built and installed beside tracegrad\n",
          engine != NULL ? engine : "tracegrad-mpi", strerror(errno));
  return 1;
}
