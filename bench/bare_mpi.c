// MPI started and ended, nothing else: what a start of the program is measured against (bench/startup).
#include <mpi.h>

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  MPI_Finalize();
  return 0;
}
