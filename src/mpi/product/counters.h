// What products have done so far.
#ifndef TG_MPI_COUNTERS_H
#define TG_MPI_COUNTERS_H

#include <stdint.h>

// On this rank. flops counts the whole product, bytes what this rank sent (over all ranks the
// sum is exact; a broadcast down a tree is booked on its root).
typedef struct tg_counters {
  int64_t products;
  double flops;
  double bytes_sent;
  int64_t messages;
} tg_counters;

#endif
