// An objective as a job would have it, from its text to a problem on the grid: the real path, without files.
#include "objective.h"

#include <string.h>

#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"

static tg_status compile(const char *text, int n, const bench_symbol *symbols, bool want_hessian, bench_objective *o)
{
  tg_declaration declarations[BENCH_SYMBOLS_MAX];
  int32_t variables[BENCH_SYMBOLS_MAX];
  int32_t n_variables = 0;
  for (int k = 0; k < n; k++)
    declarations[k] = (tg_declaration){.name = symbols[k].name,
                                       .rows = symbols[k].rows,
                                       .cols = symbols[k].cols,
                                       .properties = symbols[k].properties,
                                       .is_free = symbols[k].is_variable};
  const tg_compile_options options = {.n_declarations = n, .declarations = declarations, .require_scalar = true};
  tg_node f = TG_NONE;
  TG_TRY(tg_graph_create(&o->graph));
  TG_TRY(tg_compile(o->graph, text, strlen(text), &options, &f));
  for (int k = 0; k < n; k++)
    if (symbols[k].is_variable) variables[n_variables++] = tg_symbol_find(o->graph, symbols[k].name);
  const tg_lower_options lowering = {.want_hessian = want_hessian};
  return tg_lower(o->graph, f, n_variables, variables, &lowering, &o->plan);
}

static const bench_symbol *find_symbol(int n, const bench_symbol *symbols, const char *name)
{
  for (int k = 0; k < n; k++)
    if (strcmp(symbols[k].name, name) == 0) return &symbols[k];
  return NULL;
}

static tg_status generate_data(const tg_grid *grid, int n, const bench_symbol *symbols, bench_objective *o)
{
  for (int32_t k = 0; k < o->plan->n_data; k++) {
    const bench_symbol *symbol = find_symbol(n, symbols, o->plan->data[k].name);
    if (symbol == NULL) TG_FAIL(TG_INTERNAL, "the plan asks for '%s', which has no generator", o->plan->data[k].name);
    TG_TRY(tg_agree(grid->comm, tg_dmat_create(grid, symbol->rows, symbol->cols, &o->data[k])));
    TG_TRY(tg_generate(symbol->kind, &symbol->options, o->data[k]));
  }
  return TG_OK;
}

tg_status bench_objective_create(const tg_grid *grid, const char *text, int n, const bench_symbol *symbols,
                                 bool want_hessian, bench_objective *out)
{
  *out = (bench_objective){0};
  if (n > BENCH_SYMBOLS_MAX) TG_FAIL(TG_INTERNAL, "%d symbols, at most %d", n, BENCH_SYMBOLS_MAX);
  TG_TRY(tg_agree(grid->comm, compile(text, n, symbols, want_hessian, out)));
  TG_TRY(generate_data(grid, n, symbols, out));
  TG_TRY(tg_exec_create(grid, out->plan, out->data, NULL, &out->exec));
  int64_t rows[BENCH_SYMBOLS_MAX];
  int64_t cols[BENCH_SYMBOLS_MAX];
  for (int32_t k = 0; k < out->plan->n_variables; k++) {
    rows[k] = out->plan->variables[k].rows;
    cols[k] = out->plan->variables[k].cols;
  }
  TG_TRY(tg_space_create(grid, out->plan->n_variables, rows, cols, &out->space));
  return tg_problem_create(out->exec, out->space, NULL, &out->problem);
}

void bench_objective_destroy(bench_objective *objective)
{
  tg_problem_destroy(&objective->problem);
  tg_space_destroy(&objective->space);
  tg_exec_destroy(&objective->exec);
  for (int k = 0; k < BENCH_SYMBOLS_MAX; k++) tg_dmat_destroy(&objective->data[k]);
  tg_plan_destroy(&objective->plan);
  tg_graph_destroy(&objective->graph);
}

double bench_objective_product_seconds(const bench_objective *objective)
{
  double seconds = 0;
  for (int program = 0; program < TG_PROGRAM_COUNT; program++) {
    const tg_program *p = &objective->plan->programs[program];
    for (int32_t k = 0; k < p->n_instrs; k++)
      if (tg_instr_is_product(&p->instrs[k]))
        seconds += tg_exec_instr_seconds(objective->exec, (tg_program_id)program, k);
  }
  return seconds;
}
