// The statements of a function: the instructions of a program that its results need, each by its template.
#include <string.h>

#include "derive/export/export_parts.h"

// ---- what is needed ----

typedef struct marks {
  bool *buffers;
  bool *registers;
  bool *factors;
} marks;

static bool *mark_of(const tg_instr *instr, const marks *m)
{
  switch (tg_opcode_traits(instr->op)->result) {
  case TG_RESULT_REGISTER:
    return &m->registers[instr->out];
  case TG_RESULT_FACTOR:
    return &m->factors[instr->out];
  default:
    return &m->buffers[instr->out];
  }
}

static void need_coef(tg_coef coef, const marks *m)
{
  if (coef.reg >= 0) m->registers[coef.reg] = true;
}

static void need_operands(const tg_instr *instr, const marks *m)
{
  for (int32_t k = 0; k < instr->n_in; k++) {
    m->buffers[instr->in[k]] = true;
    if (instr->op == TG_OP_LINCOMB) need_coef(instr->coefs[k], m);
  }
  if (tg_opcode_traits(instr->op)->uses_alpha) need_coef(instr->alpha, m);
  if (instr->factor >= 0) m->factors[instr->factor] = true;
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op == TG_CODE_REG) m->registers[instr->code[k].operand] = true;
}

// Instructions of the programs in order, of both plans in turn; those that nothing needs are left out.
static tg_status find_live(tg_export *e, bool hessian)
{
  const tg_program_id order[] = {TG_PROGRAM_SETUP, TG_PROGRAM_REFRESH,
                                 hessian ? TG_PROGRAM_HESSIAN : TG_PROGRAM_GRADIENT};
  const tg_plan *plan = e->plans[0];
  marks m = {0};
  int32_t count = 0;
  for (int p = 0; p < 3; p++) count += plan->programs[order[p]].n_instrs;
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_buffers, &m.buffers));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_registers + 1, &m.registers));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_factors + 1, &m.factors));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)(2 * count + 2), &e->live));
  for (int32_t b = 0; b < plan->n_buffers; b++)
    m.buffers[b] = plan->buffers[b].kind == (hessian ? TG_BUFFER_HESSIAN : TG_BUFFER_GRADIENT);
  if (!hessian) m.registers[plan->value_register] = true;
  int32_t at = count;
  for (int p = 2; p >= 0; p--)
    for (int32_t k = plan->programs[order[p]].n_instrs - 1; k >= 0; k--) {
      const tg_instr *instr = &plan->programs[order[p]].instrs[k];
      if (!*mark_of(instr, &m)) continue;
      need_operands(instr, &m);
      at--;
      for (int set = 0; set < 2; set++) e->live[2 * at + set] = &e->plans[set]->programs[order[p]].instrs[k];
    }
  e->n_live = count - at;
  e->live += (ptrdiff_t)2 * at;
  return TG_OK;
}

// ---- names ----

static tg_status keep(tg_export *e, const char **out, const char *format, int number)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "%s%d", format, number);
  tg_status status = tg_text_status(&text);
  if (status == TG_OK) status = tg_arena_string(&e->arena, tg_text_string(&text), text.length, out);
  tg_text_fini(&text);
  return status;
}

// Temporaries in the order in which they appear.
static tg_status name_results(tg_export *e)
{
  int n[3] = {0};
  for (int32_t k = 0; k < e->n_live; k++) {
    const tg_instr *instr = e->live[(ptrdiff_t)2 * k];
    const tg_result result = tg_opcode_traits(instr->op)->result;
    if (result == TG_RESULT_BUFFER && e->buffers[instr->out] == NULL)
      TG_TRY(keep(e, &e->buffers[instr->out], "T", ++n[0]));
    if (result == TG_RESULT_REGISTER && e->registers[instr->out] == NULL)
      TG_TRY(keep(e, &e->registers[instr->out], "s", ++n[1]));
    if (result == TG_RESULT_FACTOR && e->factors[instr->out] == 0) e->factors[instr->out] = ++n[2];
  }
  return TG_OK;
}

static void forget_results(tg_export *e)
{
  const tg_plan *plan = e->plans[0];
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].storage >= 0) e->buffers[b] = NULL;
  memset(e->registers, 0, (size_t)plan->n_registers * sizeof *e->registers);
  memset(e->factors, 0, (size_t)plan->n_factors * sizeof *e->factors);
}

// ---- numbers ----

static tg_status add_register(const tg_export *e, int32_t reg, tg_text *out)
{
  if (e->registers[reg] != NULL) {
    tg_text_add(out, e->registers[reg]);
    return TG_OK;
  }
  double value[2] = {0, 0};
  for (int set = 0; set < 2; set++)
    for (int32_t k = 0; k < e->plans[set]->n_inits; k++)
      if (e->plans[set]->inits[k].reg == reg) value[set] = e->plans[set]->inits[k].value;
  tg_text_add(out, value[0] < 0 ? "(" : "");
  TG_TRY(tg_export_number(e, value[0], value[1], false, out));
  tg_text_add(out, value[0] < 0 ? ")" : "");
  return TG_OK;
}

tg_status tg_export_value(const tg_export *e, tg_text *out)
{
  return add_register(e, e->plans[0]->value_register, out);
}

// "2*", "-s1*", "" for 1.
static tg_status add_factor(const tg_export *e, tg_coef first, tg_coef second, tg_text *out)
{
  const bool is_unit = first.value == second.value && (first.value == 1.0 || first.value == -1.0);
  if (is_unit) tg_text_add(out, first.value < 0 ? "-" : "");
  if (!is_unit) {
    TG_TRY(tg_export_number(e, first.value, second.value, false, out));
    tg_text_add(out, "*");
  }
  if (first.reg < 0) return TG_OK;
  TG_TRY(add_register(e, first.reg, out));
  tg_text_add(out, "*");
  return TG_OK;
}

static tg_status add_coef(const tg_export *e, tg_coef first, tg_coef second, tg_text *out)
{
  const bool is_unit = first.value == 1.0 && second.value == 1.0 && first.reg >= 0;
  if (!is_unit) TG_TRY(tg_export_number(e, first.value, second.value, false, out));
  if (first.reg < 0) return TG_OK;
  tg_text_add(out, is_unit ? "" : "*");
  return add_register(e, first.reg, out);
}

// ---- expressions of entries ----

// Whose shape an expression of entries has.
static int32_t shape_of(const tg_instr *instr)
{
  return instr->op == TG_OP_EWSUM ? instr->in[0] : instr->out;
}

// "$0" in a template of a load is the matrix, "$r" its rows; "$R" and "$C" the shape of the expression.
static tg_status add_load(const tg_export *e, const char *template, int32_t buffer, const tg_instr *instr, tg_text *out)
{
  for (const char *c = template; *c != '\0'; c++) {
    if (*c != '$') {
      tg_text_add_bytes(out, c, 1);
      continue;
    }
    c++;
    if (*c == 'r') TG_TRY(tg_export_buffer_size(e, buffer, false, out));
    if (*c == 'R' || *c == 'C') TG_TRY(tg_export_buffer_size(e, shape_of(instr), *c == 'C', out));
    if (*c == '0') tg_text_add(out, e->buffers[buffer]);
  }
  return TG_OK;
}

// What an operation's template says, '@' and '$' its operands, into `out`.
static void put_two(const char *template, const char *a, const char *b, tg_text *out)
{
  for (const char *c = template; *c != '\0'; c++) {
    if (*c == '@')
      tg_text_add(out, a);
    else if (*c == '$')
      tg_text_add(out, b);
    else
      tg_text_add_bytes(out, c, 1);
  }
}

void tg_export_put(const char *text, const char *argument, tg_text *out)
{
  put_two(text, argument, "", out);
}

static const char *const entry_names[] = {
#define TG_ENTRYWISE(KIND, name, ...) #name,
#include "grad/entrywise.def"
};

static void add_entry(const tg_export_language *language, tg_code_op op, const char *argument, tg_text *out)
{
  const int row = (int)op - (int)TG_CODE_ENTRY_FIRST;
  for (int k = 0; k < language->n_entries; k++) {
    if (strcmp(language->entries[k].name, entry_names[row]) != 0) continue;
    tg_export_put(language->entries[k].text, argument, out);
    return;
  }
  tg_text template;
  tg_text_init(&template);
  language->entry(row, &template);
  tg_export_put(tg_text_string(&template), argument, out);
  if (tg_text_status(&template) != TG_OK) out->status = tg_text_status(&template);
  tg_text_fini(&template);
}

static const char *binary_template(const tg_export_language *l, const tg_code *step)
{
  switch (step->op) {
  case TG_CODE_ADD:
    return l->add;
  case TG_CODE_SUB:
    return l->sub;
  case TG_CODE_MUL:
    return l->mul;
  case TG_CODE_DIV:
    return l->div;
  case TG_CODE_POW:
    return l->pow;
  case TG_CODE_MAX:
    return l->max;
  case TG_CODE_MIN:
    return l->min;
  default:
    return l->divided[step->operand];
  }
}

static tg_status add_leaf(const tg_export *e, const tg_instr *const *instr, int32_t at, tg_text *out)
{
  const tg_export_language *l = e->language;
  const tg_code *step = &instr[0]->code[at];
  if (step->op == TG_CODE_REG) return add_register(e, step->operand, out);
  if (step->op == TG_CODE_NUMBER) {
    const double second = instr[1]->code[at].value;
    tg_text_add(out, step->value < 0 ? "(" : "");
    TG_TRY(tg_export_number(e, step->value, second, false, out));
    tg_text_add(out, step->value < 0 ? ")" : "");
    return TG_OK;
  }
  const int32_t buffer = instr[0]->in[step->operand];
  const bool is_row = e->plans[0]->buffers[buffer].rows == 1 && e->plans[0]->buffers[buffer].cols > 1;
  const bool is_column = e->plans[0]->buffers[buffer].cols == 1 && e->plans[0]->buffers[buffer].rows > 1;
  if (step->op == TG_CODE_ROW) return add_load(e, is_row ? l->row_turned : l->row, buffer, instr[0], out);
  if (step->op == TG_CODE_COL) return add_load(e, is_column ? l->col_turned : l->col, buffer, instr[0], out);
  return add_load(e, l->load, buffer, instr[0], out);
}

static void add_unary(const tg_export_language *l, tg_code_op op, const char *a, tg_text *out)
{
  if (op == TG_CODE_SQUARE)
    tg_export_put(l->square, a, out);
  else if (op == TG_CODE_NEG)
    tg_export_put("(-@)", a, out);
  else if (op == TG_CODE_SQRT)
    tg_export_put(l->sqrt, a, out);
  else
    add_entry(l, op, a, out);
}

// A stack of texts; instr is the instruction in both plans.
static tg_status add_code_on(const tg_export *e, const tg_instr *const *instr, tg_text *stack, tg_text *out)
{
  int depth = 0;
  tg_text next;
  for (int32_t k = 0; k < instr[0]->n_code; k++) {
    const tg_code *step = &instr[0]->code[k];
    const int arity = tg_code_arity(step->op);
    tg_status status = TG_OK;
    tg_text_init(&next);
    const char *a = depth >= arity && arity > 0 ? tg_text_string(&stack[depth - arity]) : "";
    const char *template = arity == 2 ? binary_template(e->language, step) : "";
    if (template == NULL)
      status = tg_error_set(TG_UNSUPPORTED, TG_HERE, "%s has no export of the divided difference %s",
                            e->language->title, tg_divided_label((tg_divided)step->operand));
    else if (arity == 0)
      status = add_leaf(e, instr, k, &next);
    else if (arity == 1)
      add_unary(e->language, step->op, a, &next);
    else
      put_two(template, a, tg_text_string(&stack[depth - 1]), &next);
    if (status == TG_OK) status = tg_text_status(&next);
    depth += 1 - arity;
    tg_text_fini(&stack[depth - 1]);
    stack[depth - 1] = next;
    TG_TRY(status);
  }
  tg_text_add(out, tg_text_string(&stack[0]));
  return TG_OK;
}

static tg_status add_code(const tg_export *e, const tg_instr *const *instr, tg_text *out)
{
  tg_text stack[TG_CODE_DEPTH + 1];
  for (int k = 0; k <= TG_CODE_DEPTH; k++) tg_text_init(&stack[k]);
  const tg_status status = add_code_on(e, instr, stack, out);
  for (int k = 0; k <= TG_CODE_DEPTH; k++) tg_text_fini(&stack[k]);
  return status;
}

// Whether the code has every entry of its shape: a matrix, or a column and a row.
static bool fills_shape(const tg_plan *plan, const tg_instr *instr)
{
  const tg_plan_buffer *shape = &plan->buffers[shape_of(instr)];
  bool has[3] = {false, shape->rows == 1, shape->cols == 1};
  for (int32_t k = 0; k < instr->n_code; k++)
    if (instr->code[k].op <= TG_CODE_COL) has[instr->code[k].op] = true;
  return has[0] || (has[1] && has[2]);
}

static tg_status add_lincomb(const tg_export *e, const tg_instr *const *instr, tg_text *out)
{
  for (int32_t k = 0; k < instr[0]->n_in; k++) {
    tg_coef first = instr[0]->coefs[k];
    tg_coef second = instr[1]->coefs[k];
    if (k > 0) {
      tg_text_add(out, first.value < 0 ? " - " : " + ");
      second.value = first.value < 0 ? -second.value : second.value;
      first.value = first.value < 0 ? -first.value : first.value;
    }
    // One operand alone is copied, not given a second name.
    const bool is_copy = instr[0]->n_in == 1 && first.value == 1.0 && first.reg < 0;
    if (is_copy && !e->language->has_entries) tg_text_add(out, e->language->wants_point ? "1.0*" : "1*");
    TG_TRY(add_factor(e, first, second, out));
    TG_TRY(add_load(e, e->language->load, instr[0]->in[k], instr[0], out));
  }
  return TG_OK;
}

// ---- templates ----

static tg_export_op row_of_factor_use(const tg_export *e, const tg_instr *instr)
{
  const bool is_cholesky = e->kept_factor_ops[instr->factor] == TG_EXPORT_CHOLESKY;
  const bool trans = instr->trans[0];
  if (instr->op == TG_OP_INVERSE)
    return is_cholesky ? TG_EXPORT_CHOLESKY_INVERSE : trans ? TG_EXPORT_LU_INVERSE_TRANS : TG_EXPORT_LU_INVERSE;
  if (is_cholesky) return instr->right ? TG_EXPORT_CHOLESKY_RIGHT : TG_EXPORT_CHOLESKY_SOLVE;
  if (instr->right) return trans ? TG_EXPORT_LU_RIGHT_TRANS : TG_EXPORT_LU_RIGHT;
  return trans ? TG_EXPORT_LU_SOLVE_TRANS : TG_EXPORT_LU_SOLVE;
}

static tg_export_op row_of_values(const tg_export *e, const tg_instr *instr)
{
  if (e->plans[0]->factors[instr->factor].use == TG_FACTOR_OF_SVD) return TG_EXPORT_SINGULAR_VALUES;
  return instr->dims[0] == TG_DOMAIN_POSITIVE      ? TG_EXPORT_EIGENVALUES_SPD
         : instr->dims[0] == TG_DOMAIN_NONNEGATIVE ? TG_EXPORT_EIGENVALUES_PSD
                                                   : TG_EXPORT_EIGENVALUES;
}

static tg_export_op row_of(const tg_export *e, const tg_instr *instr)
{
  static const tg_export_op plain[TG_OPCODE_COUNT] = {
#define SAME(name) [TG_OP_##name] = TG_EXPORT_##name
      SAME(GEMM),    SAME(LINCOMB),  SAME(TRANSPOSE), SAME(ENTRYWISE), SAME(EWSUM), SAME(DOT),  SAME(TRACE),
      SAME(FETCH),   SAME(STORE),    SAME(SCALAR),    SAME(FILL),      SAME(EYE),   SAME(PICK), SAME(SLICE),
      SAME(COMM),    SAME(CHOLESKY), SAME(LU),        SAME(EIGEN),     SAME(SVD),   SAME(DIAG), SAME(DIAGVEC),
      SAME(RESHAPE), SAME(KRON),     SAME(KRON_LEFT), SAME(KRON_RIGHT)};
#undef SAME
  const tg_plan_buffer *out = &e->plans[0]->buffers[instr->out];
  switch (instr->op) {
  case TG_OP_GEMM:
    return instr->beta != 0.0 ? TG_EXPORT_GEMM_ADD : TG_EXPORT_GEMM;
  case TG_OP_TRIANGLE:
    return instr->trans[0] ? TG_EXPORT_LOWER : TG_EXPORT_UPPER;
  case TG_OP_LOGSUMEXP:
    return out->rows > 1 ? TG_EXPORT_LOGSUMEXP_ROWS : out->cols > 1 ? TG_EXPORT_LOGSUMEXP_COLS : TG_EXPORT_LOGSUMEXP;
  case TG_OP_CHOLESKY:
  case TG_OP_LU:
    return (tg_export_op)e->kept_factor_ops[instr->out];
  case TG_OP_VECTORS:
    if (e->plans[0]->factors[instr->factor].use != TG_FACTOR_OF_SVD) return TG_EXPORT_EIGENVECTORS;
    return instr->trans[0] ? TG_EXPORT_RIGHT_VECTORS : TG_EXPORT_LEFT_VECTORS;
  case TG_OP_VALUES:
    return row_of_values(e, instr);
  case TG_OP_SOLVE:
  case TG_OP_INVERSE:
    return row_of_factor_use(e, instr);
  case TG_OP_LOGDET:
    return TG_EXPORT_CHOLESKY_LOGDET; // defined for positive definite matrices alone
  case TG_OP_DET:
    return e->kept_factor_ops[instr->factor] == TG_EXPORT_CHOLESKY ? TG_EXPORT_CHOLESKY_DET : TG_EXPORT_LU_DET;
  default:
    return plain[instr->op];
  }
}

static tg_status add_dim(const tg_export *e, const tg_instr *const *instr, int k, tg_text *out)
{
  return tg_export_number(e, (double)instr[0]->dims[k], (double)instr[1]->dims[k], true, out);
}

static int32_t factor_number(const tg_instr *instr)
{
  return tg_opcode_traits(instr->op)->result == TG_RESULT_FACTOR ? instr->out : instr->factor;
}

static tg_status add_factor_size(const tg_export *e, const tg_instr *const *instr, bool columns, tg_text *out)
{
  const tg_plan_factor *first = &e->plans[0]->factors[factor_number(instr[0])];
  const tg_plan_factor *second = &e->plans[1]->factors[factor_number(instr[0])];
  return tg_export_number(e, (double)(columns ? first->cols : first->rows),
                          (double)(columns ? second->cols : second->rows), true, out);
}

static const char *result_name(const tg_export *e, const tg_instr *instr)
{
  return tg_opcode_traits(instr->op)->result == TG_RESULT_REGISTER ? e->registers[instr->out] : e->buffers[instr->out];
}

// Whether the first parenthesis is closed by the last.
static bool is_enclosed(const char *text, size_t length)
{
  int depth = 0;
  for (size_t k = 0; k < length; k++) {
    depth += (text[k] == '(') - (text[k] == ')');
    if (depth == 0) return k > 0 && k + 1 == length;
  }
  return false;
}

static tg_status add_expression(const tg_export *e, const tg_instr *const *instr, tg_text *out)
{
  tg_text text;
  if (instr[0]->op == TG_OP_LINCOMB) return add_lincomb(e, instr, out);
  tg_text_init(&text);
  const tg_status status = add_code(e, instr, &text);
  const char *string = tg_text_string(&text);
  const bool is_bare = out->length >= 2 && strcmp(out->data + out->length - 2, "= ") == 0;
  const size_t skipped = is_bare && is_enclosed(string, text.length) ? 1 : 0;
  tg_text_add_bytes(out, string + skipped, text.length - 2 * skipped);
  const tg_status printed = tg_text_status(&text);
  tg_text_fini(&text);
  return status == TG_OK ? printed : status;
}

static bool has_scale(const tg_instr *const *instr)
{
  return instr[0]->alpha.reg >= 0 || instr[0]->alpha.value != 1.0 || instr[1]->alpha.value != 1.0;
}

static tg_status add_operand(const tg_export *e, const tg_instr *instr, int k, bool turned, tg_text *out)
{
  tg_text_add(out, e->buffers[instr->in[k]]);
  if (turned && instr->trans[k]) tg_text_add(out, e->language->turn);
  return TG_OK;
}

// One mark of a template.
static tg_status add_mark(const tg_export *e, const tg_instr *const *instr, char mark, tg_text *out)
{
  const tg_instr *it = instr[0];
  switch (mark) {
  case 'o':
    tg_text_add(out, result_name(e, it));
    return TG_OK;
  case '0':
  case '1':
    return add_operand(e, it, mark - '0', false, out);
  case 'A':
  case 'B':
    return add_operand(e, it, mark - 'A', true, out);
  case 'T':
  case 'U':
    tg_text_add(out, it->trans[mark - 'T'] ? e->language->transposed : e->language->plain);
    return TG_OK;
  case '$':
    tg_text_add(out, "$");
    return TG_OK;
  case 's':
    return add_factor(e, instr[0]->alpha, instr[1]->alpha, out);
  case '(':
  case ')':
    if (has_scale(instr)) tg_text_add_bytes(out, &mark, 1);
    return TG_OK;
  case 'a':
    return add_coef(e, instr[0]->alpha, instr[1]->alpha, out);
  case 'e':
    return add_expression(e, instr, out);
  case 'r':
  case 'c':
    return tg_export_buffer_size(e, it->out, mark == 'c', out);
  case 'm':
  case 'n':
    return tg_export_buffer_size(e, it->in[0], mark == 'n', out);
  case 'p':
  case 'q':
    return tg_export_buffer_size(e, it->in[1], mark == 'q', out);
  case 'k':
    return tg_export_buffer_size(e, it->in[0], !it->trans[0], out);
  case 'i':
  case 'j':
    return add_dim(e, instr, mark - 'i', out);
  case 'h':
  case 'w':
    return add_factor_size(e, instr, mark == 'w', out);
  case 'f':
    tg_text_addf(out, "%d", (int)e->factors[factor_number(it)]);
    return TG_OK;
  case 'x':
    tg_text_add(out, tg_export_variable(e, 0)->name);
    return TG_OK;
  default:
    TG_FAIL(TG_INTERNAL, "a template of %s has the mark '%c'", e->language->title, mark);
  }
}

static tg_status add_template(const tg_export *e, const tg_instr *const *instr, const char *template, tg_text *out)
{
  for (const char *c = template; *c != '\0'; c++) {
    if (*c == '$')
      TG_TRY(add_mark(e, instr, *++c, out));
    else
      tg_text_add_bytes(out, c, 1);
    if (*c == '\n') tg_text_add(out, e->language->indent);
  }
  return TG_OK;
}

// An expression that depends on less than all entries is spread over the shape: the template stands in for $e.
static tg_status add_spread(const tg_export *e, const tg_instr *const *instr, const char *template, tg_text *out)
{
  tg_text wide;
  tg_text_init(&wide);
  const char *before = strstr(template, "$e");
  tg_text_add_bytes(&wide, template, (size_t)(before - template));
  for (const char *c = e->language->spread; *c != '\0'; c++) {
    const bool is_size = c[0] == '$' && (c[1] == 'r' || c[1] == 'c');
    tg_text_add_bytes(&wide, c, 1);
    if (is_size && instr[0]->op == TG_OP_EWSUM) tg_text_add(&wide, *++c == 'r' ? "m" : "n");
  }
  tg_text_add(&wide, before + 2);
  tg_status status = tg_text_status(&wide);
  if (status == TG_OK) status = add_template(e, instr, tg_text_string(&wide), out);
  tg_text_fini(&wide);
  return status;
}

// What a temporary holds, unless a nominal size stands in it.
static void add_meaning(const tg_export *e, const tg_instr *instr, tg_text *out)
{
  if (tg_opcode_traits(instr->op)->result != TG_RESULT_BUFFER) return;
  const tg_plan_buffer *buffer = &e->plans[0]->buffers[instr->out];
  if (buffer->storage < 0 || buffer->name == NULL || buffer->name[0] == '\0') return;
  if (strcmp(buffer->name, e->plans[1]->buffers[instr->out].name) != 0 || strchr(buffer->name, '\n') != NULL) return;
  if (strstr(buffer->name, "D_") != NULL) return; // the plan's own name of a direction
  tg_text_addf(out, "  %s %s", e->language->comment, buffer->name);
}

static tg_status add_statement(tg_export *e, const tg_instr *const *instr)
{
  const tg_export_op op = row_of(e, instr[0]);
  const char *template = e->language->ops[op];
  const bool has_code = instr[0]->op == TG_OP_ENTRYWISE || instr[0]->op == TG_OP_EWSUM;
  if (template == NULL)
    TG_FAIL(TG_UNSUPPORTED, "%s has no export of the operation %s", e->language->title, tg_opcode_label(instr[0]->op));
  tg_text_add(&e->body, e->language->indent);
  if (has_code && e->language->spread != NULL && !fills_shape(e->plans[0], instr[0]))
    TG_TRY(add_spread(e, instr, template, &e->body));
  else
    TG_TRY(add_template(e, instr, template, &e->body));
  if (strchr(template, '\n') == NULL) add_meaning(e, instr[0], &e->body);
  tg_text_add(&e->body, "\n");
  return tg_text_status(&e->body);
}

// Which rows make and use a factor: a logarithmic determinant is that of a Cholesky factor.
static tg_status find_factor_ops(tg_export *e)
{
  for (int32_t k = 0; k < e->n_live; k++) {
    const tg_instr *instr = e->live[(ptrdiff_t)2 * k];
    if (instr->op == TG_OP_CHOLESKY) e->kept_factor_ops[instr->out] = TG_EXPORT_CHOLESKY;
    if (instr->op == TG_OP_LU) e->kept_factor_ops[instr->out] = TG_EXPORT_LU;
  }
  // In value and gradient as in the Hessian product: whether there is one is a property of the plan.
  for (int p = 0; p < TG_PROGRAM_COUNT; p++)
    for (int32_t k = 0; k < e->plans[0]->programs[p].n_instrs; k++) {
      const tg_instr *instr = &e->plans[0]->programs[p].instrs[k];
      if (instr->op == TG_OP_LOGDET) e->kept_factor_ops[instr->factor] = TG_EXPORT_CHOLESKY;
    }
  return TG_OK;
}

tg_status tg_export_statements(tg_export *e, bool hessian)
{
  int64_t products = 0;
  tg_text_clear(&e->body);
  forget_results(e);
  TG_TRY(find_live(e, hessian));
  TG_TRY(name_results(e));
  TG_TRY(find_factor_ops(e));
  for (int32_t k = 0; k < e->n_live; k++) {
    products += tg_instr_is_product(e->live[(ptrdiff_t)2 * k]);
    TG_TRY(add_statement(e, &e->live[(ptrdiff_t)2 * k]));
  }
  *(hessian ? &e->hessian_products : &e->products) = products;
  return TG_OK;
}
