// One small function an operation: from the plan's instruction to the numerics.
#include "mpi/exec/exec_parts.h"
#include "mpi/exec/probe.h"

typedef tg_status (*exec_op)(tg_exec *exec, const tg_instr *instr);

static tg_status coef_value(tg_exec *exec, tg_coef coef, double *out)
{
  *out = coef.value;
  if (coef.reg < 0) return TG_OK;
  TG_TRY(tg_registers_need(&exec->registers, coef.reg));
  *out = coef.value * exec->registers.values[coef.reg];
  return TG_OK;
}

// Code over matrices runs now: its registers must be known.
static tg_status resolve_code(tg_exec *exec, const tg_instr *instr)
{
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_REG) TG_TRY(tg_registers_need(&exec->registers, instr->code[k].operand));
  return TG_OK;
}

static tg_dmat *result(const tg_exec *exec, const tg_instr *instr)
{
  return exec->buffers[instr->out];
}

// Keeps the worst residual with the instruction.
static void note_residual(tg_exec *exec, const tg_instr *instr, double residual)
{
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < exec->plan->programs[p].n_instrs; k++)
      if (&exec->plan->programs[p].instrs[k] == instr && residual > exec->residuals[p][k])
        exec->residuals[p][k] = residual;
}

static tg_status product_probed(tg_exec *exec, const tg_instr *instr, bool trans_a, bool trans_b, double alpha)
{
  tg_probe probe;
  double residual = 0;
  tg_dmat *c = result(exec, instr);
  tg_status status = tg_probe_start(trans_a, trans_b, alpha, exec->in[0], exec->in[1], instr->beta, c, &probe);
  if (status == TG_OK)
    status = tg_product(exec->settings.product, trans_a, trans_b, alpha, exec->in[0], exec->in[1], instr->beta, c,
                        exec->workspace, &exec->counters);
  if (status == TG_OK) status = tg_probe_finish(&probe, c, &residual);
  tg_probe_fini(&probe);
  if (status == TG_OK) note_residual(exec, instr, residual);
  return status;
}

static tg_status op_gemm(tg_exec *exec, const tg_instr *instr)
{
  double alpha = 0;
  TG_TRY(coef_value(exec, instr->alpha, &alpha));
  // A symmetric operand needs no transposition, and plain panels are the fastest; on one rank A A is half as dear as
  // A'A.
  const bool is_square = instr->in[0] == instr->in[1] && instr->symmetric[0] && exec->grid->size == 1;
  const bool trans_a = is_square || (instr->trans[0] && !instr->symmetric[0]);
  const bool trans_b = !is_square && instr->trans[1] && !instr->symmetric[1];
  bool made = false;
  TG_TRY(tg_exec_reuse_product(exec, instr, trans_a, trans_b, alpha, &made));
  if (made) return TG_OK;
  if (exec->settings.probe) return product_probed(exec, instr, trans_a, trans_b, alpha);
  return tg_product(exec->settings.product, trans_a, trans_b, alpha, exec->in[0], exec->in[1], instr->beta,
                    result(exec, instr), exec->workspace, &exec->counters);
}

static tg_status op_lincomb(tg_exec *exec, const tg_instr *instr)
{
  for (int32_t k = 0; k < instr->n_in; k++) TG_TRY(coef_value(exec, instr->coefs[k], &exec->coefs[k]));
  return tg_dmat_lincomb(instr->n_in, exec->coefs, exec->in, result(exec, instr));
}

static tg_status op_transpose(tg_exec *exec, const tg_instr *instr)
{
  double alpha = 0;
  TG_TRY(coef_value(exec, instr->alpha, &alpha));
  return tg_dmat_transpose(exec->workspace, alpha, exec->in[0], result(exec, instr));
}

static tg_status op_entrywise(tg_exec *exec, const tg_instr *instr)
{
  TG_TRY(resolve_code(exec, instr));
  return tg_dmat_entrywise(exec->workspace, instr->n_in, exec->in, instr->n_code, instr->code, exec->registers.values,
                           result(exec, instr));
}

static tg_status op_ewsum(tg_exec *exec, const tg_instr *instr)
{
  double part = 0;
  TG_TRY(resolve_code(exec, instr));
  TG_TRY(tg_dmat_entrywise_part(exec->workspace, instr->n_in, exec->in, instr->n_code, instr->code,
                                exec->registers.values, &part));
  return tg_registers_add_sum(&exec->registers, instr->out, part, TG_SUM_UNITS);
}

static tg_status op_dot(tg_exec *exec, const tg_instr *instr)
{
  double part = 0;
  TG_TRY(tg_dmat_dot_part(exec->in[0], exec->in[1], &part));
  return tg_registers_add_sum(&exec->registers, instr->out, part, TG_SUM_UNITS);
}

static tg_status op_trace(tg_exec *exec, const tg_instr *instr)
{
  double part = 0;
  TG_TRY(tg_dmat_trace_part(exec->in[0], &part));
  return tg_registers_add_sum(&exec->registers, instr->out, part, TG_SUM_UNITS);
}

// The owner's entry plus zeros: fetched with the sums instead of by a broadcast of its own.
static tg_status op_fetch(tg_exec *exec, const tg_instr *instr)
{
  const tg_dmat *in = exec->in[0];
  const double part = in->local_rows > 0 && in->local_cols > 0 ? in->data[0] : 0.0;
  return tg_registers_add_sum(&exec->registers, instr->out, part, 0);
}

static tg_status op_store(tg_exec *exec, const tg_instr *instr)
{
  double alpha = 0;
  TG_TRY(coef_value(exec, instr->alpha, &alpha));
  return tg_dmat_store(alpha, result(exec, instr));
}

static tg_status op_scalar(tg_exec *exec, const tg_instr *instr)
{
  return tg_registers_add_scalar(&exec->registers, instr);
}

static tg_status op_fill(tg_exec *exec, const tg_instr *instr)
{
  double alpha = 0;
  TG_TRY(coef_value(exec, instr->alpha, &alpha));
  tg_dmat_fill(alpha, result(exec, instr));
  return TG_OK;
}

static tg_status op_eye(tg_exec *exec, const tg_instr *instr)
{
  double alpha = 0;
  TG_TRY(coef_value(exec, instr->alpha, &alpha));
  tg_dmat_eye(alpha, result(exec, instr));
  return TG_OK;
}

static tg_status op_triangle(tg_exec *exec, const tg_instr *instr)
{
  tg_dmat_triangle(instr->trans[0], result(exec, instr));
  return TG_OK;
}

static tg_status op_logsumexp(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_logsumexp(exec->workspace, exec->in[0], result(exec, instr));
}

static tg_status op_pick(tg_exec *exec, const tg_instr *instr)
{
  tg_dmat_pick(instr->dims[0], result(exec, instr));
  return TG_OK;
}

static tg_status op_slice(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_slice(exec->workspace, exec->in[0], instr->dims[0], instr->dims[1], result(exec, instr));
}

static tg_status op_comm(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_comm(instr->dims[0], instr->dims[1], result(exec, instr));
}

static tg_status op_diag(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_diag(exec->workspace, exec->in[0], result(exec, instr));
}

static tg_status op_diagvec(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_diagvec(exec->workspace, exec->in[0], result(exec, instr));
}

static tg_status op_reshape(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_reshape(exec->workspace, exec->in[0], result(exec, instr));
}

static tg_status op_kron(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_kron(exec->workspace, exec->in[0], exec->in[1], result(exec, instr));
}

static tg_status op_kron_left(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_kron_left(exec->workspace, exec->in[0], exec->in[1], result(exec, instr));
}

static tg_status op_kron_right(tg_exec *exec, const tg_instr *instr)
{
  return tg_dmat_kron_right(exec->workspace, exec->in[0], exec->in[1], result(exec, instr));
}

static const exec_op operations[TG_OPCODE_COUNT] = {
    [TG_OP_GEMM] = op_gemm,
    [TG_OP_LINCOMB] = op_lincomb,
    [TG_OP_TRANSPOSE] = op_transpose,
    [TG_OP_ENTRYWISE] = op_entrywise,
    [TG_OP_EWSUM] = op_ewsum,
    [TG_OP_DOT] = op_dot,
    [TG_OP_TRACE] = op_trace,
    [TG_OP_FETCH] = op_fetch,
    [TG_OP_STORE] = op_store,
    [TG_OP_SCALAR] = op_scalar,
    [TG_OP_FILL] = op_fill,
    [TG_OP_EYE] = op_eye,
    [TG_OP_TRIANGLE] = op_triangle,
    [TG_OP_LOGSUMEXP] = op_logsumexp,
    [TG_OP_PICK] = op_pick,
    [TG_OP_SLICE] = op_slice,
    [TG_OP_COMM] = op_comm,
    [TG_OP_CHOLESKY] = tg_exec_cholesky,
    [TG_OP_LU] = tg_exec_lu,
    [TG_OP_EIGEN] = tg_exec_decompose,
    [TG_OP_SVD] = tg_exec_decompose,
    [TG_OP_VECTORS] = tg_exec_vectors,
    [TG_OP_VALUES] = tg_exec_values,
    [TG_OP_SOLVE] = tg_exec_solve,
    [TG_OP_INVERSE] = tg_exec_inverse,
    [TG_OP_LOGDET] = tg_exec_logdet,
    [TG_OP_DET] = tg_exec_det,
    [TG_OP_DIAG] = op_diag,
    [TG_OP_DIAGVEC] = op_diagvec,
    [TG_OP_RESHAPE] = op_reshape,
    [TG_OP_KRON] = op_kron,
    [TG_OP_KRON_LEFT] = op_kron_left,
    [TG_OP_KRON_RIGHT] = op_kron_right,
};

tg_status tg_exec_dispatch(tg_exec *exec, const tg_instr *instr)
{
  const exec_op run = operations[instr->op];
  if (run == NULL) TG_FAIL(TG_INTERNAL, "operation '%s' cannot be executed", tg_opcode_label(instr->op));
  return run(exec, instr);
}
