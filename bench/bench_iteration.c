// An iteration of gradient descent with exact line search, and of conjugate gradients, on tr(A*X*B*X') - 2*tr(C'*X)
// against the time of the Hessian action alone; and the share of an iteration that is not in products.
//
// bench_iteration [n [iterations]]      default: 3000 9
// The solvers run as in a job. Between two iterations the clock of the iteration stands while one Hessian action and
// one product at the dgemm limit are timed: all figures are medians of ratios of neighbours in time.
#include <stdio.h>
#include <string.h>

#include "grad/plan/cost.h"
#include "measure.h"
#include "objective.h"
#include "opt/driver.h"

enum { CONDITION = 1000 };

// One iteration and what was timed after it, in seconds.
typedef struct sample {
  double iteration;
  double in_products; // of it, in the products of the plan: mean of the ranks
  double hessian;
  double limit; // one n x n x n product
} sample;

typedef struct watch {
  bench_objective *objective;
  const tg_grid *grid;
  bench_limit *limit;
  opt_point *v;
  opt_point *hv;
  double resumed;       // when the iteration's clock went on
  double products_then; // seconds in products until then
  int n;
  sample samples[BENCH_ROUNDS_MAX];
} watch;

// ---- one sample ----

static tg_status time_call(watch *w, bool hessian, double *seconds)
{
  opt_problem *problem = w->objective->problem;
  TG_TRY_MPI(MPI_Barrier(w->grid->comm));
  const double start = MPI_Wtime();
  // The Hessian of a quadratic is the same everywhere: x is only bound, never read.
  TG_TRY(hessian ? problem->ops->hessian(problem, w->v, w->v, w->hv) : bench_limit_run(w->limit));
  *seconds = MPI_Wtime() - start;
  return TG_OK;
}

static tg_status agree_on_sample(const tg_grid *grid, sample *s)
{
  double slowest[3] = {s->iteration, s->hessian, s->limit};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, slowest, 3, MPI_DOUBLE, MPI_MAX, grid->comm));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &s->in_products, 1, MPI_DOUBLE, MPI_SUM, grid->comm));
  *s = (sample){slowest[0], s->in_products / grid->size, slowest[1], slowest[2]};
  return TG_OK;
}

// After each iteration, and first at the start, which is no iteration and warms up what is timed here.
static tg_status after_iteration(void *self, const opt_record *record, const opt_point *x)
{
  (void)x;
  watch *w = self;
  sample s = {.iteration = MPI_Wtime() - w->resumed,
              .in_products = bench_objective_product_seconds(w->objective) - w->products_then};
  TG_TRY(time_call(w, true, &s.hessian));
  TG_TRY(time_call(w, false, &s.limit));
  TG_TRY(agree_on_sample(w->grid, &s));
  // The first iteration grows workspaces.
  if (record->iteration > 1 && w->n < BENCH_ROUNDS_MAX) w->samples[w->n++] = s;
  w->products_then = bench_objective_product_seconds(w->objective);
  TG_TRY_MPI(MPI_Barrier(w->grid->comm));
  w->resumed = MPI_Wtime();
  return TG_OK;
}

// ---- a method ----

typedef struct figures {
  const char *method;
  int64_t iterations;
  double products; // of the plan, an iteration
  double against_hessian;
  double against_limit; // in units of one product at the limit
  double overhead;      // the share that is not in products
  double seconds;
} figures;

static figures figures_of(const char *method, const watch *w, const opt_result *result, double products)
{
  double ratios[4][BENCH_ROUNDS_MAX];
  for (int k = 0; k < w->n; k++) {
    const sample *s = &w->samples[k];
    ratios[0][k] = s->iteration / s->hessian;
    ratios[1][k] = s->iteration / s->limit;
    ratios[2][k] = 1 - s->in_products / s->iteration;
    ratios[3][k] = s->iteration;
  }
  return (figures){method,
                   result->iterations,
                   products,
                   bench_median(w->n, ratios[0]),
                   bench_median(w->n, ratios[1]),
                   bench_median(w->n, ratios[2]),
                   bench_median(w->n, ratios[3])};
}

// Products of the programs that an iteration of either method runs.
static double products_of_iteration(const tg_plan *plan)
{
  tg_program_id programs[3];
  const int count = tg_plan_iteration_programs(plan, programs);
  double products = 0;
  for (int p = 0; p < count; p++) products += (double)tg_program_products(&plan->programs[programs[p]]);
  return products;
}

static tg_status run_method(watch *w, const char *method, int64_t iterations, opt_point *x, figures *out)
{
  const opt_space *space = w->objective->space;
  opt_options options;
  opt_result result;
  opt_options_init(&options);
  TG_TRY(opt_option_set(&options, "method", method));
  TG_TRY(opt_option_set(&options, "gradient_tolerance", "0"));
  options.max_iterations = iterations + 1;
  const opt_observer observer = {.self = w, .iteration = after_iteration};
  w->n = 0;
  TG_TRY(space->ops->axpby(space, 0, x, 0, x));
  TG_TRY(opt_minimise(w->objective->problem, &options, x, &observer, &result));
  if (w->n == 0) TG_FAIL(TG_NUMERIC, "%s stopped before its second iteration: %s", method, result.reason);
  *out = figures_of(method, w, &result, products_of_iteration(w->objective->plan));
  return TG_OK;
}

// ---- the report ----

static void print_figures(const figures *f)
{
  printf("%-20s %10lld %9.0f %9.2f %9.3f %9.1f %% %10.4f\n", f->method, (long long)f->iterations, f->products,
         f->against_limit, f->against_hessian, 100 * f->overhead, f->seconds);
}

static void add_json(const tg_grid *grid, int64_t n, int count, const figures *f, tg_text *json)
{
  tg_text_addf(json, "{\"benchmark\": \"iteration\", \"n\": %lld, \"grid\": \"%dx%d\", \"block\": %lld, \"machine\": ",
               (long long)n, grid->rows, grid->cols, (long long)grid->block);
  bench_add_machine(grid->comm, json);
  tg_text_add(json, ", \"methods\": [");
  for (int k = 0; k < count; k++)
    tg_text_addf(json,
                 "%s{\"method\": \"%s\", \"products\": %.0f, \"against_hessian\": %.4f, \"against_limit\": %.4f, "
                 "\"overhead\": %.4f, \"seconds\": %.5f}",
                 k > 0 ? ", " : "", f[k].method, f[k].products, f[k].against_hessian, f[k].against_limit, f[k].overhead,
                 f[k].seconds);
  tg_text_add(json, "]}");
}

static tg_status create_objective(const tg_grid *grid, int64_t n, bench_objective *out)
{
  const bench_symbol symbols[4] = {
      {.name = "X", .rows = n, .cols = n, .is_variable = true},
      {"A", n, n, false, TG_SPD, "spd", {.seed = 1, .condition = CONDITION}},
      {"B", n, n, false, TG_SPD, "spd", {.seed = 2, .condition = CONDITION}},
      {"C", n, n, false, 0, "normal", {.seed = 3}},
  };
  return bench_objective_create(grid, "tr(A*X*B*X') - 2*tr(C'*X)", 4, symbols, true, out);
}

static tg_status measure(const tg_grid *grid, int64_t n, int64_t iterations, tg_text *json)
{
  static const char *const methods[2] = {"gradient-descent", "conjugate-gradient"};
  bench_objective objective = {0};
  bench_limit limit = {0};
  watch w = {.objective = &objective, .grid = grid, .limit = &limit};
  opt_point *x = NULL;
  figures found[2];
  tg_status status = bench_limit_create(grid->size, n, n, n, &limit);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  TG_TRY_GOTO(create_objective(grid, n, &objective));
  TG_TRY_GOTO(objective.space->ops->create(objective.space, &x));
  TG_TRY_GOTO(objective.space->ops->create(objective.space, &w.v));
  TG_TRY_GOTO(objective.space->ops->create(objective.space, &w.hv));
  TG_TRY_GOTO(objective.space->ops->random(objective.space, 7, w.v));
  if (grid->rank == 0)
    printf("# tr(A*X*B*X') - 2*tr(C'*X), all n x n, A and B positive definite, n = %lld; targets: 1.05, 5 %%\n"
           "%-20s %10s %9s %9s %9s %11s %10s\n",
           (long long)n, "method", "iterations", "products", "in limits", "/ Hessian", "no product", "seconds");
  for (int k = 0; k < 2; k++) {
    TG_TRY_GOTO(run_method(&w, methods[k], iterations, x, &found[k]));
    if (grid->rank == 0) print_figures(&found[k]);
  }
  add_json(grid, n, 2, found, json);
done:
  if (objective.space != NULL) {
    objective.space->ops->destroy(objective.space, &x);
    objective.space->ops->destroy(objective.space, &w.v);
    objective.space->ops->destroy(objective.space, &w.hv);
  }
  bench_objective_destroy(&objective);
  bench_limit_destroy(&limit);
  return status;
}

static tg_status body(int argc, char **argv, tg_text *json)
{
  int64_t n = 3000;
  int64_t iterations = 9;
  int ranks = 0;
  if (argc > 3) TG_FAIL(TG_USAGE, "usage: bench_iteration [n [iterations]]");
  if (argc > 1) TG_TRY(bench_read_size(argv[1], &n));
  if (argc > 2) TG_TRY(bench_read_size(argv[2], &iterations));
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  tg_grid_choice choice;
  tg_grid *grid = NULL;
  TG_TRY(tg_grid_choose(ranks, n, n, &choice));
  TG_TRY(tg_grid_create(MPI_COMM_WORLD, choice.rows, choice.cols, choice.block, &grid));
  const tg_status status = measure(grid, n, iterations, json);
  tg_grid_destroy(&grid);
  return status;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "bench_iteration", body);
}
