// A run on the console: what was chosen and why, rows, signals.
#ifndef TG_CLI_RUN_CONSOLE_H
#define TG_CLI_RUN_CONSOLE_H

#include "cli/run/progress.h"
#include "report/run.h"

typedef struct tg_run_console {
  bool has_header; // and what follows it: else rows alone
  tg_progress progress;
} tg_run_console;

// What a run shows and asks; signals ask it to stop.
tg_run_watch tg_run_console_watch(tg_run_console *console);

#endif
