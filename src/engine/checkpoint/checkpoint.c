// The life of a run's checkpoints.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/checkpoint/checkpoint_parts.h"

tg_status tg_checkpoint_path(const tg_checkpoint *c, const char *folder, const char *name, tg_text *path)
{
  tg_text_clear(path);
  tg_text_addf(path, "%s/%s", c->directory, folder);
  if (name != NULL) tg_text_addf(path, "/%s", name);
  return tg_text_status(path);
}

void tg_checkpoint_warn(const tg_checkpoint *c, const char *format, ...)
{
  char text[TG_ERROR_MESSAGE_BYTES + 1024];
  va_list arguments;
  if (!c->speaks || c->rank != 0) return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  tg_message_warn(c->spec->messages, "%s", text);
}

// ---- life ----

static tg_status create(tg_checkpoint *c)
{
  c->directory = c->spec->checkpoint_directory;
  c->planned_iterations = c->spec->solver.max_iterations;
  c->next_serial = 1;
  TG_TRY(tg_identity_of_job(c->spec, &c->identity));
  return tg_identity_hash(c->identity, &c->owner);
}

// A new run does not go on from what an earlier one left, and will take its place: worth a word.
static void announce_earlier(const tg_checkpoint *c)
{
  for (int k = 0; k < c->n_known; k++) {
    if (!c->known[k].is_ours) continue;
    tg_checkpoint_warn(
        c,
        "%s/%s is a checkpoint of this job at iteration %" PRId64
        ": --resume goes on from it; this run starts from the beginning, and its checkpoints will take its place",
        c->directory, c->known[k].name, c->known[k].iteration);
    return;
  }
}

static tg_status open_all(tg_checkpoint *c, bool resume)
{
  TG_TRY(tg_agree(c->comm, create(c)));
  TG_TRY(tg_agree(c->comm, c->rank == 0 ? tg_checkpoint_survey(c) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(&c->next_serial, 1, MPI_INT64_T, 0, c->comm));
  if (resume) return tg_checkpoint_choose(c);
  announce_earlier(c);
  return TG_OK;
}

tg_status tg_checkpoint_open(MPI_Comm comm, const tg_spec *spec, bool resume, bool speaks, tg_checkpoint **out)
{
  tg_checkpoint *c = NULL;
  *out = NULL;
  if (spec->checkpoint_directory == NULL && !resume) return TG_OK;
  if (spec->checkpoint_directory == NULL)
    TG_FAIL(TG_USAGE,
            "--resume: %s has no checkpoint section to say where checkpoints are; add checkpoint: "
            "{directory: ckpt}",
            spec->name);
  tg_status status = tg_agree(comm, TG_NEW(1, &c));
  if (status == TG_OK) {
    *c = (tg_checkpoint){.comm = comm, .spec = spec, .speaks = speaks};
    MPI_Comm_rank(comm, &c->rank);
    MPI_Comm_size(comm, &c->ranks);
    status = open_all(c, resume);
  }
  if (status != TG_OK) {
    tg_checkpoint_close(&c);
    return tg_error_pass(status, TG_HERE);
  }
  *out = c;
  return TG_OK;
}

void tg_checkpoint_close(tg_checkpoint **checkpoint)
{
  tg_checkpoint *c = *checkpoint;
  if (c == NULL) return;
  json_decref(c->identity);
  json_decref(c->data);
  json_decref(c->attempts);
  tg_manifest_destroy(&c->source);
  tg_free(c->known);
  tg_free(c);
  *checkpoint = NULL;
}

int64_t tg_checkpoint_planned_iterations(const tg_checkpoint *checkpoint, const tg_spec *spec)
{
  return checkpoint != NULL ? checkpoint->planned_iterations : spec->solver.max_iterations;
}

tg_status tg_checkpoint_prepare(tg_checkpoint *c)
{
  return tg_agree(c->comm, c->rank == 0 ? tg_folder_prepare(c->directory, c->owner) : TG_OK);
}

// ---- what it belongs to ----

static tg_status compare_data(const tg_checkpoint *c)
{
  tg_text difference;
  tg_text_init(&difference);
  tg_status status = TG_OK;
  if (!tg_identity_equal(json_object_get(c->source->root, "data"), c->data, &difference))
    status = tg_error_set(TG_DATA, TG_HERE, "%s was written with other data: %s", c->source_path,
                          tg_text_string(&difference));
  tg_text_fini(&difference);
  TG_TRY(status);
  json_t *mine = tg_hash_text(c->plan);
  const json_t *theirs = json_object_get(c->source->root, "plan");
  const bool is_same = mine != NULL && json_equal(mine, theirs);
  json_decref(mine);
  if (!is_same)
    TG_FAIL(TG_DATA, "%s was written with plan %s, this run has plan %016" PRIx64 ": another version of the program?",
            c->source_path, theirs != NULL && json_is_string(theirs) ? json_string_value(theirs) : "unknown", c->plan);
  return TG_OK;
}

tg_status tg_checkpoint_bind(tg_checkpoint *c, const tg_setup *setup)
{
  TG_TRY(tg_identity_of_data(setup, &c->data));
  c->plan = tg_plan_hash(setup->model->plan);
  return c->source != NULL ? compare_data(c) : TG_OK;
}

// ---- small things ----

void tg_checkpoint_start(tg_checkpoint *c)
{
  c->last = MPI_Wtime();
}

bool tg_checkpoint_is_due(const tg_checkpoint *c)
{
  return MPI_Wtime() - c->last >= c->spec->checkpoint_every;
}

void tg_checkpoint_set_attempts(tg_checkpoint *c, json_t *attempts)
{
  json_decref(c->attempts);
  c->attempts = attempts;
}

const json_t *tg_checkpoint_attempts(const tg_checkpoint *c)
{
  return c->source != NULL ? json_object_get(c->source->root, "attempts") : NULL;
}

const tg_checkpoint_log *tg_checkpoint_get_log(const tg_checkpoint *c)
{
  return &c->log;
}

const char *tg_checkpoint_source(const tg_checkpoint *c)
{
  return c != NULL && c->source != NULL ? c->source_path : NULL;
}

int64_t tg_checkpoint_runs(const tg_checkpoint *c)
{
  return c->source != NULL ? c->source->runs + 1 : 1;
}

static double number_of(const json_t *run, const char *key)
{
  double out = 0;
  return tg_exact_read(json_object_get(run, key), &out) ? out : 0;
}

bool tg_checkpoint_earlier(const tg_checkpoint *c, tg_checkpoint_facts *out)
{
  *out = (tg_checkpoint_facts){0};
  if (c->source == NULL) return false;
  const json_t *run = json_object_get(c->source->root, "run");
  out->iteration = c->source->iteration;
  out->records = c->source->records;
  out->products_before = json_integer_value(json_object_get(run, "products_before"));
  out->outside_products = number_of(run, "outside_products");
  out->setup_seconds = number_of(run, "setup_seconds");
  out->read_seconds = number_of(run, "read_seconds");
  out->solve_seconds = number_of(run, "solve_seconds");
  out->write_seconds = number_of(run, "write_seconds");
  out->total_seconds = number_of(run, "total_seconds");
  return true;
}
