// The executor's operations on factorisations.
#include "mpi/exec/exec_parts.h"
#include "mpi/factor/factor.h"
#include "mpi/factor/spectrum.h"

tg_status tg_exec_create_factors(tg_exec *exec)
{
  const tg_plan *plan = exec->plan;
  for (int32_t k = 0; k < plan->n_factors; k++) {
    const tg_plan_factor *factor = &plan->factors[k];
    if (factor->use == TG_FACTOR_OF_SYSTEM)
      TG_TRY(tg_factor_create(exec->grid, factor->rows, &exec->factors[k]));
    else
      TG_TRY(tg_spectrum_create(exec->grid, factor, &exec->spectra[k]));
  }
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t i = 0; i < plan->programs[p].n_instrs; i++) {
      const tg_instr *instr = &plan->programs[p].instrs[i];
      if (instr->op == TG_OP_LOGDET) exec->factors[instr->factor]->for_logdet = true;
    }
  return TG_OK;
}

void tg_exec_destroy_factors(tg_exec *exec)
{
  for (int32_t k = 0; exec->factors != NULL && k < exec->plan->n_factors; k++) tg_factor_destroy(&exec->factors[k]);
  for (int32_t k = 0; exec->spectra != NULL && k < exec->plan->n_factors; k++) tg_spectrum_destroy(&exec->spectra[k]);
}

int64_t tg_exec_factor_bytes(const tg_exec *exec)
{
  int64_t bytes = 0;
  for (int32_t k = 0; k < exec->plan->n_factors; k++)
    bytes += exec->factors[k] != NULL ? tg_factor_bytes(exec->factors[k]) : tg_spectrum_bytes(exec->spectra[k]);
  return bytes;
}

tg_status tg_exec_decompose(tg_exec *exec, const tg_instr *instr)
{
  return tg_spectrum_make(exec->spectra[instr->out], exec->in[0], exec->workspace);
}

tg_status tg_exec_vectors(tg_exec *exec, const tg_instr *instr)
{
  return tg_spectrum_vectors(exec->spectra[instr->factor], instr->trans[0], exec->buffers[instr->out]);
}

tg_status tg_exec_values(tg_exec *exec, const tg_instr *instr)
{
  return tg_spectrum_values(exec->spectra[instr->factor], (tg_domain)instr->dims[0], exec->buffers[instr->out]);
}

tg_status tg_exec_cholesky(tg_exec *exec, const tg_instr *instr)
{
  return tg_factor_cholesky(exec->factors[instr->out], exec->in[0]);
}

tg_status tg_exec_lu(tg_exec *exec, const tg_instr *instr)
{
  tg_factor *factor = exec->factors[instr->out];
  if (factor->for_logdet) return tg_factor_for_logdet(factor, exec->in[0], exec->workspace);
  return tg_factor_lu(factor, exec->in[0]);
}

tg_status tg_exec_solve(tg_exec *exec, const tg_instr *instr)
{
  return tg_factor_solve(exec->factors[instr->factor], instr->trans[0], instr->right, exec->in[0],
                         exec->buffers[instr->out], exec->workspace);
}

tg_status tg_exec_inverse(tg_exec *exec, const tg_instr *instr)
{
  return tg_factor_inverse(exec->factors[instr->factor], instr->trans[0], exec->buffers[instr->out], exec->workspace);
}

tg_status tg_exec_logdet(tg_exec *exec, const tg_instr *instr)
{
  double value = 0;
  TG_TRY(tg_factor_logdet(exec->factors[instr->factor], &value));
  return tg_registers_set(&exec->registers, instr->out, value);
}

tg_status tg_exec_det(tg_exec *exec, const tg_instr *instr)
{
  double value = 0;
  TG_TRY(tg_factor_det(exec->factors[instr->factor], &value));
  return tg_registers_set(&exec->registers, instr->out, value);
}
