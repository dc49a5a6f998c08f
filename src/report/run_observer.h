// What a run does at each iteration: a record of the history, the question whether to stop, checkpoints.
#ifndef TG_REPORT_RUN_OBSERVER_H
#define TG_REPORT_RUN_OBSERVER_H

#include "report/history.h"
#include "report/run_state.h"

typedef struct tg_run_observer {
  tg_run *run;
  double sign;        // -1 where the user maximises: numbers are shown in the user's terms
  bool has_history;   // else the run leaves no files
  tg_history history; // rank 0
  int64_t revisions;  // said
  int64_t exchanges;  // likewise
  bool is_resumed;    // and the engine was not told yet
  tg_status failed;   // rank 0 has no memory for a record; the next poll tells all
  opt_record last;
} tg_run_observer;

// Opens history_path on rank 0: empty, or to go on behind the records that the checkpoint resumed from had seen; those
// after it are cut off. NULL: no history is written. TG_IO. Collective (agrees).
tg_status tg_run_observer_open(tg_run *run, const char *history_path, tg_run_observer *out);
// Closes the history. Collective.
tg_status tg_run_observer_close(tg_run_observer *observer);
// The callbacks for the driver. Where checkpoints are written, one is due when the interval is over by rank 0's clock.
opt_observer tg_run_observer_get(tg_run_observer *observer);

#endif
