// Panel-wise exchange between slabs of a file and block-cyclic blocks.
#include "mpi/file/slab.h"

#include "base/memory.h"

static int64_t min64(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

void tg_slab_plan_init(const tg_dmat *matrix, tg_slab_order order, int64_t panel_bytes, tg_slab_plan *out)
{
  *out = (tg_slab_plan){.rows = matrix->rows,
                        .cols = matrix->cols,
                        .order = order,
                        .panel_bytes = panel_bytes,
                        .block = matrix->block,
                        .grid_rows = matrix->grid->rows,
                        .grid_cols = matrix->grid->cols};
}

// No process owns more than this many of `count` consecutive indices: they touch at most count / block + 2 blocks.
static int64_t owned_at_most(int64_t count, int64_t block, int np)
{
  const int64_t blocks = count / block + 2;
  return min64(count, (blocks + np - 1) / np * block);
}

// The entries one rank may own of a panel: what it receives, or sends, in one exchange.
static int64_t owned_in_panel(const tg_slab_plan *plan, int64_t lines, int64_t length)
{
  const bool by_rows = plan->order == TG_ROW_MAJOR;
  return owned_at_most(lines, plan->block, by_rows ? plan->grid_rows : plan->grid_cols) *
         owned_at_most(length, plan->block, by_rows ? plan->grid_cols : plan->grid_rows);
}

// A panel gives each rank at most panel_bytes in file order. It is then halved until no owner gets more than twice
// that: a column or row vector lives on one line of the grid, whose few ranks would receive what all of them read.
bool tg_slab_next(const tg_slab_plan *plan, int64_t *position, tg_slab_panel *out)
{
  const bool by_rows = plan->order == TG_ROW_MAJOR;
  const int64_t length = by_rows ? plan->cols : plan->rows;
  const int64_t all_lines = by_rows ? plan->rows : plan->cols;
  if (*position >= length * all_lines) return false;
  const int64_t ranks = (int64_t)plan->grid_rows * plan->grid_cols;
  const int64_t entries = max64(1, plan->panel_bytes / (int64_t)sizeof(double));
  out->line = *position / length;
  out->offset = *position % length;
  out->length = length - out->offset;
  out->lines = min64(entries / length * ranks, all_lines - out->line);
  if (out->offset > 0 || out->lines == 0) {
    out->lines = 1;
    out->length = min64(out->length, entries * ranks);
  }
  while (owned_in_panel(plan, out->lines, out->length) > 2 * entries && out->lines > 1) out->lines = out->lines / 2;
  while (owned_in_panel(plan, out->lines, out->length) > 2 * entries && out->length > 1) out->length = out->length / 2;
  *position += out->lines * out->length;
  return true;
}

tg_slab tg_slab_of_rank(const tg_slab_plan *plan, const tg_slab_panel *panel, int rank)
{
  const int64_t ranks = (int64_t)plan->grid_rows * plan->grid_cols;
  int64_t line = panel->line;
  int64_t lines = panel->lines;
  int64_t offset = panel->offset;
  int64_t count = panel->length;
  if (panel->lines == 1) {
    offset += panel->length / ranks * rank + min64(rank, panel->length % ranks);
    count = panel->length / ranks + (rank < panel->length % ranks ? 1 : 0);
  } else {
    line += panel->lines / ranks * rank + min64(rank, panel->lines % ranks);
    lines = panel->lines / ranks + (rank < panel->lines % ranks ? 1 : 0);
  }
  if (plan->order == TG_ROW_MAJOR) return (tg_slab){.row = line, .rows = lines, .col = offset, .cols = count};
  return (tg_slab){.row = offset, .rows = count, .col = line, .cols = lines};
}

// The first panel is as large as any; by rows, as most files are.
double tg_slab_bytes(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  const tg_slab_plan plan = {rows,           cols, TG_ROW_MAJOR, TG_SLAB_PANEL_BYTES, grid->block, (int)grid->rows,
                             (int)grid->cols};
  int64_t position = 0;
  tg_slab_panel panel = {0};
  if (!tg_slab_next(&plan, &position, &panel)) return 0;
  const tg_slab slab = tg_slab_of_rank(&plan, &panel, 0);
  const double owned = (double)tg_layout_count(panel.lines, plan.block, 0, plan.grid_rows) *
                       (double)tg_layout_count(panel.length, plan.block, 0, plan.grid_cols);
  return 8 * (2 * (double)slab.rows * (double)slab.cols + owned);
}

int64_t tg_slab_position(const tg_slab_plan *plan, const tg_slab *slab)
{
  return plan->order == TG_ROW_MAJOR ? slab->row * plan->cols + slab->col : slab->col * plan->rows + slab->row;
}

// Two-dimensional strided view: entry (i, j) at data[i * step_i + j * step_j].
typedef struct view {
  double *data;
  int64_t step_i;
  int64_t step_j;
} view;

// Copies rows x cols entries. In tiles, because one side usually runs across the cache lines of the other.
static void copy_view(int64_t rows, int64_t cols, view from, view to)
{
  enum { TILE = 16 };
  for (int64_t j0 = 0; j0 < cols; j0 += TILE)
    for (int64_t i0 = 0; i0 < rows; i0 += TILE) {
      const int64_t i1 = min64(i0 + TILE, rows);
      const int64_t j1 = min64(j0 + TILE, cols);
      for (int64_t j = j0; j < j1; j++)
        for (int64_t i = i0; i < i1; i++)
          to.data[i * to.step_i + j * to.step_j] = from.data[i * from.step_i + j * from.step_j];
    }
}

static view view_at(view base, int64_t i, int64_t j)
{
  return (view){base.data + i * base.step_i + j * base.step_j, base.step_i, base.step_j};
}

// Consecutive global indices [begin, begin + count) inside one block, owned by one process.
typedef struct run {
  int64_t begin;
  int64_t count;
} run;

// The first run at or after `from` and before `end` that process p of np owns; count 0 when there is none.
static run next_run(int64_t from, int64_t end, int64_t block, int p, int np)
{
  const int64_t number = from / block;
  const int64_t ahead = (p - number % np + np) % np;
  const int64_t begin = ahead == 0 ? from : (number + ahead) * block;
  if (begin >= end) return (run){end, 0};
  return (run){begin, min64((begin / block + 1) * block, end) - begin};
}

// Indices of [begin, begin + count) that process p of np owns.
static int64_t count_owned(int64_t begin, int64_t count, int64_t block, int p, int np)
{
  return tg_layout_count(begin + count, block, p, np) - tg_layout_count(begin, block, p, np);
}

// The piece of a slab that one rank owns travels column-major, its rows and columns in global order.
typedef struct piece {
  tg_slab slab;
  int grid_row;
  int grid_col;
  int64_t rows;
  int64_t cols;
} piece;

static piece piece_of(const tg_slab_plan *plan, tg_slab slab, int grid_row, int grid_col)
{
  return (piece){.slab = slab,
                 .grid_row = grid_row,
                 .grid_col = grid_col,
                 .rows = count_owned(slab.row, slab.rows, plan->block, grid_row, plan->grid_rows),
                 .cols = count_owned(slab.col, slab.cols, plan->block, grid_col, plan->grid_cols)};
}

typedef enum direction { PACK, UNPACK } direction;

// Between the slab in file order and the message of one piece.
static void move_slab_piece(const tg_slab_plan *plan, const piece *p, direction way, view file, view wire)
{
  const tg_slab *slab = &p->slab;
  const int64_t row_end = slab->row + slab->rows;
  const int64_t col_end = slab->col + slab->cols;
  int64_t wire_j = 0;
  for (run c = next_run(slab->col, col_end, plan->block, p->grid_col, plan->grid_cols); c.count > 0;
       c = next_run(c.begin + c.count, col_end, plan->block, p->grid_col, plan->grid_cols)) {
    int64_t wire_i = 0;
    for (run r = next_run(slab->row, row_end, plan->block, p->grid_row, plan->grid_rows); r.count > 0;
         r = next_run(r.begin + r.count, row_end, plan->block, p->grid_row, plan->grid_rows)) {
      const view a = view_at(file, r.begin - slab->row, c.begin - slab->col);
      const view b = view_at(wire, wire_i, wire_j);
      copy_view(r.count, c.count, way == PACK ? a : b, way == PACK ? b : a);
      wire_i += r.count;
    }
    wire_j += c.count;
  }
}

// Between my blocks and the message of one piece: the piece is a rectangle of consecutive local indices.
static void move_local_piece(const tg_dmat *matrix, const piece *p, direction way, view wire)
{
  const tg_grid *grid = matrix->grid;
  if (p->rows == 0 || p->cols == 0) return;
  const int64_t i = tg_layout_count(p->slab.row, matrix->block, grid->row, grid->rows);
  const int64_t j = tg_layout_count(p->slab.col, matrix->block, grid->col, grid->cols);
  const view mine = view_at((view){matrix->data, 1, matrix->ld}, i, j);
  copy_view(p->rows, p->cols, way == PACK ? mine : wire, way == PACK ? wire : mine);
}

// One transfer's buffers and counts. `slab` arrays describe my slab's pieces by owner, `local` arrays my blocks'
// pieces by the rank that holds the slab.
typedef struct transfer {
  const tg_dmat *matrix;
  const tg_slab_plan *plan;
  double *numbers;      // my slab in file order
  double *slab_message; // the same, cut into pieces
  double *local_message;
  int64_t slab_capacity;
  int64_t local_capacity;
  int *slab_counts;
  int *slab_starts;
  int *local_counts;
  int *local_starts;
} transfer;

static void transfer_fini(transfer *t)
{
  tg_free(t->numbers);
  tg_free(t->slab_message);
  tg_free(t->local_message);
  tg_free(t->slab_counts);
}

static tg_status transfer_init(const tg_dmat *matrix, const tg_slab_plan *plan, transfer *t)
{
  const int64_t ranks = matrix->grid->size;
  *t = (transfer){.matrix = matrix, .plan = plan};
  TG_TRY(TG_NEW(4 * ranks, &t->slab_counts));
  t->slab_starts = t->slab_counts + ranks;
  t->local_counts = t->slab_starts + ranks;
  t->local_starts = t->local_counts + ranks;
  return TG_OK;
}

// Makes room for a panel; panels do not grow, so this allocates in the first one only.
static tg_status reserve(int64_t slab_entries, int64_t local_entries, transfer *t)
{
  if (slab_entries > t->slab_capacity) {
    TG_TRY(tg_grow(slab_entries, sizeof(double), (void **)&t->numbers));
    TG_TRY(tg_grow(slab_entries, sizeof(double), (void **)&t->slab_message));
    t->slab_capacity = slab_entries;
  }
  if (local_entries > t->local_capacity) {
    TG_TRY(tg_grow(local_entries, sizeof(double), (void **)&t->local_message));
    t->local_capacity = local_entries;
  }
  return TG_OK;
}

static tg_status checked_count(int64_t entries, int64_t start, int *count, int *offset)
{
  if (start + entries > INT32_MAX)
    TG_FAIL(TG_LIMIT, "a file panel of %lld entries does not fit an MPI count", (long long)(start + entries));
  *count = (int)entries;
  *offset = (int)start;
  return TG_OK;
}

// Counts of one panel's exchange, the same arithmetic on both sides; then room for its messages.
static tg_status plan_panel(transfer *t, const tg_slab_panel *panel, tg_slab *mine)
{
  const tg_grid *grid = t->matrix->grid;
  int64_t slab_total = 0;
  int64_t local_total = 0;
  *mine = tg_slab_of_rank(t->plan, panel, grid->rank);
  for (int rank = 0; rank < grid->size; rank++) {
    const piece out = piece_of(t->plan, *mine, rank / grid->cols, rank % grid->cols);
    TG_TRY(checked_count(out.rows * out.cols, slab_total, &t->slab_counts[rank], &t->slab_starts[rank]));
    slab_total += out.rows * out.cols;
    const piece in = piece_of(t->plan, tg_slab_of_rank(t->plan, panel, rank), grid->row, grid->col);
    TG_TRY(checked_count(in.rows * in.cols, local_total, &t->local_counts[rank], &t->local_starts[rank]));
    local_total += in.rows * in.cols;
  }
  return reserve(slab_total, local_total, t);
}

static void move_slab(transfer *t, tg_slab mine, direction way)
{
  const tg_grid *grid = t->matrix->grid;
  const bool by_rows = t->plan->order == TG_ROW_MAJOR;
  const view file = {t->numbers, by_rows ? mine.cols : 1, by_rows ? 1 : mine.rows};
  for (int rank = 0; rank < grid->size; rank++) {
    const piece p = piece_of(t->plan, mine, rank / grid->cols, rank % grid->cols);
    if (t->slab_counts[rank] == 0) continue;
    move_slab_piece(t->plan, &p, way, file, (view){t->slab_message + t->slab_starts[rank], 1, p.rows});
  }
}

static void move_local(transfer *t, const tg_slab_panel *panel, direction way)
{
  const tg_grid *grid = t->matrix->grid;
  for (int rank = 0; rank < grid->size; rank++) {
    const piece p = piece_of(t->plan, tg_slab_of_rank(t->plan, panel, rank), grid->row, grid->col);
    if (t->local_counts[rank] == 0) continue;
    move_local_piece(t->matrix, &p, way, (view){t->local_message + t->local_starts[rank], 1, p.rows});
  }
}

// ---- one rank: nothing to exchange ----

// Where a slab of whole columns lies in the matrix as it lies in the file; NULL where it does not.
static double *same_order(const transfer *t, const tg_slab *mine)
{
  const tg_dmat *matrix = t->matrix;
  const bool is_dense = matrix->ld == matrix->rows && mine->rows == matrix->rows;
  const bool is_piece = mine->cols == 1;
  if (t->plan->order == TG_ROW_MAJOR || !(is_dense || is_piece)) return NULL;
  return matrix->data + mine->col * matrix->ld + mine->row;
}

static void move_alone(transfer *t, const tg_slab *mine, direction way)
{
  const bool by_rows = t->plan->order == TG_ROW_MAJOR;
  const view file = {t->numbers, by_rows ? mine->cols : 1, by_rows ? 1 : mine->rows};
  const view entries = view_at((view){t->matrix->data, 1, t->matrix->ld}, mine->row, mine->col);
  copy_view(mine->rows, mine->cols, way == PACK ? entries : file, way == PACK ? file : entries);
}

static tg_status reserve_alone(const tg_slab *mine, transfer *t)
{
  const int64_t entries = mine->rows * mine->cols;
  if (entries <= t->slab_capacity) return TG_OK;
  TG_TRY(tg_grow(entries, sizeof(double), (void **)&t->numbers));
  t->slab_capacity = entries;
  return TG_OK;
}

static tg_status read_alone(transfer *t, const tg_slab_panel *panel, tg_slab_fetch fetch, void *context)
{
  const tg_slab mine = tg_slab_of_rank(t->plan, panel, 0);
  double *in_place = same_order(t, &mine);
  if (in_place != NULL) return fetch(context, &mine, in_place);
  TG_TRY(reserve_alone(&mine, t));
  TG_TRY(fetch(context, &mine, t->numbers));
  move_alone(t, &mine, UNPACK);
  return TG_OK;
}

static tg_status write_alone(transfer *t, const tg_slab_panel *panel, tg_slab_store store, void *context)
{
  const tg_slab mine = tg_slab_of_rank(t->plan, panel, 0);
  const double *in_place = same_order(t, &mine);
  if (in_place != NULL) return store(context, &mine, in_place);
  TG_TRY(reserve_alone(&mine, t));
  move_alone(t, &mine, PACK);
  return store(context, &mine, t->numbers);
}

// ---- a panel ----

static tg_status read_panel(transfer *t, const tg_slab_panel *panel, tg_slab_fetch fetch, void *context)
{
  MPI_Comm comm = t->matrix->grid->comm;
  if (t->matrix->grid->size == 1) return read_alone(t, panel, fetch, context);
  tg_slab mine = {0, 0, 0, 0};
  tg_status local = plan_panel(t, panel, &mine);
  if (local == TG_OK) local = fetch(context, &mine, t->numbers);
  TG_TRY(tg_agree(comm, local));
  move_slab(t, mine, PACK);
  TG_TRY_MPI(MPI_Alltoallv(t->slab_message, t->slab_counts, t->slab_starts, MPI_DOUBLE, t->local_message,
                           t->local_counts, t->local_starts, MPI_DOUBLE, comm));
  move_local(t, panel, UNPACK);
  return TG_OK;
}

tg_status tg_slab_read(tg_dmat *matrix, const tg_slab_plan *plan, tg_slab_fetch fetch, void *context)
{
  transfer t;
  tg_slab_panel panel;
  int64_t position = 0;
  tg_status status = tg_agree(matrix->grid->comm, transfer_init(matrix, plan, &t));
  while (status == TG_OK && tg_slab_next(plan, &position, &panel)) status = read_panel(&t, &panel, fetch, context);
  transfer_fini(&t);
  return status;
}

// The agreement on room comes before the exchange, the one on the stored bytes after it, so that a full disk stops
// every rank in the panel in which it is met.
static tg_status write_panel(transfer *t, const tg_slab_panel *panel, tg_slab_store store, void *context)
{
  MPI_Comm comm = t->matrix->grid->comm;
  if (t->matrix->grid->size == 1) return write_alone(t, panel, store, context);
  tg_slab mine = {0, 0, 0, 0};
  TG_TRY(tg_agree(comm, plan_panel(t, panel, &mine)));
  move_local(t, panel, PACK);
  TG_TRY_MPI(MPI_Alltoallv(t->local_message, t->local_counts, t->local_starts, MPI_DOUBLE, t->slab_message,
                           t->slab_counts, t->slab_starts, MPI_DOUBLE, comm));
  move_slab(t, mine, UNPACK);
  return tg_agree(comm, store(context, &mine, t->numbers));
}

tg_status tg_slab_write(const tg_dmat *matrix, const tg_slab_plan *plan, tg_slab_store store, void *context)
{
  transfer t;
  tg_slab_panel panel;
  int64_t position = 0;
  tg_status status = tg_agree(matrix->grid->comm, transfer_init(matrix, plan, &t));
  while (status == TG_OK && tg_slab_next(plan, &position, &panel)) status = write_panel(&t, &panel, store, context);
  transfer_fini(&t);
  return status;
}
