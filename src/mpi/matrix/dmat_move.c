// Moving entries between owners: reshaping, other layouts, diagonals.
#include <inttypes.h>
#include <string.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"

// --- the general exchange ----------------------------------------------------------------------------

// A value and where it goes in the receiver's local part.
typedef struct packet {
  int64_t offset;
  double value;
} packet;

enum { PACKET_NUMBERS = sizeof(packet) / sizeof(double), ROUND_ENTRIES = 1 << 18, ROUND_LEAST = 1 << 10 };

// The buffers of one exchange.
typedef struct exchange {
  int64_t per_round; // entries of mine that travel in one round
  int size;
  packet *unsorted;   // per_round
  int64_t *receivers; // per_round
  packet *sent;       // per_round
  packet *received;   // per_round * size: more cannot come in one round
  int *send_counts;   // of packets, then of numbers
  int *send_starts;
  int *receive_counts;
  int *receive_starts;
} exchange;

static tg_status reserve_exchange(tg_workspace *workspace, int size, exchange *x)
{
  x->size = size;
  x->per_round = ROUND_ENTRIES / size > ROUND_LEAST ? ROUND_ENTRIES / size : ROUND_LEAST;
  double *room[4];
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_PACK, x->per_round * PACKET_NUMBERS, &room[0]));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_SEND, x->per_round * PACKET_NUMBERS, &room[1]));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_RECEIVE, x->per_round * size * PACKET_NUMBERS, &room[2]));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_INDEX, x->per_round + 2 * (int64_t)size, &room[3]));
  x->unsorted = (packet *)(void *)room[0];
  x->sent = (packet *)(void *)room[1];
  x->received = (packet *)(void *)room[2];
  x->receivers = (int64_t *)(void *)room[3];
  x->send_counts = (int *)(void *)(room[3] + x->per_round);
  x->send_starts = x->send_counts + size;
  x->receive_counts = x->send_starts + size;
  x->receive_starts = x->receive_counts + size;
  return TG_OK;
}

// Finds the receivers of my entries begin .. end (numbered down the local columns) and counts them.
static void address_entries(const tg_dmat *in, tg_dmat_map map, const tg_dmat *out, int64_t begin, int64_t end,
                            exchange *x)
{
  const tg_grid *from = in->grid;
  const tg_grid *to = out->grid;
  memset(x->send_counts, 0, (size_t)x->size * sizeof(int));
  for (int64_t e = begin; e < end; e++) {
    const int64_t li = e % in->local_rows;
    const int64_t lj = e / in->local_rows;
    int64_t i = 0;
    int64_t j = 0;
    x->receivers[e - begin] = -1;
    map.place(map.self, tg_layout_global(li, in->block, from->row, from->rows),
              tg_layout_global(lj, in->block, from->col, from->cols), &i, &j);
    if (i < 0) continue;
    const int p = tg_layout_owner(i, out->block, to->rows);
    const int q = tg_layout_owner(j, out->block, to->cols);
    const int64_t ld = tg_dmat_leading_dimension(tg_layout_count(out->rows, out->block, p, to->rows));
    x->receivers[e - begin] = p * to->cols + q;
    x->unsorted[e - begin] =
        (packet){.offset = tg_layout_local(i, out->block, to->rows) + tg_layout_local(j, out->block, to->cols) * ld,
                 .value = in->data[li + lj * in->ld]};
    x->send_counts[p * to->cols + q]++;
  }
}

static void starts_of(const int *counts, int size, int *starts)
{
  int sum = 0;
  for (int r = 0; r < size; r++) {
    starts[r] = sum;
    sum += counts[r];
  }
}

// A counting sort by receiver.
static void sort_packets(int64_t count, exchange *x)
{
  starts_of(x->send_counts, x->size, x->send_starts);
  for (int64_t e = 0; e < count; e++)
    if (x->receivers[e] >= 0) x->sent[x->send_starts[x->receivers[e]]++] = x->unsorted[e];
  starts_of(x->send_counts, x->size, x->send_starts);
}

static tg_status send_packets(MPI_Comm comm, exchange *x, int64_t *received)
{
  const int size = x->size;
  TG_TRY_MPI(MPI_Alltoall(x->send_counts, 1, MPI_INT, x->receive_counts, 1, MPI_INT, comm));
  starts_of(x->receive_counts, size, x->receive_starts);
  *received = x->receive_starts[size - 1] + x->receive_counts[size - 1];
  for (int r = 0; r < size; r++) {
    x->send_counts[r] *= PACKET_NUMBERS;
    x->send_starts[r] *= PACKET_NUMBERS;
    x->receive_counts[r] *= PACKET_NUMBERS;
    x->receive_starts[r] *= PACKET_NUMBERS;
  }
  TG_TRY_MPI(MPI_Alltoallv(x->sent, x->send_counts, x->send_starts, MPI_UINT64_T, x->received, x->receive_counts,
                           x->receive_starts, MPI_UINT64_T, comm));
  return TG_OK;
}

tg_status tg_dmat_exchange(tg_workspace *workspace, const tg_dmat *in, tg_dmat_map map, tg_dmat *out)
{
  if (in->grid->size != out->grid->size)
    TG_FAIL(TG_INTERNAL, "matrices on %d and %d ranks exchange no entries", in->grid->size, out->grid->size);
  exchange x = {0};
  TG_TRY(reserve_exchange(workspace, in->grid->size, &x));
  const int64_t mine = in->local_rows * in->local_cols;
  // Rank 0 owns at least as much as any other: its number of rounds does for all.
  const int64_t most =
      tg_layout_count(in->rows, in->block, 0, in->grid->rows) * tg_layout_count(in->cols, in->block, 0, in->grid->cols);
  for (int64_t begin = 0; begin < most; begin += x.per_round) {
    const int64_t first = begin < mine ? begin : mine;
    const int64_t end = first + x.per_round < mine ? first + x.per_round : mine;
    address_entries(in, map, out, first, end, &x);
    sort_packets(end - first, &x);
    int64_t received = 0;
    TG_TRY(send_packets(in->grid->comm, &x, &received));
    for (int64_t e = 0; e < received; e++) out->data[x.received[e].offset] = x.received[e].value;
  }
  return TG_OK;
}

// --- other layouts and shapes ------------------------------------------------------------------------

static void place_same(const void *self, int64_t i, int64_t j, int64_t *to_i, int64_t *to_j)
{
  (void)self;
  *to_i = i;
  *to_j = j;
}

tg_status tg_dmat_redistribute(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  if (!tg_dmat_same_shape(in, out))
    TG_FAIL(TG_INTERNAL, "a %" PRId64 " x %" PRId64 " matrix is not redistributed to %" PRId64 " x %" PRId64, in->rows,
            in->cols, out->rows, out->cols);
  if (tg_dmat_is_aligned(in, out)) return tg_dmat_copy(in, out);
  return tg_dmat_exchange(workspace, in, (tg_dmat_map){place_same, NULL}, out);
}

typedef struct reshape_map {
  int64_t from_rows;
  int64_t to_rows;
} reshape_map;

static void place_reshaped(const void *self, int64_t i, int64_t j, int64_t *to_i, int64_t *to_j)
{
  const reshape_map *map = self;
  const int64_t position = i + j * map->from_rows;
  *to_i = position % map->to_rows;
  *to_j = position / map->to_rows;
}

tg_status tg_dmat_reshape(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  if (in->rows * in->cols != out->rows * out->cols)
    TG_FAIL(TG_INTERNAL, "%" PRId64 " x %" PRId64 " entries are not reshaped to %" PRId64 " x %" PRId64, in->rows,
            in->cols, out->rows, out->cols);
  if (tg_dmat_same_shape(in, out)) return tg_dmat_redistribute(workspace, in, out);
  const reshape_map map = {in->rows, out->rows};
  return tg_dmat_exchange(workspace, in, (tg_dmat_map){place_reshaped, &map}, out);
}

typedef struct slice_map {
  int64_t down;
  int64_t right;
  int64_t rows; // of the result
  int64_t cols;
} slice_map;

static void place_shifted(const void *self, int64_t i, int64_t j, int64_t *to_i, int64_t *to_j)
{
  const slice_map *map = self;
  *to_i = i - map->down;
  *to_j = j - map->right;
  if (*to_i >= map->rows || *to_j < 0 || *to_j >= map->cols) *to_i = -1;
}

tg_status tg_dmat_slice(tg_workspace *workspace, const tg_dmat *in, int64_t down, int64_t right, tg_dmat *out)
{
  const slice_map map = {down, right, out->rows, out->cols};
  tg_dmat_fill(0, out);
  return tg_dmat_exchange(workspace, in, (tg_dmat_map){place_shifted, &map}, out);
}

// --- diagonals ---------------------------------------------------------------------------------------

// Shapes agree, and the diagonal is short enough to send: global sizes, so all ranks judge alike.
static tg_status check_diagonal(int64_t n, const tg_dmat *square, const tg_dmat *vector)
{
  if (square->rows != n || square->cols != n || !tg_dmat_is_aligned(square, vector))
    TG_FAIL(TG_INTERNAL, "the diagonal of %" PRId64 " x %" PRId64 " is not a vector of %" PRId64, square->rows,
            square->cols, n);
  int length = 0;
  return tg_abi_int(n, "the length of a diagonal", &length);
}

tg_status tg_dmat_diag(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  const tg_grid *grid = in->grid;
  const bool is_column = in->cols == 1;
  const int64_t n = is_column ? in->rows : in->cols;
  TG_TRY(check_diagonal(n, out, in));
  double *vector = NULL;
  const int64_t most = tg_layout_count(n, in->block, 0, 1);
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_VECTORS, most, &vector));
  const int64_t count = is_column ? in->local_rows : out->local_cols;
  if (is_column ? grid->col == 0 : grid->row == 0)
    for (int64_t k = 0; k < count; k++) vector[k] = is_column ? in->data[k] : in->data[k * in->ld];
  TG_TRY_MPI(MPI_Bcast(vector, (int)count, MPI_DOUBLE, 0, is_column ? grid->row_comm : grid->col_comm));
  tg_dmat_fill(0, out);
  for (int64_t lj = 0; lj < out->local_cols; lj++) {
    const int64_t g = tg_layout_global(lj, out->block, grid->col, grid->cols);
    if (tg_layout_owner(g, out->block, grid->rows) != grid->row) continue;
    const int64_t li = tg_layout_local(g, out->block, grid->rows);
    out->data[li + lj * out->ld] = vector[is_column ? li : lj];
  }
  return TG_OK;
}

tg_status tg_dmat_diagvec(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out)
{
  const tg_grid *grid = in->grid;
  TG_TRY(check_diagonal(out->rows, in, out));
  if (out->cols != 1) TG_FAIL(TG_INTERNAL, "a diagonal is a column, not %" PRId64 " columns", out->cols);
  double *vector = NULL;
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_VECTORS, 2 * in->rows, &vector));
  const int count = (int)in->local_rows;
  double *gathered = vector + in->rows;
  memset(vector, 0, (size_t)count * sizeof(double));
  for (int64_t lj = 0; lj < in->local_cols; lj++) {
    const int64_t g = tg_layout_global(lj, in->block, grid->col, grid->cols);
    if (tg_layout_owner(g, in->block, grid->rows) != grid->row) continue;
    const int64_t li = tg_layout_local(g, in->block, grid->rows);
    vector[li] = in->data[li + lj * in->ld];
  }
  // Every entry has one owner in the grid row and zero bits elsewhere: "or" moves it exactly.
  TG_TRY_MPI(MPI_Reduce(vector, gathered, count, MPI_UINT64_T, MPI_BOR, 0, grid->row_comm));
  if (grid->col == 0) memcpy(out->data, gathered, (size_t)count * sizeof(double));
  return TG_OK;
}
