// Slabs: contiguous rectangles of a matrix as files store them, exchanged with the block-cyclic layout.
//
// A file is a sequence of lines (rows when row-major, columns when column-major). The transfer walks over it in
// panels; in each panel every rank holds one slab that is contiguous in the file: some whole lines, or a part of
// one line where a line alone exceeds the panel. No rank ever holds more than a panel beside its own blocks.
#ifndef TG_MPI_SLAB_H
#define TG_MPI_SLAB_H

#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat.h"

typedef enum tg_slab_order { TG_ROW_MAJOR, TG_COLUMN_MAJOR } tg_slab_order;

// The rectangle of rows [row, row + rows) and columns [col, col + cols); may be empty.
typedef struct tg_slab {
  int64_t row;
  int64_t rows;
  int64_t col;
  int64_t cols;
} tg_slab;

// Fills numbers with the slab's entries in file order. Local; called once a panel, also for nothing to do (0 rows).
typedef tg_status (*tg_slab_fetch)(void *context, const tg_slab *slab, double *numbers);
// Takes the slab's entries in file order. Local.
typedef tg_status (*tg_slab_store)(void *context, const tg_slab *slab, const double *numbers);

typedef struct tg_slab_plan {
  int64_t rows; // of the matrix
  int64_t cols;
  tg_slab_order order;
  int64_t panel_bytes; // at most this much in one rank's slab, and about as much in what it exchanges
  int64_t block;
  int grid_rows;
  int grid_cols;
} tg_slab_plan;

enum { TG_SLAB_PANEL_BYTES = 16 << 20 };

// Arithmetic, without communication: the next panel after `*position` entries (from 0, in file order) and the slab
// of `rank` in it. tg_slab_next returns false at the end of the matrix.
typedef struct tg_slab_panel {
  int64_t line; // first line, number of lines
  int64_t lines;
  int64_t offset; // first entry within the line, number of entries; the whole line unless lines is 1
  int64_t length;
} tg_slab_panel;
void tg_slab_plan_init(const tg_dmat *matrix, tg_slab_order order, int64_t panel_bytes, tg_slab_plan *out);
bool tg_slab_next(const tg_slab_plan *plan, int64_t *position, tg_slab_panel *out);
tg_slab tg_slab_of_rank(const tg_slab_plan *plan, const tg_slab_panel *panel, int rank);
// Position of the slab's first entry in the file, in entries: row * cols + col, or col * rows + row.
int64_t tg_slab_position(const tg_slab_plan *plan, const tg_slab *slab);

// What a transfer takes beside the matrix: a slab in file order, the same cut into messages, and what a rank owns of
// the panel. Local.
double tg_slab_bytes(const tg_cost_grid *grid, int64_t rows, int64_t cols);

// Collective: every entry of the matrix is fetched once by one rank and sent to its owner. Errors of fetch on any
// rank become every rank's error. Cost: one all-to-all and one agreement a panel, each entry sent once.
tg_status tg_slab_read(tg_dmat *matrix, const tg_slab_plan *plan, tg_slab_fetch fetch, void *context);
// Collective, the other way: owners send, one rank stores.
tg_status tg_slab_write(const tg_dmat *matrix, const tg_slab_plan *plan, tg_slab_store store, void *context);

#endif
