// tune: numbers of a job that are found by minimising a score of its fits, and the run with them.
#ifndef TG_REPORT_TUNE_H
#define TG_REPORT_TUNE_H

#include "engine/share/share.h"
#include "opt/tuner.h"
#include "report/run.h"
#include "report/tune_rows.h"

typedef struct tg_tune_run tg_tune_run;

// The caller's side; any function may be NULL.
typedef struct tg_tune_watch {
  void *self;
  tg_run_watch first; // of the first fit
  tg_run_watch fits;  // of the others
  tg_run_watch last;  // of the run with the numbers that were found
  // After each evaluation. On every rank.
  void (*evaluated)(void *self, const tg_tune_run *tune, const tg_tune_row *row);
} tg_tune_watch;

struct tg_tune_run {
  MPI_Comm comm;
  int rank;
  const tg_job *job;             // not owned
  const tg_run_options *options; // of each run; its watch is not used. Not owned
  const tg_tune_watch *watch;    // not owned
  tg_share *share;
  opt_tuner tuner;
  tg_tune_log log;
  bool has_data;      // log.data are those of this run
  int best;           // -1: none
  const char *reason; // why it ended
  tg_dmat ***starts;  // by fold: where its last fit ended, one matrix a variable; NULL: none
  int64_t *places;    // of these among the files, by fold: evaluation times n_folds + fold; -1: none
  bool has_taylor;
  uint64_t probed; // shape of the plan whose gradient was tested
  tg_taylor taylor;
  bool is_interrupted;
  double begin; // by MPI_Wtime
  double seconds;
  tg_spec *spec; // of the run with the numbers found
  json_t *facts; // for its report
  tg_run *run;   // NULL: there was none
};

// Minimises the score, then runs the job on all data with the numbers of its least value, which writes what a run
// writes, and tune.jsonl beside it: a row for each evaluation. With options->resume the rows that are there count as
// evaluated, and fits begin where those of that run ended: the search is that of a run that was not disturbed. *out may
// be set after a failure too. Collective.
tg_status tg_tune_execute(MPI_Comm comm, const tg_job *job, const tg_run_options *options, const tg_tune_watch *watch,
                          tg_tune_run **out);
// NULL is fine. Collective.
void tg_tune_run_destroy(tg_tune_run **tune);
// "lambda = 0.1, mu = 2"
void tg_tune_describe(const tg_spec *base, const double *numbers, tg_text *out);

#endif
