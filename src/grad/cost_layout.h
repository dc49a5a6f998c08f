// The block-cyclic layout and the panels of products as arithmetic; private to cost*.c.
#ifndef TG_GRAD_COST_LAYOUT_H
#define TG_GRAD_COST_LAYOUT_H

#include "grad/cost.h"

// C (m x n) = op(A) op(B) as it is executed: transpositions of symmetric operands dropped.
typedef struct tg_cost_gemm {
  int64_t m;
  int64_t n;
  int64_t k;
  bool trans_a;
  bool trans_b;
} tg_cost_gemm;

tg_status tg_cost_check_grid(const tg_cost_grid *grid);
tg_cost_gemm tg_cost_gemm_of(const tg_plan *plan, const tg_instr *instr);
// For A' B': the product that is left after one transposition, and the size of the transposed matrix.
tg_cost_gemm tg_cost_gemm_turned(const tg_cost_gemm *gemm, int64_t *rows, int64_t *cols);

// Indices of 0 .. n-1 in blocks, dealt to np processes: those of process p.
int64_t tg_cost_share(int64_t n, int64_t block, int64_t p, int64_t np);
// Numbers that a rows x cols matrix takes on rank (0, 0), which holds most: columns are padded.
double tg_cost_most_entries(const tg_cost_grid *grid, int64_t rows, int64_t cols);

// How a product is cut: indices 0 .. range-1 in panels of at most `width`, through three buffers that hold so many
// numbers for each index (0: not used).
typedef struct tg_cost_panels {
  int64_t range;
  int64_t width;
  int64_t lengths[3];
} tg_cost_panels;

// A' B' is not cut itself: see tg_cost_gemm_turned.
tg_cost_panels tg_cost_panels_of(const tg_cost_grid *grid, const tg_cost_gemm *gemm);

#endif
