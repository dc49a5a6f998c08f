// Arrays by ScaLAPACK's descriptors.
#include "mpi/matrix/array_descriptor.h"

#include <string.h>

#include "mpi/matrix/layout.h"
#include "mpi/matrix/scalapack_abi.h"

enum { DTYPE, CONTEXT, ROWS, COLS, ROW_BLOCK, COL_BLOCK, ROW_SOURCE, COL_SOURCE, LEADING, DENSE = 1 };

// ---- the process grid ----

// A rank outside of the grid knows nothing of it: the largest answer is the one.
static tg_status ask_grid(MPI_Comm comm, int context, tg_array_grid *out)
{
  int shape[2] = {-1, -1};
  out->row = out->col = -1;
  if (context >= 0) Cblacs_gridinfo(context, &shape[0], &shape[1], &out->row, &out->col);
  if (out->row < 0 || out->col < 0) out->row = out->col = -1;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, shape, 2, MPI_INT, MPI_MAX, comm));
  out->rows = shape[0];
  out->cols = shape[1];
  return TG_OK;
}

// Each process of the grid must be one rank of comm. places has room for as many as there are ranks.
static tg_status check_places(const char *name, const tg_array_grid *g, const int *places)
{
  for (int k = 0; k < g->rows * g->cols; k++)
    if (places[k] < 0)
      TG_FAIL(TG_VALUE, "process (%d,%d) of the BLACS grid of %s is no rank of the problem's communicator", k % g->rows,
              k / g->rows, name);
  return TG_OK;
}

static tg_status find_places(MPI_Comm comm, const char *name, tg_array_grid *g, int *places)
{
  int rank = 0;
  int ranks = 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  if (g->rows < 1 || g->cols < 1)
    TG_FAIL(TG_VALUE, "the descriptor of %s has a BLACS context in which no rank has a process grid", name);
  if ((int64_t)g->rows * g->cols > ranks)
    TG_FAIL(TG_VALUE, "the BLACS grid of %s is %d x %d, the problem's communicator has %d ranks", name, g->rows,
            g->cols, ranks);
  for (int k = 0; k < ranks; k++) places[k] = -1;
  if (g->row >= 0) places[g->row + g->col * g->rows] = rank;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, places, ranks, MPI_INT, MPI_MAX, comm));
  g->ranks = places;
  return check_places(name, g, places);
}

// ---- the nine integers ----

static tg_status check_alike(MPI_Comm comm, const char *name, const int descriptor[9])
{
  int least[9];
  int most[9];
  memcpy(least, descriptor, sizeof least);
  memcpy(most, descriptor, sizeof most);
  // The context and the leading dimension are each rank's own.
  least[CONTEXT] = most[CONTEXT] = least[LEADING] = most[LEADING] = 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, least, 9, MPI_INT, MPI_MIN, comm));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 9, MPI_INT, MPI_MAX, comm));
  if (memcmp(least, most, sizeof least) != 0)
    TG_FAIL(TG_USAGE, "the ranks give different descriptors of %s: sizes, blocks and sources must be the same", name);
  return TG_OK;
}

static tg_status check_descriptor(const char *name, const int *d)
{
  if (d[DTYPE] != DENSE)
    TG_FAIL(TG_VALUE, "the descriptor of %s has type %d, expected 1, a dense matrix", name, d[DTYPE]);
  if (d[ROWS] < 1 || d[COLS] < 1)
    TG_FAIL(TG_SHAPE, "the descriptor of %s says %d x %d, expected at least one row and one column", name, d[ROWS],
            d[COLS]);
  if (d[ROW_BLOCK] < 1 || d[COL_BLOCK] < 1)
    TG_FAIL(TG_VALUE, "the descriptor of %s has blocks of %d x %d", name, d[ROW_BLOCK], d[COL_BLOCK]);
  return TG_OK;
}

static tg_status check_local(const char *name, const int *d, const tg_array_grid *g, int rank)
{
  if (g->row >= 0 && g->ranks[g->row + g->col * g->rows] != rank)
    TG_FAIL(TG_VALUE, "ranks %d and %d of the problem's communicator are both process (%d,%d) of the BLACS grid of %s",
            rank, g->ranks[g->row + g->col * g->rows], g->row, g->col, name);
  if (g->row_source < 0 || g->row_source >= g->rows || g->col_source < 0 || g->col_source >= g->cols)
    TG_FAIL(TG_VALUE, "the first block of %s is on process (%d,%d), outside of the %d x %d grid", name, g->row_source,
            g->col_source, g->rows, g->cols);
  if (g->row < 0) return TG_OK;
  const int64_t rows = tg_layout_count(d[ROWS], d[ROW_BLOCK], (g->row + g->rows - g->row_source) % g->rows, g->rows);
  if (d[LEADING] < 1 || d[LEADING] < rows)
    TG_FAIL(TG_VALUE, "the leading dimension of %s is %d, there are %lld local rows", name, d[LEADING],
            (long long)rows);
  return TG_OK;
}

tg_status tg_array_describe(MPI_Comm comm, const int descriptor[9], const char *name, int *places, tg_array *out)
{
  *out = (tg_array){.place = TG_ARRAY_DEALT};
  TG_TRY(check_alike(comm, name, descriptor));
  TG_TRY(check_descriptor(name, descriptor));
  tg_array_grid *g = &out->grid;
  TG_TRY(ask_grid(comm, descriptor[CONTEXT], g));
  TG_TRY(find_places(comm, name, g, places));
  out->rows = descriptor[ROWS];
  out->cols = descriptor[COLS];
  g->row_block = descriptor[ROW_BLOCK];
  g->col_block = descriptor[COL_BLOCK];
  g->row_source = descriptor[ROW_SOURCE];
  g->col_source = descriptor[COL_SOURCE];
  out->row_step = 1;
  out->col_step = descriptor[LEADING];
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return tg_agree(comm, check_local(name, descriptor, g, rank));
}
