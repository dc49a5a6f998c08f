// The pictures of `plot` of a sweep or of tune.
#include "cli/plot/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/plot/chart.h"
#include "report/sweep_rows.h"

enum { KEY_BYTES = 200, NAMES_MAX = 8 };
enum { MARKED_MAX = 60 }; // points of a picture with fewer have marks
enum { MARK_BYTES = 7 };  // of a legend's entry beside its text

// A row of a file, or what several rows of the same numbers have in common.
typedef struct point {
  double x[NAMES_MAX]; // of tune all numbers, of a sweep that with the most values
  char key[KEY_BYTES]; // the others: "mu = 2, solver.memory = 5"
  double sum;          // of scores or objectives
  double squares;
  double norm;                                // sum
  double coefficients[TG_SWEEP_COEFFICIENTS]; // sums
  double error;                               // of tune: the standard error; NAN: none
  int count;
} point;

typedef struct table {
  bool is_tune;
  bool has_scores;
  char axis[64]; // of a sweep: the number with the most values
  int n_names;
  char names[NAMES_MAX][64];
  int64_t n;
  int64_t capacity;
  point *points;
  tg_text title;
  int n_coefficients; // that all rows have; 0: none
} table;

// ---- reading ----

static void name_path(const char *folder, const char *file, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/%s", folder, file);
}

static bool has_file(const char *folder, const char *file)
{
  tg_text path;
  tg_text_init(&path);
  name_path(folder, file, &path);
  const bool found = tg_text_status(&path) == TG_OK && access(tg_text_string(&path), R_OK) == 0;
  tg_text_fini(&path);
  return found;
}

bool tg_plot_is_sweep(const char *folder)
{
  return has_file(folder, "tune.jsonl") || (has_file(folder, "sweep.jsonl") && !has_file(folder, "history.jsonl"));
}

static void add_to_key(point *p, const char *name, const json_t *value)
{
  const size_t used = strlen(p->key);
  const char *between = used > 0 ? ", " : "";
  if (json_is_number(value))
    (void)snprintf(p->key + used, sizeof p->key - used, "%s%s = %g", between, name, json_number_value(value));
  else
    (void)snprintf(p->key + used, sizeof p->key - used, "%s%s = %s", between, name, json_string_value(value));
}

// The numbers of the row; false: it has none to be drawn over.
static bool read_numbers(table *t, const json_t *row, point *p)
{
  const char *name = NULL;
  json_t *value = NULL;
  int n = 0;
  json_object_foreach(json_object_get(row, "parameters"), name, value)
  {
    if (!t->is_tune && strcmp(name, "fold") == 0) continue;
    const bool is_axis = json_is_number(value) && (t->is_tune ? n < NAMES_MAX : strcmp(name, t->axis) == 0);
    if (!is_axis) {
      add_to_key(p, name, value);
      continue;
    }
    (void)snprintf(t->names[n], sizeof t->names[n], "%s", name);
    p->x[n++] = json_number_value(value);
  }
  if (n > t->n_names) t->n_names = n;
  return n > 0;
}

static point *find(table *t, const point *like)
{
  for (int64_t k = 0; k < t->n && !t->is_tune; k++)
    if (t->points[k].x[0] == like->x[0] && strcmp(t->points[k].key, like->key) == 0) return &t->points[k];
  return NULL;
}

// Of the first row; another number of them in a later one: none are drawn.
static void read_coefficients(table *t, const json_t *row, point *p)
{
  const json_t *list = json_object_get(row, "coefficients");
  const int n = json_array_size(list) <= TG_SWEEP_COEFFICIENTS ? (int)json_array_size(list) : 0;
  if (t->n == 0) t->n_coefficients = n;
  if (n != t->n_coefficients) t->n_coefficients = 0;
  for (int k = 0; k < t->n_coefficients; k++) p->coefficients[k] = json_number_value(json_array_get(list, (size_t)k));
}

static tg_status add_row(table *t, const json_t *row)
{
  point p = {.count = 1, .error = tg_json_member(row, "standard_error")};
  const bool has_score = json_object_get(row, "score") != NULL;
  const double value = tg_json_member(row, has_score ? "score" : "objective");
  if (!read_numbers(t, row, &p) || !isfinite(value)) return TG_OK;
  t->has_scores = t->has_scores || has_score;
  p.sum = value;
  p.squares = value * value;
  p.norm = tg_json_member(row, "norm");
  read_coefficients(t, row, &p);
  point *there = find(t, &p);
  if (there != NULL) {
    there->sum += p.sum;
    there->squares += p.squares;
    there->norm += p.norm;
    for (int i = 0; i < TG_SWEEP_COEFFICIENTS; i++) there->coefficients[i] += p.coefficients[i];
    there->count++;
    return TG_OK;
  }
  if (t->n == t->capacity) {
    t->capacity = t->capacity > 0 ? 2 * t->capacity : 128;
    TG_TRY(tg_grow(t->capacity, sizeof *t->points, (void **)&t->points));
  }
  t->points[t->n++] = p;
  return TG_OK;
}

// All rows of the file; a last line may be cut short. NULL where it cannot be read.
static json_t *read_rows(const char *path)
{
  char *line = NULL;
  size_t capacity = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL) return NULL;
  json_t *rows = json_array();
  for (ssize_t length = 0; (length = getline(&line, &capacity, file)) > 0;) {
    json_t *row = json_loadb(line, (size_t)length, 0, NULL);
    if (json_is_object(row)) json_array_append(rows, row);
    json_decref(row);
  }
  fclose(file);
  free(line);
  return rows;
}

// The number that takes the most values, the first of them.
static void choose_axis(const json_t *rows, char *out, size_t room)
{
  json_t *seen = json_object(); // values by name
  size_t most = 0;
  size_t index = 0;
  const json_t *row = NULL;
  const char *name = NULL;
  json_t *value = NULL;
  json_array_foreach(rows, index, row) json_object_foreach(json_object_get(row, "parameters"), name, value)
  {
    char text[40];
    if (strcmp(name, "fold") == 0 || !json_is_number(value)) continue;
    if (json_object_get(seen, name) == NULL) json_object_set_new(seen, name, json_object());
    (void)snprintf(text, sizeof text, "%.17g", json_number_value(value));
    json_object_set_new(json_object_get(seen, name), text, json_true());
  }
  json_object_foreach(seen, name, value)
  {
    if (json_object_size(value) <= most) continue;
    most = json_object_size(value);
    (void)snprintf(out, room, "%s", name);
  }
  json_decref(seen);
}

// The objective, from the report of the folder itself or of the first point; else the folder's name.
static void read_title(const char *folder, const json_t *rows, tg_text *out)
{
  const char *first = json_string_value(json_object_get(json_array_get(rows, 0), "folder"));
  tg_text path;
  tg_text_init(&path);
  tg_text_addf(&path, "%s/report.json", folder);
  json_t *report = json_load_file(tg_text_string(&path), 0, NULL);
  if (report == NULL && first != NULL) {
    tg_text_clear(&path);
    tg_text_addf(&path, "%s/%s/report.json", folder, first);
    report = json_load_file(tg_text_string(&path), 0, NULL);
  }
  tg_text_fini(&path);
  const json_t *job = json_object_get(report, "job");
  const char *least = json_string_value(json_object_get(job, "minimize"));
  const char *most = json_string_value(json_object_get(job, "maximize"));
  if (least != NULL)
    tg_text_addf(out, "minimize %s", least);
  else if (most != NULL)
    tg_text_addf(out, "maximize %s", most);
  else
    tg_text_add(out, folder);
  json_decref(report);
}

static tg_status read_table(const char *folder, table *t)
{
  tg_text path;
  tg_status status = TG_OK;
  size_t index = 0;
  const json_t *row = NULL;
  tg_text_init(&path);
  t->is_tune = has_file(folder, "tune.jsonl");
  name_path(folder, t->is_tune ? "tune.jsonl" : "sweep.jsonl", &path);
  json_t *rows = read_rows(tg_text_string(&path));
  if (rows == NULL)
    status = tg_error_set(TG_DATA, TG_HERE, "cannot open %s: %s", tg_text_string(&path), strerror(errno));
  choose_axis(rows, t->axis, sizeof t->axis);
  json_array_foreach(rows, index, row) if (status == TG_OK) status = add_row(t, row);
  if (status == TG_OK) read_title(folder, rows, &t->title);
  json_decref(rows);
  if (status == TG_OK && t->n == 0)
    status = tg_error_set(TG_DATA, TG_HERE, "%s: no row has a number that is swept and a result to be drawn",
                          tg_text_string(&path));
  tg_text_fini(&path);
  return status;
}

// ---- drawing ----

static double mean_of(const point *p)
{
  return p->sum / p->count;
}

static double error_of(const table *t, const point *p)
{
  const double n = p->count;
  if (t->is_tune) return isfinite(p->error) ? p->error : 0;
  return n > 1 ? sqrt(fmax(0, p->squares / n - mean_of(p) * mean_of(p)) / (n - 1)) : 0;
}

static int by_key_and_number(const void *a, const void *b)
{
  const point *one = a;
  const point *other = b;
  const int order = strcmp(one->key, other->key);
  return order != 0 ? order : (one->x[0] > other->x[0]) - (one->x[0] < other->x[0]);
}

// A block of data for each key; their number.
static int add_data(const table *t, tg_text *out)
{
  int blocks = 0;
  for (int64_t k = 0; k < t->n; k++) {
    const point *p = &t->points[k];
    if (k == 0 || (!t->is_tune && strcmp(p->key, t->points[k - 1].key) != 0))
      tg_text_addf(out, "%s$curve%d << EOD\n", k > 0 ? "EOD\n" : "", blocks++);
    for (int i = 0; i < (t->is_tune ? t->n_names : 1); i++) tg_text_addf(out, "%.17g ", p->x[i]);
    const double norm = p->norm / p->count;
    tg_text_addf(out, "%.17g %.17g ", mean_of(p), error_of(t, p));
    if (isfinite(norm))
      tg_text_addf(out, "%.17g", norm);
    else
      tg_text_add(out, "NaN");
    for (int i = 0; i < t->n_coefficients; i++) tg_text_addf(out, " %.17g", p->coefficients[i] / p->count);
    tg_text_add(out, "\n");
  }
  tg_text_add(out, "EOD\n");
  return blocks;
}

static bool is_wide(const table *t, int axis)
{
  double low = HUGE_VAL;
  double high = 0;
  for (int64_t k = 0; k < t->n; k++) {
    low = fmin(low, t->points[k].x[axis]);
    high = fmax(high, t->points[k].x[axis]);
  }
  return low > 0 && high > 20 * low;
}

static bool has_norms(const table *t)
{
  for (int64_t k = 0; k < t->n; k++)
    if (isfinite(t->points[k].norm)) return true;
  return false;
}

static int64_t best_of(const table *t)
{
  int64_t best = 0;
  for (int64_t k = 1; k < t->n; k++)
    if (mean_of(&t->points[k]) < mean_of(&t->points[best])) best = k;
  return best;
}

static void add_axes(const table *t, int axis, const char *y, tg_text *out)
{
  const bool is_log = t->is_tune || is_wide(t, axis);
  tg_text_add(out, is_log ? "set logscale x\nset format x '10^{%T}'\n" : "unset logscale x\nset format x '%g'\n");
  tg_text_add(out, "set xlabel ");
  tg_plot_quoted(out, t->names[axis]);
  tg_text_addf(out, " noenhanced\nset ylabel '%s'\n", y);
}

static void add_title(const table *t, const char *key, tg_text *out)
{
  tg_text_add(out, " title ");
  tg_plot_quoted(out, t->is_tune ? "evaluations" : key);
}

// Lines through column y over the axis, with bars of the column behind it where there are standard errors.
static void add_curves(const table *t, int blocks, int axis, int y, bool has_bars, tg_text *out)
{
  const char *before = "plot ";
  int64_t k = 0;
  for (int c = 0; c < blocks; c++) {
    const char *colour = tg_plot_colour(c);
    const char *key = t->points[k].key;
    while (k < t->n && strcmp(t->points[k].key, key) == 0) k++;
    if (has_bars)
      tg_text_addf(out,
                   "%s$curve%d using %d:%d:%d with yerrorbars pointtype 7 pointsize 0.4 linecolor rgb '%s' notitle",
                   before, c, axis + 1, y, y + 1, colour);
    if (has_bars) before = ", \\\n  ";
    tg_text_addf(out, "%s$curve%d using %d:%d with %s linewidth 2 linecolor rgb '%s'", before, c, axis + 1, y,
                 t->is_tune           ? "points pointtype 7 pointsize 0.9"
                 : t->n <= MARKED_MAX ? "linespoints pointtype 7 pointsize 0.7"
                                      : "lines",
                 colour);
    add_title(t, key, out);
    before = ", \\\n  ";
  }
  if (y == (t->is_tune ? t->n_names : 1) + 1) {
    const point *best = &t->points[best_of(t)];
    tg_text_addf(out,
                 "%s'-' using 1:2 with points pointtype 6 pointsize 1.8 linewidth 2 linecolor rgb '#c2185b' title ",
                 before);
    tg_plot_quoted(out, "lowest");
    tg_text_addf(out, "\n%.17g %.17g\ne\n", best->x[axis], mean_of(best));
  } else {
    tg_text_add(out, "\n");
  }
}

// Characters of the legend.
static int64_t legend_of(const table *t, int blocks)
{
  int64_t length = (int64_t)strlen("evaluations lowest") + (int64_t)2 * MARK_BYTES;
  if (blocks > TG_PLOT_COLOURS) return 0;
  for (int64_t k = 0; k < t->n && !t->is_tune; k++)
    if (k == 0 || strcmp(t->points[k].key, t->points[k - 1].key) != 0)
      length += (int64_t)strlen(t->points[k].key) + MARK_BYTES;
  return length;
}

// The path of each entry of a small solution, where there is one path.
static void add_coefficients(const table *t, tg_text *out)
{
  add_axes(t, 0, "entries of the solution", out);
  tg_text_add(out, "unset key\n");
  for (int i = 0; i < t->n_coefficients; i++)
    tg_text_addf(out, "%s$curve0 using 1:%d with lines linewidth 2 linecolor rgb '%s' notitle",
                 i == 0 ? "plot " : ", \\\n  ", 5 + i, tg_plot_colour(i));
  tg_text_add(out, "\n");
}

static void add_panels(const table *t, int blocks, const tg_plot_axes *axes, tg_text *out)
{
  const char *y = t->has_scores ? "score" : "objective";
  const int columns = t->is_tune ? t->n_names : 1;
  const bool shows_norms = has_norms(t);
  bool has_bars = false;
  for (int64_t k = 0; k < t->n; k++) has_bars = has_bars || error_of(t, &t->points[k]) > 0;
  tg_plot_panels(axes, 1, columns + (shows_norms ? 1 : 0), false, tg_text_string(&t->title), legend_of(t, blocks), out);
  if (blocks > TG_PLOT_COLOURS) tg_text_add(out, "unset key\n");
  tg_text_add(out, "set lmargin 12\n");
  for (int axis = 0; axis < columns; axis++) {
    add_axes(t, axis, y, out);
    add_curves(t, blocks, axis, columns + 1, has_bars, out);
  }
  if (shows_norms && t->n_coefficients > 0 && blocks == 1) {
    add_coefficients(t, out);
  } else if (shows_norms) {
    add_axes(t, 0, "norm of the solution", out);
    tg_text_add(out, "unset key\n");
    add_curves(t, blocks, 0, columns + 3, false, out);
  }
  tg_text_add(out, "unset multiplot\n");
}

tg_status tg_plot_sweep_script(const char *folder, const tg_plot_axes *axes, tg_text *out)
{
  table t = {0};
  tg_text_init(&t.title);
  tg_status status = read_table(folder, &t);
  if (status == TG_OK) {
    if (!t.is_tune) qsort(t.points, (size_t)t.n, sizeof *t.points, by_key_and_number);
    add_panels(&t, add_data(&t, out), axes, out);
    status = tg_text_status(out);
  }
  tg_free(t.points);
  tg_text_fini(&t.title);
  return status;
}
