// The serial executor: any program of a plan on plain column-major arrays, with naive loops and no BLAS.
//
// It exists to disagree with src/mpi/exec: nothing is shared with it but the plan. Temporaries are filled with
// NaN before every program, so that a stale read shows.
#ifndef TESTS_SUPPORT_SERIAL_EXEC_H
#define TESTS_SUPPORT_SERIAL_EXEC_H

#include "grad/plan/plan.h"

typedef struct serial_exec serial_exec;

// data[k]: column-major content of operand k, borrowed. Every other buffer gets an array of its own, zeroed.
tg_status serial_exec_create(const tg_plan *plan, const double *const *data, serial_exec **out);
void serial_exec_destroy(serial_exec **exec);
// Lets the VARIABLE, DIRECTION, GRADIENT or HESSIAN buffer of a block stand in the caller's array.
void serial_exec_bind(serial_exec *exec, tg_buffer_kind kind, int32_t index, double *array);
// The array of a buffer, by id.
double *serial_exec_buffer(serial_exec *exec, int32_t buffer);
double serial_exec_register(const serial_exec *exec, int32_t reg);
void serial_exec_set_register(serial_exec *exec, int32_t reg, double value);
// TG_NUMERIC for a factorisation or determinant that fails.
tg_status serial_exec_run(serial_exec *exec, tg_program_id program);

#endif
