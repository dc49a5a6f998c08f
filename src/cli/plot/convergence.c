// The convergence of runs as a picture.
#include "cli/plot/convergence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Columns of the data blocks.
enum { BY_ITERATION = 1, BY_PRODUCTS, BY_SECONDS, GRADIENT, TARGET, GAP, VIOLATION };
enum { BEGINNINGS_MAX = 60 }; // more dotted lines would hide the curve
enum { MARKED_MAX = 25 };     // points of a curve with fewer have marks: one alone would not be seen
enum { MARK_BYTES = 7 };      // of a legend's entry beside its text

// What is drawn.
typedef struct drawing {
  int n;
  const tg_plot_history *histories;
  const tg_plot_axes *axes;
  double best;   // objective
  bool is_first; // panel: the legend stands there
} drawing;

// ---- data ----

static bool begins_attempt(const tg_plot_history *h, int64_t k)
{
  return k > 0 && h->rows[k].attempt != h->rows[k - 1].attempt;
}

static bool begins_round(const tg_plot_history *h, int64_t k)
{
  return k > 0 && h->rows[k].attempt == h->rows[k - 1].attempt && h->rows[k].round != h->rows[k - 1].round;
}

// An empty line ends a curve: the next attempt is another one.
static void add_data(tg_text *out, int index, const tg_plot_history *h, double best)
{
  tg_text_addf(out, "$run%d << EOD\n", index);
  for (int64_t k = 0; k < h->n; k++) {
    const tg_plot_row *r = &h->rows[k];
    if (begins_attempt(h, k)) tg_text_add(out, "\n");
    tg_text_addf(out, "%.17g %.17g %.17g", r->iteration, r->products, r->seconds);
    tg_plot_positive(out, r->gradient_norm);
    tg_plot_positive(out, r->gradient_target);
    tg_plot_positive(out, fabs(r->objective - best));
    tg_plot_positive(out, r->violation);
    tg_text_add(out, "\n");
  }
  tg_text_add(out, "EOD\n");
}

static double value_of(const tg_plot_row *r, int column, double best)
{
  if (column == GRADIENT) return r->gradient_norm;
  if (column == TARGET) return r->gradient_target;
  return column == GAP ? fabs(r->objective - best) : r->violation;
}

static bool has_points(const tg_plot_history *h, int column, double best)
{
  for (int64_t k = 0; k < h->n; k++) {
    const double value = value_of(&h->rows[k], column, best);
    if (value > 0 && isfinite(value)) return true;
  }
  return false;
}

static bool any_points(const drawing *d, int column)
{
  for (int i = 0; i < d->n; i++)
    if (has_points(&d->histories[i], column, d->best)) return true;
  return false;
}

// ---- axes ----

static double place_of(const tg_plot_row *r, int x)
{
  return x == BY_ITERATION ? r->iteration : x == BY_PRODUCTS ? r->products : r->seconds;
}

static double largest_of(const drawing *d, int x)
{
  double largest = 0;
  for (int i = 0; i < d->n; i++) largest = fmax(largest, place_of(&d->histories[i].rows[d->histories[i].n - 1], x));
  return largest;
}

// A curve at one height has no range of its own.
static void add_height(const drawing *d, int y, tg_text *out)
{
  double low = INFINITY;
  double high = 0;
  for (int i = 0; i < d->n; i++)
    for (int64_t k = 0; k < d->histories[i].n; k++) {
      const tg_plot_row *r = &d->histories[i].rows[k];
      const double values[2] = {value_of(r, y, d->best), y == GRADIENT ? r->gradient_target : (double)NAN};
      for (int v = 0; v < 2; v++)
        if (values[v] > 0 && isfinite(values[v])) {
          low = fmin(low, values[v]);
          high = fmax(high, values[v]);
        }
    }
  if (d->axes->y_range == NULL && high == 0) tg_text_add(out, "set yrange [0:1]\n");
  if (d->axes->y_range == NULL && high > 0 && high < 1.001 * low)
    tg_text_addf(out, "set yrange [%.17g:%.17g]\n", low / 10, 10 * high);
}

static void add_axes(const drawing *d, int x, int y, bool is_left, double scale, tg_text *out)
{
  static const char *const of_x[] = {
      [BY_ITERATION] = "iterations", [BY_PRODUCTS] = "products", [BY_SECONDS] = "seconds"};
  const char *of_y = y == GRADIENT ? "gradient norm" : y == GAP ? "|objective - best|" : "violation";
  const double largest = scale * largest_of(d, x);
  tg_plot_ranges(d->axes, out);
  if (d->axes->log_x)
    tg_text_add(out, "set logscale x\nset xtics autofreq\n");
  else if (d->axes->x_range == NULL) {
    const double width = largest > 0 ? largest : 1;
    const double tick = tg_plot_tick(width);
    tg_text_addf(out, "set xrange [0:%.17g]\nset xtics nomirror %.17g\n", width,
                 x == BY_SECONDS ? tick : fmax(1, tick));
  }
  tg_text_addf(out, "set xlabel '%s'\nset ylabel '%s'\n", scale > 1 ? "milliseconds" : of_x[x], is_left ? of_y : "");
  tg_text_add(out,
              any_points(d, y) ? "set logscale y\nset format y '10^{%T}'\n" : "unset logscale y\nset format y '%g'\n");
  add_height(d, y, out);
}

// Where attempts and rounds of a single run begin. False: nowhere.
static bool add_beginnings(const drawing *d, int x, double scale, tg_text *out)
{
  const tg_plot_history *h = &d->histories[0];
  int64_t found = 0;
  tg_text_add(out, "unset arrow\n");
  if (d->n > 1) return false;
  for (int64_t k = 0; k < h->n; k++) found += begins_attempt(h, k) || begins_round(h, k);
  if (found > BEGINNINGS_MAX) return false;
  for (int64_t k = 0; k < h->n; k++)
    if (begins_attempt(h, k) || begins_round(h, k)) {
      const double at = scale * place_of(&h->rows[k], x);
      tg_text_addf(out,
                   "set arrow from first %.17g,graph 0 to first %.17g,graph 1 nohead dashtype 3 linewidth 1 "
                   "linecolor rgb '#888888'\n",
                   at, at);
    }
  return found > 0;
}

// ---- curves ----

static void add_curve(tg_text *out, const char **before, int index, int x, int y, double scale, const char *style)
{
  tg_text_addf(out, "%s$run%d using (%g*$%d):%d with %s", *before, index, scale, x, y, style);
  *before = ", \\\n  ";
}

// Few points are marked: a single one draws no line.
static const char *look_of(const tg_plot_history *h)
{
  return h->n <= MARKED_MAX ? "linespoints pointtype 7 pointsize 0.45" : "lines";
}

// One run: its curve has a colour of the row and a legend only beside its target. Several: the legend names the
// folders.
static void add_curves(const drawing *d, int x, int y, double scale, bool has_beginnings, tg_text *out)
{
  const char *before = "plot ";
  for (int i = 0; i < d->n; i++) {
    const tg_plot_history *h = &d->histories[i];
    const char *colour = tg_plot_colour(d->n > 1 ? i : y == GRADIENT ? 0 : y == GAP ? 1 : 2);
    char style[128];
    if (!has_points(h, y, d->best)) continue;
    (void)snprintf(style, sizeof style, "%s linewidth 2 dashtype %d linecolor rgb '%s' title ", look_of(h),
                   1 + i / TG_PLOT_COLOURS % 4, colour);
    add_curve(out, &before, i, x, y, scale, style);
    if (d->n == 1)
      tg_text_add(out, y == GRADIENT ? "'gradient norm'" : "''");
    else
      tg_plot_folder(out, h->folder);
    if (y != GRADIENT || !has_points(h, TARGET, d->best)) continue;
    (void)snprintf(style, sizeof style, "lines linewidth 1 dashtype 2 linecolor rgb '%s' title %s",
                   d->n == 1 ? "#777777" : colour, d->n == 1 ? "'target'" : "''");
    add_curve(out, &before, i, x, TARGET, scale, style);
  }
  if (before[0] != ',') tg_text_add(out, "plot [0:1] 0 with lines notitle");
  if (has_beginnings && d->is_first)
    tg_text_addf(out, ", \\\n  NaN with lines dashtype 3 linecolor rgb '#888888' title '%s begins'",
                 d->histories[0].rows[0].attempt > 0 ? "attempt" : "round");
  tg_text_add(out, "\n");
}

// Less than a second is shown in milliseconds: labels such as 0.0005 would run into each other.
static void add_panel(drawing *d, int x, int y, bool is_left, tg_text *out)
{
  const double scale = x == BY_SECONDS && largest_of(d, x) < 1 ? 1000 : 1;
  add_axes(d, x, y, is_left, scale, out);
  const bool has_beginnings = add_beginnings(d, x, scale, out);
  if (!d->is_first) tg_text_add(out, "unset key\n");
  add_curves(d, x, y, scale, has_beginnings, out);
  d->is_first = false;
}

// Characters of the legend.
static int64_t legend_of(const drawing *d)
{
  int64_t length = 0;
  if (d->n == 1) return (int64_t)strlen("gradient norm target attempt begins") + (int64_t)3 * MARK_BYTES;
  for (int i = 0; i < d->n; i++) length += (int64_t)strlen(d->histories[i].folder) + MARK_BYTES;
  return length;
}

static void begin(const drawing *d, int rows, int columns, tg_text *out)
{
  tg_text title;
  tg_text_init(&title);
  tg_text_addf(&title, "%s%s", tg_text_string(&d->histories[0].title),
               d->n == 1 ? tg_text_string(&d->histories[0].ending) : "");
  tg_plot_panels(d->axes, rows, columns, true, tg_text_string(&title), legend_of(d), out);
  tg_text_fini(&title);
}

void tg_plot_convergence(int n, const tg_plot_history *histories, const tg_plot_axes *axes, tg_text *out)
{
  drawing d = {
      .n = n, .histories = histories, .axes = axes, .best = tg_plot_history_best(n, histories), .is_first = true};
  bool is_constrained = false;
  bool is_left = true;
  int columns = 0;
  for (int i = 0; i < n; i++) is_constrained = is_constrained || histories[i].is_constrained;
  for (int i = 0; i < n; i++) add_data(out, i, &histories[i], d.best);
  for (int k = 0; k < 3; k++) columns += axes->by[k];
  begin(&d, is_constrained ? 3 : 2, columns, out);
  for (int x = BY_ITERATION; x <= BY_SECONDS; x++) {
    if (!axes->by[x - BY_ITERATION]) continue;
    add_panel(&d, x, GRADIENT, is_left, out);
    add_panel(&d, x, GAP, is_left, out);
    if (is_constrained) add_panel(&d, x, VIOLATION, is_left, out);
    is_left = false;
  }
  tg_text_add(out, "unset multiplot\n");
}
