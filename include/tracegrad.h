/* tracegrad: gradients of matrix expressions, and their minimisation on MPI ranks, from a C program.
 *
 * Link with the tracegrad libraries and MPI. Functions return an exit class: 0 success, 1 a failure while running,
 * 2 invalid input; tracegrad_error() then has the message, with place and caret where there is one.
 * The process is never ended, except by MPI itself. Nothing is printed but warnings, where no handler takes them. */
#ifndef TRACEGRAD_H
#define TRACEGRAD_H

#include <mpi.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
const char *tracegrad_version(void);

/* The message of the calling thread's last failure; "" before the first. Valid until the next call on this thread. */
const char *tracegrad_error(void);

/* Derives an expression by the name `wrt`. A scalar expression gives its gradient G, of the shape of wrt, with
 * f(X+H) = f(X) + <G,H> + o(|H|); a matrix expression gives d vec(F) / d vec(X)'. *text is in the input language and
 * to be freed with tracegrad_free. Sizes stay symbolic. Names in `symmetric` (separated by commas, may be NULL) are
 * taken as symmetric matrices. Local. */
int tracegrad_derive(const char *expression, const char *wrt, const char *symmetric, char **text);
void tracegrad_free(void *memory);

/* Takes warnings from now on, a sentence without an end of line each, on every rank that has one; may be called from
 * any thread that runs. NULL: they are dropped. Without this call rank 0 writes them to standard error. */
void tracegrad_on_warning(void (*handler)(void *self, const char *text), void *self);

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
int tracegrad_run(MPI_Comm comm, const char *job_path, int n, const char *const *overrides, tracegrad_report *report);

#ifdef __cplusplus
}
#endif

#endif
