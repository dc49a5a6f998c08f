// The meters of the executors, gathered.
#include "engine/run/run_log.h"

#include "base/memory.h"

static int32_t count_rows(const tg_exec *exec)
{
  const tg_plan *plan = tg_exec_plan(exec);
  int32_t count = 0;
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    if (tg_exec_program_usage(exec, (tg_program_id)p)->runs == 0) continue;
    count++;
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++)
      count += tg_exec_step_usage_of(exec, (tg_program_id)p, k)->calls > 0;
  }
  return count;
}

static void add_program(const tg_exec *exec, tg_program_id program, tg_log_row **next, const char *variable)
{
  const tg_plan *plan = tg_exec_plan(exec);
  const tg_exec_usage *usage = tg_exec_program_usage(exec, program);
  tg_log_row *whole = *next;
  if (usage->runs == 0) return;
  *(*next)++ = (tg_log_row){.plan = plan,
                            .variable = variable,
                            .program = program,
                            .operation = -1,
                            .calls = usage->runs,
                            .flops = usage->flops,
                            .seconds = usage->seconds};
  for (int32_t k = 0; k < plan->programs[program].n_instrs; k++) {
    const tg_exec_step_usage *step = tg_exec_step_usage_of(exec, program, k);
    if (step->calls == 0) continue;
    *(*next)++ = (tg_log_row){.plan = plan,
                              .variable = variable,
                              .program = program,
                              .operation = k,
                              .calls = step->calls,
                              .flops = step->flops,
                              .bytes = step->bytes_sent,
                              .seconds = step->seconds};
    whole->bytes += step->bytes_sent;
  }
}

// Two sums and a maximum of each row.
static tg_status reduce(MPI_Comm comm, int32_t n, tg_log_row *rows)
{
  double *numbers = NULL;
  int ranks = 1;
  MPI_Comm_size(comm, &ranks);
  TG_TRY(tg_agree_memory(comm, TG_NEW(3 * (int64_t)n + 1, &numbers), &numbers));
  for (int32_t k = 0; k < n; k++) {
    numbers[k] = rows[k].seconds;
    numbers[n + k] = rows[k].bytes;
    numbers[2 * n + k] = rows[k].seconds;
  }
  tg_status status = tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, numbers, 2 * n, MPI_DOUBLE, MPI_SUM, comm), TG_HERE);
  if (status == TG_OK)
    status =
        tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, numbers + 2 * (ptrdiff_t)n, n, MPI_DOUBLE, MPI_MAX, comm), TG_HERE);
  for (int32_t k = 0; k < n && status == TG_OK; k++) {
    rows[k].mean_seconds = numbers[k] / ranks;
    rows[k].bytes = numbers[n + k];
    rows[k].seconds = numbers[2 * n + k];
  }
  tg_free(numbers);
  return status;
}

tg_status tg_run_log_add(MPI_Comm comm, const tg_exec *exec, const char *variable, tg_run_log *log)
{
  const int32_t added = count_rows(exec);
  tg_log_row *rows = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW((int64_t)log->n_rows + added + 1, &rows), &rows));
  for (int32_t k = 0; k < log->n_rows; k++) rows[k] = log->rows[k];
  tg_free(log->rows);
  log->rows = rows;
  tg_log_row *next = rows + log->n_rows;
  log->n_rows += added;
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) add_program(exec, (tg_program_id)p, &next, variable);
  return reduce(comm, added, rows + log->n_rows - added);
}

double tg_run_log_seconds(const tg_run_log *log)
{
  double seconds = 0;
  for (int32_t k = 0; k < log->n_rows; k++)
    if (log->rows[k].operation < 0) seconds += log->rows[k].seconds;
  return seconds;
}

double tg_log_row_imbalance(const tg_log_row *row)
{
  return row->mean_seconds > 0 ? row->seconds / row->mean_seconds : 1;
}

void tg_run_log_fini(tg_run_log *log)
{
  tg_free(log->rows);
  *log = (tg_run_log){0};
}
