// The plan of a job as JSON.
#include "report/plan_json.h"

#include "engine/run/machine.h"
#include "engine/run/run_cost.h"
#include "report/json.h"
#include "report/report.h"
#include "report/sweep_report.h"
#include "report/tune_report.h"

// What costs are computed for.
typedef struct pricing {
  const tg_plan *plan;
  tg_cost_grid grid;
  tg_cost_machine machine;
} pricing;

static int add_text(json_t *object, const char *key, tg_text *text)
{
  const int failed =
      tg_text_status(text) != TG_OK ? -1 : json_object_set_new(object, key, json_string(tg_text_string(text)));
  tg_text_clear(text);
  return failed;
}

static json_t *cost_json(const tg_cost *cost, const tg_cost_grid *grid)
{
  const double ranks = (double)grid->rows * (double)grid->cols;
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "products", (json_int_t)cost->products, "flops",
                   tg_json_number(cost->flops), "flops_per_rank", tg_json_number(cost->rank_flops), "bytes_per_rank",
                   tg_json_number(cost->bytes_sent / ranks), "messages", tg_json_number(cost->latencies), "seconds",
                   tg_json_number(cost->seconds));
}

static tg_status operation_json(const pricing *p, const tg_instr *instr, tg_text *room, json_t **out)
{
  tg_cost cost = {0};
  TG_TRY(tg_instr_cost(p->plan, instr, &p->grid, &p->machine, &cost));
  *out = cost_json(&cost, &p->grid);
  tg_plan_dump_assignment(p->plan, instr, room);
  int failed = *out == NULL ? -1 : json_object_set_new(*out, "operation", json_string(tg_opcode_label(instr->op)));
  if (failed == 0) failed = add_text(*out, "result", room);
  if (failed == 0) return TG_OK;
  json_decref(*out);
  TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
}

static tg_status add_operations(const pricing *p, const tg_program *program, tg_text *room, json_t *list)
{
  for (int32_t k = 0; k < program->n_instrs; k++) {
    json_t *entry = NULL;
    TG_TRY(operation_json(p, &program->instrs[k], room, &entry));
    if (json_array_append_new(list, entry) != 0) TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
  }
  return TG_OK;
}

static tg_status add_programs(const pricing *p, tg_text *room, json_t *list)
{
  for (int id = 0; id < TG_PROGRAM_COUNT; id++) {
    const tg_program *program = &p->plan->programs[id];
    tg_cost cost = {0};
    if (program->n_instrs == 0) continue;
    TG_TRY(tg_plan_cost(p->plan, (tg_program_id)id, &p->grid, &p->machine, &cost));
    json_t *entry = cost_json(&cost, &p->grid);
    json_t *operations = json_array();
    int failed = json_array_append(list, entry);
    if (failed == 0) failed = json_object_set_new(entry, "program", json_string(tg_program_label((tg_program_id)id)));
    if (failed == 0) failed = json_object_set(entry, "operations", operations);
    const tg_status status = failed == 0 ? add_operations(p, program, room, operations)
                                         : tg_error_set(TG_MEMORY, TG_HERE, "cannot build the plan as JSON");
    json_decref(operations);
    json_decref(entry);
    TG_TRY(status);
  }
  return TG_OK;
}

static json_t *variables_json(const tg_task *task)
{
  json_t *out = json_object();
  for (int k = 0; k < task->spec->n_variables && out != NULL; k++) {
    const tg_task_variable *x = &task->variables[k];
    json_t *entry = json_pack("{s:I, s:I, s:s?}", "rows", (json_int_t)x->rows, "columns", (json_int_t)x->cols,
                              "constraint", x->constraint);
    if (json_object_set_new(out, x->spec->name, entry) == 0) continue;
    json_decref(out);
    out = NULL;
  }
  return out;
}

static json_t *iteration_json(const tg_plan *plan)
{
  tg_program_id programs[3];
  const int count = tg_plan_iteration_programs(plan, programs);
  json_t *out = json_array();
  for (int k = 0; k < count && out != NULL; k++)
    if (plan->programs[programs[k]].n_instrs > 0)
      json_array_append_new(out, json_string(tg_program_label(programs[k])));
  return out;
}

// Everything but the programs.
static json_t *whole_json(const tg_preview *preview, int threads, tg_text *room)
{
  const tg_spec *spec = preview->task->spec;
  const tg_grid_choice *grid = &preview->grid;
  json_t *out =
      json_pack("{s:s, s:s, s:o, s:i, s:o, s:i, s:{s:i, s:i, s:I, s:s}, s:o, s:o}", "sense",
                spec->maximize ? "maximize" : "minimize", "objective", spec->objective.text, "variables",
                variables_json(preview->task), "degree", (int)preview->model->plan->degree, "iteration",
                iteration_json(preview->model->plan), "threads", threads, "grid", "rows", grid->rows, "columns",
                grid->cols, "block", (json_int_t)grid->block, "reason", grid->reason, "memory",
                tg_report_memory(&preview->forecast), "memory_bytes_per_rank", tg_json_number(preview->forecast.total));
  tg_method_explain(preview->method, preview->model, room);
  if (out != NULL && add_text(out, "method", room) == 0) return out;
  json_decref(out);
  return NULL;
}

static tg_status build(const tg_preview *preview, int threads, tg_text *room, json_t *out)
{
  const char *source = NULL;
  pricing p = {.plan = preview->model->plan, .grid = tg_cost_grid_of(&preview->grid, threads)};
  TG_TRY(tg_machine_get(&p.machine, &source));
  json_t *programs = json_array();
  if (json_object_set_new(out, "programs", programs) != 0) TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
  return add_programs(&p, room, programs);
}

static tg_status add_sweep(const tg_spec *base, tg_preview *first, int threads, json_t *out)
{
  const bool is_tune = base->tune != NULL;
  json_t *all = NULL;
  TG_TRY(is_tune ? tg_tune_plan_json(base, first, threads, &all) : tg_sweep_plan_json(base, first, threads, &all));
  if (json_object_set_new(out, is_tune ? "tune" : "sweep", all) != 0)
    TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
  return TG_OK;
}

tg_status tg_plan_print_json(tg_preview *preview, const tg_spec *base, int threads, tg_text *out)
{
  tg_text room;
  tg_text_init(&room);
  json_t *whole = whole_json(preview, threads, &room);
  tg_status status = whole != NULL ? build(preview, threads, &room, whole)
                                   : tg_error_set(TG_MEMORY, TG_HERE, "cannot build the plan as JSON");
  if (status == TG_OK && base != NULL) status = add_sweep(base, preview, threads, whole);
  if (status == TG_OK) status = tg_json_print(whole, out);
  json_decref(whole);
  tg_text_fini(&room);
  return status;
}
