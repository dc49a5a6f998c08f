// History, progress rows, and stopping.
#include "cli/run/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/console.h"
#include "cli/json.h"
#include "cli/run/signals.h"
#include "mpi/matrix/grid.h"

static const double SECONDS_BETWEEN_ROWS = 1.0;
static const double SECONDS_BETWEEN_REDRAWS = 0.1;

tg_status tg_progress_open(tg_progress *p, const char *history_path)
{
  tg_checkpoint_facts earlier;
  MPI_Comm_rank(p->comm, &p->rank);
  p->last_row = -1e300;
  p->history.fd = -1;
  p->is_resumed = p->checkpoint != NULL && tg_checkpoint_earlier(p->checkpoint, &earlier);
  if (p->is_resumed) p->last.iteration = earlier.iteration;
  const int64_t keeps = p->is_resumed ? earlier.records : 0;
  return tg_agree(p->comm, p->rank == 0
                               ? tg_history_open(history_path, keeps, p->last.iteration, p->watch_signals, &p->history)
                               : TG_OK);
}

// ---- history ----

// Added 0.0 turns the -0 of a maximum into 0.
static tg_status write_record(tg_progress *p, const opt_record *r)
{
  json_t *record = json_pack("{s:I, s:o, s:o, s:o, s:o, s:I}", "iteration", (json_int_t)r->iteration, "objective",
                             tg_json_number(p->sign * r->objective + 0.0), "gradient_norm",
                             tg_json_number(r->gradient_norm), "step", tg_json_number(r->step), "seconds",
                             tg_json_number(r->seconds), "products", (json_int_t)(r->products - p->products_before));
  char *line = record != NULL ? json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(record);
  if (line == NULL) TG_FAIL(TG_MEMORY, "cannot build a record of the history");
  // On the disk at once: a picture of the running job, and what is left of a killed one, is made from this file.
  const tg_status status = tg_history_add(&p->history, line);
  free(line);
  return status;
}

// ---- rows ----

static void show_row(tg_progress *p, const opt_record *r)
{
  const bool live = p->mode == TG_PROGRESS_LIVE;
  if (!p->has_heading && !live)
    fprintf(stderr, "%10s  %24s  %13s  %10s  %9s\n", "iteration", "objective", "gradient norm", "step", "seconds");
  fprintf(stderr, "%s%10" PRId64 "  %24.16e  %13.6e  %10.3e  %9.2f%s", live ? "\r" : "", r->iteration,
          p->sign * r->objective + 0.0, r->gradient_norm, r->step, r->seconds, live ? "" : "\n");
  fflush(stderr);
  p->has_heading = true;
  p->row_pending = false;
}

static void maybe_show(tg_progress *p, const opt_record *r)
{
  const double now = MPI_Wtime();
  const double wait = p->mode == TG_PROGRESS_LIVE ? SECONDS_BETWEEN_REDRAWS : SECONDS_BETWEEN_ROWS;
  p->row_pending = true;
  if (p->mode == TG_PROGRESS_NONE || (r->iteration > 0 && now - p->last_row < wait)) return;
  p->last_row = now;
  show_row(p, r);
}

// What became of a choice that the run proved wrong.
static void show_revision(tg_progress *p)
{
  const char *text = p->revised(p->run, &p->revisions);
  if (text != NULL && p->mode != TG_PROGRESS_NONE)
    fprintf(stderr, "%s  revised   %s\n", p->mode == TG_PROGRESS_LIVE ? "\n" : "", text);
}

// ---- callbacks ----

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  (void)x;
  tg_progress *p = self;
  p->last = *record;
  if (p->rank != 0) return TG_OK;
  show_revision(p);
  maybe_show(p, record);
  // Only rank 0 knows of a failure (of memory); returning it here would leave the others behind in a collective call.
  if (p->failed == TG_OK) p->failed = write_record(p, record);
  return TG_OK;
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  tg_progress *p = self;
  if (p->is_resumed) p->resumed(p->run);
  p->is_resumed = false;
  const bool is_due = p->checkpoint != NULL && p->rank == 0 && tg_checkpoint_is_due(p->checkpoint);
  int flags[4] = {poll->time_over, p->watch_signals && tg_signals_seen(), p->failed != TG_OK, is_due};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, flags, 4, MPI_INT, MPI_MAX, p->comm));
  poll->time_over = flags[0] != 0;
  poll->interrupted = flags[1] != 0;
  poll->checkpoint_due = flags[3] != 0;
  if (flags[2] != 0) return tg_agree(p->comm, p->failed);
  return TG_OK;
}

// The history up to here is on the disk before the checkpoint that counts on it.
static tg_status on_checkpoint(void *self, opt_listing *listing)
{
  tg_progress *p = self;
  tg_checkpoint_facts facts = {0};
  if (p->rank == 0) tg_history_sync(&p->history);
  p->describe(p->run, &facts);
  facts.iteration = p->last.iteration;
  facts.records = p->history.records;
  facts.products_before = p->products_before;
  return tg_checkpoint_write(p->checkpoint, listing, &facts);
}

static tg_status on_restore(void *self, const opt_listing *listing, bool *restored)
{
  const tg_progress *p = self;
  return tg_checkpoint_restore(p->checkpoint, listing, restored);
}

static tg_status on_ray(void *self, const opt_point *d)
{
  const tg_progress *p = self;
  return p->ray(p->run, d);
}

opt_observer tg_progress_observer(tg_progress *progress)
{
  opt_observer out = {.self = progress, .iteration = on_iteration, .poll = on_poll, .ray = on_ray};
  if (progress->checkpoint == NULL) return out;
  out.checkpoint = on_checkpoint;
  out.restore = on_restore;
  out.saves_end = true;
  return out;
}

tg_status tg_progress_close(tg_progress *p)
{
  if (p->rank == 0 && p->mode != TG_PROGRESS_NONE && p->row_pending) show_row(p, &p->last);
  if (p->rank == 0 && p->mode == TG_PROGRESS_LIVE) fputc('\n', stderr);
  if (p->rank == 0) tg_history_close(&p->history);
  return tg_agree(p->comm, p->failed);
}
