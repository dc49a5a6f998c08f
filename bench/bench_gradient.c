// Value and gradient of tr(A*B*A'*C) in units of one n x n x n product at the dgemm limit of the same run: ours, with
// general and with symmetric B and C, the straightforward program of four pdgemm, and PyTorch where it is installed.
//
// bench_gradient [n [rounds]]      default: 3000 7
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"
#include "mpi/space/space.h"
#include "objective.h"

static const char objective_text[] = "tr(A*B*A'*C)";

// ---- ours: the real path, from the text to the executor ----

typedef struct ours {
  bench_objective objective;
  opt_point *x;
  opt_point *gradient;
  double f;
} ours;

static tg_status run_ours(void *context)
{
  ours *o = context;
  opt_problem *problem = o->objective.problem;
  return problem->ops->gradient(problem, o->x, &o->f, o->gradient);
}

static tg_status create_ours(const tg_grid *grid, int64_t n, bool symmetric, ours *o)
{
  const unsigned properties = symmetric ? TG_SYMMETRIC : 0;
  const bench_symbol symbols[3] = {
      {.name = "A", .rows = n, .cols = n, .is_variable = true},
      {"B", n, n, false, properties, "normal", {.seed = 1, .symmetric = symmetric}},
      {"C", n, n, false, properties, "normal", {.seed = 2, .symmetric = symmetric}},
  };
  TG_TRY(bench_objective_create(grid, objective_text, 3, symbols, false, &o->objective));
  const opt_space *space = o->objective.space;
  TG_TRY(space->ops->create(space, &o->x));
  TG_TRY(space->ops->create(space, &o->gradient));
  return space->ops->random(space, 3, o->x);
}

static void destroy_ours(ours *o)
{
  const opt_space *space = o->objective.space;
  if (o->x != NULL) space->ops->destroy(space, &o->x);
  if (o->gradient != NULL) space->ops->destroy(space, &o->gradient);
  bench_objective_destroy(&o->objective);
}

// ---- the straightforward ScaLAPACK program ----

// P = A B, Q = C P, f = <A, Q>, R = A B', G = Q + C' R: four pdgemm, NN NN NT TN, on the same matrices.
typedef struct straightforward {
  const tg_dmat *a;
  const tg_dmat *b;
  const tg_dmat *c;
  tg_dmat *product; // P, then R
  tg_dmat *gradient;
  tg_workspace *workspace;
  double f;
} straightforward;

static tg_status run_straightforward(void *context)
{
  straightforward *s = context;
  const tg_product_kind scalapack = TG_PRODUCT_SCALAPACK;
  TG_TRY(tg_product(scalapack, false, false, 1, s->a, s->b, 0, s->product, s->workspace, NULL));
  TG_TRY(tg_product(scalapack, false, false, 1, s->c, s->product, 0, s->gradient, s->workspace, NULL));
  TG_TRY(tg_dmat_dot(s->a, s->gradient, &s->f));
  TG_TRY(tg_product(scalapack, false, true, 1, s->a, s->b, 0, s->product, s->workspace, NULL));
  return tg_product(scalapack, true, false, 1, s->c, s->product, 1, s->gradient, s->workspace, NULL);
}

static tg_status create_straightforward(int64_t n, const ours *general, straightforward *s)
{
  const bench_objective *o = &general->objective;
  const tg_grid *grid = o->setup->grid; // one grid for all operands
  const bool b_first = strcmp(o->plan->data[0].name, "B") == 0;
  s->a = tg_space_block(general->x, 0);
  s->b = o->setup->data[b_first ? 0 : 1];
  s->c = o->setup->data[b_first ? 1 : 0];
  tg_status status = tg_dmat_create(grid, n, n, &s->product);
  if (status == TG_OK) status = tg_dmat_create(grid, n, n, &s->gradient);
  if (status == TG_OK) status = tg_workspace_create(grid, &s->workspace);
  return tg_agree(grid->comm, status);
}

static void destroy_straightforward(straightforward *s)
{
  tg_dmat_destroy(&s->product);
  tg_dmat_destroy(&s->gradient);
  tg_workspace_destroy(&s->workspace);
}

// max of |f - f'| / |f'| and |G - G'| / |G'|, ' the straightforward program's; its gradient is overwritten.
static tg_status difference_of(const ours *mine, straightforward *s, double *out)
{
  const double coefs[2] = {1, -1};
  const tg_dmat *const terms[2] = {tg_space_block(mine->gradient, 0), s->gradient};
  double size = 0;
  double error = 0;
  TG_TRY(tg_dmat_dot(s->gradient, s->gradient, &size));
  TG_TRY(tg_dmat_lincomb(2, coefs, terms, s->gradient));
  TG_TRY(tg_dmat_dot(s->gradient, s->gradient, &error));
  *out = fmax(fabs(mine->f - s->f) / fabs(s->f), sqrt(error / size));
  return TG_OK;
}

// ---- PyTorch ----

// Times as on paper and as an expert would rewrite it, sum(A .* (C A B)), beside its own matrix product; the median
// over the rounds of each in units of that product.
static const char torch_program[] =
    "import sys, time, statistics\n"
    "try:\n"
    "  import torch\n"
    "except ImportError:\n"
    "  sys.exit(3)\n"
    "n, rounds, threads = (int(v) for v in sys.argv[1:4])\n"
    "torch.set_num_threads(threads)\n"
    "torch.set_default_dtype(torch.float64)\n"
    "torch.manual_seed(1)\n"
    "A, B, C, D = (torch.randn(n, n) for _ in range(4))\n"
    "A.requires_grad_(True)\n"
    "def product(): torch.mm(B, C, out=D)\n"
    "def gradient(f):\n"
    "  A.grad = None\n"
    "  f().backward()\n"
    "def written(): gradient(lambda: torch.trace(A @ B @ A.T @ C))\n"
    "def expert(): gradient(lambda: (A * (C @ (A @ B))).sum())\n"
    "def seconds(f):\n"
    "  start = time.perf_counter()\n"
    "  f()\n"
    "  return time.perf_counter() - start\n"
    "times = [[seconds(f) for f in (product, written, expert)] for _ in range(rounds + 1)][1:]\n"
    "ratio = lambda k: statistics.median(t[k] / t[0] for t in times)\n"
    "best = lambda k: min(t[k] for t in times)\n"
    "print(torch.__version__, best(0), ratio(1), ratio(2), best(1), best(2))\n";

typedef struct torch_result {
  bool found;
  char version[64];
  double product_seconds; // its own product, at best
  double written;         // in units of that
  double expert;
  double best_written; // seconds
  double best_expert;
} torch_result;

static void read_torch(FILE *pipe, torch_result *out)
{
  out->found = fscanf(pipe, "%63s %lf %lf %lf %lf %lf", out->version, &out->product_seconds, &out->written,
                      &out->expert, &out->best_written, &out->best_expert) == 6;
}

// Rank 0 runs it on the cores of all ranks, which sleep meanwhile: a waiting rank would take them away.
static tg_status run_torch(const tg_grid *grid, int64_t n, int rounds, torch_result *out)
{
  *out = (torch_result){0};
  if (grid->rank == 0) {
    char command[sizeof torch_program + 200];
    const int cores = grid->size * omp_get_max_threads();
    // Before Python starts, too: BLAS counts its threads when it is loaded.
    snprintf(command, sizeof command,
             "OMP_NUM_THREADS=%d ${BENCH_PYTHON:-python3} - %lld %d %d <<'PROGRAM'\n%sPROGRAM\n", cores, (long long)n,
             rounds, cores, torch_program);
    FILE *pipe = popen(command, "r");
    if (pipe != NULL) {
      read_torch(pipe, out);
      pclose(pipe);
    }
  }
  MPI_Request request = MPI_REQUEST_NULL;
  TG_TRY_MPI(MPI_Ibarrier(grid->comm, &request));
  for (int done = 0; !done;) {
    const struct timespec pause = {.tv_nsec = 10000000};
    TG_TRY_MPI(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    if (!done) nanosleep(&pause, NULL);
  }
  return TG_OK;
}

// ---- the report ----

enum { LIMIT, GENERAL, SYMMETRIC, PDGEMM, N_RACERS };

// products: the median over the rounds, and the best round over the best of the limit.
static void print_row(const char *what, double products, double best, double target, double seconds)
{
  char bound[24] = "";
  if (target > 0) snprintf(bound, sizeof bound, "<= %.1f", target);
  printf("%-36s %10.2f %10.2f   %-8s %10.3f\n", what, products, best, bound, seconds);
}

static void print_torch(const torch_result *torch)
{
  if (!torch->found) {
    printf("PyTorch: no python3 with torch here, skipped\n");
    return;
  }
  printf("PyTorch %s, in units of its own product (%.3f s)\n", torch->version, torch->product_seconds);
  print_row("  as written on paper", torch->written, torch->best_written / torch->product_seconds, 0,
            torch->best_written);
  print_row("  rewritten as sum(A .* (C A B))", torch->expert, torch->best_expert / torch->product_seconds, 0,
            torch->best_expert);
}

static void print_results(int64_t n, const bench_contestant *racers, const torch_result *torch, double difference)
{
  const double limit = bench_best(&racers[LIMIT]);
  printf("# value and gradient of %s, n = %lld; the limit: %.1f GFLOP/s\n", objective_text, (long long)n,
         2e-9 * (double)n * (double)n * (double)n / limit);
  printf("%-36s %10s %10s   %-8s %10s\n", "in products:", "median", "best", "target", "seconds");
  static const double targets[N_RACERS] = {0, 4.2, 2.1, 0};
  for (int k = GENERAL; k < N_RACERS; k++)
    print_row(racers[k].name, bench_ratio(&racers[k], &racers[LIMIT]), bench_best(&racers[k]) / limit, targets[k],
              bench_best(&racers[k]));
  print_torch(torch);
  printf("largest relative difference between ours and pdgemm: %.1e\n", difference);
}

static void add_json(const tg_grid *grid, int64_t n, const bench_contestant *racers, const torch_result *torch,
                     double difference, tg_text *json)
{
  tg_text_addf(json, "{\"benchmark\": \"gradient\", \"n\": %lld, \"grid\": \"%dx%d\", \"block\": %lld, \"machine\": ",
               (long long)n, grid->rows, grid->cols, (long long)grid->block);
  bench_add_machine(grid->comm, json);
  static const char *const keys[N_RACERS] = {"", "general", "symmetric", "pdgemm"};
  const double limit = bench_best(&racers[LIMIT]);
  tg_text_addf(json, ", \"limit_seconds\": %.4f", limit);
  for (int k = GENERAL; k < N_RACERS; k++)
    tg_text_addf(json, ", \"%s\": %.3f, \"%s_best\": %.3f", keys[k], bench_ratio(&racers[k], &racers[LIMIT]), keys[k],
                 bench_best(&racers[k]) / limit);
  if (torch->found)
    tg_text_addf(json, ", \"torch\": \"%s\", \"torch_written\": %.3f, \"torch_expert\": %.3f", torch->version,
                 torch->written, torch->expert);
  tg_text_addf(json, ", \"difference\": %.2e}", difference);
}

static tg_status measure(const tg_grid *grid, int64_t n, int rounds, tg_text *json)
{
  bench_limit limit = {0};
  ours general = {0};
  ours symmetric = {0};
  straightforward pdgemm = {0};
  torch_result torch = {0};
  double difference = 0;
  bench_contestant racers[N_RACERS] = {
      [LIMIT] = {.name = "one product", .call = bench_limit_run, .context = &limit},
      [GENERAL] = {.name = "general B and C", .call = run_ours, .context = &general},
      [SYMMETRIC] = {.name = "symmetric B and C", .call = run_ours, .context = &symmetric},
      [PDGEMM] = {.name = "four pdgemm, general B and C", .call = run_straightforward, .context = &pdgemm},
  };
  tg_status status = bench_limit_create(grid->size, n, n, n, &limit);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  TG_TRY_GOTO(create_ours(grid, n, false, &general));
  TG_TRY_GOTO(create_ours(grid, n, true, &symmetric));
  TG_TRY_GOTO(create_straightforward(n, &general, &pdgemm));
  TG_TRY_GOTO(bench_race(grid->comm, rounds, N_RACERS, racers));
  TG_TRY_GOTO(difference_of(&general, &pdgemm, &difference));
  TG_TRY_GOTO(run_torch(grid, n, rounds, &torch));
  if (grid->rank == 0) print_results(n, racers, &torch, difference);
  add_json(grid, n, racers, &torch, difference, json);
done:
  destroy_straightforward(&pdgemm);
  destroy_ours(&symmetric);
  destroy_ours(&general);
  bench_limit_destroy(&limit);
  return status;
}

static tg_status body(int argc, char **argv, tg_text *json)
{
  int64_t n = 3000;
  int64_t rounds = 7;
  int ranks = 0;
  if (argc > 3) TG_FAIL(TG_USAGE, "usage: bench_gradient [n [rounds]]");
  if (argc > 1) TG_TRY(bench_read_size(argv[1], &n));
  if (argc > 2) TG_TRY(bench_read_size(argv[2], &rounds));
  if (rounds > BENCH_ROUNDS_MAX) rounds = BENCH_ROUNDS_MAX;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  tg_grid_choice choice;
  tg_grid *grid = NULL;
  TG_TRY(tg_grid_choose(ranks, n, n, &choice));
  TG_TRY(tg_grid_create(MPI_COMM_WORLD, choice.rows, choice.cols, choice.block, &grid));
  const tg_status status = measure(grid, n, (int)rounds, json);
  tg_grid_destroy(&grid);
  return status;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "bench_gradient", body);
}
