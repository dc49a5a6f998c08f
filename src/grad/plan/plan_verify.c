// The plan verifier: runs every program on marks instead of numbers and stops at the first broken rule.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "grad/divided.h"
#include "grad/plan/plan.h"

enum { MESSAGE_BYTES = 256 };

// Marks: what holds a readable content at this moment of the program being checked.
typedef struct checker {
  const tg_plan *plan;
  tg_program_id program;
  int32_t position; // of the instruction, -1 outside programs
  const tg_instr *instr;
  int32_t n_storages;
  int32_t *owner;         // by storage: the TEMP whose content stands there, -1 for none
  bool *written;          // by buffer: in this program
  bool *made_by_setup;    // by buffer: CONSTANT written by SETUP
  bool *point_state;      // by buffer: STATE written by REFRESH
  bool *register_written; // in this program
  bool *register_fixed;   // by an initial content or SETUP
  bool *factor_written;
  bool *factor_fixed; // by SETUP
} checker;

// "tracegrad plan, gradient[3] gemm: ..." as TG_INTERNAL.
__attribute__((format(printf, 2, 3))) static tg_status broken(const checker *c, const char *format, ...)
{
  char text[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (c->position < 0) return tg_error_set(TG_INTERNAL, TG_HERE, "plan: %s", text);
  return tg_error_set(TG_INTERNAL, TG_HERE, "plan: %s[%" PRId32 "] %s: %s", tg_program_label(c->program), c->position,
                      tg_opcode_label(c->instr->op), text);
}

static const tg_plan_buffer *buffer_of(const checker *c, int32_t id)
{
  return &c->plan->buffers[id];
}

static bool same_shape(const tg_plan_buffer *a, const tg_plan_buffer *b)
{
  return a->rows == b->rows && a->cols == b->cols;
}

// ---- tables ----

static bool has_storage(tg_buffer_kind kind)
{
  return kind == TG_BUFFER_CONSTANT || kind == TG_BUFFER_STATE || kind == TG_BUFFER_TEMP;
}

// The operand or block that the buffer belongs to must exist, have its shape, and no second such buffer.
static tg_status check_indexed(const checker *c, int32_t id)
{
  const tg_plan_buffer *buffer = buffer_of(c, id);
  const bool is_data = buffer->kind == TG_BUFFER_DATA;
  const int32_t count = is_data ? c->plan->n_data : c->plan->n_variables;
  if (buffer->index < 0 || buffer->index >= count)
    return broken(c, "buffer %" PRId32 " belongs to operand %" PRId32 " of %" PRId32, id, buffer->index, count);
  const tg_plan_data *entry = is_data ? &c->plan->data[buffer->index] : &c->plan->variables[buffer->index];
  if (entry->rows != buffer->rows || entry->cols != buffer->cols)
    return broken(c, "buffer %" PRId32 " is %" PRId64 " x %" PRId64 ", its operand '%s' %" PRId64 " x %" PRId64, id,
                  buffer->rows, buffer->cols, entry->name, entry->rows, entry->cols);
  if (tg_plan_find_buffer(c->plan, buffer->kind, buffer->index) != id)
    return broken(c, "operand '%s' has two buffers of the same kind", entry->name);
  return TG_OK;
}

static tg_status check_buffer(checker *c, int32_t id)
{
  const tg_plan_buffer *buffer = buffer_of(c, id);
  if (buffer->rows < 1 || buffer->cols < 1)
    return broken(c, "buffer %" PRId32 " is %" PRId64 " x %" PRId64, id, buffer->rows, buffer->cols);
  if (has_storage(buffer->kind) != (buffer->storage >= 0))
    return broken(c, "buffer %" PRId32 " of kind %d has storage %" PRId32, id, (int)buffer->kind, buffer->storage);
  if (!has_storage(buffer->kind)) return check_indexed(c, id);
  // The first buffer of a storage stands for it.
  int32_t *first = &c->owner[buffer->storage];
  if (*first < 0) *first = id;
  const tg_plan_buffer *other = buffer_of(c, *first);
  if (*first != id && (buffer->kind != TG_BUFFER_TEMP || other->kind != TG_BUFFER_TEMP))
    return broken(c, "buffers %" PRId32 " and %" PRId32 " share storage and are not both temporaries", *first, id);
  if (!same_shape(buffer, other))
    return broken(c, "buffers %" PRId32 " and %" PRId32 " share storage, with different shapes", *first, id);
  return TG_OK;
}

static tg_status check_factor(const checker *c, int32_t k)
{
  const tg_plan_factor *factor = &c->plan->factors[k];
  if (factor->rows < 1 || factor->cols < 1)
    return broken(c, "factor %" PRId32 " has size %" PRId64, k, factor->rows < 1 ? factor->rows : factor->cols);
  if (factor->use != TG_FACTOR_OF_SVD && factor->rows != factor->cols)
    return broken(c, "factor %" PRId32 " of a square matrix is %" PRId64 " x %" PRId64, k, factor->rows, factor->cols);
  return TG_OK;
}

static tg_status check_tables(checker *c)
{
  const tg_plan *plan = c->plan;
  for (int32_t s = 0; s < c->n_storages; s++) c->owner[s] = -1;
  for (int32_t b = 0; b < plan->n_buffers; b++) TG_TRY(check_buffer(c, b));
  for (int32_t k = 0; k < plan->n_variables; k++)
    if (tg_plan_find_buffer(plan, TG_BUFFER_VARIABLE, k) < 0) return broken(c, "block %" PRId32 " has no buffer", k);
  for (int32_t k = 0; k < plan->n_inits; k++) {
    const int32_t reg = plan->inits[k].reg;
    if (reg < 0 || reg >= plan->n_registers) return broken(c, "there is no register %" PRId32 " to initialise", reg);
    c->register_fixed[reg] = true;
  }
  for (int32_t k = 0; k < plan->n_factors; k++) TG_TRY(check_factor(c, k));
  return TG_OK;
}

// ---- reading and writing ----

static tg_status read_buffer(const checker *c, int32_t id)
{
  if (id < 0 || id >= c->plan->n_buffers) return broken(c, "there is no buffer %" PRId32, id);
  const tg_plan_buffer *buffer = buffer_of(c, id);
  const tg_program_id program = c->program;
  bool readable = c->written[id];
  switch (buffer->kind) {
  case TG_BUFFER_DATA:
    return TG_OK;
  case TG_BUFFER_VARIABLE:
    readable = program != TG_PROGRAM_SETUP && program != TG_PROGRAM_GRADIENT_AT_ZERO;
    break;
  case TG_BUFFER_DIRECTION:
    readable = program == TG_PROGRAM_DIRECTION || program == TG_PROGRAM_ADVANCE || program == TG_PROGRAM_HESSIAN;
    break;
  case TG_BUFFER_CONSTANT:
    readable = readable || c->made_by_setup[id];
    break;
  case TG_BUFFER_STATE: // an image of the point, made by REFRESH; of the direction, when ADVANCE comes
    readable = readable || (c->point_state[id] && program != TG_PROGRAM_REFRESH) || program == TG_PROGRAM_ADVANCE;
    break;
  case TG_BUFFER_TEMP:
    readable = readable && c->owner[buffer->storage] == id;
    break;
  default: // GRADIENT, HESSIAN: outputs
    break;
  }
  if (!readable) return broken(c, "reads buffer %" PRId32 " '%s', which holds nothing here", id, buffer->name);
  return TG_OK;
}

static bool is_writable(const checker *c, int32_t id)
{
  switch (buffer_of(c, id)->kind) {
  case TG_BUFFER_GRADIENT:
    return c->program == TG_PROGRAM_GRADIENT || c->program == TG_PROGRAM_GRADIENT_AT_ZERO;
  case TG_BUFFER_HESSIAN:
    return c->program == TG_PROGRAM_HESSIAN;
  case TG_BUFFER_CONSTANT:
    return c->program == TG_PROGRAM_SETUP;
  case TG_BUFFER_STATE:
    return c->program == TG_PROGRAM_REFRESH || (c->program == TG_PROGRAM_ADVANCE && c->point_state[id]) ||
           (c->program == TG_PROGRAM_DIRECTION && !c->point_state[id]);
  case TG_BUFFER_TEMP:
    return true;
  default:
    return false;
  }
}

static tg_status write_buffer(checker *c, int32_t id)
{
  const tg_plan_buffer *buffer = buffer_of(c, id);
  if (!is_writable(c, id))
    return broken(c, "writes buffer %" PRId32 " '%s', which this program must not", id, buffer->name);
  c->written[id] = true;
  if (buffer->kind == TG_BUFFER_TEMP) c->owner[buffer->storage] = id;
  if (c->program == TG_PROGRAM_SETUP && buffer->kind == TG_BUFFER_CONSTANT) c->made_by_setup[id] = true;
  if (c->program == TG_PROGRAM_REFRESH && buffer->kind == TG_BUFFER_STATE) c->point_state[id] = true;
  return TG_OK;
}

static tg_status read_register(const checker *c, int32_t reg)
{
  if (reg < 0 || reg >= c->plan->n_registers) return broken(c, "there is no register %" PRId32, reg);
  const bool is_step = c->program == TG_PROGRAM_ADVANCE && reg == c->plan->step_register;
  if (!c->register_written[reg] && !c->register_fixed[reg] && !is_step)
    return broken(c, "reads register %" PRId32 ", which nothing has written", reg);
  return TG_OK;
}

static tg_status read_coef(const checker *c, tg_coef coef)
{
  return coef.reg < 0 ? TG_OK : read_register(c, coef.reg);
}

static tg_status write_register(checker *c, int32_t reg)
{
  if (reg < 0 || reg >= c->plan->n_registers) return broken(c, "there is no register %" PRId32, reg);
  if (c->register_fixed[reg] || reg == c->plan->step_register)
    return broken(c, "writes register %" PRId32 ", whose content is fixed", reg);
  c->register_written[reg] = true;
  return TG_OK;
}

static tg_status write_factor(checker *c, int32_t factor)
{
  if (c->factor_fixed[factor]) return broken(c, "writes factor %" PRId32 ", which setup made", factor);
  c->factor_written[factor] = true;
  return TG_OK;
}

// ---- code ----

// Shape that a code runs over, or NULL for scalar code.
static tg_status check_load(const checker *c, const tg_code *step, const tg_plan_buffer *shape)
{
  const tg_instr *instr = c->instr;
  if (shape == NULL) return broken(c, "scalar code loads from a buffer");
  if (step->operand < 0 || step->operand >= instr->n_in)
    return broken(c, "code loads input %" PRId32 " of %" PRId32, step->operand, instr->n_in);
  const tg_plan_buffer *in = buffer_of(c, instr->in[step->operand]);
  const int64_t rows = step->op == TG_CODE_COL ? 1 : shape->rows;
  const int64_t cols = step->op == TG_CODE_ROW ? 1 : shape->cols;
  if (in->rows != rows || in->cols != cols)
    return broken(c, "code loads (%s) '%s', which is %" PRId64 " x %" PRId64 ", not %" PRId64 " x %" PRId64,
                  tg_code_label(step->op), in->name, in->rows, in->cols, rows, cols);
  return TG_OK;
}

static tg_status check_code(const checker *c, const tg_plan_buffer *shape)
{
  int depth = 0;
  for (int32_t k = 0; k < c->instr->n_code; k++) {
    const tg_code *step = &c->instr->code[k];
    if (step->op >= TG_CODE_COUNT) return broken(c, "code has an unknown step %d", (int)step->op);
    if (step->op <= TG_CODE_COL) TG_TRY(check_load(c, step, shape));
    if (step->op == TG_CODE_DIVIDED && (step->operand < 0 || step->operand >= TG_DIVIDED_COUNT))
      return broken(c, "code has an unknown divided difference %" PRId32, step->operand);
    if (step->op == TG_CODE_REG) TG_TRY(read_register(c, step->operand));
    const int arity = tg_code_arity(step->op);
    if (depth < arity) return broken(c, "code step %" PRId32 " finds %d of %d operands", k, depth, arity);
    depth += 1 - arity;
    if (depth > TG_CODE_DEPTH) return broken(c, "code is deeper than %d", (int)TG_CODE_DEPTH);
  }
  if (depth != 1) return broken(c, "code leaves %d values instead of one", depth);
  return TG_OK;
}

// ---- shapes ----

static tg_status shape_fails(const checker *c)
{
  char text[MESSAGE_BYTES];
  size_t used = 0;
  text[0] = '\0';
  for (int32_t k = 0; k < c->instr->n_in && used < sizeof text; k++) {
    const tg_plan_buffer *in = buffer_of(c, c->instr->in[k]);
    used += (size_t)snprintf(text + used, sizeof text - used, " %" PRId64 "x%" PRId64, in->rows, in->cols);
  }
  if (tg_opcode_traits(c->instr->op)->result != TG_RESULT_BUFFER) return broken(c, "shapes do not agree: in%s", text);
  const tg_plan_buffer *out = buffer_of(c, c->instr->out);
  return broken(c, "shapes do not agree: in%s, out %" PRId64 "x%" PRId64, text, out->rows, out->cols);
}

static bool gemm_agrees(const tg_instr *instr, const tg_plan_buffer *a, const tg_plan_buffer *b,
                        const tg_plan_buffer *out)
{
  const int64_t m = instr->trans[0] ? a->cols : a->rows;
  const int64_t k = instr->trans[0] ? a->rows : a->cols;
  const int64_t l = instr->trans[1] ? b->cols : b->rows;
  const int64_t n = instr->trans[1] ? b->rows : b->cols;
  if (instr->beta != 0.0 && instr->beta != 1.0) return false;
  if ((instr->symmetric[0] && a->rows != a->cols) || (instr->symmetric[1] && b->rows != b->cols)) return false;
  return k == l && out->rows == m && out->cols == n;
}

// rows x cols equals (a->rows b->rows) x (a->cols b->cols): the shape of kron(a, b).
static bool is_kron_shape(const tg_plan_buffer *big, const tg_plan_buffer *a, const tg_plan_buffer *b)
{
  return big->rows % b->rows == 0 && big->rows / b->rows == a->rows && big->cols % b->cols == 0 &&
         big->cols / b->cols == a->cols;
}

// Lines taken out of more, or put among more; rows and columns each by themselves.
static bool is_slice(int64_t from, int64_t to, int64_t shift)
{
  return shift < 0 ? -shift <= to - from : shift == 0 || shift <= from - to;
}

static bool is_square(const tg_plan_buffer *buffer)
{
  return buffer->rows == buffer->cols;
}

static bool is_single(const tg_plan_buffer *buffer)
{
  return buffer->rows == 1 && buffer->cols == 1;
}

static int64_t smaller_side(const tg_plan_factor *factor)
{
  return factor->rows < factor->cols ? factor->rows : factor->cols;
}

// U (m x k) or V' (k x n), k the smaller of m and n.
static bool are_vectors(const tg_plan_factor *factor, bool right, const tg_plan_buffer *out)
{
  if (factor->use == TG_FACTOR_OF_EIGEN && right) return false;
  if (right) return out->rows == smaller_side(factor) && out->cols == factor->cols;
  return out->rows == factor->rows && out->cols == smaller_side(factor);
}

// The formulas beside the operations in plan.h, as sizes: what makes or reads a factor.
static bool factor_agrees(const checker *c, const tg_plan_buffer *in0, const tg_plan_buffer *out)
{
  const tg_instr *instr = c->instr;
  const bool makes = tg_opcode_traits(instr->op)->result == TG_RESULT_FACTOR;
  if (!makes && !tg_opcode_traits(instr->op)->uses_factor) return true;
  const tg_plan_factor *factor = &c->plan->factors[makes ? instr->out : instr->factor];
  switch (instr->op) {
  case TG_OP_CHOLESKY:
  case TG_OP_LU:
    return is_square(in0) && in0->rows == factor->rows;
  case TG_OP_EIGEN:
  case TG_OP_SVD:
    return in0->rows == factor->rows && in0->cols == factor->cols;
  case TG_OP_VECTORS:
    return are_vectors(factor, instr->trans[0], out);
  case TG_OP_VALUES:
    return out->rows == smaller_side(factor) && out->cols == 1 && instr->dims[0] >= 0 &&
           instr->dims[0] < TG_DOMAIN_COUNT;
  case TG_OP_SOLVE:
    return same_shape(in0, out) && (instr->right ? in0->cols : in0->rows) == factor->rows;
  case TG_OP_INVERSE:
    return is_square(out) && out->rows == factor->rows;
  default:
    return true; // LOGDET, DET: a number
  }
}

static bool same_count(const tg_plan_buffer *a, const tg_plan_buffer *b)
{
  int64_t entries = 0;
  int64_t others = 0;
  return !__builtin_mul_overflow(a->rows, a->cols, &entries) && !__builtin_mul_overflow(b->rows, b->cols, &others) &&
         entries == others;
}

static bool lincomb_agrees(const checker *c, const tg_plan_buffer *out)
{
  for (int32_t k = 0; k < c->instr->n_in; k++)
    if (!same_shape(buffer_of(c, c->instr->in[k]), out)) return false;
  return true;
}

// The commutation matrix of dims[0] x dims[1].
static bool comm_agrees(const tg_instr *instr, const tg_plan_buffer *out)
{
  return instr->dims[0] >= 1 && instr->dims[1] >= 1 && is_square(out) && out->rows % instr->dims[0] == 0 &&
         out->rows / instr->dims[0] == instr->dims[1];
}

// diag(in): a row or a column.
static bool diag_agrees(const tg_plan_buffer *in, const tg_plan_buffer *out)
{
  return is_square(out) && ((in->rows == out->rows && in->cols == 1) || (in->cols == out->rows && in->rows == 1));
}

// Sums over all entries, the rows or the columns.
static bool logsumexp_agrees(const tg_plan_buffer *in, const tg_plan_buffer *out)
{
  return (out->rows == 1 || out->rows == in->rows) && (out->cols == 1 || out->cols == in->cols) &&
         (out->rows == 1 || out->cols == 1);
}

// The formulas beside the operations in plan.h, as sizes: the others.
static bool shapes_agree(const checker *c)
{
  const tg_instr *instr = c->instr;
  const tg_plan_buffer *in0 = instr->n_in > 0 ? buffer_of(c, instr->in[0]) : NULL;
  const tg_plan_buffer *in1 = instr->n_in > 1 ? buffer_of(c, instr->in[1]) : NULL;
  const tg_plan_buffer *out = tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER ? buffer_of(c, instr->out) : NULL;
  switch (instr->op) {
  case TG_OP_GEMM:
    return gemm_agrees(instr, in0, in1, out);
  case TG_OP_LINCOMB:
    return lincomb_agrees(c, out);
  case TG_OP_TRANSPOSE:
    return in0->rows == out->cols && in0->cols == out->rows;
  case TG_OP_DOT:
    return same_shape(in0, in1);
  case TG_OP_TRACE:
    return is_square(in0);
  case TG_OP_FETCH:
    return is_single(in0);
  case TG_OP_STORE:
    return is_single(out);
  case TG_OP_EYE:
    return is_square(out);
  case TG_OP_COMM:
    return comm_agrees(instr, out);
  case TG_OP_DIAG:
    return diag_agrees(in0, out);
  case TG_OP_DIAGVEC:
    return is_square(in0) && out->rows == in0->rows && out->cols == 1;
  case TG_OP_RESHAPE:
    return same_count(in0, out);
  case TG_OP_PICK:
    return instr->dims[0] >= 0 && instr->dims[0] <= out->cols - out->rows;
  case TG_OP_SLICE:
    return is_slice(in0->rows, out->rows, instr->dims[0]) && is_slice(in0->cols, out->cols, instr->dims[1]);
  case TG_OP_LOGSUMEXP:
    return logsumexp_agrees(in0, out);
  case TG_OP_KRON:
    return is_kron_shape(out, in0, in1);
  case TG_OP_KRON_LEFT:
    return is_kron_shape(in0, out, in1);
  case TG_OP_KRON_RIGHT:
    return is_kron_shape(in0, in1, out);
  default: // ENTRYWISE, EWSUM: by their code; FILL, SCALAR: nothing to agree
    return factor_agrees(c, in0, out);
  }
}

// ---- one instruction ----

static bool shares_memory(const checker *c, int32_t a, int32_t b)
{
  const int32_t storage = buffer_of(c, a)->storage;
  return a == b || (storage >= 0 && storage == buffer_of(c, b)->storage);
}

// In place: allowed by the operation, and the entry written is the only one read with it.
static tg_status check_alias(const checker *c, int32_t k)
{
  const tg_instr *instr = c->instr;
  if (!shares_memory(c, instr->in[k], instr->out)) return TG_OK;
  if (!tg_opcode_traits(instr->op)->in_place) return broken(c, "the result stands in the storage of input %" PRId32, k);
  for (int32_t s = 0; s < instr->n_code; s++)
    if ((instr->code[s].op == TG_CODE_ROW || instr->code[s].op == TG_CODE_COL) && instr->code[s].operand == k)
      return broken(c, "the result stands in the storage of the broadcast input %" PRId32, k);
  return TG_OK;
}

static tg_status check_reads(const checker *c)
{
  const tg_instr *instr = c->instr;
  const tg_opcode_info *traits = tg_opcode_traits(instr->op);
  const bool count_fits = traits->n_in == -2 || (traits->n_in == -1 ? instr->n_in >= 1 : instr->n_in == traits->n_in);
  if (!count_fits) return broken(c, "%" PRId32 " inputs", instr->n_in);
  for (int32_t k = 0; k < instr->n_in; k++) TG_TRY(read_buffer(c, instr->in[k]));
  if (instr->op == TG_OP_LINCOMB) {
    if (instr->coefs == NULL) return broken(c, "no coefficients");
    for (int32_t k = 0; k < instr->n_in; k++) TG_TRY(read_coef(c, instr->coefs[k]));
  }
  if (traits->uses_alpha) TG_TRY(read_coef(c, instr->alpha));
  if (!traits->uses_code && instr->n_code > 0) return broken(c, "code where the operation has none");
  if (!traits->uses_factor) return TG_OK;
  if (instr->factor < 0 || instr->factor >= c->plan->n_factors)
    return broken(c, "there is no factor %" PRId32, instr->factor);
  if (!c->factor_written[instr->factor] && !c->factor_fixed[instr->factor])
    return broken(c, "reads factor %" PRId32 ", which nothing has made", instr->factor);
  return TG_OK;
}

// Factors are made, and read, by the operations that they are for.
static bool fits_use(tg_opcode op, tg_factor_use use)
{
  switch (op) {
  case TG_OP_EIGEN:
    return use == TG_FACTOR_OF_EIGEN;
  case TG_OP_SVD:
    return use == TG_FACTOR_OF_SVD;
  case TG_OP_VECTORS:
  case TG_OP_VALUES:
    return use != TG_FACTOR_OF_SYSTEM;
  default:
    return use == TG_FACTOR_OF_SYSTEM;
  }
}

static tg_status check_use(const checker *c)
{
  const tg_opcode_info *traits = tg_opcode_traits(c->instr->op);
  const bool makes = traits->result == TG_RESULT_FACTOR;
  const int32_t factor = makes ? c->instr->out : c->instr->factor;
  if ((makes || traits->uses_factor) && !fits_use(c->instr->op, c->plan->factors[factor].use))
    return broken(c, "factor %" PRId32 " is for another use", factor);
  return TG_OK;
}

static tg_status check_out_exists(const checker *c)
{
  static const char *const names[] = {"buffer", "register", "factor"};
  const int32_t counts[] = {c->plan->n_buffers, c->plan->n_registers, c->plan->n_factors};
  const tg_result result = tg_opcode_traits(c->instr->op)->result;
  if (c->instr->out < 0 || c->instr->out >= counts[result])
    return broken(c, "there is no %s %" PRId32 " to write", names[result], c->instr->out);
  return TG_OK;
}

static tg_status check_instr(checker *c)
{
  const tg_instr *instr = c->instr;
  if (instr->op >= TG_OPCODE_COUNT) return broken(c, "unknown operation %d", (int)instr->op);
  const tg_opcode_info *traits = tg_opcode_traits(instr->op);
  TG_TRY(check_out_exists(c));
  TG_TRY(check_reads(c));
  TG_TRY(check_use(c));
  if (instr->op == TG_OP_GEMM && instr->beta != 0.0) TG_TRY(read_buffer(c, instr->out));
  if (!shapes_agree(c)) return shape_fails(c);
  if (instr->op == TG_OP_SCALAR) TG_TRY(check_code(c, NULL));
  if (instr->op == TG_OP_EWSUM) TG_TRY(check_code(c, buffer_of(c, instr->in[0])));
  if (instr->op == TG_OP_ENTRYWISE) TG_TRY(check_code(c, buffer_of(c, instr->out)));
  if (traits->result == TG_RESULT_REGISTER) return write_register(c, instr->out);
  if (traits->result == TG_RESULT_FACTOR) return write_factor(c, instr->out);
  for (int32_t k = 0; k < instr->n_in; k++) TG_TRY(check_alias(c, k));
  return write_buffer(c, instr->out);
}

// ---- programs and roots ----

static tg_status check_program(checker *c, tg_program_id id)
{
  const tg_plan *plan = c->plan;
  c->program = id;
  memset(c->written, 0, (size_t)plan->n_buffers * sizeof *c->written);
  memset(c->register_written, 0, (size_t)plan->n_registers * sizeof *c->register_written);
  memset(c->factor_written, 0, (size_t)plan->n_factors * sizeof *c->factor_written);
  for (int32_t s = 0; s < c->n_storages; s++) c->owner[s] = -1;
  for (c->position = 0; c->position < plan->programs[id].n_instrs; c->position++) {
    c->instr = &plan->programs[id].instrs[c->position];
    TG_TRY(check_instr(c));
  }
  c->position = -1;
  if (id != TG_PROGRAM_SETUP) return TG_OK;
  for (int32_t r = 0; r < plan->n_registers; r++) c->register_fixed[r] = c->register_fixed[r] || c->register_written[r];
  for (int32_t f = 0; f < plan->n_factors; f++) c->factor_fixed[f] = c->factor_written[f];
  return TG_OK;
}

// Every block has an output of this kind, written by the program just checked.
static tg_status check_outputs(const checker *c, tg_buffer_kind kind)
{
  for (int32_t k = 0; k < c->plan->n_variables; k++) {
    const int32_t id = tg_plan_find_buffer(c->plan, kind, k);
    if (id < 0 || !c->written[id])
      return broken(c, "%s does not write its output for '%s'", tg_program_label(c->program),
                    c->plan->variables[k].name);
  }
  return TG_OK;
}

static tg_status check_root(const checker *c, int32_t reg, const char *what)
{
  if (reg < 0 || reg >= c->plan->n_registers || (!c->register_written[reg] && !c->register_fixed[reg]))
    return broken(c, "%s does not write %s, register %" PRId32, tg_program_label(c->program), what, reg);
  return TG_OK;
}

static tg_status check_line(const checker *c)
{
  if (c->plan->line_by_hessian) return TG_OK;
  for (int32_t k = 1; k <= c->plan->degree; k++)
    TG_TRY(check_root(c, c->plan->line_registers[k], "a coefficient of the line"));
  return TG_OK;
}

static tg_status check_advance(const checker *c)
{
  for (int32_t b = 0; b < c->plan->n_buffers; b++)
    if (c->point_state[b] && !c->written[b])
      return broken(c, "advance leaves the image '%s' of the point behind", buffer_of(c, b)->name);
  if (c->plan->has_state && (c->plan->step_register < 0 || c->plan->step_register >= c->plan->n_registers))
    return broken(c, "there is no step register %" PRId32, c->plan->step_register);
  return TG_OK;
}

// What each program owes to its callers.
static tg_status check_promises(checker *c, tg_program_id id)
{
  const tg_plan *plan = c->plan;
  const bool is_empty = plan->programs[id].n_instrs == 0;
  switch (id) {
  case TG_PROGRAM_VALUE:
    return check_root(c, plan->value_register, "the value");
  case TG_PROGRAM_GRADIENT:
  case TG_PROGRAM_GRADIENT_AT_ZERO:
    if (is_empty) return TG_OK;
    TG_TRY(check_root(c, plan->value_register, "the value"));
    return check_outputs(c, TG_BUFFER_GRADIENT);
  case TG_PROGRAM_DIRECTION:
    return plan->has_line ? check_line(c) : TG_OK;
  case TG_PROGRAM_ADVANCE:
    return plan->has_line ? check_advance(c) : TG_OK;
  case TG_PROGRAM_HESSIAN:
    return plan->has_hessian ? check_outputs(c, TG_BUFFER_HESSIAN) : TG_OK;
  default:
    return TG_OK;
  }
}

static tg_status check_flags(const checker *c)
{
  const tg_plan *plan = c->plan;
  if (plan->has_line && (plan->degree < 1 || plan->degree > TG_LINE_DEGREE_MAX))
    return broken(c, "a line of degree %" PRId32, plan->degree);
  if (plan->line_by_hessian &&
      (plan->degree != 2 || !plan->has_hessian || !plan->has_line || plan->has_state ||
       plan->programs[TG_PROGRAM_DIRECTION].n_instrs > 0 || plan->programs[TG_PROGRAM_ADVANCE].n_instrs > 0))
    return broken(c, "a line taken from the Hessian action beside images or a direction program");
  if (plan->has_state != (plan->programs[TG_PROGRAM_REFRESH].n_instrs > 0))
    return broken(c, "has_state is %d, refresh has %" PRId32 " instructions", (int)plan->has_state,
                  plan->programs[TG_PROGRAM_REFRESH].n_instrs);
  if (plan->has_hessian != (plan->programs[TG_PROGRAM_HESSIAN].n_instrs > 0))
    return broken(c, "has_hessian is %d, hessian has %" PRId32 " instructions", (int)plan->has_hessian,
                  plan->programs[TG_PROGRAM_HESSIAN].n_instrs);
  return TG_OK;
}

static tg_status checker_init(checker *c, const tg_plan *plan, tg_arena *arena)
{
  *c = (checker){.plan = plan, .position = -1, .n_storages = tg_plan_storage_count(plan)};
  const size_t buffers = (size_t)plan->n_buffers;
  const size_t registers = (size_t)plan->n_registers;
  const size_t factors = (size_t)plan->n_factors;
  TG_TRY(TG_ARENA_NEW(arena, (size_t)c->n_storages, &c->owner));
  TG_TRY(TG_ARENA_NEW(arena, buffers, &c->written));
  TG_TRY(TG_ARENA_NEW(arena, buffers, &c->made_by_setup));
  TG_TRY(TG_ARENA_NEW(arena, buffers, &c->point_state));
  TG_TRY(TG_ARENA_NEW(arena, registers, &c->register_written));
  TG_TRY(TG_ARENA_NEW(arena, registers, &c->register_fixed));
  TG_TRY(TG_ARENA_NEW(arena, factors, &c->factor_written));
  return TG_ARENA_NEW(arena, factors, &c->factor_fixed);
}

tg_status tg_plan_verify(const tg_plan *plan)
{
  tg_status status = TG_OK;
  checker c;
  tg_arena arena;
  tg_arena_init(&arena);
  TG_TRY_GOTO(checker_init(&c, plan, &arena));
  TG_TRY_GOTO(check_tables(&c));
  TG_TRY_GOTO(check_flags(&c));
  // In the order of the enumeration: SETUP and REFRESH first, for what they leave behind.
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    TG_TRY_GOTO(check_program(&c, (tg_program_id)p));
    TG_TRY_GOTO(check_promises(&c, (tg_program_id)p));
  }
done:
  tg_arena_fini(&arena);
  return status;
}
