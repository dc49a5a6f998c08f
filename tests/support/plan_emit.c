// Instructions of plans made by hand.
#include "support/plan_emit.h"

void plan_emit_gemm(tg_plan_builder *builder, tg_program_id program, int32_t out, tg_coef alpha, int32_t a,
                    bool trans_a, int32_t b, bool trans_b, double beta)
{
  tg_instr instr = tg_instr_make(TG_OP_GEMM, out);
  const int32_t in[2] = {a, b};
  instr.n_in = 2;
  instr.in = in;
  instr.alpha = alpha;
  instr.beta = beta;
  instr.trans[0] = trans_a;
  instr.trans[1] = trans_b;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_lincomb(tg_plan_builder *builder, tg_program_id program, int32_t out, int32_t n, const tg_coef *coefs,
                       const int32_t *in)
{
  tg_instr instr = tg_instr_make(TG_OP_LINCOMB, out);
  instr.n_in = n;
  instr.in = in;
  instr.coefs = coefs;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_unary(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t in)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.n_in = 1;
  instr.in = &in;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_binary(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t a, int32_t b)
{
  tg_instr instr = tg_instr_make(op, out);
  const int32_t in[2] = {a, b};
  instr.n_in = 2;
  instr.in = in;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_code(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t n_in,
                    const int32_t *in, int32_t n_code, const tg_code *code)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.n_in = n_in;
  instr.in = in;
  instr.n_code = n_code;
  instr.code = code;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_make(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, tg_coef alpha)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.alpha = alpha;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_comm(tg_plan_builder *builder, tg_program_id program, int32_t out, int64_t m, int64_t n)
{
  tg_instr instr = tg_instr_make(TG_OP_COMM, out);
  instr.dims[0] = m;
  instr.dims[1] = n;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_solve(tg_plan_builder *builder, tg_program_id program, int32_t out, int32_t factor, bool trans,
                     bool right, int32_t in)
{
  tg_instr instr = tg_instr_make(TG_OP_SOLVE, out);
  instr.n_in = 1;
  instr.in = &in;
  instr.factor = factor;
  instr.trans[0] = trans;
  instr.right = right;
  tg_plan_builder_append(builder, program, &instr);
}

void plan_emit_factored(tg_plan_builder *builder, tg_program_id program, tg_opcode op, int32_t out, int32_t factor,
                        bool trans)
{
  tg_instr instr = tg_instr_make(op, out);
  instr.factor = factor;
  instr.trans[0] = trans;
  tg_plan_builder_append(builder, program, &instr);
}
