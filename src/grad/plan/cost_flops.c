// Operation counts of instructions.
#include "grad/plan/cost.h"

static double entries(const tg_plan *plan, int32_t buffer)
{
  return (double)plan->buffers[buffer].rows * (double)plan->buffers[buffer].cols;
}

// Arithmetic steps of a code, pushes not counted.
static double code_steps(const tg_instr *instr)
{
  double steps = 0;
  for (int32_t k = 0; k < instr->n_code; k++) steps += tg_code_arity(instr->code[k].op) > 0;
  return steps;
}

static bool is_made_by_lu(const tg_plan *plan, int32_t factor)
{
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++)
      if (plan->programs[p].instrs[k].op == TG_OP_LU && plan->programs[p].instrs[k].out == factor) return true;
  return false;
}

// Classical operation counts: Golub and Van Loan, Matrix Computations, for the factorisations.
static double factor_flops(const tg_plan *plan, const tg_instr *instr)
{
  const bool makes = tg_opcode_traits(instr->op)->result == TG_RESULT_FACTOR;
  const tg_plan_factor *factor = &plan->factors[makes ? instr->out : instr->factor];
  const double n = (double)(factor->rows < factor->cols ? factor->rows : factor->cols);
  const double m = (double)(factor->rows < factor->cols ? factor->cols : factor->rows);
  switch (instr->op) {
  case TG_OP_EIGEN: // to tridiagonal form, divide and conquer without deflation, back
    return (4.0 / 3 + 4.0 / 3 + 2) * n * n * n;
  case TG_OP_SVD: // to bidiagonal form, rotations of both sides, back
    return 4 * m * n * n - 4.0 / 3 * n * n * n + 6 * (m + n) * n * n + 2 * (m + n) * n * n;
  case TG_OP_CHOLESKY:
    return n * n * n / 3;
  case TG_OP_LU:
    return 2 * n * n * n / 3;
  case TG_OP_SOLVE:
    return 2 * n * entries(plan, instr->in[0]);
  case TG_OP_INVERSE:
    return (is_made_by_lu(plan, instr->factor) ? 4 : 2) * n * n * n / 3;
  default:
    return n; // the determinants: one pass over the diagonal
  }
}

double tg_program_flops(const tg_plan *plan, tg_program_id program)
{
  const tg_program *steps = &plan->programs[program];
  double flops = 0;
  for (int32_t k = 0; k < steps->n_instrs; k++) flops += tg_instr_flops(plan, &steps->instrs[k]);
  return flops;
}

double tg_instr_flops(const tg_plan *plan, const tg_instr *instr)
{
  switch (instr->op) {
  case TG_OP_GEMM: {
    const tg_plan_buffer *a = &plan->buffers[instr->in[0]];
    return 2 * entries(plan, instr->out) * (double)(instr->trans[0] ? a->rows : a->cols);
  }
  case TG_OP_LINCOMB:
    return (2 * (double)instr->n_in - 1) * entries(plan, instr->out);
  case TG_OP_ENTRYWISE:
    return code_steps(instr) * entries(plan, instr->out);
  case TG_OP_EWSUM:
    return (code_steps(instr) + 1) * entries(plan, instr->in[0]);
  case TG_OP_DOT:
  case TG_OP_KRON_LEFT:
  case TG_OP_KRON_RIGHT:
    return 2 * entries(plan, instr->in[0]);
  case TG_OP_TRACE:
    return (double)plan->buffers[instr->in[0]].rows;
  case TG_OP_LOGSUMEXP: // the largest, a difference, its exponential, the sum
    return 4 * entries(plan, instr->in[0]);
  case TG_OP_KRON:
    return entries(plan, instr->out);
  case TG_OP_SCALAR:
    return code_steps(instr);
  case TG_OP_CHOLESKY:
  case TG_OP_LU:
  case TG_OP_EIGEN:
  case TG_OP_SVD:
  case TG_OP_SOLVE:
  case TG_OP_INVERSE:
  case TG_OP_LOGDET:
  case TG_OP_DET:
    return factor_flops(plan, instr);
  default:
    return 0; // data movement
  }
}
