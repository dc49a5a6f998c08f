// A sweep: one run for each of its points, along a path, with what they share; and its rows in sweep.jsonl.
#ifndef TG_REPORT_SWEEP_H
#define TG_REPORT_SWEEP_H

#include "engine/share/share.h"
#include "report/run.h"
#include "report/sweep_rows.h"

typedef struct tg_sweep_run tg_sweep_run;

// The caller's side; any function may be NULL.
typedef struct tg_sweep_watch {
  void *self;
  // The first point and the others: what each shows of itself.
  tg_run_watch first;
  tg_run_watch others;
  // Before the first point, on rank 0.
  void (*begun)(void *self, const tg_sweep_run *sweep);
  // A point has come to its end. failure: the error that ended it is recorded, else TG_OK. On every rank.
  void (*done)(void *self, const tg_sweep_run *sweep, const tg_sweep_row *row, tg_status failure);
} tg_sweep_watch;

typedef struct tg_sweep_options {
  tg_run_options run; // of each point; its watch is not used
  tg_sweep_watch watch;
  int64_t first; // the part of the points that is run
  int64_t last;
  int group; // of n_groups that share the sweep; 0, 0: there are none
  int n_groups;
} tg_sweep_options;

struct tg_sweep_run {
  MPI_Comm comm;
  MPI_Comm world; // of all groups; comm where there are none
  MPI_Comm owned; // comm, where it is freed at the end; or MPI_COMM_NULL
  int rank;
  const tg_job *job;               // not owned
  const tg_sweep_options *options; // not owned
  char fingerprint[17];
  char file[64]; // of its rows, in the output's folder
  tg_share *share;
  tg_sweep_row *rows; // by point
  json_t *data;       // hashes of the data, rank 0
  bool has_data;      // of the numbers that are read now: on every rank
  bool has_taylor;    // the gradient of the plan `probed` has been tested
  uint64_t probed;
  tg_taylor taylor;
  int64_t n_done;      // in this run
  bool is_interrupted; // a signal ended it
  double begin;        // by MPI_Wtime
  double seconds;
  tg_run *last; // the last point's; NULL: none
};

// Runs the points of the job's sweep that the options name, those that are done already left out where it resumes. A
// point that fails gets a row and does not end the others; only what no point could do without does: a fault of the
// input or no memory at the first of them, a folder that cannot be written. *out may be set after a failure too.
// Collective.
tg_status tg_sweep_execute(MPI_Comm comm, const tg_job *job, const tg_sweep_options *options, tg_sweep_run **out);
// What stands at the end of a sweep that was not interrupted: the parts as one file, where they are complete; scores.
// Rank 0.
tg_status tg_sweep_finish(tg_sweep_run *sweep);
// NULL is fine. Collective.
void tg_sweep_run_destroy(tg_sweep_run **sweep);

// The exit status: 75 where a signal ended it, 0 where all points that were asked for have converged, else the worst of
// them: 1 before 2, 4 and 3. Local.
int tg_sweep_exit(const tg_sweep_run *sweep);
// The point with the best objective among those that have converged, of all that are known; -1: none. Rank 0.
int64_t tg_sweep_best(const tg_sweep_run *sweep);

#endif
