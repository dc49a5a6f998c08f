// What the pictures of `plot` have in common: texts and numbers as gnuplot reads them, colours, axes.
#ifndef TG_CLI_PLOT_CHART_H
#define TG_CLI_PLOT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { TG_PLOT_COLOURS = 8 };

// What the command line says of the axes.
typedef struct tg_plot_axes {
  bool by[3];          // panels of a convergence: iterations, products, seconds
  bool log_x;          // of a convergence
  const char *x_range; // "LOW:HIGH" as it was given, either may be empty; NULL: what fits the data
  const char *y_range;
  int64_t width, height; // of the picture, in pixels or hundredths of an inch
} tg_plot_axes;

// text between single quotes, as gnuplot reads them.
void tg_plot_quoted(tg_text *out, const char *text);

// " value", or " NaN" where a logarithmic axis has no place for it: zero, below, not finite.
void tg_plot_positive(tg_text *out, double value);

// 1, 2 or 5 times a power of ten: at most six steps to the largest value, so that labels do not meet.
double tg_plot_tick(double largest);

// The k-th colour, from 0 and around: told apart in print and by readers who do not see red and green.
const char *tg_plot_colour(int k);

// Begins panels, row by row unless is_by_column, which stand in line, under a title that is broken into lines as wide
// as the picture. `legend` is the number of characters of all entries of a legend: it gets lines of its own under the
// title, where no curve is, and stands there in every panel until `unset key`. 0: the key is the caller's.
void tg_plot_panels(const tg_plot_axes *axes, int rows, int columns, bool is_by_column, const char *title,
                    int64_t legend, tg_text *out);

// set xrange and yrange where the command line has them, else automatic ones.
void tg_plot_ranges(const tg_plot_axes *axes, tg_text *out);

// A folder's name without the slash that completions leave behind, quoted.
void tg_plot_folder(tg_text *out, const char *folder);

#endif
