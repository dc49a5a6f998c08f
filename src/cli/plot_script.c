// The pictures of `plot` as a script for gnuplot.
#include "cli/plot_script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Columns of the data blocks.
enum { BY_ITERATION = 1, BY_PRODUCTS, BY_SECONDS, GRADIENT, TARGET, GAP, VIOLATION };

// Colours that are told apart in print and by readers who do not see red and green.
static const char *const colours[] = {"#1f5f8b", "#b3541e", "#4c8c4a", "#8a4f9e",
                                      "#7a6a00", "#3b3b3b", "#c2185b", "#008b8b"};
enum { N_COLOURS = sizeof colours / sizeof *colours };

void tg_plot_quoted(tg_text *out, const char *text)
{
  tg_text_add(out, "'");
  // A quote inside a quoted gnuplot text is doubled. A line ends the text: such a character becomes a space.
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '\'')
      tg_text_add(out, "''");
    else
      tg_text_addf(out, "%c", (unsigned char)*at < ' ' ? ' ' : *at);
  }
  tg_text_add(out, "'");
}

// A logarithmic axis has no zero: such points are left out.
static void add_positive(tg_text *out, double value)
{
  if (value > 0 && isfinite(value))
    tg_text_addf(out, " %.17g", value);
  else
    tg_text_add(out, " NaN");
}

static void add_data(tg_text *out, int index, const tg_plot_history *h, double best)
{
  tg_text_addf(out, "$run%d << EOD\n", index);
  for (int64_t k = 0; k < h->n; k++) {
    const tg_plot_row *r = &h->rows[k];
    tg_text_addf(out, "%.17g %.17g %.17g", r->iteration, r->products, r->seconds);
    add_positive(out, r->gradient_norm);
    add_positive(out, r->gradient_target);
    add_positive(out, fabs(r->objective - best));
    add_positive(out, r->violation);
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

static double largest_of(int n, const tg_plot_history *histories, int x)
{
  double largest = 0;
  for (int i = 0; i < n; i++) {
    const tg_plot_row *last = &histories[i].rows[histories[i].n - 1];
    largest = fmax(largest, x == BY_ITERATION ? last->iteration : x == BY_PRODUCTS ? last->products : last->seconds);
  }
  return largest;
}

// 1, 2 or 5 times a power of ten: at most six steps to the largest value, so that labels do not meet.
static double tick_step(double largest)
{
  const double power = pow(10, floor(log10(largest / 6)));
  const double part = largest / 6 / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static void add_curve(tg_text *out, const char **before, int index, int x, int y, double scale, const char *style)
{
  tg_text_addf(out, "%s$run%d using (%g*$%d):%d with %s", *before, index, scale, x, y, style);
  *before = ", \\\n  ";
}

// A folder without the slash that completions leave behind.
static void add_name(tg_text *out, const char *folder)
{
  tg_text name;
  tg_text_init(&name);
  tg_text_add_bytes(&name, folder,
                    strlen(folder) > 1 && folder[strlen(folder) - 1] == '/' ? strlen(folder) - 1 : strlen(folder));
  tg_plot_quoted(out, tg_text_string(&name));
  tg_text_fini(&name);
}

// One run: its curve has a colour of the row and a legend only beside its target. Several: the legend names the
// folders.
static void add_curves(tg_text *out, int n, const tg_plot_history *histories, int x, int y, double scale, double best)
{
  const char *before = "plot ";
  for (int i = 0; i < n; i++) {
    char style[96];
    const char *colour = n == 1 ? colours[y == GRADIENT ? 0 : y == GAP ? 1 : 2] : colours[i % N_COLOURS];
    if (!has_points(&histories[i], y, best)) continue;
    (void)snprintf(style, sizeof style, "lines linewidth 2 dashtype %d linecolor rgb '%s' title ",
                   1 + i / N_COLOURS % 4, colour);
    add_curve(out, &before, i, x, y, scale, style);
    if (n == 1)
      tg_text_add(out, y == GRADIENT ? "'gradient norm'" : "''");
    else
      add_name(out, histories[i].folder);
    if (y != GRADIENT || !has_points(&histories[i], TARGET, best)) continue;
    (void)snprintf(style, sizeof style, "lines linewidth 1 dashtype 2 linecolor rgb '%s' title %s",
                   n == 1 ? "#777777" : colour, n == 1 ? "'target'" : "''");
    add_curve(out, &before, i, x, TARGET, scale, style);
  }
  tg_text_add(out, before[0] == ',' ? "\n" : "plot [0:1] 0 with lines notitle\n");
}

static bool any_points(int n, const tg_plot_history *histories, int column, double best)
{
  for (int i = 0; i < n; i++)
    if (has_points(&histories[i], column, best)) return true;
  return false;
}

// Less than a second is shown in milliseconds: labels such as 0.0005 would run into each other.
static void add_panel(tg_text *out, int n, const tg_plot_history *histories, int x, int y, double best)
{
  const double largest = largest_of(n, histories, x);
  const bool is_short = x == BY_SECONDS && largest < 1;
  const double scale = is_short ? 1000 : 1;
  const char *const of_x[] = {[BY_ITERATION] = "iterations", [BY_PRODUCTS] = "products", [BY_SECONDS] = "seconds"};
  const char *of_y = y == GRADIENT ? "gradient norm" : y == GAP ? "|objective - best|" : "violation";
  if (largest > 0)
    tg_text_addf(out, "set xrange [0:%.17g]\nset xtics nomirror %.17g\n", scale * largest, tick_step(scale * largest));
  tg_text_add(out, "set ytics nomirror\n");
  tg_text_addf(out, "set xlabel '%s'\nset ylabel '%s'\n", is_short ? "milliseconds" : of_x[x],
               x == BY_ITERATION ? of_y : "");
  tg_text_add(out, any_points(n, histories, y, best) ? "set logscale y\nset format y '10^{%T}'\n"
                                                     : "unset logscale y\nset format y '%g'\n");
  // The legend stands in the first panel alone.
  tg_text_add(out, x == BY_ITERATION && y == GRADIENT ? "set key top right noenhanced samplen 2\n" : "unset key\n");
  add_curves(out, n, histories, x, y, scale, best);
}

void tg_plot_script(int n, const tg_plot_history *histories, tg_text *out)
{
  const double best = tg_plot_history_best(n, histories);
  bool is_constrained = false;
  for (int i = 0; i < n; i++) is_constrained = is_constrained || histories[i].is_constrained;
  for (int i = 0; i < n; i++) add_data(out, i, &histories[i], best);
  // Fixed margins: the panels of a row and of a column stand in line.
  tg_text_add(
      out,
      "set title ''\nset grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'\nset border linecolor rgb '#555555'\n"
      "set lmargin 10\nset rmargin 3\n");
  tg_text_addf(out, "set multiplot layout %d,3 columnsfirst title ", is_constrained ? 3 : 2);
  tg_text title;
  tg_text_init(&title);
  tg_text_addf(&title, "%s%s", tg_text_string(&histories[0].title), n == 1 ? tg_text_string(&histories[0].ending) : "");
  tg_plot_quoted(out, tg_text_string(&title));
  tg_text_fini(&title);
  tg_text_add(out, " noenhanced\n");
  for (int x = BY_ITERATION; x <= BY_SECONDS; x++) {
    add_panel(out, n, histories, x, GRADIENT, best);
    add_panel(out, n, histories, x, GAP, best);
    if (is_constrained) add_panel(out, n, histories, x, VIOLATION, best);
  }
  tg_text_add(out, "unset multiplot\n");
}
