// A matrix file as a picture.
#include "cli/plot/matrix.h"

#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <string.h>

#include "base/errors.h"
#include "base/memory.h"
#include "mpi/factor/spectrum.h"
#include "mpi/file/files.h"

enum { CELLS_MAX = 400, SPECTRUM_MAX = 1500, BLOCK = 64, SQUARE_MAX = 3 };
enum { PIXELS_MAX = 4096 }; // cells that are drawn one by one: viewers blur an image of few
enum { FEW = 40 };          // singular values that have room for larger points

// ---- cells ----

typedef struct cells {
  int64_t rows;
  int64_t cols;
  double low;
  double high;
  double *means; // row by row
} cells;

// Entries from k * size / count on belong to cell k.
static int64_t cell_of(int64_t entry, int64_t size, int64_t count)
{
  return size == count ? entry : (int64_t)((double)entry * (double)count / (double)size);
}

static tg_status make_cells(const tg_dmat *a, cells *c)
{
  double *counts = NULL;
  c->rows = a->rows < CELLS_MAX ? a->rows : CELLS_MAX;
  c->cols = a->cols < CELLS_MAX ? a->cols : CELLS_MAX;
  TG_TRY(TG_NEW(c->rows * c->cols, &c->means));
  TG_TRY(TG_NEW(c->rows * c->cols, &counts));
  for (int64_t j = 0; j < a->cols; j++)
    for (int64_t i = 0; i < a->rows; i++) {
      const int64_t at = cell_of(i, a->rows, c->rows) * c->cols + cell_of(j, a->cols, c->cols);
      c->means[at] += a->data[j * a->ld + i];
      counts[at]++;
    }
  c->low = INFINITY;
  c->high = -INFINITY;
  for (int64_t k = 0; k < c->rows * c->cols; k++) {
    c->means[k] /= counts[k];
    c->low = fmin(c->low, c->means[k]);
    c->high = fmax(c->high, c->means[k]);
  }
  tg_free(counts);
  return TG_OK;
}

static void add_cells(const cells *c, tg_text *out)
{
  tg_text_add(out, "$cells << EOD\n");
  for (int64_t i = 0; i < c->rows; i++) {
    for (int64_t j = 0; j < c->cols; j++) tg_text_addf(out, "%s%.5g", j > 0 ? " " : "", c->means[i * c->cols + j]);
    tg_text_add(out, "\n");
  }
  tg_text_add(out, "EOD\n");
}

// Entries of both signs: blue, white at zero, red. Of one sign: from white to blue.
static void add_palette(const cells *c, tg_text *out)
{
  const double size = fmax(fabs(c->low), fabs(c->high));
  if (c->low < 0 && c->high > 0)
    tg_text_addf(out, "set palette defined (-1 '#1f5f8b', 0 '#ffffff', 1 '#b3541e')\nset cbrange [%.17g:%.17g]\n",
                 -size, size);
  else if (c->high > 0 || size == 0)
    tg_text_addf(out, "set palette defined (0 '#ffffff', 1 '#1f5f8b')\nset cbrange [%.17g:%.17g]\n", fmin(c->low, 0),
                 size > 0 ? size : 1);
  else
    tg_text_addf(out, "set palette defined (0 '#b3541e', 1 '#ffffff')\nset cbrange [%.17g:0]\n", -size);
}

// ---- singular values ----

static tg_status add_values(const tg_dmat *a, tg_text *out)
{
  const int64_t k = a->rows < a->cols ? a->rows : a->cols;
  const tg_plan_factor factor = {.rows = a->rows, .cols = a->cols, .use = TG_FACTOR_OF_SVD};
  tg_spectrum *spectrum = NULL;
  tg_workspace *workspace = NULL;
  tg_dmat *values = NULL;
  tg_status status = tg_spectrum_create(a->grid, &factor, &spectrum);
  if (status == TG_OK) status = tg_workspace_create(a->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(a->grid, k, 1, &values);
  if (status == TG_OK) status = tg_spectrum_make(spectrum, a, workspace);
  if (status == TG_OK) status = tg_spectrum_values(spectrum, TG_DOMAIN_REAL, values);
  tg_text_add(out, "$values << EOD\n");
  for (int64_t i = 0; i < k && status == TG_OK; i++) {
    tg_text_addf(out, "%" PRId64, i + 1);
    tg_plot_positive(out, values->data[i]);
    tg_text_add(out, "\n");
  }
  tg_text_add(out, "EOD\n");
  tg_dmat_destroy(&values);
  tg_workspace_destroy(&workspace);
  tg_spectrum_destroy(&spectrum);
  return status;
}

// ---- the picture ----

static void draw(const tg_dmat *a, const cells *c, const char *path, bool has_values, const tg_plot_axes *axes,
                 tg_text *out)
{
  tg_text title;
  tg_text_init(&title);
  tg_text_addf(&title, "%s   %" PRId64 " x %" PRId64 "%s", path, a->rows, a->cols,
               c->rows < a->rows || c->cols < a->cols ? ", means of blocks" : "");
  tg_plot_panels(axes, 1, has_values ? 2 : 1, false, tg_text_string(&title), 0, out);
  tg_text_fini(&title);
  add_palette(c, out);
  // Cells are square unless that would leave a thread of a picture.
  const bool is_square = a->rows <= SQUARE_MAX * a->cols && a->cols <= SQUARE_MAX * a->rows;
  // Row 1 on top; the centre of entry (1, 1) is at (1, 1).
  const double dx = (double)a->cols / (double)c->cols;
  const double dy = (double)a->rows / (double)c->rows;
  tg_text_addf(out,
               "unset key\nunset grid\nset xrange [0.5:%.17g]\nset yrange [%.17g:0.5]\nset xlabel 'column'\n"
               "set ylabel 'row'\nset size %s\nset rmargin 12\nset xtics nomirror %.17g\nset ytics nomirror %.17g\n"
               "plot $cells matrix using (0.5+%.17g*($1+0.5)):(0.5+%.17g*($2+0.5)):3 with image%s\n",
               (double)a->cols + 0.5, (double)a->rows + 0.5, is_square ? "ratio -1" : "noratio",
               fmax(1, tg_plot_tick((double)a->cols)), fmax(1, tg_plot_tick((double)a->rows)), dx, dy,
               c->rows * c->cols <= PIXELS_MAX ? " pixels" : "");
  if (has_values) {
    const int64_t n = a->rows < a->cols ? a->rows : a->cols;
    tg_text_add(out, "set size noratio\nset rmargin 3\nset grid\nset format y '10^{%T}'\nset logscale y\n"
                     "set ytics nomirror autofreq\nset xlabel 'number'\nset ylabel 'singular value'\n");
    tg_plot_ranges(axes, out);
    if (axes->x_range == NULL)
      tg_text_addf(out, "set xrange [%g:%g]\n", 1 - 0.02 * (double)n, 1.02 * (double)n + (n == 1 ? 0.5 : 0));
    tg_text_addf(out,
                 "set xtics nomirror %.17g\nplot $values using 1:2 with points pointtype 7 pointsize %g linecolor rgb "
                 "'%s'\n",
                 fmax(1, tg_plot_tick((double)n)), n > FEW ? 0.5 : 1.0, tg_plot_colour(0));
  }
  tg_text_add(out, "unset multiplot\n");
}

static tg_status plot_on(const tg_grid *grid, const char *path, const tg_plot_axes *axes, tg_text *out)
{
  tg_dmat *a = NULL;
  cells c = {0};
  TG_TRY(tg_file_read(grid, path, NULL, &a));
  const int64_t side = a->rows < a->cols ? a->rows : a->cols;
  tg_status status = make_cells(a, &c);
  if (status == TG_OK) add_cells(&c, out);
  if (status == TG_OK && side <= SPECTRUM_MAX) status = add_values(a, out);
  if (status == TG_OK) draw(a, &c, path, side <= SPECTRUM_MAX, axes, out);
  tg_free(c.means);
  tg_dmat_destroy(&a);
  return status == TG_OK ? tg_text_status(out) : status;
}

bool tg_plot_is_matrix(const char *path)
{
  const tg_file_format *format = NULL;
  const bool is_matrix = tg_file_find_format(path, &format) == TG_OK;
  tg_error_clear();
  return is_matrix;
}

tg_status tg_plot_matrix(const char *path, const tg_plot_axes *axes, tg_text *out)
{
  tg_grid *grid = NULL;
  TG_TRY(tg_grid_create(MPI_COMM_SELF, 1, 1, BLOCK, &grid));
  const tg_status status = plot_on(grid, path, axes, out);
  tg_grid_destroy(&grid);
  return status;
}
