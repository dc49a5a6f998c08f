// Products by panels: broadcasts (and reductions) of one panel travel while the previous one is multiplied.
//
// NN is SUMMA (van de Geijn and Watts, 1997) with nonblocking broadcasts: for each panel K of the inner dimension,
//   A(:,K) goes along the grid rows, B(K,:) along the grid columns, and C += A(:,K) B(K,:) everywhere.
// TN keeps B in place: for each panel I of C's rows, A(:,I)' goes along the grid rows, is multiplied with the local
//   rows of B, and the sum over the grid column lands on the owners of C(I,:). Nothing is transposed in memory.
// NT keeps A in place, with the roles of rows and columns exchanged.
// TT transposes the smallest of the three matrices.
//
// A panel is a set of indices whose owners agree: of the blocks that are congruent modulo lcm(P, Q), which one
// process column and one process row own. Such a class is enumerated as if its indices were dealt to one of
// lcm(P, Q) processes.
#include <cblas.h>
#include <string.h>

#include "base/arithmetic.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product_panels.h"

// OpenBLAS repacks the operand that stays for every panel: as rows of a product a panel must be wide for that not
// to show (m = 250: 0.80 of the full rate, 500: 0.90, 750: 0.96), as columns or inner dimension it need not.
// The left operand it packs for every chunk of columns: with 384 of them that costs 3 % of the rate, with 768 less
// than 1.
enum { WIDTH_INNER = 320, WIDTH_ROWS = 768, WIDTH_COLUMNS = 384, CHUNK_COLUMNS = 768 };

// Whole blocks where they fit, equal parts of a block where they do not; a message must fit MPI's int.
static int64_t panel_width(int64_t wanted, int64_t block, int64_t longest)
{
  int64_t width = 0;
  if (block <= wanted) {
    width = wanted / block * block;
  } else {
    const int64_t parts = (block + wanted - 1) / wanted;
    width = (block + parts - 1) / parts;
  }
  const int64_t most = INT_MAX / (longest > 0 ? longest : 1);
  return width > most ? most : width;
}

// The panel after *p; rounds through the classes, so that the senders take turns. False at the end.
static bool next_panel(const panel_order *order, panel *p)
{
  const int64_t longest = tg_layout_count(order->n, order->block, 0, order->classes);
  while (p->first < longest) {
    if (++p->class == order->classes) {
      p->class = 0;
      p->first += order->width;
    }
    const int64_t length = tg_layout_count(order->n, order->block, p->class, order->classes);
    p->last = p->first + order->width < length ? p->first + order->width : length;
    if (p->first < length) return true;
  }
  return false;
}

static panel before_first(const panel_order *order)
{
  return (panel){.class = order->classes - 1, .first = -order->width};
}

// The run that begins at position `at` of the panel, for an owner among `np` processes; neighbours are joined.
static stretch stretch_at(const panel_order *order, const panel *p, int64_t at, int np)
{
  stretch r = {.at = at};
  const int64_t total = panel_length(p);
  while (at + r.length < total) {
    const int64_t u = p->first + at + r.length;
    const int64_t global = tg_layout_global(u, order->block, p->class, order->classes);
    const int64_t local = tg_layout_local(global, order->block, np);
    if (r.length == 0) r.local = local;
    if (local != r.local + r.length) break;
    const int64_t in_block = order->block - u % order->block;
    r.length += in_block < total - at - r.length ? in_block : total - at - r.length;
  }
  return r;
}

static bool is_one_stretch(const panel_order *order, const panel *p, int np)
{
  return stretch_at(order, p, 0, np).length == panel_length(p);
}

// --- local work --------------------------------------------------------------------------------------

// Lets the library move its messages: Open MPI progresses them inside calls only.
static tg_status poke(panels_run *run)
{
  int done = 0;
  TG_TRY_MPI(MPI_Testall(REQUESTS, run->requests, &done, MPI_STATUSES_IGNORE));
  return TG_OK;
}

// c (m x n) = alpha op(a) op(b) + beta c, in chunks of columns between which messages are progressed.
tg_status tg_panels_multiply(panels_run *run, local_form form, int64_t m, int64_t n, int64_t k, double alpha, piece a,
                             piece b, double beta, piece c)
{
  int sizes[5];
  const int64_t wide[5] = {m, k, a.ld, b.ld, c.ld};
  for (int s = 0; s < 5; s++) TG_TRY(tg_abi_int(wide[s], "a local size of a product", &sizes[s]));
  if (m == 0) return TG_OK;
  const int64_t chunks = run->grid->size > 1 ? (n + CHUNK_COLUMNS - 1) / CHUNK_COLUMNS : n > 0;
  for (int64_t t = 0; t < chunks; t++) {
    const int64_t j = n * t / chunks;
    const int64_t columns = n * (t + 1) / chunks - j;
    cblas_dgemm(CblasColMajor, form == LOCAL_TN ? CblasTrans : CblasNoTrans,
                form == LOCAL_NT ? CblasTrans : CblasNoTrans, sizes[0], (int)columns, sizes[1], alpha, a.data, sizes[2],
                form == LOCAL_NT ? b.data + j : b.data + j * b.ld, sizes[3], beta, c.data + j * c.ld, sizes[4]);
    if (run->grid->size > 1) TG_TRY(poke(run));
  }
  return TG_OK;
}

// Columns of the local part, as they are: to (rows x length).
static void pack_columns(const panel_order *order, const panel *p, int np, const tg_dmat *from, double *to)
{
  const int64_t rows = from->local_rows;
  for (int64_t at = 0; at < panel_length(p);) {
    const stretch r = stretch_at(order, p, at, np);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < r.length; j++)
      memcpy(to + (at + j) * rows, from->data + (r.local + j) * from->ld, (size_t)rows * sizeof(double));
    at += r.length;
  }
}

// Rows of the local part: to (length x cols).
static void pack_rows(const panel_order *order, const panel *p, int np, const tg_dmat *from, double *to)
{
  const int64_t width = panel_length(p);
  for (int64_t at = 0; at < width;) {
    const stretch r = stretch_at(order, p, at, np);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < from->local_cols; j++)
      memcpy(to + at + j * width, from->data + r.local + j * from->ld, (size_t)r.length * sizeof(double));
    at += r.length;
  }
}

// --- messages ----------------------------------------------------------------------------------------

static tg_status post_broadcast(panels_run *run, double *data, int64_t count, int root, MPI_Comm comm, int me, int size,
                                int slot)
{
  run->requests[slot] = MPI_REQUEST_NULL;
  if (size == 1 || count == 0) return TG_OK;
  TG_TRY_MPI(MPI_Ibcast(data, (int)count, MPI_DOUBLE, root, comm, &run->requests[slot]));
  if (me != root) return TG_OK;
  run->call->counters->bytes_sent += (double)count * (double)sizeof(double) * (size - 1);
  run->call->counters->messages += size - 1;
  return TG_OK;
}

static tg_status wait_for(panels_run *run, int slot)
{
  TG_TRY_MPI(MPI_Wait(&run->requests[slot], MPI_STATUS_IGNORE));
  return TG_OK;
}

// What passes through the buffers of a panel: its length beside the panel's width, and how many processes share it.
typedef struct passage {
  int64_t length;
  int size;
} passage;

// Panels that are parts of one block each are used where they lie by a process that shares them with nobody.
static bool is_used_in_place(const panel_order *order, int size)
{
  return size == 1 && order->block % order->width == 0;
}

static tg_status start_run(panels_run *run, const tg_product_call *call, int64_t n, int64_t wanted,
                           const passage passages[3])
{
  const tg_dmat *c = call->c;
  *run = (panels_run){.call = call, .grid = c->grid};
  for (int r = 0; r < REQUESTS; r++) run->requests[r] = MPI_REQUEST_NULL;
  int64_t longest = 0;
  for (int b = 0; b < 3; b++) longest = passages[b].length > longest ? passages[b].length : longest;
  run->order = (panel_order){.n = n,
                             .block = c->block,
                             .width = panel_width(wanted, c->block, longest),
                             .classes = (int)tg_common_multiple(c->grid->rows, c->grid->cols)};
  if (run->order.width < 1) TG_FAIL(TG_LIMIT, "a local part of %" PRId64 " rows is too long to send", longest);
  const int64_t width = run->order.width < n ? run->order.width : n;
  static const tg_workspace_slot slots[3] = {TG_SLOT_PANEL_A, TG_SLOT_PANEL_B, TG_SLOT_PANEL_C};
  for (int b = 0; b < 3; b++) {
    const int64_t entries = passages[b].length * width;
    if (entries == 0 || is_used_in_place(&run->order, passages[b].size)) continue;
    TG_TRY(tg_workspace_reserve(call->workspace, slots[b], 2 * entries, &run->buffers[b][0]));
    run->buffers[b][1] = run->buffers[b][0] + entries;
  }
  return TG_OK;
}

static int64_t most_rows(const tg_dmat *m)
{
  return tg_layout_count(m->rows, m->block, 0, m->grid->rows);
}

static int64_t most_cols(const tg_dmat *m)
{
  return tg_layout_count(m->cols, m->block, 0, m->grid->cols);
}

// --- NN ----------------------------------------------------------------------------------------------

// A panel of A and of B under way or arrived.
typedef struct operands {
  piece a;
  piece b;
} operands;

// An operand that stays in its process column (Q = 1) or row (P = 1) is used where it lies, if in one piece.
static tg_status post_nn(panels_run *run, const panel *p, int side, operands *out)
{
  const tg_product_call *call = run->call;
  const tg_grid *grid = run->grid;
  const panel_order *order = &run->order;
  const int root_col = p->class % grid->cols;
  const int root_row = p->class % grid->rows;
  if (grid->cols == 1 && is_one_stretch(order, p, 1)) {
    out->a = (piece){call->a->data + stretch_at(order, p, 0, 1).local * call->a->ld, call->a->ld};
  } else {
    const int64_t rows = call->a->local_rows;
    out->a = (piece){run->buffers[0][side], rows > 0 ? rows : 1};
    if (grid->col == root_col) pack_columns(order, p, grid->cols, call->a, out->a.data);
    TG_TRY(post_broadcast(run, out->a.data, rows * panel_length(p), root_col, grid->row_comm, grid->col, grid->cols,
                          2 * side));
  }
  if (grid->rows == 1 && is_one_stretch(order, p, 1)) {
    out->b = (piece){call->b->data + stretch_at(order, p, 0, 1).local, call->b->ld};
    return TG_OK;
  }
  out->b = (piece){run->buffers[1][side], panel_length(p)};
  if (grid->row == root_row) pack_rows(order, p, grid->rows, call->b, out->b.data);
  return post_broadcast(run, out->b.data, panel_length(p) * call->b->local_cols, root_row, grid->col_comm, grid->row,
                        grid->rows, 2 * side + 1);
}

static tg_status product_nn(const tg_product_call *call)
{
  panels_run run;
  const tg_grid *grid = call->c->grid;
  const passage passages[3] = {{most_rows(call->a), grid->cols}, {most_cols(call->b), grid->rows}};
  TG_TRY(start_run(&run, call, call->k, WIDTH_INNER, passages));
  const tg_dmat *c = call->c;
  operands ready[2];
  panel p = before_first(&run.order);
  panel next = p;
  bool more = next_panel(&run.order, &next);
  TG_TRY(post_nn(&run, &next, 0, &ready[0]));
  for (int side = 0; more; side = 1 - side) {
    const bool is_first = p.first < 0;
    p = next;
    TG_TRY(wait_for(&run, 2 * side));
    TG_TRY(wait_for(&run, 2 * side + 1));
    more = next_panel(&run.order, &next);
    if (more) TG_TRY(post_nn(&run, &next, 1 - side, &ready[1 - side]));
    TG_TRY(tg_panels_multiply(&run, LOCAL_NN, c->local_rows, c->local_cols, panel_length(&p), call->alpha,
                              ready[side].a, ready[side].b, is_first ? call->beta : 1, (piece){c->data, c->ld}));
  }
  return TG_OK;
}

// --- TN and NT ---------------------------------------------------------------------------------------

// C(I,:) or C(:,I) = sum + beta C, where the sum has arrived.
static void add_rows(const panel_order *order, const panel *p, int np, const double *sum, double beta, tg_dmat *c)
{
  const int64_t width = panel_length(p);
  for (int64_t at = 0; at < width;) {
    const stretch r = stretch_at(order, p, at, np);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < c->local_cols; j++) {
      double *to = c->data + r.local + j * c->ld;
      const double *from = sum + at + j * width;
      for (int64_t i = 0; i < r.length; i++) to[i] = beta == 0 ? from[i] : from[i] + beta * to[i];
    }
    at += r.length;
  }
}

static void add_columns(const panel_order *order, const panel *p, int np, const double *sum, double beta, tg_dmat *c)
{
  for (int64_t at = 0; at < panel_length(p);) {
    const stretch r = stretch_at(order, p, at, np);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < r.length; j++) {
      double *to = c->data + (r.local + j) * c->ld;
      const double *from = sum + (at + j) * c->local_rows;
      for (int64_t i = 0; i < c->local_rows; i++) to[i] = beta == 0 ? from[i] : from[i] + beta * to[i];
    }
    at += r.length;
  }
}

static moving_form form_of(const tg_product_call *call)
{
  const tg_grid *g = call->c->grid;
  if (call->transa) return (moving_form){true, g->row_comm, g->cols, g->col, g->col_comm, g->rows, g->row};
  return (moving_form){false, g->col_comm, g->rows, g->row, g->row_comm, g->cols, g->col};
}

// An operand that is not broadcast is used where it lies, if the panel is in one piece.
static tg_status post_moving(panels_run *run, const moving_form *form, const panel *p, int side, piece *out)
{
  const panel_order *order = &run->order;
  const tg_product_call *call = run->call;
  const tg_dmat *mover = form->rows_of_c ? call->a : call->b;
  if (form->send_size == 1 && is_one_stretch(order, p, 1)) {
    const int64_t at = stretch_at(order, p, 0, 1).local;
    *out = (piece){mover->data + (form->rows_of_c ? at * mover->ld : at), mover->ld};
    return TG_OK;
  }
  const int64_t inner = form->rows_of_c ? mover->local_rows : mover->local_cols;
  *out = (piece){run->buffers[0][side], form->rows_of_c ? (inner > 0 ? inner : 1) : panel_length(p)};
  const int root = p->class % form->send_size;
  if (form->send_me == root && form->rows_of_c)
    pack_columns(order, p, form->send_size, mover, out->data);
  else if (form->send_me == root)
    pack_rows(order, p, form->send_size, mover, out->data);
  return post_broadcast(run, out->data, inner * panel_length(p), root, form->send_comm, form->send_me, form->send_size,
                        side);
}

// Multiplies the arrived panel with the operand that stays. With nobody to sum with and the panel in one piece of
// C, the result goes where it belongs; else to the buffer `side`.
static tg_status multiply_moving(panels_run *run, const moving_form *form, const panel *p, int side, piece moved,
                                 bool *is_in_place)
{
  const tg_product_call *call = run->call;
  tg_dmat *c = call->c;
  const int64_t width = panel_length(p);
  *is_in_place = form->sum_size == 1 && is_one_stretch(&run->order, p, 1);
  const int64_t local = *is_in_place ? stretch_at(&run->order, p, 0, 1).local : 0;
  const double beta = *is_in_place ? call->beta : 0;
  const int64_t rows = c->local_rows > 0 ? c->local_rows : 1;
  const piece to = *is_in_place ? (piece){c->data + (form->rows_of_c ? local : local * c->ld), c->ld}
                                : (piece){run->buffers[2][side], form->rows_of_c ? width : rows};
  if (call->is_half) return tg_half_multiply(run, form, p, moved, to);
  if (form->rows_of_c)
    return tg_panels_multiply(run, LOCAL_TN, width, c->local_cols, call->b->local_rows, call->alpha, moved,
                              (piece){call->b->data, call->b->ld}, beta, to);
  return tg_panels_multiply(run, LOCAL_NT, c->local_rows, width, call->a->local_cols, call->alpha,
                            (piece){call->a->data, call->a->ld}, moved, beta, to);
}

static int64_t partial_count(const panels_run *run, const moving_form *form, const panel *p)
{
  const tg_dmat *c = run->call->c;
  return panel_length(p) * (form->rows_of_c ? c->local_cols : c->local_rows);
}

static tg_status post_sum(panels_run *run, const moving_form *form, const panel *p, int side)
{
  const int64_t count = partial_count(run, form, p);
  if (form->sum_size == 1 || count == 0) return TG_OK;
  double *partial = run->buffers[2][side];
  const int root = p->class % form->sum_size;
  const bool is_root = form->sum_me == root;
  TG_TRY_MPI(MPI_Ireduce(is_root ? MPI_IN_PLACE : partial, is_root ? partial : NULL, (int)count, MPI_DOUBLE, MPI_SUM,
                         root, form->sum_comm, &run->requests[2 + side]));
  if (is_root) return TG_OK;
  run->call->counters->bytes_sent += (double)count * (double)sizeof(double);
  run->call->counters->messages++;
  return TG_OK;
}

static tg_status finish_sum(panels_run *run, const moving_form *form, const panel *p, int side)
{
  const tg_product_call *call = run->call;
  TG_TRY(wait_for(run, 2 + side));
  if (form->sum_me != p->class % form->sum_size) return TG_OK;
  if (form->rows_of_c)
    add_rows(&run->order, p, form->sum_size, run->buffers[2][side], call->beta, call->c);
  else
    add_columns(&run->order, p, form->sum_size, run->buffers[2][side], call->beta, call->c);
  return TG_OK;
}

// Few columns to multiply with: the product runs at the speed of memory, and a panel that is one block of an
// operand that is not sent needs no copy. Tiny blocks are gathered all the same. Global sizes: all ranks agree.
static int64_t wanted_width(const tg_product_call *call, const moving_form *form)
{
  enum { FEW = 256, TINY_BLOCK = 64 };
  if (!form->rows_of_c) return WIDTH_COLUMNS;
  const bool is_thin = form->send_size == 1 && most_cols(call->c) < FEW && call->c->block >= TINY_BLOCK;
  return is_thin && call->c->block < WIDTH_ROWS ? call->c->block : WIDTH_ROWS;
}

static tg_status product_moving(const tg_product_call *call)
{
  panels_run run;
  const moving_form form = form_of(call);
  const passage passages[3] = {{form.rows_of_c ? most_rows(call->a) : most_cols(call->b), form.send_size},
                               {0, 0},
                               {form.rows_of_c ? most_cols(call->c) : most_rows(call->c), form.sum_size}};
  TG_TRY(start_run(&run, call, form.rows_of_c ? call->m : call->n, wanted_width(call, &form), passages));
  piece moved[2];
  panel next = before_first(&run.order);
  panel open[2]; // the panels in the two buffers of partial results
  bool is_open[2] = {false, false};
  bool more = next_panel(&run.order, &next);
  TG_TRY(post_moving(&run, &form, &next, 0, &moved[0]));
  for (int side = 0; more; side = 1 - side) {
    const panel p = next;
    TG_TRY(wait_for(&run, side));
    more = next_panel(&run.order, &next);
    if (more) TG_TRY(post_moving(&run, &form, &next, 1 - side, &moved[1 - side]));
    bool is_in_place = false;
    TG_TRY(multiply_moving(&run, &form, &p, side, moved[side], &is_in_place));
    if (!is_in_place) TG_TRY(post_sum(&run, &form, &p, side));
    // The sum of the panel before travelled while this one was multiplied.
    if (is_open[1 - side]) TG_TRY(finish_sum(&run, &form, &open[1 - side], 1 - side));
    is_open[1 - side] = false;
    open[side] = p;
    is_open[side] = !is_in_place;
  }
  for (int side = 0; side < 2; side++)
    if (is_open[side]) TG_TRY(finish_sum(&run, &form, &open[side], side));
  return call->is_half ? tg_half_mirror(call) : TG_OK;
}

// --- TT ----------------------------------------------------------------------------------------------

static tg_status transposed_view(const tg_product_call *call, int64_t rows, int64_t cols, tg_dmat *out)
{
  const tg_dmat *c = call->c;
  double *room = NULL;
  const int64_t most = tg_dmat_most_entries(c->grid, rows, cols, c->block);
  TG_TRY(tg_workspace_reserve(call->workspace, TG_SLOT_TRANSPOSED, most, &room));
  tg_dmat_view(c->grid, rows, cols, c->block, room, out);
  return TG_OK;
}

// The smallest of A, B and C is transposed: A' B' = (A') B', A' (B') or (B A)'. Among equals C, which leaves NN.
static tg_status product_tt(const tg_product_call *call)
{
  const double a_size = (double)call->m * (double)call->k;
  const double b_size = (double)call->k * (double)call->n;
  const double c_size = (double)call->m * (double)call->n;
  tg_product_call other = *call;
  tg_dmat turned;
  if (c_size <= a_size && c_size <= b_size) {
    TG_TRY(transposed_view(call, call->n, call->m, &turned));
    other = (tg_product_call){.m = call->n,
                              .n = call->m,
                              .k = call->k,
                              .alpha = call->alpha,
                              .a = call->b,
                              .b = call->a,
                              .c = &turned,
                              .workspace = call->workspace,
                              .counters = call->counters};
    TG_TRY(product_nn(&other));
    return tg_dmat_transpose_add(call->workspace, 1, &turned, call->beta, call->c);
  }
  if (a_size <= b_size) {
    TG_TRY(transposed_view(call, call->m, call->k, &turned));
    TG_TRY(tg_dmat_transpose(call->workspace, 1, call->a, &turned));
    other.transa = false;
    other.a = &turned;
  } else {
    TG_TRY(transposed_view(call, call->k, call->n, &turned));
    TG_TRY(tg_dmat_transpose(call->workspace, 1, call->b, &turned));
    other.transb = false;
    other.b = &turned;
  }
  return product_moving(&other);
}

tg_status tg_product_panels(const tg_product_call *call)
{
  if (call->transa && call->transb) return product_tt(call);
  if (call->transa || call->transb) {
    tg_product_call moving = *call;
    moving.is_half = tg_product_is_half(call);
    return product_moving(&moving);
  }
  return product_nn(call);
}
