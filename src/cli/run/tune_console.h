// A search for numbers of a job on the console.
#ifndef TG_CLI_TUNE_CONSOLE_H
#define TG_CLI_TUNE_CONSOLE_H

#include "cli/run/run_console.h"
#include "report/tune.h"

typedef struct tg_tune_console {
  tg_run_console *first; // of the first fit
  tg_run_console others;
} tg_tune_console;

// console must outlive the watch.
tg_tune_watch tg_tune_console_watch(tg_tune_console *console);
// The table of all evaluations and the numbers that were found, on stdout.
tg_status tg_tune_print_summary(const tg_tune_run *tune);

#endif
