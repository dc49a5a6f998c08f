// The iterations of a run on the console: rows, or one line that is redrawn.
#ifndef TG_CLI_PROGRESS_H
#define TG_CLI_PROGRESS_H

#include "opt/driver.h"

typedef enum tg_progress_mode {
  TG_PROGRESS_NONE,
  TG_PROGRESS_ROWS, // at most one a second
  TG_PROGRESS_LIVE  // one line, redrawn
} tg_progress_mode;

typedef struct tg_progress {
  tg_progress_mode mode;
  double interval;   // seconds between rows, at least; of a line that is redrawn at most a tenth of one
  double time_limit; // 0: none; for the time that remains, as is the other
  int64_t max_iterations;
  opt_record mark;  // some time ago: the fall of the gradient since then tells how long it will take
  double last_row;  // time of it
  bool row_pending; // the last record was not shown
  bool has_heading;
  bool is_begun;
  opt_record last;
} tg_progress;

// Shows the record, or keeps it back where the last row is recent. Rank 0, like the others.
void tg_progress_show(tg_progress *progress, const opt_record *record);
// What has become of a choice that the run has revised.
void tg_progress_revise(const tg_progress *progress, const char *text);
// Shows the last row if it was held back. Twice is fine.
void tg_progress_finish(tg_progress *progress);

#endif
