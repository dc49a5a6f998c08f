// A whole run: what it says and leaves behind, step by step with the engine.
#include "cli/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/job_console.h"
#include "cli/run/cost_report.h"
#include "cli/run/outputs.h"
#include "cli/run/signals.h"
#include "engine/model/default_start.h"
#include "engine/model/domain.h"
#include "engine/model/metric_change.h"
#include "engine/problem/found_use.h"
#include "job/confine.h"
#include "opt/vector.h"

static int rank_of(const tg_run *run)
{
  int rank = 0;
  MPI_Comm_rank(run->comm, &rank);
  return rank;
}

// ---- the header: what was chosen, and why ----

static tg_status print_header(const tg_run *run)
{
  const tg_engine *engine = run->engine;
  const tg_setup *setup = engine->setup;
  const tg_spec *spec = engine->spec;
  const tg_plan *plan = setup->model->plan;
  const tg_environment *e = &run->environment;
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "tracegrad %s, %s\n", TG_VERSION, spec->name);
  tg_text_addf(&text, "  %s  %s\n", spec->maximize ? "maximize" : "minimize", spec->objective.text);
  tg_lagrangian_print(spec, "  ", &text);
  if (plan->degree >= 0)
    tg_text_addf(&text, "  objective a polynomial of degree %d in the variables\n", (int)plan->degree);
  else
    tg_text_add(&text, "  objective not a polynomial in the variables\n");
  tg_text_addf(&text, "  grid      %s; block %lld\n", setup->choice.reason, (long long)setup->choice.block);
  tg_text_addf(&text, "  machine   %d rank%s x %d thread%s\n", e->ranks, e->ranks == 1 ? "" : "s", e->threads,
               e->threads == 1 ? "" : "s");
  tg_environment_print_kernel(e, "  kernel    ", &text);
  const tg_status status = tg_cost_print_header(plan, &setup->choice, e->threads, engine->forecast.total, &text);
  tg_metric_change_print(spec, setup->model, "  metric    ", &text);
  tg_domain_print(spec, "  ", &text);
  tg_method_print(setup->method, setup->model, &text);
  tg_default_start_print(spec, "  start     ", &text);
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
  tg_found_print(engine->spec, &found);
  tg_status status = tg_text_status(&found);
  if (status == TG_OK && tg_text_string(&found)[0] != '\0') {
    tg_text_addf(&text, "  data      %s: found in the numbers\n", tg_text_string(&found));
    status = tg_cost_print_header(setup->model->plan, &setup->choice, run->environment.threads, engine->forecast.total,
                                  &text);
    tg_domain_print(engine->spec, "  ", &text);
    tg_method_print(setup->method, setup->model, &text);
    fputs(tg_text_string(&text), stderr);
  }
  tg_text_fini(&text);
  tg_text_fini(&found);
  return status;
}

// ---- the Taylor probe ----

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

// ---- results ----

static tg_status write_results(tg_run *run)
{
  const double write_begin = MPI_Wtime();
  const tg_status written = tg_outputs_write(run);
  const tg_error failure = *tg_error_get();
  TG_TRY(tg_engine_count(run->engine));
  run->seconds.write = run->engine->earlier.write_seconds + MPI_Wtime() - write_begin;
  run->seconds.total = run->engine->earlier.total_seconds + MPI_Wtime() - run->begin;
  const bool mine = rank_of(run) == 0;
  TG_TRY(tg_agree(run->comm, mine ? tg_report_write(run, run->engine->spec->output_directory) : TG_OK));
  if (mine && written == TG_OK) tg_outputs_remove_stale(run);
  // The report is there: what could not be written beside it is reported now.
  if (written != TG_OK) *tg_error_get() = failure;
  return written;
}

// ---- phases ----

static tg_status prepare(tg_run *run, const tg_run_options *options)
{
  const bool mine = rank_of(run) == 0;
  TG_TRY(tg_cli_load_job(run->comm, options->path, options->n_sets, options->sets, &run->job));
  run->messages = tg_cli_job_messages(run->job);
  run->job->spec.messages = &run->messages;
  if (options->output != NULL) run->job->spec.output_directory = options->output;
  TG_TRY(tg_agree(run->comm, options->confined && mine ? tg_job_confine(run->job, options->output != NULL) : TG_OK));
  TG_TRY(tg_environment_get(run->comm, &run->environment));
  const tg_engine_options settings = {.threads = run->environment.threads,
                                      .saves = true,
                                      .resume = options->resume,
                                      .warns_of_saves = options->watch_signals,
                                      .begin = run->begin};
  TG_TRY(tg_engine_create(run->comm, &run->job->spec, &settings, &run->engine));
  tg_engine *engine = run->engine;
  TG_TRY(tg_agree(run->comm, options->console && mine ? print_header(run) : TG_OK));
  if (options->warns && mine) tg_engine_warn_unused(engine);
  const tg_memory_room room = {run->environment.memory, run->environment.ranks};
  TG_TRY(tg_engine_admit(engine, &room));
  TG_TRY(tg_outputs_prepare(run));
  return engine->checkpoint != NULL ? tg_checkpoint_prepare(engine->checkpoint) : TG_OK;
}

// The report of an earlier run says nothing about this one, which may fail before it writes its own. Rank 0.
static tg_status remove_report(const char *folder, tg_text *path)
{
  TG_TRY(tg_output_path(folder, "report.json", path));
  if (unlink(tg_text_string(path)) == 0 || errno == ENOENT) return TG_OK;
  TG_FAIL(TG_IO, "cannot remove the report of an earlier run, %s: %s", tg_text_string(path), strerror(errno));
}

// For a checkpoint.
static void describe(void *self, tg_checkpoint_facts *facts)
{
  const tg_run *run = self;
  tg_engine_describe(run->engine, facts);
}

static void note_resumed(void *self)
{
  const tg_run *run = self;
  tg_engine_note_resumed(run->engine);
}

// For progress.
static const char *read_revision(void *self, int64_t *said)
{
  tg_run *run = self;
  const tg_method *method = run->engine->setup->method;
  const bool is_new = method->verdict.revisions > *said;
  tg_text text;
  *said = method->verdict.revisions;
  if (!is_new) return NULL;
  tg_text_init(&text);
  tg_method_explain_preconditioner(method, &text);
  snprintf(run->revised, sizeof run->revised, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return run->revised;
}

// A run seldom ends as unbounded: the point for the ray is made when there is one.
static tg_status keep_ray(void *self, const opt_point *d)
{
  tg_run *run = self;
  const opt_space *space = run->engine->setup->space;
  if (run->engine->setup->model->n_changes > 0) return TG_OK; // another variable's
  if (run->ray == NULL) TG_TRY(space->ops->create(space, &run->ray));
  return opt_copy(space, d, run->ray);
}

static tg_status minimise(tg_run *run, const tg_run_options *options)
{
  tg_engine *engine = run->engine;
  const char *folder = engine->spec->output_directory;
  tg_text path;
  tg_text_init(&path);
  tg_progress progress = {.comm = run->comm,
                          .mode = options->progress,
                          .sign = engine->spec->maximize ? -1.0 : 1.0,
                          .watch_signals = options->watch_signals,
                          .checkpoint = engine->checkpoint,
                          .describe = describe,
                          .resumed = note_resumed,
                          .ray = keep_ray,
                          .revised = read_revision,
                          .run = run};
  tg_status status = rank_of(run) == 0 ? remove_report(folder, &path) : TG_OK;
  if (status == TG_OK) status = tg_output_path(folder, "history.jsonl", &path);
  TG_TRY_GOTO(tg_agree(run->comm, status));
  TG_TRY_GOTO(tg_progress_open(&progress, tg_text_string(&path)));
  progress.products_before = engine->probe_products;
  const opt_observer observer = tg_progress_observer(&progress);
  status = tg_engine_minimise(engine, &observer);
  const tg_status closed = tg_progress_close(&progress);
  if (status == TG_OK) status = closed;
  if (progress.is_resumed) tg_engine_note_resumed(engine); // it was at its end
  if (status == TG_OK) status = tg_engine_settle(engine);
  // Which signal came the driver does not know.
  if (status == TG_OK && engine->result.outcome == OPT_INTERRUPTED) tg_engine_add_reason(engine, tg_signals_name());
done:
  tg_text_fini(&path);
  return status;
}

static void print_warnings(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_environment_print_warnings(&run->environment, &text);
  tg_message_lines(tg_cli_messages(), TG_MESSAGE_WARNING, &text);
  tg_text_fini(&text);
}

// Whether a signal has come to any rank, between phases before the first iteration. There is nothing to save then, and
// what earlier runs have left stays. Collective.
static tg_status ask_signals(tg_run *run, const tg_run_options *options, const char *phase)
{
  int seen = options->watch_signals && tg_signals_seen() ? 1 : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &seen, 1, MPI_INT, MPI_MAX, run->comm));
  if (seen == 0) return TG_OK;
  opt_result *result = &run->engine->result;
  run->is_early = true;
  result->outcome = OPT_INTERRUPTED;
  snprintf(result->reason, sizeof result->reason, "interrupted while %s, before the first iteration", phase);
  tg_engine_add_reason(run->engine, tg_signals_name());
  return TG_OK;
}

static void show_method(const tg_engine *engine)
{
  tg_text text;
  tg_text_init(&text);
  tg_method_explain(engine->setup->method, engine->setup->model, &text);
  fprintf(stderr, "  method    %s\n", tg_text_string(&text));
  tg_text_fini(&text);
}

static tg_status execute(tg_run *run, const tg_run_options *options)
{
  bool changed = false;
  run->begin = MPI_Wtime();
  TG_TRY(prepare(run, options));
  TG_TRY(ask_signals(run, options, "it prepared itself"));
  if (run->is_early) return TG_OK;
  tg_engine *engine = run->engine;
  const bool shows = options->console && rank_of(run) == 0;
  if (options->warns) print_warnings(run);
  TG_TRY(tg_engine_fill(engine));
  TG_TRY(ask_signals(run, options, "it read its data"));
  if (run->is_early) return TG_OK;
  TG_TRY(tg_agree(run->comm, shows ? print_found(run) : TG_OK));
  if (shows && engine->setup->start_note[0] != '\0') fprintf(stderr, "  start     %s\n", engine->setup->start_note);
  TG_TRY(tg_engine_probe(engine));
  if (shows) print_probe(&engine->taylor);
  TG_TRY(tg_engine_prepare(engine, &changed));
  if (shows && changed) show_method(engine);
  TG_TRY(minimise(run, options));
  run->is_solved = true;
  return write_results(run);
}

tg_status tg_run_execute(MPI_Comm comm, const tg_run_options *options, tg_run **out)
{
  *out = NULL;
  TG_TRY(tg_agree(comm, TG_NEW(1, out)));
  (*out)->comm = comm;
  (*out)->options = options;
  const time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc) != NULL) strftime((*out)->date, sizeof(*out)->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return execute(*out, options);
}

void tg_run_destroy(tg_run **run)
{
  if (*run == NULL) return;
  json_decref((*run)->earlier_files);
  tg_free((*run)->writes_ray);
  if ((*run)->ray != NULL) (*run)->engine->setup->space->ops->destroy((*run)->engine->setup->space, &(*run)->ray);
  tg_engine_destroy(&(*run)->engine);
  tg_job_destroy(&(*run)->job);
  tg_free(*run);
  *run = NULL;
}
