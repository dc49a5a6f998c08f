// An objective as a job would have it, from its text to a problem on the grid: the engine's own path, without files.
#ifndef BENCH_OBJECTIVE_H
#define BENCH_OBJECTIVE_H

#include "engine/problem/setup.h"

enum { BENCH_SYMBOLS_MAX = 8 };

typedef struct bench_symbol {
  const char *name;
  int64_t rows;
  int64_t cols;
  bool is_variable;
  unsigned properties; // declared; the generator must give them
  const char *kind;    // of generator, of data only
  tg_generate_options options;
} bench_symbol;

typedef struct bench_objective {
  tg_spec spec;
  tg_spec_variable variables[BENCH_SYMBOLS_MAX];
  tg_spec_data data[BENCH_SYMBOLS_MAX];
  tg_setup *setup;
  const tg_plan *plan; // the rest is the setup's
  const tg_exec *exec;
  opt_space *space;
  opt_problem *problem;
} bench_objective;

// Compiles, lowers, generates the data and runs the setup program, on a grid of the same shape. destroy also after a
// failure. *out must stay where it is. Collective.
tg_status bench_objective_create(const tg_grid *grid, const char *text, int n, const bench_symbol *symbols,
                                 bool want_hessian, bench_objective *out);
void bench_objective_destroy(bench_objective *objective);
// The seconds of this rank in the products (GEMM, SOLVE, INVERSE) of all programs, so far.
double bench_objective_product_seconds(const bench_objective *objective);

#endif
