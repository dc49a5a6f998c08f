// Copies a matrix file to another format: as a test through all formats and back, with arguments as a tool that
// tests/system/test_files.py lets loose on files of NumPy, SciPy and h5py.
//
//   mpi_test_io_copy { FROM DATASET TO DATASET }     a dataset of "-" means none; exit status as of tracegrad itself
#include "io_support.h"

static tg_status copy_file(const tg_grid *grid, const char *from, const char *from_set, const char *to,
                           const char *to_set)
{
  tg_dmat *m = NULL;
  TG_TRY(tg_file_read(grid, from, from_set, &m));
  const tg_status status = tg_file_write(m, to, to_set);
  tg_dmat_destroy(&m);
  return status;
}

// From the last format of the table to the first and on, once round: the numbers must survive every pair.
static void test_chain(const tg_grid *grid)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  char from[64];
  tg_dmat *m = check_matrix(grid, 19, 12, 21);
  double *expected = check_array(19, 12, 21);
  for (int f = 0; f <= count; f++) {
    const tg_file_format *format = &formats[f % count];
    const tg_file_format *before = &formats[(f + count - 1) % count];
    const char *set = format->holds_datasets ? "/x" : NULL;
    char to[64];
    snprintf(to, sizeof to, "copy%d%.*s", f, (int)strcspn(format->suffixes, " "), format->suffixes);
    if (f == 0)
      REQUIRE_OK(tg_file_write(m, io_path(to), set));
    else
      REQUIRE_OK(copy_file(grid, io_path(from), before->holds_datasets ? "/x" : NULL, io_path(to), set));
    snprintf(from, sizeof from, "%s", to);
    tg_dmat *back = NULL;
    REQUIRE_OK(tg_file_read(grid, io_path(to), set, &back));
    CHECK_MATRIX(back, expected, 0, format->label);
    tg_dmat_destroy(&back);
  }
  tg_free(expected);
  tg_dmat_destroy(&m);
}

static void run(void)
{
  static const int64_t blocks[] = {5, 0};
  io_begin();
  check_on_grids(blocks, test_chain);
  io_end();
}

static const char *dataset_of(const char *argument)
{
  return strcmp(argument, "-") == 0 ? NULL : argument;
}

static int copy_main(int argc, char **argv)
{
  tg_grid *grid = NULL;
  MPI_Init(&argc, &argv);
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, check_size(), 1, 7, &grid));
  tg_status status = TG_OK;
  for (int k = 1; k + 3 < argc && status == TG_OK; k += 4)
    status = copy_file(grid, argv[k], dataset_of(argv[k + 1]), argv[k + 2], dataset_of(argv[k + 3]));
  if (status != TG_OK && check_rank() == 0) fprintf(stderr, "%s\n", tg_error_get()->message);
  tg_grid_destroy(&grid);
  MPI_Finalize();
  return tg_status_exit(status);
}

int main(int argc, char **argv)
{
  return argc > 1 ? copy_main(argc, argv) : check_main(&argc, &argv, run);
}
