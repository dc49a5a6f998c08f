// Entrywise postfix code on matrices: each micro-operation is a loop over a run of entries in the cache.
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grad/divided.h"
#include "grad/entrywise.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

enum { RUN = 256 };

// Everything the threads share while one piece of code runs over one matrix.
typedef struct entry_program {
  int n_code;
  const tg_code *code;
  const tg_dmat *const *in;
  const double *registers;
  const double *constants; // n_code runs of RUN equal numbers, used where code[k] is REG or NUMBER
  const double *vectors;   // the spread parts of ROW and COL operands
  int64_t vector_stride;   // of one operand
  int64_t rows;            // of the local stretches: all of a dense local part, or a column
  int64_t cols;
  bool is_long; // the former
} entry_program;

// --- micro-operations --------------------------------------------------------------------------------

#define EACH(expression)                                    \
  do {                                                      \
    _Pragma("omp simd") for (int64_t i = 0; i < count; i++) \
    {                                                       \
      const double x = a[i];                                \
      y[i] = (expression);                                  \
    }                                                       \
    return;                                                 \
  } while (0)

// y may be a: entry by entry, each is read before it is written.
static void apply_unary(tg_code_op op, const double *a, int64_t count, double *y)
{
  switch (op) {
  case TG_CODE_SQUARE:
    EACH(x * x);
  case TG_CODE_NEG:
    EACH(-x);
  case TG_CODE_SQRT:
    EACH(sqrt(x));
#define TG_ENTRYWISE(KIND, name, value, ...) \
  case TG_CODE_##KIND:                       \
    EACH(value);
#include "grad/entrywise.def"
  default:
    TG_ASSERT(op == TG_CODE_NEG); // no other is left
  }
}

static void apply_binary(tg_code_op op, const double *a, const double *b, int64_t count, double *y)
{
  switch (op) {
  case TG_CODE_ADD:
    EACH(x + b[i]);
  case TG_CODE_SUB:
    EACH(x - b[i]);
  case TG_CODE_MUL:
    EACH(x * b[i]);
  case TG_CODE_DIV:
    EACH(x / b[i]);
  case TG_CODE_POW:
    EACH(pow(x, b[i]));
  case TG_CODE_MAX:
    EACH(x > b[i] || x != x ? x : b[i]); // NaN stays
  case TG_CODE_MIN:
    EACH(x < b[i] || x != x ? x : b[i]);
  default:
    TG_ASSERT(op == TG_CODE_MIN); // the last of the binary ones
  }
}

// Each entry decides by itself: no loop over a run is faster.
static void apply_divided(tg_divided which, const double *a, const double *b, int64_t count, double *y)
{
  for (int64_t i = 0; i < count; i++) y[i] = tg_divided_value(which, a[i], b[i]);
}

static bool is_leaf(tg_code_op op)
{
  return op <= TG_CODE_NUMBER;
}

static bool is_binary(tg_code_op op)
{
  return op >= TG_CODE_ADD && op <= TG_CODE_DIVIDED;
}

// --- the stack machine -------------------------------------------------------------------------------

// A local part that counts as one long column may have gaps between its columns, in the memory of a caller.
static const double *load_run(const entry_program *p, const tg_dmat *m, int64_t i, int64_t j, int64_t count,
                              double *buffer)
{
  if (!p->is_long || m->ld == m->local_rows) return m->data + i + j * m->ld;
  tg_dmat_copy_run(m, i, count, buffer);
  return buffer;
}

// The run of entries that leaf k of the code stands for; COL needs a buffer, the others point at what exists.
static const double *leaf_run(const entry_program *p, int k, int64_t i, int64_t j, int64_t count, double *buffer)
{
  const tg_code *code = &p->code[k];
  if (code->op == TG_CODE_LOAD) return load_run(p, p->in[code->operand], i, j, count, buffer);
  if (code->op == TG_CODE_ROW) return p->vectors + code->operand * p->vector_stride + i;
  if (code->op != TG_CODE_COL) return p->constants + (int64_t)k * RUN;
  const double value = p->vectors[code->operand * p->vector_stride + j];
  for (int64_t e = 0; e < count; e++) buffer[e] = value;
  return buffer;
}

// Runs the code on entries (i .. i + count, j) of the local part; the last operation writes to `result`, which
// may be one of the inputs: all its readers come before in the same run.
static void run_code(const entry_program *p, int64_t i, int64_t j, int64_t count, double *result)
{
  double buffers[TG_CODE_DEPTH][RUN];
  const double *stack[TG_CODE_DEPTH];
  int depth = 0;
  for (int k = 0; k < p->n_code; k++) {
    const tg_code_op op = p->code[k].op;
    if (is_leaf(op)) {
      stack[depth] = leaf_run(p, k, i, j, count, buffers[depth]);
      depth++;
      continue;
    }
    if (is_binary(op)) depth--;
    double *y = k + 1 == p->n_code ? result : buffers[depth - 1];
    if (op == TG_CODE_DIVIDED)
      apply_divided((tg_divided)p->code[k].operand, stack[depth - 1], stack[depth], count, y);
    else if (is_binary(op))
      apply_binary(op, stack[depth - 1], stack[depth], count, y);
    else
      apply_unary(op, stack[depth - 1], count, y);
    stack[depth - 1] = y;
  }
  if (stack[0] != result) memmove(result, stack[0], (size_t)count * sizeof(double));
}

// Every operand exists, the stack neither under- nor overflows, one value remains.
static tg_status check_code(int n_in, int n_code, const tg_code *code)
{
  int depth = 0;
  for (int k = 0; k < n_code; k++) {
    const bool reads_input = code[k].op <= TG_CODE_COL;
    if (reads_input && (code[k].operand < 0 || code[k].operand >= n_in))
      TG_FAIL(TG_INTERNAL, "entrywise code reads input %d of %d", code[k].operand, n_in);
    const int needs = is_leaf(code[k].op) ? 0 : is_binary(code[k].op) ? 2 : 1;
    if (depth < needs) TG_FAIL(TG_INTERNAL, "entrywise code takes from an empty stack at position %d", k);
    depth += 1 - needs;
    if (depth > TG_CODE_DEPTH) TG_FAIL(TG_INTERNAL, "entrywise code is deeper than %d", TG_CODE_DEPTH);
  }
  if (depth != 1) TG_FAIL(TG_INTERNAL, "entrywise code leaves %d values", depth);
  return TG_OK;
}

// --- operands ----------------------------------------------------------------------------------------

static tg_status check_operand(const tg_code *code, const tg_dmat *m, const tg_dmat *shape)
{
  const int64_t rows = code->op == TG_CODE_COL ? 1 : shape->rows;
  const int64_t cols = code->op == TG_CODE_ROW ? 1 : shape->cols;
  if (!tg_dmat_is_aligned(m, shape) || m->rows != rows || m->cols != cols)
    TG_FAIL(TG_INTERNAL,
            "entrywise operand %d is %" PRId64 " x %" PRId64 " in blocks of %" PRId64 ", expected %" PRId64
            " x %" PRId64 " in blocks of %" PRId64,
            code->operand, m->rows, m->cols, m->block, rows, cols, shape->block);
  return TG_OK;
}

// A column vector lives in grid column 0, its rows on the processes that hold the same rows of the matrix: one
// broadcast along each grid row brings every process what it needs. Row vectors likewise along the columns.
static tg_status spread_vector(const tg_code *code, const tg_dmat *v, const tg_dmat *shape, double *to)
{
  const bool is_row = code->op == TG_CODE_ROW;
  const tg_grid *grid = shape->grid;
  const int64_t count = is_row ? shape->local_rows : shape->local_cols;
  const bool mine = is_row ? grid->col == 0 : grid->row == 0;
  // Judged by the longest part, so that no rank stays behind in the broadcast.
  const int64_t most = is_row ? tg_layout_count(shape->rows, shape->block, 0, grid->rows)
                              : tg_layout_count(shape->cols, shape->block, 0, grid->cols);
  if (most > INT32_MAX) TG_FAIL(TG_LIMIT, "a local vector of %" PRId64 " entries is too long to send", most);
  if (mine && is_row && count > 0) memcpy(to, v->data, (size_t)count * sizeof(double));
  for (int64_t j = 0; mine && !is_row && j < count; j++) to[j] = v->data[j * v->ld];
  TG_TRY_MPI(MPI_Bcast(to, (int)count, MPI_DOUBLE, 0, is_row ? grid->row_comm : grid->col_comm));
  return TG_OK;
}

// Checks operands, spreads vectors, expands constants. Which of these happen depends on the code alone, so all
// ranks take part in the same collective calls.
static tg_status prepare(tg_workspace *workspace, int n_in, const tg_dmat *shape, double *constants, entry_program *p)
{
  bool spread = false;
  for (int k = 0; k < p->n_code; k++) {
    const tg_code *code = &p->code[k];
    if (code->op <= TG_CODE_COL) TG_TRY(check_operand(code, p->in[code->operand], shape));
    spread = spread || code->op == TG_CODE_ROW || code->op == TG_CODE_COL;
    if (code->op != TG_CODE_REG && code->op != TG_CODE_NUMBER) continue;
    const double value = code->op == TG_CODE_REG ? p->registers[code->operand] : code->value;
    for (int e = 0; e < RUN; e++) constants[k * RUN + e] = value;
  }
  p->constants = constants;
  if (!spread) return TG_OK;
  const tg_grid *grid = shape->grid;
  const int64_t most_rows = tg_layout_count(shape->rows, shape->block, 0, grid->rows);
  const int64_t most_cols = tg_layout_count(shape->cols, shape->block, 0, grid->cols);
  p->vector_stride = most_rows > most_cols ? most_rows : most_cols;
  double *vectors = NULL;
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_VECTORS, p->vector_stride * n_in, &vectors));
  p->vectors = vectors;
  for (int k = 0; k < p->n_code; k++) {
    const tg_code *code = &p->code[k];
    if (code->op != TG_CODE_ROW && code->op != TG_CODE_COL) continue;
    TG_TRY(spread_vector(code, p->in[code->operand], shape, vectors + code->operand * p->vector_stride));
  }
  return TG_OK;
}

// Dense local parts without broadcast operands are one long column.
static void choose_stretches(const tg_dmat *shape, const tg_dmat *out, entry_program *p)
{
  bool dense = tg_dmat_is_long(shape->local_rows) && (out == NULL || out->ld == out->local_rows);
  for (int k = 0; k < p->n_code; k++) {
    const tg_code *code = &p->code[k];
    if (code->op == TG_CODE_ROW || code->op == TG_CODE_COL) dense = false;
  }
  p->rows = dense ? shape->local_rows * shape->local_cols : shape->local_rows;
  p->cols = dense ? 1 : shape->local_cols;
  p->is_long = dense;
}

// Constants of short code lie on the stack of the caller; longer code needs the workspace.
enum { SHORT_CODE = 24 };

static tg_status constants_of(tg_workspace *workspace, int n_code, double *on_stack, double **out)
{
  *out = on_stack;
  if (n_code <= SHORT_CODE) return TG_OK;
  if (workspace == NULL) TG_FAIL(TG_INTERNAL, "entrywise code of %d operations needs a workspace", n_code);
  return tg_workspace_reserve(workspace, TG_SLOT_CONSTANTS, (int64_t)n_code * RUN, out);
}

// --- the three entries -------------------------------------------------------------------------------

tg_status tg_dmat_entrywise(tg_workspace *workspace, int n_in, const tg_dmat *const *in, int n_code,
                            const tg_code *code, const double *registers, tg_dmat *out)
{
  TG_TRY(check_code(n_in, n_code, code));
  entry_program p = {.n_code = n_code, .code = code, .in = in, .registers = registers};
  double on_stack[SHORT_CODE * RUN];
  double *constants = NULL;
  TG_TRY(constants_of(workspace, n_code, on_stack, &constants));
  TG_TRY(prepare(workspace, n_in, out, constants, &p));
  choose_stretches(out, out, &p);
  const int64_t runs = (p.rows + RUN - 1) / RUN;
#pragma omp parallel for schedule(static) if (p.rows * p.cols * n_code >= TG_PARALLEL_ENTRIES)
  for (int64_t task = 0; task < runs * p.cols; task++) {
    const int64_t i = task % runs * RUN;
    const int64_t j = task / runs;
    const int64_t rest = p.rows - i;
    run_code(&p, i, j, rest < RUN ? rest : RUN, out->data + i + j * out->ld);
  }
  return TG_OK;
}

static double sum_run(const double *values, int64_t count)
{
  double sums[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; lane++) sums[lane] += values[i + lane];
  for (int lane = 0; i + lane < count; lane++) sums[lane] += values[i + lane];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

tg_status tg_dmat_entrywise_part(tg_workspace *workspace, int n_in, const tg_dmat *const *in, int n_code,
                                 const tg_code *code, const double *registers, double *part)
{
  TG_TRY(check_code(n_in, n_code, code));
  entry_program p = {.n_code = n_code, .code = code, .in = in, .registers = registers};
  double on_stack[SHORT_CODE * RUN];
  double *constants = NULL;
  TG_TRY(constants_of(workspace, n_code, on_stack, &constants));
  TG_TRY(prepare(workspace, n_in, in[0], constants, &p));
  choose_stretches(in[0], NULL, &p);
  const int64_t runs = (p.rows + RUN - 1) / RUN;
  const tg_segments s = tg_segments_make(runs * p.cols);
  double partials[TG_REDUCE_CHUNKS];
#pragma omp parallel for schedule(static) if (p.rows * p.cols * n_code >= TG_PARALLEL_ENTRIES)
  for (int64_t k = 0; k < s.chunks; k++) {
    partials[k] = 0;
    for (int64_t task = tg_segments_begin(&s, k); task < tg_segments_begin(&s, k + 1); task++) {
      double values[RUN];
      const int64_t i = task % runs * RUN;
      const int64_t rest = p.rows - i;
      const int64_t count = rest < RUN ? rest : RUN;
      run_code(&p, i, task / runs, count, values);
      partials[k] += sum_run(values, count);
    }
  }
  *part = tg_reduce_pairwise(partials, s.chunks);
  return TG_OK;
}

// |s'(x)| where s(x) = y.
static double rate_of(tg_code_op op, double x, double y)
{
  (void)x;
  (void)y;
  switch (op) {
#define TG_ENTRYWISE(KIND, name, value, rate, ...) \
  case TG_CODE_##KIND:                             \
    return (rate);
#include "grad/entrywise.def"
  default:
    TG_ASSERT(op == TG_CODE_NEG); // no other is left
    return 1;
  }
}

// The error of an operation's result from those of its operands a and b: derivatives times errors, and half a unit in
// the last place, here a whole one.
static double carried_error(tg_code_op op, double a, double b, double a_error, double b_error, double value)
{
  switch (op) {
  case TG_CODE_ADD:
  case TG_CODE_SUB:
    return a_error + b_error;
  case TG_CODE_MAX:
  case TG_CODE_MIN:
    return fmax(a_error, b_error);
  case TG_CODE_MUL:
    return fabs(a) * b_error + fabs(b) * a_error;
  case TG_CODE_DIV:
    return (a_error + fabs(value) * b_error) / fabs(b);
  case TG_CODE_POW:
    return (a_error > 0 ? fabs(b * value / a) * a_error : 0) + (b_error > 0 ? fabs(value * log(fabs(a))) * b_error : 0);
  case TG_CODE_SQUARE:
    return 2 * fabs(a) * a_error;
  case TG_CODE_SQRT:
    return a_error > 0 ? a_error / (2 * value) : 0;
  case TG_CODE_NEG:
    return a_error;
  default:
    return a_error > 0 ? rate_of(op, a, value) * a_error : 0;
  }
}

tg_status tg_code_scalar(int n_code, const tg_code *code, const double *registers, const double *errors, double *out,
                         double *error)
{
  TG_TRY(check_code(0, n_code, code));
  double stack[TG_CODE_DEPTH];
  double bounds[TG_CODE_DEPTH];
  int depth = 0;
  for (int k = 0; k < n_code; k++) {
    const tg_code_op op = code[k].op;
    if (is_leaf(op)) {
      bounds[depth] = op == TG_CODE_REG ? errors[code[k].operand] : 0;
      stack[depth++] = op == TG_CODE_REG ? registers[code[k].operand] : code[k].value;
      continue;
    }
    if (is_binary(op)) depth--;
    double *top = &stack[depth - 1];
    const double a = top[0];
    const double b = is_binary(op) ? top[1] : 0;
    if (is_binary(op))
      apply_binary(op, top, top + 1, 1, top);
    else
      apply_unary(op, top, 1, top);
    bounds[depth - 1] = carried_error(op, a, b, bounds[depth - 1], bounds[depth < TG_CODE_DEPTH ? depth : 0], *top) +
                        DBL_EPSILON * fabs(*top);
  }
  *out = stack[0];
  *error = bounds[0];
  return TG_OK;
}
