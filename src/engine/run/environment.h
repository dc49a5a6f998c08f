// What this run runs on: ranks, threads, cores, BLAS and library versions, and what is wrong with them.
#ifndef TG_ENGINE_ENVIRONMENT_H
#define TG_ENGINE_ENVIRONMENT_H

#include <mpi.h>

#include "base/blas_loaded.h"
#include "base/text.h"

typedef struct tg_environment {
  int ranks;
  int ranks_here;       // on this node, the most over all nodes
  int threads;          // of each rank
  int cores_bound;      // cores this rank may use, the fewest over all ranks
  int cores_here;       // cores that the ranks of this node may use together, the fewest over all nodes
  double memory;        // bytes that a rank may take, the fewest over all ranks; 0: unknown
  tg_blas_kernel blas;  // of this rank
  char blas_cores[200]; // where ranks run different ones: "Haswell on 1 rank (rank 2), Cooperlake on 3"; else ""
  char host[256];       // of this rank
  char cpu[128];
  char mpi_library[160];
  char hdf5[32];
} tg_environment;

// About the ranks of comm; collective. MPI_COMM_NULL, which needs no MPI to run: about this process.
tg_status tg_environment_get(MPI_Comm comm, tg_environment *out);
// One line for each thing to mend, with the remedy; nothing when all is well.
void tg_environment_print_warnings(const tg_environment *environment, tg_text *out);
// One line: the core that OpenBLAS runs, why, and what it would have been.
void tg_environment_print_kernel(const tg_environment *environment, const char *label, tg_text *out);
// Largest resident size of this process so far, in bytes.
int64_t tg_environment_peak_bytes(void);
// Memory this node gives to this job: the machine's, or less where a control group or Slurm says so. 0: unknown.
double tg_environment_memory_bytes(void);

#endif
