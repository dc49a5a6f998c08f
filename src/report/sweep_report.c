// What a sweep costs, as text.
#include "report/sweep_report.h"

#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/run/run_cost.h"
#include "engine/sweep/points.h"
#include "grad/plan/cost.h"

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
    out->constants = method.constants.flops;
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

// ---- what is shared ----

// Flops that SETUP spends on a constant.
static double flops_of(const tg_plan *plan, int32_t buffer)
{
  const tg_program *setup = &plan->programs[TG_PROGRAM_SETUP];
  double flops = 0;
  for (int32_t i = 0; i < setup->n_instrs; i++)
    if (tg_opcode_traits(setup->instrs[i].op)->result == TG_RESULT_BUFFER && setup->instrs[i].out == buffer)
      flops += tg_instr_flops(plan, &setup->instrs[i]);
  return flops;
}

// Names of the constants that two plans make in the same way, and what they take in flops.
static tg_status find_shared(const tg_plan *plan, const tg_plan *other, tg_text *names, double *flops)
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
      *flops += flops_of(plan, b);
      between = ", ";
      break;
    }
  tg_free(mine);
  tg_free(theirs);
  return status;
}

// What is made once is what the first point and the one at the other ends of all axes have in common.
static tg_status compare_ends(const tg_spec *base, const tg_preview *first, int threads, tg_text *names, double *flops)
{
  const tg_lower_options options = {.want_hessian = true, .expected_iterations = base->solver.max_iterations};
  tg_spec *spec = NULL;
  tg_preview *other = NULL;
  tg_status status = tg_sweep_spec_at_ends(base, &spec);
  if (status == TG_OK) status = tg_preview_create(spec, &options, 0, threads, &other);
  if (status == TG_OK) status = find_shared(first->model->plan, other->model->plan, names, flops);
  tg_preview_destroy(&other);
  tg_sweep_destroy_spec(&spec);
  return status;
}

// How often the points together spend what a shared constant takes: once for each fold, or on all the data and on the
// folds' own, which are all the data again.
static double times_made(const tg_folds *folds)
{
  if (folds == NULL) return 1;
  return folds->kind == TG_FOLD_ENTRIES ? folds->n : 2.0 * folds->n / (folds->n - 1);
}

typedef struct whole_price {
  double shared; // flops for all points
  double point;  // of a point before its first iteration, without what is shared
  double total;  // with one iteration, or the closed form's steps, of each point
  double seconds;
} whole_price;

static whole_price price_whole(const tg_spec *base, const tg_sweep_price *one, double shared)
{
  const double n = (double)base->sweep->n_points;
  // X'X of the plan is what X'X + lambda I of a closed form begins with.
  const double reused = shared > 0 ? fmin(one->once, shared + one->constants) : 0;
  const double part = one->once > 0 ? reused / one->once : 0;
  whole_price out = {.shared = times_made(base->folds) * shared, .point = one->once - reused};
  out.total = out.shared + n * (out.point + one->each);
  out.seconds = one->once_seconds * (one->once > 0 ? out.shared / one->once : 0) + one->once_seconds * n * (1 - part) +
                n * one->each_seconds;
  return out;
}

// ---- text ----

static void print_shared(const tg_folds *folds, const tg_text *names, double flops, tg_text *out)
{
  if (names->length == 0) return;
  if (folds != NULL && folds->kind != TG_FOLD_ENTRIES)
    tg_text_addf(out,
                 "  no swept number is in %s: made once of all the data, and a fold takes away its own: %.4g flops\n",
                 tg_text_string(names), flops);
  else
    tg_text_addf(out, "  no swept number is in %s: made once for all points%s: %.4g flops\n", tg_text_string(names),
                 folds != NULL ? " of a fold" : "", flops);
}

static void print_prices(const tg_spec *base, const tg_sweep_price *one, const whole_price *all, tg_text *out)
{
  const double n = (double)base->sweep->n_points;
  tg_text_addf(out, "  a point by itself: %.4g flops before its first %s, %.4g for %s\n", one->once,
               one->is_direct ? "step" : "iteration", one->each, one->is_direct ? "each step" : "each iteration");
  tg_text_addf(out, "  all points by themselves: %.4g flops, %.3g s, and %.4g flops, %.3g s for one %s of each\n",
               n * one->once, n * one->once_seconds, n * one->each, n * one->each_seconds,
               one->is_direct ? "step" : "iteration");
  tg_text_addf(out, "  with what they share: %.4g flops, %.3g s, one %s of each included\n", all->total, all->seconds,
               one->is_direct ? "step" : "iteration");
}

tg_status tg_sweep_plan_print(const tg_spec *base, tg_preview *first, int threads, tg_text *out)
{
  tg_sweep_price one;
  tg_text names;
  double shared = 0;
  TG_TRY(tg_sweep_price_point(first, threads, &one));
  tg_text_init(&names);
  const tg_status status = compare_ends(base, first, threads, &names, &shared);
  const whole_price all = price_whole(base, &one, shared);
  print_axes(base->sweep, out);
  tg_text_add(out, "  the data, ");
  tg_text_add_bytes_unit(out, data_bytes(first));
  tg_text_add(out, ", are read and verified once\n");
  print_shared(base->folds, &names, all.shared, out);
  print_prices(base, &one, &all, out);
  tg_text_add(out, "  files of the points: about ");
  tg_text_add_bytes_unit(out, disk_bytes(base, first));
  tg_text_add(out, base->sweep->keeps_history ? ", and a record of 150 bytes an iteration\n" : "\n");
  tg_text_fini(&names);
  return status == TG_OK ? tg_text_status(out) : status;
}

// ---- JSON ----

static json_t *axes_json(const tg_sweep *sweep)
{
  json_t *out = json_object();
  for (int k = 0; k < sweep->n_axes && out != NULL; k++)
    json_object_set_new(out, sweep->axes[k].name, json_integer(sweep->axes[k].n));
  return out;
}

tg_status tg_sweep_plan_json(const tg_spec *base, tg_preview *first, int threads, json_t **out)
{
  tg_sweep_price one;
  tg_text names;
  double shared = 0;
  *out = NULL;
  TG_TRY(tg_sweep_price_point(first, threads, &one));
  tg_text_init(&names);
  tg_status status = compare_ends(base, first, threads, &names, &shared);
  const whole_price all = price_whole(base, &one, shared);
  if (status == TG_OK)
    *out = json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "points", (json_int_t)base->sweep->n_points,
                     "axes", axes_json(base->sweep), "shared", tg_text_string(&names), "shared_flops",
                     tg_json_number(all.shared), "point_flops", tg_json_number(one.once), "iteration_flops",
                     tg_json_number(one.each), "flops", tg_json_number(all.total), "seconds",
                     tg_json_number(all.seconds), "data_bytes", tg_json_number(data_bytes(first)), "disk_bytes",
                     tg_json_number(disk_bytes(base, first)));
  tg_text_fini(&names);
  if (status == TG_OK && *out == NULL) TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
  return status;
}
