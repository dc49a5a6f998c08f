// HDF5: types, layouts and shapes made by the library itself; datasets that are missing or cannot be a matrix.
#include <hdf5.h>

#include "io_support.h"

// One dataset of a file that rank 0 makes; dims end with 0.
typedef struct sample {
  const char *name;
  hid_t type;
  hsize_t dims[3];
  int rank;
  bool compressed;
} sample;

static double sample_value(int64_t k)
{
  return (double)((7 * k) % 100);
}

static void put_sample(hid_t file, const sample *s)
{
  double numbers[1024];
  hsize_t count = 1;
  for (int d = 0; d < s->rank; d++) count *= s->dims[d];
  for (hsize_t k = 0; k < count; k++) numbers[k] = sample_value((int64_t)k);
  const hid_t space = s->rank > 0 ? H5Screate_simple(s->rank, s->dims, NULL) : H5Screate(H5S_SCALAR);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  if (s->compressed) {
    const hsize_t chunk[3] = {4, 3, 2};
    H5Pset_chunk(creation, s->rank, chunk);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 6);
  }
  const hid_t dataset = H5Dcreate2(file, s->name, s->type, space, links, creation, H5P_DEFAULT);
  if (dataset < 0) MPI_Abort(MPI_COMM_WORLD, 1);
  if (H5Tget_class(s->type) == H5T_FLOAT || H5Tget_class(s->type) == H5T_INTEGER)
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
  H5Dclose(dataset);
  H5Pclose(links);
  H5Pclose(creation);
  H5Sclose(space);
}

// A file with these datasets, visible to all ranks.
static const char *put_samples(const char *name, const sample *samples, size_t count)
{
  const char *path = io_path(name);
  if (check_rank() == 0) {
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) MPI_Abort(MPI_COMM_WORLD, 1);
    for (size_t k = 0; k < count; k++) put_sample(file, &samples[k]);
    H5Fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  return path;
}

static void check_sample(const tg_grid *grid, const char *path, const sample *s)
{
  static const int64_t panels[] = {8, 100, 1 << 20};
  const int64_t rows = s->rank > 0 ? (int64_t)s->dims[0] : 1;
  const int64_t cols = s->rank > 1 ? (int64_t)s->dims[1] : 1;
  double *expected = NULL;
  REQUIRE_OK(tg_alloc_numbers(rows * cols, &expected));
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) expected[i + j * rows] = sample_value(i * cols + j);
  for (size_t p = 0; p < sizeof panels / sizeof *panels; p++) {
    tg_dmat *m = NULL;
    REQUIRE_OK(tg_file_read_panels(grid, path, s->name, panels[p], &m));
    CHECK(m->rows == rows && m->cols == cols, "%s: %" PRId64 " x %" PRId64, s->name, m->rows, m->cols);
    CHECK_MATRIX(m, expected, 0, s->name);
    tg_dmat_destroy(&m);
  }
  tg_free(expected);
}

static void test_types(const tg_grid *grid)
{
  const sample samples[] = {
      {"double", H5T_IEEE_F64LE, {9, 7}, 2, false},  {"double_be", H5T_IEEE_F64BE, {9, 7}, 2, false},
      {"float", H5T_IEEE_F32LE, {5, 3}, 2, false},   {"int_be", H5T_STD_I32BE, {4, 6}, 2, false},
      {"byte", H5T_STD_U8LE, {4, 6}, 2, false},      {"/group/deep/packed", H5T_IEEE_F64LE, {13, 8}, 2, true},
      {"packed16", H5T_STD_I16LE, {13, 8}, 2, true}, {"vector", H5T_IEEE_F64LE, {11}, 1, false},
      {"scalar", H5T_IEEE_F64LE, {0}, 0, false},     {"row", H5T_IEEE_F64LE, {1, 20}, 2, false},
  };
  const size_t count = sizeof samples / sizeof *samples;
  const char *path = put_samples("types.h5", samples, count);
  for (size_t k = 0; k < count; k++) check_sample(grid, path, &samples[k]);
}

static void test_wrong_names(const tg_grid *grid)
{
  const sample samples[] = {{"A", H5T_IEEE_F64LE, {3, 4}, 2, false}, {"/g/B", H5T_IEEE_F64LE, {5}, 1, false}};
  const char *path = put_samples("names.h5", samples, 2);
  IO_CHECK_READ_FAILS(grid, path, NULL, TG_DATA,
                      "needs 'dataset:' to say which matrix is meant; it holds /A (3 x 4), /g/B (5)");
  IO_CHECK_READ_FAILS(grid, path, "/C", TG_DATA, "'/C' is not in the file; it holds /A (3 x 4), /g/B (5)");
  IO_CHECK_READ_FAILS(grid, path, "/g", TG_DATA, "'/g' is not a dataset; it holds /A");
  IO_CHECK_READ_FAILS(grid, path, "/no/such/group", TG_DATA, "'/no/such/group' is not in the file");
  IO_CHECK_READ_FAILS(grid, path, "", TG_DATA, "'' is not in the file");
  path = put_samples("empty.h5", NULL, 0);
  IO_CHECK_READ_FAILS(grid, path, "A", TG_DATA, "'A' is not in the file; it holds no dataset");
}

static void test_long_list(const tg_grid *grid)
{
  char names[20][16];
  sample samples[20];
  for (int k = 0; k < 20; k++) {
    snprintf(names[k], sizeof names[k], "m%02d", k);
    samples[k] = (sample){names[k], H5T_IEEE_F64LE, {1}, 1, false};
  }
  const char *path = put_samples("many.h5", samples, 20);
  IO_CHECK_READ_FAILS(grid, path, "x", TG_DATA, "/m11 (1) and 8 more");
}

static void test_wrong_kinds(const tg_grid *grid)
{
  const hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
  const hid_t text = H5Tcopy(H5T_C_S1);
  const hid_t colours = H5Tenum_create(H5T_STD_I8LE);
  const int8_t zero = 0;
  H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE);
  H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
  H5Tset_size(text, 5);
  H5Tenum_insert(colours, "red", &zero);
  const sample samples[] = {{"complex", pair, {2, 2}, 2, false},
                            {"text", text, {2}, 1, false},
                            {"colours", colours, {2}, 1, false},
                            {"cube", H5T_IEEE_F64LE, {2, 2, 2}, 3, false},
                            {"empty", H5T_IEEE_F64LE, {0, 3}, 2, false}};
  const char *path = put_samples("kinds.h5", samples, sizeof samples / sizeof *samples);
  IO_CHECK_READ_FAILS(grid, path, "complex", TG_DATA,
                      "holds compound values (complex numbers or records), expected real");
  IO_CHECK_READ_FAILS(grid, path, "text", TG_DATA, "'text' holds text, expected real numbers");
  IO_CHECK_READ_FAILS(grid, path, "colours", TG_DATA, "'colours' holds enumeration values");
  IO_CHECK_READ_FAILS(grid, path, "cube", TG_DATA, "'cube' has 3 dimensions, expected a matrix");
  IO_CHECK_READ_FAILS(grid, path, "empty", TG_DATA, "'empty' is empty (0 x 3)");
  H5Tclose(pair);
  H5Tclose(text);
  H5Tclose(colours);
}

// NumPy's booleans, as its HDF5 binding stores them.
static void test_booleans(const tg_grid *grid)
{
  const char *path = io_path("bool.h5");
  if (grid->rank == 0) {
    const int8_t values[] = {0, 1};
    const int8_t numbers[6] = {0, 1, 1, 0, 0, 1};
    const hsize_t dims[2] = {2, 3};
    const hid_t type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, "FALSE", &values[0]);
    H5Tenum_insert(type, "TRUE", &values[1]);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(2, dims, NULL);
    const hid_t dataset = H5Dcreate2(file, "b", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
    H5Tclose(type);
  }
  MPI_Barrier(grid->comm);
  tg_dmat *m = NULL;
  tg_file_shape shape = {0};
  REQUIRE_OK(tg_file_probe(path, "b", &shape));
  CHECK(strcmp(shape.dtype, "bool") == 0, "dtype %s", shape.dtype);
  REQUIRE_OK(tg_file_read(grid, path, "b", &m));
  CHECK_MATRIX(m, ((const double[]){0, 0, 1, 0, 1, 1}), 0, "booleans");
  tg_dmat_destroy(&m);
}

// A file cut anywhere is refused, or, cut behind all that the dataset needs, read in full.
static void test_damage(const tg_grid *grid)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  const sample samples[] = {{"A", H5T_IEEE_F64LE, {12, 10}, 2, true}};
  const char *path = put_samples("whole.h5", samples, 1);
  const size_t count = io_get(path, bytes);
  IO_CHECK_READ_FAILS(grid, io_put_text("text.h5", "no HDF5 at all"), "A", TG_DATA, "is not an HDF5 file");
  for (size_t length = 0; length < count; length += 97) {
    tg_dmat *m = NULL;
    const tg_status status = tg_file_read(grid, io_put("cut.h5", bytes, length), "A", &m);
    CHECK(status == TG_DATA && m == NULL, "cut to %zu of %zu bytes: %s", length, count, tg_status_label(status));
  }
}

static void test_nonfinite(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 6, 5, 3);
  double numbers[30] = {0};
  numbers[4 + 0 * 6] = (double)NAN;
  numbers[3 + 4 * 6] = (double)INFINITY;
  tg_dmat_scatter_small(numbers, m);
  REQUIRE_OK(tg_file_write(m, io_path("nan.h5"), "/x"));
  IO_CHECK_READ_FAILS(grid, io_path("nan.h5"), "/x", TG_DATA,
                      "entry (row 4, column 5), counting from 1, is infinite, expected finite numbers; 2 of 6 x 5");
  tg_dmat_destroy(&m);
}

// What is written can be read by the library without our code: name, type, shape and numbers.
static void test_written(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 7, 4, 2);
  REQUIRE_OK(tg_file_write(m, io_path("new.h5"), "/results/deep/W"));
  if (grid->rank == 0) {
    double numbers[28] = {0};
    hsize_t dims[2] = {0, 0};
    const hid_t file = H5Fopen(io_path("new.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "results/deep/W", H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    const hid_t type = H5Dget_type(dataset);
    CHECK(H5Sget_simple_extent_dims(space, dims, NULL) == 2 && dims[0] == 7 && dims[1] == 4, "shape");
    CHECK(H5Tequal(type, H5T_IEEE_F64LE) > 0, "type");
    H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    for (int64_t k = 0; k < 28; k++) CHECK(numbers[k] == check_entry(2, k / 4, k % 4), "number %" PRId64, k);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
  }
  MPI_Barrier(grid->comm);
  REQUIRE_OK(tg_file_write(m, io_path("new.h5"), "results/deep/W")); // over itself, spelt without the slash
  tg_dmat_destroy(&m);
}

static void test_other_datasets_are_kept(const tg_grid *grid)
{
  const sample samples[] = {{"A", H5T_IEEE_F64LE, {3, 4}, 2, false}, {"B", H5T_IEEE_F64LE, {5}, 1, false}};
  const char *path = put_samples("shared.h5", samples, 2);
  tg_dmat *m = check_matrix(grid, 3, 4, 2);
  CHECK_FAILS(tg_file_write(m, path, "/A"), TG_IO, "cannot be replaced: it also holds /B (5), which would be lost");
  check_sample(grid, path, &samples[0]);
  CHECK_FAILS(tg_file_write(m, io_path("bad.h5"), "/"), TG_IO, "cannot create the HDF5 dataset '/'");
  CHECK(access(io_path("bad.h5"), F_OK) != 0, "nothing is left of a file that could not be made");
  // An old file that is not HDF5 holds nothing that could be kept.
  REQUIRE_OK(tg_file_write(m, io_put_text("old.h5", "no HDF5"), "/A"));
  tg_dmat_destroy(&m);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 5, 0};
  io_begin();
  check_on_grids(blocks, test_types);
  tg_grid *grid = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 2, &grid));
  test_wrong_names(grid);
  test_long_list(grid);
  test_wrong_kinds(grid);
  test_booleans(grid);
  test_damage(grid);
  test_nonfinite(grid);
  test_written(grid);
  test_other_datasets_are_kept(grid);
  tg_grid_destroy(&grid);
  io_end();
}

CHECK_PROGRAM(program_io_hdf5, run)
