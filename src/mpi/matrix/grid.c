// The process grid: its shape, its communicators, and the agreement of ranks on an error.
#include "mpi/matrix/grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/layout.h"
#include "mpi/matrix/scalapack_abi.h"

enum { BLOCK_SMALLEST = 8, BLOCK_LARGEST = 384, BLOCK_PREFERRED = 256 };
enum { BLACS_REPEATABLE = 15 }; // SGET_TOPSREPEAT of the BLACS: combine operations add in a fixed order

tg_status tg_mpi_check(int code, tg_place place)
{
  if (code == MPI_SUCCESS) return TG_OK;
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return tg_error_set(TG_MPI, place, "the MPI library reports: %s", text);
}

// --- agreement ---------------------------------------------------------------------------------------

// What travels from the failing rank: no pointers, they mean nothing elsewhere.
typedef struct agreed_error {
  int code;
  int has_span;
  int32_t source;
  int64_t span_begin;
  int64_t span_end;
  char message[TG_ERROR_MESSAGE_BYTES];
} agreed_error;

static void agreed_error_fill(agreed_error *out, tg_status local)
{
  const tg_error *error = tg_error_get();
  out->code = (int)local;
  out->has_span = error->has_span;
  out->source = error->source;
  out->span_begin = (int64_t)error->span.begin;
  out->span_end = (int64_t)error->span.end;
  snprintf(out->message, sizeof out->message, "%s", error->message);
}

tg_status tg_agree(MPI_Comm comm, tg_status local)
{
  int rank = 0;
  int size = 1;
  TG_TRY_MPI(MPI_Comm_rank(comm, &rank));
  TG_TRY_MPI(MPI_Comm_size(comm, &size));
  int mine = local == TG_OK ? size : rank;
  int lowest = size;
  TG_TRY_MPI(MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, comm));
  if (lowest == size) return TG_OK;
  agreed_error sent;
  memset(&sent, 0, sizeof sent);
  if (rank == lowest) agreed_error_fill(&sent, local);
  TG_TRY_MPI(MPI_Bcast(&sent, (int)sizeof sent, MPI_BYTE, lowest, comm));
  if (rank == lowest) return local; // its record keeps the place and the trail
  const tg_status code = (tg_status)sent.code;
  if (!sent.has_span) return tg_error_set(code, TG_HERE, "%s", sent.message);
  const tg_span span = {(size_t)sent.span_begin, (size_t)sent.span_end};
  tg_error_set_at(code, TG_HERE, span, "%s", sent.message);
  return tg_error_within(sent.source, code);
}

tg_status tg_agree_memory(MPI_Comm comm, tg_status local, void *pointer)
{
  void *memory = NULL;
  const tg_status status = tg_agree(comm, local);
  if (status == TG_OK) return TG_OK;
  memcpy(&memory, pointer, sizeof memory);
  tg_free(memory);
  memory = NULL;
  memcpy(pointer, &memory, sizeof memory);
  return status;
}

// --- shape -------------------------------------------------------------------------------------------

// How much longer the fullest rank works than the average one, >= 1.
static double imbalance(int64_t rows, int64_t cols, int64_t block, int p, int q)
{
  const double most = (double)tg_layout_count(rows, block, 0, p) * (double)tg_layout_count(cols, block, 0, q);
  return most * p * q / ((double)rows * (double)cols);
}

// Balance first; then near 256, where the panels of a product are efficient; multiples of 8 keep columns aligned.
static int64_t choose_block(int64_t rows, int64_t cols, int p, int q)
{
  int64_t best = BLOCK_PREFERRED;
  double best_cost = HUGE_VAL;
  for (int64_t block = BLOCK_SMALLEST; block <= BLOCK_LARGEST; block++) {
    const double distance = 0.01 * fabs(log2((double)block / BLOCK_PREFERRED));
    const double cost = imbalance(rows, cols, block, p, q) + distance + (block % 8 == 0 ? 0 : 0.003);
    if (cost < best_cost) {
      best_cost = cost;
      best = block;
    }
  }
  return best;
}

static bool is_prime(int n)
{
  for (int d = 2; (int64_t)d * d <= n; d++)
    if (n % d == 0) return false;
  return n > 1;
}

static void write_reason(int ranks, int64_t rows, int64_t cols, tg_grid_choice *choice)
{
  const int p = choice->rows;
  const int q = choice->cols;
  char *text = choice->reason;
  const size_t room = sizeof choice->reason;
  const char *shape = rows == cols ? "square" : rows > cols ? "tall" : "wide";
  if (ranks == 1)
    snprintf(text, room, "1 x 1: a single rank");
  else if (is_prime(ranks) && ranks > 3)
    snprintf(text, room, "%d x %d: %d is prime, only one-row and one-column grids exist; %d or %d ranks allow better",
             p, q, ranks, ranks - 1, ranks + 1);
  else
    snprintf(text, room, "%d x %d: the least communication for %s %" PRId64 " x %" PRId64 " products on %d ranks", p, q,
             shape, rows, cols, ranks);
}

tg_status tg_grid_choose(int ranks, int64_t rows, int64_t cols, tg_grid_choice *out)
{
  *out = (tg_grid_choice){0};
  if (ranks < 1) TG_FAIL(TG_VALUE, "a process grid needs at least one rank, got %d", ranks);
  if (rows < 1 || cols < 1)
    TG_FAIL(TG_SHAPE, "a process grid is chosen for a matrix, got %" PRId64 " x %" PRId64, rows, cols);
  double best = HUGE_VAL;
  for (int p = 1; p <= ranks; p++) {
    if (ranks % p != 0) continue;
    const int q = ranks / p;
    const double perimeter = (double)rows / p + (double)cols / q;
    if (perimeter >= best) continue;
    best = perimeter;
    out->rows = p;
    out->cols = ranks / p;
  }
  out->block = choose_block(rows, cols, out->rows, out->cols);
  write_reason(ranks, rows, cols, out);
  return TG_OK;
}

// --- life --------------------------------------------------------------------------------------------

static tg_status check_shape(MPI_Comm comm, int rows, int cols, int64_t block)
{
  int size = 0;
  TG_TRY_MPI(MPI_Comm_size(comm, &size));
  if (rows < 1 || cols < 1 || (int64_t)rows * cols != size)
    TG_FAIL(TG_VALUE, "a %d x %d process grid needs %" PRId64 " ranks, there are %d", rows, cols, (int64_t)rows * cols,
            size);
  if (block < 1 || block > INT_MAX) TG_FAIL(TG_VALUE, "the block size is %" PRId64 ", it must be at least 1", block);
  return TG_OK;
}

tg_status tg_grid_create(MPI_Comm comm, int rows, int cols, int64_t block, tg_grid **out)
{
  *out = NULL;
  TG_TRY(check_shape(comm, rows, cols, block));
  tg_grid *grid = NULL;
  tg_status status = TG_NEW(1, &grid);
  if (status == TG_OK) status = tg_alloc_numbers((int64_t)rows * cols * TG_GRID_BATCH, &grid->scratch);
  if (status == TG_OK) status = tg_alloc_numbers(1, &grid->flops);
  status = tg_agree(comm, status);
  if (status != TG_OK) {
    if (grid != NULL) tg_free(grid->scratch);
    if (grid != NULL) tg_free(grid->flops);
    tg_free(grid);
    return tg_error_pass(status, TG_HERE);
  }
  *grid->flops = 0;
  grid->size = rows * cols;
  grid->rows = rows;
  grid->cols = cols;
  grid->block = block;
  MPI_Comm_dup(comm, &grid->comm);
  MPI_Comm_rank(grid->comm, &grid->rank);
  grid->row = grid->rank / cols;
  grid->col = grid->rank % cols;
  MPI_Comm_split(grid->comm, grid->row, grid->col, &grid->row_comm);
  MPI_Comm_split(grid->comm, grid->col, grid->row, &grid->col_comm);
  grid->system_handle = Csys2blacs_handle(grid->comm);
  grid->context = grid->system_handle;
  Cblacs_gridinit(&grid->context, "Row", rows, cols);
  // By default BLACS adds contributions as they arrive, so that eigenvectors of three or more ranks in a row or a
  // column differ from run to run.
  const int yes = 1;
  Cblacs_set(grid->context, BLACS_REPEATABLE, &yes);
  *out = grid;
  return TG_OK;
}

void tg_grid_destroy(tg_grid **grid)
{
  if (*grid == NULL) return;
  tg_grid *g = *grid;
  Cblacs_gridexit(g->context);
  Cfree_blacs_system_handle(g->system_handle);
  MPI_Comm_free(&g->row_comm);
  MPI_Comm_free(&g->col_comm);
  MPI_Comm_free(&g->comm);
  tg_free(g->scratch);
  tg_free(g->flops);
  tg_free(g);
  *grid = NULL;
}
