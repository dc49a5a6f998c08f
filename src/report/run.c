// A whole run: the steps of the engine, with its files around them.
#include "report/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "report/outputs.h"
#include "report/report.h"
#include "report/run_observer.h"

// ---- the caller's side ----

static tg_status show(const tg_run *run, tg_run_stage stage)
{
  const tg_run_watch *watch = &run->options->watch;
  return watch->stage == NULL ? TG_OK : tg_agree(run->comm, watch->stage(watch->self, run, stage));
}

static const char *stop_name(const tg_run *run)
{
  const tg_run_watch *watch = &run->options->watch;
  return watch->stop_name != NULL ? watch->stop_name(watch->self) : "";
}

// Whether any rank was asked to stop, between phases before the first iteration. There is nothing to save then, and
// what earlier runs have left stays. Collective.
static tg_status ask_to_stop(tg_run *run, const char *phase)
{
  const tg_run_watch *watch = &run->options->watch;
  int stops = watch->stops != NULL && watch->stops(watch->self) ? 1 : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &stops, 1, MPI_INT, MPI_MAX, run->comm));
  if (stops == 0) return TG_OK;
  opt_result *result = &run->engine->result;
  run->is_early = true;
  result->outcome = OPT_INTERRUPTED;
  snprintf(result->reason, sizeof result->reason, "interrupted while %s, before the first iteration", phase);
  tg_engine_add_reason(run->engine, stop_name(run));
  return TG_OK;
}

static void warn_of_machine(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_environment_print_warnings(&run->environment, &text);
  if (!run->options->kernel_is_known) tg_blas_kernel_advise(&run->environment.blas, &text);
  tg_message_lines(run->spec->messages, TG_MESSAGE_WARNING, &text);
  tg_text_fini(&text);
}

// ---- results ----

static tg_status write_files(tg_run *run, const char *folder)
{
  const double write_begin = MPI_Wtime();
  const tg_status written = tg_outputs_write(run);
  const tg_error failure = *tg_error_get();
  TG_TRY(tg_engine_count(run->engine));
  run->seconds.write = run->engine->earlier.write_seconds + MPI_Wtime() - write_begin;
  run->seconds.total = run->engine->earlier.total_seconds + MPI_Wtime() - run->begin;
  const bool reports = run->rank == 0 && !run->options->leaves_no_report;
  TG_TRY(tg_agree(run->comm, reports ? tg_report_write(run, folder) : TG_OK));
  if (run->rank == 0 && written == TG_OK) tg_outputs_remove_stale(run);
  // The report is there: what could not be written beside it is reported now.
  if (written != TG_OK) *tg_error_get() = failure;
  return written;
}

static tg_status write_results(tg_run *run)
{
  const char *folder = run->engine->spec->output_directory;
  if (folder != NULL) return write_files(run, folder);
  TG_TRY(tg_engine_count(run->engine));
  run->seconds.write = run->engine->earlier.write_seconds;
  run->seconds.total = run->engine->earlier.total_seconds + MPI_Wtime() - run->begin;
  return TG_OK;
}

// ---- phases ----

static tg_status prepare(tg_run *run)
{
  const tg_run_options *options = run->options;
  TG_TRY(tg_environment_get(run->comm, &run->environment));
  tg_engine_options settings = {0};
  if (options->engine != NULL) settings = *options->engine;
  settings.threads = run->environment.threads;
  settings.saves = true;
  settings.resume = options->resume;
  settings.warns_of_saves = options->warns;
  settings.begin = run->begin;
  TG_TRY(tg_engine_create(run->comm, run->spec, &settings, &run->engine));
  tg_engine *engine = run->engine;
  TG_TRY(show(run, TG_RUN_PLANNED));
  if (options->warns && run->rank == 0) tg_engine_warn_unused(engine);
  const double most = run->options->rank_bytes;
  double memory = run->environment.memory;
  if (most > 0 && (memory == 0 || most < memory)) memory = most;
  const tg_memory_room room = {memory, run->environment.ranks};
  TG_TRY(tg_engine_admit(engine, &room));
  if (engine->spec->output_directory != NULL) TG_TRY(tg_outputs_prepare(run));
  return engine->checkpoint != NULL ? tg_checkpoint_prepare(engine->checkpoint) : TG_OK;
}

// The report of an earlier run says nothing about this one, which may fail before it writes its own. Rank 0.
static tg_status remove_report(const char *folder, tg_text *path)
{
  TG_TRY(tg_output_path(folder, "report.json", path));
  if (unlink(tg_text_string(path)) == 0 || errno == ENOENT) return TG_OK;
  TG_FAIL(TG_IO, "cannot remove the report of an earlier run, %s: %s", tg_text_string(path), strerror(errno));
}

// Where the history stands; empty: none is written.
static tg_status name_history(const tg_run *run, tg_text *path)
{
  const char *folder = run->engine->spec->output_directory;
  if (folder == NULL) return TG_OK;
  tg_status status = run->rank == 0 ? remove_report(folder, path) : TG_OK;
  if (status == TG_OK) status = tg_output_path(folder, "history.jsonl", path);
  return tg_agree(run->comm, status);
}

static tg_status iterate(tg_run *run, const char *history_path)
{
  tg_run_observer watcher;
  TG_TRY(tg_run_observer_open(run, history_path, &watcher));
  const opt_observer observer = tg_run_observer_get(&watcher);
  tg_status status = tg_engine_minimise(run->engine, &observer);
  const tg_status closed = tg_run_observer_close(&watcher);
  if (status == TG_OK) status = closed;
  if (watcher.is_resumed) tg_engine_note_resumed(run->engine); // it was at its end
  return status;
}

static tg_status minimise(tg_run *run)
{
  tg_engine *engine = run->engine;
  tg_text path;
  tg_text_init(&path);
  tg_status status = name_history(run, &path);
  const bool has_history = engine->spec->output_directory != NULL && !run->options->leaves_no_history;
  if (status == TG_OK) status = iterate(run, has_history ? tg_text_string(&path) : NULL);
  tg_text_fini(&path);
  TG_TRY(status);
  TG_TRY(show(run, TG_RUN_ITERATED));
  TG_TRY(tg_engine_settle(engine));
  // What asked for the end the driver does not know.
  if (engine->result.outcome == OPT_INTERRUPTED) tg_engine_add_reason(engine, stop_name(run));
  return TG_OK;
}

static tg_status execute(tg_run *run)
{
  bool changed = false;
  TG_TRY(prepare(run));
  TG_TRY(ask_to_stop(run, "it prepared itself"));
  if (run->is_early) return TG_OK;
  if (run->options->warns) warn_of_machine(run);
  TG_TRY(tg_engine_fill(run->engine));
  TG_TRY(ask_to_stop(run, "it read its data"));
  if (run->is_early) return TG_OK;
  TG_TRY(show(run, TG_RUN_FILLED));
  TG_TRY(tg_engine_probe(run->engine));
  TG_TRY(show(run, TG_RUN_PROBED));
  TG_TRY(tg_engine_prepare(run->engine, &changed));
  if (changed) TG_TRY(show(run, TG_RUN_PREPARED));
  TG_TRY(minimise(run));
  run->is_solved = true;
  return write_results(run);
}

tg_status tg_run_execute(MPI_Comm comm, const tg_job *job, const tg_run_options *options, tg_run **out)
{
  *out = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, out), out));
  tg_run *run = *out;
  run->comm = comm;
  run->job = job;
  run->spec = options->spec != NULL ? options->spec : &job->spec;
  if (run->spec->sweep != NULL)
    TG_FAIL_MARK(TG_UNSUPPORTED, run->spec->sweep->mark,
                 "sweep: this is one minimisation; `tracegrad run` makes all of them");
  if (run->spec->tune != NULL && options->spec == NULL)
    TG_FAIL_MARK(TG_UNSUPPORTED, run->spec->tune->mark,
                 "tune: this is one minimisation; `tracegrad run` makes those that find the numbers");
  run->options = options;
  run->begin = options->begin > 0 ? options->begin : MPI_Wtime();
  MPI_Comm_rank(comm, &run->rank);
  const time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc) != NULL) strftime(run->date, sizeof run->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return execute(run);
}

void tg_run_destroy(tg_run **run)
{
  if (*run == NULL) return;
  json_decref((*run)->earlier_files);
  tg_free((*run)->writes_ray);
  if ((*run)->ray != NULL) (*run)->engine->setup->space->ops->destroy((*run)->engine->setup->space, &(*run)->ray);
  tg_engine_destroy(&(*run)->engine);
  tg_free(*run);
  *run = NULL;
}
