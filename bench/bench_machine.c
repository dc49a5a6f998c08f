// The constants of the cost model, measured: products and memory of a rank while all ranks work, latency and bandwidth
// between ranks. The JSON line is what TRACEGRAD_MACHINE names a file of, for `tracegrad plan`.
//
// bench_machine [n]      default: 2000; n x n x n is a rank's product. Run it with the ranks and threads to plan for.
#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "measure.h"
#include "mpi/matrix/grid.h"

// Seconds for which products are timed at least, as far as rounds are kept.
static const double lasting_sec = 1.5;

enum { ROUNDS = 7, PINGS = 50, SMALL_BYTES = 8, LARGE_BYTES = 4 << 20, TRIAD_NUMBERS = 1 << 24 };

typedef struct constants {
  double flops_per_thread;
  double memory_bytes;
  double link_bytes;
  double latency_sec;
  double broadcast_bytes; // what a broadcast of panels reaches: beside the link's, not in the model
} constants;

// ---- arithmetic and memory ----

static tg_status measure_products(int64_t n, constants *out)
{
  bench_limit limit = {0};
  bench_contestant racer = {.call = bench_limit_run, .context = &limit};
  tg_status status = bench_limit_create(1, n, n, n, &limit);
  TG_TRY_GOTO(tg_agree(MPI_COMM_WORLD, status));
  TG_TRY_GOTO(bench_race(MPI_COMM_WORLD, ROUNDS, 1, &racer));
  // Threads that have just started may share a core until the scheduler parts them: small products need more rounds.
  const double more = lasting_sec / bench_best(&racer);
  if (more > ROUNDS)
    TG_TRY_GOTO(bench_race(MPI_COMM_WORLD, more < BENCH_ROUNDS_MAX ? (int)more : BENCH_ROUNDS_MAX, 1, &racer));
  out->flops_per_thread = 2 * pow((double)n, 3) / bench_best(&racer) / omp_get_max_threads();
done:
  bench_limit_destroy(&limit);
  return status;
}

typedef struct triad {
  double *a;
  double *b;
  double *c;
} triad;

// a = b + 3 c: two numbers read and one written, as the cost model counts an entrywise operation.
static tg_status run_triad(void *context)
{
  const triad *t = context;
  double *restrict a = t->a;
  const double *restrict b = t->b;
  const double *restrict c = t->c;
#pragma omp parallel for simd schedule(static)
  for (int64_t k = 0; k < TRIAD_NUMBERS; k++) a[k] = b[k] + 3 * c[k];
  return TG_OK;
}

static tg_status create_triad(triad *t)
{
  TG_TRY(tg_alloc_numbers(TRIAD_NUMBERS, &t->a));
  TG_TRY(tg_alloc_numbers(TRIAD_NUMBERS, &t->b));
  TG_TRY(tg_alloc_numbers(TRIAD_NUMBERS, &t->c));
  // First touched by the thread that works on it.
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < TRIAD_NUMBERS; k++) {
    t->a[k] = 0;
    t->b[k] = (double)(k % 13);
    t->c[k] = (double)(k % 11);
  }
  return TG_OK;
}

static tg_status measure_memory(constants *out)
{
  triad t = {0};
  bench_contestant racer = {.call = run_triad, .context = &t};
  tg_status status = create_triad(&t);
  TG_TRY_GOTO(tg_agree(MPI_COMM_WORLD, status));
  TG_TRY_GOTO(bench_race(MPI_COMM_WORLD, ROUNDS, 1, &racer));
  out->memory_bytes = 3.0 * sizeof(double) * TRIAD_NUMBERS / bench_best(&racer);
done:
  tg_free(t.a);
  tg_free(t.b);
  tg_free(t.c);
  return status;
}

// ---- messages ----

// Rank k and rank k + ranks / 2 are partners, so that neighbours are not measured where nodes hold half of the ranks or
// fewer: all pairs talk at the same time, as all ranks do in a product.
typedef struct conversation {
  int partner; // -1: an odd rank without one
  bool first;
  int bytes;
  int pings;
  char *buffer;
} conversation;

static tg_status run_conversation(void *context)
{
  const conversation *c = context;
  const MPI_Comm comm = MPI_COMM_WORLD;
  if (c->partner < 0) return TG_OK;
  for (int k = 0; k < c->pings; k++) {
    if (c->first) TG_TRY_MPI(MPI_Send(c->buffer, c->bytes, MPI_BYTE, c->partner, 0, comm));
    TG_TRY_MPI(MPI_Recv(c->buffer, c->bytes, MPI_BYTE, c->partner, 0, comm, MPI_STATUS_IGNORE));
    if (!c->first) TG_TRY_MPI(MPI_Send(c->buffer, c->bytes, MPI_BYTE, c->partner, 0, comm));
  }
  return TG_OK;
}

static tg_status run_broadcast(void *context)
{
  const conversation *c = context;
  return tg_mpi_check(MPI_Bcast(c->buffer, c->bytes, MPI_BYTE, 0, MPI_COMM_WORLD), TG_HERE);
}

static conversation conversation_with(int rank, int ranks, char *buffer)
{
  const int half = ranks / 2;
  conversation c = {.partner = -1, .first = rank < half, .buffer = buffer};
  if (rank < 2 * half) c.partner = rank < half ? rank + half : rank - half;
  return c;
}

static tg_status measure_messages(int rank, int ranks, char *buffer, constants *out)
{
  conversation small = conversation_with(rank, ranks, buffer);
  conversation large = small;
  small.bytes = SMALL_BYTES;
  small.pings = PINGS;
  large.bytes = LARGE_BYTES;
  large.pings = 2;
  bench_contestant racers[3] = {{.call = run_conversation, .context = &small},
                                {.call = run_conversation, .context = &large},
                                {.call = run_broadcast, .context = &large}};
  TG_TRY(bench_race(MPI_COMM_WORLD, ROUNDS, 3, racers));
  out->latency_sec = bench_best(&racers[0]) / (2 * PINGS);
  // Two partners send one at a time; two ranks of a product send both at once.
  const double one_way = bench_best(&racers[1]) / (2 * large.pings) - out->latency_sec;
  out->link_bytes = LARGE_BYTES / one_way;
  // Every rank but one receives the bytes; the model books them as sent, spread over all ranks.
  out->broadcast_bytes = (double)(ranks - 1) / ranks * LARGE_BYTES / bench_best(&racers[2]);
  return TG_OK;
}

static tg_status measure_links(constants *out)
{
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks == 1) return TG_OK;
  void *buffer = NULL;
  tg_status status = tg_alloc(LARGE_BYTES, 1, &buffer);
  status = tg_agree(MPI_COMM_WORLD, status);
  if (status == TG_OK) status = measure_messages(rank, ranks, buffer, out);
  tg_free(buffer);
  return status;
}

// ---- the report ----

static void print_constants(const constants *c, int ranks)
{
  printf("# %d rank%s x %d thread%s\n", ranks, ranks == 1 ? "" : "s", omp_get_max_threads(),
         omp_get_max_threads() == 1 ? "" : "s");
  printf("# products    %8.2f GFLOP/s a thread (gamma)\n", 1e-9 * c->flops_per_thread);
  printf("# memory      %8.2f GB/s a rank, all ranks at the same time\n", 1e-9 * c->memory_bytes);
  if (ranks == 1) {
    printf("# messages    none: one rank sends nothing; link and latency below are the model's defaults\n");
    return;
  }
  printf("# link        %8.2f GB/s a rank, all pairs at the same time (1 / beta)\n", 1e-9 * c->link_bytes);
  printf("# broadcast   %8.2f GB/s a rank over all ranks, %d MiB\n", 1e-9 * c->broadcast_bytes, LARGE_BYTES >> 20);
  printf("# latency     %8.2f us of a message (alpha)\n", 1e6 * c->latency_sec);
}

static tg_status body(int argc, char **argv, tg_text *json)
{
  int64_t n = 2000;
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc > 2) TG_FAIL(TG_USAGE, "usage: bench_machine [n]");
  if (argc > 1) TG_TRY(bench_read_size(argv[1], &n));
  const tg_cost_machine fallback = tg_cost_machine_default();
  constants c = {.link_bytes = fallback.link_bytes, .latency_sec = fallback.latency_sec};
  TG_TRY(measure_products(n, &c));
  TG_TRY(measure_memory(&c));
  TG_TRY(measure_links(&c));
  if (rank == 0) print_constants(&c, ranks);
  tg_text_addf(json,
               "{\"benchmark\": \"machine\", \"flops_per_thread\": %.4g, \"link_bytes\": %.4g, \"memory_bytes\": %.4g, "
               "\"latency_sec\": %.3g, \"measured_on\": ",
               c.flops_per_thread, c.link_bytes, c.memory_bytes, c.latency_sec);
  bench_add_machine(MPI_COMM_WORLD, json);
  tg_text_add(json, "}");
  return TG_OK;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "bench_machine", body);
}
