// Neighbouring passes over matrices of one shape, run tile by tile: what several of them read comes from memory once.
//
// A group is a run of entrywise instructions: LINCOMB, ENTRYWISE, EWSUM, DOT, with SCALAR between them. Entry (i, j) of
// a result depends on the entries (i, j) of the inputs only, so that a tile may go through all of them before the next
// one begins. Sums are collected tile by tile in an order that depends on the local sizes only.
#include <string.h>

#include "mpi/exec/exec_parts.h"

// A tile of some six matrices fits a core's share of the last cache, and is long enough for the calls on it not to
// show: with tiles of 4096 numbers all of the gain goes into them, with 65536 a gradient's passes take 0.87 of the time
// that they take apart. Smaller matrices are cut finer, for the threads.
enum { TILE_SMALLEST = 8192, TILE_LARGEST = 65536, TILES_WANTED = 16 };
enum { MEMBERS = 16, INPUTS = 8, SUMS = 8, CODE_MAX = 24 };

// ---- which instructions go together ----

static bool is_sum(tg_opcode op)
{
  return op == TG_OP_DOT || op == TG_OP_EWSUM;
}

// The buffer whose shape the pass runs over; -1 for what is no pass.
static int32_t shape_of(const tg_instr *instr)
{
  if (instr->n_in < 1 || instr->n_in > INPUTS || instr->n_code > CODE_MAX) return -1;
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_ROW || instr->code[k].op == TG_CODE_COL) return -1; // these send
  if (is_sum(instr->op)) return instr->in[0];
  return instr->op == TG_OP_LINCOMB || instr->op == TG_OP_ENTRYWISE ? instr->out : -1;
}

static bool writes_register(const tg_instr *instr, int32_t reg)
{
  return tg_opcode_traits(instr->op)->result == TG_RESULT_REGISTER && instr->out == reg;
}

// Whether the pass reads a register that one of instrs[0..n) writes: it is known after the group only.
static bool awaits(const tg_instr *pass, const tg_instr *instrs, int32_t n)
{
  for (int32_t i = 0; i < n; i++) {
    for (int32_t k = 0; pass->op == TG_OP_LINCOMB && k < pass->n_in; k++)
      if (pass->coefs[k].reg >= 0 && writes_register(&instrs[i], pass->coefs[k].reg)) return true;
    for (int32_t k = 0; k < pass->n_code; k++)
      if (pass->code[k].op == TG_CODE_REG && writes_register(&instrs[i], pass->code[k].operand)) return true;
  }
  return false;
}

int32_t tg_exec_fusion_length(const tg_plan *plan, const tg_program *program, int32_t first)
{
  const tg_instr *instrs = program->instrs + first;
  int32_t length = 0;
  int passes = 0;
  int sums = 0;
  if (shape_of(instrs) < 0) return 1;
  const tg_plan_buffer *shape = &plan->buffers[shape_of(instrs)];
  for (int32_t k = 0; first + k < program->n_instrs && k < MEMBERS; k++) {
    if (instrs[k].op == TG_OP_SCALAR) continue;
    const int32_t own = shape_of(&instrs[k]);
    if (own < 0 || plan->buffers[own].rows != shape->rows || plan->buffers[own].cols != shape->cols) break;
    if (awaits(&instrs[k], instrs, k)) break;
    sums += is_sum(instrs[k].op);
    if (sums > SUMS) break;
    passes++;
    length = k + 1;
  }
  return passes > 1 ? length : 1;
}

// ---- running ----

typedef struct member {
  const tg_instr *instr;
  const tg_dmat *in[INPUTS];
  tg_dmat *out;
  double coefs[INPUTS];
  int sum; // its place among the sums, -1: none
} member;

typedef struct group {
  int n;
  member members[MEMBERS];
  int n_sums;
  double parts[SUMS][TG_REDUCE_CHUNKS];
} group;

// A rectangle of local entries: some whole columns, or a piece of one.
typedef struct tile {
  int64_t row;
  int64_t rows;
  int64_t col;
  int64_t cols;
} tile;

static tg_status bind_member(tg_exec *exec, const tg_instr *instr, group *g)
{
  member *m = &g->members[g->n++];
  *m = (member){.instr = instr, .sum = is_sum(instr->op) ? g->n_sums++ : -1};
  TG_TRY(tg_exec_bind_inputs(exec, instr));
  memcpy((void *)m->in, (const void *)exec->in, (size_t)instr->n_in * sizeof *m->in);
  if (m->sum < 0) m->out = exec->buffers[instr->out];
  for (int32_t k = 0; instr->op == TG_OP_LINCOMB && k < instr->n_in; k++) {
    const tg_coef coef = instr->coefs[k];
    TG_TRY(tg_registers_need(&exec->registers, coef.reg));
    m->coefs[k] = coef.reg < 0 ? coef.value : coef.value * exec->registers.values[coef.reg];
  }
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_REG) TG_TRY(tg_registers_need(&exec->registers, instr->code[k].operand));
  return TG_OK;
}

static void view_tile(const tg_dmat *matrix, const tile *t, tg_dmat *out)
{
  *out = *matrix;
  out->data = matrix->data + t->row + t->col * matrix->ld;
  out->local_rows = t->rows;
  out->local_cols = t->cols;
}

static tg_status run_on_tile(const double *registers, const member *m, const tile *t, double *part)
{
  const tg_instr *instr = m->instr;
  tg_dmat views[INPUTS + 1];
  const tg_dmat *in[INPUTS];
  for (int32_t k = 0; k < instr->n_in; k++) {
    view_tile(m->in[k], t, &views[k]);
    in[k] = &views[k];
  }
  tg_dmat *out = &views[INPUTS];
  if (m->out != NULL) view_tile(m->out, t, out);
  switch (instr->op) {
  case TG_OP_LINCOMB:
    return tg_dmat_lincomb(instr->n_in, m->coefs, in, out);
  case TG_OP_ENTRYWISE:
    return tg_dmat_entrywise(NULL, instr->n_in, in, instr->n_code, instr->code, registers, out);
  case TG_OP_EWSUM:
    return tg_dmat_entrywise_part(NULL, instr->n_in, in, instr->n_code, instr->code, registers, part);
  default:
    TG_ASSERT(instr->op == TG_OP_DOT);
    return tg_dmat_dot_part(in[0], in[1], part);
  }
}

// The tiles of a local part, column by column; short columns go together.
typedef struct tiling {
  int64_t rows;
  int64_t cols;
  int64_t entries;    // of a tile, at most
  int64_t per_column; // tiles of one column
  int64_t width;      // columns of one tile
  int64_t count;
} tiling;

static tiling tiling_of(const tg_dmat *m)
{
  tiling t = {.rows = m->local_rows, .cols = m->local_cols};
  if (t.rows == 0 || t.cols == 0) return t;
  t.entries = t.rows * t.cols / TILES_WANTED;
  if (t.entries < TILE_SMALLEST) t.entries = TILE_SMALLEST;
  if (t.entries > TILE_LARGEST) t.entries = TILE_LARGEST;
  t.per_column = (t.rows + t.entries - 1) / t.entries;
  t.width = t.rows < t.entries ? t.entries / t.rows : 1;
  t.count = t.per_column * ((t.cols + t.width - 1) / t.width);
  return t;
}

static tile tile_at(const tiling *all, int64_t k)
{
  const int64_t row = k % all->per_column * all->entries;
  const int64_t col = k / all->per_column * all->width;
  return (tile){row, all->rows - row < all->entries ? all->rows - row : all->entries, col,
                all->cols - col < all->width ? all->cols - col : all->width};
}

// Tiles of a chunk one after another; chunks in parallel.
static bool run_chunk(const tg_exec *exec, group *g, const tiling *all, const tg_segments *segments, int64_t chunk)
{
  bool failed = false;
  for (int s = 0; s < g->n_sums; s++) g->parts[s][chunk] = 0;
  for (int64_t k = tg_segments_begin(segments, chunk); k < tg_segments_begin(segments, chunk + 1); k++) {
    const tile t = tile_at(all, k);
    for (int i = 0; i < g->n; i++) {
      const member *m = &g->members[i];
      double part = 0;
      failed = run_on_tile(exec->registers.values, m, &t, &part) != TG_OK || failed;
      if (m->sum >= 0) g->parts[m->sum][chunk] += part;
    }
  }
  return failed;
}

static tg_status run_tiles(tg_exec *exec, group *g)
{
  const tiling all = tiling_of(g->members[0].in[0]);
  const tg_segments segments = tg_segments_make(all.count);
  bool failed = false;
#pragma omp parallel for schedule(static) reduction(|| : failed) if (all.rows * all.cols >= TG_PARALLEL_ENTRIES)
  for (int64_t chunk = 0; chunk < segments.chunks; chunk++)
    failed = run_chunk(exec, g, &all, &segments, chunk) || failed;
  // The plan is verified: shapes and code are as the operations want them.
  if (failed) TG_FAIL(TG_INTERNAL, "a group of entrywise operations fails");
  for (int s = 0; s < g->n_sums; s++) g->parts[s][0] = tg_reduce_pairwise(g->parts[s], segments.chunks);
  return TG_OK;
}

// Sums and scalars enter the registers in the order of the program.
static tg_status hand_over(tg_exec *exec, const group *g, const tg_instr *instrs, int32_t n)
{
  for (int32_t k = 0, i = 0; k < n; k++) {
    if (instrs[k].op == TG_OP_SCALAR) {
      TG_TRY(tg_registers_add_scalar(&exec->registers, &instrs[k]));
      continue;
    }
    const member *m = &g->members[i++];
    if (m->sum >= 0) TG_TRY(tg_registers_add_sum(&exec->registers, instrs[k].out, g->parts[m->sum][0], TG_SUM_UNITS));
  }
  return TG_OK;
}

bool tg_exec_fusion_pays(const tg_exec *exec, const tg_instr *first)
{
  const tg_plan_buffer *shape = &exec->plan->buffers[shape_of(first)];
  return tg_dmat_most_entries(exec->grid, shape->rows, shape->cols, exec->grid->block) / 4 >= TILE_SMALLEST;
}

tg_status tg_exec_run_fusion(tg_exec *exec, const tg_instr *instrs, int32_t n)
{
  group g;
  g.n = 0;
  g.n_sums = 0;
  for (int32_t k = 0; k < n; k++)
    if (instrs[k].op != TG_OP_SCALAR) TG_TRY(bind_member(exec, &instrs[k], &g));
  TG_TRY(run_tiles(exec, &g));
  return hand_over(exec, &g, instrs, n);
}
