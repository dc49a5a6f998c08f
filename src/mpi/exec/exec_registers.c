// Registers whose sums are under way: parts are collected, and one collective resolves them all.
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/exec/exec_parts.h"
#include "mpi/matrix/reduce.h"

tg_status tg_registers_init(tg_registers *registers, const tg_grid *grid, const tg_plan *plan)
{
  *registers = (tg_registers){.grid = grid};
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    if (plan->programs[p].n_instrs > registers->deferred_capacity)
      registers->deferred_capacity = plan->programs[p].n_instrs;
  TG_TRY(TG_NEW(plan->n_registers, &registers->values));
  TG_TRY(TG_NEW(plan->n_registers, &registers->errors));
  TG_TRY(TG_NEW(plan->n_registers, &registers->is_open));
  TG_TRY(TG_NEW(plan->n_registers, &registers->is_awaited));
  TG_TRY(TG_NEW(registers->deferred_capacity, &registers->deferred));
  for (int32_t k = 0; k < plan->n_inits; k++) registers->values[plan->inits[k].reg] = plan->inits[k].value;
  return TG_OK;
}

void tg_registers_fini(tg_registers *registers)
{
  tg_free(registers->values);
  tg_free(registers->errors);
  tg_free(registers->is_open);
  tg_free(registers->is_awaited);
  tg_free(registers->deferred);
  *registers = (tg_registers){0};
}

static void mark_reads(tg_registers *registers, const tg_instr *instr, bool awaited)
{
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_REG) registers->is_awaited[instr->code[k].operand] = awaited;
}

void tg_registers_abandon(tg_registers *registers)
{
  for (int k = 0; k < registers->n_sums; k++) registers->is_open[registers->sum_registers[k]] = false;
  for (int32_t k = 0; k < registers->n_deferred; k++) {
    registers->is_open[registers->deferred[k]->out] = false;
    mark_reads(registers, registers->deferred[k], false);
  }
  registers->n_sums = 0;
  registers->n_deferred = 0;
}

static void assign(tg_registers *registers, int32_t reg, double value, double units)
{
  registers->values[reg] = value;
  registers->errors[reg] = units * DBL_EPSILON * fabs(value);
}

static tg_status evaluate(tg_registers *registers, const tg_instr *instr)
{
  return tg_code_scalar(instr->n_code, instr->code, registers->values, registers->errors,
                        &registers->values[instr->out], &registers->errors[instr->out]);
}

tg_status tg_registers_resolve(tg_registers *registers)
{
  if (registers->n_sums == 0 && registers->n_deferred == 0) return TG_OK;
  const double begin = MPI_Wtime();
  TG_TRY(tg_reduce_sum(registers->grid, registers->n_sums, registers->sums, registers->sums));
  for (int k = 0; k < registers->n_sums; k++)
    assign(registers, registers->sum_registers[k], registers->sums[k], registers->sum_units[k]);
  // A deferred scalar reads sums, which are known now, or scalars that were deferred before it.
  for (int32_t k = 0; k < registers->n_deferred; k++) {
    const tg_instr *instr = registers->deferred[k];
    TG_TRY(evaluate(registers, instr));
  }
  tg_registers_abandon(registers);
  registers->seconds += MPI_Wtime() - begin;
  registers->resolutions++;
  return TG_OK;
}

tg_status tg_registers_need(tg_registers *registers, int32_t reg)
{
  if (reg < 0 || !registers->is_open[reg]) return TG_OK;
  return tg_registers_resolve(registers);
}

// Before a register is written: what is open must not be lost, nor change under a deferred reader.
static tg_status make_writable(tg_registers *registers, int32_t reg)
{
  if (!registers->is_open[reg] && !registers->is_awaited[reg]) return TG_OK;
  return tg_registers_resolve(registers);
}

tg_status tg_registers_add_sum(tg_registers *registers, int32_t reg, double part, double units)
{
  TG_TRY(make_writable(registers, reg));
  if (registers->n_sums == TG_GRID_BATCH) TG_TRY(tg_registers_resolve(registers));
  registers->sum_registers[registers->n_sums] = reg;
  registers->sum_units[registers->n_sums] = units;
  registers->sums[registers->n_sums++] = part;
  registers->is_open[reg] = true;
  return TG_OK;
}

tg_status tg_registers_set(tg_registers *registers, int32_t reg, double value)
{
  TG_TRY(make_writable(registers, reg));
  assign(registers, reg, value, TG_SUM_UNITS);
  return TG_OK;
}

tg_status tg_registers_add_scalar(tg_registers *registers, const tg_instr *instr)
{
  bool reads_open = false;
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_REG) reads_open = reads_open || registers->is_open[instr->code[k].operand];
  TG_TRY(make_writable(registers, instr->out));
  if (!reads_open || registers->n_sums + registers->n_deferred == 0) {
    return evaluate(registers, instr);
  }
  TG_ASSERT(registers->n_deferred < registers->deferred_capacity);
  registers->deferred[registers->n_deferred++] = instr;
  registers->is_open[instr->out] = true;
  mark_reads(registers, instr, true);
  return TG_OK;
}
