// The result of a check as JSON.
#include "report/check_json.h"

#include "engine/problem/found_use.h"
#include "report/json.h"

static json_t *taylor_json(const tg_taylor *t)
{
  json_t *rows = json_array();
  for (int k = 0; k < t->n && rows != NULL; k++) {
    const tg_taylor_row *row = &t->rows[k];
    json_array_append_new(rows, json_pack("{s:f, s:o, s:o}", "t", row->t, "remainder", tg_json_number(row->remainder),
                                          "order", tg_json_number(row->order)));
  }
  return json_pack("{s:s, s:o, s:o}", "verdict", tg_taylor_verdict_label(t->verdict), "order", tg_json_number(t->order),
                   "rows", rows);
}

static json_t *properties_json(const tg_spec_data *d)
{
  static const struct {
    unsigned bit;
    const char *name;
  } rows[] = {{TG_SYMMETRIC, "symmetric"}, {TG_SPD, "spd"}, {TG_DIAGONAL, "diagonal"}, {TG_ORTHOGONAL, "orthogonal"}};
  json_t *out = json_array();
  for (size_t k = 0; k < sizeof rows / sizeof rows[0] && out != NULL; k++)
    if ((d->properties & rows[k].bit) != 0) json_array_append_new(out, json_string(rows[k].name));
  return out;
}

static json_t *datum_json(const tg_task_data *datum)
{
  const tg_spec_data *d = datum->spec;
  if (d->source == TG_SOURCE_NUMBER) return tg_json_number(d->number);
  return json_pack("{s:I, s:I, s:s?, s:s?, s:o, s:b, s:s?}", "rows", (json_int_t)datum->rows, "columns",
                   (json_int_t)datum->cols, "file", d->file, "generate", d->generate, "properties", properties_json(d),
                   "trusted", (int)d->trust, "found", tg_found_word(datum));
}

static json_t *data_json(const tg_task *task)
{
  json_t *out = json_object();
  for (int k = 0; k < task->spec->n_data && out != NULL; k++)
    if (task->data[k].used) json_object_set_new(out, task->spec->data[k].name, datum_json(&task->data[k]));
  return out;
}

static json_t *variables_json(const tg_task *task)
{
  json_t *out = json_object();
  for (int k = 0; k < task->spec->n_variables && out != NULL; k++) {
    const tg_task_variable *x = &task->variables[k];
    json_object_set_new(out, x->spec->name,
                        json_pack("{s:I, s:I, s:s?}", "rows", (json_int_t)x->rows, "columns", (json_int_t)x->cols,
                                  "constraint", x->constraint));
  }
  return out;
}

static json_t *product_json(const tg_exec *exec, tg_program_id program, int32_t k)
{
  const tg_plan *plan = tg_exec_plan(exec);
  tg_text name;
  tg_text_init(&name);
  tg_plan_dump_assignment(plan, &plan->programs[program].instrs[k], &name);
  json_t *out = json_pack("{s:s, s:s, s:o}", "program", tg_program_label(program), "result", tg_text_string(&name),
                          "residual", tg_json_number(tg_exec_residual(exec, program, k)));
  tg_text_fini(&name);
  return out;
}

static json_t *products_json(const tg_exec *exec)
{
  const tg_plan *plan = tg_exec_plan(exec);
  json_t *out = json_array();
  for (int p = 0; p < TG_PROGRAM_COUNT && out != NULL; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++)
      if (tg_exec_residual(exec, (tg_program_id)p, k) >= 0)
        json_array_append_new(out, product_json(exec, (tg_program_id)p, k));
  return out;
}

tg_status tg_check_print_json(const tg_setup *setup, const tg_taylor *gradient, const tg_taylor *hessian, tg_text *out)
{
  const tg_spec *spec = setup->task->spec;
  json_t *whole = json_pack(
      "{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o}", "sense", spec->maximize ? "maximize" : "minimize", "objective",
      spec->objective.text, "variables", variables_json(setup->task), "data", data_json(setup->task), "degree",
      (int)setup->model->plan->degree, "gradient", taylor_json(gradient), "hessian",
      hessian != NULL ? taylor_json(hessian) : json_null(), "products", products_json(setup->exec));
  const tg_status status =
      whole != NULL ? tg_json_print(whole, out) : tg_error_set(TG_MEMORY, TG_HERE, "cannot build the check as JSON");
  json_decref(whole);
  return status;
}
