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

/* ---- warnings, and whole jobs ---- */

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
 * checkpoints, from which `tracegrad run JOB --resume` goes on. Of a sweep all points: *report has the worst exit
 * status with its reason, the best objective, the sum of iterations and products. Of tune the run with the numbers
 * found. overrides: n texts KEY=VALUE as for --set; may be NULL when n is 0. *report is filled when 0 is returned, on
 * every rank alike. The first call tests the BLAS against plain loops. It fails where the BLAS computes wrongly, and
 * warns where it runs kernels that are slow on this CPU. The variable OPENBLAS_CORETYPE then helps, set before the
 * program starts (the program tracegrad sets it by itself). MPI must be initialised (MPI_THREAD_FUNNELED is enough).
 * Collective over comm. */
TRACEGRAD_API int tracegrad_run(MPI_Comm comm, const char *job_path, int n, const char *const *overrides,
                                tracegrad_report *report);

/* ---- arrays ---- */

enum tracegrad_order { TRACEGRAD_COLUMN_MAJOR = 0, TRACEGRAD_ROW_MAJOR = 1 };

enum tracegrad_place {
  TRACEGRAD_ON_ALL = 0,  /* the whole matrix on every rank, the same numbers */
  TRACEGRAD_ON_ROOT = 1, /* the whole matrix on rank 0; the others leave numbers NULL */
  TRACEGRAD_CYCLIC = 2,  /* the local part of a ScaLAPACK matrix */
  TRACEGRAD_PARTS = 3    /* a rectangle of the matrix on each rank */
};

/* Where the numbers of a matrix lie. Set size and what is needed, and the rest to zero:
 *
 *   tracegrad_array a = {sizeof a, numbers, 100, 20};       100 x 20, columns one after the other, on every rank
 *
 * An array that is read is not written to, and one that is written is not read. Rows and columns must be the same on
 * all ranks. Of CYCLIC, descriptor holds ScaLAPACK's nine integers and replaces rows, columns, leading_dimension and
 * order; its context is the caller's, which stays as it is. Ranks outside of that process grid take part with context
 * -1, the same sizes, blocks and sources, and no numbers. Of PARTS, rows and columns are those of the whole. The last
 * four members say which part is here, leading_dimension and order how it lies. Rows must be cut alike in all
 * columns, and every entry must be on one rank. A rank without entries has local_rows or local_columns 0. */
typedef struct tracegrad_array {
  size_t size;     /* sizeof(tracegrad_array) as the caller was compiled */
  double *numbers; /* may be NULL where none lie on this rank, and for a plan */
  int64_t rows;
  int64_t columns;
  int64_t leading_dimension; /* distance of columns, of rows in ROW_MAJOR; 0: they lie one after the other */
  int32_t order;             /* enum tracegrad_order */
  int32_t place;             /* enum tracegrad_place */
  const int *descriptor;     /* CYCLIC: nine integers, read during the call only */
  int64_t row_begin;         /* PARTS: the first row here, from 0 */
  int64_t column_begin;
  int64_t local_rows;
  int64_t local_columns;
} tracegrad_array;

/* ---- problems ---- */

/* An objective over matrices on the ranks of a communicator, to be minimised or evaluated.
 *
 * Calls are local or collective, as each says. Collective calls must be made by all ranks of the problem's
 * communicator, in the same order and with the same arguments but for numbers. A local call that describes the
 * problem must be made on all ranks alike. Ranks that describe different problems, or make different calls, get USAGE
 * on all of them. A failure of a collective call is the same on all ranks. Each of several problems has its own
 * duplicate of a communicator, so that they may be used in turn. Calls of one process come from one thread at a time
 * (MPI_THREAD_FUNNELED is enough). The OpenMP threads are those that the caller allows. */
typedef struct tracegrad_problem tracegrad_problem;

/* An empty problem, owned by the caller. MPI must be running. Collective over comm. */
TRACEGRAD_API int tracegrad_problem_create(MPI_Comm comm, tracegrad_problem **out);
/* The same with a communicator of Fortran: include/tracegrad.f90. */
TRACEGRAD_API int tracegrad_problem_create_fortran(MPI_Fint comm, tracegrad_problem **out);
/* The problem of a job file, read on rank 0; what follows changes it. Nothing but `output` and `checkpoint` of the job
 * is written, and these only where it names their directories. Collective over comm. */
TRACEGRAD_API int tracegrad_problem_from_job(MPI_Comm comm, const char *path, tracegrad_problem **out);
/* The same from the text of a job, the same on every rank; files in it are relative to the working directory. name: for
 * messages. Collective over comm. */
TRACEGRAD_API int tracegrad_problem_from_text(MPI_Comm comm, const char *name, const char *text,
                                              tracegrad_problem **out);
/* Frees it, and sets *p to NULL; its points become invalid. p or *p may be NULL. Collective; after MPI_Finalize local.
 */
TRACEGRAD_API void tracegrad_problem_destroy(tracegrad_problem **p);

/* ---- describing a problem: local, the same on all ranks ---- */

/* The objective, a scalar expression of the input language, to be minimised; with maximize other than 0 to be
 * maximised. The last one counts. */
TRACEGRAD_API int tracegrad_problem_objective(tracegrad_problem *p, const char *expression, int maximize);
/* Declares a matrix that is to be found; a size of 0 follows from the expressions. Further keys of it by
 * tracegrad_problem_set: "variables.X.constraint". */
TRACEGRAD_API int tracegrad_problem_variable(tracegrad_problem *p, const char *name, int64_t rows, int64_t columns);
/* Its start point: numbers that stay where they are until the problem is destroyed or another start is given. */
TRACEGRAD_API int tracegrad_problem_start(tracegrad_problem *p, const char *name, const tracegrad_array *array);
/* A number, or a matrix, of the data. The numbers of an array stay where they are, and as they are, until the problem
 * is destroyed or the name is given again; those that lie as the problem's own matrices do are not copied, see
 * tracegrad_problem_data_way. Properties are stated by tracegrad_problem_set: "data.A.symmetric", "data.A.trust"; files
 * and generators as well: "data.A" and "{generate: normal, rows: 40, columns: 40}". */
TRACEGRAD_API int tracegrad_problem_number(tracegrad_problem *p, const char *name, double value);
TRACEGRAD_API int tracegrad_problem_data(tracegrad_problem *p, const char *name, const tracegrad_array *array);
/* One more equality or inequality: "X*ones = r", "tr(X) <= 1". */
TRACEGRAD_API int tracegrad_problem_subject_to(tracegrad_problem *p, const char *relation);
/* Any key of a job file, as `tracegrad run --set KEY=VALUE` takes it: "solver.max_iterations", "100". Unknown keys and
 * values out of range fail here, where they can be judged by themselves, and else at the first use. */
TRACEGRAD_API int tracegrad_problem_set(tracegrad_problem *p, const char *key, const char *value);

/* ---- before numbers ---- */

/* How many variables there are. Collective. */
TRACEGRAD_API int tracegrad_problem_variable_count(tracegrad_problem *p, int *count);
/* Name and size of the k-th, from 0; sizes that were left open as they follow from the expressions. Each of the last
 * three may be NULL. The name is valid until the problem is described otherwise or destroyed. Collective. */
TRACEGRAD_API int tracegrad_problem_variable_get(tracegrad_problem *p, int k, const char **name, int64_t *rows,
                                                 int64_t *columns);

/* What `tracegrad plan` prints, for so many ranks and threads (0: those there are). No numbers are needed. The text
 * belongs to the problem and is valid until the next call of this kind. Collective. */
TRACEGRAD_API int tracegrad_problem_plan(tracegrad_problem *p, int ranks, int threads, const char **text);
/* The most memory that a rank takes while minimising, in bytes, likewise. Collective. */
TRACEGRAD_API int tracegrad_problem_memory(tracegrad_problem *p, int ranks, int threads, double *bytes);

/* ---- points and evaluation ---- */

/* Values of all variables, as matrices on the ranks. */
typedef struct tracegrad_point tracegrad_point;

/* A point of zeros, for the evaluations of the problem. The first one reads the data. While a problem has points, it
 * cannot be described otherwise: USAGE. Collective, like all that follows but tracegrad_point_local. */
TRACEGRAD_API int tracegrad_point_create(tracegrad_problem *p, tracegrad_point **out);
/* NULL is fine. Before the problem is destroyed. */
TRACEGRAD_API void tracegrad_point_destroy(tracegrad_point **x);
/* The start of the problem as it is described, before a minimisation moves it into the feasible set. */
TRACEGRAD_API int tracegrad_point_start(tracegrad_point *x);
/* One variable from, or into, the caller's memory. */
TRACEGRAD_API int tracegrad_point_set(tracegrad_point *x, const char *name, const tracegrad_array *array);
TRACEGRAD_API int tracegrad_point_get(const tracegrad_point *x, const char *name, const tracegrad_array *array);
/* y := x; points of one problem, of different minimisations too. */
TRACEGRAD_API int tracegrad_point_copy(const tracegrad_point *x, tracegrad_point *y);
/* y := a x + b y; with b = 0, y is not read. */
TRACEGRAD_API int tracegrad_point_axpby(double a, const tracegrad_point *x, double b, tracegrad_point *y);
/* <x, y>, the sum over all entries; summed in an order that depends on the layout alone. */
TRACEGRAD_API int tracegrad_point_dot(const tracegrad_point *x, const tracegrad_point *y, double *out);
/* The local part of a variable, column-major, to be read and written in place: block-cyclic from process (0, 0), on the
 * process grid of tracegrad_problem_grid. Valid like the point. Local. */
TRACEGRAD_API int tracegrad_point_local(tracegrad_point *x, const char *name, double **numbers, int64_t *rows,
                                        int64_t *columns, int64_t *leading_dimension);
/* The process grid of the points, my place in it and the block size of rows and columns alike. */
TRACEGRAD_API int tracegrad_problem_grid(tracegrad_problem *p, int *rows, int *columns, int *row, int *column,
                                         int64_t *block);

/* f at x, as it is written, of maximize too; constraints and subject_to are no part of it. Outside the domain of the
 * objective *f is infinite or NaN. gradient: with f(x+h) = f(x) + <gradient, h> + o(|h|), among symmetric matrices
 * where logdet asks for them; NULL on all ranks: f alone. It may be no other argument. */
TRACEGRAD_API int tracegrad_problem_evaluate(tracegrad_problem *p, const tracegrad_point *x, double *f,
                                             tracegrad_point *gradient);
/* hv := H(x)[v], the derivative of the gradient along v. Three points. At the point of the last gradient it costs the
 * products of the action alone. */
TRACEGRAD_API int tracegrad_problem_hessian(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *v,
                                            tracegrad_point *hv);
/* f[k] = f(x + t[k] d), k < n. Of a polynomial the products of one direction serve all of them. */
TRACEGRAD_API int tracegrad_problem_line(tracegrad_problem *p, const tracegrad_point *x, const tracegrad_point *d,
                                         int n, const double *t, double *f);

/* ---- minimisation ---- */

/* An iteration, in the terms of the problem. */
typedef struct tracegrad_figures {
  int64_t iteration; /* 0: the start */
  double objective;
  double gradient_norm;
  double step;
  double seconds;
  int64_t products; /* of large matrices so far */
} tracegrad_figures;

/* Called on every rank after the start and after each iteration. x is the current point, to be read during the call
 * only: tracegrad_point_get and tracegrad_point_copy are collective, and all ranks must make the same calls. A result
 * other than 0 on any rank stops the minimisation, which then ends as `interrupted` with its best point. The problem
 * must not be used otherwise in the call. Later versions may append to *figures. */
typedef int (*tracegrad_callback)(void *self, const tracegrad_figures *figures, const tracegrad_point *x);
/* NULL: none. Local, the same on all ranks. */
TRACEGRAD_API int tracegrad_problem_on_iteration(tracegrad_problem *p, tracegrad_callback callback, void *self);
/* Whether tracegrad_problem_minimise goes on from the newest intact checkpoint: "checkpoint.directory" is set. Local,
 * the same on all ranks. */
TRACEGRAD_API int tracegrad_problem_resume(tracegrad_problem *p, int resume);

/* Minimises, or maximises. The result says how it ended: 0 is returned for an iteration limit as well. Files are
 * written where "output.directory" is set: variables, history.jsonl, report.json; checkpoints where
 * "checkpoint.directory" is. May be called again, with another start or other options. Collective. */
TRACEGRAD_API int tracegrad_problem_minimise(tracegrad_problem *p);

/* How a minimisation ended, as in report.json. Numbers that are not known are NaN. */
typedef struct tracegrad_result {
  const char *status; /* converged, iteration_limit, time_limit, stalled, unbounded, interrupted, not_finite */
  const char *reason; /* a sentence */
  const char *method;
  const char *method_reason;
  const char *line_search;
  const char *preconditioner;
  const char *stopping_measure; /* what is called gradient norm here */
  int32_t exit_status;          /* what the program would return: 0 for converged, 3 for a limit, ... */
  int32_t ranks;
  int32_t threads;
  int32_t grid_rows;
  int32_t grid_columns;
  int32_t constraints; /* entries of subject_to and split kinks: tracegrad_problem_constraint */
  int64_t block;
  double objective;
  double gradient_norm;
  double gradient_norm_start;
  double gradient_target;
  double constraint_violation;
  int64_t iterations;
  int64_t values; /* evaluations */
  int64_t gradients;
  int64_t lines;
  int64_t hessians;
  int64_t products; /* of large matrices */
  int64_t saddles;
  int64_t attempts; /* of solver.restarts */
  double decrease_estimate;
  double condition_estimate;
  double drift;
  double taylor_order; /* of the test of the gradient at the start */
  double setup_seconds;
  double read_seconds;
  double solve_seconds;
  double write_seconds;
  double total_seconds;
  double predicted_flops;
  double predicted_bytes;  /* sent */
  double predicted_memory; /* of a rank */
  double counted_flops;
  double counted_bytes;
  int64_t peak_memory; /* of a rank, of the whole process */
  int64_t rounds;      /* of subject_to; the following belong to it */
  double penalty;
  double multiplier_norm;
  double complementarity;
} tracegrad_result;

/* The result of the last minimisation: USAGE where there is none. size: sizeof(tracegrad_result). Texts are valid until
 * the problem is minimised again, described otherwise or destroyed. Local. */
TRACEGRAD_API int tracegrad_problem_result(tracegrad_problem *p, size_t size, tracegrad_result *out);

/* Two of its numbers, for languages without its structure. Either may be NULL. Local. */
TRACEGRAD_API int tracegrad_problem_ending(tracegrad_problem *p, double *objective, int *exit_status);

/* An entry of subject_to at the point returned, or a kink such as norm1(A*X - B) that was split off the objective. */
typedef struct tracegrad_constraint {
  const char *text;
  int32_t is_kink;
  int32_t reserved;
  double violation;
  double size; /* of its parts: what a violation is compared with */
  double multiplier_norm;
  int64_t rows; /* of its multiplier */
  int64_t columns;
} tracegrad_constraint;

/* The k-th, from 0, likewise. */
TRACEGRAD_API int tracegrad_problem_constraint(tracegrad_problem *p, int k, size_t size, tracegrad_constraint *out);
/* Its multipliers, with L = f + <multipliers, left - right> minimal at the point. Collective. */
TRACEGRAD_API int tracegrad_problem_multipliers(tracegrad_problem *p, int k, const tracegrad_array *array);
/* A variable at the point returned. Collective. */
TRACEGRAD_API int tracegrad_problem_get(tracegrad_problem *p, const char *name, const tracegrad_array *array);
/* report.json as text. Valid until the problem is minimised again, described otherwise or destroyed. Collective. */
TRACEGRAD_API int tracegrad_problem_report(tracegrad_problem *p, const char **json);
/* How the last minimisation, or the points of the problem, came by an array of the data: "borrowed" without a copy,
 * "copied", "scattered from one rank", "redistributed" from another process grid or block size, "not read". Local. */
TRACEGRAD_API int tracegrad_problem_data_way(tracegrad_problem *p, const char *name, const char **way);

#ifdef __cplusplus
}
#endif

#endif
