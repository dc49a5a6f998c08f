// History, progress rows, and stopping.
#include "cli/run/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/run/signals.h"
#include "mpi/grid.h"

static const double SECONDS_BETWEEN_ROWS = 1.0;
static const double SECONDS_BETWEEN_REDRAWS = 0.1;

tg_status tg_progress_open(MPI_Comm comm, const char *history_path, tg_progress_mode mode, bool maximize,
                           bool watch_signals, tg_progress *out)
{
  *out = (tg_progress){.comm = comm,
                       .mode = mode,
                       .sign = maximize ? -1.0 : 1.0,
                       .watch_signals = watch_signals,
                       .history_path = history_path,
                       .last_row = -1e300};
  MPI_Comm_rank(comm, &out->rank);
  tg_status status = TG_OK;
  if (out->rank == 0) {
    out->history = fopen(history_path, "w");
    if (out->history == NULL)
      status = tg_error_set(TG_IO, TG_HERE, "cannot create %s: %s", history_path, strerror(errno));
  }
  if (watch_signals) tg_signals_watch();
  return tg_agree(comm, status);
}

// ---- history ----

// Added 0.0 turns the -0 of a maximum into 0.
static tg_status write_record(const tg_progress *p, const opt_record *r)
{
  json_t *record = json_pack("{s:I, s:o, s:o, s:o, s:o, s:I}", "iteration", (json_int_t)r->iteration, "objective",
                             tg_json_number(p->sign * r->objective + 0.0), "gradient_norm",
                             tg_json_number(r->gradient_norm), "step", tg_json_number(r->step), "seconds",
                             tg_json_number(r->seconds), "products", (json_int_t)(r->products - p->products_before));
  char *line = record != NULL ? json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(record);
  if (line == NULL) TG_FAIL(TG_MEMORY, "cannot build a record of the history");
  // Flushed at once: a picture of the running job, and what is left of a killed one, is made from this file.
  const bool failed = fputs(line, p->history) == EOF || fputc('\n', p->history) == EOF || fflush(p->history) != 0;
  free(line);
  if (failed) TG_FAIL(TG_IO, "cannot write %s: %s", p->history_path, strerror(errno));
  return TG_OK;
}

// ---- rows ----

static void show_row(tg_progress *p, const opt_record *r)
{
  const bool live = p->mode == TG_PROGRESS_LIVE;
  if (r->iteration == 0 && !live)
    fprintf(stderr, "%10s  %24s  %13s  %10s  %9s\n", "iteration", "objective", "gradient norm", "step", "seconds");
  fprintf(stderr, "%s%10" PRId64 "  %24.16e  %13.6e  %10.3e  %9.2f%s", live ? "\r" : "", r->iteration,
          p->sign * r->objective + 0.0, r->gradient_norm, r->step, r->seconds, live ? "" : "\n");
  fflush(stderr);
  p->row_pending = false;
}

static void maybe_show(tg_progress *p, const opt_record *r)
{
  const double now = MPI_Wtime();
  const double wait = p->mode == TG_PROGRESS_LIVE ? SECONDS_BETWEEN_REDRAWS : SECONDS_BETWEEN_ROWS;
  p->last = *r;
  p->row_pending = true;
  if (p->mode == TG_PROGRESS_NONE || (r->iteration > 0 && now - p->last_row < wait)) return;
  p->last_row = now;
  show_row(p, r);
}

// ---- callbacks ----

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  (void)x;
  tg_progress *p = self;
  if (p->rank != 0) return TG_OK;
  maybe_show(p, record);
  // Only rank 0 knows of a failure; returning it here would leave the others behind in a collective call.
  if (p->failed == TG_OK) p->failed = write_record(p, record);
  return TG_OK;
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  tg_progress *p = self;
  int flags[3] = {poll->time_over, p->watch_signals && tg_signals_seen(), p->failed != TG_OK};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, flags, 3, MPI_INT, MPI_MAX, p->comm));
  poll->time_over = flags[0] != 0;
  poll->interrupted = flags[1] != 0;
  if (flags[2] != 0) return tg_agree(p->comm, p->failed);
  return TG_OK;
}

opt_observer tg_progress_observer(tg_progress *progress)
{
  return (opt_observer){.self = progress, .iteration = on_iteration, .poll = on_poll};
}

tg_status tg_progress_close(tg_progress *p)
{
  tg_status status = p->failed;
  if (p->rank == 0 && p->mode != TG_PROGRESS_NONE && p->row_pending) show_row(p, &p->last);
  if (p->rank == 0 && p->mode == TG_PROGRESS_LIVE) fputc('\n', stderr);
  if (p->history != NULL && fclose(p->history) != 0 && status == TG_OK)
    status = tg_error_set(TG_IO, TG_HERE, "cannot write %s: %s", p->history_path, strerror(errno));
  p->history = NULL;
  if (p->watch_signals) tg_signals_release();
  return tg_agree(p->comm, status);
}
