// A sweep on the console: what is shared, a line a point, the table and the best point.
#ifndef TG_CLI_SWEEP_CONSOLE_H
#define TG_CLI_SWEEP_CONSOLE_H

#include "cli/run/run_console.h"
#include "report/sweep.h"

typedef struct tg_sweep_console {
  tg_run_console *first; // of the first point
  tg_run_console others;
  const tg_job *job;
} tg_sweep_console;

// console must outlive the watch.
tg_sweep_watch tg_sweep_console_watch(tg_sweep_console *console);
// The table of all points that are known, on stdout.
tg_status tg_sweep_print_summary(const tg_sweep_run *sweep);

// The points to run: "10..19", "7", "all"; NULL: the share of a task of a Slurm array, where there is one, else all.
// TG_USAGE. The array's word is *is_array. Local.
tg_status tg_sweep_part(const tg_sweep *sweep, const char *points, int64_t *first, int64_t *last, bool *is_array);

#endif
