// Where a value that is not finite came from: the program once more, looking at every result.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "mpi/exec/exec_parts.h"

static bool is_finite_here(const tg_dmat *m)
{
  for (int64_t j = 0; j < m->local_cols; j++)
    for (int64_t i = 0; i < m->local_rows; i++)
      if (!isfinite(m->data[i + j * m->ld])) return false;
  return true;
}

// Collective; the same on all ranks.
static tg_status is_finite_everywhere(const tg_exec *exec, const tg_dmat *m, bool *out)
{
  int spoilt = !is_finite_here(m);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &spoilt, 1, MPI_INT, MPI_MAX, exec->grid->comm));
  *out = spoilt == 0;
  return TG_OK;
}

static const char *kind_of(const tg_plan_buffer *buffer)
{
  switch (buffer->kind) {
  case TG_BUFFER_DATA:
    return "the operand ";
  case TG_BUFFER_VARIABLE:
    return "the variable ";
  case TG_BUFFER_DIRECTION:
    return "the direction of ";
  case TG_BUFFER_GRADIENT:
    return "the gradient by ";
  case TG_BUFFER_HESSIAN:
    return "the Hessian action by ";
  default:
    return "";
  }
}

// Notes the instruction when the buffer it reads or writes is not finite.
static tg_status look_at(tg_exec *exec, tg_program_id program, int32_t k, int32_t buffer, bool *found)
{
  bool finite = true;
  const tg_plan_buffer *record = &exec->plan->buffers[buffer];
  TG_TRY(is_finite_everywhere(exec, exec->buffers[buffer], &finite));
  *found = !finite;
  if (*found)
    snprintf(exec->reason, sizeof exec->reason, "%s[%" PRId32 "] %s: %s%s has entries that are not finite",
             tg_program_label(program), k, tg_opcode_label(exec->plan->programs[program].instrs[k].op), kind_of(record),
             record->name);
  return TG_OK;
}

// "value[2] ewsum: a scalar becomes nan: sum log(X)". The sign of a nan means nothing and is not shown.
static tg_status name_scalar(tg_exec *exec, tg_program_id program, int32_t k, double value)
{
  const tg_instr *instr = &exec->plan->programs[program].instrs[k];
  tg_text formula;
  tg_text_init(&formula);
  tg_plan_dump_formula(exec->plan, instr, &formula);
  const tg_status status = tg_text_status(&formula);
  snprintf(exec->reason, sizeof exec->reason, "%s[%" PRId32 "] %s: a scalar becomes %g: %s", tg_program_label(program),
           k, tg_opcode_label(instr->op), isnan(value) ? fabs(value) : value, tg_text_string(&formula));
  tg_text_fini(&formula);
  return status;
}

static tg_status look_at_result(tg_exec *exec, tg_program_id program, int32_t k, bool *found)
{
  const tg_instr *instr = &exec->plan->programs[program].instrs[k];
  *found = false;
  switch (tg_opcode_traits(instr->op)->result) {
  case TG_RESULT_BUFFER:
    return look_at(exec, program, k, instr->out, found);
  case TG_RESULT_REGISTER:
    TG_TRY(tg_registers_need(&exec->registers, instr->out));
    *found = !isfinite(exec->registers.values[instr->out]);
    return *found ? name_scalar(exec, program, k, exec->registers.values[instr->out]) : TG_OK;
  default:
    return TG_OK;
  }
}

static tg_status run_and_look(tg_exec *exec, tg_program_id program)
{
  const tg_program *steps = &exec->plan->programs[program];
  bool found = false;
  for (int32_t k = 0; k < steps->n_instrs && !found; k++) {
    const tg_instr *instr = &steps->instrs[k];
    // What came in spoilt is not this instruction's doing.
    for (int32_t i = 0; i < instr->n_in && !found; i++) TG_TRY(look_at(exec, program, k, instr->in[i], &found));
    if (found) break;
    TG_TRY(tg_exec_run_instr(exec, instr));
    TG_TRY(look_at_result(exec, program, k, &found));
  }
  return tg_registers_resolve(&exec->registers);
}

tg_status tg_exec_explain(tg_exec *exec, tg_program_id program)
{
  exec->reason[0] = '\0';
  const tg_status status = run_and_look(exec, program);
  if (status != TG_OK) tg_registers_abandon(&exec->registers);
  return status;
}
