// A run on the console: what was chosen and why, rows, signals.
#include "cli/run/run_console.h"

#include <stdio.h>

#include "base/version.h"
#include "cli/run/signals.h"
#include "engine/model/default_start.h"
#include "engine/model/domain.h"
#include "engine/model/infer_sizes.h"
#include "engine/model/metric_change.h"
#include "engine/problem/found_use.h"
#include "report/cost_report.h"

// ---- the header: what was chosen, and why ----

static tg_status print_header(const tg_run *run)
{
  const tg_engine *engine = run->engine;
  const tg_setup *setup = engine->setup;
  const tg_spec *spec = engine->spec;
  const tg_task *task = engine->setup->task;
  const tg_plan *plan = setup->model->plan;
  const tg_environment *e = &run->environment;
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "tracegrad %s, %s\n", TG_VERSION, spec->name);
  tg_text_addf(&text, "  %s  %s\n", spec->maximize ? "maximize" : "minimize", spec->objective.text);
  tg_spec_print_parts(spec, "  ", &text);
  tg_lagrangian_print(task, "  ", &text);
  tg_sizes_print(task, "  sizes     ", &text);
  if (plan->degree >= 0)
    tg_text_addf(&text, "  objective a polynomial of degree %d in the variables\n", (int)plan->degree);
  else
    tg_text_add(&text, "  objective not a polynomial in the variables\n");
  tg_text_addf(&text, "  grid      %s; block %lld\n", setup->choice.reason, (long long)setup->choice.block);
  tg_text_addf(&text, "  machine   %d rank%s x %d thread%s\n", e->ranks, e->ranks == 1 ? "" : "s", e->threads,
               e->threads == 1 ? "" : "s");
  tg_environment_print_kernel(e, "  kernel    ", &text);
  const tg_status status = tg_cost_print_header(plan, &setup->choice, e->threads, engine->forecast.total, &text);
  tg_metric_change_print(task, setup->model, "  metric    ", &text);
  tg_domain_print(task, "  ", &text);
  tg_method_print(setup->method, setup->model, &text);
  tg_default_start_print(task, "  start     ", &text);
  if (tg_checkpoint_source(engine->checkpoint) != NULL)
    tg_text_addf(&text, "  resumed   from %s, after %lld iterations; run %lld of this minimisation\n",
                 tg_checkpoint_source(engine->checkpoint), (long long)engine->earlier.iteration,
                 (long long)tg_checkpoint_runs(engine->checkpoint));
  fputs(tg_text_string(&text), stderr);
  tg_text_fini(&text);
  return status;
}

// What the numbers have shown, and what has become of the lines above.
static tg_status print_found(const tg_run *run)
{
  const tg_engine *engine = run->engine;
  const tg_setup *setup = engine->setup;
  tg_text found;
  tg_text text;
  tg_text_init(&found);
  tg_text_init(&text);
  tg_found_print(engine->setup->task, &found);
  tg_status status = tg_text_status(&found);
  if (status == TG_OK && tg_text_string(&found)[0] != '\0') {
    tg_text_addf(&text, "  data      %s: found in the numbers\n", tg_text_string(&found));
    status = tg_cost_print_header(setup->model->plan, &setup->choice, run->environment.threads, engine->forecast.total,
                                  &text);
    tg_domain_print(engine->setup->task, "  ", &text);
    tg_method_print(setup->method, setup->model, &text);
    fputs(tg_text_string(&text), stderr);
  }
  tg_text_fini(&text);
  tg_text_fini(&found);
  return status;
}

static void print_probe(const tg_taylor *t)
{
  if (t->verdict == TG_TAYLOR_PASSED)
    fprintf(stderr, "  gradient  Taylor probe at the start: order %.2f\n", t->order);
  else if (t->verdict == TG_TAYLOR_UNRESOLVED)
    fputs(
        "  gradient  cannot be tested at the start: no step of the Taylor probe lies between curvature and rounding\n",
        stderr);
  else if (t->verdict == TG_TAYLOR_FAILED)
    fprintf(stderr,
            "  gradient  Taylor probe at the start: order %.2f, which can be right at a kink (abs, sign, relu)\n",
            t->order);
  else
    fprintf(stderr, "  gradient  Taylor probe at the start: %s\n", tg_taylor_verdict_label(t->verdict));
}

static void show_method(const tg_engine *engine)
{
  tg_text text;
  tg_text_init(&text);
  tg_method_explain(engine->setup->method, engine->setup->model, &text);
  fprintf(stderr, "  method    %s\n", tg_text_string(&text));
  tg_text_fini(&text);
}

// ---- the callbacks of a run ----

static tg_status show_header(const tg_run *run, tg_run_stage stage)
{
  const tg_engine *engine = run->engine;
  if (stage == TG_RUN_PLANNED) return print_header(run);
  if (stage == TG_RUN_FILLED) {
    TG_TRY(print_found(run));
    if (engine->setup->start_note[0] != '\0') fprintf(stderr, "  start     %s\n", engine->setup->start_note);
  }
  if (stage == TG_RUN_PROBED) print_probe(&engine->taylor);
  if (stage == TG_RUN_PREPARED) show_method(engine);
  return TG_OK;
}

static tg_status on_stage(void *self, const tg_run *run, tg_run_stage stage)
{
  tg_run_console *console = self;
  if (run->rank != 0) return TG_OK;
  if (stage == TG_RUN_ITERATED) tg_progress_finish(&console->progress);
  return console->has_header ? show_header(run, stage) : TG_OK;
}

static tg_status on_iteration(void *self, const tg_run *run, const opt_record *record, const opt_point *x)
{
  (void)x;
  tg_run_console *console = self;
  if (run->rank == 0) tg_progress_show(&console->progress, record);
  return TG_OK;
}

static void on_revision(void *self, const char *text)
{
  const tg_run_console *console = self;
  tg_progress_revise(&console->progress, text);
}

static bool stops(void *self)
{
  (void)self;
  return tg_signals_seen();
}

static const char *stop_name(void *self)
{
  (void)self;
  return tg_signals_name();
}

tg_run_watch tg_run_console_watch(tg_run_console *console)
{
  return (tg_run_watch){.self = console,
                        .stage = on_stage,
                        .iteration = on_iteration,
                        .revised = on_revision,
                        .stops = stops,
                        .stop_name = stop_name};
}
