// Instructions with their arguments spelt out, for plans made by hand.
#ifndef TESTS_PLAN_EMIT_H
#define TESTS_PLAN_EMIT_H

#include "grad/plan/plan_builder.h"

void plan_emit_gemm(tg_plan_builder *builder, tg_program_id program, int32_t out, tg_coef alpha, int32_t a,
                    bool trans_a, int32_t b, bool trans_b, double beta);
void plan_emit_lincomb(tg_plan_builder *builder, tg_program_id program, int32_t out, int32_t n, const tg_coef *coefs,
                       const int32_t *in);
// TRANSPOSE, DIAG, DIAGVEC, RESHAPE, TRACE, FETCH, CHOLESKY, LU (in, scaled by alpha where the operation has
// one; out is a buffer, register or factor by the operation).
void plan_emit_unary(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t in);
// DOT, KRON, KRON_LEFT, KRON_RIGHT.
void plan_emit_binary(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t a, int32_t b);
// ENTRYWISE, EWSUM, SCALAR (n_in = 0).
void plan_emit_code(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t n_in,
                    const int32_t *in, int32_t n_code, const tg_code *code);
// FILL, EYE, STORE.
void plan_emit_make(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, tg_coef alpha);
void plan_emit_comm(tg_plan_builder *builder, tg_program_id program, int32_t out, int64_t m, int64_t n);
void plan_emit_solve(tg_plan_builder *builder, tg_program_id program, int32_t out, int32_t factor, bool trans,
                     bool right, int32_t in);
// INVERSE (out a buffer), LOGDET, DET (out a register).
void plan_emit_factored(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t factor,
                        bool trans);

#endif
