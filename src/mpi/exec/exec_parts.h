// The executor's inside, shared by exec.c, exec_registers.c and exec_ops.c.
#ifndef TG_MPI_EXEC_PARTS_H
#define TG_MPI_EXEC_PARTS_H

#include "mpi/exec/exec.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

// The register file with sums under way. Two registers of a batch never collide: before a register with an open
// write or an open read is written again, the batch is resolved.
typedef struct tg_registers {
  const tg_grid *grid;
  double *values;
  double *errors;   // bounds of the rounding in them, as far as scalars tell: the entries summed are taken for right
  bool *is_open;    // value comes with the next resolution
  bool *is_awaited; // read by a deferred scalar
  int n_sums;
  int32_t sum_registers[TG_GRID_BATCH];
  double sums[TG_GRID_BATCH];
  double sum_units[TG_GRID_BATCH]; // rounding of each in units of its last place
  int32_t n_deferred;              // SCALAR instructions over open registers, in order
  int32_t deferred_capacity;
  const tg_instr **deferred;
  double seconds; // in collectives
  int64_t resolutions;
} tg_registers;

tg_status tg_registers_init(tg_registers *registers, const tg_grid *grid, const tg_plan *plan);
void tg_registers_fini(tg_registers *registers);
// Forgets what is open, after a failure in the middle of a program. Local.
void tg_registers_abandon(tg_registers *registers);
// What a pairwise sum over products loses: more than the few units that it can, fewer than would hide anything.
enum { TG_SUM_UNITS = 16 };
// Adds this rank's part of a sum that is right to so many units in its last place. Collective where the batch must be
// resolved first.
tg_status tg_registers_add_sum(tg_registers *registers, int32_t reg, double part, double units);
// SCALAR: at once, or deferred where it reads an open register. Collective like the above.
tg_status tg_registers_add_scalar(tg_registers *registers, const tg_instr *instr);
// A value that is known on all ranks. Collective like the above.
tg_status tg_registers_set(tg_registers *registers, int32_t reg, double value);
// Makes all open values known: one collective, none when nothing is open.
tg_status tg_registers_resolve(tg_registers *registers);
// The same unless the register is known already.
tg_status tg_registers_need(tg_registers *registers, int32_t reg);

struct tg_exec {
  const tg_grid *grid;
  const tg_plan *plan;
  tg_exec_settings settings;
  tg_arena arena; // tables; numbers are in the matrices
  int32_t n_storages;
  tg_dmat **storages;
  tg_dmat **buffers;            // by buffer: an operand, a bound matrix or a storage
  struct tg_factor **factors;   // by factor, of systems
  struct tg_spectrum **spectra; // by factor, of the others
  tg_registers registers;
  tg_workspace *workspace;
  const tg_dmat **in; // inputs and coefficients of the running instruction
  double *coefs;
  tg_counters counters;
  tg_exec_usage usage[TG_PROGRAM_COUNT];
  tg_exec_step_usage *steps[TG_PROGRAM_COUNT]; // by instruction
  double *residuals[TG_PROGRAM_COUNT];         // likewise
  int32_t *groups[TG_PROGRAM_COUNT];           // by instruction: how many run together from it on
  char reason[TG_ERROR_MESSAGE_BYTES];
  tg_memo_key *keys; // with settings.memo, by buffer: of the constants that it may hold
  bool *is_found;    // by buffer: the memo had it
  bool *is_needed;   // by instruction of SETUP: for what it had not
};

// Looks up the constants of the plan in the memo (exec_memo.c), before SETUP runs for the first time; and keeps those
// that it has made there. Local.
tg_status tg_exec_recall(tg_exec *exec);
tg_status tg_exec_remember(tg_exec *exec);

// One factorisation for every factor of the plan (exec_factor.c). Collective.
tg_status tg_exec_create_factors(tg_exec *exec);
void tg_exec_destroy_factors(tg_exec *exec);
int64_t tg_exec_factor_bytes(const tg_exec *exec);
tg_status tg_exec_decompose(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_vectors(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_values(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_cholesky(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_lu(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_solve(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_inverse(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_logdet(tg_exec *exec, const tg_instr *instr);
tg_status tg_exec_det(tg_exec *exec, const tg_instr *instr);

// Passes over matrices of one shape that run together (exec_fusion.c): how many instructions from `first` on, 1 for
// none.
int32_t tg_exec_fusion_length(const tg_plan *plan, const tg_program *program, int32_t first);
// Whether the matrices are large enough. Global sizes: all ranks judge alike.
bool tg_exec_fusion_pays(const tg_exec *exec, const tg_instr *first);
// Collective like the instructions of it.
tg_status tg_exec_run_fusion(tg_exec *exec, const tg_instr *instrs, int32_t n);

// c = alpha op(A) op(B) + beta c by products that the memo has (exec_downdate.c). *made = false: there are none.
// Collective.
tg_status tg_exec_reuse_product(tg_exec *exec, const tg_instr *instr, bool trans_a, bool trans_b, double alpha,
                                bool *made);
// The key of op(A) op(B) alone of a product whose operands are data. Local.
tg_status tg_exec_plain_key(const tg_exec *exec, const tg_instr *instr, tg_memo_key *out);

// Lets exec->in hold the instruction's inputs; TG_INTERNAL where a buffer of it is not bound. Local.
tg_status tg_exec_bind_inputs(tg_exec *exec, const tg_instr *instr);
// Runs one instruction of the plan, without counting it. Collective.
tg_status tg_exec_run_instr(tg_exec *exec, const tg_instr *instr);
// The same once its buffers are known to be bound; exec->in holds its inputs. Collective.
tg_status tg_exec_dispatch(tg_exec *exec, const tg_instr *instr);

#endif
