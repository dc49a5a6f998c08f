// What is seen of a run while it goes on: history.jsonl, rows on stderr, and the question whether to stop.
#ifndef TG_CLI_PROGRESS_H
#define TG_CLI_PROGRESS_H

#include <mpi.h>

#include "cli/run/history.h"
#include "engine/checkpoint/checkpoint.h"
#include "opt/driver.h"

typedef enum tg_progress_mode {
  TG_PROGRESS_NONE,
  TG_PROGRESS_ROWS, // at most one a second
  TG_PROGRESS_LIVE  // one line, redrawn
} tg_progress_mode;

typedef struct tg_progress {
  MPI_Comm comm;
  int rank;
  double sign; // -1 where the user maximises: numbers are shown in the user's terms
  tg_progress_mode mode;
  bool watch_signals;
  int64_t products_before;   // the start: not shown
  tg_history history;        // rank 0
  tg_checkpoint *checkpoint; // NULL: none are written; not owned
  // Fills what a checkpoint says of the run; and learns, once, that the first iteration after it was resumed begins.
  void (*describe)(void *run, tg_checkpoint_facts *facts);
  void (*resumed)(void *run);
  // Is handed a direction along which the objective falls without end, see opt_observer.
  tg_status (*ray)(void *run, const opt_point *d);
  // What has become of a choice that the run has revised, said once for each time; NULL: nothing new.
  const char *(*revised)(void *run, int64_t *said);
  int64_t revisions; // said
  void *run;
  bool is_resumed;  // and the run was not told yet
  tg_status failed; // rank 0 has no memory for a record; the next poll tells all
  double last_row;  // time of it
  bool row_pending; // the last record was not shown
  bool has_heading;
  opt_record last;
} tg_progress;

// Opens history_path on rank 0: empty, or to go on behind the records that the checkpoint resumed from had seen; those
// after it are cut off. *progress holds comm, mode, sign, watch_signals and what has to do with checkpoints. TG_IO.
// Collective (agrees).
tg_status tg_progress_open(tg_progress *progress, const char *history_path);
// Shows the last row if it was held back, closes the history. Collective.
tg_status tg_progress_close(tg_progress *progress);
// The callbacks for the driver. Where checkpoints are written, one is due when the interval is over by rank 0's clock.
opt_observer tg_progress_observer(tg_progress *progress);

#endif
