// Whether a launcher of MPI ranks started this process, and what its MPI need not look for.
#ifndef TG_CLI_LAUNCH_H
#define TG_CLI_LAUNCH_H

#include <stdbool.h>

// True under mpirun and srun: then MPI is started for every subcommand, rank 0 alone works where one process is
// enough, and all ranks leave together with one exit status. Reads the environment only.
bool tg_cli_is_launched(void);
// Before MPI is started: sets what makes it start faster where all ranks are on one node. What the user has set stays.
void tg_cli_prepare_mpi(void);

#endif
