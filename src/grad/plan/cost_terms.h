// What costs are computed for, and what they consist of.
#ifndef TG_GRAD_COST_TERMS_H
#define TG_GRAD_COST_TERMS_H

#include <stdint.h>

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

// Memory of an object on the rank that holds most: what it keeps, and what passes while it is made or used, that beside
// the former.
typedef struct tg_bytes {
  double kept;
  double passing;
} tg_bytes;

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

#endif
