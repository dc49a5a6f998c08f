// Where the time of a run went: each program of the plan and each of its operations, over all ranks.
#ifndef TG_ENGINE_RUN_LOG_H
#define TG_ENGINE_RUN_LOG_H

#include "mpi/exec/exec.h"

// A program (operation < 0) or one of its operations. Operations that run together count with the first of them.
typedef struct tg_log_row {
  const tg_plan *plan;
  const char *variable; // of a half-step of `alternating`; NULL: the whole problem
  tg_program_id program;
  int32_t operation;
  int64_t calls;
  double flops;        // of all ranks together, all calls
  double bytes;        // sent by the product algorithms of all ranks
  double seconds;      // of the slowest rank, waiting included
  double mean_seconds; // over the ranks
} tg_log_row;

typedef struct tg_run_log {
  int32_t n_rows;
  tg_log_row *rows; // a program, then its operations
} tg_run_log;

// Appends what the executor has done so far. All ranks hold the same plan. Collective.
tg_status tg_run_log_add(MPI_Comm comm, const tg_exec *exec, const char *variable, tg_run_log *log);
// Seconds of the slowest rank in all programs together.
double tg_run_log_seconds(const tg_run_log *log);
// seconds / mean_seconds: 1 where the ranks take as long as each other.
double tg_log_row_imbalance(const tg_log_row *row);
void tg_run_log_fini(tg_run_log *log);

#endif
