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

// Of the fonts of all formats, in pixels or hundredths of an inch.
enum { CHARACTER_WIDTH = 8, LINE_HEIGHT = 16, TITLE_LINES_MAX = 3 };

// The bytes of `text` that stand in a line: up to its last space, or cut where it has none. A character of UTF-8 stays
// whole.
static size_t line_of(const char *text, size_t width)
{
  size_t length = strlen(text);
  if (length <= width) return length;
  length = width;
  while (length > 0 && text[length] != ' ') length--;
  if (length > 0) return length;
  length = width;
  while (length > 1 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
  return length;
}

// The title as texts joined by ends of lines; their number. What does not fit into three lines is left out.
static int add_lines(const char *title, size_t width, tg_text *out)
{
  int n = 0;
  while (n == 0 || *title != '\0') {
    const size_t length = line_of(title, width);
    tg_text line;
    tg_text_init(&line);
    tg_text_add_bytes(&line, title, length);
    if (++n == TITLE_LINES_MAX && title[length] != '\0') tg_text_add(&line, " ...");
    if (n > 1) tg_text_add(out, ".\"\\n\".");
    tg_plot_quoted(out, tg_text_string(&line));
    tg_text_fini(&line);
    if (n == TITLE_LINES_MAX) break;
    title += length;
    title += strspn(title, " ");
  }
  return n;
}

void tg_plot_panels(const tg_plot_axes *axes, int rows, int columns, bool is_by_column, const char *title,
                    int64_t legend, tg_text *out)
{
  const int64_t width = axes->width / CHARACTER_WIDTH > 8 ? axes->width / CHARACTER_WIDTH - 4 : 4;
  const int64_t more = legend > 0 ? 1 + (legend - 1) / width : 0;
  tg_text_add(out, "set title ''\nset grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'\n"
                   "set border linecolor rgb '#555555'\nset xtics nomirror\nset ytics nomirror\n"
                   "set lmargin 10\nset rmargin 3\n");
  tg_text_addf(out, "set multiplot layout %d,%d %s title ", rows, columns, is_by_column ? "columnsfirst" : "rowsfirst");
  const int lines = add_lines(title, (size_t)width, out);
  // One line more than the legend has: lines are not as high in all formats.
  for (int64_t k = 0; k < (more > 0 ? more + 1 : 0); k++) tg_text_add(out, ".\"\\n \"");
  tg_text_add(out, " noenhanced\n");
  if (legend > 0)
    tg_text_addf(out, "set key at screen 0.5,screen %.4f center top vertical maxrows %d noenhanced samplen 2\n",
                 1 - (double)(LINE_HEIGHT * lines + LINE_HEIGHT / 2) / (double)(axes->height > 0 ? axes->height : 1),
                 (int)more);
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
