// The serial executor: one small naive function an operation.
#include "support/serial_exec.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/divided.h"
#include "grad/graph/entry.h"
#include "grad/graph/sample_dense.h"
#include "support/jacobi.h"

typedef struct serial_factor {
  bool for_logdet; // a program asks for its logarithmic determinant
  bool is_cholesky;
  double *entries;     // n x n: L in the lower triangle, or L and U
  int64_t *pivots;     // LU: row k was swapped with pivots[k]
  int64_t zero_column; // LU: from 1, 0 when regular
  double *left;        // eigenvectors, or U
  double *right;       // V, columns
  double *values;
} serial_factor;

struct serial_exec {
  const tg_plan *plan;
  tg_arena arena;   // owns all arrays
  double **buffers; // by buffer; DATA is only read
  double *registers;
  serial_factor *factors;
};

static int64_t entry_count(const tg_plan_buffer *buffer)
{
  return buffer->rows * buffer->cols;
}

static tg_status allocate_buffers(serial_exec *exec, const double *const *data)
{
  const tg_plan *plan = exec->plan;
  double **storages = NULL;
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)tg_plan_storage_count(plan), &storages));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_buffers, &exec->buffers));
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &plan->buffers[b];
    double *shared = buffer->storage >= 0 ? storages[buffer->storage] : NULL;
    if (buffer->kind == TG_BUFFER_DATA)
      memcpy(&exec->buffers[b], &data[buffer->index], sizeof exec->buffers[b]); // drops const: never written
    else if (shared != NULL)
      exec->buffers[b] = shared;
    else
      TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)entry_count(buffer), &exec->buffers[b]));
    if (buffer->storage >= 0) storages[buffer->storage] = exec->buffers[b];
  }
  return TG_OK;
}

static tg_status allocate(serial_exec *exec, const double *const *data)
{
  const tg_plan *plan = exec->plan;
  TG_TRY(allocate_buffers(exec, data));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_registers, &exec->registers));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_factors, &exec->factors));
  for (int32_t k = 0; k < plan->n_factors; k++) {
    const size_t m = (size_t)plan->factors[k].rows;
    const size_t n = (size_t)plan->factors[k].cols;
    const size_t count = m < n ? m : n;
    TG_TRY(TG_ARENA_NEW(&exec->arena, m * count, &exec->factors[k].left));
    TG_TRY(TG_ARENA_NEW(&exec->arena, n * count, &exec->factors[k].right));
    TG_TRY(TG_ARENA_NEW(&exec->arena, count, &exec->factors[k].values));
    TG_TRY(TG_ARENA_NEW(&exec->arena, n * n, &exec->factors[k].entries));
    TG_TRY(TG_ARENA_NEW(&exec->arena, n, &exec->factors[k].pivots));
  }
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++) {
      const tg_instr *instr = &plan->programs[p].instrs[k];
      if (instr->op == TG_OP_LOGDET) exec->factors[instr->factor].for_logdet = true;
    }
  for (int32_t k = 0; k < plan->n_inits; k++) exec->registers[plan->inits[k].reg] = plan->inits[k].value;
  return TG_OK;
}

tg_status serial_exec_create(const tg_plan *plan, const double *const *data, serial_exec **out)
{
  *out = NULL;
  serial_exec *exec = NULL;
  TG_TRY(TG_NEW(1, &exec));
  exec->plan = plan;
  tg_arena_init(&exec->arena);
  const tg_status status = allocate(exec, data);
  if (status != TG_OK) {
    serial_exec_destroy(&exec);
    return status;
  }
  *out = exec;
  return TG_OK;
}

void serial_exec_destroy(serial_exec **exec)
{
  if (*exec == NULL) return;
  tg_arena_fini(&(*exec)->arena);
  tg_free(*exec);
  *exec = NULL;
}

void serial_exec_bind(serial_exec *exec, tg_buffer_kind kind, int32_t index, double *array)
{
  const int32_t id = tg_plan_find_buffer(exec->plan, kind, index);
  if (id >= 0) exec->buffers[id] = array;
}

double *serial_exec_buffer(serial_exec *exec, int32_t buffer)
{
  return exec->buffers[buffer];
}

double serial_exec_register(const serial_exec *exec, int32_t reg)
{
  return exec->registers[reg];
}

void serial_exec_set_register(serial_exec *exec, int32_t reg, double value)
{
  exec->registers[reg] = value;
}

// ---- operands ----

typedef struct matrix {
  double *at;
  int64_t rows;
  int64_t cols;
} matrix;

static matrix matrix_of(serial_exec *exec, int32_t id)
{
  return (matrix){exec->buffers[id], exec->plan->buffers[id].rows, exec->plan->buffers[id].cols};
}

static matrix input(serial_exec *exec, const tg_instr *instr, int32_t k)
{
  return matrix_of(exec, instr->in[k]);
}

static double entry(matrix m, bool trans, int64_t i, int64_t j)
{
  return trans ? m.at[j + i * m.rows] : m.at[i + j * m.rows];
}

static double coef_value(const serial_exec *exec, tg_coef coef)
{
  return coef.reg < 0 ? coef.value : coef.value * exec->registers[coef.reg];
}

// ---- code ----

static double apply_binary(tg_code_op op, double a, double b)
{
  switch (op) {
  case TG_CODE_ADD:
    return a + b;
  case TG_CODE_SUB:
    return a - b;
  case TG_CODE_MUL:
    return a * b;
  case TG_CODE_DIV:
    return a / b;
  case TG_CODE_MAX:
    return fmax(a, b);
  case TG_CODE_MIN:
    return fmin(a, b);
  default:
    return pow(a, b);
  }
}

static double apply_unary(tg_code_op op, double a)
{
  switch (op) {
  case TG_CODE_SQUARE:
    return a * a;
  case TG_CODE_NEG:
    return -a;
  case TG_CODE_SQRT:
    return sqrt(a);
  default: // what the rows say is compared with other people's figures by test_entrywise
    return tg_entry((tg_kind)((int)TG_ENTRY_FIRST + (int)op - (int)TG_CODE_ENTRY_FIRST))->value(a);
  }
}

static double load(serial_exec *exec, const tg_instr *instr, const tg_code *step, int64_t i, int64_t j)
{
  if (step->op == TG_CODE_NUMBER) return step->value;
  if (step->op == TG_CODE_REG) return exec->registers[step->operand];
  const matrix m = input(exec, instr, step->operand);
  if (step->op == TG_CODE_ROW) return m.at[i];
  if (step->op == TG_CODE_COL) return m.at[j];
  return m.at[i + j * m.rows];
}

static double run_code(serial_exec *exec, const tg_instr *instr, int64_t i, int64_t j)
{
  double stack[TG_CODE_DEPTH];
  int depth = 0;
  for (int32_t k = 0; k < instr->n_code; k++) {
    const tg_code *step = &instr->code[k];
    switch (tg_code_arity(step->op)) {
    case 0:
      stack[depth++] = load(exec, instr, step, i, j);
      break;
    case 1:
      stack[depth - 1] = apply_unary(step->op, stack[depth - 1]);
      break;
    default:
      // Divided differences are compared with derivatives of block matrices by test_lower_serial.
      stack[depth - 2] = step->op == TG_CODE_DIVIDED
                             ? tg_divided_value((tg_divided)step->operand, stack[depth - 2], stack[depth - 1])
                             : apply_binary(step->op, stack[depth - 2], stack[depth - 1]);
      depth--;
    }
  }
  return stack[0];
}

// ---- operations: matrices ----

static tg_status run_gemm(serial_exec *exec, const tg_instr *instr)
{
  const matrix a = input(exec, instr, 0);
  const matrix b = input(exec, instr, 1);
  const matrix out = matrix_of(exec, instr->out);
  const double alpha = coef_value(exec, instr->alpha);
  const int64_t inner = instr->trans[0] ? a.rows : a.cols;
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) {
      double sum = 0;
      for (int64_t k = 0; k < inner; k++) sum += entry(a, instr->trans[0], i, k) * entry(b, instr->trans[1], k, j);
      double *target = &out.at[i + j * out.rows];
      *target = alpha * sum + (instr->beta != 0.0 ? instr->beta * *target : 0.0);
    }
  return TG_OK;
}

static tg_status run_lincomb(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t e = 0; e < out.rows * out.cols; e++) {
    double sum = 0;
    for (int32_t k = 0; k < instr->n_in; k++) sum += coef_value(exec, instr->coefs[k]) * input(exec, instr, k).at[e];
    out.at[e] = sum;
  }
  return TG_OK;
}

static tg_status run_transpose(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++)
      out.at[i + j * out.rows] = coef_value(exec, instr->alpha) * entry(in, true, i, j);
  return TG_OK;
}

static tg_status run_entrywise(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) out.at[i + j * out.rows] = run_code(exec, instr, i, j);
  return TG_OK;
}

static tg_status run_fill(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  const double alpha = coef_value(exec, instr->alpha);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) out.at[i + j * out.rows] = instr->op != TG_OP_EYE || i == j ? alpha : 0.0;
  return TG_OK;
}

static tg_status run_triangle(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) out.at[i + j * out.rows] = (instr->trans[0] ? i >= j : i <= j) ? 1 : 0;
  return TG_OK;
}

static tg_status run_pick(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) out.at[i + j * out.rows] = j == i + instr->dims[0] ? 1 : 0;
  return TG_OK;
}

static tg_status run_slice(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++) {
      const int64_t r = i + instr->dims[0];
      const int64_t c = j + instr->dims[1];
      const bool inside = r >= 0 && r < in.rows && c >= 0 && c < in.cols;
      out.at[i + j * out.rows] = inside ? in.at[r + c * in.rows] : 0;
    }
  return TG_OK;
}

// One sum an entry of the result.
static tg_status run_logsumexp(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const matrix out = matrix_of(exec, instr->out);
  for (int64_t t = 0; t < out.rows * out.cols; t++) {
    double largest = -HUGE_VAL;
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t j = 0; j < in.cols; j++)
        for (int64_t i = 0; i < in.rows; i++) {
          if ((out.rows > 1 && i != t) || (out.cols > 1 && j != t)) continue;
          const double x = in.at[i + j * in.rows];
          largest = pass == 0 ? fmax(largest, x) : largest;
          sum += pass == 1 ? exp(x - largest) : 0;
        }
    out.at[t] = largest + log(sum);
  }
  return TG_OK;
}

// K vec(X) = vec(X'): entry i + j m of vec(X) goes to place j + i n.
static tg_status run_comm(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  const int64_t m = instr->dims[0];
  const int64_t n = instr->dims[1];
  memset(out.at, 0, (size_t)(out.rows * out.cols) * sizeof *out.at);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) out.at[(j + i * n) + (i + j * m) * out.rows] = 1;
  return TG_OK;
}

static tg_status run_diag(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  memset(out.at, 0, (size_t)(out.rows * out.cols) * sizeof *out.at);
  for (int64_t i = 0; i < out.rows; i++) out.at[i + i * out.rows] = input(exec, instr, 0).at[i];
  return TG_OK;
}

static tg_status run_diagvec(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  for (int64_t i = 0; i < in.rows; i++) exec->buffers[instr->out][i] = in.at[i + i * in.rows];
  return TG_OK;
}

static tg_status run_reshape(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  memcpy(exec->buffers[instr->out], in.at, (size_t)(in.rows * in.cols) * sizeof *in.at);
  return TG_OK;
}

// The three Kronecker operations walk over big((i p + k), (j q + l)) <-> left(i, j), right(k, l).
static tg_status run_kron_family(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  const matrix in0 = input(exec, instr, 0);
  const matrix in1 = input(exec, instr, 1);
  const matrix big = instr->op == TG_OP_KRON ? out : in0;
  const matrix left = instr->op == TG_OP_KRON ? in0 : instr->op == TG_OP_KRON_LEFT ? out : in1;
  const matrix right = instr->op == TG_OP_KRON_RIGHT ? out : in1;
  memset(out.at, 0, (size_t)(out.rows * out.cols) * sizeof *out.at);
  for (int64_t column = 0; column < big.cols; column++)
    for (int64_t row = 0; row < big.rows; row++) {
      double *b = &big.at[row + column * big.rows];
      double *l = &left.at[row / right.rows + column / right.cols * left.rows];
      double *r = &right.at[row % right.rows + column % right.cols * right.rows];
      if (instr->op == TG_OP_KRON) *b = *l * *r;
      if (instr->op == TG_OP_KRON_LEFT) *l += *b * *r;
      if (instr->op == TG_OP_KRON_RIGHT) *r += *l * *b;
    }
  return TG_OK;
}

// ---- operations: scalars ----

static tg_status run_reduction(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  double sum = 0;
  for (int64_t j = 0; j < in.cols; j++)
    for (int64_t i = 0; i < in.rows; i++) {
      if (instr->op == TG_OP_EWSUM) sum += run_code(exec, instr, i, j);
      if (instr->op == TG_OP_DOT) sum += entry(in, false, i, j) * entry(input(exec, instr, 1), false, i, j);
      if (instr->op == TG_OP_TRACE && i == j) sum += entry(in, false, i, j);
    }
  exec->registers[instr->out] = sum;
  return TG_OK;
}

static tg_status run_fetch(serial_exec *exec, const tg_instr *instr)
{
  exec->registers[instr->out] = input(exec, instr, 0).at[0];
  return TG_OK;
}

static tg_status run_scalar(serial_exec *exec, const tg_instr *instr)
{
  exec->registers[instr->out] = run_code(exec, instr, 0, 0);
  return TG_OK;
}

// ---- operations: factorisations ----

// Row by row (Cholesky-Banachiewicz), lower triangle only; of the symmetric part where that is wanted.
static tg_status factor_cholesky(serial_exec *exec, const tg_instr *instr, bool by_symmetric_part)
{
  const matrix in = input(exec, instr, 0);
  const int64_t n = in.rows;
  serial_factor *factor = &exec->factors[instr->out];
  double *l = factor->entries;
  factor->is_cholesky = true;
  factor->zero_column = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = by_symmetric_part ? (in.at[i + j * n] + in.at[j + i * n]) / 2 : in.at[i + j * n];
      for (int64_t k = 0; k < j; k++) sum -= l[i + k * n] * l[j + k * n];
      if (i == j && !(sum > 0)) TG_FAIL(TG_NUMERIC, "not positive definite at column %" PRId64, i + 1);
      l[i + j * n] = i == j ? sqrt(sum) : sum / l[j + j * n];
    }
  return TG_OK;
}

static tg_status run_cholesky(serial_exec *exec, const tg_instr *instr)
{
  return factor_cholesky(exec, instr, false);
}

// logdet is defined for symmetric positive definite matrices, and for no other.
static tg_status factor_for_logdet(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const int64_t n = in.rows;
  double skew = 0;
  double largest = 0;
  for (int64_t e = 0; e < n * n; e++) {
    skew = fmax(skew, fabs(in.at[e] - in.at[e / n + e % n * n]) / 2);
    largest = fmax(largest, fabs(in.at[e]));
  }
  if (skew > 1e-9 * largest) TG_FAIL(TG_NUMERIC, "not symmetric, by %g", skew);
  return factor_cholesky(exec, instr, true);
}

static void swap_rows(double *a, int64_t n, int64_t i, int64_t k)
{
  for (int64_t j = 0; j < n; j++) {
    const double kept = a[i + j * n];
    a[i + j * n] = a[k + j * n];
    a[k + j * n] = kept;
  }
}

// Doolittle with partial pivoting.
static tg_status run_lu(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const int64_t n = in.rows;
  serial_factor *factor = &exec->factors[instr->out];
  double *a = factor->entries;
  if (factor->for_logdet) return factor_for_logdet(exec, instr);
  factor->is_cholesky = false;
  factor->zero_column = 0;
  memcpy(a, in.at, (size_t)(n * n) * sizeof *a);
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k; i < n; i++)
      if (fabs(a[i + k * n]) > fabs(a[pivot + k * n])) pivot = i;
    factor->pivots[k] = pivot;
    if (a[pivot + k * n] == 0.0) { // nothing below to eliminate
      if (factor->zero_column == 0) factor->zero_column = k + 1;
      continue;
    }
    if (pivot != k) swap_rows(a, n, k, pivot);
    for (int64_t i = k + 1; i < n; i++) {
      a[i + k * n] /= a[k + k * n];
      for (int64_t j = k + 1; j < n; j++) a[i + j * n] -= a[i + k * n] * a[k + j * n];
    }
  }
  return TG_OK;
}

// Entry (i, j) of the triangular factor in question; 1 on the diagonal of LU's L.
static double triangle(const serial_factor *factor, int64_t n, bool upper, int64_t i, int64_t j)
{
  if (factor->is_cholesky) return upper ? factor->entries[j + i * n] : factor->entries[i + j * n];
  return !upper && i == j ? 1.0 : factor->entries[i + j * n];
}

// v := T^-1 v or T^-T v for the lower or upper triangle T.
static void solve_triangle(const serial_factor *factor, int64_t n, bool upper, bool trans, double *v)
{
  const bool forward = upper == trans;
  for (int64_t s = 0; s < n; s++) {
    const int64_t i = forward ? s : n - 1 - s;
    for (int64_t t = 0; t < s; t++) {
      const int64_t j = forward ? t : n - 1 - t;
      v[i] -= (trans ? triangle(factor, n, upper, j, i) : triangle(factor, n, upper, i, j)) * v[j];
    }
    v[i] /= triangle(factor, n, upper, i, i);
  }
}

static void swap_entries(const serial_factor *factor, int64_t n, bool backwards, double *v)
{
  if (factor->is_cholesky) return;
  for (int64_t s = 0; s < n; s++) {
    const int64_t k = backwards ? n - 1 - s : s;
    const double kept = v[k];
    v[k] = v[factor->pivots[k]];
    v[factor->pivots[k]] = kept;
  }
}

// v := op(F)^-1 v, with P F = L U or F = L L'.
static void solve_vector(const serial_factor *factor, int64_t n, bool trans, double *v)
{
  if (!trans) swap_entries(factor, n, false, v);
  solve_triangle(factor, n, trans, trans, v);
  solve_triangle(factor, n, !trans, trans, v);
  if (trans) swap_entries(factor, n, true, v);
}

static tg_status require_regular(const serial_factor *factor)
{
  if (factor->zero_column > 0) TG_FAIL(TG_NUMERIC, "singular at column %" PRId64, factor->zero_column);
  return TG_OK;
}

// From the right row by row: x op(F)^-1 = (op(F)^-T x')'.
static tg_status run_solve(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const matrix out = matrix_of(exec, instr->out);
  const serial_factor *factor = &exec->factors[instr->factor];
  const int64_t n = exec->plan->factors[instr->factor].rows;
  double *v = NULL;
  TG_TRY(require_regular(factor));
  TG_TRY(tg_alloc_numbers(n, &v));
  for (int64_t s = 0; s < (instr->right ? in.rows : in.cols); s++) {
    for (int64_t k = 0; k < n; k++) v[k] = instr->right ? in.at[s + k * in.rows] : in.at[k + s * in.rows];
    solve_vector(factor, n, instr->right ? !instr->trans[0] : instr->trans[0], v);
    for (int64_t k = 0; k < n; k++) out.at[instr->right ? s + k * in.rows : k + s * in.rows] = v[k];
  }
  tg_free(v);
  return TG_OK;
}

static tg_status run_inverse(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  TG_TRY(require_regular(&exec->factors[instr->factor]));
  memset(out.at, 0, (size_t)(out.rows * out.cols) * sizeof *out.at);
  for (int64_t j = 0; j < out.cols; j++) {
    out.at[j + j * out.rows] = 1;
    solve_vector(&exec->factors[instr->factor], out.rows, instr->trans[0], out.at + j * out.rows);
  }
  return TG_OK;
}

// Sign and logarithm of |det F|.
static double log_determinant(const serial_factor *factor, int64_t n, int *sign)
{
  double sum = 0;
  *sign = 1;
  for (int64_t k = 0; k < n; k++) {
    const double pivot = factor->entries[k + k * n];
    sum += (factor->is_cholesky ? 2 : 1) * log(fabs(pivot));
    if (pivot < 0) *sign = -*sign;
    if (!factor->is_cholesky && factor->pivots[k] != k) *sign = -*sign;
  }
  return sum;
}

static tg_status run_logdet(serial_exec *exec, const tg_instr *instr)
{
  int sign = 1;
  const serial_factor *factor = &exec->factors[instr->factor];
  TG_TRY(require_regular(factor));
  const double log_det = log_determinant(factor, exec->plan->factors[instr->factor].rows, &sign);
  if (sign < 0) TG_FAIL(TG_NUMERIC, "the determinant is negative");
  exec->registers[instr->out] = log_det;
  return TG_OK;
}

static tg_status run_det(serial_exec *exec, const tg_instr *instr)
{
  int sign = 1;
  const serial_factor *factor = &exec->factors[instr->factor];
  exec->registers[instr->out] = 0;
  if (factor->zero_column > 0) return TG_OK;
  const double log_det = log_determinant(factor, exec->plan->factors[instr->factor].rows, &sign);
  const double det = sign * exp(log_det);
  if (!isnormal(det)) TG_FAIL(TG_NUMERIC, "the determinant e^%g is out of range", log_det);
  exec->registers[instr->out] = det;
  return TG_OK;
}

// ---- eigenvalues and singular values ----

static tg_status run_eigen(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const serial_factor *factor = &exec->factors[instr->out];
  const int64_t n = in.rows;
  double *copy = NULL;
  double largest = 0;
  for (int64_t k = 0; k < n * n; k++) largest = fmax(largest, fabs(in.at[k]));
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++)
      if (fabs(in.at[i + j * n] - in.at[j + i * n]) > 2e-9 * largest)
        TG_FAIL(TG_NUMERIC, "the matrix is not symmetric");
  TG_TRY(tg_alloc_numbers(n * n, &copy));
  memset(factor->left, 0, (size_t)(n * n) * sizeof *copy);
  for (int64_t j = 0; j < n; j++) {
    factor->left[j + j * n] = 1;
    for (int64_t i = 0; i < n; i++) copy[i + j * n] = 0.5 * (in.at[i + j * n] + in.at[j + i * n]);
  }
  jacobi_diagonalise(n, copy, factor->left);
  for (int64_t k = 0; k < n; k++) factor->values[k] = copy[k + k * n];
  for (int64_t k = 0; k < n; k++) // ascending
    for (int64_t j = k + 1; j < n; j++) {
      if (factor->values[j] >= factor->values[k]) continue;
      const double held = factor->values[k];
      factor->values[k] = factor->values[j];
      factor->values[j] = held;
      jacobi_rotate(n, 0, 1, factor->left + k * n, factor->left + j * n, 1);
    }
  tg_free(copy);
  return TG_OK;
}

static tg_status run_svd(serial_exec *exec, const tg_instr *instr)
{
  const matrix in = input(exec, instr, 0);
  const serial_factor *factor = &exec->factors[instr->out];
  return tg_dense_svd(in.rows, in.cols, in.at, factor->left, factor->values, factor->right);
}

static tg_status run_vectors(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  const serial_factor *factor = &exec->factors[instr->factor];
  for (int64_t j = 0; j < out.cols; j++)
    for (int64_t i = 0; i < out.rows; i++)
      out.at[i + j * out.rows] = instr->trans[0] ? factor->right[j + i * out.cols] : factor->left[i + j * out.rows];
  return TG_OK;
}

static tg_status run_values(serial_exec *exec, const tg_instr *instr)
{
  const matrix out = matrix_of(exec, instr->out);
  const serial_factor *factor = &exec->factors[instr->factor];
  double largest = 0;
  for (int64_t k = 0; k < out.rows; k++) largest = fmax(largest, fabs(factor->values[k]));
  for (int64_t k = 0; k < out.rows; k++) {
    const double value = factor->values[k];
    if (instr->dims[0] == TG_DOMAIN_POSITIVE && !(value > 0)) TG_FAIL(TG_NUMERIC, "not positive definite");
    if (instr->dims[0] == TG_DOMAIN_NONNEGATIVE && value < -1e-13 * largest)
      TG_FAIL(TG_NUMERIC, "not positive semidefinite");
    out.at[k] = instr->dims[0] == TG_DOMAIN_NONNEGATIVE ? fmax(value, 0) : value;
  }
  return TG_OK;
}

// ---- dispatch ----

typedef tg_status (*serial_runner)(serial_exec *exec, const tg_instr *instr);

static const serial_runner runners[TG_OPCODE_COUNT] = {
    [TG_OP_GEMM] = run_gemm,
    [TG_OP_LINCOMB] = run_lincomb,
    [TG_OP_TRANSPOSE] = run_transpose,
    [TG_OP_ENTRYWISE] = run_entrywise,
    [TG_OP_EWSUM] = run_reduction,
    [TG_OP_DOT] = run_reduction,
    [TG_OP_TRACE] = run_reduction,
    [TG_OP_FETCH] = run_fetch,
    [TG_OP_STORE] = run_fill,
    [TG_OP_SCALAR] = run_scalar,
    [TG_OP_FILL] = run_fill,
    [TG_OP_EYE] = run_fill,
    [TG_OP_TRIANGLE] = run_triangle,
    [TG_OP_LOGSUMEXP] = run_logsumexp,
    [TG_OP_PICK] = run_pick,
    [TG_OP_SLICE] = run_slice,
    [TG_OP_COMM] = run_comm,
    [TG_OP_CHOLESKY] = run_cholesky,
    [TG_OP_LU] = run_lu,
    [TG_OP_EIGEN] = run_eigen,
    [TG_OP_SVD] = run_svd,
    [TG_OP_VECTORS] = run_vectors,
    [TG_OP_VALUES] = run_values,
    [TG_OP_SOLVE] = run_solve,
    [TG_OP_INVERSE] = run_inverse,
    [TG_OP_LOGDET] = run_logdet,
    [TG_OP_DET] = run_det,
    [TG_OP_DIAG] = run_diag,
    [TG_OP_DIAGVEC] = run_diagvec,
    [TG_OP_RESHAPE] = run_reshape,
    [TG_OP_KRON] = run_kron_family,
    [TG_OP_KRON_LEFT] = run_kron_family,
    [TG_OP_KRON_RIGHT] = run_kron_family,
};

static void poison_temporaries(serial_exec *exec)
{
  for (int32_t b = 0; b < exec->plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &exec->plan->buffers[b];
    if (buffer->kind != TG_BUFFER_TEMP) continue;
    for (int64_t e = 0; e < entry_count(buffer); e++) exec->buffers[b][e] = (double)NAN;
  }
}

tg_status serial_exec_run(serial_exec *exec, tg_program_id program)
{
  const tg_program *steps = &exec->plan->programs[program];
  poison_temporaries(exec);
  for (int32_t k = 0; k < steps->n_instrs; k++) {
    const tg_instr *instr = &steps->instrs[k];
    if (runners[instr->op] == NULL) TG_FAIL(TG_INTERNAL, "no runner for '%s'", tg_opcode_label(instr->op));
    TG_TRY(runners[instr->op](exec, instr));
  }
  return TG_OK;
}
