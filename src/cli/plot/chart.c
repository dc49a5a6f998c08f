// What the pictures of `plot` have in common.
#include "cli/plot/chart.h"

#include <math.h>
#include <string.h>

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

void tg_plot_positive(tg_text *out, double value)
{
  if (value > 0 && isfinite(value))
    tg_text_addf(out, " %.17g", value);
  else
    tg_text_add(out, " NaN");
}

double tg_plot_tick(double largest)
{
  const double power = pow(10, floor(log10(largest / 6)));
  const double part = largest / 6 / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

const char *tg_plot_colour(int k)
{
  static const char *const colours[TG_PLOT_COLOURS] = {"#1f5f8b", "#b3541e", "#4c8c4a", "#8a4f9e",
                                                       "#7a6a00", "#3b3b3b", "#c2185b", "#008b8b"};
  return colours[k % TG_PLOT_COLOURS];
}

void tg_plot_begin(tg_text *out)
{
  tg_text_add(out, "set title ''\nset grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'\n"
                   "set border linecolor rgb '#555555'\nset xtics nomirror\nset ytics nomirror\n"
                   "set lmargin 10\nset rmargin 3\n");
}

void tg_plot_ranges(const tg_plot_axes *axes, tg_text *out)
{
  tg_text_addf(out, "set xrange [%s]\n", axes->x_range != NULL ? axes->x_range : "*:*");
  tg_text_addf(out, "set yrange [%s]\n", axes->y_range != NULL ? axes->y_range : "*:*");
}

void tg_plot_folder(tg_text *out, const char *folder)
{
  const size_t length = strlen(folder);
  tg_text name;
  tg_text_init(&name);
  tg_text_add_bytes(&name, folder, length > 1 && folder[length - 1] == '/' ? length - 1 : length);
  tg_plot_quoted(out, tg_text_string(&name));
  tg_text_fini(&name);
}
