// What a program of a plan costs on P x Q ranks: pure arithmetic, for 1 or 16,384 ranks alike.
//
// The layout and the algorithms are those of src/mpi: ScaLAPACK's block-cyclic matrices, products by panels with
// TG_PRODUCT_AUTO. Bytes and messages of products and memory are exact (a test compares them with the counters);
// of factorisations and rearrangements they are the leading terms.
#ifndef TG_GRAD_COST_H
#define TG_GRAD_COST_H

#include "base/text.h"
#include "grad/plan.h"

// A P x Q grid of ranks with square blocks.
typedef struct tg_cost_grid {
  int64_t rows;
  int64_t cols;
  int64_t block;
  int threads; // of each rank
} tg_cost_grid;

// The alpha-beta-gamma model: a message of b bytes takes latency + b / link; products run at gamma per thread,
// all that is not a product at the speed of memory.
typedef struct tg_cost_machine {
  double flops_per_thread; // products, per second
  double link_bytes;       // per second, each rank
  double memory_bytes;     // per second, each rank
  double latency_sec;      // of a message
} tg_cost_machine;

// A modern cluster node's share, for plans without a calibration: 30 GFLOP/s a thread, 10 GB/s, 10 GB/s, 2 us.
tg_cost_machine tg_cost_machine_default(void);

typedef struct tg_cost {
  int64_t products;     // GEMM, SOLVE, INVERSE
  double flops;         // of all ranks together
  double rank_flops;    // of the busiest rank
  double bytes_sent;    // by all ranks together
  double product_bytes; // of these, by the products: what the executor's counters book
  double messages;      // of the products, all ranks together
  double latencies;     // messages that one rank waits for one after another
  double memory_bytes;  // between memory and cores of the busiest rank
  double seconds;       // products overlap arithmetic, memory and messages; everything else adds them
} tg_cost;

// One instruction; a program. TG_VALUE when the grid or the machine is not positive. Local.
tg_status tg_instr_cost(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid,
                        const tg_cost_machine *machine, tg_cost *out);
tg_status tg_plan_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                       const tg_cost_machine *machine, tg_cost *out);

// Memory of the rank that holds most (rank 0), in bytes.
typedef struct tg_memory_cost {
  double data;    // operands
  double points;  // the blocks that the programs bind: point, direction, gradient, Hessian action
  double storage; // CONSTANT, STATE, TEMP
  double factors;
  double workspace; // panels, messages and scratch of the operations
  double total;
} tg_memory_cost;

tg_status tg_plan_memory(const tg_plan *plan, const tg_cost_grid *grid, tg_memory_cost *out);

// The dump of one program with columns: flops, bytes and messages per rank, seconds; and their totals.
tg_status tg_plan_dump_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                            const tg_cost_machine *machine, tg_text *out);

#endif
