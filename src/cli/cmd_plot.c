// tracegrad plot: the convergence of a run as pictures, by gnuplot through a pipe.
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "report/json.h"

static const tg_args_spec spec = {
    .command = "plot",
    .operands = "DIR",
    .n_operands = 1,
    .summary = "Draws DIR/convergence.svg and DIR/convergence.png from DIR/history.jsonl.",
    .details = "The run may still be going on: an unfinished last line is left out. Needs gnuplot.",
};

typedef struct row {
  double iteration;
  double seconds;
  double objective;
  double gradient_norm;
} row;

typedef struct history {
  int64_t n;
  int64_t capacity;
  row *rows;
} history;

// ---- reading ----

static double field(const json_t *record, const char *name)
{
  const json_t *value = json_object_get(record, name);
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static tg_status add_row(history *h, const json_t *record)
{
  if (h->n == h->capacity) {
    h->capacity = h->capacity > 0 ? 2 * h->capacity : 256;
    TG_TRY(tg_grow(h->capacity, sizeof *h->rows, (void **)&h->rows));
  }
  h->rows[h->n++] = (row){.iteration = field(record, "iteration"),
                          .seconds = field(record, "seconds"),
                          .objective = field(record, "objective"),
                          .gradient_norm = field(record, "gradient_norm")};
  return TG_OK;
}

static tg_status read_line(history *h, const char *path, const char *line, size_t length, int64_t number)
{
  json_error_t error;
  // A record that is being written at this moment has no end of line yet.
  if (length == 0 || line[length - 1] != '\n') return TG_OK;
  json_t *record = json_loadb(line, length, 0, &error);
  if (!json_is_object(record)) {
    json_decref(record);
    TG_FAIL(TG_DATA, "%s:%lld: this line is no record of a history: %s", path, (long long)number, error.text);
  }
  const tg_status status = add_row(h, record);
  json_decref(record);
  return status;
}

static tg_status read_history(const char *path, history *h)
{
  FILE *file = fopen(path, "r");
  if (file == NULL) TG_FAIL(TG_DATA, "cannot open %s: %s; give the output folder of a run", path, strerror(errno));
  char *line = NULL;
  size_t capacity = 0;
  tg_status status = TG_OK;
  for (int64_t number = 1; status == TG_OK; number++) {
    const ssize_t length = getline(&line, &capacity, file);
    if (length <= 0) break;
    status = read_line(h, path, line, (size_t)length, number);
  }
  if (status == TG_OK && ferror(file))
    status = tg_error_set(TG_DATA, TG_HERE, "cannot read %s: %s", path, strerror(errno));
  free(line);
  fclose(file);
  if (status == TG_OK && h->n == 0) TG_FAIL(TG_DATA, "%s holds no iteration yet", path);
  return status;
}

// ---- drawing ----

// The best objective seen: the smallest, or the largest where the run maximised, which its trend tells.
static double best_objective(const history *h)
{
  double smallest = INFINITY;
  double largest = -INFINITY;
  for (int64_t k = 0; k < h->n; k++) {
    smallest = fmin(smallest, h->rows[k].objective);
    largest = fmax(largest, h->rows[k].objective);
  }
  return h->rows[h->n - 1].objective > h->rows[0].objective ? largest : smallest;
}

static void send_data(FILE *pipe, const history *h)
{
  const double best = best_objective(h);
  fputs("$history << EOD\n", pipe);
  for (int64_t k = 0; k < h->n; k++) {
    const row *r = &h->rows[k];
    const double gap = fabs(r->objective - best);
    // A logarithmic axis has no zero: such points are left out.
    fprintf(pipe, "%.17g %.17g ", r->iteration, r->seconds);
    fprintf(pipe, r->gradient_norm > 0 ? "%.17g " : "NaN ", r->gradient_norm);
    fprintf(pipe, gap > 0 ? "%.17g\n" : "NaN\n", gap);
  }
  fputs("EOD\n", pipe);
}

static bool any_positive(const history *h, bool gap)
{
  const double best = best_objective(h);
  for (int64_t k = 0; k < h->n; k++) {
    const double value = gap ? fabs(h->rows[k].objective - best) : h->rows[k].gradient_norm;
    if (value > 0 && isfinite(value)) return true;
  }
  return false;
}

// Less than a second is shown in milliseconds: labels such as 0.0005 would run into each other.
static void send_panel(FILE *pipe, const history *h, int x, int y)
{
  const bool gap = y == 4;
  const bool is_short = x == 2 && h->rows[h->n - 1].seconds < 1;
  const char *time = is_short ? "milliseconds" : "seconds";
  fprintf(pipe, "set xlabel '%s'\nset ylabel '%s'\n", x == 1 ? "iteration" : time,
          gap ? "|objective - best|" : "gradient norm");
  fputs(any_positive(h, gap) ? "set logscale y\nset format y '10^{%T}'\n" : "unset logscale y\nset format y '%g'\n",
        pipe);
  if (any_positive(h, gap))
    fprintf(pipe, "plot $history using (%d*$%d):%d with lines linewidth 2 linecolor rgb '%s' notitle\n",
            is_short ? 1000 : 1, x, y, gap ? "#b3541e" : "#1f5f8b");
  else
    fputs("plot [0:1] 0 with lines notitle\n", pipe);
}

static void send_script(FILE *pipe, const history *h, const char *terminal, const char *path)
{
  fprintf(pipe, "set terminal %s\nset output '", terminal);
  // A quote inside a quoted gnuplot text is doubled.
  for (const char *at = path; *at != '\0'; at++) fputs(*at == '\'' ? "''" : (char[]){*at, '\0'}, pipe);
  fputs("'\nset multiplot layout 2,2\nset grid\n", pipe);
  for (int y = 3; y <= 4; y++)
    for (int x = 1; x <= 2; x++) send_panel(pipe, h, x, y);
  fputs("unset multiplot\nset output\n", pipe);
}

static tg_status draw(const history *h, const char *terminal, const char *path)
{
  FILE *pipe = popen("gnuplot", "w");
  if (pipe == NULL) TG_FAIL(TG_IO, "cannot start gnuplot: %s", strerror(errno));
  send_data(pipe, h);
  send_script(pipe, h, terminal, path);
  const int outcome = pclose(pipe);
  if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 127)
    TG_FAIL(TG_IO, "gnuplot is not found: install it (Debian: apt-get install gnuplot-nox)");
  if (outcome != 0) TG_FAIL(TG_IO, "gnuplot failed to draw %s", path);
  return TG_OK;
}

// Drawn under another name first, so that a viewer never sees half a picture.
static tg_status draw_file(const history *h, const char *folder, const char *suffix, const char *terminal)
{
  tg_text path;
  tg_text temporary;
  tg_text_init(&path);
  tg_text_init(&temporary);
  tg_text_addf(&path, "%s/convergence.%s", folder, suffix);
  tg_text_addf(&temporary, "%s.tmp", tg_text_string(&path));
  unlink(tg_text_string(&temporary)); // a link there would be written through
  tg_status status = draw(h, terminal, tg_text_string(&temporary));
  if (status == TG_OK && rename(tg_text_string(&temporary), tg_text_string(&path)) != 0)
    status = tg_error_set(TG_IO, TG_HERE, "cannot write %s: %s", tg_text_string(&path), strerror(errno));
  if (status != TG_OK) unlink(tg_text_string(&temporary));
  if (status == TG_OK) printf("%s\n", tg_text_string(&path));
  tg_text_fini(&temporary);
  tg_text_fini(&path);
  return status;
}

static tg_status plot_folder(const char *folder)
{
  history h = {0};
  tg_text path;
  tg_text_init(&path);
  tg_text_addf(&path, "%s/history.jsonl", folder);
  tg_status status = read_history(tg_text_string(&path), &h);
  if (status == TG_OK) status = draw_file(&h, folder, "svg", "svg size 1000,700 background 'white'");
  if (status == TG_OK) status = draw_file(&h, folder, "png", "pngcairo size 1000,700 background 'white'");
  tg_text_fini(&path);
  tg_free(h.rows);
  return status;
}

tg_status cmd_plot(int argc, char **argv, int *exit_status)
{
  (void)exit_status;
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  // A gnuplot that is missing or dies must be an error of ours, not a signal.
  void (*before)(int) = signal(SIGPIPE, SIG_IGN);
  const tg_status status = plot_folder(args.operands[0]);
  signal(SIGPIPE, before);
  tg_args_fini(&args);
  return status;
}
