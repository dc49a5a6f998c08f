// opt_problem on distributed matrices: the executor behind the solvers' view of an objective.
#ifndef TG_MPI_PROBLEM_H
#define TG_MPI_PROBLEM_H

#include "mpi/exec/exec.h"
#include "opt/problem.h"

typedef struct tg_problem_settings {
  int64_t refresh_interval; // advances between two refreshes of the state; 0: TG_REFRESH_INTERVAL
} tg_problem_settings;

enum { TG_REFRESH_INTERVAL = 50 };

// How far the state, moved along lines, was from the state recomputed: max over its matrices of
// |moved - new|_F / |new|_F, at the last refresh and the worst so far.
typedef struct tg_problem_drift {
  int64_t refreshes; // that measured it
  double last;
  double worst;
} tg_problem_drift;

// Binds the executor to the space's points and runs TG_PROGRAM_SETUP. exec and space are not owned; the space's
// blocks must be the plan's variables, in order (TG_INTERNAL). settings may be NULL. Collective.
tg_status tg_problem_create(tg_exec *exec, const opt_space *space, const tg_problem_settings *settings,
                            opt_problem **out);
// The operands' numbers have changed: runs TG_PROGRAM_SETUP again and forgets what was known of the current point, so
// that `gradient` comes next. Collective.
tg_status tg_problem_renew(opt_problem *problem);
// NULL is fine. Local.
void tg_problem_destroy(opt_problem **problem);

// Adds products that were done elsewhere for this problem to its counts, and brings these up to date. Local.
void tg_problem_add_products(opt_problem *problem, int64_t products);
const tg_problem_drift *tg_problem_get_drift(const opt_problem *problem);
// Why f was not finite at some point, see tg_exec_reason; "" when it always was.
const char *tg_problem_reason(const opt_problem *problem);

#endif
