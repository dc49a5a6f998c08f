// Copies a matrix through all formats and back.
#include "io_support.h"

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
      REQUIRE_OK(io_copy_file(grid, io_path(from), before->holds_datasets ? "/x" : NULL, io_path(to), set));
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

CHECK_PROGRAM(program_io_copy, run)
