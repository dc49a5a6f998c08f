// The plan of a transfer for matrices and rank counts far beyond this machine: pure arithmetic; and file offsets
// beyond 2^32.
#include "io_support.h"
#include "mpi/file/io_posix.h"

enum { PANEL_ENTRIES = TG_SLAB_PANEL_BYTES / 8 };

static tg_slab_plan plan_for(int64_t rows, int64_t cols, tg_slab_order order, int grid_rows, int grid_cols)
{
  return (tg_slab_plan){.rows = rows,
                        .cols = cols,
                        .order = order,
                        .panel_bytes = TG_SLAB_PANEL_BYTES,
                        .block = 256,
                        .grid_rows = grid_rows,
                        .grid_cols = grid_cols};
}

// The most that one rank owns of a panel, counted by the layout's own arithmetic.
static int64_t owned_by_fullest(const tg_slab_plan *plan, int64_t begin, int64_t count, int np)
{
  int64_t most = 0;
  for (int p = 0; p < np; p++) {
    const int64_t owned =
        tg_layout_count(begin + count, plan->block, p, np) - tg_layout_count(begin, plan->block, p, np);
    if (owned > most) most = owned;
  }
  return most;
}

// The slabs of a panel follow each other in the file without gap or overlap, and are within the bound.
static bool panel_is_covered(const tg_slab_plan *plan, const tg_slab_panel *panel, int64_t begin, int64_t end)
{
  const int ranks = plan->grid_rows * plan->grid_cols;
  int64_t at = begin;
  for (int rank = 0; rank < ranks; rank++) {
    const tg_slab slab = tg_slab_of_rank(plan, panel, rank);
    const int64_t entries = slab.rows * slab.cols;
    if (entries == 0) continue;
    if (tg_slab_position(plan, &slab) != at || entries > PANEL_ENTRIES) return false;
    at += entries;
  }
  return at == end;
}

// Walks over some panels at the start of a matrix, and over those at its end.
static void check_plan(const tg_slab_plan *plan)
{
  enum { LOOKED_AT = 20 };
  const bool by_rows = plan->order == TG_ROW_MAJOR;
  int64_t position = 0;
  int64_t begin = 0;
  int panels = 0;
  tg_slab_panel panel;
  for (; panels < 3000000 && tg_slab_next(plan, &position, &panel); panels++) {
    const int64_t line_owned =
        owned_by_fullest(plan, panel.line, panel.lines, by_rows ? plan->grid_rows : plan->grid_cols);
    const int64_t rest_owned =
        owned_by_fullest(plan, panel.offset, panel.length, by_rows ? plan->grid_cols : plan->grid_rows);
    const bool is_near_end = position >= plan->rows * plan->cols;
    if (panels < LOOKED_AT || is_near_end) {
      CHECK(panel_is_covered(plan, &panel, begin, position), "panel %d from entry %" PRId64, panels, begin);
      CHECK(line_owned * rest_owned <= (int64_t)2 * PANEL_ENTRIES, "panel %d: a rank owns %" PRId64 " entries", panels,
            line_owned * rest_owned);
    }
    begin = position;
  }
  CHECK(position == plan->rows * plan->cols, "%" PRId64 " x %" PRId64 " ends at %" PRId64 " after %d panels",
        plan->rows, plan->cols, position, panels);
}

static void test_plans(void)
{
  static const int64_t shapes[][2] = {{100000, 100000},
                                      {INT64_C(5000000000), 3},
                                      {3, INT64_C(5000000000)},
                                      {1, INT64_C(3000000000)},
                                      {INT64_C(2147483649), 1},
                                      {65537, 70001},
                                      {9000001, 17}};
  static const int grids[][2] = {{1, 1}, {1, 7}, {8, 8}, {100, 100}, {1000, 1}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t g = 0; g < sizeof grids / sizeof *grids; g++)
      for (int order = 0; order < 2; order++) {
        const tg_slab_plan plan =
            plan_for(shapes[s][0], shapes[s][1], order == 0 ? TG_ROW_MAJOR : TG_COLUMN_MAJOR, grids[g][0], grids[g][1]);
        check_plan(&plan);
      }
}

// A file with a hole: 5 GiB long, some bytes large.
static void test_large_offsets(void)
{
  const int64_t offset = INT64_C(5) << 30;
  const char *path = io_put_text("large", "");
  double number = 0.25;
  double found = 0;
  int fd = open(path, O_RDWR);
  CHECK(tg_io_write_at(fd, &number, 8, offset) == 0, "write beyond 2^32");
  CHECK(tg_io_read_at(path, fd, &found, 8, offset) == TG_OK && found == number, "read beyond 2^32: %g", found);
  CHECK_FAILS(tg_io_read_at(path, fd, &found, 8, offset + 1), TG_DATA, "ends at byte 5368709128, expected data up to");
  close(fd);
}

static void run(void)
{
  if (check_rank() == 0) test_plans();
  io_begin();
  test_large_offsets();
  io_end();
}

CHECK_PROGRAM(program_io_slab, run)
