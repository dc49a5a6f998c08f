// The words for how a minimisation ended.
#ifndef OPT_OUTCOME_H
#define OPT_OUTCOME_H

// How a minimisation ended. X(name, exit status of the program, label in report.json)
#define OPT_OUTCOME_LIST(X)                                                                     \
  X(CONVERGED, 0, "converged")             /* the gradient recomputed at x passes the test */   \
  X(ITERATION_LIMIT, 3, "iteration_limit") /* max_iterations or max_evaluations */              \
  X(TIME_LIMIT, 3, "time_limit")                                                                \
  X(STALLED, 3, "stalled")          /* no further progress: precision, tolerance, or saddle */  \
  X(UNBOUNDED, 4, "unbounded")      /* a direction was found along which f falls without end */ \
  X(INTERRUPTED, 75, "interrupted") /* the observer asked to stop */                            \
  X(NOT_FINITE, 1, "not_finite")    /* f or its gradient is NaN or infinite where it must not */

typedef enum opt_outcome {
#define OPT_OUTCOME_ENUM(name, exit_status, label) OPT_##name,
  OPT_OUTCOME_LIST(OPT_OUTCOME_ENUM)
#undef OPT_OUTCOME_ENUM
      OPT_OUTCOME_COUNT
} opt_outcome;

const char *opt_outcome_label(opt_outcome outcome);
int opt_outcome_exit(opt_outcome outcome);

#endif
