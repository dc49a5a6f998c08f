// The algorithms of src/mpi/product as arithmetic: which one runs, what it sends, what scratch it needs; private
// to cost*.c.
#ifndef TG_GRAD_COST_PRODUCT_H
#define TG_GRAD_COST_PRODUCT_H

#include "grad/plan/cost_terms.h"
#include "grad/plan/plan.h"

// C (m x n) = op(A) op(B), op(A) m x k, as it is executed: transpositions of symmetric operands dropped.
typedef struct tg_cost_gemm {
  int64_t m;
  int64_t n;
  int64_t k;
  bool trans_a;
  bool trans_b;
  bool is_update; // A' A or A A': half the flops
} tg_cost_gemm;

// Scratch in numbers: panels of A, B and C, a transposed operand, a packed result.
typedef struct tg_cost_gemm_scratch {
  double panels[3];
  double transposed;
  double packed;
  double exchanged; // of a transposition or a mirror image: a piece to send, and as much to receive
  double counts;    // of a mirror image
} tg_cost_gemm_scratch;

tg_cost_gemm tg_cost_gemm_of(const tg_plan *plan, const tg_instr *instr);
tg_cost_gemm_scratch tg_cost_gemm_scratch_of(const tg_cost_grid *grid, tg_cost_gemm gemm);
// Adds bytes, messages and latencies, and sets the busiest rank's flops.
void tg_cost_add_product(const tg_cost_grid *grid, tg_cost_gemm gemm, tg_cost *out);
// The transpose of a rows x cols matrix by pairwise exchanges: a block stays where its transposed place has the same
// owner.
void tg_cost_add_transposition(const tg_cost_grid *grid, int64_t rows, int64_t cols, tg_cost *out);
// Numbers of a piece that is sent, or received; 0 on one rank.
double tg_cost_transposition_scratch(const tg_cost_grid *grid, int64_t rows, int64_t cols);

#endif
