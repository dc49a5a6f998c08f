// tracegrad plot: the convergence of runs as pictures, by gnuplot.
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
#include "cli/plot_history.h"
#include "cli/plot_script.h"
#include "cli/plot_sweep.h"

static const tg_option options[] = {
    {"--format", "FORMAT", false, "svg, png or pdf; several by commas (default: svg,png)"},
    {"--output", "NAME", false,
     "name of the pictures without suffix (default: DIR/convergence, of sweeps DIR/sweep, of several runs comparison)"},
    {"--size", "WxH", false, "width and height in pixels, of pdf in hundredths of an inch (default: 1200x700)"},
};

static const tg_args_spec spec = {
    .command = "plot",
    .operands = "DIR",
    .n_operands = 1,
    .repeats_operand = true,
    .summary = "Draws the convergence of a run from DIR/history.jsonl, or of several runs in the same panels.",
    .details =
        "Gradient norm with its target and distance from the best objective (of all runs), by iterations, products "
        "and\n"
        "seconds; the violation where there is one. The run may still be going on: an unfinished last line is left\n"
        "out. Of a sweep or of tune: the score with its standard error, or the objective, and the norm of the "
        "solution\n"
        "over the number with the most values. NAME.gp is the script with its data. Needs gnuplot.",
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

typedef struct picture {
  const char *name; // without suffix
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

static tg_status read_options(const tg_args *args, picture *p)
{
  const char *format = tg_args_value(args, "--format", 0);
  const char *size = tg_args_value(args, "--size", 0);
  p->name = tg_args_value(args, "--output", 0);
  TG_TRY(read_formats(format != NULL ? format : "svg,png", p));
  return read_size(size != NULL ? size : "1200x700", p);
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

static tg_status draw(const picture *p, int n, const tg_plot_history *histories)
{
  tg_text script;
  tg_text_init(&script);
  tg_plot_script(n, histories, &script);
  const tg_status status = draw_script(p, &script);
  tg_text_fini(&script);
  return status;
}

static tg_status draw_sweep(const char *folder, picture *p)
{
  tg_text script;
  tg_text name;
  tg_text_init(&script);
  tg_text_init(&name);
  tg_text_addf(&name, "%s/sweep", folder);
  if (p->name == NULL) p->name = tg_text_string(&name);
  tg_status status = tg_plot_sweep_script(folder, &script);
  if (status == TG_OK) status = draw_script(p, &script);
  tg_text_fini(&name);
  tg_text_fini(&script);
  return status;
}

// ---- the command ----

static tg_status plot_folders(int n, const char *const *folders, picture *p)
{
  tg_plot_history *histories = NULL;
  int n_read = 0;
  tg_text name;
  if (n == 1 && tg_plot_is_sweep(folders[0])) return draw_sweep(folders[0], p);
  tg_text_init(&name);
  tg_status status = TG_NEW(n, &histories);
  while (status == TG_OK && n_read < n) {
    status = tg_plot_history_read(folders[n_read], &histories[n_read]);
    n_read++;
  }
  if (n == 1) tg_text_addf(&name, "%s/convergence", folders[0]);
  if (p->name == NULL) p->name = n == 1 ? tg_text_string(&name) : "comparison";
  if (status == TG_OK) status = draw(p, n, histories);
  for (int k = 0; k < n_read; k++) tg_plot_history_fini(&histories[k]);
  tg_free(histories);
  tg_text_fini(&name);
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
  if (status == TG_OK) status = plot_folders(args.n_operands, args.operands, &p);
  signal(SIGPIPE, before);
  tg_args_fini(&args);
  return status;
}
