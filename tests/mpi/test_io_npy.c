// Reading .npy: every version, order and type against files built byte by byte; every way a file can be wrong.
#include "io_support.h"
#include "mpi/file/io_npy_header.h"

typedef struct npy_kind {
  const char *descr;
  int bytes;
} npy_kind;

static const npy_kind kinds[] = {
    {"<f8", 8}, {">f8", 8}, {"<f4", 4}, {">f4", 4}, {"<f2", 2}, {">f2", 2}, {"|i1", 1}, {"<i2", 2},
    {">i2", 2}, {"<i4", 4}, {">i4", 4}, {"<i8", 8}, {">i8", 8}, {"|u1", 1}, {"<u2", 2}, {">u2", 2},
    {"<u4", 4}, {">u4", 4}, {"<u8", 8}, {">u8", 8}, {"|b1", 1}, {"f8", 8},  {"=i4", 4},
};

// Values that every type of a kind holds exactly: small whole numbers, negative and fractional where it may be.
static double value_of(const npy_kind *kind, int64_t i, int64_t j)
{
  const int64_t n = (7 * i + 3 * j) % 50;
  const char type = kind->descr[strcspn(kind->descr, "fiub")];
  if (type == 'f') return (double)(n - 25) / 4;
  if (type == 'i') return (double)(n - 25);
  return type == 'u' ? (double)(2 * n + 100) : (double)(n % 2);
}

// The bit pattern of a small number in binary16: written here a second time, from the definition.
static uint64_t half_bits(double value)
{
  const uint64_t sign = value < 0 ? 0x8000 : 0;
  if (value == 0) return sign;
  int exponent = 0;
  const double fraction = frexp(fabs(value), &exponent); // in [0.5, 1)
  return sign | (uint64_t)(exponent + 14) << 10 | ((uint64_t)(fraction * 2048) & 1023);
}

static uint64_t bits_of(const npy_kind *kind, double value)
{
  uint64_t bits = 0;
  const float narrow = (float)value;
  uint32_t narrow_bits = 0;
  if (kind->descr[strcspn(kind->descr, "fiub")] != 'f') return (uint64_t)(int64_t)value;
  if (kind->bytes == 2) return half_bits(value);
  memcpy(&narrow_bits, &narrow, 4);
  memcpy(&bits, &value, 8);
  return kind->bytes == 4 ? narrow_bits : bits;
}

static size_t put_item(const npy_kind *kind, double value, unsigned char *out)
{
  const uint64_t bits = bits_of(kind, value);
  for (int b = 0; b < kind->bytes; b++) {
    const int shift = 8 * (kind->descr[0] == '>' ? kind->bytes - 1 - b : b);
    out[b] = (unsigned char)(bits >> shift);
  }
  return (size_t)kind->bytes;
}

// The header of a version with this dictionary, not padded: readers must not rely on padding.
static size_t put_header(int version, const char *dictionary, unsigned char *out)
{
  const size_t length = strlen(dictionary);
  const size_t width = version == 1 ? 2 : 4;
  memcpy(out, "\x93NUMPY", 6);
  out[6] = (unsigned char)version;
  out[7] = 0;
  for (size_t b = 0; b < width; b++) out[8 + b] = (unsigned char)(length >> (8 * b));
  memcpy(out + 8 + width, dictionary, length);
  return 8 + width + length;
}

static size_t build(const npy_kind *kind, int version, bool column_major, int64_t rows, int64_t cols,
                    unsigned char *out)
{
  char dictionary[160];
  snprintf(dictionary, sizeof dictionary,
           "{'descr': '%s', 'fortran_order': %s, 'shape': (%" PRId64 ", %" PRId64 "), }\n", kind->descr,
           column_major ? "True" : "False", rows, cols);
  size_t used = put_header(version, dictionary, out);
  for (int64_t k = 0; k < rows * cols; k++) {
    const int64_t i = column_major ? k % rows : k / cols;
    const int64_t j = column_major ? k / rows : k % cols;
    used += put_item(kind, value_of(kind, i, j), out + used);
  }
  return used;
}

static void check_values(const tg_dmat *m, const npy_kind *kind, const char *what)
{
  double *expected = NULL;
  REQUIRE_OK(tg_alloc_numbers(m->rows * m->cols, &expected));
  for (int64_t j = 0; j < m->cols; j++)
    for (int64_t i = 0; i < m->rows; i++) expected[i + j * m->rows] = value_of(kind, i, j);
  CHECK_MATRIX(m, expected, 0, what);
  tg_free(expected);
}

static void read_back(const tg_grid *grid, const npy_kind *kind, int version, bool column_major, int64_t rows,
                      int64_t cols, int64_t panel_bytes)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  char what[64];
  tg_dmat *m = NULL;
  const size_t count = build(kind, version, column_major, rows, cols, bytes);
  const char *path = io_put("a.npy", bytes, count);
  snprintf(what, sizeof what, "%s v%d %s panel %" PRId64, kind->descr, version, column_major ? "F" : "C", panel_bytes);
  REQUIRE_OK(tg_file_read_panels(grid, path, NULL, panel_bytes, &m));
  CHECK(m->rows == rows && m->cols == cols, "%s: %" PRId64 " x %" PRId64, what, m->rows, m->cols);
  check_values(m, kind, what);
  tg_dmat_destroy(&m);
}

// Every type in every version and order, on one shape that no block size divides.
static void test_types(const tg_grid *grid)
{
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (int version = 1; version <= 3; version++)
      for (int order = 0; order < 2; order++) read_back(grid, &kinds[k], version, order == 1, 7, 5, 1 << 20);
}

// Shapes smaller and larger than blocks, lines longer and shorter than a panel, panels down to one number.
static void test_shapes(const tg_grid *grid)
{
  static const int64_t shapes[][2] = {{1, 1}, {1, 40}, {40, 1}, {2, 3}, {13, 29}, {31, 8}};
  static const int64_t panels[] = {8, 40, 256, 1 << 20};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t p = 0; p < sizeof panels / sizeof *panels; p++)
      for (int order = 0; order < 2; order++)
        read_back(grid, &kinds[p % 3], 1, order == 1, shapes[s][0], shapes[s][1], panels[p]);
}

static const char *put_dictionary(const char *dictionary, size_t data_bytes)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  memset(bytes, 0, sizeof bytes);
  const size_t used = put_header(1, dictionary, bytes);
  return io_put("b.npy", bytes, used + data_bytes);
}

// NumPy's shapes of fewer dimensions, keys in another order, double quotes, Python 2's long integers, no blanks.
static void test_spellings(const tg_grid *grid)
{
  static const struct {
    const char *dictionary;
    int64_t rows;
    int64_t cols;
  } cases[] = {{"{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", 4, 1},
               {"{'descr': '<f8', 'fortran_order': True, 'shape': (), }", 1, 1},
               {"{\"shape\":(2L,3L),\"fortran_order\":True,\"descr\":\"<f8\"}   \n", 2, 3},
               {" { 'shape' : ( 5 , 1 ) , 'descr' : '|i1' , 'fortran_order' : False } ", 5, 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const size_t item = strstr(cases[k].dictionary, "i1") != NULL ? 1 : 8;
    const char *path = put_dictionary(cases[k].dictionary, item * (size_t)(cases[k].rows * cases[k].cols));
    tg_dmat *m = NULL;
    REQUIRE_OK(tg_file_read(grid, path, NULL, &m));
    CHECK(m->rows == cases[k].rows && m->cols == cases[k].cols, "case %zu: %" PRId64 " x %" PRId64, k, m->rows,
          m->cols);
    tg_dmat_destroy(&m);
  }
}

static void test_bad_headers(const tg_grid *grid)
{
  static const struct {
    const char *dictionary;
    const char *message;
  } cases[] = {
      {"{'descr': '<c16', 'fortran_order': False, 'shape': (2, 2), }", "'<c16' holds complex numbers"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", "holds Python objects"},
      {"{'descr': '<U5', 'fortran_order': False, 'shape': (2, 2), }", "holds text"},
      {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2, 2), }", "holds dates or times"},
      {"{'descr': '<f16', 'fortran_order': False, 'shape': (2, 2), }", "'<f16' is not supported, expected f2, f4, f8"},
      {"{'descr': '<', 'fortran_order': False, 'shape': (2, 2), }", "the dtype '<' is not supported"},
      {"{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (2, 2), }", "structured dtype"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 2), }", "has 3 dimensions, expected a matrix"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", "is empty (0 x 3)"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "does not fit in 63 bits"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", "does not fit in 63 bits"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }",
       "expected a whole number in the shape at byte 61"},
      {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 2), }",
       "expected True or False for fortran_order at byte 44"},
      {"{'descr': '<f8', 'shape': (2, 2), }", "'fortran_order' is missing"},
      {"{'fortran_order': False, 'shape': (2, 2), }", "'descr' is missing"},
      {"{'descr': '<f8', 'fortran_order': False, }", "'shape' is missing"},
      {"{'descr': '<f8', 'descr': '<f8', 'shape': (2, 2), }", "'descr' is given again at byte 27"},
      {"{'descr': '<f8', 'order': False, 'shape': (2, 2), }", "unknown key 'order' at byte 27"},
      {"{'descr': '<f8' 'fortran_order': False, 'shape': (2, 2), }", "expected ',' or '}' at byte 26, found '''"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), } x", "only blanks after '}' at byte 70, found 'x'"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2", "the .npy header ends at byte 65"},
      {"['descr']", "expected '{' at byte 10, found '['"},
      {"", "the .npy header ends at byte 10, expected '{'"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    IO_CHECK_READ_FAILS(grid, put_dictionary(cases[k].dictionary, 32), NULL, TG_DATA, cases[k].message);
}

static void test_bad_files(const tg_grid *grid)
{
  static const char good[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }";
  IO_CHECK_READ_FAILS(grid, put_dictionary(good, 31), NULL, TG_DATA,
                      "too short: found 100 bytes, expected 101 (a header of 69 and 2 x 2 items of 8 bytes");
  IO_CHECK_READ_FAILS(grid, put_dictionary(good, 33), NULL, TG_DATA, "too long: found 102 bytes, expected 101");
  IO_CHECK_READ_FAILS(grid, io_path("none.npy"), NULL, TG_DATA, "cannot be read: No such file or directory");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "", 0), NULL, TG_DATA, "the file is empty");
  IO_CHECK_READ_FAILS(grid, io_put_text("c.npy", "1 2 3\n"), NULL, TG_DATA, "first bytes are 31 20 32 20");
  IO_CHECK_READ_FAILS(grid, io_put_text("c.npy", "x"), NULL, TG_DATA, "first bytes are 78 00 00 00");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "\x93NUMPY\x01", 7), NULL, TG_DATA,
                      "cut: found 7 bytes, expected at least 10");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "\x93NUMPY\x02\x00zz", 10), NULL, TG_DATA,
                      "cut: found 10 bytes, expected at least 12");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "\x93NUMPY\x01\x00\x40\x00{", 11), NULL, TG_DATA,
                      "cut: found 11 bytes, expected 74");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "\x93NUMPY\x04\x00\x40\x00{", 11), NULL, TG_DATA,
                      "version 4.0 is not known");
  IO_CHECK_READ_FAILS(grid, io_put("c.npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13), NULL, TG_DATA,
                      "4294967295 bytes long, at most 65536 are read");
  IO_CHECK_READ_FAILS(grid, io_put_text("c.dat", "x"), NULL, TG_DATA, "expected one of: .npy .mtx .h5");
  IO_CHECK_READ_FAILS(grid, put_dictionary(good, 32), "/x", TG_DATA, "dataset '/x' applies to HDF5 files only");
  if (check_rank() == 0) mkdir(io_path("d.npy"), 0700);
  MPI_Barrier(grid->comm);
  IO_CHECK_READ_FAILS(grid, io_path("d.npy"), NULL, TG_DATA, "is a directory, expected a matrix file");
  if (check_rank() == 0) mkfifo(io_path("e.npy"), 0600);
  MPI_Barrier(grid->comm);
  IO_CHECK_READ_FAILS(grid, io_path("e.npy"), NULL, TG_DATA, "is not a regular file");
  IO_CHECK_READ_FAILS(grid, "/dev/zero.npy", NULL, TG_DATA, "No such file");
}

// The first one in row-major order is named, in either order of the file and on every grid.
static void test_nonfinite(const tg_grid *grid)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  for (int order = 0; order < 2; order++) {
    const int64_t rows = 9;
    const int64_t cols = 6;
    const size_t count = build(&kinds[0], 1, order == 1, rows, cols, bytes);
    const size_t begin = count - (size_t)(rows * cols) * 8;
    const int64_t places[2][2] = {{7, 0}, {2, 4}}; // from 0; the second comes first in rows
    const double values[2] = {(double)NAN, -(double)INFINITY};
    for (int k = 0; k < 2; k++) {
      const int64_t at = order == 1 ? places[k][0] + places[k][1] * rows : places[k][0] * cols + places[k][1];
      put_item(&kinds[0], values[k], bytes + begin + 8 * at);
    }
    IO_CHECK_READ_FAILS(grid, io_put("n.npy", bytes, count), NULL, TG_DATA,
                        "entry (row 3, column 5), counting from 1, is -infinite");
    CHECK(strstr(tg_error_get()->message, "2 of 9 x 6 entries") != NULL, "%s", tg_error_get()->message);
  }
}

static void test_probe(void)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  tg_file_shape shape = {0};
  const size_t count = build(&kinds[3], 2, true, 6, 4, bytes);
  const char *path = io_put("p.npy", bytes, count);
  REQUIRE_OK(tg_file_probe(path, NULL, &shape));
  CHECK(shape.rows == 6 && shape.cols == 4 && shape.entries == 24, "%" PRId64 " x %" PRId64, shape.rows, shape.cols);
  CHECK(shape.data_bytes == 96 && shape.file_bytes == (int64_t)count, "%" PRId64 " bytes", shape.data_bytes);
  CHECK(strcmp(shape.dtype, "float32, big-endian") == 0, "dtype %s", shape.dtype);
}

// Extremes of the types: rounding beyond 2^53, signs, subnormal and largest halves.
static void test_decode(void)
{
  static const struct {
    char kind;
    int bytes;
    uint64_t bits;
    double value;
  } cases[] = {{'i', 8, UINT64_C(1) << 63, -0x1p63},
               {'u', 8, UINT64_MAX, 0x1p64},
               {'i', 1, 0x80, -128},
               {'i', 2, 0xffff, -1},
               {'u', 4, 0xffffffff, 4294967295.0},
               {'f', 2, 0x0001, 0x1p-24},
               {'f', 2, 0x7bff, 65504},
               {'f', 2, 0xfc00, -(double)INFINITY},
               {'f', 4, 0x00000001, 0x1p-149},
               {'i', 8, (UINT64_C(1) << 53) + 1, 0x1p53}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    for (int big = 0; big < 2; big++) {
      unsigned char item[8];
      double found = 0;
      const tg_npy_header header = {.kind = cases[k].kind, .item_bytes = cases[k].bytes, .big_endian = big == 1};
      for (int b = 0; b < cases[k].bytes; b++)
        item[b] = (unsigned char)(cases[k].bits >> (8 * (big == 1 ? cases[k].bytes - 1 - b : b)));
      tg_npy_decode(&header, item, 1, &found);
      CHECK(found == cases[k].value, "case %zu: %.17g, expected %.17g", k, found, cases[k].value);
    }
}

// Every prefix and many byte changes of a good header end in TG_OK or TG_DATA, and read nothing beyond the bytes.
static void test_damaged_headers(void)
{
  static const char good[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }        \n";
  unsigned char whole[128];
  const size_t count = put_header(1, good, whole);
  for (size_t length = 0; length < count; length++) {
    unsigned char *exact = NULL; // so that the sanitizer sees a read beyond
    tg_npy_header header;
    REQUIRE_OK(tg_alloc((int64_t)length, 1, (void **)&exact));
    memcpy(exact, whole, length);
    CHECK(tg_npy_parse_header(exact, length, &header) == TG_DATA, "a header of %zu bytes", length);
    tg_free(exact);
  }
  for (size_t at = 0; at < count; at++)
    for (int value = 0; value < 256; value += 5) {
      unsigned char changed[128];
      tg_npy_header header;
      memcpy(changed, whole, count);
      changed[at] = (unsigned char)value;
      const tg_status status = tg_npy_parse_header(changed, count, &header);
      CHECK(status == TG_OK || status == TG_DATA, "byte %zu = %d: %s", at, value, tg_status_label(status));
      if (status == TG_OK)
        CHECK(header.rows > 0 && header.cols > 0 && header.item_bytes > 0, "byte %zu = %d", at, value);
    }
}

static void on_grid(const tg_grid *grid)
{
  test_shapes(grid);
  test_nonfinite(grid);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 3, 64, 0};
  static const int64_t one_block[] = {4, 0};
  io_begin();
  test_decode();
  test_damaged_headers();
  test_probe();
  check_on_grids(blocks, on_grid);
  check_on_grids(one_block, test_types);
  check_on_grids(one_block, test_spellings);
  check_on_grids(one_block, test_bad_headers);
  tg_grid *grid = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 4, &grid));
  test_bad_files(grid);
  tg_grid_destroy(&grid);
  io_end();
}

CHECK_PROGRAM(program_io_npy, run)
