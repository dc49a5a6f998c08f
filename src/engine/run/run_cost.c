// What a run costs by the model.
#include "engine/run/run_cost.h"
#include "grad/plan/cost.h"

tg_cost_grid tg_cost_grid_of(const tg_grid_choice *grid, int threads)
{
  return (tg_cost_grid){.rows = grid->rows, .cols = grid->cols, .block = grid->block, .threads = threads};
}

tg_status tg_cost_of_program(const tg_plan *plan, tg_program_id program, const tg_grid_choice *grid, int threads,
                             tg_cost *out)
{
  const tg_cost_grid on = tg_cost_grid_of(grid, threads);
  const tg_cost_machine machine = tg_cost_machine_default();
  return tg_plan_cost(plan, program, &on, &machine, out);
}

tg_status tg_cost_compare(const tg_model *model, tg_cost_compared *out)
{
  tg_program_id programs[3];
  const tg_plan *plan = model->plan;
  const int count = tg_plan_iteration_programs(plan, programs);
  *out = (tg_cost_compared){0};
  for (int p = 0; p < count; p++)
    for (int32_t k = 0; k < plan->programs[programs[p]].n_instrs; k++) {
      const tg_instr *instr = &plan->programs[programs[p]].instrs[k];
      out->products += tg_instr_is_product(instr);
      out->flops += tg_instr_flops(plan, instr);
    }
  return tg_lower_written_cost(model->graph, model->objective, model->n_variables, model->symbols, &out->written);
}

tg_status tg_cost_price_method(const tg_task *task, tg_model *model, const tg_method *method,
                               const tg_grid_choice *grid, int threads, tg_method_price *out)
{
  const tg_cost_grid on = tg_cost_grid_of(grid, threads);
  const tg_cost_machine machine = tg_cost_machine_default();
  return tg_method_price_find(task, model, method, tg_method_way(method)->preconditioner, &on, &machine, out);
}

tg_status tg_cost_predict_run(const tg_exec *exec, const tg_grid_choice *grid, int threads, double *flops,
                              double *bytes)
{
  const tg_plan *plan = tg_exec_plan(exec);
  *flops = *bytes = 0;
  for (int program = 0; program < TG_PROGRAM_COUNT; program++) {
    const double runs = (double)tg_exec_program_usage(exec, (tg_program_id)program)->runs;
    tg_cost cost = {0};
    if (runs == 0) continue;
    TG_TRY(tg_cost_of_program(plan, (tg_program_id)program, grid, threads, &cost));
    *flops += runs * cost.flops;
    *bytes += runs * cost.product_bytes;
  }
  return TG_OK;
}
