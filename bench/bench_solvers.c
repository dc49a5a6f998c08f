// What auto needs where the structure gives the minimiser, beside plain conjugate gradients, within one run.
//
// bench_solvers [scale [iterations]]
// Sizes are multiplied by the scale, default 1 (0.2 for a quick look); iterations, default 3000, at most for the method
// beside auto.
// Each job runs with method: auto, then with method: conjugate-gradient (l-bfgs for tr(SX) - logdet(X)) and
// preconditioner: none, which is what a ScaLAPACK program written by hand would do. Products are of the larger side,
// factorisations in the same unit; |g| is relative to the start, recomputed at the end.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/run.h"
#include "measure.h"
#include "mpi/files.h"

enum { SIDE_ITERATIONS = 3000 };

typedef struct problem {
  const char *name;
  int64_t n;        // before scaling; 0: fixed sizes
  int64_t at_most;  // products that auto may need
  const char *peer; // method beside it
  const char *text; // %1$lld is n
} problem;

// The Hessian has the condition number of A times that of B.
#define QUADRATIC(condition)                                                                        \
  "minimize: tr(A*X*B*X') - 2*tr(C'*X)\n"                                                           \
  "variables: {X: {rows: %1$lld, columns: %1$lld}}\n"                                               \
  "data:\n"                                                                                         \
  "  A: {generate: spd, rows: %1$lld, seed: 1, condition: " condition ", spd: true, trust: true}\n" \
  "  B: {generate: spd, rows: %1$lld, seed: 2, condition: " condition ", spd: true, trust: true}\n" \
  "  C: {generate: normal, rows: %1$lld, columns: %1$lld, seed: 3}\n"

static const problem problems[] = {
    {"quadratic, condition 1e4", 1000, 5, "conjugate-gradient", QUADRATIC("100")},
    {"quadratic, condition 1e6", 1000, 5, "conjugate-gradient", QUADRATIC("1000")},
    {"ridge with Laplacian, digits", 0, 20, "conjugate-gradient",
     "minimize: sumsq(Y - X*W) + 0.1*tr(W*L*W') + sumsq(W)\n"
     "variables: {W: {rows: 64, columns: 10}}\n"
     "data:\n"
     "  X: {file: configs/data/digits-x.npy}\n"
     "  Y: {file: configs/data/digits-y.npy}\n"
     "  L: {file: configs/data/ring-laplacian-10.mtx, symmetric: true}\n"},
    {"sumsq(AX + XB - C)", 400, 35, "conjugate-gradient",
     "minimize: sumsq(A*X + X*B - C)\n"
     "variables: {X: {rows: %1$lld, columns: %1$lld}}\n"
     "data:\n"
     "  A: {generate: spd, rows: %1$lld, seed: 1, condition: 50, spd: true, trust: true}\n"
     "  B: {generate: spd, rows: %1$lld, seed: 2, condition: 50, spd: true, trust: true}\n"
     "  C: {generate: normal, rows: %1$lld, columns: %1$lld, seed: 3}\n"},
    {"tr(SX) - logdet(X)", 500, 3, "l-bfgs",
     "minimize: tr(S*X) - logdet(X)\n"
     "variables: {X: {rows: %1$lld, columns: %1$lld, start: identity}}\n"
     "data:\n"
     "  S: {generate: spd, rows: %1$lld, seed: 1, condition: 1e4, spd: true, trust: true}\n"},
};

// The job as a file of the working directory, so that its data paths hold; rank 0 writes it.
static tg_status write_job(const problem *p, int64_t n, int64_t iterations, const char *path)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) TG_FAIL(TG_DATA, "cannot write %s", path);
  for (const char *at = p->text; *at != '\0'; at++) {
    if (strncmp(at, "%1$lld", 6) == 0) {
      fprintf(file, "%" PRId64, n);
      at += 5;
    } else {
      fputc(*at, file);
    }
  }
  fprintf(file, "solver: {max_iterations: %" PRId64 "}\n", iterations);
  if (fclose(file) != 0) TG_FAIL(TG_DATA, "cannot write %s", path);
  return TG_OK;
}

static tg_status run_once(const problem *p, const char *path, int n_sets, const char *const *sets, tg_text *json)
{
  const tg_run_options options = {.path = path, .n_sets = n_sets, .sets = sets, .output = "results/bench-solvers"};
  tg_run *run = NULL;
  const tg_status status = tg_run_execute(MPI_COMM_WORLD, &options, &run);
  if (status != TG_OK) {
    tg_run_destroy(&run);
    return tg_error_pass(status, TG_HERE);
  }
  const opt_result *r = &run->result;
  const bool is_auto = n_sets == 0;
  const double relative = r->gradient_norm / fmax(1, r->gradient_norm_start);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0)
    printf("%-30s %-20s %8" PRId64 " %10.3f %10.1e  %-16s%s\n", p->name, r->method, r->counts.products,
           run->seconds.solve, relative, opt_outcome_label(r->outcome),
           !is_auto                           ? ""
           : r->counts.products <= p->at_most ? " within the target"
                                              : " ABOVE the target");
  tg_text_addf(json,
               "%s{\"problem\": \"%s\", \"method\": \"%s\", \"auto\": %s, \"products\": %" PRId64
               ", \"seconds\": %.4f, \"gradient\": %.3e, \"status\": \"%s\"}",
               tg_text_string(json)[0] != '\0' ? ", " : "", p->name, r->method, is_auto ? "true" : "false",
               r->counts.products, run->seconds.solve, relative, opt_outcome_label(r->outcome));
  tg_run_destroy(&run);
  return TG_OK;
}

static tg_status run_problem(const problem *p, double scale, int64_t iterations, tg_text *json)
{
  static const char path[] = "bench-solvers.yaml";
  char method[64];
  snprintf(method, sizeof method, "solver.method=%s", p->peer);
  const char *const plain[] = {method, "solver.preconditioner=none"};
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int64_t n = (int64_t)ceil(scale * (double)p->n);
  tg_status status = tg_agree(MPI_COMM_WORLD, rank == 0 ? write_job(p, n, iterations, path) : TG_OK);
  if (status == TG_OK) status = run_once(p, path, 0, NULL, json);
  if (status == TG_OK) status = run_once(p, path, 2, plain, json);
  if (rank == 0) remove(path);
  return status;
}

static tg_status body(int argc, char **argv, tg_text *json)
{
  const double scale = argc > 1 ? atof(argv[1]) : 1;
  int64_t iterations = SIDE_ITERATIONS;
  if (argc > 2) TG_TRY(bench_read_size(argv[2], &iterations));
  if (!(scale > 0 && scale <= 100))
    TG_FAIL(TG_USAGE, "the scale is a number above 0, at most 100, found '%s'", argv[1]);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0)
    printf("%-30s %-20s %8s %10s %10s  %s\n", "problem", "method", "products", "seconds", "gradient", "status");
  tg_text rows;
  tg_text_init(&rows);
  tg_status status = TG_OK;
  for (size_t k = 0; k < sizeof problems / sizeof problems[0] && status == TG_OK; k++)
    status = run_problem(&problems[k], scale, iterations, &rows);
  tg_text_add(json, "{\"machine\": ");
  bench_add_machine(MPI_COMM_WORLD, json);
  tg_text_addf(json, ", \"scale\": %g, \"rows\": [%s]}", scale, tg_text_string(&rows));
  tg_text_fini(&rows);
  return status;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "bench_solvers", body);
}
