// The history of a run as numbers, for `plot`.
#ifndef TG_CLI_PLOT_HISTORY_H
#define TG_CLI_PLOT_HISTORY_H

#include "base/text.h"

typedef struct tg_plot_row {
  double iteration;
  double seconds;
  double products;
  double objective;
  double gradient_norm;
  double gradient_target;
  double violation;
  int64_t attempt; // of solver.restarts, from 1; 0 without
  int64_t round;   // of the augmented Lagrangian, from 1; 0 without
} tg_plot_row;

typedef struct tg_plot_history {
  const char *folder; // borrowed
  int64_t n;          // at least 1
  int64_t capacity;
  tg_plot_row *rows;
  bool maximises;      // the objective grows from the first row to the last
  bool is_constrained; // some row has a violation above zero
  tg_text title;       // the objective, or the folder where there is no report yet
  tg_text ending;      // method and status, as far as report.json has them
} tg_plot_history;

// Reads folder/history.jsonl, of a running job too: an unfinished last line is left out. TG_DATA names the line at
// fault.
tg_status tg_plot_history_read(const char *folder, tg_plot_history *out);
void tg_plot_history_fini(tg_plot_history *history);

// The best objective of several histories; under constraints, where points between may be infeasible, the best of the
// last ones.
double tg_plot_history_best(int n, const tg_plot_history *histories);

#endif
