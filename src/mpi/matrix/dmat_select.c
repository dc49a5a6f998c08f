// Rows or columns of a block-cyclic matrix as a matrix of their own.
//
// Rows move within their process column only. A selection keeps their order, so that sender and receiver count through
// the same lines: only numbers travel, in pieces of bounded size.
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"

enum { PIECE_ENTRIES = 1 << 20 };

// One rank's side of the move. A line is a row or a column that may be taken; places are where the lines are cut.
typedef struct move {
  bool is_columns;
  int size; // of the communicator
  MPI_Comm comm;
  int64_t *sent;     // my lines, by receiver
  int64_t *received; // of the result, by sender
  int *send_lines;   // how many, by rank
  int *receive_lines;
  int *counts; // of a piece, four of each rank
  double *out; // buffers of a piece
  double *in;
} move;

static double *at(const tg_dmat *m, bool is_columns, int64_t line, int64_t place)
{
  return &m->data[is_columns ? place + line * m->ld : line + place * m->ld];
}

static void fini(move *v)
{
  tg_free(v->sent);
  tg_free(v->received);
  tg_free(v->send_lines);
  tg_free(v->receive_lines);
  tg_free(v->counts);
  tg_free(v->out);
  tg_free(v->in);
}

static int64_t places_of(const tg_dmat *m, bool is_columns)
{
  return is_columns ? m->local_rows : m->local_cols;
}

// Places of a piece: the same on all ranks of the communicator, whose longest part it is sized by.
static int64_t piece_of(const tg_dmat *m, const move *v)
{
  const int64_t lines = tg_layout_count(v->is_columns ? m->cols : m->rows, m->block, 0, v->size);
  const int64_t piece = PIECE_ENTRIES / (lines > 0 ? lines : 1);
  return piece > 0 ? piece : 1;
}

static tg_status init(const tg_dmat *in, const tg_dmat *out, move *v)
{
  const int64_t mine = v->is_columns ? in->local_cols : in->local_rows;
  const int64_t theirs = v->is_columns ? out->local_cols : out->local_rows;
  const int64_t piece = piece_of(in, v);
  TG_TRY(TG_NEW(mine + 1, &v->sent));
  TG_TRY(TG_NEW(theirs + 1, &v->received));
  TG_TRY(TG_NEW(v->size, &v->send_lines));
  TG_TRY(TG_NEW(v->size, &v->receive_lines));
  TG_TRY(TG_NEW(4 * (int64_t)v->size, &v->counts));
  TG_TRY(TG_NEW(piece * mine + 1, &v->out));
  return TG_NEW(piece * theirs + 1, &v->in);
}

// Who has a line of the whole, and where it is there.
static void list_lines(const tg_dmat *in, const tg_dmat *out, const int64_t *to, int me, move *v)
{
  const int64_t length = v->is_columns ? in->cols : in->rows;
  int64_t n_sent = 0;
  int64_t n_received = 0;
  for (int peer = 0; peer < v->size; peer++) {
    const int64_t sent_before = n_sent;
    const int64_t received_before = n_received;
    for (int64_t k = 0; k < length; k++) {
      if (to[k] < 0) continue;
      const int from = tg_layout_owner(k, in->block, v->size);
      const int target = tg_layout_owner(to[k], out->block, v->size);
      if (from == me && target == peer) v->sent[n_sent++] = tg_layout_local(k, in->block, v->size);
      if (from == peer && target == me) v->received[n_received++] = tg_layout_local(to[k], out->block, v->size);
    }
    v->send_lines[peer] = (int)(n_sent - sent_before);
    v->receive_lines[peer] = (int)(n_received - received_before);
  }
}

// The buffer holds, place by place, the lines of one rank after the other's.
static void copy_piece(const tg_dmat *m, const move *v, int64_t first, int64_t last, bool is_out)
{
  const int64_t *list = is_out ? v->sent : v->received;
  const int *lines = is_out ? v->send_lines : v->receive_lines;
  double *buffer = is_out ? v->out : v->in;
  for (int peer = 0; peer < v->size; peer++) {
    for (int64_t place = first; place < last; place++)
      for (int k = 0; k < lines[peer]; k++) {
        double *entry = at(m, v->is_columns, list[k], place);
        if (is_out)
          *buffer++ = *entry;
        else
          *entry = *buffer++;
      }
    list += lines[peer];
  }
}

static tg_status exchange_piece(const move *v, int64_t width)
{
  int *counts[4];
  for (int k = 0; k < 4; k++) counts[k] = v->counts + (ptrdiff_t)k * v->size;
  for (int peer = 0, sent = 0, received = 0; peer < v->size; peer++) {
    counts[0][peer] = (int)(v->send_lines[peer] * width);
    counts[1][peer] = sent;
    counts[2][peer] = (int)(v->receive_lines[peer] * width);
    counts[3][peer] = received;
    sent += counts[0][peer];
    received += counts[2][peer];
  }
  return tg_mpi_check(
      MPI_Alltoallv(v->out, counts[0], counts[1], MPI_DOUBLE, v->in, counts[2], counts[3], MPI_DOUBLE, v->comm),
      TG_HERE);
}

// One rank has all the lines: nothing is sent.
static void select_alone(const tg_dmat *in, const int64_t *to, bool is_columns, tg_dmat *out)
{
  const int64_t lines = is_columns ? in->cols : in->rows;
  const int64_t places = places_of(in, is_columns);
  if (is_columns) {
    for (int64_t k = 0; k < lines; k++)
      if (to[k] >= 0 && places > 0)
        memcpy(at(out, true, to[k], 0), at(in, true, k, 0), (size_t)places * sizeof(double));
    return;
  }
#pragma omp parallel for schedule(static) if (lines * places >= TG_PARALLEL_ENTRIES)
  for (int64_t place = 0; place < places; place++)
    for (int64_t k = 0; k < lines; k++)
      if (to[k] >= 0) out->data[to[k] + place * out->ld] = in->data[k + place * in->ld];
}

tg_status tg_dmat_select(const tg_dmat *in, bool is_columns, const int64_t *to, tg_dmat *out)
{
  const tg_grid *grid = in->grid;
  move v = {.is_columns = is_columns,
            .size = is_columns ? grid->cols : grid->rows,
            .comm = is_columns ? grid->row_comm : grid->col_comm};
  if (v.size == 1) {
    select_alone(in, to, is_columns, out);
    return TG_OK;
  }
  tg_status status = tg_agree(grid->comm, init(in, out, &v));
  if (status == TG_OK) {
    const int64_t places = places_of(in, is_columns);
    const int64_t piece = piece_of(in, &v);
    list_lines(in, out, to, is_columns ? grid->col : grid->row, &v);
    for (int64_t first = 0; first < places && status == TG_OK; first += piece) {
      const int64_t last = first + piece < places ? first + piece : places;
      copy_piece(in, &v, first, last, true);
      status = exchange_piece(&v, last - first);
      if (status == TG_OK) copy_piece(out, &v, first, last, false);
    }
  }
  fini(&v);
  return status;
}
