// Peak memory of a rank: operands, points, storage, factors and the scratch of the operations.
#include "grad/plan/cost.h"
#include <math.h>

#include "grad/plan/cost_layout.h"
#include "grad/plan/cost_product.h"

// Scratch is kept in slots that grow to the largest need; operations share them.
typedef enum slot {
  SLOT_VECTORS,
  SLOT_CONSTANTS,
  SLOT_PANEL_A,
  SLOT_PANEL_B,
  SLOT_PANEL_C,
  SLOT_TRANSPOSED,
  SLOT_TURNED,
  SLOT_PACK,
  SLOT_SEND,
  SLOT_RECEIVE,
  SLOT_INDEX,
  SLOT_COUNT
} slot;

typedef struct scratch {
  const tg_plan *plan;
  const tg_cost_grid *grid;
  double numbers[SLOT_COUNT];
} scratch;

static void need(scratch *s, slot where, double numbers)
{
  if (numbers > s->numbers[where]) s->numbers[where] = numbers;
}

// A piece to send and a piece to receive.
static void need_transposition(scratch *s, int64_t rows, int64_t cols)
{
  const double piece = tg_cost_transposition_scratch(s->grid, rows, cols);
  need(s, SLOT_SEND, piece);
  need(s, SLOT_RECEIVE, piece);
}

static void need_gemm(scratch *s, tg_cost_gemm gemm)
{
  const tg_cost_gemm_scratch wanted = tg_cost_gemm_scratch_of(s->grid, gemm);
  for (int b = 0; b < 3; b++) need(s, SLOT_PANEL_A + (slot)b, wanted.panels[b]);
  need(s, SLOT_TRANSPOSED, wanted.transposed);
  need(s, SLOT_PACK, wanted.packed);
  need(s, SLOT_SEND, wanted.exchanged);
  need(s, SLOT_RECEIVE, wanted.exchanged);
  need(s, SLOT_INDEX, wanted.counts);
}

// Broadcast vectors, and the constants of long code.
static void need_code(scratch *s, const tg_instr *instr, const tg_plan_buffer *shape)
{
  enum { SHORT_CODE = 24, RUN = 256 };
  bool spread = false;
  for (int32_t k = 0; k < instr->n_code; k++)
    spread = spread || instr->code[k].op == TG_CODE_ROW || instr->code[k].op == TG_CODE_COL;
  if (instr->n_code > SHORT_CODE) need(s, SLOT_CONSTANTS, (double)instr->n_code * RUN);
  if (!spread) return;
  const int64_t rows = tg_cost_share(shape->rows, s->grid->block, 0, s->grid->rows);
  const int64_t cols = tg_cost_share(shape->cols, s->grid->block, 0, s->grid->cols);
  need(s, SLOT_VECTORS, (double)(rows > cols ? rows : cols) * instr->n_in);
}

// Packets of two numbers, in rounds: sorted and unsorted ones, all that may come, receivers and counts.
static void need_exchange(scratch *s)
{
  enum { ROUND_ENTRIES = 1 << 18, ROUND_LEAST = 1 << 10 };
  const double size = tg_cost_ranks(s->grid);
  const double share = (double)(int64_t)(ROUND_ENTRIES / size);
  const double per_round = share > ROUND_LEAST ? share : ROUND_LEAST;
  need(s, SLOT_PACK, 2 * per_round);
  need(s, SLOT_SEND, 2 * per_round);
  need(s, SLOT_RECEIVE, 2 * per_round * size);
  need(s, SLOT_INDEX, per_round + 2 * size);
}

// A run of whole columns.
static double column_panel(const tg_plan_buffer *buffer)
{
  enum { PANEL_ENTRIES = 1 << 20 };
  int64_t width = PANEL_ENTRIES / buffer->rows;
  if (width > buffer->cols) width = buffer->cols;
  return (double)buffer->rows * (double)(width < 1 ? 1 : width);
}

// Whether some program makes, or reads, the factor by the operation.
static bool factor_meets(const tg_plan *plan, int32_t factor, tg_opcode op)
{
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++) {
      const tg_instr *instr = &plan->programs[p].instrs[k];
      if (instr->op == op && (op == TG_OP_LU ? instr->out : instr->factor) == factor) return true;
    }
  return false;
}

// What pdpotri and pdgetri want, and a copy where half a symmetric inverse is transposed, or an inverse of LU.
static void need_inverse(scratch *s, const tg_instr *instr)
{
  const int64_t n = s->plan->factors[instr->factor].rows;
  const int64_t block = s->grid->block;
  const bool by_lu = factor_meets(s->plan, instr->factor, TG_OP_LU);
  // For log det LU may turn out to be Cholesky.
  const bool by_cholesky = !by_lu || factor_meets(s->plan, instr->factor, TG_OP_LOGDET);
  if ((by_cholesky && tg_cost_ranks(s->grid) > 1) || (by_lu && instr->trans[0])) {
    need(s, SLOT_TURNED, tg_cost_most_entries(s->grid, n, n));
    need_transposition(s, n, n);
  }
  if (!by_lu) return;
  const int64_t longest = n + block * s->grid->rows;
  const int64_t blocks = (tg_cost_share(longest, block, 0, s->grid->rows) + block - 1) / block;
  const int64_t integers = tg_cost_share(longest, block, 0, s->grid->cols) + block * (blocks + 1);
  need(s, SLOT_PACK, (double)((tg_cost_share(n, block, 0, s->grid->rows) + block) * block));
  need(s, SLOT_INDEX, (double)((integers + 1) / 2));
}

static void need_logsumexp(scratch *s, const tg_plan_buffer *in, const tg_plan_buffer *out)
{
  const bool by_rows = out->cols == 1 && out->rows > 1;
  const double sums = (double)(by_rows ? tg_cost_share(in->rows, s->grid->block, 0, s->grid->rows)
                                       : tg_cost_share(in->cols, s->grid->block, 0, s->grid->cols));
  need(s, SLOT_VECTORS, sums * (double)(2 + (by_rows ? s->grid->cols : s->grid->rows)));
}

// What makes or reads a factor.
static void need_factor(scratch *s, const tg_instr *instr, const tg_plan_buffer *in0)
{
  switch (instr->op) {
  case TG_OP_EIGEN: // its symmetric part
    need_transposition(s, in0->rows, in0->cols);
    break;
  case TG_OP_SOLVE:
    // Solves from the right with LU factors are made on a transposed copy.
    if (!instr->right || !factor_meets(s->plan, instr->factor, TG_OP_LU)) break;
    need(s, SLOT_TURNED, tg_cost_most_entries(s->grid, in0->cols, in0->rows));
    need_transposition(s, in0->rows, in0->cols);
    need_transposition(s, in0->cols, in0->rows);
    break;
  case TG_OP_INVERSE:
    need_inverse(s, instr);
    break;
  case TG_OP_LU: // for log det, the symmetric part is tried first
    if (factor_meets(s->plan, instr->out, TG_OP_LOGDET)) need_transposition(s, in0->rows, in0->cols);
    break;
  default:
    break;
  }
}

static void need_instr(scratch *s, const tg_instr *instr)
{
  const tg_plan_buffer *buffers = s->plan->buffers;
  const tg_plan_buffer *in0 = instr->n_in > 0 ? &buffers[instr->in[0]] : NULL;
  const bool has_out = tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER;
  const tg_plan_buffer *out = has_out ? &buffers[instr->out] : NULL;
  switch (instr->op) {
  case TG_OP_GEMM:
    need_gemm(s, tg_cost_gemm_of(s->plan, instr));
    break;
  case TG_OP_ENTRYWISE:
    need_code(s, instr, out);
    break;
  case TG_OP_EWSUM:
    need_code(s, instr, in0);
    break;
  case TG_OP_DIAG:
    need(s, SLOT_VECTORS, (double)out->rows);
    break;
  case TG_OP_DIAGVEC:
    need(s, SLOT_VECTORS, 2.0 * (double)in0->rows);
    break;
  case TG_OP_LOGSUMEXP:
    need_logsumexp(s, in0, out);
    break;
  case TG_OP_SLICE:
    need_exchange(s);
    break;
  case TG_OP_RESHAPE:
    if (in0->rows != out->rows) need_exchange(s);
    break;
  case TG_OP_TRANSPOSE:
    need_transposition(s, in0->rows, in0->cols);
    break;
  case TG_OP_KRON:
    need(s, SLOT_PANEL_A, column_panel(in0));
    need(s, SLOT_PANEL_B, column_panel(&buffers[instr->in[1]]));
    break;
  case TG_OP_KRON_LEFT:
  case TG_OP_KRON_RIGHT:
    need(s, SLOT_PANEL_A, column_panel(&buffers[instr->in[1]]));
    need(s, SLOT_PANEL_C, column_panel(out));
    break;
  default:
    need_factor(s, instr, in0);
    break;
  }
}

double tg_cost_matrix_bytes(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  return 8 * tg_cost_most_entries(grid, rows, cols);
}

double tg_cost_product_bytes(const tg_cost_grid *grid, int64_t m, int64_t n, int64_t k)
{
  scratch all = {.grid = grid};
  double numbers = 0;
  for (int form = 0; form < 4; form++) {
    const tg_cost_gemm gemm = {.m = m, .n = n, .k = k, .trans_a = (form & 1) != 0, .trans_b = (form & 2) != 0};
    need_gemm(&all, gemm);
  }
  for (int b = 0; b < SLOT_COUNT; b++) numbers += all.numbers[b];
  return 8 * numbers;
}

static void add_buffers(const tg_plan *plan, const tg_cost_grid *grid, tg_memory_cost *out)
{
  const int32_t storages = tg_plan_storage_count(plan);
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &plan->buffers[b];
    const double bytes = tg_cost_matrix_bytes(grid, buffer->rows, buffer->cols);
    if (buffer->kind == TG_BUFFER_DATA) out->data += bytes;
    if (buffer->kind != TG_BUFFER_DATA && buffer->storage < 0) out->points += bytes;
  }
  // One buffer of each storage stands for all: shapes are equal.
  for (int32_t s = 0; s < storages; s++)
    for (int32_t b = 0; b < plan->n_buffers; b++)
      if (plan->buffers[b].storage == s) {
        out->storage += tg_cost_matrix_bytes(grid, plan->buffers[b].rows, plan->buffers[b].cols);
        break;
      }
}

// What pdsyevd asks for forgets what pdormtr needs inside when blocks are large, and its complaint ("parameter 16")
// reaches the terminal but not info: room for its formula beside the vectors that pdsyevd keeps in front. And what
// pdstedc needs on ranks that own less than a block of rows (7 x 1 ranks, n = 10, block 2 overran it): given to all
// that own less than two.
double tg_cost_syevd_work(int64_t n, int64_t block, int64_t local_rows, int64_t local_cols)
{
  const double update = (double)block * (double)(local_rows + local_cols + 3 * block);
  const int64_t beyond = local_rows < 2 * block || local_cols < 2 * block ? block : 0;
  const double merge = 2 * (double)(local_rows + beyond) * (double)(local_cols + beyond);
  return 10 * (double)n + update + merge;
}

// A little more than its documentation says: rows and columns of the vectors lie on all ranks in turn while the
// rotations are applied.
double tg_cost_gesvd_work(int64_t m, int64_t n, int64_t ranks, int64_t block, int64_t local_rows, int64_t local_cols)
{
  const double lines = (double)((m + ranks - 1) / ranks + (n + ranks - 1) / ranks + 2 * block);
  const double panels = (double)block * (double)(3 * (local_rows + local_cols) + 3 * block + 1);
  return 2 + 6 * (double)(m + n) + panels + (double)local_cols + (double)(m < n ? m : n) * (lines + 4);
}

static double room_of_spectrum(const tg_cost_grid *grid, const tg_plan_factor *f)
{
  const int64_t rows = tg_cost_share(f->rows, grid->block, 0, grid->rows);
  const int64_t cols = tg_cost_share(f->cols, grid->block, 0, grid->cols);
  if (f->use == TG_FACTOR_OF_SVD)
    return 8 * tg_cost_gesvd_work(f->rows, f->cols, grid->rows * grid->cols, grid->block, rows, cols);
  const int64_t n = f->rows < f->cols ? f->rows : f->cols;
  const double integers = 7 * (double)n + 8 * (double)grid->cols + 2;
  return 8 * tg_cost_syevd_work(n, grid->block, rows, cols) + 4 * integers;
}

// The decomposed matrix, the copy that is destroyed, the vectors and the values, and that room.
static double spectrum_bytes(const tg_cost_grid *grid, const tg_plan_factor *f)
{
  const bool is_svd = f->use == TG_FACTOR_OF_SVD;
  const int64_t k = f->rows < f->cols ? f->rows : f->cols;
  const double matrix = tg_cost_most_entries(grid, f->rows, f->cols);
  const double vectors = tg_cost_most_entries(grid, f->rows, k) + (is_svd ? tg_cost_most_entries(grid, k, f->cols) : 0);
  return 8 * (2 * matrix + vectors + (double)k) + room_of_spectrum(grid, f);
}

// The factors, their diagonal and pivots.
static double factor_bytes(const tg_cost_grid *grid, const tg_plan_factor *factor)
{
  const int64_t n = factor->rows;
  if (factor->use != TG_FACTOR_OF_SYSTEM) return spectrum_bytes(grid, factor);
  const double pivots = (double)(tg_cost_share(n, grid->block, 0, grid->rows) + grid->block);
  return 8 * (tg_cost_most_entries(grid, n, n) + (double)n) + (double)sizeof(int) * pivots;
}

tg_status tg_plan_memory(const tg_plan *plan, const tg_cost_grid *grid, tg_memory_cost *out)
{
  *out = (tg_memory_cost){0};
  TG_TRY(tg_cost_check_grid(grid));
  scratch s = {.plan = plan, .grid = grid};
  add_buffers(plan, grid, out);
  for (int32_t k = 0; k < plan->n_factors; k++) out->factors += factor_bytes(grid, &plan->factors[k]);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++) need_instr(&s, &plan->programs[p].instrs[k]);
  for (int k = 0; k < SLOT_COUNT; k++) out->workspace += 8 * s.numbers[k];
  out->total = out->data + out->points + out->storage + out->factors + out->workspace;
  return TG_OK;
}
