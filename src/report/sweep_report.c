// What a sweep costs, as text.
#include "report/sweep_report.h"

#include <inttypes.h>

#include "base/memory.h"
#include "engine/run/run_cost.h"
#include "engine/sweep/points.h"

static void add(const tg_cost *cost, double *flops, double *seconds)
{
  *flops += cost->flops;
  *seconds += cost->seconds;
}

tg_status tg_sweep_price_point(tg_preview *p, int threads, tg_sweep_price *out)
{
  const tg_cost_grid on = tg_cost_grid_of(&p->grid, threads);
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_method_price method;
  tg_cost cost;
  *out = (tg_sweep_price){.is_direct = tg_way_is_direct(tg_method_way(p->method))};
  TG_TRY(tg_cost_of_program(p->model->plan, TG_PROGRAM_SETUP, &p->grid, threads, &cost));
  add(&cost, &out->once, &out->once_seconds);
  TG_TRY(tg_cost_price_method(p->task, p->model, p->method, &p->grid, threads, &method));
  if (method.name != NULL) {
    add(&method.constants, &out->once, &out->once_seconds);
    add(&method.making, &out->once, &out->once_seconds);
    add(&method.using, &out->each, &out->each_seconds);
  }
  TG_TRY(tg_plan_iteration_cost(p->model->plan, &on, &machine, &cost));
  add(&cost, &out->each, &out->each_seconds);
  return TG_OK;
}

// Bytes that the points leave in their folders.
static double disk_bytes(const tg_spec *base, const tg_preview *p)
{
  static const double report_bytes = 8192;
  const tg_sweep *sweep = base->sweep;
  double bytes = sweep->keeps_report ? report_bytes : 0;
  for (int k = 0; k < p->task->spec->n_variables; k++)
    if (sweep->keeps_variable[k])
      bytes += (double)p->task->variables[k].rows * (double)p->task->variables[k].cols * sizeof(double);
  return bytes * (double)sweep->n_points;
}

static void print_axes(const tg_sweep *sweep, tg_text *out)
{
  tg_text_addf(out, "\nsweep of %" PRId64 " points\n", sweep->n_points);
  for (int k = 0; k < sweep->n_axes; k++) {
    const tg_sweep_axis *axis = &sweep->axes[k];
    tg_text_addf(out, "  %-20s %d value%s, %s to %s\n", axis->name, axis->n, axis->n == 1 ? "" : "s",
                 axis->values[0].text, axis->values[axis->n - 1].text);
  }
}

static double data_bytes(const tg_preview *p)
{
  double bytes = 0;
  for (int32_t k = 0; k < p->model->plan->n_data; k++)
    bytes += (double)p->model->plan->data[k].rows * (double)p->model->plan->data[k].cols * sizeof(double);
  return bytes;
}

// Names of the constants that two plans make in the same way, and what they take in flops.
static tg_status find_shared(const tg_plan *plan, const tg_plan *other, tg_text *names)
{
  tg_memo_key *mine = NULL;
  tg_memo_key *theirs = NULL;
  const char *between = "";
  tg_status status = TG_NEW(plan->n_buffers, &mine);
  if (status == TG_OK) status = TG_NEW(other->n_buffers, &theirs);
  if (status == TG_OK) status = tg_memo_plan_keys(plan, mine);
  if (status == TG_OK) status = tg_memo_plan_keys(other, theirs);
  for (int32_t b = 0; b < plan->n_buffers && status == TG_OK; b++)
    for (int32_t o = 0; o < other->n_buffers && mine[b].is_known; o++) {
      if (!tg_memo_is_same(mine[b], theirs[o])) continue;
      tg_text_addf(names, "%s%s", between, plan->buffers[b].name);
      between = ", ";
      break;
    }
  tg_free(mine);
  tg_free(theirs);
  return status;
}

// What is made once is what the first point and the one at the other ends of all axes have in common.
static tg_status print_shared(const tg_spec *base, const tg_preview *first, int threads, tg_text *out)
{
  const tg_lower_options options = {.want_hessian = true, .expected_iterations = base->solver.max_iterations};
  tg_spec *spec = NULL;
  tg_preview *other = NULL;
  tg_text names;
  tg_text_init(&names);
  tg_status status = tg_sweep_spec_at_ends(base, &spec);
  if (status == TG_OK) status = tg_preview_create(spec, &options, 0, threads, &other);
  if (status == TG_OK) status = find_shared(first->model->plan, other->model->plan, &names);
  if (status == TG_OK && names.length > 0)
    tg_text_addf(out, "  no swept number is in %s: made once for all points\n", tg_text_string(&names));
  tg_preview_destroy(&other);
  tg_sweep_destroy_spec(&spec);
  tg_text_fini(&names);
  return status;
}

tg_status tg_sweep_plan_print(const tg_spec *base, tg_preview *first, int threads, tg_text *out)
{
  const double n = (double)base->sweep->n_points;
  tg_sweep_price price;
  TG_TRY(tg_sweep_price_point(first, threads, &price));
  print_axes(base->sweep, out);
  tg_text_add(out, "  the data, ");
  tg_text_add_bytes_unit(out, data_bytes(first));
  tg_text_add(out, ", are read and verified once\n");
  TG_TRY(print_shared(base, first, threads, out));
  tg_text_addf(out, "  a point by itself: %.4g flops before its first %s, %.4g for %s\n", price.once,
               price.is_direct ? "step" : "iteration", price.each, price.is_direct ? "each step" : "each iteration");
  tg_text_addf(out, "  all points by themselves: %.4g flops, %.3g s, and %.4g flops, %.3g s for one %s of each\n",
               n * price.once, n * price.once_seconds, n * price.each, n * price.each_seconds,
               price.is_direct ? "step" : "iteration");
  tg_text_add(out, "  files of the points: about ");
  tg_text_add_bytes_unit(out, disk_bytes(base, first));
  tg_text_add(out, base->sweep->keeps_history ? ", and a record of 150 bytes an iteration\n" : "\n");
  return tg_text_status(out);
}
