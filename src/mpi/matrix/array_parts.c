// Arrays of which each rank holds a rectangle: the grid that the rectangles form.
#include "mpi/matrix/array_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mpi/matrix/grid.h"

static bool is_empty(const tg_array_part *p)
{
  return p->rows == 0 || p->cols == 0;
}

static tg_status check_range(const char *name, int rank, const char *what, int64_t begin, int64_t count, int64_t n)
{
  if (begin >= 0 && count >= 0 && begin <= n && count <= n - begin) return TG_OK;
  TG_FAIL(TG_SHAPE, "the part of %s on rank %d has %" PRId64 " %s from %" PRId64 " on, %s has %" PRId64, name, rank,
          count, what, begin, name, n);
}

// ---- one dimension ----

static int by_size(const void *a, const void *b)
{
  const int64_t x = *(const int64_t *)a;
  const int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// Where the parts begin, each place once, and n behind them. Returns how many parts that makes.
static int find_cuts(const tg_array_part *parts, int ranks, bool of_rows, int64_t n, int64_t *cuts)
{
  int count = 0;
  int distinct = 0;
  for (int k = 0; k < ranks; k++)
    if (!is_empty(&parts[k])) cuts[count++] = of_rows ? parts[k].row_begin : parts[k].col_begin;
  qsort(cuts, (size_t)count, sizeof *cuts, by_size);
  for (int k = 0; k < count; k++)
    if (k == 0 || cuts[k] != cuts[k - 1]) cuts[distinct++] = cuts[k];
  cuts[distinct] = n;
  return distinct;
}

static int find_cut(const int64_t *cuts, int count, int64_t begin)
{
  int low = 0;
  for (int high = count; high - low > 1;) {
    const int middle = low + (high - low) / 2;
    if (cuts[middle] <= begin)
      low = middle;
    else
      high = middle;
  }
  return low;
}

// ---- the grid ----

static tg_status settle(const char *name, const tg_array_part *p, int rank, const tg_array *a, int *places)
{
  const tg_array_grid *g = &a->grid;
  const int i = find_cut(g->row_cuts, g->rows, p->row_begin);
  const int j = find_cut(g->col_cuts, g->cols, p->col_begin);
  const int cell = i + j * g->rows;
  if (places[cell] >= 0)
    TG_FAIL(TG_SHAPE, "ranks %d and %d both hold %s(%" PRId64 ",%" PRId64 ")", places[cell], rank, name,
            p->row_begin + 1, p->col_begin + 1);
  if (p->rows != g->row_cuts[i + 1] - g->row_cuts[i] || p->cols != g->col_cuts[j + 1] - g->col_cuts[j])
    TG_FAIL(
        TG_SHAPE,
        "the part of %s on rank %d is %" PRId64 " x %" PRId64 " from (%" PRId64 ",%" PRId64
        ") on, but the next parts begin %" PRId64 " rows and %" PRId64
        " columns further: parts must neither overlap nor leave out entries, and be cut alike in all rows and columns",
        name, rank, p->rows, p->cols, p->row_begin + 1, p->col_begin + 1, g->row_cuts[i + 1] - g->row_cuts[i],
        g->col_cuts[j + 1] - g->col_cuts[j]);
  places[cell] = rank;
  return TG_OK;
}

static tg_status settle_all(const char *name, const tg_array_part *parts, int ranks, int me, tg_array *a, int *places,
                            int64_t *cuts)
{
  tg_array_grid *g = &a->grid;
  int held = 0;
  for (int k = 0; k < ranks; k++) {
    TG_TRY(check_range(name, k, "rows", parts[k].row_begin, parts[k].rows, a->rows));
    TG_TRY(check_range(name, k, "columns", parts[k].col_begin, parts[k].cols, a->cols));
    held += is_empty(&parts[k]) ? 0 : 1;
  }
  g->rows = find_cuts(parts, ranks, true, a->rows, cuts);
  g->cols = find_cuts(parts, ranks, false, a->cols, cuts + ranks + 1);
  if (held == 0 || g->row_cuts[0] != 0 || g->col_cuts[0] != 0)
    TG_FAIL(TG_SHAPE, "no rank holds %s(1,1) of its %" PRId64 " x %" PRId64 " entries", name, a->rows, a->cols);
  if ((int64_t)g->rows * g->cols > ranks)
    TG_FAIL(
        TG_SHAPE,
        "the parts of %s begin at %d rows and %d columns, which %d ranks do not fill: rows must be cut alike in all "
        "columns",
        name, g->rows, g->cols, held);
  for (int k = 0; k < ranks; k++) places[k] = -1;
  for (int k = 0; k < ranks; k++)
    if (!is_empty(&parts[k])) TG_TRY(settle(name, &parts[k], k, a, places));
  for (int k = 0; k < g->rows * g->cols; k++) {
    if (places[k] < 0)
      TG_FAIL(TG_SHAPE, "no rank holds %s(%" PRId64 ",%" PRId64 ")", name, g->row_cuts[k % g->rows] + 1,
              g->col_cuts[k / g->rows] + 1);
    if (places[k] != me) continue;
    g->row = k % g->rows;
    g->col = k / g->rows;
  }
  return TG_OK;
}

tg_status tg_array_describe_parts(MPI_Comm comm, int64_t rows, int64_t cols, const tg_array_part *mine,
                                  const char *name, int *places, int64_t *cuts, tg_array *out)
{
  int ranks = 1;
  int me = 0;
  tg_status status = TG_OK;
  tg_array_part *parts = NULL;
  MPI_Comm_size(comm, &ranks);
  MPI_Comm_rank(comm, &me);
  *out = (tg_array){.place = TG_ARRAY_DEALT, .rows = rows, .cols = cols};
  out->grid = (tg_array_grid){.row = -1, .col = -1, .ranks = places, .row_cuts = cuts, .col_cuts = cuts + ranks + 1};
  TG_TRY_GOTO(tg_agree_memory(comm, TG_NEW(ranks, &parts), &parts));
  TG_TRY_GOTO(tg_mpi_check(MPI_Allgather(mine, 4, MPI_INT64_T, parts, 4, MPI_INT64_T, comm), TG_HERE));
  status = tg_agree(comm, settle_all(name, parts, ranks, me, out, places, cuts));
done:
  tg_free(parts);
  return status;
}
