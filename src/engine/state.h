// What the engine keeps from step to step: the spec it works on, what was made of it, how it ended, what that took.
#ifndef TG_ENGINE_STATE_H
#define TG_ENGINE_STATE_H

#include "engine/checkpoint/checkpoint.h"
#include "engine/problem/alternating.h"
#include "engine/problem/lagrangian.h"
#include "engine/problem/setup.h"
#include "engine/problem/taylor.h"
#include "engine/run/constraints_result.h"
#include "engine/run/forecast.h"
#include "engine/run/run_cost.h"
#include "engine/run/run_log.h"
#include "engine/sensitivity/covariance.h"
#include "engine/sensitivity/sensitivity.h"
#include "engine/share/share.h"

typedef struct tg_engine_options {
  int threads;              // of each rank, for the cost model
  double begin;             // when the run began, by MPI_Wtime; 0: now
  bool saves;               // checkpoints, where the spec has them
  bool resume;              // from the newest intact one
  bool warns_of_saves;      // damaged checkpoints, and those that are not gone on from
  bool probes_products;     // each product is tested with random vectors, see mpi/exec/probe.h
  const tg_taylor *probed;  // the test of the gradient that another point of a sweep has made; NULL: none
  uint64_t probed_shape;    // of its plan (tg_plan_shape): it counts for plans that differ by numbers alone
  tg_share *share;          // of a point of a sweep: what it has in common with the others; NULL: nothing; not owned
  const char *start_folder; // files of starts (sweep/path.h) that the share does not have yet
  int n_starts;             // of them, newest first
  int64_t starts[TG_SHARE_STARTS];
  bool begins_warm; // where the share says, unless the method makes nothing of the start
  bool if_convex;   // of that: only where the objective is, so that the minimum is the same from everywhere
} tg_engine_options;

// How one of the minimisations of solver.restarts ended; numbers as they are minimised.
typedef struct tg_attempt {
  opt_outcome outcome;
  double objective;
  double gradient_norm;
  double violation;
  int64_t iterations;
} tg_attempt;

// Those of earlier runs, which led to the checkpoint resumed from, are included.
typedef struct tg_engine_seconds {
  double setup; // symbols, plan, grid, storage, Taylor probe
  double read;
  double solve;
} tg_engine_seconds;

typedef struct tg_engine {
  MPI_Comm comm; // not owned
  tg_engine_options options;
  const tg_spec *spec; // the caller's; what was found out about it stands in setup->task
  tg_setup *setup;
  tg_lagrangian *lagrangian;   // NULL: no subject_to
  tg_alternating *alternating; // NULL: another method
  tg_checkpoint *checkpoint;   // NULL: none are written
  tg_checkpoint_facts earlier; // of the runs before, where this one is resumed
  tg_memory_room room;         // that it was admitted to
  tg_forecast forecast;        // of memory
  tg_taylor taylor;
  int64_t probe_products; // spent on it; the result counts the minimisation
  bool is_warm;           // it begins where another point of a sweep ended
  double begin;           // by MPI_Wtime, of the run and of the minimisation
  double solve_begin;
  double made_again; // products of a resumed run until it stood where the one before had been

  opt_result result;           // numbers as they are minimised
  double objective;            // in the user's terms: of maximize the sign is turned back
  double iterated_objective;   // as the iteration had it, where that is another number: by cancellation; else NAN
  tg_sensitivity *sensitivity; // NULL: not asked for
  tg_covariance *covariance;   // likewise
  tg_constraints_result *constraints; // of subject_to, at the point returned; NULL: none
  int n_attempts;                     // minimisations done; 1 without solver.restarts
  tg_attempt *attempts;
  tg_engine_seconds seconds;
  tg_cost_compared compared;
  tg_method_price price;  // of the way that was taken
  double predicted_flops; // of the programs that ran, by the cost model, all ranks together
  double predicted_bytes;
  tg_run_log log; // of the programs that ran
  double counted_flops;
  double counted_bytes; // sent by all ranks
  int64_t peak_bytes;   // the largest of all ranks
} tg_engine;

#endif
