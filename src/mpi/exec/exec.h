// The executor: a plan bound to block-cyclic matrices; it runs, times and counts the plan's programs.
#ifndef TG_MPI_EXEC_H
#define TG_MPI_EXEC_H

#include "grad/plan/plan.h"
#include "mpi/exec/memo.h"
#include "mpi/matrix/dmat.h"
#include "mpi/product/product.h"

typedef struct tg_exec tg_exec;

typedef struct tg_exec_settings {
  tg_product_kind product; // which product algorithm
  bool probe;              // every product is tested by a random vector (mpi/exec/probe.h): tg_exec_residual
  tg_memo *memo;           // constants that other plans have made, and are to have of this one; NULL: none; not owned
} tg_exec_settings;

// What one program has done so far on this rank.
typedef struct tg_exec_usage {
  int64_t runs;
  int64_t products;      // GEMM, SOLVE and INVERSE instructions
  double flops;          // of all ranks together
  double seconds;        // of this rank, waiting included
  double reduce_seconds; // of these, in the collectives that resolve registers
  int64_t reductions;    // number of those collectives
} tg_exec_usage;

// What one instruction has done so far on this rank; passes that ran together count with their first.
typedef struct tg_exec_step_usage {
  int64_t calls;
  double seconds;    // waiting included
  double flops;      // of all ranks together
  double bytes_sent; // by the product algorithms
} tg_exec_step_usage;

// Allocates all storage of the plan once; data[k] is operand k, not owned, as are grid and plan. No program is run.
// TG_INTERNAL on all ranks when the ranks hold different plans; TG_SHAPE names an operand of another size.
// settings may be NULL. Collective.
tg_status tg_exec_create(const tg_grid *grid, const tg_plan *plan, tg_dmat *const *data,
                         const tg_exec_settings *settings, tg_exec **out);
// NULL is fine. Local.
void tg_exec_destroy(tg_exec **exec);

// Lets the VARIABLE, DIRECTION, GRADIENT or HESSIAN buffer of a block be `matrix` (not owned) from now on; a plan
// that has no such buffer ignores it. TG_INTERNAL when the shape or the layout is another. Local; all ranks alike.
tg_status tg_exec_bind(tg_exec *exec, tg_buffer_kind kind, int32_t index, tg_dmat *matrix);

// Runs a program to its end. Partial sums of DOT, TRACE, EWSUM and FETCH are collected, and one collective resolves
// all of them when the first is needed, at the latest at the end. From the second run of a program on nothing is
// allocated. TG_NUMERIC when a factorisation or determinant fails (on all ranks). Collective.
tg_status tg_exec_run(tg_exec *exec, tg_program_id program);

// Runs VALUE or GRADIENT and reads f. A TG_NUMERIC failure gives f = +inf and TG_OK instead, with the reason kept:
// a line search backs off from a point outside the domain. The gradient is NaN in that case. Collective.
tg_status tg_exec_evaluate(tg_exec *exec, tg_program_id program, double *f);
// Why tg_exec_evaluate gave a value that is not finite: the last numeric failure, or the operation in which the first
// such value arose; "" when all values were finite since the start.
const char *tg_exec_reason(const tg_exec *exec);
// Runs a program again and keeps as the reason which operation is the first with a result, or an input, that is not
// finite; "" when there is none. For a gradient that is not finite where f is. Collective.
tg_status tg_exec_explain(tg_exec *exec, tg_program_id program);

double tg_exec_register(const tg_exec *exec, int32_t reg);
// A bound of the rounding in it: sums over entries are taken to be right to a few units in the last place, so that it
// tells of cancellation between scalars, not inside a sum or in a matrix.
double tg_exec_register_error(const tg_exec *exec, int32_t reg);
void tg_exec_set_register(tg_exec *exec, int32_t reg, double value);
// The matrix of a buffer; NULL for one that is not bound yet.
tg_dmat *tg_exec_buffer(const tg_exec *exec, int32_t buffer);
const tg_plan *tg_exec_plan(const tg_exec *exec);
const tg_grid *tg_exec_grid(const tg_exec *exec);

// How the constants of the plan are made that a memo would keep, by buffer; data are known by their names. Unknown for
// all others. For what plans have in common before there are numbers. Local.
tg_status tg_memo_plan_keys(const tg_plan *plan, tg_memo_key *out);
// How the gradient's block is made, where that needs no point: of a plan whose objective is linear. Local.
tg_status tg_exec_gradient_key(const tg_exec *exec, int32_t block, tg_memo_key *out);

// Reports.
const tg_exec_usage *tg_exec_program_usage(const tg_exec *exec, tg_program_id program);
// Whether a run of the program runs its instruction k: not where the memo has its result.
bool tg_exec_runs(const tg_exec *exec, tg_program_id program, int32_t k);
const tg_exec_step_usage *tg_exec_step_usage_of(const tg_exec *exec, tg_program_id program, int32_t k);
// Its seconds.
double tg_exec_instr_seconds(const tg_exec *exec, tg_program_id program, int32_t k);
// The worst residual of product k of a program over all runs; -1 where it was not probed.
double tg_exec_residual(const tg_exec *exec, tg_program_id program, int32_t k);
// What the product algorithms have sent.
const tg_counters *tg_exec_counters(const tg_exec *exec);
// Bytes allocated on this rank: storage, factors and workspace; operands and points not included.
int64_t tg_exec_bytes(const tg_exec *exec);

#endif
