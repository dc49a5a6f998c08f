// Half of a symmetric product, C = alpha A' A or alpha A A' on several ranks, and its mirror image.
//
// The half is not the lower triangle, which would leave ranks idle: of the B block rows of C, block column j has the
// rows j, j+1, .. j+B/2 modulo B, so that all columns and all rows have the same number of blocks. A panel meets them
// in a few rectangles, since its own blocks follow one another; blocks on the diagonal are rank-k updates. In the end
// each block goes, transposed, to the owner of its mirror image; rounds of block rows bound the buffers.
#include <cblas.h>
#include <string.h>

#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product_panels.h"

// Below, messages and small rectangles cost more than the flops that are saved. Panels hold whole blocks of at most
// BLOCK_MOST.
enum { ORDER_LEAST = 384, INNER_LEAST = 256, BLOCK_LEAST = 32, BLOCK_MOST = 384, BLOCKS_LEAST = 4 };
// A panel of at most 768 indices in blocks of at least BLOCK_LEAST: few enough for the bits of a word.
enum { PIECES_MAX = 32 };

static int64_t block_count(const tg_dmat *c)
{
  return (c->rows + c->block - 1) / c->block;
}

bool tg_product_is_half(const tg_product_call *call)
{
  const tg_dmat *c = call->c;
  const bool is_fit = c->block >= BLOCK_LEAST && c->block <= BLOCK_MOST;
  const bool is_worth_it = call->m >= ORDER_LEAST && call->k >= INNER_LEAST && is_fit;
  return tg_product_is_update(call) && is_worth_it && c->grid->size > 1 && block_count(c) >= BLOCKS_LEAST;
}

// Whether block (i, j) is kept: one of (i, j) and (j, i), and the diagonal.
static bool is_kept(int64_t blocks, int64_t i, int64_t j)
{
  const int64_t distance = (i - j + blocks) % blocks;
  return 2 * distance < blocks || (2 * distance == blocks && i > j);
}

static int64_t block_length(const tg_dmat *c, int64_t number)
{
  const int64_t rest = c->rows - number * c->block;
  return rest < c->block ? rest : c->block;
}

// ---- a panel ----

// What a panel has of one block.
typedef struct part {
  int64_t number; // of the block, in C
  int64_t at;     // in the panel
  int64_t length;
} part;

static int list_parts(const panel_order *order, const panel *p, part out[PIECES_MAX])
{
  int count = 0;
  for (int64_t u = p->first; u < p->last && count < PIECES_MAX; count++) {
    const int64_t end = (u / order->block + 1) * order->block;
    out[count] = (part){.number = u / order->block * order->classes + p->class,
                        .at = u - p->first,
                        .length = (end < p->last ? end : p->last) - u};
    u = end;
  }
  return count;
}

// The panel with what it is multiplied with and where the result goes.
typedef struct meeting {
  panels_run *run;
  const moving_form *form;
  part parts[PIECES_MAX];
  int n_parts;
  piece moved;
  piece to;
} meeting;

// Block `block` of C's other side, and which parts of the panel are computed with it.
static uint64_t kept_parts(const meeting *m, int64_t block)
{
  const int64_t blocks = block_count(m->run->call->c);
  uint64_t kept = 0;
  for (int s = 0; s < m->n_parts; s++) {
    const int64_t number = m->parts[s].number;
    const bool is_mine = m->form->rows_of_c ? is_kept(blocks, number, block) : is_kept(blocks, block, number);
    if (is_mine) kept |= UINT64_C(1) << s;
  }
  return kept;
}

// A rectangle: indices of the panel by local indices of the other side.
static tg_status multiply_rectangle(const meeting *m, int64_t at, int64_t length, int64_t first, int64_t count)
{
  const tg_product_call *call = m->run->call;
  const tg_dmat *stays = m->form->rows_of_c ? call->b : call->a;
  if (m->form->rows_of_c)
    return tg_panels_multiply(m->run, LOCAL_TN, length, count, stays->local_rows, call->alpha,
                              (piece){m->moved.data + at * m->moved.ld, m->moved.ld},
                              (piece){stays->data + first * stays->ld, stays->ld}, 0,
                              (piece){m->to.data + at + first * m->to.ld, m->to.ld});
  return tg_panels_multiply(m->run, LOCAL_NT, count, length, stays->local_cols, call->alpha,
                            (piece){stays->data + first, stays->ld}, (piece){m->moved.data + at, m->moved.ld}, 0,
                            (piece){m->to.data + first + at * m->to.ld, m->to.ld});
}

static tg_status update_diagonal(const meeting *m, const part *whole, int64_t first)
{
  const tg_product_call *call = m->run->call;
  const bool by_rows = m->form->rows_of_c;
  int sizes[4];
  const int64_t wide[4] = {whole->length, by_rows ? call->b->local_rows : call->a->local_cols, m->moved.ld, m->to.ld};
  for (int s = 0; s < 4; s++) TG_TRY(tg_abi_int(wide[s], "a local size of a product", &sizes[s]));
  const double *a = m->moved.data + (by_rows ? whole->at * m->moved.ld : whole->at);
  double *c = m->to.data + (by_rows ? whole->at + first * m->to.ld : first + whole->at * m->to.ld);
  cblas_dsyrk(CblasColMajor, CblasLower, by_rows ? CblasTrans : CblasNoTrans, sizes[0], sizes[1], call->alpha, a,
              sizes[2], 0, c, sizes[3]);
  return TG_OK;
}

// Parts that follow one another are one rectangle.
static tg_status multiply_parts(const meeting *m, uint64_t kept, int64_t first, int64_t count)
{
  for (int s = 0; s < m->n_parts;) {
    if (((kept >> s) & 1U) == 0) {
      s++;
      continue;
    }
    const int64_t at = m->parts[s].at;
    int64_t length = 0;
    for (; s < m->n_parts && ((kept >> s) & 1U) != 0; s++) length += m->parts[s].length;
    TG_TRY(multiply_rectangle(m, at, length, first, count));
  }
  return TG_OK;
}

// What is not computed is replaced by the mirror image. Where partial products are summed over ranks, it is zero.
static void clear(const meeting *m, int64_t width, int64_t first, int64_t count)
{
  if (m->form->sum_size == 1) return;
  const bool by_rows = m->form->rows_of_c;
  const int64_t lines = by_rows ? count : width;
  const size_t bytes = (size_t)(by_rows ? width : count) * sizeof(double);
  double *begin = m->to.data + (by_rows ? first * m->to.ld : first);
  for (int64_t j = 0; j < lines; j++) memset(begin + j * m->to.ld, 0, bytes);
}

// The part of the panel that is this whole block, or -1.
static int find_diagonal(const meeting *m, int64_t block)
{
  for (int s = 0; s < m->n_parts; s++)
    if (m->parts[s].number == block && m->parts[s].length == block_length(m->run->call->c, block)) return s;
  return -1;
}

tg_status tg_half_multiply(panels_run *run, const moving_form *form, const panel *p, piece moved, piece to)
{
  const tg_grid *grid = run->grid;
  const tg_dmat *c = run->call->c;
  meeting m = {.run = run, .form = form, .moved = moved, .to = to};
  m.n_parts = list_parts(&run->order, p, m.parts);
  const uint64_t all = (UINT64_C(1) << m.n_parts) - 1;
  const int np = form->rows_of_c ? grid->cols : grid->rows;
  const int me = form->rows_of_c ? grid->col : grid->row;
  const int64_t length = form->rows_of_c ? c->local_cols : c->local_rows;
  for (int64_t first = 0; first < length;) {
    const int64_t block = first / c->block * np + me;
    const uint64_t kept = kept_parts(&m, block);
    int64_t end = first + block_length(c, block);
    const int diagonal = find_diagonal(&m, block);
    // Blocks that meet the same parts are one rectangle.
    while (diagonal < 0 && end < length) {
      const int64_t next = end / c->block * np + me;
      if (kept_parts(&m, next) != kept || find_diagonal(&m, next) >= 0) break;
      end += block_length(c, next);
    }
    if (kept != all || diagonal >= 0) clear(&m, panel_length(p), first, end - first);
    if (diagonal >= 0) TG_TRY(update_diagonal(&m, &m.parts[diagonal], first));
    const uint64_t rest = diagonal >= 0 ? kept & ~(UINT64_C(1) << diagonal) : kept;
    TG_TRY(multiply_parts(&m, rest, first, end - first));
    first = end;
  }
  return TG_OK;
}

// ---- the mirror image ----

// One round: block rows first .. last of the half that is there.
typedef struct mirror {
  tg_dmat *c;
  int64_t blocks;
  int64_t first;
  int64_t last;
  double *sent;
  double *received;
  int *counts; // for each rank: sent, where they begin, received, where they begin, room
} mirror;

static double *block_at(const tg_dmat *c, int64_t i, int64_t j)
{
  const tg_grid *g = c->grid;
  return c->data + i / g->rows * c->block + j / g->cols * c->block * c->ld;
}

// The first number from `from` on that leaves the rest `me`.
static int64_t first_mine(int64_t from, int me, int np)
{
  return from + ((me - from) % np + np) % np;
}

static void transpose_block(int64_t rows, int64_t cols, const double *from, int64_t ld, double *to, int64_t to_ld)
{
  enum { TILE = 16 };
  for (int64_t i0 = 0; i0 < rows; i0 += TILE)
    for (int64_t j0 = 0; j0 < cols; j0 += TILE)
      for (int64_t i = i0; i < i0 + TILE && i < rows; i++)
        for (int64_t j = j0; j < j0 + TILE && j < cols; j++) to[j + i * to_ld] = from[i + j * ld];
}

// Visits the blocks that I send in this round, or receive, in one order on both sides: by the kept block's row, then
// its column. They are counted, or moved when `place` has the next position of each rank. Those whose image is mine too
// are not sent.
static void visit(const mirror *m, bool sends, int *counts, int *place)
{
  const tg_grid *g = m->c->grid;
  // The kept block (i, j) is mine when I send it; its image (j, i) when I receive it.
  const int np_i = sends ? g->rows : g->cols;
  const int np_j = sends ? g->cols : g->rows;
  const int me_i = sends ? g->row : g->col;
  const int me_j = sends ? g->col : g->row;
  for (int64_t i = first_mine(m->first, me_i, np_i); i < m->last; i += np_i)
    for (int64_t j = first_mine(0, me_j, np_j); j < m->blocks; j += np_j) {
      if (i == j || !is_kept(m->blocks, i, j)) continue;
      const int64_t rows = block_length(m->c, i);
      const int64_t cols = block_length(m->c, j);
      const int other =
          sends ? (int)(j % g->rows) * g->cols + (int)(i % g->cols) : (int)(i % g->rows) * g->cols + (int)(j % g->cols);
      if (other == g->rank) {
        if (sends && place != NULL)
          transpose_block(rows, cols, block_at(m->c, i, j), m->c->ld, block_at(m->c, j, i), m->c->ld);
        continue;
      }
      counts[other] += (int)(rows * cols);
      if (place == NULL) continue;
      if (sends) {
        transpose_block(rows, cols, block_at(m->c, i, j), m->c->ld, m->sent + place[other], cols);
      } else {
        double *to = block_at(m->c, j, i);
        for (int64_t l = 0; l < rows; l++)
          memcpy(to + l * m->c->ld, m->received + place[other] + l * cols, (size_t)cols * sizeof(double));
      }
      place[other] += (int)(rows * cols);
    }
}

static void mirror_diagonal(tg_dmat *c, int64_t blocks)
{
  const tg_grid *g = c->grid;
  for (int64_t i = first_mine(0, g->row, g->rows); i < blocks; i += g->rows) {
    if (i % g->cols != g->col) continue;
    double *block = block_at(c, i, i);
    const int64_t n = block_length(c, i);
    for (int64_t l = 0; l < n; l++)
      for (int64_t k = l + 1; k < n; k++) block[l + k * c->ld] = block[k + l * c->ld];
  }
}

static int add_up(int size, const int *counts, int *starts)
{
  int total = 0;
  for (int r = 0; r < size; r++) {
    starts[r] = total;
    total += counts[r];
  }
  return total;
}

static tg_status mirror_round(const mirror *m, tg_counters *counters)
{
  const tg_grid *g = m->c->grid;
  const int size = g->size;
  int *out = m->counts;
  int *out_at = out + size;
  int *in = out_at + size;
  int *in_at = in + size;
  memset(m->counts, 0, 5 * (size_t)size * sizeof *m->counts);
  visit(m, true, out, NULL);
  visit(m, false, in, NULL);
  int *room = in_at + size;
  const int total = add_up(size, out, out_at);
  visit(m, true, room, out_at);
  add_up(size, out, out_at);
  add_up(size, in, in_at);
  for (int r = 0; r < size; r++) counters->messages += out[r] > 0;
  counters->bytes_sent += (double)total * (double)sizeof(double);
  TG_TRY_MPI(MPI_Alltoallv(m->sent, out, out_at, MPI_DOUBLE, m->received, in, in_at, MPI_DOUBLE, g->comm));
  visit(m, false, room, in_at);
  return TG_OK;
}

tg_status tg_half_mirror(const tg_product_call *call)
{
  tg_dmat *c = call->c;
  const tg_grid *g = c->grid;
  mirror m = {.c = c, .blocks = block_count(c)};
  mirror_diagonal(c, m.blocks);
  // As many block rows as every rank has a part of.
  int64_t rows = g->rows > g->cols ? g->rows : g->cols;
  if (rows > m.blocks) rows = m.blocks;
  // Bounds over the ranks: a round has at most rows/P + 1 block rows of mine, or rows/Q + 1 block columns.
  const int64_t most_rows = tg_layout_count(c->rows, c->block, 0, g->rows);
  const int64_t most_cols = tg_layout_count(c->cols, c->block, 0, g->cols);
  const int64_t sent = (rows / g->rows + 1) * c->block * most_cols;
  const int64_t received = (rows / g->cols + 1) * c->block * most_rows;
  const int64_t entries = sent > received ? sent : received;
  double *numbers = NULL;
  TG_TRY(tg_workspace_reserve(call->workspace, TG_SLOT_SEND, entries, &m.sent));
  TG_TRY(tg_workspace_reserve(call->workspace, TG_SLOT_RECEIVE, entries, &m.received));
  TG_TRY(tg_workspace_reserve(call->workspace, TG_SLOT_INDEX, 3 * (int64_t)g->size, &numbers));
  m.counts = (int *)numbers;
  for (m.first = 0; m.first < m.blocks; m.first = m.last) {
    m.last = m.first + rows < m.blocks ? m.first + rows : m.blocks;
    TG_TRY(mirror_round(&m, call->counters));
  }
  return TG_OK;
}
