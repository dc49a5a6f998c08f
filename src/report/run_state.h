// A run of the program or of the library: what is asked of it, and what stands so far.
#ifndef TG_REPORT_RUN_STATE_H
#define TG_REPORT_RUN_STATE_H

#include <jansson.h>

#include "engine/engine.h"
#include "engine/run/environment.h"
#include "job/job.h"
#include "opt/driver.h"

typedef struct tg_run tg_run;

// What has been done when the caller is asked to show it.
typedef enum tg_run_stage {
  TG_RUN_PLANNED,  // symbols, plan, method, grid
  TG_RUN_FILLED,   // data and start
  TG_RUN_PROBED,   // the gradient was tested
  TG_RUN_PREPARED, // and the numbers have led to another method than the plan's; else it is not shown
  TG_RUN_ITERATED  // the last iteration is over
} tg_run_stage;

// The caller's side of a run; any function may be NULL. They are called on every rank, in the same order.
typedef struct tg_run_watch {
  void *self;
  // Local; a failure on one rank becomes every rank's.
  tg_status (*stage)(void *self, const tg_run *run, tg_run_stage stage);
  // After the start and after each iteration, numbers in the user's terms. x is the current point. May be collective,
  // and must then be so on all ranks.
  tg_status (*iteration)(void *self, const tg_run *run, const opt_record *record, const opt_point *x);
  // What has become of a choice that the run has revised, once for each time. Rank 0.
  void (*revised)(void *self, const char *text);
  // Whether this rank is asked to stop, and what asks: "" where there is no name for it. The ranks agree on it.
  bool (*stops)(void *self);
  const char *(*stop_name)(void *self);
} tg_run_watch;

typedef struct tg_run_options {
  const tg_spec *spec;             // what is run, where it is not the job's own: a point of a sweep; NULL: the job's
  const json_t *point;             // of a sweep: which, for the report; NULL: none
  const json_t *tuned;             // how its numbers were found, for the report; NULL: they are the job's
  const tg_engine_options *engine; // what the sweep asks of the engine; NULL: nothing
  bool leaves_no_report;
  bool leaves_no_history;
  tg_run_watch watch;
  int n_arguments; // of the command line, for the report
  const char *const *arguments;
  double begin;         // by MPI_Wtime; 0: now
  double rank_bytes;    // of memory that a rank may take at most; 0: what the machine has
  bool warns;           // of unused data, of the machine, of history and checkpoints
  bool kernel_is_known; // the caller has said what there is to say of the kernels of the BLAS
  bool resume;          // from the newest intact checkpoint
  bool force;           // a folder that holds the results of another job is overwritten
} tg_run_options;

// Seconds of all runs that led here, as far as they were saved.
typedef struct tg_run_seconds {
  double write;
  double total;
} tg_run_seconds;

struct tg_run {
  MPI_Comm comm;
  int rank;
  const tg_run_options *options; // not owned
  char date[32];                 // of the beginning, UTC, as ISO 8601 writes it; rank 0
  json_t *earlier_files;         // names that an earlier run of this job has left in the folder; rank 0, NULL: none
  const tg_job *job;             // not owned
  const tg_spec *spec;           // what is run; not owned
  tg_environment environment;
  tg_engine *engine;
  opt_point *ray;   // along which the objective falls without end, where a direction was found; else NULL
  bool *writes_ray; // of each variable: its part of the ray has a file
  double begin;     // by MPI_Wtime
  bool is_solved;   // the minimisation came to its end, whatever became of the files
  bool is_early;    // it was stopped before the first iteration: nothing was computed, nothing is written
  tg_run_seconds seconds;
};

#endif
