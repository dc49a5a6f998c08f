// An iteration's cost, and what any two-dimensional algorithm must send for its products.
#include <math.h>

#include "grad/plan/cost.h"
#include "grad/plan/cost_layout.h"
#include "grad/plan/cost_product.h"

int tg_plan_iteration_programs(const tg_plan *plan, tg_program_id out[3])
{
  int count = 0;
  if (plan->line_by_hessian) {
    out[0] = TG_PROGRAM_HESSIAN;
    return 1;
  }
  if (plan->has_line) {
    out[count++] = TG_PROGRAM_DIRECTION;
    out[count++] = TG_PROGRAM_ADVANCE;
  } else {
    out[count++] = TG_PROGRAM_REFRESH;
  }
  out[count++] = TG_PROGRAM_GRADIENT;
  return count;
}

tg_status tg_plan_iteration_cost(const tg_plan *plan, const tg_cost_grid *grid, const tg_cost_machine *machine,
                                 tg_cost *out)
{
  tg_program_id programs[3];
  const int count = tg_plan_iteration_programs(plan, programs);
  *out = (tg_cost){0};
  for (int p = 0; p < count; p++) {
    tg_cost part;
    TG_TRY(tg_plan_cost(plan, programs[p], grid, machine, &part));
    tg_cost_accumulate(&part, out);
  }
  return TG_OK;
}

// The matrix of a x b numbers stays, dealt to p x q ranks; the other two have `depth` numbers for each of its rows and
// of its columns: a rank needs depth (a / p + b / q) of them and has its share. p is the real number that minimises.
static double words_around(double a, double b, double depth, double ranks)
{
  const double p = fmin(fmax(sqrt(ranks * a / b), 1), ranks);
  const double words = depth * (a / p + b * p / ranks) - depth * (a + b) / ranks;
  return fmax(words, 0);
}

// Each of the three matrices may be the one that stays.
static double words_of(const tg_cost_gemm *g, double ranks)
{
  const double m = (double)g->m;
  const double n = (double)g->n;
  const double k = (double)g->k;
  return fmin(words_around(m, n, k, ranks), fmin(words_around(m, k, n, ranks), words_around(k, n, m, ranks)));
}

tg_status tg_plan_iteration_bound(const tg_plan *plan, const tg_cost_grid *grid, tg_cost_bound *out)
{
  tg_program_id programs[3];
  const int count = tg_plan_iteration_programs(plan, programs);
  const double ranks = tg_cost_ranks(grid);
  *out = (tg_cost_bound){0};
  TG_TRY(tg_cost_check_grid(grid));
  for (int p = 0; p < count; p++)
    for (int32_t k = 0; k < plan->programs[programs[p]].n_instrs; k++) {
      const tg_instr *instr = &plan->programs[programs[p]].instrs[k];
      if (instr->op != TG_OP_GEMM) continue;
      const tg_cost_gemm g = tg_cost_gemm_of(plan, instr);
      const double held = tg_cost_area(g.m, g.k) + tg_cost_area(g.k, g.n) + tg_cost_area(g.m, g.n);
      const double words = words_of(&g, ranks);
      out->bytes += 8 * words;
      out->messages += words / (held / ranks);
    }
  return TG_OK;
}
