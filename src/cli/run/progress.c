// The iterations of a run on the console.
#include "cli/run/progress.h"

#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>

static const double SECONDS_BETWEEN_REDRAWS = 0.1;

// Records no more than half as old as the run tell how fast it is now.
static void move_mark(tg_progress *p, const opt_record *r)
{
  if (r->iteration == 0 || r->round != p->mark.round || r->seconds > 2 * p->mark.seconds) p->mark = *r;
}

// Seconds until the gradient is at its target, should it go on falling as it did since the mark; NAN where it does not.
static double until_target(const tg_progress *p, const opt_record *r)
{
  const double fallen = log(p->mark.gradient_norm / r->gradient_norm);
  const double left = log(r->gradient_norm / r->gradient_target);
  const double spent = r->seconds - p->mark.seconds;
  return fallen > 0 && spent > 0 && left > 0 ? left / fallen * spent : (double)NAN;
}

// Seconds until a limit ends the run; INFINITY: none does.
static double until_limit(const tg_progress *p, const opt_record *r)
{
  const double rate = r->seconds > 0 ? (double)r->iteration / r->seconds : 0;
  const double by_count = rate > 0 ? (double)(p->max_iterations - r->iteration) / rate : (double)INFINITY;
  const double by_time = p->time_limit > 0 ? p->time_limit - r->seconds : (double)INFINITY;
  return fmax(0, fmin(by_count, by_time));
}

// "~12 s", "<= 3 min" where only a limit is known.
static void print_remaining(const tg_progress *p, const opt_record *r, size_t room, char *out)
{
  static const struct {
    const char *name;
    double seconds;
    double below;
  } units[] = {{"s", 1, 120}, {"min", 60, 7200}, {"h", 3600, 172800}, {"d", 86400, (double)INFINITY}};
  const double by_limit = until_limit(p, r);
  const double by_target = until_target(p, r);
  const bool is_limit = !(by_target < by_limit);
  const double seconds = is_limit ? by_limit : by_target;
  size_t k = 0;
  snprintf(out, room, "-");
  if (r->iteration == 0 || !isfinite(seconds)) return;
  while (seconds >= units[k].below) k++;
  snprintf(out, room, "%s%.0f %s", is_limit ? "<= " : "~", seconds / units[k].seconds, units[k].name);
}

static void show_heading(tg_progress *p, const opt_record *r)
{
  fprintf(stderr, "%10s  %24s  %13s  %9s  %10s  %9s%s%s\n", "iteration", "objective", "gradient norm", "target", "step",
          "seconds", r->round > 0 ? "  round  violation" : "",
          p->mode == TG_PROGRESS_LIVE ? "       it/s  remaining" : "");
  p->has_heading = true;
}

static void show_row(tg_progress *p, const opt_record *r)
{
  const bool live = p->mode == TG_PROGRESS_LIVE;
  char remaining[40];
  if (!p->has_heading) show_heading(p, r);
  fprintf(stderr, "%s%10" PRId64 "  %24.16e  %13.6e  %9.2e  %10.3e  %9.2f", live ? "\r" : "", r->iteration,
          r->objective, r->gradient_norm, r->gradient_target, r->step, r->seconds);
  if (r->round > 0) fprintf(stderr, "  %5" PRId64 "  %9.2e", r->round, r->violation);
  print_remaining(p, r, sizeof remaining, remaining);
  if (live) fprintf(stderr, "  %9.3g  %-12s", r->seconds > 0 ? (double)r->iteration / r->seconds : 0, remaining);
  if (!live) fputc('\n', stderr);
  fflush(stderr);
  p->row_pending = false;
}

void tg_progress_show(tg_progress *p, const opt_record *r)
{
  const double now = MPI_Wtime();
  const double wait = p->mode == TG_PROGRESS_LIVE ? fmin(p->interval, SECONDS_BETWEEN_REDRAWS) : p->interval;
  const bool is_first = !p->is_begun || r->iteration == 0;
  move_mark(p, r);
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
