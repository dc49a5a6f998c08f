// A problem of the public interface: what the caller has said of it, and what was made of that.
#ifndef TG_API_PROBLEM_H
#define TG_API_PROBLEM_H

#include "engine/problem/evaluator.h"
#include "job/job.h"
#include "mpi/matrix/array.h"
#include "report/run.h"
#include "tracegrad_solve.h"

// One call that describes the problem: a setting of the job.
typedef struct tg_api_setting {
  tg_job_setting_kind kind;
  const char *name; // a literal
  const char *key;  // likewise
  char *text;
} tg_api_setting;

// Numbers of the caller under a name of the problem.
typedef struct tg_api_array {
  char *name;
  bool is_start; // of a variable; else data
  tracegrad_array given;
  int descriptor[9];
  int *places; // of the processes of its grid
  int64_t *cuts;
  tg_array array;
} tg_api_array;

struct tracegrad_problem {
  MPI_Comm host; // a duplicate of the caller's
  MPI_Comm comm; // the same ranks in the order of the process grid; host, or its own
  int rank;      // in host
  int size;
  int root;   // rank 0 of host, in comm
  char *path; // of the job file, NULL: none
  char *text;
  int n_settings;
  tg_api_setting *settings;
  int n_arrays;
  tg_api_array *arrays;
  bool is_read; // the following belong to the description as it is
  tg_job *job;
  tg_messages messages;
  tg_evaluator *evaluator; // NULL: not asked for yet
  int n_points;            // of the caller
  tg_run *run;             // the last minimisation, solved; else NULL
  tg_run_options options;  // of it
  bool resumes;
  bool is_running; // a callback is being called
  bool has_warned;
  bool stops; // the callback says so
  tracegrad_callback callback;
  void *callback_self;
  tg_text plan; // texts that were handed out
  tg_text report;
  tg_text method_reason;
  tg_text preconditioner;
};

struct tracegrad_point {
  tracegrad_problem *problem;
  const tg_setup *setup; // of the evaluator, or of the minimisation whose callback is called
  const opt_space *space;
  opt_point *point;
  bool is_owned; // else of the minimisation
};

// What a collective call is, so that ranks find out when they make different ones.
typedef enum tg_api_call_id {
  TG_CALL_VARIABLES = 1,
  TG_CALL_PLAN,
  TG_CALL_MEMORY,
  TG_CALL_POINT,
  TG_CALL_START,
  TG_CALL_SET,
  TG_CALL_GET,
  TG_CALL_COPY,
  TG_CALL_AXPBY,
  TG_CALL_DOT,
  TG_CALL_GRID,
  TG_CALL_VALUE,
  TG_CALL_GRADIENT,
  TG_CALL_HESSIAN,
  TG_CALL_LINE,
  TG_CALL_MINIMISE,
  TG_CALL_MULTIPLIERS,
  TG_CALL_RESULT,
  TG_CALL_REPORT
} tg_api_call_id;

// ---- problem.c ----

// The ranks meet in a collective call: the failure of one is that of all. Collective.
tg_status tg_api_meet(const tracegrad_problem *p, tg_api_call_id call, tg_status local);
// TG_USAGE: NULL, or used by its own callback. Local.
tg_status tg_api_check_problem(const tracegrad_problem *p);
// The same, and a place for the result.
tg_status tg_api_check_place(const tracegrad_problem *p, const void *place);
// Keeps the failure for the caller, located in what was said of the problem, and returns its exit class. Local.
int tg_api_end(tracegrad_problem *p, tg_status status);

// ---- problem_read.c ----

// Reads what was said of the problem, where that is new: a job on all ranks, arrays on theirs. Collective.
tg_status tg_api_read(tracegrad_problem *p);
// Lets go of all that was made of the description. Collective.
void tg_api_forget(tracegrad_problem *p);

// ---- problem_array.c ----

// Memory that the array is described in, where it is dealt to the ranks; both are the caller's, on failure too. Local.
tg_status tg_api_make_room(const tracegrad_problem *p, int **places, int64_t **cuts);
// The caller's array, as far as it can be judged by itself. Collective, agrees.
tg_status tg_api_make_array(const tracegrad_problem *p, MPI_Comm comm, const char *name, const tracegrad_array *given,
                            const int *descriptor, int *places, int64_t *cuts, tg_array *out);
// The structure as this library knows it, and its nine integers. Local.
tg_status tg_api_copy_array(const char *name, const tracegrad_array *given, tracegrad_array *out, int descriptor[9]);
// Reads, or writes, a matrix. Collective.
tg_status tg_api_read_array(const tracegrad_problem *p, const char *name, const tracegrad_array *given, tg_dmat *out);
tg_status tg_api_write_array(const tracegrad_problem *p, const char *name, const tg_dmat *matrix,
                             const tracegrad_array *given);

#endif
