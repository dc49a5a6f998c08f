// From a spec to its minimum, in steps: what a run, a check and a library have in common.
//
//     create   symbols, plan, method and grid; the forecast of memory. No data is read.
//     admit    what does not fit the machine is refused
//     fill     data, start point, problem
//     probe    the gradient is tested at the start
//     prepare  the numbers of the method
//     minimise, settle, count
//
// Between two steps a caller may show what was decided, ask for signals, write files. All calls are collective.
#ifndef TG_ENGINE_ENGINE_H
#define TG_ENGINE_ENGINE_H

#include "engine/checkpoint/checkpoint.h"
#include "engine/problem/alternating.h"
#include "engine/problem/lagrangian.h"
#include "engine/problem/setup.h"
#include "engine/problem/taylor.h"
#include "engine/run/constraints_result.h"
#include "engine/run/forecast.h"
#include "engine/run/run_cost.h"
#include "engine/run/run_log.h"
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
  const char *start_folder; // files of starts (sweep/path.h) that spec->share does not have yet
  int n_starts;             // of them, newest first
  int64_t starts[TG_SHARE_STARTS];
  bool begins_warm; // where spec->share says, unless the method makes nothing of the start
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
  const tg_spec *spec; // of the setup: with what was found out; the caller's before there is one
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

  opt_result result;         // numbers as they are minimised
  double objective;          // in the user's terms: of maximize the sign is turned back
  double iterated_objective; // as the iteration had it, where that is another number: by cancellation; else NAN
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

// *out is never NULL after TG_OK and may be set after a failure too: tg_engine_destroy in any case. The spec must
// outlive the engine. Errors about the spec carry its marks.
tg_status tg_engine_create(MPI_Comm comm, const tg_spec *spec, const tg_engine_options *options, tg_engine **out);
// NULL is fine.
void tg_engine_destroy(tg_engine **engine);
// Warns, through spec->messages, of data and options that nothing uses. Local.
void tg_engine_warn_unused(const tg_engine *engine);
// TG_MEMORY where a rank would need more than it has.
tg_status tg_engine_admit(tg_engine *engine, const tg_memory_room *room);
tg_status tg_engine_fill(tg_engine *engine);
// Whether where it ends may serve the next point of a sweep as a start, by options.begins_warm. Local.
bool tg_engine_serves_starts(const tg_engine *engine);
// TG_DATA where data or plan are not those of the checkpoint resumed from; TG_NUMERIC where the gradient is wrong.
tg_status tg_engine_probe(tg_engine *engine);
// *changed: the numbers have led to another method than the plan's, or the halves of `alternating` to theirs.
tg_status tg_engine_prepare(tg_engine *engine, bool *changed);
// The minimisation itself; the point returned is in setup->x.
tg_status tg_engine_minimise(tg_engine *engine, const opt_observer *observer);
// Completes the result: products, the objective as it is written, reasons that the driver does not know; then goes from
// the variables that were minimised over to those of the spec.
tg_status tg_engine_settle(tg_engine *engine);
// What was counted and predicted, of all ranks.
tg_status tg_engine_count(tg_engine *engine);

// For an observer. Local: what a checkpoint says of the run; and that the first iteration after it was resumed begins.
void tg_engine_describe(const tg_engine *engine, tg_checkpoint_facts *facts);
void tg_engine_note_resumed(tg_engine *engine);
// Appends "; text" to the reason of the result. Local.
void tg_engine_add_reason(tg_engine *engine, const char *text);

#endif
