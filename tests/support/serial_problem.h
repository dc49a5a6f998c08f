// opt_problem on the serial executor and the serial space: the plain reading of opt/problem.h, for tests.
//
// It computes every state again and never runs ADVANCE: what src/mpi/problem saves is what it must not change.
#ifndef TESTS_SUPPORT_SERIAL_PROBLEM_H
#define TESTS_SUPPORT_SERIAL_PROBLEM_H

#include "opt/problem.h"
#include "support/serial_exec.h"
#include "support/serial_space.h"

// Runs TG_PROGRAM_SETUP. plan, data and space are not owned.
tg_status serial_problem_create(const tg_plan *plan, const double *const *data, const serial_space *space,
                                opt_problem **out);
void serial_problem_destroy(opt_problem **problem);

#endif
