// A tool that copies matrix files to other formats: tests/system/test_files.py runs it on files of NumPy, SciPy and
// h5py.
//
//   mpi_copy_matrix { FROM DATASET TO DATASET }     a dataset of "-" means none; exit status as of tracegrad itself
#include "io_support.h"

static const char *dataset_of(const char *argument)
{
  return strcmp(argument, "-") == 0 ? NULL : argument;
}

int main(int argc, char **argv)
{
  tg_grid *grid = NULL;
  MPI_Init(&argc, &argv);
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, check_size(), 1, 7, &grid));
  tg_status status = TG_OK;
  for (int k = 1; k + 3 < argc && status == TG_OK; k += 4)
    status = io_copy_file(grid, argv[k], dataset_of(argv[k + 1]), argv[k + 2], dataset_of(argv[k + 3]));
  if (status != TG_OK && check_rank() == 0) fprintf(stderr, "%s\n", tg_error_get()->message);
  tg_grid_destroy(&grid);
  MPI_Finalize();
  return tg_status_exit(status);
}
