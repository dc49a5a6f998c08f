// A whole run: job to problem, minimisation, results. What `tracegrad run` and the C API have in common.
#ifndef TG_CLI_RUN_H
#define TG_CLI_RUN_H

#include "cli/run/cost_report.h"
#include "cli/run/progress.h"
#include "engine/problem/alternating.h"
#include "engine/problem/lagrangian.h"
#include "engine/problem/setup.h"
#include "engine/problem/taylor.h"
#include "engine/run/environment.h"
#include "engine/run/forecast.h"

typedef struct tg_run_options {
  const char *path; // of the job file
  int n_sets;
  const char *const *sets; // KEY=VALUE
  const char *output;      // folder; NULL: as the job says
  int n_arguments;         // of the command line, for the report
  const char *const *arguments;
  bool console; // header and progress on stderr
  bool warns;   // warnings
  tg_progress_mode progress;
  bool watch_signals;
  bool resume;   // from the newest intact checkpoint
  bool confined; // the job is somebody else's: it keeps to its folders
  bool force;    // a folder that holds the results of another job is overwritten
} tg_run_options;

// How one of the minimisations of solver.restarts ended; numbers as they are minimised.
typedef struct tg_attempt {
  opt_outcome outcome;
  double objective;
  double gradient_norm;
  double violation;
  int64_t iterations;
} tg_attempt;

// Of all runs that led here, as far as they were saved.
typedef struct tg_run_seconds {
  double setup; // symbols, plan, grid, storage, Taylor probe
  double read;
  double solve;
  double write;
  double total;
} tg_run_seconds;

// Everything the report says.
typedef struct tg_run {
  MPI_Comm comm;
  const tg_run_options *options; // not owned
  char date[32];                 // of the beginning, UTC, as ISO 8601 writes it; rank 0
  json_t *earlier_files;         // names that an earlier run of this job has left in the folder; rank 0, NULL: none
  tg_job *job;
  tg_setup *setup;
  tg_lagrangian *lagrangian;   // NULL: no subject_to
  tg_alternating *alternating; // NULL: another method
  tg_checkpoint *checkpoint;   // NULL: none are written
  tg_checkpoint_facts earlier; // of the runs before, where this one is resumed
  tg_environment environment;
  tg_forecast forecast; // of memory
  tg_taylor taylor;
  double iterated_objective; // as the iteration had it, where that is another number: by cancellation; else NAN
  int64_t probe_products;    // spent on it; the report counts the minimisation
  double begin;              // when the run began, and the minimisation, by MPI_Wtime
  double solve_begin;
  double made_again; // products of a resumed run until it stood where the one before had been
  opt_result result;
  opt_point *ray;         // along which the objective falls for ever, where a direction was found; else NULL
  bool *writes_ray;       // of each variable: its part of the ray has a file
  bool is_solved;         // the minimisation came to its end, whatever became of the files
  bool is_early;          // a signal came before the first iteration: nothing was computed, nothing is written
  json_t *subject_report; // of subject_to, at the point returned; NULL: none
  int n_attempts;         // minimisations done; 1 without solver.restarts
  tg_attempt *attempts;
  double objective; // in the user's terms: of maximize the sign is turned back
  tg_run_seconds seconds;
  tg_cost_compared compared;
  char revised[256]; // what has become of a choice that the run has revised: for progress
  tg_method_price price;  // of the way that was taken
  double predicted_flops; // of the programs that ran, by the cost model, all ranks together
  double predicted_bytes;
  double counted_flops;
  double counted_bytes; // sent by all ranks
  int64_t peak_bytes;   // the largest of all ranks
} tg_run;

// Runs the job and writes variables, history.jsonl and report.json. How the minimisation ended is run->result.outcome.
// On failure run->job, when there is one, tells the place of the error (tg_job_diagnose). *out is never NULL after
// TG_OK and may be set after a failure too: tg_run_destroy in any case. Collective.
tg_status tg_run_execute(MPI_Comm comm, const tg_run_options *options, tg_run **out);
void tg_run_destroy(tg_run **run);

// Writes folder/report.json. Local, on rank 0.
tg_status tg_report_write(const tg_run *run, const char *folder);

#endif
