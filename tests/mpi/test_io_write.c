// Writing: a round trip for every format of the table, and failures that must leave the old file as it was.
#include <signal.h>
#include <sys/resource.h>
#include <xxhash.h>

#include "io_support.h"

// A name and dataset for a file of this format.
typedef struct named_file {
  char name[64];
  const char *dataset;
} named_file;

static named_file name_for(const tg_file_format *format, const char *stem)
{
  named_file out = {.dataset = format->holds_datasets ? "/results/w" : NULL};
  snprintf(out.name, sizeof out.name, "%s%.*s", stem, (int)strcspn(format->suffixes, " "), format->suffixes);
  return out;
}

static tg_dmat *difficult_matrix(const tg_grid *grid, int64_t rows, int64_t cols)
{
  static const double difficult[] = {-0.0,    1.0 / 3, 5e-324, -1.7976931348623157e308, 2.2250738585072014e-308, 0.1,
                                     -1e-300, 123456,  3e22,   9007199254740993.0};
  tg_dmat *m = check_matrix(grid, rows, cols, 11);
  for (int64_t j = 0; j < m->local_cols; j++)
    for (int64_t i = 0; i < m->local_rows; i++) {
      const int64_t row = tg_layout_global(i, m->block, grid->row, grid->rows);
      const int64_t col = tg_layout_global(j, m->block, grid->col, grid->cols);
      const int64_t k = (row + 5 * col) % 13;
      if (k < 10) m->data[i + j * m->ld] = difficult[k];
    }
  return m;
}

static void check_same_bits(const tg_dmat *a, const tg_dmat *b, const char *what, bool zeros_are_signed)
{
  bool same = a->rows == b->rows && a->cols == b->cols && a->local_rows == b->local_rows;
  for (int64_t j = 0; same && j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const double x = a->data[i + j * a->ld];
      const double y = b->data[i + j * b->ld];
      same = same && x == y && (!zeros_are_signed || signbit(x) == signbit(y));
    }
  CHECK(same, "%s, %" PRId64 " x %" PRId64 " on %d x %d, block %" PRId64 ": other numbers came back", what, a->rows,
        a->cols, a->grid->rows, a->grid->cols, a->block);
}

static void round_trip(const tg_grid *grid, const tg_file_format *format, int64_t rows, int64_t cols, int64_t panel)
{
  const named_file file = name_for(format, "w");
  const char *path = io_path(file.name);
  tg_dmat *back = NULL;
  tg_dmat *m = difficult_matrix(grid, rows, cols);
  REQUIRE_OK(tg_file_write_panels(m, path, file.dataset, panel));
  REQUIRE_OK(tg_file_read_panels(grid, path, file.dataset, panel, &back));
  // Matrix Market entries are summed up from zero, so that -0 comes back as 0.
  check_same_bits(m, back, format->label, strcmp(format->suffixes, ".mtx") != 0);
  tg_dmat_destroy(&m);
  tg_dmat_destroy(&back);
}

static void test_round_trips(const tg_grid *grid)
{
  static const int64_t shapes[][2] = {{1, 1}, {1, 33}, {33, 1}, {3, 2}, {17, 26}};
  static const int64_t panels[] = {8, 72, 1 << 20};
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  for (int f = 0; f < count; f++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
      for (size_t p = 0; p < sizeof panels / sizeof *panels; p++)
        round_trip(grid, &formats[f], shapes[s][0], shapes[s][1], panels[p]);
}

// What is written on one grid is read on another: the file knows nothing of the ranks.
static void test_other_grid(void)
{
  int count = 0;
  tg_grid *tall = NULL;
  tg_grid *wide = NULL;
  const tg_file_format *formats = tg_file_formats(&count);
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, check_size(), 1, 3, &tall));
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 5, &wide));
  double *expected = check_array(23, 14, 6);
  for (int f = 0; f < count; f++) {
    const named_file file = name_for(&formats[f], "g");
    tg_dmat *m = check_matrix(tall, 23, 14, 6);
    tg_dmat *back = NULL;
    REQUIRE_OK(tg_file_write(m, io_path(file.name), file.dataset));
    REQUIRE_OK(tg_file_read(wide, io_path(file.name), file.dataset, &back));
    CHECK_MATRIX(back, expected, 0, formats[f].label);
    tg_dmat_destroy(&back);
    tg_dmat_destroy(&m);
  }
  tg_free(expected);
  tg_grid_destroy(&tall);
  tg_grid_destroy(&wide);
}

// The bytes NumPy itself would write for a C-ordered array.
static void test_npy_bytes(const tg_grid *grid)
{
  static unsigned char bytes[IO_BYTES_ROOM];
  tg_dmat *m = check_matrix(grid, 2, 3, 4);
  REQUIRE_OK(tg_file_write(m, io_path("bytes.npy"), NULL));
  const size_t count = io_get(io_path("bytes.npy"), bytes);
  CHECK(count == 128 + 48, "%zu bytes", count);
  CHECK(memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0, "magic, version 1.0, length 118");
  CHECK(memcmp(bytes + 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", 59) == 0, "dictionary");
  CHECK(bytes[126] == ' ' && bytes[127] == '\n', "padded with blanks, ended by a line feed");
  for (int64_t k = 0; k < 6; k++) {
    double found = 0;
    memcpy(&found, bytes + 128 + 8 * k, 8);
    CHECK(found == check_entry(4, k / 3, k % 3), "number %" PRId64, k);
  }
  tg_dmat_destroy(&m);
}

// --- failures ----------------------------------------------------------------------------------------

typedef struct old_file {
  unsigned char bytes[IO_BYTES_ROOM];
  size_t count;
  int files;
} old_file;

static const old_file *remember(const char *path)
{
  static old_file state;
  MPI_Barrier(MPI_COMM_WORLD);
  state.count = io_get(path, state.bytes);
  state.files = io_count_files();
  return &state;
}

static void check_untouched(const char *path, const old_file *old)
{
  static unsigned char now[IO_BYTES_ROOM];
  const size_t count = io_get(path, now);
  CHECK(old->count > 0 && count == old->count && memcmp(now, old->bytes, count) == 0, "%s is as it was", path);
  CHECK(io_count_files() == old->files, "no temporary file is left beside %s", path);
}

// A limit on the size of files stands in for a full disk: write(2) fails in the middle with a reason.
static void set_file_limit(bool on, rlim_t bytes)
{
  static struct rlimit before;
  if (on) getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit limit = {on ? bytes : before.rlim_cur, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, on ? SIG_IGN : SIG_DFL);
}

// Limits that stop the header, the first bytes, the last bytes; on all ranks or on one only, the first that
// does no more than write numbers.
static void test_full_disk(const tg_grid *grid)
{
  static const rlim_t limits[] = {16, 600, 3000};
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  tg_dmat *small = check_matrix(grid, 3, 3, 1);
  tg_dmat *large = check_matrix(grid, 40, 30, 2);
  for (int f = 0; f < count; f++) {
    const named_file file = name_for(&formats[f], "full");
    const char *path = io_path(file.name);
    REQUIRE_OK(tg_file_write(small, path, file.dataset));
    const old_file *old = remember(path);
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++)
      for (int everywhere = 0; everywhere < 2; everywhere++) {
        const bool limited = everywhere == 1 || grid->rank == (grid->size > 1 ? 1 : 0);
        if (limited) set_file_limit(true, limits[k]);
        const tg_status status = tg_file_write_panels(large, path, file.dataset, 512);
        if (limited) set_file_limit(false, 0);
        CHECK_FAILS(status, TG_IO, path);
        CHECK_FAILS(status, TG_IO, "File too large");
        CHECK_FAILS(status, TG_IO, "; the file needs ");
        check_untouched(path, old);
      }
  }
  tg_dmat_destroy(&small);
  tg_dmat_destroy(&large);
}

// Root may write everywhere, so the ranks become an ordinary user for a moment. The matrix is small enough for its
// messages to need no access from process to process, which the change of user would forbid.
static void test_read_only_directory(const tg_grid *grid)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  tg_dmat *m = check_matrix(grid, 3, 3, 1);
  const bool is_root = geteuid() == 0;
  for (int f = 0; f < count; f++) {
    const named_file file = name_for(&formats[f], "locked");
    const char *path = io_path(file.name);
    REQUIRE_OK(tg_file_write(m, path, file.dataset));
    const old_file *old = remember(path);
    if (grid->rank == 0) chmod(io_state.directory, 0555);
    MPI_Barrier(grid->comm);
    if (is_root && seteuid(65534) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    const tg_status status = tg_file_write(m, path, file.dataset);
    if (is_root && seteuid(0) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    CHECK_FAILS(status, TG_IO, "cannot create a temporary file beside it: Permission denied; the file needs 72 B");
    MPI_Barrier(grid->comm);
    if (grid->rank == 0) chmod(io_state.directory, 0755);
    check_untouched(path, old);
  }
  tg_dmat_destroy(&m);
}

static void test_bad_targets(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 3, 3, 1);
  char name[300];
  memset(name, 'n', sizeof name);
  memcpy(name + sizeof name - 5, ".npy", 5);
  CHECK_FAILS(tg_file_write(m, io_path("no/such/w.npy"), NULL), TG_IO, "No such file or directory");
  CHECK_FAILS(tg_file_write(m, io_path("w.dat"), NULL), TG_DATA, "expected one of: .npy .mtx .h5");
  CHECK_FAILS(tg_file_write(m, io_path("w.npy"), "/x"), TG_DATA, "dataset '/x' applies to HDF5 files only");
  CHECK_FAILS(tg_file_write(m, io_path("w.h5"), NULL), TG_DATA, "needs 'dataset:'");
  CHECK_FAILS(tg_file_write(m, io_path(name), NULL), TG_IO, "File name too long");
  if (grid->rank == 0) {
    mkdir(io_path("folder.npy"), 0700);
    if (symlink("/dev/full", io_path("device.npy")) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Barrier(grid->comm);
  const int files = io_count_files();
  CHECK_FAILS(tg_file_write(m, io_path("folder.npy"), NULL), TG_IO, "is a directory");
  CHECK_FAILS(tg_file_write(m, io_path("device.npy"), NULL), TG_IO, "is not a regular file");
  CHECK(io_count_files() == files, "no temporary file is left");
  tg_dmat_destroy(&m);
}

// A link goes on pointing to its file, which gets the new numbers.
static void test_link(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 4, 2, 9);
  tg_dmat *back = NULL;
  struct stat facts;
  REQUIRE_OK(tg_file_write(m, io_path("real.npy"), NULL));
  if (grid->rank == 0 && symlink("real.npy", io_path("link.npy")) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Barrier(grid->comm);
  tg_dmat *other = check_matrix(grid, 5, 2, 10);
  REQUIRE_OK(tg_file_write(other, io_path("link.npy"), NULL));
  CHECK(lstat(io_path("link.npy"), &facts) == 0 && S_ISLNK(facts.st_mode), "the link is still one");
  REQUIRE_OK(tg_file_read(grid, io_path("real.npy"), NULL, &back));
  check_same_bits(other, back, "through a link", true);
  tg_dmat_destroy(&m);
  tg_dmat_destroy(&other);
  tg_dmat_destroy(&back);
}

// No more file descriptors on the last rank: its error is everybody's, for reading and for writing.
static void test_one_rank_fails(const tg_grid *grid)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  const bool affected = grid->rank == grid->size - 1;
  tg_dmat *m = check_matrix(grid, 3, 3, 1);
  for (int f = 0; f < count; f++) {
    const named_file file = name_for(&formats[f], "one");
    const char *path = io_path(file.name);
    tg_dmat *back = NULL;
    struct rlimit before;
    REQUIRE_OK(tg_file_write(m, path, file.dataset));
    const old_file *old = remember(path);
    getrlimit(RLIMIT_NOFILE, &before);
    const struct rlimit none = {0, before.rlim_max};
    if (affected) setrlimit(RLIMIT_NOFILE, &none);
    const tg_status read_status = tg_file_read(grid, path, file.dataset, &back);
    char read_message[TG_ERROR_MESSAGE_BYTES];
    snprintf(read_message, sizeof read_message, "%s", tg_error_get()->message);
    const tg_status write_status = tg_file_write(m, path, file.dataset);
    if (affected) setrlimit(RLIMIT_NOFILE, &before);
    CHECK_FAILS(write_status, TG_IO, "Too many open files");
    CHECK(read_status == TG_DATA && back == NULL, "reading %s: %s", path, tg_status_label(read_status));
    CHECK(strstr(read_message, "cannot be opened for reading: Too many open files") != NULL, "%s", read_message);
    if (grid->size > 1) CHECK(strstr(read_message, ", unlike rank 0: ") != NULL, "%s", read_message);
    check_untouched(path, old);
  }
  tg_dmat_destroy(&m);
}

// Memory that runs out on one rank at any allocation is reported by all, and the next call works.
static void test_no_memory(const tg_grid *grid)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  tg_dmat *m = check_matrix(grid, 6, 7, 1);
  for (int f = 0; f < count; f++) {
    const named_file file = name_for(&formats[f], "memory");
    const char *path = io_path(file.name);
    REQUIRE_OK(tg_file_write(m, path, file.dataset));
    const old_file *old = remember(path);
    int failures = 0;
    for (int nth = 1; nth <= 20; nth++) {
      tg_dmat *back = NULL;
      if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
      const tg_status read_status = tg_file_read(grid, path, file.dataset, &back);
      tg_dmat_destroy(&back);
      if (grid->rank == grid->size - 1) tg_alloc_fail_after(nth);
      const tg_status write_status = tg_file_write(m, path, file.dataset);
      tg_alloc_fail_after(0);
      CHECK(read_status == TG_OK || read_status == TG_MEMORY, "read %d: %s", nth, tg_error_get()->message);
      CHECK(write_status == TG_OK || write_status == TG_MEMORY, "write %d: %s", nth, tg_error_get()->message);
      failures += (read_status != TG_OK) + (write_status != TG_OK);
      check_untouched(path, old);
    }
    CHECK(failures >= 6, "%s: %d allocations were made to fail", formats[f].label, failures);
    CHECK(failures < 40, "%s: the last ones were beyond the end", formats[f].label);
  }
  tg_dmat_destroy(&m);
}

// Into a matrix that is there: with entries that are not finite, and of its shape only.
static void test_fill(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 17, 9, 3);
  tg_dmat *back = NULL;
  tg_dmat *other = NULL;
  if (m->local_rows > 0 && m->local_cols > 0) m->data[0] = (double)INFINITY;
  REQUIRE_OK(tg_file_write(m, io_path("fill.npy"), NULL));
  REQUIRE_OK(tg_dmat_create(grid, 17, 9, &back));
  REQUIRE_OK(tg_dmat_create(grid, 9, 17, &other));
  REQUIRE_OK(tg_file_fill(back, io_path("fill.npy"), NULL));
  check_same_bits(m, back, "fill", true);
  CHECK_FAILS(tg_file_fill(other, io_path("fill.npy"), NULL), TG_DATA, "fill.npy: 17 x 9, expected 9 x 17");
  CHECK_FAILS(tg_file_fill(back, io_path("none.npy"), NULL), TG_DATA, "none.npy");
  tg_dmat_destroy(&m);
  tg_dmat_destroy(&back);
  tg_dmat_destroy(&other);
}

// The test leaves nothing behind, and removes what a killed process left for this target, but nothing else.
static void test_write_test(const tg_grid *grid)
{
  char left[64];
  snprintf(left, sizeof left, ".tracegrad-%016" PRIx64 "-99-0.tmp", (uint64_t)XXH64("t.npy", 5, 0));
  const char *ours = io_put_text(left, "half");
  const char *theirs = io_put_text(".tracegrad-0000000000000000-99-0.tmp", "half");
  const int before = io_count_files();
  REQUIRE_OK(tg_file_write_test(grid, 5, 3, io_path("t.npy"), NULL));
  CHECK(io_count_files() == before - 1, "one file went");
  CHECK(access(ours, F_OK) != 0 && access(theirs, F_OK) == 0, "and it was ours");
  CHECK_FAILS(tg_file_write_test(grid, 5, 3, io_path("no/t.npy"), NULL), TG_IO, "No such file or directory");
  CHECK_FAILS(tg_file_write_test(grid, 1 << 26, 1 << 26, io_path("t.npy"), NULL), TG_IO, "free");
}

static void run(void)
{
  static const int64_t blocks[] = {1, 4, 64, 0};
  static const int64_t one_block[] = {4, 0};
  io_begin();
  check_on_grids(blocks, test_round_trips);
  test_other_grid();
  check_on_grids(one_block, test_npy_bytes);
  check_on_grids(one_block, test_fill);
  tg_grid *grid = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, 1, check_size(), 4, &grid));
  test_full_disk(grid);
  test_read_only_directory(grid);
  test_bad_targets(grid);
  test_write_test(grid);
  test_link(grid);
  test_one_rank_fails(grid);
  test_no_memory(grid);
  tg_grid_destroy(&grid);
  io_end();
}

CHECK_PROGRAM(program_io_write, run)
