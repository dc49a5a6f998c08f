// Share of the local dgemm limit that distributed products reach: ours and pdgemm side by side, within one run.
//
// bench_products [n ...]      default: 1000 2000 3000
// The limit is what all ranks reach together when each runs dgemm on its share of the flops, at the same time and
// with nothing to send. A row per shape and transposition; the last line is JSON.
#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "mpi/dmat_ops.h"
#include "mpi/generate.h"
#include "mpi/product.h"

enum { REPEATS = 7, TALL_COLUMNS = 32 };

typedef struct bench {
  const tg_grid *grid;
  tg_workspace *workspace;
  tg_text json;
} bench;

typedef tg_status (*bench_call)(void *context);

// Something to time and the slowest rank's best time so far.
typedef struct contestant {
  bench_call call;
  void *context;
  double seconds;
} contestant;

// Rounds in which every contestant runs once: what else the machine does then hits all alike, and the best of
// many rounds is what each can do. The first round warms up.
static tg_status race(const tg_grid *grid, int n, contestant *contestants)
{
  for (int k = 0; k < n; k++) contestants[k].seconds = HUGE_VAL;
  for (int r = 0; r <= REPEATS; r++)
    for (int k = 0; k < n; k++) {
      TG_TRY_MPI(MPI_Barrier(grid->comm));
      const double start = MPI_Wtime();
      TG_TRY(contestants[k].call(contestants[k].context));
      double seconds = MPI_Wtime() - start;
      TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, grid->comm));
      if (r > 0 && seconds < contestants[k].seconds) contestants[k].seconds = seconds;
    }
  return TG_OK;
}

// --- the limit ---------------------------------------------------------------------------------------

typedef struct local_product {
  int m;
  int n;
  int k;
  double *a;
  double *b;
  double *c;
} local_product;

static tg_status run_local(void *context)
{
  local_product *p = context;
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, p->m, p->n, p->k, 1, p->a, p->m, p->b, p->k, 0, p->c, p->m);
  return TG_OK;
}

// Each rank multiplies its share of the columns of C: the same flops, nothing sent.
static tg_status create_local(int size, int64_t m, int64_t n, int64_t k, local_product *p)
{
  *p = (local_product){.m = (int)m, .n = (int)n, .k = (int)k};
  // the longer side of C is shared out, so that no rank's part is thin
  if (n >= m)
    p->n = (int)((n + size - 1) / size);
  else
    p->m = (int)((m + size - 1) / size);
  TG_TRY(tg_alloc_numbers((int64_t)p->m * p->k, &p->a));
  TG_TRY(tg_alloc_numbers((int64_t)p->k * p->n, &p->b));
  TG_TRY(tg_alloc_numbers((int64_t)p->m * p->n, &p->c));
  for (int64_t e = 0; e < (int64_t)p->m * p->k; e++) p->a[e] = (double)(e % 17) - 8;
  for (int64_t e = 0; e < (int64_t)p->k * p->n; e++) p->b[e] = (double)(e % 19) - 9;
  return TG_OK;
}

static void destroy_local(local_product *p)
{
  tg_free(p->a);
  tg_free(p->b);
  tg_free(p->c);
}

// --- distributed products ----------------------------------------------------------------------------

typedef struct distributed_product {
  tg_product_kind kind;
  bool transa;
  bool transb;
  tg_dmat *a;
  tg_dmat *b;
  tg_dmat *c;
  tg_workspace *workspace;
  tg_counters counters;
} distributed_product;

static tg_status run_distributed(void *context)
{
  distributed_product *p = context;
  return tg_product(p->kind, p->transa, p->transb, 1, p->a, p->b, 0, p->c, p->workspace, &p->counters);
}

static void report(bench *b, const char *name, const int64_t sizes[3], const contestant racers[3], double difference)
{
  const double gflop = 2e-9 * (double)sizes[0] * (double)sizes[1] * (double)sizes[2];
  const double limit = racers[0].seconds;
  const double ours = racers[1].seconds;
  const double pdgemm = racers[2].seconds;
  if (b->grid->rank == 0)
    printf("%-6s %6" PRId64 " %6" PRId64 " %6" PRId64 "  %8.1f %8.1f %8.1f   %5.2f %5.2f   %.1e\n", name, sizes[0],
           sizes[1], sizes[2], gflop / limit, gflop / ours, gflop / pdgemm, limit / ours, limit / pdgemm, difference);
  tg_text_addf(&b->json,
               "%s{\"form\": \"%s\", \"m\": %" PRId64 ", \"n\": %" PRId64 ", \"k\": %" PRId64
               ", \"limit_gflops\": %.2f, \"ours\": %.4f, \"pdgemm\": %.4f, \"difference\": %.2e}",
               tg_text_string(&b->json)[0] != '\0' ? ", " : "", name, sizes[0], sizes[1], sizes[2], gflop / limit,
               limit / ours, limit / pdgemm, difference);
}

// |ours - pdgemm| / (k eps |C|), which stays near or below 1 for two right answers.
static tg_status difference_of(const tg_dmat *reference, tg_dmat *ours, int64_t k, double *out)
{
  double squares[2] = {0};
  TG_TRY(tg_dmat_dot(reference, reference, &squares[0]));
  const double coefs[2] = {1, -1};
  const tg_dmat *const in[2] = {ours, reference};
  TG_TRY(tg_dmat_lincomb(2, coefs, in, ours));
  TG_TRY(tg_dmat_dot(ours, ours, &squares[1]));
  *out = sqrt(squares[1] / squares[0]) / ((double)k * 2.2e-16);
  return TG_OK;
}

static tg_status create_operands(bench *b, const int64_t sizes[3], distributed_product *p)
{
  const tg_generate_options options = {.seed = 1};
  const int64_t m = sizes[0];
  const int64_t n = sizes[1];
  const int64_t k = sizes[2];
  TG_TRY(tg_dmat_create(b->grid, p->transa ? k : m, p->transa ? m : k, &p->a));
  TG_TRY(tg_dmat_create(b->grid, p->transb ? n : k, p->transb ? k : n, &p->b));
  TG_TRY(tg_dmat_create(b->grid, m, n, &p->c));
  TG_TRY(tg_generate("normal", &options, p->a));
  return tg_generate("uniform", &options, p->b);
}

static tg_status measure_form(bench *b, const char *name, bool ta, bool tb, int64_t m, int64_t n, int64_t k)
{
  const int64_t sizes[3] = {m, n, k};
  local_product limit = {0};
  distributed_product ours = {.kind = TG_PRODUCT_AUTO, .transa = ta, .transb = tb, .workspace = b->workspace};
  distributed_product pdgemm = {0};
  contestant racers[3] = {{run_local, &limit, 0}, {run_distributed, &ours, 0}, {run_distributed, &pdgemm, 0}};
  double difference = 0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(create_local(b->grid->size, m, n, k, &limit));
  TG_TRY_GOTO(create_operands(b, sizes, &ours));
  pdgemm = ours;
  pdgemm.kind = TG_PRODUCT_PBLAS;
  pdgemm.c = NULL;
  TG_TRY_GOTO(tg_dmat_create(b->grid, m, n, &pdgemm.c));
  TG_TRY_GOTO(race(b->grid, 3, racers));
  TG_TRY_GOTO(difference_of(pdgemm.c, ours.c, k, &difference));
  report(b, name, sizes, racers, difference);
done:
  destroy_local(&limit);
  tg_dmat_destroy(&ours.a);
  tg_dmat_destroy(&ours.b);
  tg_dmat_destroy(&ours.c);
  tg_dmat_destroy(&pdgemm.c);
  return status;
}

// --- shapes ------------------------------------------------------------------------------------------

static tg_status measure_square(bench *b, int64_t n)
{
  static const char *const names[4] = {"NN", "TN", "NT", "TT"};
  for (int form = 0; form < 4; form++) TG_TRY(measure_form(b, names[form], form & 1, form & 2, n, n, n));
  return TG_OK;
}

// A X with A n x n and X n x 32, and X'Y.
static tg_status measure_tall(bench *b, int64_t n)
{
  TG_TRY(measure_form(b, "AX", false, false, n, TALL_COLUMNS, n));
  TG_TRY(measure_form(b, "A'X", true, false, n, TALL_COLUMNS, n));
  return measure_form(b, "X'Y", true, false, TALL_COLUMNS, TALL_COLUMNS, 10 * n);
}

static tg_status measure_on_grid(int64_t rows, int64_t cols, tg_status (*measure)(bench *, int64_t), tg_text *json)
{
  int ranks = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  tg_grid_choice choice;
  TG_TRY(tg_grid_choose(ranks, rows, cols, &choice));
  tg_grid *grid = NULL;
  bench b = {0};
  tg_text_init(&b.json);
  TG_TRY(tg_grid_create(MPI_COMM_WORLD, choice.rows, choice.cols, choice.block, &grid));
  tg_status status = TG_OK;
  b.grid = grid;
  TG_TRY_GOTO(tg_workspace_create(grid, &b.workspace));
  if (grid->rank == 0) printf("# %s; block %" PRId64 "\n", choice.reason, choice.block);
  TG_TRY_GOTO(measure(&b, rows));
  tg_text_addf(json, "%s{\"grid\": \"%dx%d\", \"block\": %" PRId64 ", \"products\": [%s]}",
               tg_text_string(json)[0] != '\0' ? ", " : "", grid->rows, grid->cols, grid->block,
               tg_text_string(&b.json));
done:
  tg_workspace_destroy(&b.workspace);
  tg_text_fini(&b.json);
  tg_grid_destroy(&grid);
  return status;
}

static tg_status measure_all(int count, char **sizes, tg_text *json)
{
  static char *defaults[3];
  static char texts[3][8] = {"1000", "2000", "3000"};
  for (int k = 0; k < 3; k++) defaults[k] = texts[k];
  const int n_sizes = count > 0 ? count : 3;
  for (int k = 0; k < n_sizes; k++) {
    const int64_t n = strtoll(count > 0 ? sizes[k] : defaults[k], NULL, 10);
    if (n < 1 || n > 1000000) TG_FAIL(TG_USAGE, "\"%s\" is not a size between 1 and 1000000", sizes[k]);
    TG_TRY(measure_on_grid(n, n, measure_square, json));
    TG_TRY(measure_on_grid(n, TALL_COLUMNS, measure_tall, json));
  }
  return TG_OK;
}

int main(int argc, char **argv)
{
  int provided = 0;
  int rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0)
    printf("# GFLOP/s of the dgemm limit, ours, pdgemm; share of the limit of ours and pdgemm; difference\n"
           "%-6s %6s %6s %6s  %8s %8s %8s   %5s %5s   %s\n",
           "form", "m", "n", "k", "limit", "ours", "pdgemm", "ours", "pdg", "diff/(k eps)");
  tg_text json;
  tg_text_init(&json);
  const tg_status status = measure_all(argc - 1, argv + 1, &json);
  if (status != TG_OK)
    fprintf(stderr, "bench_products: %s\n", tg_error_get()->message);
  else if (rank == 0)
    printf("{\"benchmark\": \"products\", \"grids\": [%s]}\n", tg_text_string(&json));
  tg_text_fini(&json);
  MPI_Finalize();
  return tg_status_exit(status);
}
