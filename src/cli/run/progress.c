// The iterations of a run on the console.
#include "cli/run/progress.h"

#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>

static const double SECONDS_BETWEEN_ROWS = 1.0;
static const double SECONDS_BETWEEN_REDRAWS = 0.1;

static void show_row(tg_progress *p, const opt_record *r)
{
  const bool live = p->mode == TG_PROGRESS_LIVE;
  if (!p->has_heading && !live)
    fprintf(stderr, "%10s  %24s  %13s  %10s  %9s\n", "iteration", "objective", "gradient norm", "step", "seconds");
  fprintf(stderr, "%s%10" PRId64 "  %24.16e  %13.6e  %10.3e  %9.2f%s", live ? "\r" : "", r->iteration, r->objective,
          r->gradient_norm, r->step, r->seconds, live ? "" : "\n");
  fflush(stderr);
  p->has_heading = true;
  p->row_pending = false;
}

void tg_progress_show(tg_progress *p, const opt_record *r)
{
  const double now = MPI_Wtime();
  const double wait = p->mode == TG_PROGRESS_LIVE ? SECONDS_BETWEEN_REDRAWS : SECONDS_BETWEEN_ROWS;
  const bool is_first = !p->is_begun || r->iteration == 0;
  p->last = *r;
  p->row_pending = true;
  p->is_begun = true;
  if (p->mode == TG_PROGRESS_NONE || (!is_first && now - p->last_row < wait)) return;
  p->last_row = now;
  show_row(p, r);
}

void tg_progress_revise(const tg_progress *p, const char *text)
{
  if (p->mode != TG_PROGRESS_NONE) fprintf(stderr, "%s  revised   %s\n", p->mode == TG_PROGRESS_LIVE ? "\n" : "", text);
}

void tg_progress_finish(tg_progress *p)
{
  if (p->mode != TG_PROGRESS_NONE && p->row_pending) show_row(p, &p->last);
  if (p->mode == TG_PROGRESS_LIVE && p->is_begun) fputc('\n', stderr);
  p->row_pending = p->is_begun = false;
}
