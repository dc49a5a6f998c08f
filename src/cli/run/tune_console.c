// A search for numbers of a job on the console.
#include "cli/run/tune_console.h"

#include <math.h>
#include <stdio.h>

#include "cli/console.h"

static void on_evaluated(void *self, const tg_tune_run *t, const tg_tune_row *row)
{
  const tg_tune_console *console = self;
  tg_text text;
  if (t->rank != 0 || console->first->progress.mode == TG_PROGRESS_NONE) return;
  tg_text_init(&text);
  tg_tune_describe(&t->job->spec, row->numbers, &text);
  fprintf(stderr, "tune %4d  %-32s  score %20.13e  %6lld iterations  %9.2f s\n", t->log.n, tg_text_string(&text),
          row->score, (long long)row->iterations, MPI_Wtime() - t->begin);
  fflush(stderr);
  tg_text_fini(&text);
}

tg_tune_watch tg_tune_console_watch(tg_tune_console *console)
{
  console->others = (tg_run_console){.progress.mode = TG_PROGRESS_NONE};
  return (tg_tune_watch){.self = console,
                         .first = tg_run_console_watch(console->first),
                         .fits = tg_run_console_watch(&console->others),
                         .last = tg_run_console_watch(&console->others),
                         .evaluated = on_evaluated};
}

tg_status tg_tune_print_summary(const tg_tune_run *t)
{
  const tg_spec *base = &t->job->spec;
  tg_text text;
  tg_text_init(&text);
  tg_text_add(&text, "evaluation");
  for (int k = 0; k < base->tune->n; k++) tg_text_addf(&text, "  %14s", base->data[base->tune->data[k]].name);
  tg_text_addf(&text, "                     score%s  iterations  products\n",
               t->log.n_folds > 1 ? "  standard error" : "");
  for (int i = 0; i < t->log.n; i++) {
    const tg_tune_row *row = &t->log.rows[i];
    tg_text_addf(&text, "%10d", i + 1);
    for (int k = 0; k < base->tune->n; k++) tg_text_addf(&text, "  %14.6g", row->numbers[k]);
    tg_text_addf(&text, "  %24.16e", row->score);
    if (t->log.n_folds > 1) tg_text_addf(&text, "  %14.6e", row->standard_error);
    tg_text_addf(&text, "  %10lld  %8lld%s\n", (long long)row->iterations, (long long)row->products,
                 i == t->best ? "  best" : "");
  }
  if (t->best >= 0) {
    tg_text_add(&text, "best: ");
    tg_tune_describe(base, t->log.rows[t->best].numbers, &text);
    tg_text_addf(&text, ": score %.10g", t->log.rows[t->best].score);
    if (t->log.n_folds > 1) tg_text_addf(&text, " +- %.3g", t->log.rows[t->best].standard_error);
    tg_text_addf(&text, "\ntune: %d evaluations, %d fits, %.3f s: %s\n", t->log.n, t->log.n * t->log.n_folds,
                 t->seconds, t->reason != NULL ? t->reason : "interrupted");
  }
  const tg_status status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}
