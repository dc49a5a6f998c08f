// The plan's predicted cost in words and figures.
#include "report/cost_report.h"

#include <stdio.h>

#include "engine/run/machine.h"

tg_status tg_cost_print_header(const tg_plan *plan, const tg_grid_choice *grid, int threads, double memory,
                               tg_text *out)
{
  tg_cost gradient = {0};
  TG_TRY(tg_cost_of_program(plan, TG_PROGRAM_GRADIENT, grid, threads, &gradient));
  tg_text_addf(out, "  plan      value and gradient: %.3g flops in %lld products; memory of a rank: ", gradient.flops,
               (long long)gradient.products);
  tg_text_add_bytes_unit(out, memory);
  tg_text_add(out, "\n");
  return TG_OK;
}

// ---- the table of `plan` ----

static void print_row(const char *name, const tg_cost *cost, double ranks, tg_text *out)
{
  tg_text_addf(out, "%-10s %9lld %12.4g %12.4g %12.4g %10.4g %10.3g\n", name, (long long)cost->products, cost->flops,
               cost->rank_flops, cost->bytes_sent / ranks, cost->latencies, cost->seconds);
}

// What an iteration is made of, and its products against what no two-dimensional algorithm can go below.
static tg_status print_iteration(const tg_plan *plan, const tg_cost_grid *grid, const tg_cost_machine *machine,
                                 tg_text *out)
{
  const double ranks = (double)grid->rows * (double)grid->cols;
  tg_cost cost = {0};
  tg_cost_bound bound = {0};
  tg_program_id programs[3];
  const int count = tg_plan_iteration_programs(plan, programs);
  TG_TRY(tg_plan_iteration_cost(plan, grid, machine, &cost));
  TG_TRY(tg_plan_iteration_bound(plan, grid, &bound));
  print_row("iteration", &cost, ranks, out);
  if (ranks > 1)
    tg_text_addf(out, "%-10s %9s %12s %12s %12.4g %10.4g\n", "2-D bound", "", "", "", bound.bytes, bound.messages);
  tg_text_add(out, "iteration:");
  for (int p = 0; p < count; p++) tg_text_addf(out, "%s %s", p > 0 ? " +" : "", tg_program_label(programs[p]));
  if (bound.bytes > 0)
    tg_text_addf(out,
                 "; its products send %.2f times the 2-D lower bound, 2 n^2/sqrt(P) numbers\n"
                 "a rank for n x n matrices on P ranks, less the 2 n^2/P that it holds",
                 cost.product_bytes / ranks / bound.bytes);
  tg_text_add(out, "\n");
  return TG_OK;
}

// What direct runs, or the preconditioner that there may be.
static void print_method(const tg_method_price *price, double ranks, tg_text *out)
{
  if (price->constants.flops > 0) print_row("constants", &price->constants, ranks, out);
  if (price->n_make > 0) print_row("factorise", &price->making, ranks, out);
  if (price->n_use > 0) print_row(price->is_direct ? "solve" : "apply", &price->using, ranks, out);
}

static tg_status dump_steps(const char *name, const char *what, int n, const tg_closed_step *steps,
                            const tg_cost *total, const tg_cost_grid *grid, const tg_cost_machine *machine,
                            tg_text *out)
{
  char title[TG_COST_TITLE];
  if (n == 0) return TG_OK;
  snprintf(title, sizeof title, "%s: %s", name, what);
  tg_cost_print_title(title, out);
  for (int k = 0; k < n; k++) {
    tg_cost part;
    TG_TRY(tg_closed_step_cost(&steps[k], grid, machine, &part));
    const size_t begin = out->length;
    tg_text_add(out, "  ");
    tg_closed_step_print(&steps[k], out);
    while (tg_text_status(out) == TG_OK && out->length < begin + TG_COST_TITLE) tg_text_add(out, " ");
    tg_cost_print_columns(&part, grid, out);
  }
  tg_text_addf(out, "  %-57s", "total");
  tg_cost_print_columns(total, grid, out);
  tg_text_add(out, "\n");
  return tg_text_status(out);
}

static tg_status dump_method(const tg_method_price *price, const tg_cost_grid *grid, const tg_cost_machine *machine,
                             tg_text *out)
{
  if (price->name == NULL) return TG_OK;
  TG_TRY(dump_steps(price->name, "made once", price->n_make, price->make, &price->making, grid, machine, out));
  return dump_steps(price->name, "each use", price->n_use, price->use, &price->using, grid, machine, out);
}

static tg_status print_programs(const tg_plan *plan, const tg_method_price *price, const tg_cost_grid *grid,
                                const tg_cost_machine *machine, tg_text *out)
{
  const double ranks = (double)grid->rows * (double)grid->cols;
  tg_text_addf(out, "%-10s %9s %12s %12s %12s %10s %10s\n", "program", "products", "flops", "flops/rank", "bytes/rank",
               "messages", "seconds");
  for (int program = 0; program < TG_PROGRAM_COUNT; program++) {
    if (plan->programs[program].n_instrs == 0) continue;
    tg_cost cost = {0};
    TG_TRY(tg_plan_cost(plan, (tg_program_id)program, grid, machine, &cost));
    print_row(tg_program_label((tg_program_id)program), &cost, ranks, out);
  }
  print_method(price, ranks, out);
  return print_iteration(plan, grid, machine, out);
}

// What the optimiser gained.
static tg_status print_written(const tg_model *model, tg_text *out)
{
  tg_cost_compared c;
  TG_TRY(tg_cost_compare(model, &c));
  tg_text_addf(out, "%-10s %9lld %12.4g\n", "as written", (long long)c.written.products, c.written.flops);
  tg_text_add(out, "as written: value and gradient on paper, from left to right and backwards, with nothing shared");
  if (c.flops > 0) tg_text_addf(out, ": %.3g times the flops\nof an iteration here", c.written.flops / c.flops);
  tg_text_add(out, "\n");
  return TG_OK;
}

tg_status tg_cost_print_table(const tg_task *task, tg_model *model, const tg_method *method, const tg_grid_choice *grid,
                              int threads, tg_text *out)
{
  const tg_plan *plan = model->plan;
  const tg_cost_grid on = tg_cost_grid_of(grid, threads);
  tg_cost_machine machine;
  const char *source = NULL;
  TG_TRY(tg_machine_get(&machine, &source));
  tg_method_price price;
  const tg_preconditioner_kind preconditioner = tg_strategy_offered(method->strategy, &method->verdict);
  TG_TRY(tg_method_price_find(task, model, method, preconditioner, &on, &machine, &price));
  for (int program = 0; program < TG_PROGRAM_COUNT; program++) {
    if (plan->programs[program].n_instrs == 0) continue;
    TG_TRY(tg_plan_dump_cost(plan, (tg_program_id)program, &on, &machine, out));
    tg_text_add(out, "\n");
  }
  TG_TRY(dump_method(&price, &on, &machine, out));
  TG_TRY(print_programs(plan, &price, &on, &machine, out));
  TG_TRY(print_written(model, out));
  tg_text_addf(out,
               "seconds are those of a machine with %.3g flops/s a thread, links of %.3g bytes/s, memory of %.3g "
               "bytes/s\nand %.3g s a message, %s%s\n\n",
               machine.flops_per_thread, machine.link_bytes, machine.memory_bytes, machine.latency_sec,
               source != NULL ? "measured: " : "not measured here: " TG_MACHINE_VARIABLE " names a file of constants",
               source != NULL ? source : "");
  return TG_OK;
}
