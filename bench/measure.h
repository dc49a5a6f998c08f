// Timing several things against one another within one run, and the dgemm limit they are measured by.
//
// What else a machine does hits all contestants alike when they take turns: only ratios of one race are compared.
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <mpi.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

enum { BENCH_ROUNDS_MAX = 64 };

typedef tg_status (*bench_call)(void *context);

// Something to time: the slowest rank's seconds in each round.
typedef struct bench_contestant {
  const char *name;
  bench_call call;
  void *context;
  int n_rounds;
  double rounds[BENCH_ROUNDS_MAX];
} bench_contestant;

// `rounds` rounds in which every contestant runs once, after one that warms up. Collective.
tg_status bench_race(MPI_Comm comm, int rounds, int n, bench_contestant *contestants);
// Its best round: what it can do on a machine that has other work as well.
double bench_best(const bench_contestant *contestant);
// The median over the rounds of its time divided by that of `unit` in the same round.
double bench_ratio(const bench_contestant *contestant, const bench_contestant *unit);
// The middle of n numbers, which are sorted.
double bench_median(int n, double *numbers);

// The limit of a product m x n x k: every rank runs dgemm on its share of the flops, all at the same time and with
// nothing to send.
typedef struct bench_limit {
  int m;
  int n;
  int k;
  double *a;
  double *b;
  double *c;
} bench_limit;

// Local. destroy also after a failure.
tg_status bench_limit_create(int ranks, int64_t m, int64_t n, int64_t k, bench_limit *out);
void bench_limit_destroy(bench_limit *limit);
// A bench_call over a bench_limit.
tg_status bench_limit_run(void *limit);

// A size on the command line, 1 .. 1,000,000; TG_USAGE says what was found.
tg_status bench_read_size(const char *text, int64_t *out);
// {"ranks": 2, "threads": 1, "blas_core": "...", "blas": "..."}: what the figures of this run belong to.
void bench_add_machine(MPI_Comm comm, tg_text *json);
// MPI_Init_thread, body(argc, argv, json), its error on standard error or its JSON line on standard output, and the
// exit status. The body adds the JSON object's text to its last argument.
int bench_main(int argc, char **argv, const char *name, tg_status (*body)(int argc, char **argv, tg_text *json));

#endif
