// tracegrad plot: runs, sweeps, checks and matrices as pictures, by gnuplot.
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/plot/chart.h"
#include "cli/plot/convergence.h"
#include "cli/plot/matrix.h"
#include "cli/plot/report.h"
#include "cli/plot/sweep.h"

static const tg_option options[] = {
    {"--what", "WHAT", false, "of runs: convergence (default), time or scaling"},
    {"--by", "LIST", false, "columns of a convergence: of iterations, products, seconds (default: all three)"},
    {"--x-range", "LOW:HIGH", false, "of the horizontal axis; either may be left out"},
    {"--y-range", "LOW:HIGH", false, "of the vertical axis; either may be left out"},
    {"--log-x", NULL, false, "a logarithmic horizontal axis, of a convergence"},
    {"--format", "FORMAT", false, "svg, png or pdf; several by commas (default: svg,png)"},
    {"--output", "NAME", false,
     "name of the pictures without suffix (default: DIR/convergence, DIR/sweep, DIR/time, FILE without its suffix; of "
     "several runs comparison or scaling)"},
    {"--size", "WxH", false, "width and height in pixels, of pdf in hundredths of an inch (default: 1200x700)"},
};

static const tg_args_spec spec = {
    .command = "plot",
    .operands = "DIR|FILE",
    .n_operands = 1,
    .repeats_operand = true,
    .summary = "Draws runs, sweeps, the steps of a check, or a matrix.",
    .details =
        "DIR of a run or several: gradient norm with its target, and distance from the best objective of all runs, by\n"
        "iterations, products and seconds. The violation is drawn where there is one, and lines where attempts and\n"
        "rounds begin. The run may still be going on: an unfinished last line is left out.\n"
        "--what time: seconds and bytes sent by kind of work, and memory by use. --what scaling: seconds over cores.\n"
        "DIR of a sweep or of tune: the score with its standard error, or the objective, and the norm of the\n"
        "solution over the number with the most values.\n"
        "FILE.json of `tracegrad check JOB --format json`: Taylor remainders over the step.\n"
        "FILE.npy, .mtx, .h5: the matrix as a heat map, with its singular values.\n"
        "NAME.gp is the script with its data. Needs gnuplot.",
    .n_options = sizeof options / sizeof *options,
    .options = options,
};

// What --format may name, and the terminal of gnuplot.
static const struct {
  const char *suffix;
  const char *terminal; // with the size's two numbers
} formats[] = {
    {"svg", "svg size %lld,%lld dynamic background 'white' font 'Helvetica,12'"},
    {"png", "pngcairo size %lld,%lld background 'white' font 'Helvetica,11'"},
    {"pdf", "pdfcairo size %lld/100.0,%lld/100.0 font 'Helvetica,10'"},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

typedef enum subject { CONVERGENCE, TIME, SCALING, N_SUBJECTS } subject;

static const char *const subjects[N_SUBJECTS] = {"convergence", "time", "scaling"};

typedef struct picture {
  const char *name; // without suffix; NULL: by what is drawn
  int what;         // subject of a run; N_SUBJECTS: not said
  tg_plot_axes axes;
  bool asked[N_FORMATS];
  long long width, height;
} picture;

// ---- options ----

static tg_status read_formats(const char *list, picture *p)
{
  for (const char *at = list; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
    const size_t length = strcspn(at, ",");
    int found = N_FORMATS;
    for (int k = 0; k < N_FORMATS; k++)
      if (length == strlen(formats[k].suffix) && strncmp(at, formats[k].suffix, length) == 0) found = k;
    if (found == N_FORMATS)
      TG_FAIL(TG_USAGE, "plot: unknown format '%.*s'; there are svg, png and pdf", (int)(length < 40 ? length : 40),
              at);
    p->asked[found] = true;
  }
  return TG_OK;
}

static tg_status read_size(const char *text, picture *p)
{
  char *end = NULL;
  p->width = strtoll(text, &end, 10);
  const bool has_both = *end == 'x' && isdigit((unsigned char)end[1]);
  p->height = has_both ? strtoll(end + 1, &end, 10) : 0;
  if (!has_both || *end != '\0' || p->width < 100 || p->height < 100 || p->width > 20000 || p->height > 20000)
    TG_FAIL(TG_USAGE, "plot: --size takes WxH, whole numbers from 100 to 20000 such as 1200x700, found '%.40s'", text);
  return TG_OK;
}

static tg_status read_what(const char *text, picture *p)
{
  p->what = 0;
  while (text != NULL && p->what < N_SUBJECTS && strcmp(text, subjects[p->what]) != 0) p->what++;
  if (text == NULL) p->what = N_SUBJECTS;
  if (text != NULL && p->what == N_SUBJECTS)
    TG_FAIL(TG_USAGE, "plot: --what takes convergence, time or scaling, found '%.40s'", text);
  return TG_OK;
}

static tg_status read_by(const char *list, picture *p)
{
  static const char *const names[3] = {"iterations", "products", "seconds"};
  for (const char *at = list; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
    const size_t length = strcspn(at, ",");
    int k = 0;
    while (k < 3 && (length != strlen(names[k]) || strncmp(at, names[k], length) != 0)) k++;
    if (k == 3)
      TG_FAIL(TG_USAGE, "plot: --by takes iterations, products and seconds, found '%.*s'",
              (int)(length < 40 ? length : 40), at);
    p->axes.by[k] = true;
  }
  return TG_OK;
}

// "LOW:HIGH", numbers or nothing; gnuplot would take other texts as its own commands.
static tg_status check_range(const char *option, const char *text)
{
  if (text == NULL) return TG_OK;
  char *end = NULL;
  const char *colon = strchr(text, ':');
  const double low = strtod(text, &end);
  const bool low_reads = colon != NULL && end == colon;
  const double high = colon != NULL ? strtod(colon + 1, &end) : 0;
  const bool reads = low_reads && *end == '\0' && strspn(text, "0123456789+-.eE:") == strlen(text);
  if (!reads || (colon > text && colon[1] != '\0' && !(low < high)))
    TG_FAIL(TG_USAGE, "plot: %s takes LOW:HIGH with LOW below HIGH, such as 0:100 or 1e-8:, found '%.40s'", option,
            text);
  return TG_OK;
}

static tg_status read_options(const tg_args *args, picture *p)
{
  const char *format = tg_args_value(args, "--format", 0);
  const char *size = tg_args_value(args, "--size", 0);
  const char *by = tg_args_value(args, "--by", 0);
  p->name = tg_args_value(args, "--output", 0);
  p->axes.x_range = tg_args_value(args, "--x-range", 0);
  p->axes.y_range = tg_args_value(args, "--y-range", 0);
  p->axes.log_x = tg_args_has(args, "--log-x");
  TG_TRY(check_range("--x-range", p->axes.x_range));
  TG_TRY(check_range("--y-range", p->axes.y_range));
  TG_TRY(read_what(tg_args_value(args, "--what", 0), p));
  TG_TRY(read_by(by != NULL ? by : "iterations,products,seconds", p));
  TG_TRY(read_formats(format != NULL ? format : "svg,png", p));
  TG_TRY(read_size(size != NULL ? size : "1200x700", p));
  p->axes.width = p->width;
  p->axes.height = p->height;
  return TG_OK;
}

// ---- files: each is made under another name first, so that a viewer never sees half of one ----

static tg_status place(const char *temporary, const char *path)
{
  if (rename(temporary, path) == 0) return TG_OK;
  const tg_status status = tg_error_set(TG_IO, TG_HERE, "cannot write %s: %s", path, strerror(errno));
  unlink(temporary);
  return status;
}

static tg_status write_script(const char *path, const char *temporary, const char *name, const char *script)
{
  unlink(temporary); // a link there would be written through
  FILE *file = fopen(temporary, "w");
  if (file == NULL) TG_FAIL(TG_IO, "cannot write %s: %s", path, strerror(errno));
  fprintf(file, "# gnuplot -e \"set terminal pdfcairo; set output 'picture.pdf'\" %s.gp\n%s", name, script);
  const bool failed = ferror(file) != 0;
  if (fclose(file) != 0 || failed) {
    unlink(temporary);
    TG_FAIL(TG_IO, "cannot write %s: %s", path, strerror(errno));
  }
  return place(temporary, path);
}

static tg_status run_gnuplot(const picture *p, int format, const char *temporary, const char *path, const char *script)
{
  tg_text head;
  tg_text_init(&head);
  tg_text_add(&head, "set output ");
  tg_plot_quoted(&head, temporary);
  FILE *pipe = popen("gnuplot", "w");
  if (pipe == NULL) {
    tg_text_fini(&head);
    TG_FAIL(TG_IO, "cannot start gnuplot: %s", strerror(errno));
  }
  fputs("set terminal ", pipe);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  fprintf(pipe, formats[format].terminal, p->width, p->height);
#pragma GCC diagnostic pop
  fprintf(pipe, "\n%s\n%sset output\n", tg_text_string(&head), script);
  tg_text_fini(&head);
  const int outcome = pclose(pipe);
  if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 127)
    TG_FAIL(TG_IO, "gnuplot is not found: install it (Debian: apt-get install gnuplot-nox)");
  if (outcome != 0) TG_FAIL(TG_IO, "gnuplot failed to draw %s", path);
  return TG_OK;
}

// format: of the table, or -1 for the script itself.
static tg_status make_file(const picture *p, int format, const char *script)
{
  tg_text path;
  tg_text temporary;
  tg_text_init(&path);
  tg_text_init(&temporary);
  tg_text_addf(&path, "%s.%s", p->name, format < 0 ? "gp" : formats[format].suffix);
  tg_text_addf(&temporary, "%s.tmp", tg_text_string(&path));
  const char *to = tg_text_string(&path);
  const char *from = tg_text_string(&temporary);
  tg_status status = TG_OK;
  if (format < 0) {
    status = write_script(to, from, p->name, script);
  } else {
    unlink(from);
    status = run_gnuplot(p, format, from, to, script);
    if (status == TG_OK)
      status = place(from, to);
    else
      unlink(from);
    if (status == TG_OK) printf("%s\n", to);
  }
  tg_text_fini(&temporary);
  tg_text_fini(&path);
  return status;
}

static tg_status draw_script(const picture *p, const tg_text *script)
{
  tg_status status = tg_text_status(script);
  for (int k = 0; k < N_FORMATS && status == TG_OK; k++)
    if (p->asked[k]) status = make_file(p, k, tg_text_string(script));
  return status == TG_OK ? make_file(p, -1, tg_text_string(script)) : status;
}

// ---- what is drawn ----

static tg_status draw_runs(int n, const char *const *folders, const tg_plot_axes *axes, tg_text *script)
{
  tg_plot_history *histories = NULL;
  int n_read = 0;
  tg_status status = TG_NEW(n, &histories);
  while (status == TG_OK && n_read < n) {
    status = tg_plot_history_read(folders[n_read], &histories[n_read]);
    n_read++;
  }
  if (status == TG_OK) tg_plot_convergence(n, histories, axes, script);
  for (int k = 0; k < n_read; k++) tg_plot_history_fini(&histories[k]);
  tg_free(histories);
  return status;
}

// One operand that is no folder of a run: a sweep or a file. *drawn: it was.
static tg_status draw_other(const char *operand, const tg_plot_axes *axes, tg_text *script, tg_text *name, bool *drawn)
{
  const char *dot = strrchr(operand, '.');
  *drawn = true;
  if (tg_plot_is_sweep(operand)) {
    tg_text_addf(name, "%s/sweep", operand);
    return tg_plot_sweep_script(operand, axes, script);
  }
  *drawn = tg_plot_is_json(operand) || tg_plot_is_matrix(operand);
  if (!*drawn) return TG_OK;
  tg_text_add_bytes(name, operand, (size_t)(dot - operand));
  return tg_plot_is_json(operand) ? tg_plot_taylor(operand, axes, script) : tg_plot_matrix(operand, axes, script);
}

static tg_status draw_operands(int n, const char *const *operands, const picture *p, tg_text *script, tg_text *name)
{
  bool drawn = false;
  if (p->what == SCALING) {
    tg_text_add(name, "scaling");
    return tg_plot_scaling(n, operands, &p->axes, script);
  }
  if (p->what == TIME) {
    if (n > 1) TG_FAIL(TG_USAGE, "plot: --what time draws one run, found %d folders", n);
    tg_text_addf(name, "%s/time", operands[0]);
    return tg_plot_time(operands[0], &p->axes, script);
  }
  if (n == 1 && p->what == N_SUBJECTS) TG_TRY(draw_other(operands[0], &p->axes, script, name, &drawn));
  if (drawn) return TG_OK;
  if (n == 1)
    tg_text_addf(name, "%s/convergence", operands[0]);
  else
    tg_text_add(name, "comparison");
  return draw_runs(n, operands, &p->axes, script);
}

// ---- the command ----

static tg_status plot_operands(int n, const char *const *operands, picture *p)
{
  tg_text script;
  tg_text name;
  tg_text_init(&script);
  tg_text_init(&name);
  tg_status status = draw_operands(n, operands, p, &script, &name);
  if (status == TG_OK) status = tg_text_status(&name);
  if (p->name == NULL) p->name = tg_text_string(&name);
  if (status == TG_OK) status = draw_script(p, &script);
  tg_text_fini(&name);
  tg_text_fini(&script);
  return status;
}

tg_status cmd_plot(int argc, char **argv, int *exit_status)
{
  (void)exit_status;
  tg_args args;
  picture p = {0};
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  // A gnuplot that is missing or dies must be an error of ours, not a signal.
  void (*before)(int) = signal(SIGPIPE, SIG_IGN);
  tg_status status = read_options(&args, &p);
  if (status == TG_OK) status = plot_operands(args.n_operands, args.operands, &p);
  signal(SIGPIPE, before);
  tg_args_fini(&args);
  return status;
}
