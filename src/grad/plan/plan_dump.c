// Plans as text: one readable line an instruction.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grad/divided.h"
#include "grad/plan/cost.h"
#include "grad/plan/plan.h"

enum { FORMULA_COLUMNS = 48 };

// DATA and variables under their names; the others by kind and number, as they have no name of the user's.
static void add_buffer(const tg_plan *plan, int32_t id, tg_text *out)
{
  const tg_plan_buffer *buffer = &plan->buffers[id];
  switch (buffer->kind) {
  case TG_BUFFER_DATA:
  case TG_BUFFER_VARIABLE:
    tg_text_add(out, buffer->name);
    break;
  case TG_BUFFER_DIRECTION:
    tg_text_addf(out, "d%s", buffer->name);
    break;
  case TG_BUFFER_GRADIENT:
    tg_text_addf(out, "grad(%s)", buffer->name);
    break;
  case TG_BUFFER_HESSIAN:
    tg_text_addf(out, "hess(%s)", buffer->name);
    break;
  default:
    tg_text_addf(out, "%c%" PRId32, "CST"[buffer->kind - TG_BUFFER_CONSTANT], id);
  }
}

// "2*r3*", nothing for 1.
static void add_scale(tg_coef coef, tg_text *out)
{
  if (coef.value == -1.0 && coef.reg < 0) tg_text_add(out, "-");
  if (fabs(coef.value) != 1.0) {
    tg_text_add_number(out, coef.value);
    tg_text_add(out, "*");
  } else if (coef.value < 0 && coef.reg >= 0) {
    tg_text_add(out, "-");
  }
  if (coef.reg >= 0) tg_text_addf(out, "r%" PRId32 "*", coef.reg);
}

static void add_coef(tg_coef coef, tg_text *out)
{
  if (coef.reg < 0) {
    tg_text_add_number(out, coef.value);
    return;
  }
  if (coef.value != 1.0) {
    tg_text_add_number(out, coef.value);
    tg_text_add(out, "*");
  }
  tg_text_addf(out, "r%" PRId32, coef.reg);
}

// First step of the subexpression that ends with step `last`.
static int32_t code_begin(const tg_code *code, int32_t last)
{
  int32_t wanted = 1;
  while (last >= 0) {
    wanted += tg_code_arity(code[last].op) - 1;
    if (wanted == 0) return last;
    last--;
  }
  return 0;
}

static void add_code(const tg_plan *plan, const tg_instr *instr, int32_t last, tg_text *out);

static void add_leaf(const tg_plan *plan, const tg_instr *instr, const tg_code *step, tg_text *out)
{
  if (step->op == TG_CODE_REG) {
    tg_text_addf(out, "r%" PRId32, step->operand);
  } else if (step->op == TG_CODE_NUMBER) {
    tg_text_add_number(out, step->value);
  } else {
    add_buffer(plan, instr->in[step->operand], out);
    if (step->op == TG_CODE_ROW) tg_text_add(out, "[i]");
    if (step->op == TG_CODE_COL) tg_text_add(out, "[j]");
  }
}

// Postfix back to infix, with parentheses around every operation between two operands.
static void add_code(const tg_plan *plan, const tg_instr *instr, int32_t last, tg_text *out)
{
  const tg_code *step = &instr->code[last];
  const int arity = tg_code_arity(step->op);
  if (arity == 0) {
    add_leaf(plan, instr, step, out);
  } else if (step->op == TG_CODE_DIVIDED) {
    tg_text_addf(out, "%s(", tg_divided_label((tg_divided)step->operand));
    add_code(plan, instr, code_begin(instr->code, last - 1) - 1, out);
    tg_text_add(out, ", ");
    add_code(plan, instr, last - 1, out);
    tg_text_add(out, ")");
  } else if (arity == 2) {
    tg_text_add(out, "(");
    add_code(plan, instr, code_begin(instr->code, last - 1) - 1, out);
    tg_text_addf(out, " %s ", tg_code_label(step->op));
    add_code(plan, instr, last - 1, out);
    tg_text_add(out, ")");
  } else {
    tg_text_addf(out, "%s(", tg_code_label(step->op));
    add_code(plan, instr, last - 1, out);
    tg_text_add(out, ")");
  }
}

static void add_operand(const tg_plan *plan, const tg_instr *instr, int k, tg_text *out)
{
  add_buffer(plan, instr->in[k], out);
  if (instr->trans[k]) tg_text_add(out, "'");
}

static void add_gemm(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  add_scale(instr->alpha, out);
  add_operand(plan, instr, 0, out);
  tg_text_add(out, " * ");
  add_operand(plan, instr, 1, out);
  if (instr->beta == 0.0) return;
  tg_text_add(out, " + ");
  add_buffer(plan, instr->out, out);
}

static void add_lincomb(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  for (int32_t k = 0; k < instr->n_in; k++) {
    tg_coef coef = instr->coefs[k];
    if (k > 0) {
      tg_text_add(out, coef.value < 0 ? " - " : " + ");
      coef.value = fabs(coef.value);
    }
    add_scale(coef, out);
    add_buffer(plan, instr->in[k], out);
  }
}

static void add_factor(const tg_instr *instr, tg_text *out)
{
  tg_text_addf(out, "F%" PRId32 "%s", instr->factor, instr->trans[0] ? "'" : "");
}

static void add_solve(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  if (instr->right) {
    add_buffer(plan, instr->in[0], out);
    tg_text_add(out, " / ");
    add_factor(instr, out);
  } else {
    add_factor(instr, out);
    tg_text_add(out, " \\ ");
    add_buffer(plan, instr->in[0], out);
  }
}

// label(in0, in1): the operations that read as a function.
static void add_call(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  if (tg_opcode_traits(instr->op)->uses_alpha && instr->op != TG_OP_FILL) add_scale(instr->alpha, out);
  tg_text_addf(out, "%s(", tg_opcode_label(instr->op));
  for (int32_t k = 0; k < instr->n_in; k++) {
    if (k > 0) tg_text_add(out, ", ");
    add_buffer(plan, instr->in[k], out);
  }
  if (instr->op == TG_OP_FILL) add_coef(instr->alpha, out);
  if (instr->op == TG_OP_TRIANGLE) tg_text_add(out, instr->trans[0] ? "lower" : "upper");
  if (instr->op == TG_OP_PICK) tg_text_addf(out, "%" PRId64, instr->dims[0]);
  if (instr->op == TG_OP_SLICE) tg_text_addf(out, ", %" PRId64 ", %" PRId64, instr->dims[0], instr->dims[1]);
  if (instr->op == TG_OP_COMM) tg_text_addf(out, "%" PRId64 ", %" PRId64, instr->dims[0], instr->dims[1]);
  if (tg_opcode_traits(instr->op)->uses_factor) add_factor(instr, out);
  tg_text_add(out, ")");
}

void tg_plan_dump_formula(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  switch (instr->op) {
  case TG_OP_GEMM:
    add_gemm(plan, instr, out);
    break;
  case TG_OP_LINCOMB:
    add_lincomb(plan, instr, out);
    break;
  case TG_OP_TRANSPOSE:
    add_scale(instr->alpha, out);
    add_buffer(plan, instr->in[0], out);
    tg_text_add(out, "'");
    break;
  case TG_OP_EWSUM:
    tg_text_add(out, "sum ");
    add_code(plan, instr, instr->n_code - 1, out);
    break;
  case TG_OP_ENTRYWISE:
  case TG_OP_SCALAR:
    add_code(plan, instr, instr->n_code - 1, out);
    break;
  case TG_OP_DOT:
    tg_text_add(out, "<");
    add_buffer(plan, instr->in[0], out);
    tg_text_add(out, ", ");
    add_buffer(plan, instr->in[1], out);
    tg_text_add(out, ">");
    break;
  case TG_OP_STORE:
    add_coef(instr->alpha, out);
    break;
  case TG_OP_SOLVE:
    add_solve(plan, instr, out);
    break;
  default:
    add_call(plan, instr, out);
  }
}

static void add_left_side(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  switch (tg_opcode_traits(instr->op)->result) {
  case TG_RESULT_REGISTER:
    tg_text_addf(out, "r%" PRId32, instr->out);
    break;
  case TG_RESULT_FACTOR:
    tg_text_addf(out, "F%" PRId32 " (%" PRId64, instr->out, plan->factors[instr->out].rows);
    if (plan->factors[instr->out].use == TG_FACTOR_OF_SVD)
      tg_text_addf(out, "x%" PRId64, plan->factors[instr->out].cols);
    tg_text_add(out, ")");
    break;
  default:
    add_buffer(plan, instr->out, out);
    tg_text_addf(out, " (%" PRId64 "x%" PRId64 ")", plan->buffers[instr->out].rows, plan->buffers[instr->out].cols);
  }
}

static void pad(tg_text *out, size_t line_begin, size_t column)
{
  do tg_text_add(out, " ");
  while (tg_text_status(out) == TG_OK && out->length < line_begin + column);
}

void tg_plan_dump_assignment(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  add_left_side(plan, instr, out);
  tg_text_add(out, " = ");
  tg_plan_dump_formula(plan, instr, out);
}

void tg_plan_dump_instr(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  const size_t begin = out->length;
  tg_text_add(out, "  ");
  tg_plan_dump_assignment(plan, instr, out);
  pad(out, begin, FORMULA_COLUMNS);
  tg_text_addf(out, "%-11s", tg_opcode_label(instr->op));
}

// What a program's result is called where no expression says it: "# A*X".
static void add_meaning(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  if (tg_opcode_traits(instr->op)->result != TG_RESULT_BUFFER) return;
  const tg_plan_buffer *buffer = &plan->buffers[instr->out];
  if (buffer->storage >= 0 && buffer->name[0] != '\0') tg_text_addf(out, "  # %s", buffer->name);
}

void tg_plan_dump(const tg_plan *plan, tg_text *out)
{
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    const tg_program *program = &plan->programs[p];
    if (program->n_instrs == 0) continue;
    double flops = 0;
    for (int32_t k = 0; k < program->n_instrs; k++) flops += tg_instr_flops(plan, &program->instrs[k]);
    tg_text_addf(out, "%s: %" PRId32 " operations, %" PRId64 " products, %.3g flops\n",
                 tg_program_label((tg_program_id)p), program->n_instrs, tg_program_products(program), flops);
    for (int32_t k = 0; k < program->n_instrs; k++) {
      tg_plan_dump_instr(plan, &program->instrs[k], out);
      tg_text_addf(out, "%9.2g flops", tg_instr_flops(plan, &program->instrs[k]));
      add_meaning(plan, &program->instrs[k], out);
      tg_text_add(out, "\n");
    }
  }
}
