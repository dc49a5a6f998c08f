// A sweep on the console.
#include "cli/run/sweep_console.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/console.h"
#include "cli/job_console.h"
#include "engine/sweep/points.h"
#include "report/fold_scores.h"

// ---- while it runs ----

static void print_header(void *self, const tg_sweep_run *s)
{
  const tg_sweep_console *console = self;
  const tg_sweep *sweep = s->job->spec.sweep;
  const int64_t first = s->options->first;
  const int64_t last = s->options->last;
  int64_t done = 0;
  if (!console->first->has_header) return;
  for (int64_t k = first; k <= last; k++) done += s->options->run.resume && tg_sweep_row_is_final(&s->rows[k]);
  fprintf(stderr, "sweep       %" PRId64 " points:", sweep->n_points);
  for (int k = 0; k < sweep->n_axes; k++)
    fprintf(stderr, "%s %s (%d)", k > 0 ? " x" : "", sweep->axes[k].name, sweep->axes[k].n);
  if (s->options->n_groups == 0 && (first > 0 || last < sweep->n_points - 1))
    fprintf(stderr, "; of these %" PRId64 "..%" PRId64, first, last);
  if (done > 0) fprintf(stderr, "; %" PRId64 " are done already", done);
  fputs("\n", stderr);
}

static void print_point(const tg_sweep_run *s, const tg_sweep_row *row)
{
  tg_text text;
  tg_text_init(&text);
  tg_sweep_describe(s->job->spec.sweep, row->point, &text);
  char score[40] = "";
  if (isfinite(row->score)) snprintf(score, sizeof score, "  score %.6g", row->score);
  fprintf(stderr, "point %6" PRId64 "  %-28s  %-15s  %24.16e  %6" PRId64 " iterations%s%s  %9.2f s\n", row->point,
          tg_text_string(&text), row->status, row->objective, row->iterations, row->is_warm ? ", warm" : "", score,
          MPI_Wtime() - s->begin);
  fflush(stderr);
  tg_text_fini(&text);
}

// How many points know what is shared: the second one does, and the first of the second fold; of a preconditioner that
// was made where the second one began, the third.
static int64_t points_to_tell(const tg_sweep_run *s)
{
  const tg_folds *folds = s->job->spec.folds;
  const int64_t all = s->options->last - s->options->first + 1;
  return folds != NULL ? s->job->spec.sweep->n_points / folds->n + 1 : all < 3 ? all : 3;
}

// What these points did not make again serves all of them.
static void print_shared(const tg_sweep_run *s)
{
  tg_text text;
  tg_text_init(&text);
  tg_memo_print_shared(tg_share_memo(s->share), &text);
  if (tg_text_string(&text)[0] != '\0')
    fprintf(stderr, "shared      by the points, made once: %s\n", tg_text_string(&text));
  tg_text_fini(&text);
}

static void on_done(void *self, const tg_sweep_run *s, const tg_sweep_row *row, tg_status failure)
{
  const tg_sweep_console *console = self;
  if (s->rank != 0) return;
  if (s->n_done == points_to_tell(s) && s->options->group == 0 && console->first->has_header) print_shared(s);
  if (failure != TG_OK) {
    tg_text text;
    tg_text_init(&text);
    tg_sweep_describe(s->job->spec.sweep, row->point, &text);
    tg_cli_warn("point %" PRId64 " (%s) has failed:", row->point, tg_text_string(&text));
    tg_cli_print_error(failure, tg_job_error_source(console->job));
    tg_text_fini(&text);
  } else if (console->first->progress.mode != TG_PROGRESS_NONE) {
    print_point(s, row);
  }
}

tg_sweep_watch tg_sweep_console_watch(tg_sweep_console *console)
{
  console->others = (tg_run_console){.progress.mode = TG_PROGRESS_NONE};
  return (tg_sweep_watch){.self = console,
                          .first = tg_run_console_watch(console->first),
                          .others = tg_run_console_watch(&console->others),
                          .begun = print_header,
                          .done = on_done};
}

// ---- the end ----

static void add_table(const tg_sweep_run *s, int64_t best, tg_text *out)
{
  const tg_sweep *sweep = s->job->spec.sweep;
  tg_text_add(out, " point");
  for (int k = 0; k < sweep->n_axes; k++) tg_text_addf(out, "  %14s", sweep->axes[k].name);
  tg_text_add(out, "  status           objective                 gradient norm  iterations  products\n");
  for (int64_t p = 0; p < sweep->n_points; p++) {
    const tg_sweep_row *row = &s->rows[p];
    int positions[TG_SWEEP_AXES_MAX];
    if (!row->is_known) continue;
    tg_sweep_positions(sweep, p, positions);
    tg_text_addf(out, "%6" PRId64, p);
    for (int k = 0; k < sweep->n_axes; k++) {
      const tg_sweep_value *value = &sweep->axes[k].values[positions[k]];
      if (isnan(value->number))
        tg_text_addf(out, "  %14s", value->text);
      else
        tg_text_addf(out, "  %14.6g", value->number);
    }
    tg_text_addf(out, "  %-15s  %24.16e  %13.6e  %10" PRId64 "  %8" PRId64 "%s\n", row->status, row->objective,
                 row->gradient_norm, row->iterations, row->products, p == best ? "  best" : "");
  }
}

// "98 converged, 1 stalled"
static void add_counts(const tg_sweep_run *s, tg_text *out)
{
  const int64_t n = s->job->spec.sweep->n_points;
  const char *between = "";
  int64_t missing = 0;
  for (int64_t p = 0; p < n; p++) {
    int64_t same = 0;
    bool is_first = true;
    missing += !s->rows[p].is_known;
    for (int64_t k = 0; k < n && s->rows[p].is_known; k++) {
      if (!s->rows[k].is_known || strcmp(s->rows[k].status, s->rows[p].status) != 0) continue;
      if (k < p) is_first = false;
      same++;
    }
    if (same == 0 || !is_first) continue;
    tg_text_addf(out, "%s%" PRId64 " %s", between, same, s->rows[p].status);
    between = ", ";
  }
  if (missing > 0) tg_text_addf(out, "%s%" PRId64 " not done", between, missing);
}

// ---- folds ----

static void add_values(const tg_sweep *sweep, int64_t point, tg_text *out)
{
  int positions[TG_SWEEP_AXES_MAX];
  tg_sweep_positions(sweep, point, positions);
  for (int k = 1; k < sweep->n_axes; k++) {
    const tg_sweep_value *value = &sweep->axes[k].values[positions[k]];
    if (isnan(value->number))
      tg_text_addf(out, "%14s  ", value->text);
    else
      tg_text_addf(out, "%14.6g  ", value->number);
  }
}

// " lambda   mean score   standard error", a line for each combination.
static void add_scores(const tg_sweep *sweep, const tg_fold_scores *scores, tg_text *out)
{
  for (int k = 1; k < sweep->n_axes; k++) tg_text_addf(out, "%14s  ", sweep->axes[k].name);
  tg_text_add(out, "              mean score  standard error\n");
  for (int64_t k = 0; k < scores->n; k++) {
    add_values(sweep, tg_fold_scores_point(sweep, k, 1), out);
    tg_text_addf(out, "%24.16e  %14.6e%s%s\n", scores->mean[k], scores->standard_error[k],
                 k == scores->best ? "  best" : "", k == scores->simplest ? "  one standard error" : "");
  }
}

static void add_choice(const tg_sweep *sweep, const tg_fold_scores *scores, const char *label, int64_t k, tg_text *out)
{
  tg_text values;
  if (k < 0) return;
  tg_text_init(&values);
  tg_fold_scores_describe(sweep, k, &values);
  tg_text_addf(out, "%s: %s%sscore %.10g +- %.3g\n", label, tg_text_string(&values), values.length > 0 ? ": " : "",
               scores->mean[k], scores->standard_error[k]);
  tg_text_fini(&values);
}

static tg_status add_folds(const tg_sweep_run *s, tg_text *out)
{
  const tg_sweep *sweep = s->job->spec.sweep;
  tg_fold_scores scores;
  const tg_status status = tg_fold_scores_init(sweep, s->rows, &scores);
  if (status == TG_OK) {
    add_scores(sweep, &scores, out);
    add_choice(sweep, &scores, "best", scores.best, out);
    add_choice(sweep, &scores, "one standard error", scores.simplest, out);
  }
  tg_fold_scores_fini(&scores);
  return status;
}

tg_status tg_sweep_print_summary(const tg_sweep_run *s)
{
  const bool has_folds = s->job->spec.folds != NULL;
  const int64_t best = s->rank == 0 && !has_folds ? tg_sweep_best(s) : -1;
  double seconds = 0;
  double flops = 0;
  tg_text text;
  tg_text_init(&text);
  if (has_folds && s->rank == 0)
    TG_TRY(add_folds(s, &text));
  else if (!has_folds)
    add_table(s, best, &text);
  tg_text_addf(&text, "points: %" PRId64 ": ", s->job->spec.sweep->n_points);
  add_counts(s, &text);
  if (best >= 0) {
    tg_text_addf(&text, "\nbest: point %" PRId64 ", ", best);
    tg_sweep_describe(s->job->spec.sweep, best, &text);
    tg_text_addf(&text, ": objective %.17g", s->rows[best].objective);
  }
  for (int64_t p = s->options->first; p <= s->options->last; p++)
    if (s->rows[p].is_known && isfinite(s->rows[p].seconds)) {
      seconds += s->rows[p].seconds;
      flops += isfinite(s->rows[p].flops) ? s->rows[p].flops : 0;
    }
  tg_text_addf(&text, "\nflops: %.4g\nseconds: %.3f (points %.3f)\nresults: %s/%s\n", flops, s->seconds, seconds,
               s->job->spec.output_directory, s->file);
  const tg_status status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}

// ---- parts ----

static bool read_number(const char *text, const char **end, int64_t *out)
{
  char *rest = NULL;
  errno = 0;
  const long long value = strtoll(text, &rest, 10);
  *end = rest;
  *out = value;
  return rest != text && errno == 0 && value >= 0;
}

static tg_status read_points(const tg_sweep *sweep, const char *points, int64_t *first, int64_t *last)
{
  const char *end = NULL;
  if (strcmp(points, "all") == 0) return TG_OK;
  bool is_whole = read_number(points, &end, first);
  *last = *first;
  if (is_whole && strncmp(end, "..", 2) == 0) is_whole = read_number(end + 2, &end, last);
  if (!is_whole || *end != '\0')
    TG_FAIL(TG_USAGE, "run: --points takes a range of points such as 10..19, one point, or all, found '%s'", points);
  if (*first > *last || *last >= sweep->n_points)
    TG_FAIL(TG_USAGE, "run: --points %s: the sweep has the points 0..%" PRId64, points, sweep->n_points - 1);
  return TG_OK;
}

static bool read_variable(const char *name, int64_t *out)
{
  const char *end = NULL;
  const char *text = getenv(name);
  return text != NULL && read_number(text, &end, out) && *end == '\0';
}

// Task i of n takes the i-th of n runs of neighbours, which are as long as each other.
static tg_status share_of_task(const tg_sweep *sweep, int64_t *first, int64_t *last)
{
  int64_t task = 0;
  int64_t low = 0;
  int64_t high = 0;
  int64_t step = 1;
  const bool is_known = read_variable("SLURM_ARRAY_TASK_ID", &task) && read_variable("SLURM_ARRAY_TASK_MIN", &low) &&
                        read_variable("SLURM_ARRAY_TASK_MAX", &high);
  read_variable("SLURM_ARRAY_TASK_STEP", &step);
  if (!is_known || step < 1 || task < low || task > high)
    TG_FAIL(TG_USAGE, "run: SLURM_ARRAY_TASK_ID is set, but the variables of the array do not fit together; give "
                      "--points");
  const int64_t tasks = (high - low) / step + 1;
  const int64_t mine = (task - low) / step;
  if (mine >= sweep->n_points)
    TG_FAIL(TG_USAGE,
            "run: task %" PRId64 " of the array has no point: there are %" PRId64 " tasks and %" PRId64 " points", task,
            tasks, sweep->n_points);
  const int64_t parts = tasks < sweep->n_points ? tasks : sweep->n_points;
  *first = mine * sweep->n_points / parts;
  *last = (mine + 1) * sweep->n_points / parts - 1;
  return TG_OK;
}

tg_status tg_sweep_part(const tg_sweep *sweep, const char *points, int64_t *first, int64_t *last, bool *is_array)
{
  *first = 0;
  *last = sweep->n_points - 1;
  *is_array = points == NULL && getenv("SLURM_ARRAY_TASK_ID") != NULL;
  if (points != NULL) return read_points(sweep, points, first, last);
  return *is_array ? share_of_task(sweep, first, last) : TG_OK;
}
