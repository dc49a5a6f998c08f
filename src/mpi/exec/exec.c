// The executor: storage, binding, running, timing.
#include "mpi/exec/exec.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "mpi/exec/exec_parts.h"

// ---- creation ----

// All ranks must hold the same plan: a different input file or binary on one node would hang or mix results.
static tg_status compare_plans(const tg_grid *grid, const tg_plan *plan)
{
  const uint64_t mine = tg_plan_hash(plan);
  uint64_t bounds[2] = {mine, ~mine}; // one reduction gives both ends: the maximum of ~h is ~ of the minimum
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, bounds, 2, MPI_UINT64_T, MPI_MAX, grid->comm));
  if (bounds[0] != ~bounds[1])
    TG_FAIL(TG_INTERNAL, "the ranks run different programs: plan %016" PRIx64 " on one, %016" PRIx64 " on another",
            ~bounds[1], bounds[0]);
  return TG_OK;
}

static tg_status check_layout(const tg_exec *exec, const char *name, const tg_plan_buffer *buffer,
                              const tg_dmat *matrix)
{
  if (matrix->rows != buffer->rows || matrix->cols != buffer->cols)
    TG_FAIL(TG_SHAPE, "'%s' is %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64, name, matrix->rows,
            matrix->cols, buffer->rows, buffer->cols);
  if (matrix->grid != exec->grid || matrix->block != exec->grid->block)
    TG_FAIL(TG_INTERNAL, "'%s' has block size %" PRId64 " or another grid, expected %" PRId64 " on the executor's",
            name, matrix->block, exec->grid->block);
  return TG_OK;
}

static tg_status create_storage(tg_exec *exec, tg_dmat *const *data)
{
  const tg_plan *plan = exec->plan;
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &plan->buffers[b];
    if (buffer->kind == TG_BUFFER_DATA) {
      TG_TRY(check_layout(exec, buffer->name, buffer, data[buffer->index]));
      exec->buffers[b] = data[buffer->index];
    }
    if (buffer->storage < 0) continue;
    tg_dmat **storage = &exec->storages[buffer->storage];
    if (*storage == NULL) TG_TRY(tg_dmat_create(exec->grid, buffer->rows, buffer->cols, storage));
    exec->buffers[b] = *storage;
  }
  return TG_OK;
}

static int32_t most_inputs(const tg_plan *plan)
{
  int32_t most = 1;
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++)
      if (plan->programs[p].instrs[k].n_in > most) most = plan->programs[p].instrs[k].n_in;
  return most;
}

static tg_status create_meters(tg_exec *exec, int program)
{
  const size_t count = (size_t)exec->plan->programs[program].n_instrs;
  TG_TRY(TG_ARENA_NEW(&exec->arena, count, &exec->steps[program]));
  TG_TRY(TG_ARENA_NEW(&exec->arena, count, &exec->residuals[program]));
  TG_TRY(TG_ARENA_NEW(&exec->arena, count, &exec->groups[program]));
  for (size_t k = 0; k < count; k++) {
    exec->residuals[program][k] = -1;
    exec->groups[program][k] = tg_exec_fusion_length(exec->plan, &exec->plan->programs[program], (int32_t)k);
  }
  return TG_OK;
}

static tg_status create_tables(tg_exec *exec)
{
  const tg_plan *plan = exec->plan;
  const size_t inputs = (size_t)most_inputs(plan);
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)exec->n_storages, &exec->storages));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_buffers, &exec->buffers));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_factors, &exec->factors));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_factors, &exec->spectra));
  TG_TRY(TG_ARENA_NEW(&exec->arena, inputs, &exec->in));
  TG_TRY(TG_ARENA_NEW(&exec->arena, inputs, &exec->coefs));
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) TG_TRY(create_meters(exec, p));
  return tg_registers_init(&exec->registers, exec->grid, plan);
}

// Everything that can fail on one rank alone.
static tg_status create_local(tg_exec *exec, tg_dmat *const *data)
{
  TG_TRY(create_tables(exec));
  TG_TRY(create_storage(exec, data));
  return tg_workspace_create(exec->grid, &exec->workspace);
}

tg_status tg_exec_create(const tg_grid *grid, const tg_plan *plan, tg_dmat *const *data,
                         const tg_exec_settings *settings, tg_exec **out)
{
  *out = NULL;
  TG_TRY(compare_plans(grid, plan));
  tg_exec *exec = NULL;
  tg_status status = tg_agree(grid->comm, TG_NEW(1, &exec));
  if (status != TG_OK) {
    tg_free(exec); // memory ran out on another rank
    return tg_error_pass(status, TG_HERE);
  }
  exec->grid = grid;
  exec->plan = plan;
  if (settings != NULL) exec->settings = *settings;
  exec->n_storages = tg_plan_storage_count(plan);
  tg_arena_init(&exec->arena);
  status = tg_agree(grid->comm, create_local(exec, data));
  if (status == TG_OK) status = tg_exec_create_factors(exec);
  if (status == TG_OK) status = tg_agree(grid->comm, tg_exec_recall(exec));
  if (status != TG_OK) {
    tg_exec_destroy(&exec);
    return tg_error_pass(status, TG_HERE);
  }
  *out = exec;
  return TG_OK;
}

void tg_exec_destroy(tg_exec **exec)
{
  if (*exec == NULL) return;
  tg_exec *e = *exec;
  for (int32_t s = 0; e->storages != NULL && s < e->n_storages; s++) tg_dmat_destroy(&e->storages[s]);
  tg_exec_destroy_factors(e);
  tg_workspace_destroy(&e->workspace);
  tg_registers_fini(&e->registers);
  tg_arena_fini(&e->arena);
  tg_free(e);
  *exec = NULL;
}

// ---- access ----

tg_status tg_exec_bind(tg_exec *exec, tg_buffer_kind kind, int32_t index, tg_dmat *matrix)
{
  const int32_t id = tg_plan_find_buffer(exec->plan, kind, index);
  if (id < 0) return TG_OK;
  const tg_plan_buffer *buffer = &exec->plan->buffers[id];
  if (buffer->storage >= 0 || kind == TG_BUFFER_DATA)
    TG_FAIL(TG_INTERNAL, "buffer '%s' cannot be bound again", buffer->name);
  TG_TRY(check_layout(exec, buffer->name, buffer, matrix));
  exec->buffers[id] = matrix;
  return TG_OK;
}

double tg_exec_register(const tg_exec *exec, int32_t reg)
{
  return exec->registers.values[reg];
}

double tg_exec_register_error(const tg_exec *exec, int32_t reg)
{
  return exec->registers.errors[reg];
}

void tg_exec_set_register(tg_exec *exec, int32_t reg, double value)
{
  exec->registers.values[reg] = value;
  exec->registers.errors[reg] = 0;
}

tg_dmat *tg_exec_buffer(const tg_exec *exec, int32_t buffer)
{
  return exec->buffers[buffer];
}

const tg_plan *tg_exec_plan(const tg_exec *exec)
{
  return exec->plan;
}

const tg_grid *tg_exec_grid(const tg_exec *exec)
{
  return exec->grid;
}

const char *tg_exec_reason(const tg_exec *exec)
{
  return exec->reason;
}

const tg_exec_usage *tg_exec_program_usage(const tg_exec *exec, tg_program_id program)
{
  return &exec->usage[program];
}

const tg_exec_step_usage *tg_exec_step_usage_of(const tg_exec *exec, tg_program_id program, int32_t k)
{
  return &exec->steps[program][k];
}

bool tg_exec_runs(const tg_exec *exec, tg_program_id program, int32_t k)
{
  return program != TG_PROGRAM_SETUP || exec->is_needed == NULL || exec->is_needed[k];
}

double tg_exec_instr_seconds(const tg_exec *exec, tg_program_id program, int32_t k)
{
  return exec->steps[program][k].seconds;
}

double tg_exec_residual(const tg_exec *exec, tg_program_id program, int32_t k)
{
  return exec->residuals[program][k];
}

const tg_counters *tg_exec_counters(const tg_exec *exec)
{
  return &exec->counters;
}

int64_t tg_exec_bytes(const tg_exec *exec)
{
  int64_t entries = 0;
  for (int32_t s = 0; s < exec->n_storages; s++) {
    const tg_dmat *m = exec->storages[s];
    if (m != NULL) entries += tg_dmat_local_entries(m->grid, m->rows, m->cols, m->block);
  }
  return entries * (int64_t)sizeof(double) + tg_exec_factor_bytes(exec) + tg_workspace_bytes(exec->workspace);
}

// ---- running ----

static tg_status require_bound(const tg_exec *exec, int32_t id)
{
  if (exec->buffers[id] == NULL)
    TG_FAIL(TG_INTERNAL, "buffer '%s' of kind %d is not bound", exec->plan->buffers[id].name,
            (int)exec->plan->buffers[id].kind);
  return TG_OK;
}

tg_status tg_exec_bind_inputs(tg_exec *exec, const tg_instr *instr)
{
  for (int32_t k = 0; k < instr->n_in; k++) {
    TG_TRY(require_bound(exec, instr->in[k]));
    exec->in[k] = exec->buffers[instr->in[k]];
  }
  if (tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER) TG_TRY(require_bound(exec, instr->out));
  return TG_OK;
}

tg_status tg_exec_run_instr(tg_exec *exec, const tg_instr *instr)
{
  TG_TRY(tg_exec_bind_inputs(exec, instr));
  return tg_exec_dispatch(exec, instr);
}

// Instruction k, or the group that begins with it: *n is how many that were, its time is that of the first.
static tg_status run_some(tg_exec *exec, tg_program_id program, int32_t k, int32_t *n)
{
  const tg_instr *instr = &exec->plan->programs[program].instrs[k];
  tg_exec_step_usage *usage = &exec->steps[program][k];
  const double sent = exec->counters.bytes_sent;
  const double begin = MPI_Wtime();
  // Where some of SETUP is left out, the others run one by one.
  *n = program == TG_PROGRAM_SETUP && exec->is_needed != NULL ? 1 : exec->groups[program][k];
  if (*n > 1 && !tg_exec_fusion_pays(exec, instr)) *n = 1;
  const tg_status status = *n > 1 ? tg_exec_run_fusion(exec, instr, *n) : tg_exec_run_instr(exec, instr);
  usage->calls++;
  usage->seconds += MPI_Wtime() - begin;
  usage->bytes_sent += exec->counters.bytes_sent - sent;
  for (int32_t i = 0; i < *n; i++) usage->flops += tg_instr_flops(exec->plan, instr + i);
  if (status == TG_OK) return TG_OK;
  tg_error_prefix("%s[%" PRId32 "] %s", tg_program_label(program), k, tg_opcode_label(instr->op));
  return tg_error_pass(status, TG_HERE);
}

static tg_status run_instrs(tg_exec *exec, tg_program_id program)
{
  const tg_program *steps = &exec->plan->programs[program];
  tg_exec_usage *usage = &exec->usage[program];
  for (int32_t k = 0; k < steps->n_instrs;) {
    int32_t n = 0;
    if (!tg_exec_runs(exec, program, k)) {
      k++;
      continue;
    }
    TG_TRY(run_some(exec, program, k, &n));
    for (; n > 0; n--, k++) {
      usage->products += tg_instr_is_product(&steps->instrs[k]);
      usage->flops += tg_instr_flops(exec->plan, &steps->instrs[k]);
    }
  }
  return tg_registers_resolve(&exec->registers);
}

tg_status tg_exec_run(tg_exec *exec, tg_program_id program)
{
  tg_exec_usage *usage = &exec->usage[program];
  const double begin = MPI_Wtime();
  const double reduce_begin = exec->registers.seconds;
  const int64_t resolutions = exec->registers.resolutions;
  tg_status status = run_instrs(exec, program);
  if (status != TG_OK) tg_registers_abandon(&exec->registers);
  if (status == TG_OK && program == TG_PROGRAM_SETUP && exec->settings.memo != NULL)
    status = tg_agree(exec->grid->comm, tg_exec_remember(exec));
  usage->runs++;
  usage->seconds += MPI_Wtime() - begin;
  usage->reduce_seconds += exec->registers.seconds - reduce_begin;
  usage->reductions += exec->registers.resolutions - resolutions;
  return status;
}

// No stale gradient may be taken for one of this point.
static void spoil_gradient(tg_exec *exec)
{
  for (int32_t k = 0; k < exec->plan->n_variables; k++) {
    const int32_t id = tg_plan_find_buffer(exec->plan, TG_BUFFER_GRADIENT, k);
    if (id >= 0 && exec->buffers[id] != NULL) tg_dmat_fill((double)NAN, exec->buffers[id]);
  }
}

tg_status tg_exec_evaluate(tg_exec *exec, tg_program_id program, double *f)
{
  TG_ASSERT(program == TG_PROGRAM_VALUE || program == TG_PROGRAM_GRADIENT || program == TG_PROGRAM_GRADIENT_AT_ZERO);
  const tg_status status = tg_exec_run(exec, program);
  if (status == TG_OK) {
    *f = exec->registers.values[exec->plan->value_register];
    // Once is enough: a line search may meet many such points.
    if (!isfinite(*f) && exec->reason[0] == '\0') return tg_exec_explain(exec, program);
    return TG_OK;
  }
  // Outside the domain: further up than any other value, so that a trial step is shortened.
  *f = (double)INFINITY;
  if (status != TG_NUMERIC) return tg_error_pass(status, TG_HERE);
  memcpy(exec->reason, tg_error_get()->message, sizeof exec->reason);
  tg_error_clear();
  if (program != TG_PROGRAM_VALUE) spoil_gradient(exec);
  return TG_OK;
}
