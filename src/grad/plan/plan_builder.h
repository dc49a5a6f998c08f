// Builds a plan instruction by instruction in its own arena.
//
// Ids are handed out as results; the first failure is remembered, later calls then do nothing and return -1,
// and tg_plan_builder_finish reports it: a long run of additions needs one check, at its end.
#ifndef TG_GRAD_PLAN_BUILDER_H
#define TG_GRAD_PLAN_BUILDER_H

#include "grad/plan/plan.h"

typedef struct tg_plan_builder tg_plan_builder;

tg_status tg_plan_builder_create(tg_plan_builder **out);
// Frees the builder and what it has built so far; NULL is fine.
void tg_plan_builder_destroy(tg_plan_builder **builder);
// The first failure so far, TG_OK when none.
tg_status tg_plan_builder_status(const tg_plan_builder *builder);

// The next operand of the job; returns its DATA buffer. Buffers' names are copied; NULL is "".
int32_t tg_plan_builder_data(tg_plan_builder *builder, const char *name, int64_t rows, int64_t cols);
// The next block of the point; returns its VARIABLE buffer. The block's position is the buffer's `index`.
int32_t tg_plan_builder_variable(tg_plan_builder *builder, const char *name, int64_t rows, int64_t cols);
// The DIRECTION, GRADIENT or HESSIAN buffer of block `index`, of that block's shape; made at the first call.
int32_t tg_plan_builder_block(tg_plan_builder *builder, tg_buffer_kind kind, int32_t index);
// A CONSTANT, STATE or TEMP buffer with storage of its own.
int32_t tg_plan_builder_buffer(tg_plan_builder *builder, tg_buffer_kind kind, int64_t rows, int64_t cols,
                               const char *name);
// Lets the TEMP buffer `buffer` share the storage of the TEMP buffer `with` (equal shapes, disjoint lives).
// Storage ids that nothing uses any more are removed by finish.
void tg_plan_builder_share(tg_plan_builder *builder, int32_t buffer, int32_t with);
// The record of a buffer made so far; one of size 0 x 0 for an unknown id, such as the -1 of a failed addition.
// Valid until the next addition.
const tg_plan_buffer *tg_plan_builder_buffer_info(const tg_plan_builder *builder, int32_t buffer);

// A register that programs write.
int32_t tg_plan_builder_register(tg_plan_builder *builder);
// A register with a fixed content: a literal or one of the job's scalars. No program may write it.
int32_t tg_plan_builder_constant(tg_plan_builder *builder, double value);
// A factorisation of an n x n matrix, for solves; for another use.
int32_t tg_plan_builder_factor(tg_plan_builder *builder, int64_t n);
int32_t tg_plan_builder_factor_for(tg_plan_builder *builder, tg_plan_factor factor);

// Coefficients.
tg_coef tg_coef_number(double value);
tg_coef tg_coef_register(double value, int32_t reg); // value * registers[reg]

// Appends a copy of the instruction (its arrays too) to a program. All fields count; in a zeroed tg_instr that
// is written by hand, alpha = {0, 0} would read register 0, so start from tg_instr_make.
void tg_plan_builder_append(tg_plan_builder *builder, tg_program_id program, const tg_instr *instr);
// An instruction with no inputs, alpha = 1, beta = 0, factor = -1.
tg_instr tg_instr_make(tg_opcode op, int32_t out);

// Roots. f; t of ADVANCE; coefficient of t^k of the line, k = 1..degree; the degree of f (-1: not polynomial).
void tg_plan_builder_set_value(tg_plan_builder *builder, int32_t reg);
void tg_plan_builder_set_step(tg_plan_builder *builder, int32_t reg);
void tg_plan_builder_set_degree(tg_plan_builder *builder, int32_t degree);
void tg_plan_builder_set_line(tg_plan_builder *builder, int32_t power, int32_t reg);

// Hands the plan over, verified (tg_plan_verify), and empties the builder; destroy it all the same. has_line is
// set when all of line 1..degree are, has_state when REFRESH has instructions, has_hessian when HESSIAN has.
tg_status tg_plan_builder_finish(tg_plan_builder *builder, tg_plan **out);

#endif
