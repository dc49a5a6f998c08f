// Checkpoints of a run: when one is due, writing it so that nothing is lost, and going on from one.
//
// All calls are collective unless they say otherwise. docs/checkpoints.md describes the folder.
#ifndef TG_ENGINE_CHECKPOINT_H
#define TG_ENGINE_CHECKPOINT_H

#include <jansson.h>

#include "engine/problem/setup.h"
#include "grad/plan/cost_terms.h"
#include "opt/listing.h"

typedef struct tg_checkpoint tg_checkpoint;

// What a run tells of itself beside the state of its minimisation; of all runs that led here together.
typedef struct tg_checkpoint_facts {
  int64_t iteration;       // as history.jsonl numbers them
  int64_t records;         // of history.jsonl; known on rank 0
  int64_t products_before; // counted by the problem before the first iteration, not shown
  double outside_products; // not counted by the problem
  double setup_seconds;
  double read_seconds;
  double solve_seconds;
  double write_seconds;
  double total_seconds;
} tg_checkpoint_facts;

// What became of them, for report and summary.
typedef struct tg_checkpoint_log {
  char last[4096];    // path of the newest one this run has written; "" when none
  int64_t iteration;  // of it
  int64_t written;    // by this run
  int64_t failed;     // attempts that failed
  bool last_failed;   // the last attempt did
  char failure[1024]; // why
  double seconds;     // spent on all of them
  int64_t bytes;      // of the last one
} tg_checkpoint_log;

// For a job with `checkpoint:`; *out is NULL for others. With resume the newest intact one of this job is found and
// verified; damaged ones are skipped, with a warning where `speaks`. TG_USAGE: resume without `checkpoint:`; TG_DATA:
// nothing to resume from, with what differs where there are checkpoints of other jobs.
tg_status tg_checkpoint_open(MPI_Comm comm, const tg_spec *spec, bool resume, bool speaks, tg_checkpoint **out);
// NULL is fine. Local.
void tg_checkpoint_close(tg_checkpoint **checkpoint);
// Iterations that the plan is to be made for: those of the first run, so that later ones have the same plan. Local;
// checkpoint may be NULL.
int64_t tg_checkpoint_planned_iterations(const tg_checkpoint *checkpoint, const tg_spec *spec);
// Makes the directory and clears what was not finished; TG_IO where nothing can be written there.
tg_status tg_checkpoint_prepare(tg_checkpoint *checkpoint);
// The setup is filled: TG_DATA where its data or its plan are not those of the checkpoint resumed from.
tg_status tg_checkpoint_bind(tg_checkpoint *checkpoint, const tg_setup *setup);

// What writing one takes on the fullest rank: all variables go out, one after another. 0 where none are written. Local.
double tg_checkpoint_writing_bytes(const tg_task *task, const tg_cost_grid *grid);

// The clock for the first one starts. Local.
void tg_checkpoint_start(tg_checkpoint *checkpoint);
// Whether the interval is over by this rank's clock. Local.
bool tg_checkpoint_is_due(const tg_checkpoint *checkpoint);
// Writes one, then removes those beyond `keep`. A disk that fails costs this checkpoint only: a warning, the log,
// TG_OK.
tg_status tg_checkpoint_write(tg_checkpoint *checkpoint, const opt_listing *listing, const tg_checkpoint_facts *facts);
// Fills every entry of the listing from the checkpoint resumed from; *restored is false without one.
tg_status tg_checkpoint_restore(tg_checkpoint *checkpoint, const opt_listing *listing, bool *restored);

// Local. What was told of the runs before; false without a checkpoint resumed from.
bool tg_checkpoint_earlier(const tg_checkpoint *checkpoint, tg_checkpoint_facts *out);
// Members that the caller wants in the manifest under "attempts", taken over; and those of the checkpoint resumed from,
// borrowed, NULL when there are none.
void tg_checkpoint_set_attempts(tg_checkpoint *checkpoint, json_t *attempts);
const json_t *tg_checkpoint_attempts(const tg_checkpoint *checkpoint);
const tg_checkpoint_log *tg_checkpoint_get_log(const tg_checkpoint *checkpoint);
// Path of the checkpoint resumed from, NULL when there is none, also for a NULL checkpoint; the number of runs, this
// one included.
const char *tg_checkpoint_source(const tg_checkpoint *checkpoint);
int64_t tg_checkpoint_runs(const tg_checkpoint *checkpoint);

#endif
