// What a program of a plan costs on P x Q ranks: pure arithmetic, for 1 or 16,384 ranks alike.
//
// The layout and the algorithms are those of src/mpi: ScaLAPACK's block-cyclic matrices, products by panels with
// TG_PRODUCT_AUTO. Bytes and messages of products and memory are exact (a test compares them with the counters);
// of factorisations and rearrangements they are the leading terms.
#ifndef TG_GRAD_COST_H
#define TG_GRAD_COST_H

#include "base/text.h"
#include "grad/plan/cost_terms.h"
#include "grad/plan/plan.h"

// A modern cluster node's share, for plans without a calibration: 30 GFLOP/s a thread, 10 GB/s, 10 GB/s, 2 us.
tg_cost_machine tg_cost_machine_default(void);

// Floating point operations of one instruction, all ranks together: 2 m n k for a product.
double tg_instr_flops(const tg_plan *plan, const tg_instr *instr);
double tg_program_flops(const tg_plan *plan, tg_program_id program);
// One instruction; a program. TG_VALUE when the grid or the machine is not positive. Local.
tg_status tg_instr_cost(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid,
                        const tg_cost_machine *machine, tg_cost *out);
tg_status tg_plan_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                       const tg_cost_machine *machine, tg_cost *out);

// Adds every field of `part` to `sum`. Local.
void tg_cost_accumulate(const tg_cost *part, tg_cost *sum);

// An iteration of a descent method: of a quadratic HESSIAN alone (tg_plan.line_by_hessian), DIRECTION, ADVANCE and
// GRADIENT where the plan has a line otherwise, else REFRESH and GRADIENT, one evaluation a step. The programs in order
// (their number is returned), and their cost together.
int tg_plan_iteration_programs(const tg_plan *plan, tg_program_id out[3]);
tg_status tg_plan_iteration_cost(const tg_plan *plan, const tg_cost_grid *grid, const tg_cost_machine *machine,
                                 tg_cost *out);

// The least that a rank sends for the GEMMs of an iteration when no matrix is stored twice. C (m x n) = A B stays where
// it is: its rank needs k (m / p + n / q) numbers of A and B, P = p q ranks, at least 2 k sqrt(m n / P), and has
// k (m + n) / P of them; or A, or B stays. For square matrices 2 n^2 / sqrt(P) - 2 n^2 / P. A message carries at most
// what a rank holds of the three. Source: D. Irony, S. Toledo, A. Tiskin, Communication lower bounds for distributed-
// memory matrix multiplication, 2004.
typedef struct tg_cost_bound {
  double bytes; // a rank
  double messages;
} tg_cost_bound;

// Local.
tg_status tg_plan_iteration_bound(const tg_plan *plan, const tg_cost_grid *grid, tg_cost_bound *out);

// Memory of the rank that holds most (rank 0), in bytes.
typedef struct tg_memory_cost {
  double data;    // operands
  double points;  // the blocks that the programs bind: point, direction, gradient, Hessian action
  double storage; // CONSTANT, STATE, TEMP
  double factors;
  double workspace; // panels, messages and scratch of the operations
  double total;
} tg_memory_cost;

// Bytes of a rows x cols matrix on the rank that holds most. Local.
double tg_cost_matrix_bytes(const tg_cost_grid *grid, int64_t rows, int64_t cols);

// Workspace of products C (m x n) = op(A) op(B), op(A) m x k, in all four forms, one after another. Local.
double tg_cost_product_bytes(const tg_cost_grid *grid, int64_t m, int64_t n, int64_t k);
// Numbers that pdsyevd (n x n) and pdgesvd (m x n) work in on a rank with so many rows and columns: what mpi/factor
// asks for, and what the forecast counts.
double tg_cost_syevd_work(int64_t n, int64_t block, int64_t local_rows, int64_t local_cols);
double tg_cost_gesvd_work(int64_t m, int64_t n, int64_t ranks, int64_t block, int64_t local_rows, int64_t local_cols);

tg_status tg_plan_memory(const tg_plan *plan, const tg_cost_grid *grid, tg_memory_cost *out);

// The head and the columns of such a dump: flops, bytes sent by a rank, messages one after another, seconds. What a row
// is about stands in the TG_COST_TITLE characters before them.
enum { TG_COST_TITLE = 59 };
void tg_cost_print_title(const char *title, tg_text *out);
void tg_cost_print_columns(const tg_cost *cost, const tg_cost_grid *grid, tg_text *out);
// The dump of one program with columns: flops, bytes and messages per rank, seconds; and their totals.
tg_status tg_plan_dump_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                            const tg_cost_machine *machine, tg_text *out);

#endif
