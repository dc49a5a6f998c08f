// Matrices in the memory of a caller.
#include "mpi/matrix/array.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_find.h"
#include "mpi/matrix/layout.h"

const char *tg_array_way_label(tg_array_way way)
{
  static const char *const labels[] = {[TG_ARRAY_UNREAD] = "not read",
                                       [TG_ARRAY_BORROWED] = "borrowed",
                                       [TG_ARRAY_COPIED] = "copied",
                                       [TG_ARRAY_SCATTERED] = "scattered from one rank",
                                       [TG_ARRAY_REDISTRIBUTED] = "redistributed"};
  return labels[way];
}

static int64_t smaller(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

// ---- one side of a transfer ----

// Indices dealt to processes along one dimension: blocks in turn, or a range each.
typedef struct dealing {
  int64_t n;
  int64_t block;
  int processes;
  int source;          // of the first block
  int mine;            // -1: none
  const int64_t *cuts; // where the ranges begin, and n; NULL: blocks
} dealing;

// Where numbers lie: dealt along rows and columns to the processes row + col * rows.
typedef struct side {
  dealing rows;
  dealing cols;
  const int *ranks; // NULL: row * cols + col
  const double *from;
  double *to;
  int64_t row_step;
  int64_t col_step;
} side;

static int rank_of(const side *s, int row, int col)
{
  return s->ranks != NULL ? s->ranks[row + col * s->rows.processes] : row * s->cols.processes + col;
}

static int owner_of_range(const dealing *d, int64_t index)
{
  int low = 0;
  for (int high = d->processes; high - low > 1;) {
    const int middle = low + (high - low) / 2;
    if (d->cuts[middle] <= index)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static int owner(const dealing *d, int64_t index)
{
  if (d->cuts != NULL) return owner_of_range(d, index);
  return (tg_layout_owner(index, d->block, d->processes) + d->source) % d->processes;
}

// My distance from the process of the first block; -1: I have none.
static int shifted(const dealing *d)
{
  return d->mine < 0 ? -1 : (d->mine + d->processes - d->source) % d->processes;
}

// Local indices of the global ones below `end`.
static int64_t local_below(const dealing *d, int64_t end)
{
  if (d->mine < 0) return 0;
  if (d->cuts == NULL) return tg_layout_count(end, d->block, shifted(d), d->processes);
  const int64_t begin = d->cuts[d->mine];
  return smaller(end, d->cuts[d->mine + 1]) - smaller(end, begin);
}

static int64_t count_here(const dealing *d)
{
  return local_below(d, d->n);
}

static int64_t global_of(const dealing *d, int64_t local)
{
  if (d->cuts != NULL) return d->cuts[d->mine] + local;
  return tg_layout_global(local, d->block, shifted(d), d->processes);
}

static side side_of_matrix(const tg_dmat *m)
{
  const tg_grid *g = m->grid;
  return (side){.rows = {m->rows, m->block, g->rows, 0, g->row, NULL},
                .cols = {m->cols, m->block, g->cols, 0, g->col, NULL},
                .from = m->data,
                .to = m->data,
                .row_step = 1,
                .col_step = m->ld};
}

// ON_ROOT: a grid of one process.
static side side_of_array(const tg_array *a, int rank)
{
  side out = {.from = a->numbers, .to = a->target, .row_step = a->row_step, .col_step = a->col_step};
  if (a->place == TG_ARRAY_DEALT) {
    const tg_array_grid *g = &a->grid;
    out.rows = (dealing){a->rows, g->row_block, g->rows, g->row_source, g->row, g->row_cuts};
    out.cols = (dealing){a->cols, g->col_block, g->cols, g->col_source, g->col, g->col_cuts};
    out.ranks = g->ranks;
    return out;
  }
  const int mine = a->place == TG_ARRAY_EVERYWHERE || rank == a->root ? 0 : -1;
  out.rows = (dealing){a->rows, a->rows, 1, 0, mine, NULL};
  out.cols = (dealing){a->cols, a->cols, 1, 0, mine, NULL};
  out.ranks = &a->root;
  return out;
}

int64_t tg_array_entries_here(const tg_array *array, int rank)
{
  const side s = side_of_array(array, rank);
  return count_here(&s.rows) * count_here(&s.cols);
}

// ---- a transfer, panel by panel ----

enum { PANEL_ENTRIES = 1 << 20 };

typedef struct panel {
  int64_t row_begin;
  int64_t row_end;
  int64_t col_begin;
  int64_t col_end;
} panel;

typedef struct transfer {
  MPI_Comm comm;
  int size;
  double *sent; // the entries of a panel each
  double *received;
  int *send_counts; // size each
  int *send_starts;
  int *receive_counts;
  int *receive_starts;
  int *owners; // of the rows of a panel on the other side
} transfer;

static tg_status reserve(MPI_Comm comm, int64_t entries, transfer *t)
{
  *t = (transfer){.comm = comm};
  MPI_Comm_size(comm, &t->size);
  tg_status status = tg_alloc_numbers(entries, &t->sent);
  if (status == TG_OK) status = tg_alloc_numbers(entries, &t->received);
  if (status == TG_OK) status = TG_NEW(4 * (int64_t)t->size, &t->send_counts);
  if (status == TG_OK) status = TG_NEW(entries, &t->owners);
  if (status != TG_OK) return status;
  t->send_starts = t->send_counts + t->size;
  t->receive_counts = t->send_starts + t->size;
  t->receive_starts = t->receive_counts + t->size;
  return TG_OK;
}

double tg_array_panel_bytes(int64_t rows, int64_t cols)
{
  return (2 * sizeof(double) + sizeof(int)) * fmin(PANEL_ENTRIES, (double)rows * (double)cols);
}

static void release(transfer *t)
{
  tg_free(t->sent);
  tg_free(t->received);
  tg_free(t->send_counts);
  tg_free(t->owners);
}

// The part of a panel that lies on one side, by local indices.
typedef struct part {
  int64_t row_begin;
  int64_t row_end;
  int64_t col_begin;
  int64_t col_end;
} part;

static part part_of(const side *s, const panel *p)
{
  return (part){local_below(&s->rows, p->row_begin), local_below(&s->rows, p->row_end),
                local_below(&s->cols, p->col_begin), local_below(&s->cols, p->col_end)};
}

// Finds the other side's process row of each of my rows in the panel, and counts the entries that go to, or come from,
// each rank.
static void address(const side *mine, const side *other, const part *here, transfer *t, int *counts, int *starts)
{
  memset(counts, 0, (size_t)t->size * sizeof *counts);
  for (int64_t i = here->row_begin; i < here->row_end; i++)
    t->owners[i - here->row_begin] = owner(&other->rows, global_of(&mine->rows, i));
  for (int64_t j = here->col_begin; j < here->col_end; j++) {
    const int col = owner(&other->cols, global_of(&mine->cols, j));
    for (int64_t i = here->row_begin; i < here->row_end; i++)
      counts[rank_of(other, t->owners[i - here->row_begin], col)]++;
  }
  for (int r = 0, sum = 0; r < t->size; sum += counts[r++]) starts[r] = sum;
}

// Both sides go through a panel by columns, so that what one rank sends another comes in the order it is taken.
static void pack(const side *from, const side *to, const part *here, transfer *t)
{
  for (int64_t j = here->col_begin; j < here->col_end; j++) {
    const int col = owner(&to->cols, global_of(&from->cols, j));
    for (int64_t i = here->row_begin; i < here->row_end; i++)
      t->sent[t->send_starts[rank_of(to, t->owners[i - here->row_begin], col)]++] =
          from->from[i * from->row_step + j * from->col_step];
  }
  for (int r = 0; r < t->size; r++) t->send_starts[r] -= t->send_counts[r];
}

static void unpack(const side *from, const side *to, const part *here, transfer *t)
{
  for (int64_t j = here->col_begin; j < here->col_end; j++) {
    const int col = owner(&from->cols, global_of(&to->cols, j));
    for (int64_t i = here->row_begin; i < here->row_end; i++)
      to->to[i * to->row_step + j * to->col_step] =
          t->received[t->receive_starts[rank_of(from, t->owners[i - here->row_begin], col)]++];
  }
}

static tg_status move_panel(const side *from, const side *to, const panel *p, transfer *t)
{
  const part mine = part_of(from, p);
  const part yours = part_of(to, p);
  address(from, to, &mine, t, t->send_counts, t->send_starts);
  pack(from, to, &mine, t);
  address(to, from, &yours, t, t->receive_counts, t->receive_starts);
  // As bits: NaN keeps what it carries.
  TG_TRY_MPI(MPI_Alltoallv(t->sent, t->send_counts, t->send_starts, MPI_UINT64_T, t->received, t->receive_counts,
                           t->receive_starts, MPI_UINT64_T, t->comm));
  unpack(from, to, &yours, t);
  return TG_OK;
}

static tg_status move_panels(const side *from, const side *to, transfer *t)
{
  const int64_t rows = from->rows.n;
  const int64_t cols = from->cols.n;
  const int64_t tall = smaller(rows, PANEL_ENTRIES);
  const int64_t wide = smaller(cols, PANEL_ENTRIES / tall);
  for (int64_t j = 0; j < cols; j += wide)
    for (int64_t i = 0; i < rows; i += tall) {
      const panel p = {i, smaller(rows, i + tall), j, smaller(cols, j + wide)};
      TG_TRY(move_panel(from, to, &p, t));
    }
  return TG_OK;
}

static tg_status move(MPI_Comm comm, const side *from, const side *to)
{
  transfer t;
  tg_status status = tg_agree(comm, reserve(comm, smaller(PANEL_ENTRIES, from->rows.n * from->cols.n), &t));
  if (status == TG_OK) status = move_panels(from, to, &t);
  release(&t);
  return status;
}

// ---- local copies ----

// What is a part of both, entry by entry: of a whole that lies here.
static void copy_here(const side *whole, const side *mine)
{
  const int64_t rows = count_here(&mine->rows);
  const int64_t cols = count_here(&mine->cols);
#pragma omp parallel for schedule(static) if (rows * cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < cols; j++) {
    const double *from = whole->from + global_of(&mine->cols, j) * whole->col_step;
    double *to = mine->to + j * mine->col_step;
    for (int64_t i = 0; i < rows; i++) to[i * mine->row_step] = from[global_of(&mine->rows, i) * whole->row_step];
  }
}

// The whole of one rank, by tiles: the steps of rows and columns may be either way round.
static void copy_whole(const double *from, int64_t from_row, int64_t from_col, double *to, int64_t to_row,
                       int64_t to_col, int64_t rows, int64_t cols)
{
  enum { TILE = 64 };
#pragma omp parallel for schedule(static) if (rows * cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j0 = 0; j0 < cols; j0 += TILE)
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
      for (int64_t j = j0; j < smaller(cols, j0 + TILE); j++)
        for (int64_t i = i0; i < smaller(rows, i0 + TILE); i++)
          to[i * to_row + j * to_col] = from[i * from_row + j * from_col];
}

// ---- reading ----

// Ranges are blocks where all but the last are as long as a block, and it is no longer.
static bool are_blocks(const dealing *d, int64_t block)
{
  for (int k = 0; k < d->processes - 1; k++)
    if (d->cuts[k + 1] - d->cuts[k] != block) return false;
  return d->n - d->cuts[d->processes - 1] <= block;
}

static bool is_dealt_alike(const dealing *d, int64_t block, int processes, int mine)
{
  if (d->processes != processes || d->mine != mine || d->source != 0) return false;
  if (d->cuts != NULL) return processes == 1 || are_blocks(d, block);
  const bool is_one_block = d->n <= d->block && d->n <= block;
  return processes == 1 || d->block == block || is_one_block;
}

// The distance of columns. A single one has no next: in row-major order its step is no distance of columns.
static int64_t leading_of(const side *s)
{
  const int64_t rows = count_here(&s->rows);
  if (count_here(&s->cols) > 1) return s->col_step;
  return rows > 1 ? rows : 1;
}

bool tg_array_fits(const tg_array *array, const tg_grid *grid)
{
  const side s = side_of_array(array, grid->rank);
  if (array->place == TG_ARRAY_ON_ROOT && (grid->size > 1 || array->root != 0)) return false;
  if (!is_dealt_alike(&s.rows, grid->block, grid->rows, grid->row)) return false;
  if (!is_dealt_alike(&s.cols, grid->block, grid->cols, grid->col)) return false;
  const int64_t rows = count_here(&s.rows);
  const int64_t leading = leading_of(&s);
  return (s.row_step == 1 || rows <= 1) && leading >= rows && leading >= 1;
}

static tg_status check_numbers(const tg_array *array, int rank, const char *name)
{
  if (array->numbers != NULL || tg_array_entries_here(array, rank) == 0) return TG_OK;
  TG_FAIL(TG_DATA, "the numbers of %s are in the memory of a program, which gave none on rank %d", name, rank);
}

static tg_status borrow(const tg_grid *grid, const tg_array *array, tg_dmat **out)
{
  const side s = side_of_array(array, grid->rank);
  TG_TRY(TG_NEW(1, out));
  // Operands are read only; a matrix has one pointer for both.
  tg_dmat_view(grid, array->rows, array->cols, grid->block, (double *)(uintptr_t)array->numbers, *out);
  (*out)->ld = leading_of(&s);
  return TG_OK;
}

static tg_status all_fit(const tg_grid *grid, const tg_array *array, bool *out)
{
  int fits = tg_array_fits(array, grid) ? 1 : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &fits, 1, MPI_INT, MPI_MIN, grid->comm));
  *out = fits == 1;
  return TG_OK;
}

static void find_in_column(const tg_dmat *m, int64_t j, bool may_be_infinite, tg_found *first)
{
  const double *column = m->data + j * m->ld;
  double poison = 0; // stays 0 while all are finite: a loop the compiler vectorises
  for (int64_t i = 0; i < m->local_rows; i++) poison += column[i] * 0;
  for (int64_t i = 0; i < m->local_rows && poison != 0; i++)
    if (isnan(column[i]) || (isinf(column[i]) && !may_be_infinite)) tg_found_note(m, i, j, column[i], 0, first);
}

static tg_status check_finite(const tg_dmat *m, const char *name, bool may_be_infinite)
{
  tg_found first = {.place = INT64_MAX};
  for (int64_t j = 0; j < m->local_cols; j++) find_in_column(m, j, may_be_infinite, &first);
  TG_TRY(tg_found_share(m->grid, &first));
  if (first.place == INT64_MAX) return TG_OK;
  TG_FAIL(TG_DATA, "%s(%" PRId64 ",%" PRId64 ") is %s, expected %s", name, first.place / m->cols + 1,
          first.place % m->cols + 1,
          isnan(first.values[0]) ? "NaN"
          : first.values[0] > 0  ? "infinite"
                                 : "-infinite",
          may_be_infinite ? "numbers" : "finite numbers");
}

static tg_status fill(const tg_array *array, tg_dmat *m)
{
  const side from = side_of_array(array, m->grid->rank);
  const side to = side_of_matrix(m);
  if (m->grid->size == 1 && array->place != TG_ARRAY_DEALT) {
    copy_whole(array->numbers, array->row_step, array->col_step, m->data, 1, m->ld, m->rows, m->cols);
    return TG_OK;
  }
  if (array->place != TG_ARRAY_EVERYWHERE) return move(m->grid->comm, &from, &to);
  copy_here(&from, &to);
  return TG_OK;
}

static tg_array_way way_of(const tg_array *array, const tg_grid *grid)
{
  if (array->place == TG_ARRAY_DEALT) return TG_ARRAY_REDISTRIBUTED;
  return array->place == TG_ARRAY_ON_ROOT && grid->size > 1 ? TG_ARRAY_SCATTERED : TG_ARRAY_COPIED;
}

tg_status tg_array_read(const tg_grid *grid, const tg_array *array, const char *name, bool may_borrow,
                        bool may_be_infinite, tg_dmat **out, tg_array_way *way)
{
  bool fits = false;
  *out = NULL;
  TG_TRY(tg_agree(grid->comm, check_numbers(array, grid->rank, name)));
  if (may_borrow) TG_TRY(all_fit(grid, array, &fits));
  *way = fits ? TG_ARRAY_BORROWED : way_of(array, grid);
  TG_TRY(tg_agree(grid->comm, fits ? borrow(grid, array, out) : tg_dmat_create(grid, array->rows, array->cols, out)));
  tg_status status = fits ? TG_OK : fill(array, *out);
  if (status == TG_OK) status = check_finite(*out, name, may_be_infinite);
  if (status != TG_OK) tg_dmat_destroy(out);
  return status;
}

tg_status tg_array_fill(const tg_array *array, const char *name, tg_dmat *out)
{
  TG_TRY(tg_agree(out->grid->comm, check_numbers(array, out->grid->rank, name)));
  return fill(array, out);
}

// ---- writing ----

// Some columns at a time, whole on every rank.
static tg_status gather(const tg_dmat *m, const tg_array *array, double *columns)
{
  const int64_t wide = PANEL_ENTRIES > m->rows ? PANEL_ENTRIES / m->rows : 1;
  for (int64_t j = 0; j < m->cols; j += wide) {
    const int64_t end = smaller(m->cols, j + wide);
    TG_TRY(tg_dmat_gather_columns(m, j, end, columns));
    copy_whole(columns, 1, m->rows, array->target + j * array->col_step, array->row_step, array->col_step, m->rows,
               end - j);
  }
  return TG_OK;
}

static tg_status write_everywhere(const tg_dmat *m, const tg_array *array)
{
  double *columns = NULL;
  TG_TRY(tg_agree_memory(m->grid->comm, tg_alloc_numbers(PANEL_ENTRIES > m->rows ? PANEL_ENTRIES : m->rows, &columns),
                         &columns));
  const tg_status status = gather(m, array, columns);
  tg_free(columns);
  return status;
}

static tg_status check_target(const tg_array *array, int rank, const char *name)
{
  if (array->target != NULL || tg_array_entries_here(array, rank) == 0) return TG_OK;
  TG_FAIL(TG_USAGE, "%s needs memory for its numbers on rank %d, found NULL", name, rank);
}

tg_status tg_array_write(const tg_dmat *m, const tg_array *array, const char *name)
{
  const tg_grid *grid = m->grid;
  TG_TRY(tg_agree(grid->comm, check_target(array, grid->rank, name)));
  if (grid->size == 1 && array->place != TG_ARRAY_DEALT) {
    copy_whole(m->data, 1, m->ld, array->target, array->row_step, array->col_step, m->rows, m->cols);
    return TG_OK;
  }
  if (array->place == TG_ARRAY_EVERYWHERE) return write_everywhere(m, array);
  const side from = side_of_matrix(m);
  const side to = side_of_array(array, grid->rank);
  return move(grid->comm, &from, &to);
}
