// Share of the local dgemm limit that distributed products reach: ours and pdgemm side by side, within one run.
//
// bench_products [n ...]      default: 500 1000 2000 3000
// The limit is what all ranks reach together when each runs dgemm on its share of the flops, at the same time and
// with nothing to send. A row per shape and transposition; the last line is JSON.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "measure.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"

enum { ROUNDS = 7, ROUNDS_OF_LARGE = 3, LARGE = 4000, TALL_COLUMNS = 32 };

typedef struct bench {
  const tg_grid *grid;
  tg_workspace *workspace;
  tg_text json;
} bench;

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

static void report(bench *b, const char *name, const int64_t sizes[3], const bench_contestant racers[3],
                   double difference)
{
  const double gflop = 2e-9 * (double)sizes[0] * (double)sizes[1] * (double)sizes[2];
  const double limit = bench_best(&racers[0]);
  const double ours = bench_best(&racers[1]);
  const double pdgemm = bench_best(&racers[2]);
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

// The operands of A'A: what both names stand for is one matrix.
static tg_status create_update(bench *b, const int64_t sizes[3], distributed_product *p)
{
  const tg_generate_options options = {.seed = 1};
  TG_TRY(tg_dmat_create(b->grid, sizes[2], sizes[0], &p->a));
  TG_TRY(tg_dmat_create(b->grid, sizes[0], sizes[1], &p->c));
  p->b = p->a;
  return tg_generate("normal", &options, p->a);
}

static tg_status measure_form(bench *b, const char *name, bool ta, bool tb, bool is_update, int64_t m, int64_t n,
                              int64_t k)
{
  const int64_t sizes[3] = {m, n, k};
  bench_limit limit = {0};
  distributed_product ours = {.kind = TG_PRODUCT_AUTO, .transa = ta, .transb = tb, .workspace = b->workspace};
  distributed_product pdgemm = {0};
  bench_contestant racers[3] = {{.call = bench_limit_run, .context = &limit},
                                {.call = run_distributed, .context = &ours},
                                {.call = run_distributed, .context = &pdgemm}};
  double difference = 0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(bench_limit_create(b->grid->size, m, n, k, &limit));
  TG_TRY_GOTO(is_update ? create_update(b, sizes, &ours) : create_operands(b, sizes, &ours));
  pdgemm = ours;
  pdgemm.kind = TG_PRODUCT_SCALAPACK;
  pdgemm.c = NULL;
  TG_TRY_GOTO(tg_dmat_create(b->grid, m, n, &pdgemm.c));
  TG_TRY_GOTO(bench_race(b->grid->comm, n < LARGE ? ROUNDS : ROUNDS_OF_LARGE, 3, racers));
  TG_TRY_GOTO(difference_of(pdgemm.c, ours.c, k, &difference));
  report(b, name, sizes, racers, difference);
done:
  bench_limit_destroy(&limit);
  if (ours.b == ours.a) ours.b = NULL;
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
  for (int form = 0; form < 4; form++) TG_TRY(measure_form(b, names[form], form & 1, form & 2, false, n, n, n));
  return measure_form(b, "A'A", true, false, true, n, n, n);
}

// A X with A n x n and X n x 32, and X'Y.
static tg_status measure_tall(bench *b, int64_t n)
{
  TG_TRY(measure_form(b, "AX", false, false, false, n, TALL_COLUMNS, n));
  TG_TRY(measure_form(b, "A'X", true, false, false, n, TALL_COLUMNS, n));
  return measure_form(b, "X'Y", true, false, false, TALL_COLUMNS, TALL_COLUMNS, 10 * n);
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

static tg_status body(int argc, char **argv, tg_text *json)
{
  static const int64_t defaults[] = {500, 1000, 2000, 3000};
  const int n_sizes = argc > 1 ? argc - 1 : (int)(sizeof defaults / sizeof *defaults);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  tg_text grids;
  tg_text_init(&grids);
  tg_status status = TG_OK;
  if (rank == 0)
    printf("# GFLOP/s of the dgemm limit, ours, pdgemm; share of the limit of ours and pdgemm; difference\n"
           "%-6s %6s %6s %6s  %8s %8s %8s   %5s %5s   %s\n",
           "form", "m", "n", "k", "limit", "ours", "pdgemm", "ours", "pdg", "diff/(k eps)");
  for (int k = 0; k < n_sizes; k++) {
    int64_t n = argc > 1 ? 0 : defaults[k];
    if (argc > 1) TG_TRY_GOTO(bench_read_size(argv[k + 1], &n));
    TG_TRY_GOTO(measure_on_grid(n, n, measure_square, &grids));
    TG_TRY_GOTO(measure_on_grid(n, TALL_COLUMNS, measure_tall, &grids));
  }
  tg_text_add(json, "{\"benchmark\": \"products\", \"machine\": ");
  bench_add_machine(MPI_COMM_WORLD, json);
  tg_text_addf(json, ", \"grids\": [%s]}", tg_text_string(&grids));
done:
  tg_text_fini(&grids);
  return status;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "bench_products", body);
}
