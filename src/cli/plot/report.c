// Pictures of what report.json and the JSON of `check` say.
#include "cli/plot/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

// folder/report.json; *out is the caller's.
static tg_status load_report(const char *folder, json_t **out)
{
  json_error_t error;
  tg_text path;
  tg_text_init(&path);
  tg_text_addf(&path, "%s/report.json", folder);
  *out = json_load_file(tg_text_string(&path), 0, &error);
  const tg_status status = json_is_object(*out)
                               ? TG_OK
                               : tg_error_set(TG_DATA, TG_HERE, "cannot read %s: %s; a run writes it at its end",
                                              tg_text_string(&path), *out != NULL ? "it holds no object" : error.text);
  if (status != TG_OK) json_decref(*out);
  tg_text_fini(&path);
  return status;
}

static const char *objective_of(const json_t *report)
{
  const json_t *job = json_object_get(report, "job");
  const char *text = json_string_value(json_object_get(job, "minimize"));
  if (text == NULL) text = json_string_value(json_object_get(job, "maximize"));
  return text != NULL ? text : "";
}

// ---- time and memory ----

enum { KINDS_MAX = 24 };
enum { BARS_MIN = 4 }; // a picture of fewer has room left over

typedef struct bar {
  const char *name; // borrowed of the report
  double length;    // seconds, or bytes of memory
  double sent;      // bytes
} bar;

typedef struct bars {
  int n;
  bar rows[KINDS_MAX];
} bars;

static void add_to(bars *all, const char *name, double length, double sent)
{
  int k = 0;
  while (k < all->n && strcmp(all->rows[k].name, name) != 0) k++;
  if (k == KINDS_MAX) return;
  if (k == all->n) all->rows[all->n++] = (bar){.name = name};
  all->rows[k].length += isfinite(length) ? length : 0;
  all->rows[k].sent += isfinite(sent) ? sent : 0;
}

// Seconds of an operation are those of the slowest rank. What a program takes beside its operations is theirs too:
// those that run together count with the first.
static void read_log(const json_t *report, bars *all)
{
  const json_t *program = NULL;
  const json_t *operation = NULL;
  size_t p = 0;
  size_t k = 0;
  double inside = 0;
  json_array_foreach(json_object_get(report, "log"), p, program)
  {
    const double seconds = tg_json_member(program, "seconds");
    inside += isfinite(seconds) ? seconds : 0;
    json_array_foreach(json_object_get(program, "operations"), k, operation)
    {
      const char *kind = json_string_value(json_object_get(operation, "kind"));
      if (kind != NULL) add_to(all, kind, tg_json_member(operation, "seconds"), tg_json_member(operation, "bytes"));
    }
  }
  const json_t *seconds = json_object_get(report, "seconds");
  add_to(all, "method, set, vectors", fmax(0, tg_json_member(seconds, "solve") - inside), 0);
  add_to(all, "reading", tg_json_member(seconds, "read"), 0);
  add_to(all, "setup", tg_json_member(seconds, "setup"), 0);
  add_to(all, "writing", tg_json_member(seconds, "write"), 0);
}

static int by_length(const void *a, const void *b)
{
  const double one = ((const bar *)a)->length;
  const double other = ((const bar *)b)->length;
  return (one > other) - (one < other);
}

// n horizontal bars: a name and a value in a line of the block, the first one lowest, up to the largest. The value
// stands behind its bar, for a short one could not be read off.
static void add_bars(const char *block, int n, double largest, const char *label, const char *colour,
                     const tg_plot_axes *axes, tg_text *out)
{
  if (largest > 0) tg_text_addf(out, "set xtics nomirror %.17g\n", 2 * tg_plot_tick(largest));
  if (axes->x_range != NULL)
    tg_text_addf(out, "set xrange [%s]\n", axes->x_range);
  else
    tg_text_addf(out, "set xrange [0:%.17g]\n", largest > 0 ? 1.25 * largest : 1);
  tg_text_addf(out,
               "unset key\nset lmargin 20\nset yrange [%d-0.6:%d-0.4]\nset xlabel '%s'\nset format x '%%g'\n"
               "plot %s using 2:0:(0):2:($0-0.36):($0+0.36):ytic(1) with boxxyerror fillstyle solid 0.85 noborder "
               "linecolor rgb '%s' notitle, \\\n  %s using 2:0:(sprintf(' %%.2g', $2)) with labels left notitle\n",
               n < BARS_MIN ? n - BARS_MIN : 0, n, label, block, colour, block);
}

static void add_bar(const char *name, double value, tg_text *out)
{
  tg_text_addf(out, "\"%s\" %.17g\n", name, value);
}

// Uses of memory in MiB, the smallest first; those below a hundredth of the sum are left out. The largest and their
// number.
static double add_memory(const json_t *report, int *n, tg_text *out)
{
  bars uses = {0};
  double sum = 0;
  const char *name = NULL;
  json_t *value = NULL;
  json_object_foreach(json_object_get(json_object_get(report, "plan"), "memory"), name, value)
  {
    add_to(&uses, name, json_number_value(value), 0);
    sum += json_number_value(value);
  }
  qsort(uses.rows, (size_t)uses.n, sizeof *uses.rows, by_length);
  tg_text_add(out, "$memory << EOD\n");
  *n = 0;
  for (int k = 0; k < uses.n; k++)
    if (uses.rows[k].length > 0.01 * sum) {
      add_bar(uses.rows[k].name, uses.rows[k].length / 1048576, out);
      (*n)++;
    }
  tg_text_add(out, "EOD\n");
  return uses.n > 0 ? uses.rows[uses.n - 1].length / 1048576 : 0;
}

static void draw_time(const json_t *report, bars *all, const tg_plot_axes *axes, tg_text *out)
{
  double sent = 0; // the most of one kind
  int n_sent = 0;
  int n_uses = 0;
  tg_text title;
  qsort(all->rows, (size_t)all->n, sizeof *all->rows, by_length);
  for (int k = 0; k < all->n; k++) sent = fmax(sent, all->rows[k].sent / 1048576);
  tg_text_add(out, "$time << EOD\n");
  for (int k = 0; k < all->n; k++) add_bar(all->rows[k].name, all->rows[k].length, out);
  tg_text_add(out, "EOD\n$sent << EOD\n");
  for (int k = 0; k < all->n; k++)
    if (all->rows[k].sent > 0) {
      add_bar(all->rows[k].name, all->rows[k].sent / 1048576, out);
      n_sent++;
    }
  tg_text_add(out, "EOD\n");
  const double memory = add_memory(report, &n_uses, out);
  const double ranks = tg_json_member(report, "ranks");
  const double threads = tg_json_member(report, "threads");
  tg_text_init(&title);
  tg_text_addf(&title, "%s   %g rank%s x %g thread%s", objective_of(report), ranks, ranks == 1 ? "" : "s", threads,
               threads == 1 ? "" : "s");
  tg_plot_panels(axes, 1, n_sent > 0 ? 3 : 2, false, tg_text_string(&title), 0, out);
  tg_text_fini(&title);
  add_bars("$time", all->n, all->rows[all->n - 1].length, "seconds of the slowest rank", tg_plot_colour(0), axes, out);
  if (n_sent > 0) add_bars("$sent", n_sent, sent, "MiB sent by all ranks", tg_plot_colour(1), axes, out);
  add_bars("$memory", n_uses, memory, "MiB of a rank, forecast", tg_plot_colour(2), axes, out);
  tg_text_add(out, "unset multiplot\n");
}

tg_status tg_plot_time(const char *folder, const tg_plot_axes *axes, tg_text *out)
{
  json_t *report = NULL;
  bars all = {0};
  TG_TRY(load_report(folder, &report));
  tg_status status = TG_OK;
  if (json_array_size(json_object_get(report, "log")) == 0 ||
      !isfinite(tg_json_member(json_object_get(report, "seconds"), "solve")))
    status = tg_error_set(TG_DATA, TG_HERE, "%s/report.json has no log of a run", folder);
  if (status == TG_OK) {
    read_log(report, &all);
    draw_time(report, &all, axes, out);
    status = tg_text_status(out);
  }
  json_decref(report);
  return status;
}

// ---- scaling ----

typedef struct scale_point {
  double cores;
  double seconds;
} scale_point;

static int by_cores(const void *a, const void *b)
{
  const scale_point *one = a;
  const scale_point *other = b;
  if (one->cores != other->cores) return one->cores > other->cores ? 1 : -1;
  return (one->seconds > other->seconds) - (one->seconds < other->seconds);
}

static tg_status read_point(const char *folder, const char *first, tg_text *title, scale_point *p)
{
  json_t *report = NULL;
  TG_TRY(load_report(folder, &report));
  const char *objective = objective_of(report);
  p->cores = tg_json_member(report, "ranks") * tg_json_member(report, "threads");
  p->seconds = tg_json_member(json_object_get(report, "seconds"), "solve");
  tg_status status = TG_OK;
  if (!(p->cores >= 1) || !(p->seconds > 0))
    status = tg_error_set(TG_DATA, TG_HERE, "%s/report.json lacks ranks, threads or seconds of iterations", folder);
  else if (*tg_text_string(title) == '\0')
    tg_text_add(title, objective);
  else if (strcmp(tg_text_string(title), objective) != 0)
    status = tg_error_set(TG_DATA, TG_HERE, "scaling compares runs of one objective: %s has %s, %s has %s", first,
                          tg_text_string(title), folder, objective);
  json_decref(report);
  return status;
}

// The fastest run of each number of cores; their number.
static int keep_fastest(scale_point *points, int n)
{
  int kept = 0;
  qsort(points, (size_t)n, sizeof *points, by_cores);
  for (int k = 0; k < n; k++)
    if (kept == 0 || points[k].cores > points[kept - 1].cores) points[kept++] = points[k];
  return kept;
}

static void draw_scaling(const scale_point *p, int n, const char *title, const tg_plot_axes *axes, tg_text *out)
{
  tg_text_add(out, "$runs << EOD\n");
  for (int k = 0; k < n; k++)
    tg_text_addf(out, "%.17g %.17g %.17g %.17g\n", p[k].cores, p[k].seconds, p[0].seconds * p[0].cores / p[k].cores,
                 p[0].seconds * p[0].cores / (p[k].seconds * p[k].cores));
  tg_text_add(out, "EOD\n");
  tg_plot_panels(axes, 1, 2, false, title, 0, out);
  tg_plot_ranges(axes, out);
  tg_text_add(out, "set logscale xy 2\nset format y '%g'\nset xlabel 'cores (ranks x threads)'\n"
                   "set ylabel 'seconds of the iterations'\nset key top right noenhanced samplen 2\n");
  tg_text_addf(out,
               "plot $runs using 1:2 with linespoints pointtype 7 linewidth 2 linecolor rgb '%s' title 'measured', \\\n"
               "  $runs using 1:3 with lines dashtype 2 linecolor rgb '#777777' title 'ideal'\n",
               tg_plot_colour(0));
  tg_text_add(out, "unset logscale y\nset yrange [0:*]\nset ylabel 'parallel efficiency'\nunset key\n");
  tg_text_addf(
      out,
      "plot $runs using 1:4 with linespoints pointtype 7 linewidth 2 linecolor rgb '%s', 1 with lines dashtype "
      "2 linecolor rgb '#777777'\nunset multiplot\n",
      tg_plot_colour(2));
}

tg_status tg_plot_scaling(int n, const char *const *folders, const tg_plot_axes *axes, tg_text *out)
{
  scale_point *points = NULL;
  tg_text title;
  tg_text_init(&title);
  tg_status status = TG_NEW(n, &points);
  for (int k = 0; k < n && status == TG_OK; k++) status = read_point(folders[k], folders[0], &title, &points[k]);
  if (status == TG_OK) {
    const int kept = keep_fastest(points, n);
    if (kept < 2)
      status = tg_error_set(TG_DATA, TG_HERE, "scaling needs runs on at least two numbers of cores, found %g alone",
                            points[0].cores);
    else
      draw_scaling(points, kept, tg_text_string(&title), axes, out);
  }
  if (status == TG_OK) status = tg_text_status(out);
  tg_free(points);
  tg_text_fini(&title);
  return status;
}

// ---- Taylor remainders ----

bool tg_plot_is_json(const char *path)
{
  const size_t length = strlen(path);
  return length > 5 && strcmp(path + length - 5, ".json") == 0;
}

// Steps, remainders, and the line of slope 2 through the first remainder. False: nothing to draw.
static bool add_remainders(const json_t *taylor, const char *block, tg_text *out)
{
  const json_t *row = NULL;
  size_t k = 0;
  double first = NAN; // remainder over the square of its step
  bool found = false;
  tg_text_addf(out, "$%s << EOD\n", block);
  json_array_foreach(json_object_get(taylor, "rows"), k, row)
  {
    const double t = tg_json_member(row, "t");
    const double remainder = tg_json_member(row, "remainder");
    const bool is_positive = t > 0 && remainder > 0 && isfinite(remainder);
    if (!isfinite(first) && is_positive) first = remainder / (t * t);
    found = found || is_positive;
    tg_text_addf(out, "%.17g", t);
    tg_plot_positive(out, remainder);
    tg_plot_positive(out, first * t * t);
    tg_text_add(out, "\n");
  }
  tg_text_add(out, "EOD\n");
  return found;
}

static void add_remainder_panel(const json_t *taylor, const char *block, const char *what, const char *colour,
                                tg_text *out)
{
  const char *verdict = json_string_value(json_object_get(taylor, "verdict"));
  tg_text_addf(out, "set title '%s: %s'\n", what, verdict != NULL ? verdict : "");
  tg_text_addf(out, "plot $%s using 1:2 with linespoints pointtype 7 linewidth 2 linecolor rgb '%s' title 'remainder'",
               block, colour);
  // Remainders that are rounding have no slope.
  if (verdict == NULL || strcmp(verdict, "exact") != 0)
    tg_text_addf(out, ", \\\n  $%s using 1:3 with lines dashtype 2 linecolor rgb '#777777' title 'slope 2'", block);
  tg_text_add(out, "\n");
}

static void draw_taylor(const json_t *check, bool has_hessian, const tg_plot_axes *axes, tg_text *out)
{
  const char *objective = json_string_value(json_object_get(check, "objective"));
  tg_plot_panels(axes, 1, has_hessian ? 2 : 1, false, objective != NULL ? objective : "", 0, out);
  tg_plot_ranges(axes, out);
  tg_text_add(out, "set logscale xy\nset format xy '10^{%T}'\nset xlabel 'step'\nset ylabel 'remainder'\n"
                   "set key bottom right noenhanced samplen 2\n");
  add_remainder_panel(json_object_get(check, "gradient"), "gradient", "gradient", tg_plot_colour(0), out);
  if (has_hessian)
    add_remainder_panel(json_object_get(check, "hessian"), "hessian", "Hessian action", tg_plot_colour(1), out);
  tg_text_add(out, "unset multiplot\n");
}

tg_status tg_plot_taylor(const char *path, const tg_plot_axes *axes, tg_text *out)
{
  json_error_t error;
  json_t *check = json_load_file(path, 0, &error);
  tg_status status = TG_OK;
  if (check == NULL) TG_FAIL(TG_DATA, "cannot read %s: %s", path, error.text);
  const bool has_gradient = add_remainders(json_object_get(check, "gradient"), "gradient", out);
  const bool has_hessian = add_remainders(json_object_get(check, "hessian"), "hessian", out);
  if (!has_gradient)
    status = tg_error_set(TG_DATA, TG_HERE,
                          "%s holds no Taylor remainders above zero; `tracegrad check JOB --format json > FILE.json` "
                          "writes such a file",
                          path);
  else
    draw_taylor(check, has_hessian, axes, out);
  if (status == TG_OK) status = tg_text_status(out);
  json_decref(check);
  return status;
}
