/* tracegrad: minimisation on MPI ranks.
 *
 * Conventions of results and failures are those of tracegrad.h. Link with tracegrad and MPI. The process is never
 * ended, except by MPI itself. Nothing is printed but warnings, where no handler takes them. */
#ifndef TRACEGRAD_SOLVE_H
#define TRACEGRAD_SOLVE_H

#include <mpi.h>

#include "tracegrad.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Takes warnings from now on, a sentence without an end of line each, on every rank that has one; may be called from
 * any thread that runs. NULL: they are dropped. Without this call rank 0 writes them to standard error. */
TRACEGRAD_API void tracegrad_on_warning(void (*handler)(void *self, const char *text), void *self);

/* How a run ended. */
typedef struct tracegrad_report {
  char status[32];  /* converged, iteration_limit, time_limit, stalled, unbounded, interrupted, not_finite */
  int exit_status;  /* what the program would return: 0 for converged, 3 for a limit, ... */
  char reason[512]; /* a sentence */
  double objective; /* of maximize, too, in the job's own terms */
  double gradient_norm;
  int64_t iterations;
  int64_t products; /* of large matrices */
  double seconds;
} tracegrad_report;

/* Runs the job file on the ranks of comm and writes what the job asks for: variables, history.jsonl, report.json, and
 * checkpoints, from which `tracegrad run JOB --resume` goes on.
 * overrides: n texts KEY=VALUE as for --set; may be NULL when n is 0. *report is filled when 0 is returned, on every
 * rank alike. The first call tests the BLAS against plain loops, fails where it computes wrongly, and warns where it
 * runs kernels that are slow on this CPU: the variable OPENBLAS_CORETYPE then helps, set before the program starts (the
 * program tracegrad sets it by itself). MPI must be initialised (MPI_THREAD_FUNNELED is enough). Collective over comm.
 */
TRACEGRAD_API int tracegrad_run(MPI_Comm comm, const char *job_path, int n, const char *const *overrides,
                                tracegrad_report *report);

#ifdef __cplusplus
}
#endif

#endif
