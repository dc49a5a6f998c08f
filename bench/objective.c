// An objective as a job would have it, from its text to a problem on the grid: the engine's own path, without files.
#include "objective.h"

#include "engine/problem/assemble.h"

#include <string.h>

static void describe(const tg_grid *grid, const char *text, int n, const bench_symbol *symbols, bench_objective *o)
{
  o->spec = (tg_spec){.name = "bench",
                      .objective = {.text = text, .length = strlen(text)},
                      .variables = o->variables,
                      .data = o->data,
                      .grid_rows = grid->rows,
                      .grid_cols = grid->cols,
                      .grid_block = grid->block};
  opt_options_init(&o->spec.solver);
  for (int k = 0; k < n; k++) {
    const bench_symbol *symbol = &symbols[k];
    if (symbol->is_variable)
      o->variables[o->spec.n_variables++] =
          (tg_spec_variable){.name = symbol->name, .rows = symbol->rows, .cols = symbol->cols, .scale = 1};
    else
      o->data[o->spec.n_data++] = (tg_spec_data){.name = symbol->name,
                                                 .generate = symbol->kind,
                                                 .rows = symbol->rows,
                                                 .cols = symbol->cols,
                                                 .options = symbol->options,
                                                 .properties = symbol->properties,
                                                 .trust = true};
  }
}

tg_status bench_objective_create(const tg_grid *grid, const char *text, int n, const bench_symbol *symbols,
                                 bool want_hessian, bench_objective *out)
{
  *out = (bench_objective){0};
  if (n > BENCH_SYMBOLS_MAX) TG_FAIL(TG_INTERNAL, "%d symbols, at most %d", n, BENCH_SYMBOLS_MAX);
  const tg_lower_options lowering = {.want_hessian = want_hessian};
  describe(grid, text, n, symbols, out);
  TG_TRY(tg_setup_create(grid->comm, &out->spec, &lowering, NULL, &out->setup));
  TG_TRY(tg_setup_fill(out->setup));
  out->plan = out->setup->model->plan;
  out->exec = out->setup->exec;
  out->space = out->setup->space;
  out->problem = out->setup->problem;
  return TG_OK;
}

void bench_objective_destroy(bench_objective *objective)
{
  tg_setup_destroy(&objective->setup);
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
