// report.json: what a run did, with what, and what came out.
#include "report/report.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/problem/assemble.h"
#include "engine/problem/found_use.h"
#include "job/job_echo.h"
#include "report/constraints_report.h"
#include "report/environment_report.h"
#include "report/json.h"
#include "report/log_report.h"
#include "report/outputs.h"
#include "report/sensitivity_report.h"

static json_t *evaluations(const opt_counts *counts)
{
  return json_pack("{s:I, s:I, s:I, s:I}", "values", (json_int_t)counts->values, "gradients",
                   (json_int_t)counts->gradients, "lines", (json_int_t)counts->lines, "hessians",
                   (json_int_t)counts->hessians);
}

static json_t *seconds(const tg_run *run)
{
  const tg_engine_seconds *s = &run->engine->seconds;
  return json_pack("{s:f, s:f, s:f, s:f, s:f}", "setup", s->setup, "read", s->read, "solve", s->solve, "write",
                   run->seconds.write, "total", run->seconds.total);
}

json_t *tg_report_memory(const tg_forecast *f)
{
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "data", tg_json_number(f->data), "points",
                   tg_json_number(f->points), "storage", tg_json_number(f->storage), "factors",
                   tg_json_number(f->factors), "workspace", tg_json_number(f->workspace), "constraint",
                   tg_json_number(f->constraint), "method", tg_json_number(f->method), "libraries",
                   tg_json_number(f->libraries));
}

// What direct, or the preconditioner, was to cost; NULL where there is neither.
static json_t *method_price(const tg_run *run)
{
  const tg_method_price *p = &run->engine->price;
  if (p->name == NULL) return json_null();
  return json_pack("{s:s, s:o, s:o, s:o, s:I}", "name", p->name, "constants_flops", tg_json_number(p->constants.flops),
                   "make_flops", tg_json_number(p->making.flops), "use_flops", tg_json_number(p->using.flops),
                   "use_products", (json_int_t)p->using.products);
}

static json_t *plan(const tg_run *run)
{
  const tg_plan *p = run->engine->setup->model->plan;
  const tg_cost_compared *c = &run->engine->compared;
  return json_pack("{s:o, s:o, s:o, s:o, s:i, s:b, s:I, s:o, s:I, s:o, s:o}", "predicted_flops",
                   tg_json_number(run->engine->predicted_flops), "predicted_bytes",
                   tg_json_number(run->engine->predicted_bytes), "predicted_memory_bytes_per_rank",
                   tg_json_number(tg_forecast_peak(&run->engine->forecast, run->engine->setup->method)), "memory",
                   tg_report_memory(&run->engine->forecast), "degree", (int)p->degree, "linear_images",
                   p->has_state ? 1 : 0, "iteration_products", (json_int_t)c->products, "iteration_flops",
                   tg_json_number(c->flops), "written_products", (json_int_t)c->written.products, "written_flops",
                   tg_json_number(c->written.flops), "method", method_price(run));
}

static json_t *grid(const tg_grid_choice *choice)
{
  return json_pack("{s:i, s:i, s:I, s:s}", "rows", choice->rows, "columns", choice->cols, "block",
                   (json_int_t)choice->block, "reason", choice->reason);
}

static json_t *taylor(const tg_taylor *t)
{
  return json_pack("{s:s, s:o}", "verdict", tg_taylor_verdict_label(t->verdict), "order", tg_json_number(t->order));
}

// Number of pairs that l-bfgs keeps; 0 for the methods that keep none.
static json_int_t pairs(const tg_run *run)
{
  const tg_method *method = run->engine->setup->method;
  return tg_way_keeps_pairs(tg_method_way(method)) ? (json_int_t)method->strategy->pairs : 0;
}

static json_t *method_reason(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_method_explain(run->engine->setup->method, run->engine->setup->model, &text);
  json_t *out = json_string(tg_text_string(&text));
  tg_text_fini(&text);
  return out;
}

static json_t *preconditioner(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_method_explain_preconditioner(run->engine->setup->method, &text);
  json_t *out = json_string(tg_text_string(&text));
  tg_text_fini(&text);
  return out;
}

static json_t *checkpoint(const tg_run *run)
{
  const tg_checkpoint_log *log = tg_checkpoint_get_log(run->engine->checkpoint);
  return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:o}", "last", log->last[0] != '\0' ? log->last : NULL, "iteration",
                   (json_int_t)log->iteration, "bytes", (json_int_t)log->bytes, "written", (json_int_t)log->written,
                   "failed", (json_int_t)log->failed, "seconds", tg_json_number(log->seconds));
}

static json_t *resumed(const tg_run *run)
{
  return json_pack("{s:s, s:I, s:I}", "from", tg_checkpoint_source(run->engine->checkpoint), "iteration",
                   (json_int_t)run->engine->earlier.iteration, "runs",
                   (json_int_t)tg_checkpoint_runs(run->engine->checkpoint));
}

// The variable that is furthest from its own target.
static json_t *worst_variable(const tg_run *run)
{
  const opt_result *r = &run->engine->result;
  return json_pack("{s:s, s:o, s:o}", "variable", run->engine->spec->variables[r->worst].name, "gradient_norm",
                   tg_json_number(r->worst_norm), "gradient_target", tg_json_number(r->worst_target));
}

// The command line.
static json_t *command(int count, const char *const *list)
{
  json_t *out = json_pack("[s]", "tracegrad");
  for (int k = 0; k < count && out != NULL; k++) json_array_append_new(out, json_string(list[k]));
  return out;
}

// When, where and how it was run, and what it has left.
static json_t *circumstances(const tg_run *run)
{
  char job_file[PATH_MAX];
  tg_outputs_job_file(run->engine->spec, sizeof job_file, job_file);
  return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "date", run->date, "host", run->environment.host, "cpu",
                   run->environment.cpu, "blas_kernel", tg_environment_blas_kernel(&run->environment), "command",
                   command(run->options->n_arguments, run->options->arguments), "job_file", job_file, "files",
                   tg_outputs_list(run));
}

static json_t *seeds_of(const tg_task *task, int shift)
{
  json_t *out = json_object();
  for (int k = 0; k < task->spec->n_variables && out != NULL; k++) {
    const tg_task_variable *variable = &task->variables[k];
    if (!tg_task_starts_randomly(variable)) continue;
    json_object_set_new(out, variable->spec->name, json_integer((json_int_t)variable->seed + shift));
  }
  return out;
}

// [{"seeds": {"X": 1}, "status", "objective", "gradient_norm", "constraint_violation", "iterations"}], one an attempt.
static json_t *attempts(const tg_engine *engine)
{
  json_t *list = json_array();
  for (int k = 0; k < engine->n_attempts && list != NULL; k++) {
    const tg_attempt *a = &engine->attempts[k];
    const double sign = engine->spec->maximize ? -1.0 : 1.0;
    json_t *entry = json_pack("{s:o, s:s, s:o, s:o, s:o, s:I}", "seeds", seeds_of(engine->setup->task, k), "status",
                              opt_outcome_label(a->outcome), "objective", tg_json_number(sign * a->objective + 0.0),
                              "gradient_norm", tg_json_number(a->gradient_norm), "constraint_violation",
                              tg_json_number(a->violation), "iterations", (json_int_t)a->iterations);
    if (json_array_append_new(list, entry) == 0) continue;
    json_decref(list);
    list = NULL;
  }
  return list;
}

// {"S": "symmetric"}: what the numbers showed of data, and the model made use of.
static json_t *found(const tg_task *task)
{
  json_t *out = json_object();
  for (int k = 0; k < task->spec->n_data && out != NULL; k++) {
    const char *word = tg_found_word(&task->data[k]);
    if (word != NULL) json_object_set_new(out, task->spec->data[k].name, json_string(word));
  }
  return out;
}

static bool has_arrays(const tg_spec *spec)
{
  bool has_any = false;
  for (int k = 0; k < spec->n_data; k++) has_any = has_any || spec->data[k].source == TG_SOURCE_MEMORY;
  return has_any;
}

// {"A": "borrowed"}: how numbers of the program came onto the process grid.
static json_t *arrays(const tg_setup *setup)
{
  json_t *out = json_object();
  const tg_spec *spec = setup->task->spec;
  for (int k = 0; k < spec->n_data && out != NULL; k++)
    if (spec->data[k].source == TG_SOURCE_MEMORY)
      json_object_set_new(out, spec->data[k].name, json_string(tg_array_way_label(setup->ways[k])));
  return out;
}

// Which point of a sweep it is, and where that began.
static json_t *point(const tg_run *run)
{
  json_t *out = json_deep_copy(run->options->point);
  if (out != NULL) json_object_set_new(out, "warm", json_boolean(run->engine->is_warm));
  return out;
}

// What only some jobs have. A list that memory does not suffice for fails the whole.
static json_t *extras(const tg_run *run)
{
  json_t *out = json_object();
  int failed = out == NULL;
  if (!failed && run->engine->constraints != NULL)
    failed = json_object_set_new(
        out, "subject_to", tg_constraints_report(run->engine->constraints, run->engine->spec->writes_multipliers));
  if (failed == 0 && run->engine->result.n_measured > 1)
    failed = json_object_set_new(out, "worst_variable", worst_variable(run));
  if (failed == 0 && isfinite(run->engine->iterated_objective))
    failed = json_object_set_new(
        out, "objective_iterated",
        tg_json_number((run->engine->spec->maximize ? -1.0 : 1.0) * run->engine->iterated_objective + 0.0));
  if (failed == 0 && run->engine->sensitivity != NULL)
    failed = json_object_set_new(out, "sensitivity", tg_sensitivity_report(run));
  if (failed == 0 && run->engine->covariance != NULL)
    failed = json_object_set_new(out, "covariance", tg_covariance_report(run));
  if (failed == 0 && run->options->tuned != NULL)
    failed = json_object_set_new(out, "tune", json_deep_copy(run->options->tuned));
  if (failed == 0 && run->options->point != NULL) failed = json_object_set_new(out, "sweep", point(run));
  if (failed == 0 && run->writes_ray != NULL) failed = json_object_set_new(out, "ray", tg_outputs_rays(run));
  if (failed == 0 && has_arrays(run->engine->spec))
    failed = json_object_set_new(out, "arrays", arrays(run->engine->setup));
  if (failed == 0 && run->engine->n_attempts > 1) failed = json_object_set_new(out, "restarts", attempts(run->engine));
  if (failed == 0 && run->engine->checkpoint != NULL) failed = json_object_set_new(out, "checkpoint", checkpoint(run));
  if (failed == 0 && tg_checkpoint_source(run->engine->checkpoint) != NULL)
    failed = json_object_set_new(out, "resumed", resumed(run));
  if (failed == 0) return out;
  json_decref(out);
  return NULL;
}

// The answer first, then what it took. Each part is NULL when memory is short, and then the whole is.
// Choices that the run itself has proved wrong: a preconditioner, a method.
static json_int_t revisions(const tg_run *run)
{
  const tg_verdict *v = &run->engine->setup->method->verdict;
  return (json_int_t)v->revisions + (json_int_t)v->exchanges;
}

static json_t *build(const tg_run *run, json_t *job)
{
  const opt_result *r = &run->engine->result;
  json_t *outcome = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:I}", "status", opt_outcome_label(r->outcome),
                              "reason", r->reason, "objective", tg_json_number(run->engine->objective), "gradient_norm",
                              tg_json_number(r->gradient_norm), "constraint_violation", tg_json_number(r->violation),
                              "iterations", (json_int_t)r->iterations, "evaluations", evaluations(&r->counts),
                              "products", (json_int_t)r->counts.products);
  json_t *details = json_pack(
      "{s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "method",
      r->method, "method_reason", method_reason(run), "preconditioner", preconditioner(run), "pairs", pairs(run),
      "revisions", revisions(run), "groups", (json_int_t)tg_method_way(run->engine->setup->method)->n_groups, "found",
      found(run->engine->setup->task), "line_search", r->line_search, "stopping_measure", r->measure,
      "gradient_norm_start", tg_json_number(r->gradient_norm_start), "gradient_target",
      tg_json_number(r->gradient_target), "saddles", (json_int_t)r->saddles, "decrease_estimate",
      tg_json_number(r->decrease_estimate), "condition_estimate", tg_json_number(r->condition_estimate), "drift",
      tg_json_number(r->drift), "objective_drift", tg_json_number(r->value_drift), "taylor_probe",
      taylor(&run->engine->taylor), "seconds", seconds(run), "plan", plan(run), "counted",
      json_pack("{s:o, s:o, s:o}", "flops", tg_json_number(run->engine->counted_flops), "bytes",
                tg_json_number(run->engine->counted_bytes), "all_flops",
                tg_json_number(tg_setup_flops(run->engine->setup))));
  json_t *machine =
      json_pack("{s:I, s:i, s:i, s:o, s:o, s:O}", "peak_memory_bytes_per_rank", (json_int_t)run->engine->peak_bytes,
                "ranks", run->environment.ranks, "threads", run->environment.threads, "grid",
                grid(&run->engine->setup->choice), "versions", tg_environment_versions(&run->environment), "job", job);
  json_t *log = json_pack("{s:o}", "log", tg_log_report(&run->engine->log));
  json_t *more = extras(run);
  json_t *where = circumstances(run);
  const bool whole = outcome != NULL && more != NULL && log != NULL && details != NULL && machine != NULL &&
                     where != NULL && json_object_update(outcome, where) == 0 &&
                     json_object_update(outcome, more) == 0 && json_object_update(outcome, details) == 0 &&
                     json_object_update(outcome, log) == 0 && json_object_update(outcome, machine) == 0;
  json_decref(where);
  json_decref(more);
  json_decref(log);
  json_decref(details);
  json_decref(machine);
  if (whole) return outcome;
  json_decref(outcome);
  return NULL;
}

static tg_status make(const tg_run *run, json_t **out)
{
  json_t *job = NULL;
  TG_TRY(tg_job_echo(run->job, run->engine->setup->task, &job));
  *out = build(run, job);
  json_decref(job);
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot build the report");
  return TG_OK;
}

tg_status tg_report_write(const tg_run *run, const char *folder)
{
  json_t *report = NULL;
  TG_TRY(make(run, &report));
  tg_text path;
  tg_text_init(&path);
  tg_text_addf(&path, "%s/report.json", folder);
  tg_status status = tg_text_status(&path);
  if (status == TG_OK) status = tg_json_write(report, tg_text_string(&path));
  tg_text_fini(&path);
  json_decref(report);
  return status;
}

tg_status tg_report_print(const tg_run *run, tg_text *out)
{
  json_t *report = NULL;
  TG_TRY(make(run, &report));
  const tg_status status = tg_json_print(report, out);
  json_decref(report);
  return status;
}
