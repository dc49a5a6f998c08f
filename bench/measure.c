// Timing several things against one another within one run, and the dgemm limit they are measured by.
#include "measure.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/blas_loaded.h"
#include "base/memory.h"
#include "mpi/matrix/grid.h"

// ---- races ----

static tg_status run_once(MPI_Comm comm, const bench_contestant *contestant, double *seconds)
{
  TG_TRY_MPI(MPI_Barrier(comm));
  const double start = MPI_Wtime();
  TG_TRY(contestant->call(contestant->context));
  *seconds = MPI_Wtime() - start;
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, seconds, 1, MPI_DOUBLE, MPI_MAX, comm), TG_HERE);
}

tg_status bench_race(MPI_Comm comm, int rounds, int n, bench_contestant *contestants)
{
  if (rounds > BENCH_ROUNDS_MAX) TG_FAIL(TG_INTERNAL, "%d rounds, at most %d are kept", rounds, BENCH_ROUNDS_MAX);
  double warm_up = 0;
  for (int k = 0; k < n; k++) contestants[k].n_rounds = rounds;
  for (int r = -1; r < rounds; r++)
    for (int k = 0; k < n; k++) TG_TRY(run_once(comm, &contestants[k], r < 0 ? &warm_up : &contestants[k].rounds[r]));
  return TG_OK;
}

double bench_best(const bench_contestant *contestant)
{
  double best = HUGE_VAL;
  for (int r = 0; r < contestant->n_rounds; r++) best = fmin(best, contestant->rounds[r]);
  return best;
}

static int compare_numbers(const void *a, const void *b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_median(int n, double *numbers)
{
  if (n == 0) return NAN;
  qsort(numbers, (size_t)n, sizeof *numbers, compare_numbers);
  return n % 2 == 1 ? numbers[n / 2] : (numbers[n / 2 - 1] + numbers[n / 2]) / 2;
}

double bench_ratio(const bench_contestant *contestant, const bench_contestant *unit)
{
  double ratios[BENCH_ROUNDS_MAX];
  for (int r = 0; r < contestant->n_rounds; r++) ratios[r] = contestant->rounds[r] / unit->rounds[r];
  return bench_median(contestant->n_rounds, ratios);
}

// ---- the limit ----

tg_status bench_limit_run(void *limit)
{
  bench_limit *p = limit;
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, p->m, p->n, p->k, 1, p->a, p->m, p->b, p->k, 0, p->c, p->m);
  return TG_OK;
}

tg_status bench_limit_create(int ranks, int64_t m, int64_t n, int64_t k, bench_limit *out)
{
  *out = (bench_limit){.m = (int)m, .n = (int)n, .k = (int)k};
  // The longer side of C is shared out, so that no rank's part is thin.
  if (n >= m)
    out->n = (int)((n + ranks - 1) / ranks);
  else
    out->m = (int)((m + ranks - 1) / ranks);
  const int64_t a_size = (int64_t)out->m * out->k;
  const int64_t b_size = (int64_t)out->k * out->n;
  TG_TRY(tg_alloc_numbers(a_size, &out->a));
  TG_TRY(tg_alloc_numbers(b_size, &out->b));
  TG_TRY(tg_alloc_numbers((int64_t)out->m * out->n, &out->c));
  for (int64_t e = 0; e < a_size; e++) out->a[e] = (double)(e % 17) - 8;
  for (int64_t e = 0; e < b_size; e++) out->b[e] = (double)(e % 19) - 9;
  return TG_OK;
}

void bench_limit_destroy(bench_limit *limit)
{
  tg_free(limit->a);
  tg_free(limit->b);
  tg_free(limit->c);
  *limit = (bench_limit){0};
}

// ---- programs ----

tg_status bench_read_size(const char *text, int64_t *out)
{
  char *end = NULL;
  const int64_t n = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || n < 1 || n > 1000000)
    TG_FAIL(TG_USAGE, "\"%s\" is not a size between 1 and 1000000", text);
  *out = n;
  return TG_OK;
}

void bench_add_machine(MPI_Comm comm, tg_text *json)
{
  int ranks = 0;
  tg_blas_loaded blas;
  MPI_Comm_size(comm, &ranks);
  tg_blas_loaded_get(NULL, &blas);
  tg_text_addf(json, "{\"ranks\": %d, \"threads\": %d, \"blas_core\": \"%s\", \"blas\": \"%s\"}", ranks,
               omp_get_max_threads(), blas.core, blas.config);
}

// As the program itself does: begins again where OpenBLAS has kernels that fit this CPU better.
static void settle_kernels(char **argv)
{
  tg_blas_kernel kernel;
  tg_blas_record record;
  const char *core = "";
  tg_blas_kernel_get(NULL, &kernel);
  if (tg_blas_kernel_decide(&kernel, false, &record, &core) == TG_BLAS_EXECUTE_AGAIN &&
      tg_blas_kernel_export(&record, core))
    execv("/proc/self/exe", argv);
}

int bench_main(int argc, char **argv, const char *name, tg_status (*body)(int argc, char **argv, tg_text *json))
{
  int provided = 0;
  int rank = 0;
  settle_kernels(argv);
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  // Rows appear as they are measured, also through a launcher's pipe.
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  tg_text json;
  tg_text_init(&json);
  tg_status status = body(argc, argv, &json);
  if (status == TG_OK) status = tg_text_status(&json);
  if (status != TG_OK && (rank == 0 || status != TG_USAGE))
    fprintf(stderr, "%s: %s\n", name, tg_error_get()->message);
  else if (rank == 0)
    printf("%s\n", tg_text_string(&json));
  tg_text_fini(&json);
  // A failure of one rank alone would leave the others waiting.
  if (status != TG_OK && status != TG_USAGE) MPI_Abort(MPI_COMM_WORLD, tg_status_exit(status));
  MPI_Finalize();
  return tg_status_exit(status);
}
