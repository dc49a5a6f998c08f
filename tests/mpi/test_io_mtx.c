// Reading Matrix Market: kinds and symmetries, lines cut anywhere between ranks, every way a line can be wrong.
#include <locale.h>

#include "io_support.h"
#include "mpi/file/io_mtx_parse.h"

// Reads the text and compares it with a small matrix given by rows.
static void check_text(const tg_grid *grid, const char *text, int64_t rows, int64_t cols, const double *by_rows)
{
  static const int64_t panels[] = {1, 200, 1 << 20};
  double expected[64];
  const char *path = io_put_text("a.mtx", text);
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) expected[i + j * rows] = by_rows[i * cols + j];
  for (size_t p = 0; p < sizeof panels / sizeof *panels; p++) {
    tg_dmat *m = NULL;
    REQUIRE_OK(tg_file_read_panels(grid, path, NULL, panels[p], &m));
    CHECK(m->rows == rows && m->cols == cols, "%" PRId64 " x %" PRId64, m->rows, m->cols);
    CHECK_MATRIX(m, expected, 0, text);
    tg_dmat_destroy(&m);
  }
}

static void test_arrays(const tg_grid *grid)
{
  check_text(grid, "%%MatrixMarket matrix array real general\n2 3\n1\n4\n2.5\n5\n-3e0\n6\n", 2, 3,
             (const double[]){1, 2.5, -3, 4, 5, 6});
  check_text(grid, "%%matrixmarket MATRIX Array Integer General\n% a comment\n%\n\n  1 1 \n\n 7 ", 1, 1,
             (const double[]){7});
  check_text(grid, "%%MatrixMarket matrix array real symmetric\r\n3 3\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n", 3, 3,
             (const double[]){1, 2, 3, 2, 4, 5, 3, 5, 6});
  check_text(grid, "%%MatrixMarket matrix array real skew-symmetric\n3 3\n2\n3\n5\n", 3, 3,
             (const double[]){0, -2, -3, 2, 0, -5, 3, 5, 0});
  check_text(grid, "%%MatrixMarket matrix array real skew-symmetric\n1 1\n", 1, 1, (const double[]){0});
}

static void test_coordinates(const tg_grid *grid)
{
  check_text(grid, "%%MatrixMarket matrix coordinate real general\n2 3 3\n2 3 0.5\n1 1 -1\n2 1 +1e-2\n", 2, 3,
             (const double[]){-1, 0, 0, 0.01, 0, 0.5});
  check_text(grid, "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 3\n1 1\n3 1\n3 2", 3, 3,
             (const double[]){1, 0, 1, 0, 0, 1, 1, 1, 0});
  check_text(grid, "%%MatrixMarket matrix coordinate integer skew-symmetric\n3 3 2\n2 1 4\n\n3 2 -6\n", 3, 3,
             (const double[]){0, -4, 0, 4, 0, 6, 0, -6, 0});
  check_text(grid, "%%MatrixMarket matrix coordinate real general\n2 2 0\n", 2, 2, (const double[]){0, 0, 0, 0});
  // Duplicates are summed, also when they are mirrored.
  check_text(grid, "%%MatrixMarket matrix coordinate real symmetric\n2 2 4\n2 1 1\n2 1 2\n1 1 4\n1 1 8\n", 2, 2,
             (const double[]){12, 3, 3, 0});
}

// A larger file with lines of very different lengths, so that the ranks' ranges are cut everywhere.
static void test_long_file(const tg_grid *grid)
{
  enum { ROWS = 23, COLS = 17 };
  static char text[IO_BYTES_ROOM];
  double expected[ROWS * COLS];
  int used = snprintf(text, sizeof text, "%%%%MatrixMarket matrix coordinate real general\n%d %d %d\n", ROWS, COLS,
                      ROWS * COLS);
  for (int k = 0; k < ROWS * COLS; k++) {
    const int i = (7 * k) % ROWS;
    const int j = k / ROWS;
    expected[i + j * ROWS] = check_entry(3, i, j);
    used += snprintf(text + used, sizeof text - (size_t)used, "%*d %d %.17g\n%s", 1 + k % 5, i + 1, j + 1,
                     expected[i + j * ROWS], k % 11 == 0 ? "\n \n" : "");
  }
  static const int64_t panels[] = {100, 3000, 1 << 20};
  const char *path = io_put_text("long.mtx", text);
  for (size_t p = 0; p < sizeof panels / sizeof *panels; p++) {
    tg_dmat *m = NULL;
    REQUIRE_OK(tg_file_read_panels(grid, path, NULL, panels[p], &m));
    CHECK_MATRIX(m, expected, 0, "long file");
    tg_dmat_destroy(&m);
  }
}

#define BANNER "%%MatrixMarket matrix "

static void test_bad_headers(const tg_grid *grid)
{
  static const struct {
    const char *text;
    const char *message;
  } cases[] = {
      {"", "the file is empty"},
      {"1 2 3\n", "line 1: is not a Matrix Market file: found '1'"},
      {"%%MatrixMarket tensor\n", "line 1: found 'tensor', expected 'matrix'"},
      {BANNER "sparse real general\n", "line 1: found 'sparse', expected 'coordinate' or 'array'"},
      {BANNER "array complex general\n", "line 1: the entries are complex"},
      {BANNER "array quaternion general\n",
       "line 1: found 'quaternion', expected 'real', 'integer', 'unsigned-integer' or 'pat"},
      {BANNER "coordinate complex hermitian\n", "the entries are complex"},
      {BANNER "coordinate real adjoint\n",
       "line 1: found 'adjoint', expected 'general', 'symmetric', 'skew-symmetric' or 'h"},
      {BANNER "coordinate real\n", "line 1: found 'nothing', expected 'general'"},
      {BANNER "array pattern general\n", "an array cannot be a pattern"},
      {BANNER "coordinate pattern skew-symmetric\n", "a pattern cannot be skew-symmetric"},
      {BANNER "array real general 5\n", "more than the five words"},
      {BANNER "array real general\n% only comments\n", "the file ends before the size line"},
      {BANNER "array real general\n%\n3\n", "line 3: found 'nothing', expected the size line: rows and columns"},
      {BANNER "array real general\n3 -3\n", "line 2: found '-3', expected the size line"},
      {BANNER "array real general\n3 3 9\n", "line 2: found more words"},
      {BANNER "coordinate real general\n3 3\n",
       "line 2: found 'nothing', expected the size line: rows, columns and ent"},
      {BANNER "coordinate real general\n3 0 0\n", "line 2: the matrix is empty (3 x 0)"},
      {BANNER "coordinate real general\n4294967296 4294967296 1\n", "do not fit in 63 bits"},
      {BANNER "coordinate real general\n99999999999999999999 1 1\n", "found '99999999999999999999', expected the size"},
      {BANNER "coordinate real symmetric\n3 4 1\n1 1 1\n", "line 2: found 3 x 4, a symmetric matrix is square"},
      {BANNER "coordinate real general\n3 3 9\n1 1 1\n",
       "too short: found 6 bytes after the size line, expected 9 ent"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    IO_CHECK_READ_FAILS(grid, io_put_text("b.mtx", cases[k].text), NULL, TG_DATA, cases[k].message);
}

static void test_bad_lines(const tg_grid *grid)
{
  static const struct {
    const char *text;
    const char *message;
  } cases[] = {
      {BANNER "array real general\n2 2\n1\n2\n3.25\n", "found 3 entries, expected 4 by the size line (line 2)"},
      {BANNER "array real general\n2 2\n1\n2\n3\n4\n5\n", "found 5 entries, expected 4"},
      {BANNER "array real general\n2 2\n1\n2\nx3\n4\n", "line 5: found 'x3', expected a number"},
      {BANNER "array real general\n2 2\n1\n2\n\n3 4\n4\n", "line 6: found '4' after the number, expected one number a"},
      {BANNER "array integer general\n2 1\n1\n2.5\n", "line 4: found '2.5', expected an integer as the banner says"},
      {BANNER "array real general\n2 1\n1\n0x10\n", "line 4: found '0x10', expected a number"},
      {BANNER "array real general\n2 1\n1\n1,5\n", "line 4: found '1,5', expected a number"},
      {BANNER "array real general\n2 1\n1\n1e\n", "line 4: found '1e', expected a number"},
      {BANNER "coordinate real general\n%\n3 3 2\n1 1 1\n4 1 1\n",
       "line 5: the row index 4 is out of range, expected 1 to"},
      {BANNER "coordinate real general\n3 3 2\n1 0 1\n1 1 1\n",
       "line 3: the column index 0 is out of range, expected 1"},
      {BANNER "coordinate real general\n3 3 2\n1 1 1\n1 1\n     ", "line 4: the line ends before the value; where"},
      {BANNER "coordinate real general\n3 3 2\n1 1 1\n1 1 1 9\n", "line 4: found '9' after the entry"},
      {BANNER "coordinate real general\n3 3 2\n1 1 1\n1.0 1 1\n", "line 4: found '1.0', expected a row index"},
      {BANNER "coordinate real general\n3 3 2\n1 1 1\n1 % 1\n", "line 4: found '%', expected a column index"},
      {BANNER "coordinate real general\n3 3 2\n% 1 1 1\n1 1 1\n", "found 1 entries, expected 2 by the size line"},
      {BANNER "coordinate pattern general\n3 3 2\n1 1\n1 2 4.5\n",
       "line 4: found '4.5' after the entry, but the first line says that the file is a pattern"},
      {BANNER "array unsigned-integer general\n2 1\n1\n-2\n", "line 4: found '-2', expected an unsigned integer"},
      {BANNER "array unsigned-integer general\n2 1\n1\n1.5\n", "line 4: found '1.5', expected an integer"},
      {BANNER "coordinate real symmetric\n3 3 2\n1 1 1\n1 2 1\n", "line 4: entry (1, 2) is above the diagonal, a symm"},
      {BANNER "coordinate real skew-symmetric\n3 3 1\n2 2 1\n", "line 3: entry (2, 2) is 1, expected 0: it is on"},
      {BANNER "array real general\n2 2\n1\n2\nnan\n-inf\n", "entry (row 1, column 2), counting from 1, is NaN"},
      {BANNER "array real general\n2 1\n1\n-1e999\n", "entry (row 2, column 1), counting from 1, is -infinite"},
      {BANNER "coordinate real general\n3 3 2\n3 3 1e308\n3 3 1e308\n",
       "entry (row 3, column 3), counting from 1, is inf"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    IO_CHECK_READ_FAILS(grid, io_put_text("c.mtx", cases[k].text), NULL, TG_DATA, cases[k].message);
}

// Limits: a line of data, the header. The message of a word that does not print shows none of its bytes.
static void test_limits(const tg_grid *grid)
{
  static char text[2 * TG_MTX_HEADER_LIMIT];
  int used = snprintf(text, sizeof text, "%s", BANNER "array real general\n2 1\n1\n");
  memset(text + used, '0', 6000);
  text[used + 6000] = '\0';
  IO_CHECK_READ_FAILS(grid, io_put_text("d.mtx", text), NULL, TG_DATA, "is longer than 1024 bytes");
  used = snprintf(text, sizeof text, "%s", BANNER "array real general\n");
  memset(text + used, '%', sizeof text - (size_t)used - 1);
  text[sizeof text - 1] = '\0';
  IO_CHECK_READ_FAILS(grid, io_put_text("d.mtx", text), NULL, TG_DATA, "no size line in the first 1048576 bytes");
  IO_CHECK_READ_FAILS(grid, io_put_text("d.mtx", BANNER "array real general\n1 1\n\033[2J\n"), NULL, TG_DATA,
                      "line 3: found '?[2J'");
}

// The grammar of numbers; values are compared with the C library's, which rounds correctly.
static void test_numbers(void)
{
  static const char good[][24] = {"0",      "-0",       "1.",         "+.5",    "12345678901234567890", "1e22",
                                  "1e23",   "0.1",      "3e-5",       "1E+5",   "0.30000000000000004",  "5e-324",
                                  "1e-400", "-1.25e10", "0000000012", "1e+400", "9007199254740993",     "1.e2"};
  static const char bad[][24] = {"",    "+",   "-",   ".",    "e5",     "1e",    "1e+", "0x1", "1f", "1d5",
                                 "--1", "1 2", "1_0", "infi", "nan(1)", "1.2.3", "1,5", "+-1", " 1"};
  for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
    double found = 0;
    CHECK(tg_mtx_parse_number(good[k], good[k] + strlen(good[k]), &found), "'%s' is a number", good[k]);
    const double expected = strtod(good[k], NULL);
    CHECK(found == expected && signbit(found) == signbit(expected), "'%s': %.17g, expected %.17g", good[k], found,
          expected);
  }
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    double found = 0;
    CHECK(!tg_mtx_parse_number(bad[k], bad[k] + strlen(bad[k]), &found), "'%s' is no number", bad[k]);
  }
  static const char infinite[] = "-InfiniTY";
  double special = 0;
  CHECK(tg_mtx_parse_number(infinite, infinite + 4, &special) && special < -1e308, "-Inf: %g", special);
  CHECK(tg_mtx_parse_number(infinite, infinite + 9, &special) && special < -1e308, "-InfiniTY: %g", special);
  for (int k = 0; k < 20000; k++) {
    char text[40];
    double found = 0;
    const double scale = pow(10, (double)(k % 41) - 20);
    const int length = snprintf(text, sizeof text, "%.*g", 1 + k % 17, check_entry(8, k, 0) * scale);
    CHECK(tg_mtx_parse_number(text, text + length, &found) && found == strtod(text, NULL), "%s", text);
  }
}

// The place of every entry of a triangle, against walking down the columns.
static void test_places(void)
{
  for (int64_t n = 1; n <= 30; n++)
    for (int skew = 0; skew < 2; skew++) {
      const tg_mtx_header header = {.symmetry = skew == 1 ? TG_MTX_SKEW : TG_MTX_SYMMETRIC, .rows = n, .cols = n};
      int64_t entry = 0;
      for (int64_t j = 0; j < n; j++)
        for (int64_t i = j + skew; i < n; i++, entry++) {
          int64_t row = 0;
          int64_t col = 0;
          tg_mtx_array_place(&header, entry, &row, &col);
          CHECK(row == i && col == j, "entry %" PRId64 " of %" PRId64 ": (%" PRId64 ", %" PRId64 ")", entry, n, row,
                col);
        }
    }
  const int64_t n = INT64_C(1000000000);
  const tg_mtx_header large = {.symmetry = TG_MTX_SYMMETRIC, .rows = n, .cols = n};
  int64_t row = 0;
  int64_t col = 0;
  tg_mtx_array_place(&large, n * (n + 1) / 2 - 1, &row, &col);
  CHECK(row == n - 1 && col == n - 1, "last of 10^9: (%" PRId64 ", %" PRId64 ")", row, col);
  tg_mtx_array_place(&large, n, &row, &col);
  CHECK(row == 1 && col == 1, "first of the second column: (%" PRId64 ", %" PRId64 ")", row, col);
}

// A program in a country that writes 0,5 reads and writes the same files. Skipped where no such locale is installed.
static void test_locale(const tg_grid *grid)
{
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
  bool set = false;
  for (size_t k = 0; k < sizeof names / sizeof *names && !set; k++) set = setlocale(LC_ALL, names[k]) != NULL;
  check_text(grid, BANNER "array real general\n2 1\n0.12345678901234567\n-0.5\n", 2, 1,
             (const double[]){0.12345678901234567, -0.5});
  tg_dmat *m = check_matrix(grid, 3, 2, 5);
  tg_dmat *back = NULL;
  double *expected = check_array(3, 2, 5);
  REQUIRE_OK(tg_file_write(m, io_path("l.mtx"), NULL));
  setlocale(LC_ALL, "C");
  REQUIRE_OK(tg_file_read(grid, io_path("l.mtx"), NULL, &back));
  CHECK_MATRIX(back, expected, 0, "written in another locale");
  tg_free(expected);
  tg_dmat_destroy(&m);
  tg_dmat_destroy(&back);
}

static void test_probe(void)
{
  tg_file_shape shape = {0};
  const char *path = io_put_text("p.mtx", BANNER "coordinate integer symmetric\n4 4 2\n1 1 1\n4 1 1\n");
  REQUIRE_OK(tg_file_probe(path, NULL, &shape));
  CHECK(shape.rows == 4 && shape.cols == 4 && shape.entries == 2, "%" PRId64 " entries", shape.entries);
  CHECK(shape.data_bytes == 12, "%" PRId64 " bytes", shape.data_bytes);
  CHECK(strcmp(shape.dtype, "integer sparse symmetric") == 0, "dtype %s", shape.dtype);
}

static void on_grid(const tg_grid *grid)
{
  test_arrays(grid);
  test_coordinates(grid);
  test_long_file(grid);
}

static void run(void)
{
  static const int64_t blocks[] = {1, 2, 64, 0};
  io_begin();
  test_numbers();
  test_places();
  test_probe();
  check_on_grids(blocks, on_grid);
  tg_grid *grid = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 2, &grid));
  test_bad_headers(grid);
  test_bad_lines(grid);
  test_limits(grid);
  test_locale(grid);
  tg_grid_destroy(&grid);
  io_end();
}

CHECK_PROGRAM(program_io_mtx, run)
