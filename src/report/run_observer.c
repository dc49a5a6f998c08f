// History, stopping and checkpoints of a run, iteration by iteration.
#include "report/run_observer.h"

#include <stdlib.h>

#include "engine/method/method.h"
#include "mpi/matrix/grid.h"
#include "opt/vector.h"
#include "report/json.h"

tg_status tg_run_observer_open(tg_run *run, const char *history_path, tg_run_observer *o)
{
  const tg_engine *engine = run->engine;
  tg_checkpoint_facts earlier;
  *o = (tg_run_observer){.run = run, .sign = engine->spec->maximize ? -1.0 : 1.0, .has_history = history_path != NULL};
  o->history.fd = -1;
  o->is_resumed = engine->checkpoint != NULL && tg_checkpoint_earlier(engine->checkpoint, &earlier);
  if (o->is_resumed) o->last.iteration = earlier.iteration;
  if (!o->has_history) return TG_OK;
  const int64_t keeps = o->is_resumed ? earlier.records : 0;
  const tg_messages *messages = run->options->warns ? engine->spec->messages : NULL;
  return tg_agree(run->comm, run->rank == 0
                                 ? tg_history_open(history_path, keeps, o->last.iteration, messages, &o->history)
                                 : TG_OK);
}

// ---- history ----

static int add_round(const opt_record *r, json_t *record)
{
  if (r->round == 0) return 0;
  const int failed = json_object_set_new(record, "round", json_integer((json_int_t)r->round));
  return failed != 0 ? failed : json_object_set_new(record, "constraint_violation", tg_json_number(r->violation));
}

static int add_attempt(const tg_run_observer *o, json_t *record)
{
  const tg_engine *engine = o->run->engine;
  if (engine->spec->solver.restarts <= 1) return 0;
  return json_object_set_new(record, "attempt", json_integer((json_int_t)engine->n_attempts + 1));
}

static tg_status write_record(tg_run_observer *o, const opt_record *r)
{
  json_t *record = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I}", "iteration", (json_int_t)r->iteration, "objective",
                             tg_json_number(r->objective), "gradient_norm", tg_json_number(r->gradient_norm),
                             "gradient_target", tg_json_number(r->gradient_target), "step", tg_json_number(r->step),
                             "seconds", tg_json_number(r->seconds), "products", (json_int_t)r->products);
  if (record != NULL && (add_round(r, record) != 0 || add_attempt(o, record) != 0)) {
    json_decref(record);
    record = NULL;
  }
  char *line = record != NULL ? json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(record);
  if (line == NULL) TG_FAIL(TG_MEMORY, "cannot build a record of the history");
  // On the disk at once: a picture of the running job, and what is left of a killed one, is made from this file.
  const tg_status status = tg_history_add(&o->history, line);
  free(line);
  return status;
}

// What became of a choice that the run proved wrong. Rank 0.
static void show_revision(tg_run_observer *o)
{
  const tg_run_watch *watch = &o->run->options->watch;
  const tg_method *method = o->run->engine->setup->method;
  const bool is_metric = method->verdict.revisions > o->revisions;
  const bool is_method = method->verdict.exchanges > o->exchanges;
  tg_text text;
  o->revisions = method->verdict.revisions;
  o->exchanges = method->verdict.exchanges;
  if ((!is_metric && !is_method) || watch->revised == NULL) return;
  tg_text_init(&text);
  if (is_method)
    tg_method_explain_exchange(method, &text);
  else
    tg_method_explain_preconditioner(method, &text);
  watch->revised(watch->self, tg_text_string(&text));
  tg_text_fini(&text);
}

// ---- callbacks ----

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  tg_run_observer *o = self;
  const tg_run_watch *watch = &o->run->options->watch;
  // Added 0.0 turns the -0 of a maximum into 0. The products of the probe are not the minimisation's.
  opt_record shown = *record;
  shown.objective = o->sign * record->objective + 0.0;
  shown.products = record->products - o->run->engine->probe_products;
  o->last = shown;
  if (o->run->rank == 0) show_revision(o);
  if (watch->iteration != NULL) TG_TRY(watch->iteration(watch->self, o->run, &shown, x));
  // Only rank 0 knows of a failure (of memory); returning it here would leave the others behind in a collective call.
  if (o->run->rank == 0 && o->has_history && o->failed == TG_OK) o->failed = write_record(o, &shown);
  return TG_OK;
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  tg_run_observer *o = self;
  const tg_run_watch *watch = &o->run->options->watch;
  tg_checkpoint *checkpoint = o->run->engine->checkpoint;
  if (o->is_resumed) tg_engine_note_resumed(o->run->engine);
  o->is_resumed = false;
  const bool is_due = checkpoint != NULL && o->run->rank == 0 && tg_checkpoint_is_due(checkpoint);
  const bool stops = watch->stops != NULL && watch->stops(watch->self);
  int flags[4] = {poll->time_over, stops, o->failed != TG_OK, is_due};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, flags, 4, MPI_INT, MPI_MAX, o->run->comm));
  poll->time_over = flags[0] != 0;
  poll->interrupted = flags[1] != 0;
  poll->checkpoint_due = flags[3] != 0;
  if (flags[2] != 0) return tg_agree(o->run->comm, o->failed);
  return TG_OK;
}

// The history up to here is on the disk before the checkpoint that counts on it.
static tg_status on_checkpoint(void *self, opt_listing *listing)
{
  tg_run_observer *o = self;
  tg_checkpoint_facts facts = {0};
  if (o->run->rank == 0 && o->has_history) tg_history_sync(&o->history);
  tg_engine_describe(o->run->engine, &facts);
  facts.iteration = o->last.iteration;
  facts.records = o->history.records;
  facts.products_before = o->run->engine->probe_products;
  return tg_checkpoint_write(o->run->engine->checkpoint, listing, &facts);
}

static tg_status on_restore(void *self, const opt_listing *listing, bool *restored)
{
  const tg_run_observer *o = self;
  return tg_checkpoint_restore(o->run->engine->checkpoint, listing, restored);
}

// A run seldom ends as unbounded: the point for the ray is made when there is one.
static tg_status on_ray(void *self, const opt_point *d)
{
  const tg_run_observer *o = self;
  tg_run *run = o->run;
  const opt_space *space = run->engine->setup->space;
  if (run->engine->setup->model->n_changes > 0) return TG_OK; // another variable's
  if (run->ray == NULL) TG_TRY(space->ops->create(space, &run->ray));
  return opt_copy(space, d, run->ray);
}

opt_observer tg_run_observer_get(tg_run_observer *observer)
{
  opt_observer out = {.self = observer, .iteration = on_iteration, .poll = on_poll, .ray = on_ray};
  if (observer->run->engine->checkpoint == NULL) return out;
  out.checkpoint = on_checkpoint;
  out.restore = on_restore;
  out.saves_end = true;
  return out;
}

tg_status tg_run_observer_close(tg_run_observer *o)
{
  if (o->run->rank == 0) tg_history_close(&o->history);
  return tg_agree(o->run->comm, o->failed);
}
