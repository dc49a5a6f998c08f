// Whether a launcher of MPI ranks started this process.
#include "cli/launch.h"

#include <stdlib.h>

bool tg_cli_is_launched(void)
{
  // A Slurm batch script has SLURM_PROCID too, but is no step of srun: SLURM_STEP_ID tells them apart.
  const bool by_srun = getenv("SLURM_PROCID") != NULL && getenv("SLURM_STEP_ID") != NULL;
  return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMIX_RANK") != NULL || getenv("PMI_RANK") != NULL || by_srun;
}
