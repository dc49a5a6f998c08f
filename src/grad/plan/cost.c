// The cost of instructions and programs on a process grid.
#include "grad/plan/cost.h"

#include <inttypes.h>
#include <math.h>

#include "grad/plan/cost_layout.h"
#include "grad/plan/cost_parts.h"
#include "grad/plan/cost_product.h"

tg_cost_machine tg_cost_machine_default(void)
{
  return (tg_cost_machine){.flops_per_thread = 30e9, .link_bytes = 10e9, .memory_bytes = 10e9, .latency_sec = 2e-6};
}

tg_status tg_cost_check_machine(const tg_cost_machine *machine)
{
  if (!(machine->flops_per_thread > 0) || !(machine->link_bytes > 0) || !(machine->memory_bytes > 0) ||
      !(machine->latency_sec >= 0))
    TG_FAIL(TG_VALUE, "a machine of %g flops/s, %g and %g bytes/s, %g s latency", machine->flops_per_thread,
            machine->link_bytes, machine->memory_bytes, machine->latency_sec);
  return TG_OK;
}

static double local_bytes(const tg_plan *plan, const tg_cost_grid *grid, int32_t buffer)
{
  return 8 * tg_cost_local_entries(grid, plan->buffers[buffer].rows, plan->buffers[buffer].cols);
}

// ---- factorisations: leading terms, as for products whose panels are half as long on the average ----

void tg_cost_add_factor(const tg_cost_grid *grid, int64_t n, bool has_pivots, tg_cost *out)
{
  const double steps = (double)((n + grid->block - 1) / grid->block);
  const double along_row = (double)(grid->cols - 1);
  const double along_col = (double)(grid->rows - 1);
  out->rank_flops = out->flops / tg_cost_ranks(grid);
  out->memory_bytes += 3 * 8 * tg_cost_local_entries(grid, n, n);
  if (tg_cost_ranks(grid) == 1) return;
  out->latencies += steps * (tg_cost_tree_depth(grid->rows) + tg_cost_tree_depth(grid->cols));
  out->bytes_sent += 8 * tg_cost_area(n, n) / 2 * (along_row + along_col);
  // LU looks for a pivot in every column.
  if (has_pivots) out->latencies += (double)n * tg_cost_tree_depth(grid->rows);
}

static void add_factor(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  tg_cost_add_factor(grid, plan->factors[instr->out].rows, instr->op == TG_OP_LU, out);
}

// To two or three diagonals a column at a time, half of it at the speed of memory, and back to the vectors: the
// messages of some four factorisations.
static void add_decomposition(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  const tg_plan_factor *factor = &plan->factors[instr->out];
  const int64_t n = factor->rows < factor->cols ? factor->rows : factor->cols;
  const double column = tg_cost_local_entries(grid, factor->rows, factor->cols);
  tg_cost part = {.flops = out->flops};
  tg_cost_add_factor(grid, factor->rows > factor->cols ? factor->rows : factor->cols, true, &part);
  out->rank_flops = out->flops / tg_cost_ranks(grid);
  out->memory_bytes += 8 * column * (double)n / 3;
  out->bytes_sent += 4 * part.bytes_sent;
  out->latencies += 4 * part.latencies;
}

// The factor goes along the rows, the right-hand sides along the columns.
void tg_cost_add_solve(const tg_cost_grid *grid, int64_t n, int64_t rows, int64_t cols, tg_cost *out)
{
  const double steps = 2 * (double)((n + grid->block - 1) / grid->block);
  out->rank_flops = out->flops / tg_cost_ranks(grid);
  if (tg_cost_ranks(grid) == 1) return;
  out->latencies += steps * (tg_cost_tree_depth(grid->rows) + tg_cost_tree_depth(grid->cols));
  out->bytes_sent +=
      8 * (tg_cost_area(n, n) * (double)(grid->cols - 1) + 2 * tg_cost_area(rows, cols) * (double)(grid->rows - 1));
}

static void add_solve(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  const tg_plan_buffer *x = &plan->buffers[instr->out];
  tg_cost_add_solve(grid, plan->factors[instr->factor].rows, x->rows, x->cols, out);
}

// ---- the rest ----

// Every rank's part goes to every rank (the sums of a program travel together: see tg_plan_cost).
static void add_sum(const tg_cost_grid *grid, tg_cost *out)
{
  out->bytes_sent += 8 * tg_cost_ranks(grid) * (tg_cost_ranks(grid) - 1);
}

// A vector along one side of the grid goes along the other.
static void add_spreads(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  for (int32_t k = 0; k < instr->n_code; k++) {
    const tg_code *step = &instr->code[k];
    if (step->op != TG_CODE_ROW && step->op != TG_CODE_COL) continue;
    const tg_plan_buffer *vector = &plan->buffers[instr->in[step->operand]];
    const int64_t others = step->op == TG_CODE_ROW ? grid->cols : grid->rows;
    out->bytes_sent += 8 * tg_cost_area(vector->rows, vector->cols) * (double)(others - 1);
    out->latencies += tg_cost_tree_depth(others);
  }
}

static void add_moves(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  const double others = tg_cost_ranks(grid) - 1;
  double gathered = 0;
  switch (instr->op) {
  case TG_OP_SLICE:
  case TG_OP_RESHAPE: // packets of a value and its place
    out->bytes_sent += 16 * tg_cost_area(plan->buffers[instr->out].rows, plan->buffers[instr->out].cols) * others /
                       tg_cost_ranks(grid);
    out->latencies += others;
    return;
  case TG_OP_DIAG:
  case TG_OP_DIAGVEC:
    gathered = (double)plan->buffers[instr->in[0]].rows;
    break;
  case TG_OP_LOGSUMEXP: // the largest of each sum to all, the sums to their owners
    gathered = 2 * tg_cost_area(plan->buffers[instr->out].rows, plan->buffers[instr->out].cols);
    break;
  case TG_OP_KRON:
    gathered = tg_cost_area(plan->buffers[instr->in[0]].rows, plan->buffers[instr->in[0]].cols);
    gathered += tg_cost_area(plan->buffers[instr->in[1]].rows, plan->buffers[instr->in[1]].cols);
    break;
  case TG_OP_KRON_LEFT:
  case TG_OP_KRON_RIGHT:
    gathered = tg_cost_area(plan->buffers[instr->in[1]].rows, plan->buffers[instr->in[1]].cols);
    gathered += tg_cost_area(plan->buffers[instr->out].rows, plan->buffers[instr->out].cols);
    break;
  default:
    return;
  }
  out->bytes_sent += 8 * gathered * others;
  out->latencies += 2 * tg_cost_tree_depth((int64_t)tg_cost_ranks(grid));
}

static void add_messages(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid, tg_cost *out)
{
  switch (instr->op) {
  case TG_OP_GEMM:
    tg_cost_add_product(grid, tg_cost_gemm_of(plan, instr), out);
    break;
  case TG_OP_TRANSPOSE:
    tg_cost_add_transposition(grid, plan->buffers[instr->in[0]].rows, plan->buffers[instr->in[0]].cols, out);
    break;
  case TG_OP_CHOLESKY:
  case TG_OP_LU:
    add_factor(plan, instr, grid, out);
    break;
  case TG_OP_EIGEN:
  case TG_OP_SVD:
    add_decomposition(plan, instr, grid, out);
    break;
  case TG_OP_SOLVE:
  case TG_OP_INVERSE:
    add_solve(plan, instr, grid, out);
    break;
  case TG_OP_EWSUM:
    add_spreads(plan, instr, grid, out);
    add_sum(grid, out);
    break;
  case TG_OP_ENTRYWISE:
    add_spreads(plan, instr, grid, out);
    break;
  case TG_OP_DOT:
  case TG_OP_TRACE:
  case TG_OP_FETCH:
    add_sum(grid, out);
    break;
  default:
    add_moves(plan, instr, grid, out);
  }
}

static bool is_compute_bound(tg_opcode op)
{
  return op == TG_OP_GEMM || op == TG_OP_CHOLESKY || op == TG_OP_LU || op == TG_OP_SOLVE || op == TG_OP_INVERSE ||
         op == TG_OP_EIGEN || op == TG_OP_SVD;
}

void tg_cost_add_seconds(const tg_cost_grid *grid, const tg_cost_machine *machine, bool is_compute_bound, tg_cost *out)
{
  const double arithmetic = out->rank_flops / (machine->flops_per_thread * grid->threads);
  const double memory = out->memory_bytes / machine->memory_bytes;
  const double link = out->bytes_sent / tg_cost_ranks(grid) / machine->link_bytes;
  out->seconds = is_compute_bound ? fmax(arithmetic, fmax(memory, link)) : memory + link;
  out->seconds += out->latencies * machine->latency_sec;
}

tg_status tg_instr_cost(const tg_plan *plan, const tg_instr *instr, const tg_cost_grid *grid,
                        const tg_cost_machine *machine, tg_cost *out)
{
  *out = (tg_cost){.products = tg_instr_is_product(instr), .flops = tg_instr_flops(plan, instr)};
  TG_TRY(tg_cost_check_grid(grid));
  TG_TRY(tg_cost_check_machine(machine));
  for (int32_t k = 0; k < instr->n_in && instr->op != TG_OP_TRANSPOSE; k++)
    out->memory_bytes += local_bytes(plan, grid, instr->in[k]);
  if (tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER && instr->op != TG_OP_TRANSPOSE)
    out->memory_bytes += local_bytes(plan, grid, instr->out) * (instr->beta != 0.0 ? 2 : 1);
  add_messages(plan, instr, grid, out);
  if (!is_compute_bound(instr->op)) out->rank_flops = out->flops / tg_cost_ranks(grid);
  tg_cost_add_seconds(grid, machine, is_compute_bound(instr->op), out);
  return TG_OK;
}

void tg_cost_accumulate(const tg_cost *part, tg_cost *sum)
{
  sum->products += part->products;
  sum->flops += part->flops;
  sum->rank_flops += part->rank_flops;
  sum->bytes_sent += part->bytes_sent;
  sum->product_bytes += part->product_bytes;
  sum->messages += part->messages;
  sum->latencies += part->latencies;
  sum->memory_bytes += part->memory_bytes;
  sum->seconds += part->seconds;
}

static bool is_sum(tg_opcode op)
{
  return op == TG_OP_DOT || op == TG_OP_TRACE || op == TG_OP_EWSUM || op == TG_OP_FETCH;
}

tg_status tg_plan_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                       const tg_cost_machine *machine, tg_cost *out)
{
  bool has_sum = false;
  *out = (tg_cost){0};
  TG_TRY(tg_cost_check_grid(grid));
  TG_TRY(tg_cost_check_machine(machine));
  for (int32_t k = 0; k < plan->programs[program].n_instrs; k++) {
    const tg_instr *instr = &plan->programs[program].instrs[k];
    tg_cost part;
    TG_TRY(tg_instr_cost(plan, instr, grid, machine, &part));
    tg_cost_accumulate(&part, out);
    has_sum = has_sum || is_sum(instr->op);
  }
  // The sums of a program wait for one another: usually one collective resolves them all.
  if (has_sum) {
    out->latencies += tg_cost_tree_depth((int64_t)tg_cost_ranks(grid));
    out->seconds += tg_cost_tree_depth((int64_t)tg_cost_ranks(grid)) * machine->latency_sec;
  }
  return TG_OK;
}

// ---- the dump ----

void tg_cost_print_columns(const tg_cost *cost, const tg_cost_grid *grid, tg_text *out)
{
  tg_text_addf(out, "%10.3g  ", cost->flops);
  const size_t begin = out->length;
  tg_text_add_bytes_unit(out, cost->bytes_sent / tg_cost_ranks(grid));
  while (tg_text_status(out) == TG_OK && out->length < begin + 11) tg_text_add(out, " ");
  tg_text_addf(out, "%9.3g  %9.3g\n", cost->latencies, cost->seconds);
}

void tg_cost_print_title(const char *title, tg_text *out)
{
  tg_text_addf(out, "%-59s%10s  %-11s%9s  %9s\n", title, "flops", "sent/rank", "latencies", "seconds");
}

tg_status tg_plan_dump_cost(const tg_plan *plan, tg_program_id program, const tg_cost_grid *grid,
                            const tg_cost_machine *machine, tg_text *out)
{
  tg_cost total;
  TG_TRY(tg_plan_cost(plan, program, grid, machine, &total));
  tg_cost_print_title(tg_program_label(program), out);
  for (int32_t k = 0; k < plan->programs[program].n_instrs; k++) {
    const tg_instr *instr = &plan->programs[program].instrs[k];
    tg_cost part;
    TG_TRY(tg_instr_cost(plan, instr, grid, machine, &part));
    tg_plan_dump_instr(plan, instr, out);
    tg_cost_print_columns(&part, grid, out);
  }
  tg_text_addf(out, "  %-57s", "total");
  tg_cost_print_columns(&total, grid, out);
  return tg_text_status(out);
}
