// Plans as data: labels, traits of the operations, the fingerprint.
#include "grad/plan/plan.h"

#include <string.h>

#include "base/memory.h"

void tg_plan_destroy(tg_plan **plan)
{
  if (*plan == NULL) return;
  tg_arena_fini(&(*plan)->arena);
  tg_free(*plan);
  *plan = NULL;
}

const char *tg_opcode_label(tg_opcode op)
{
  static const char *const labels[] = {
#define TG_OPCODE_LABEL(name, label) label,
      TG_OPCODE_LIST(TG_OPCODE_LABEL)
#undef TG_OPCODE_LABEL
  };
  return op < TG_OPCODE_COUNT ? labels[op] : "unknown";
}

const char *tg_program_label(tg_program_id id)
{
  static const char *const labels[TG_PROGRAM_COUNT] = {
      [TG_PROGRAM_SETUP] = "setup",       [TG_PROGRAM_REFRESH] = "refresh",         [TG_PROGRAM_VALUE] = "value",
      [TG_PROGRAM_GRADIENT] = "gradient", [TG_PROGRAM_DIRECTION] = "direction",     [TG_PROGRAM_ADVANCE] = "advance",
      [TG_PROGRAM_HESSIAN] = "hessian",   [TG_PROGRAM_GRADIENT_AT_ZERO] = "origin",
  };
  return id < TG_PROGRAM_COUNT ? labels[id] : "unknown";
}

const tg_opcode_info *tg_opcode_traits(tg_opcode op)
{
  static const tg_opcode_info traits[TG_OPCODE_COUNT] = {
      // result, inputs, alpha, factor, code, in place
      [TG_OP_GEMM] = {TG_RESULT_BUFFER, 2, true, false, false, false},
      [TG_OP_LINCOMB] = {TG_RESULT_BUFFER, -1, false, false, false, true},
      [TG_OP_TRANSPOSE] = {TG_RESULT_BUFFER, 1, true, false, false, false},
      [TG_OP_ENTRYWISE] = {TG_RESULT_BUFFER, -2, false, false, true, true},
      [TG_OP_EWSUM] = {TG_RESULT_REGISTER, -1, false, false, true, false},
      [TG_OP_DOT] = {TG_RESULT_REGISTER, 2, false, false, false, false},
      [TG_OP_TRACE] = {TG_RESULT_REGISTER, 1, false, false, false, false},
      [TG_OP_FETCH] = {TG_RESULT_REGISTER, 1, false, false, false, false},
      [TG_OP_STORE] = {TG_RESULT_BUFFER, 0, true, false, false, false},
      [TG_OP_SCALAR] = {TG_RESULT_REGISTER, 0, false, false, true, false},
      [TG_OP_FILL] = {TG_RESULT_BUFFER, 0, true, false, false, false},
      [TG_OP_EYE] = {TG_RESULT_BUFFER, 0, true, false, false, false},
      [TG_OP_TRIANGLE] = {TG_RESULT_BUFFER, 0, false, false, false, false},
      [TG_OP_LOGSUMEXP] = {TG_RESULT_BUFFER, 1, false, false, false, false},
      [TG_OP_PICK] = {TG_RESULT_BUFFER, 0, false, false, false, false},
      [TG_OP_SLICE] = {TG_RESULT_BUFFER, 1, false, false, false, false},
      [TG_OP_COMM] = {TG_RESULT_BUFFER, 0, false, false, false, false},
      [TG_OP_CHOLESKY] = {TG_RESULT_FACTOR, 1, false, false, false, false},
      [TG_OP_LU] = {TG_RESULT_FACTOR, 1, false, false, false, false},
      [TG_OP_EIGEN] = {TG_RESULT_FACTOR, 1, false, false, false, false},
      [TG_OP_SVD] = {TG_RESULT_FACTOR, 1, false, false, false, false},
      [TG_OP_VECTORS] = {TG_RESULT_BUFFER, 0, false, true, false, false},
      [TG_OP_VALUES] = {TG_RESULT_BUFFER, 0, false, true, false, false},
      [TG_OP_SOLVE] = {TG_RESULT_BUFFER, 1, false, true, false, false},
      [TG_OP_INVERSE] = {TG_RESULT_BUFFER, 0, false, true, false, false},
      [TG_OP_LOGDET] = {TG_RESULT_REGISTER, 0, false, true, false, false},
      [TG_OP_DET] = {TG_RESULT_REGISTER, 0, false, true, false, false},
      [TG_OP_DIAG] = {TG_RESULT_BUFFER, 1, false, false, false, false},
      [TG_OP_DIAGVEC] = {TG_RESULT_BUFFER, 1, false, false, false, false},
      [TG_OP_RESHAPE] = {TG_RESULT_BUFFER, 1, false, false, false, false},
      [TG_OP_KRON] = {TG_RESULT_BUFFER, 2, false, false, false, false},
      [TG_OP_KRON_LEFT] = {TG_RESULT_BUFFER, 2, false, false, false, false},
      [TG_OP_KRON_RIGHT] = {TG_RESULT_BUFFER, 2, false, false, false, false},
  };
  TG_ASSERT(op < TG_OPCODE_COUNT);
  return &traits[op];
}

int tg_code_arity(tg_code_op op)
{
  if (op <= TG_CODE_NUMBER) return 0;
  return op <= TG_CODE_DIVIDED ? 2 : 1;
}

const char *tg_code_label(tg_code_op op)
{
  static const char *const labels[TG_CODE_COUNT] = {
      "load", "row", "col", "reg", "number", "+", "-", "*", "/", "^", "max", "min", "divided", "square", "-", "sqrt",
#define TG_ENTRYWISE(KIND, name, ...) [TG_CODE_##KIND] = #name,
#include "grad/entrywise.def"
  };
  return op < TG_CODE_COUNT ? labels[op] : "unknown";
}

int32_t tg_plan_storage_count(const tg_plan *plan)
{
  int32_t count = 0;
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].storage >= count) count = plan->buffers[b].storage + 1;
  return count;
}

int32_t tg_plan_find_buffer(const tg_plan *plan, tg_buffer_kind kind, int32_t index)
{
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].kind == kind && plan->buffers[b].index == index) return b;
  return -1;
}

bool tg_instr_is_product(const tg_instr *instr)
{
  return instr->op == TG_OP_GEMM || instr->op == TG_OP_SOLVE || instr->op == TG_OP_INVERSE;
}

int64_t tg_program_products(const tg_program *program)
{
  int64_t count = 0;
  for (int32_t k = 0; k < program->n_instrs; k++) count += tg_instr_is_product(&program->instrs[k]);
  return count;
}

// FNV-1a, 64 bits (Fowler, Noll, Vo), field by field: padding and pointers never enter.
static void mix(uint64_t *hash, uint64_t value)
{
  for (int byte = 0; byte < 8; byte++) {
    *hash ^= (value >> (8 * byte)) & 0xFFu;
    *hash *= 0x100000001B3u;
  }
}

static void mix_int(uint64_t *hash, int64_t value)
{
  mix(hash, (uint64_t)value);
}

static void mix_double(uint64_t *hash, double value)
{
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  mix(hash, bits);
}

static void mix_instr(uint64_t *hash, const tg_instr *instr)
{
  mix_int(hash, instr->op);
  mix_int(hash, instr->out);
  mix_int(hash, instr->factor);
  mix_int(hash, instr->n_in);
  for (int32_t k = 0; k < instr->n_in; k++) mix_int(hash, instr->in[k]);
  for (int32_t k = 0; instr->op == TG_OP_LINCOMB && k < instr->n_in; k++) {
    mix_double(hash, instr->coefs[k].value);
    mix_int(hash, instr->coefs[k].reg);
  }
  mix_double(hash, instr->alpha.value);
  mix_int(hash, instr->alpha.reg);
  mix_double(hash, instr->beta);
  for (int k = 0; k < 2; k++) {
    mix_int(hash, instr->trans[k]);
    mix_int(hash, instr->symmetric[k]);
    mix_int(hash, instr->dims[k]);
  }
  mix_int(hash, instr->right);
  mix_int(hash, instr->n_code);
  for (int32_t k = 0; k < instr->n_code; k++) {
    mix_int(hash, instr->code[k].op);
    mix_int(hash, instr->code[k].operand);
    mix_double(hash, instr->code[k].value);
  }
}

static void mix_tables(uint64_t *hash, const tg_plan *plan)
{
  mix_int(hash, plan->n_buffers);
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &plan->buffers[b];
    mix_int(hash, buffer->kind);
    mix_int(hash, buffer->index);
    mix_int(hash, buffer->storage);
    mix_int(hash, buffer->rows);
    mix_int(hash, buffer->cols);
  }
  mix_int(hash, plan->n_data);
  mix_int(hash, plan->n_variables);
  mix_int(hash, plan->n_registers);
  mix_int(hash, plan->n_inits);
  for (int32_t k = 0; k < plan->n_inits; k++) {
    mix_int(hash, plan->inits[k].reg);
    mix_double(hash, plan->inits[k].value);
  }
  mix_int(hash, plan->n_factors);
  for (int32_t k = 0; k < plan->n_factors; k++) {
    mix_int(hash, plan->factors[k].use);
    mix_int(hash, plan->factors[k].rows);
    mix_int(hash, plan->factors[k].cols);
  }
}

uint64_t tg_plan_shape(const tg_plan *plan)
{
  tg_plan bare = *plan;
  bare.n_inits = 0;
  return tg_plan_hash(&bare);
}

uint64_t tg_plan_hash(const tg_plan *plan)
{
  uint64_t hash = 0xCBF29CE484222325u;
  mix_tables(&hash, plan);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    mix_int(&hash, plan->programs[p].n_instrs);
    for (int32_t k = 0; k < plan->programs[p].n_instrs; k++) mix_instr(&hash, &plan->programs[p].instrs[k]);
  }
  mix_int(&hash, plan->value_register);
  mix_int(&hash, plan->step_register);
  mix_int(&hash, plan->degree);
  mix_int(&hash, plan->has_line);
  mix_int(&hash, plan->line_by_hessian);
  mix_int(&hash, plan->has_state);
  mix_int(&hash, plan->has_hessian);
  for (int32_t k = 1; plan->has_line && k <= plan->degree; k++) mix_int(&hash, plan->line_registers[k]);
  return hash;
}
