// HDF5 files where the program was built without the library: they are refused, by the probe before anything else.
#include "mpi/file/files.h"

static tg_status refuse(const char *path)
{
  TG_FAIL(
      TG_UNSUPPORTED,
      "%s is an HDF5 file; this build of tracegrad has no HDF5: use .npy or .mtx, or build it where hdf5.pc is found",
      path);
}

tg_status tg_hdf5_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  (void)dataset;
  (void)out;
  return refuse(path);
}

tg_status tg_hdf5_read(const tg_file_source *from, tg_dmat *matrix)
{
  (void)matrix;
  return refuse(from->path);
}

tg_status tg_hdf5_begin_write(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  (void)target;
  (void)out;
  return refuse(path);
}

tg_status tg_hdf5_encode(const double *numbers, int64_t count, unsigned char *records)
{
  (void)numbers;
  (void)count;
  (void)records;
  return refuse("the target");
}
