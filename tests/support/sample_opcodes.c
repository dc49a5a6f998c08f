// One plan for every operation, with all its forms: what both executors must agree on.
#include "support/sample_plans.h"

#include <inttypes.h>
#include <math.h>

#include "grad/graph/entry.h"

// Sizes and the builder; every result goes to a new CONSTANT buffer or register.
typedef struct bench {
  tg_plan_builder *b;
  int64_t m;
  int64_t n;
  int64_t k;
  int32_t scale; // a register with a fixed content
} bench;

static int32_t result(const bench *s, int64_t rows, int64_t cols)
{
  return tg_plan_builder_buffer(s->b, TG_BUFFER_CONSTANT, rows, cols, "result");
}

static int32_t operand(const bench *s, const char *name, int64_t rows, int64_t cols)
{
  return tg_plan_builder_data(s->b, name, rows, cols);
}

// All four transpositions, number and register scale, fresh and added to.
static void sample_gemm(const bench *s)
{
  const int32_t a[2] = {operand(s, "A", s->m, s->k), operand(s, "At", s->k, s->m)};
  const int32_t b[2] = {operand(s, "B", s->k, s->n), operand(s, "Bt", s->n, s->k)};
  for (int form = 0; form < 4; form++) {
    const int ta = form & 1;
    const int tb = form >> 1;
    const int32_t out = result(s, s->m, s->n);
    plan_emit_gemm(s->b, TG_PROGRAM_SETUP, out, tg_coef_number(-1.5), a[ta], ta != 0, b[tb], tb != 0, 0);
    plan_emit_gemm(s->b, TG_PROGRAM_SETUP, out, tg_coef_register(2, s->scale), a[ta], ta != 0, b[tb], tb != 0, 1);
  }
  // The same operand twice.
  plan_emit_gemm(s->b, TG_PROGRAM_SETUP, result(s, s->k, s->k), tg_coef_number(1), a[0], true, a[0], false, 0);
  plan_emit_gemm(s->b, TG_PROGRAM_SETUP, result(s, s->m, s->m), tg_coef_number(1), a[0], false, a[0], true, 0);
  // A symmetric operand, on either side, transposed or not: the hint must not change the result.
  const int32_t sym = operand(s, "S", s->k, s->k);
  tg_instr instr = tg_instr_make(TG_OP_GEMM, result(s, s->m, s->k));
  const int32_t in[2] = {a[0], sym};
  instr.n_in = 2;
  instr.in = in;
  instr.symmetric[1] = true;
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  instr.trans[1] = true;
  instr.out = result(s, s->m, s->k);
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  // Its square.
  const int32_t twice[2] = {sym, sym};
  instr = tg_instr_make(TG_OP_GEMM, result(s, s->k, s->k));
  instr.n_in = 2;
  instr.in = twice;
  instr.symmetric[0] = instr.symmetric[1] = true;
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
}

static void sample_lincomb(const bench *s)
{
  const int32_t in[4] = {operand(s, "A", s->m, s->n), operand(s, "B", s->m, s->n), operand(s, "C", s->m, s->n),
                         operand(s, "D", s->m, s->n)};
  const tg_coef coefs[4] = {tg_coef_number(2), tg_coef_register(-1, s->scale), tg_coef_number(0.5), tg_coef_number(0)};
  for (int n = 1; n <= 4; n++) plan_emit_lincomb(s->b, TG_PROGRAM_SETUP, result(s, s->m, s->n), n, coefs, in);
  // In place: over the first, then over the last input.
  const int32_t out = result(s, s->m, s->n);
  const tg_coef one = tg_coef_number(1);
  plan_emit_lincomb(s->b, TG_PROGRAM_SETUP, out, 1, &one, in);
  plan_emit_lincomb(s->b, TG_PROGRAM_SETUP, out, 2, coefs, (const int32_t[]){out, in[1]});
  plan_emit_lincomb(s->b, TG_PROGRAM_SETUP, out, 3, coefs, (const int32_t[]){in[0], in[2], out});
}

static void sample_transpose(const bench *s)
{
  tg_instr instr = tg_instr_make(TG_OP_TRANSPOSE, result(s, s->n, s->m));
  const int32_t in = operand(s, "A", s->m, s->n);
  instr.n_in = 1;
  instr.in = &in;
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  instr.alpha = tg_coef_register(-3, s->scale);
  instr.out = result(s, s->n, s->m);
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
}

static const tg_entry_facts *entry_of(tg_code_op op)
{
  return tg_entry((tg_kind)((int)TG_ENTRY_FIRST + (int)op - (int)TG_CODE_ENTRY_FIRST));
}

// Every step of code once, over positive operands where the function needs them.
static void sample_steps(const bench *s, tg_opcode op)
{
  const int32_t in[2] = {operand(s, "P", s->m, s->n), operand(s, "P", s->m, s->n)};
  for (int step = TG_CODE_ADD; step < TG_CODE_ENTRY_FIRST; step++) {
    const bool binary = tg_code_arity((tg_code_op)step) == 2;
    const tg_code code[3] = {
        {TG_CODE_LOAD, 0, 0}, {binary ? TG_CODE_LOAD : (tg_code_op)step, binary ? 1 : 0, 0}, {(tg_code_op)step, 0, 0}};
    const int32_t out = op == TG_OP_EWSUM ? tg_plan_builder_register(s->b) : result(s, s->m, s->n);
    plan_emit_code(s->b, TG_PROGRAM_SETUP, op, out, 2, in, binary ? 3 : 2, code);
  }
  // Entrywise functions, of arguments among their samples.
  for (int step = TG_CODE_ENTRY_FIRST; step < TG_CODE_COUNT; step++) {
    const tg_entry_facts *f = entry_of((tg_code_op)step);
    const double half = 0.5 * (f->samples.high - f->samples.low);
    const tg_code code[] = {{TG_CODE_LOAD, 0, 0},
                            {TG_CODE_SIN, 0, 0},
                            {TG_CODE_NUMBER, 0, half},
                            {TG_CODE_MUL, 0, 0},
                            {TG_CODE_NUMBER, 0, f->samples.low + half},
                            {TG_CODE_ADD, 0, 0},
                            {(tg_code_op)step, 0, 0}};
    const int32_t out = op == TG_OP_EWSUM ? tg_plan_builder_register(s->b) : result(s, s->m, s->n);
    plan_emit_code(s->b, TG_PROGRAM_SETUP, op, out, 1, in, 7, code);
  }
}

// (A + row) * col - r * 0.25: broadcasts, a register, a number, a deep stack.
static void sample_broadcast(const bench *s, tg_opcode op)
{
  const int32_t in[3] = {operand(s, "A", s->m, s->n), operand(s, "R", s->m, 1), operand(s, "C", 1, s->n)};
  const tg_code code[] = {
      {TG_CODE_REG, s->scale, 0}, {TG_CODE_NUMBER, 0, 0.25}, {TG_CODE_LOAD, 0, 0},
      {TG_CODE_ROW, 1, 0},        {TG_CODE_ADD, 0, 0},       {TG_CODE_COL, 2, 0},
      {TG_CODE_MUL, 0, 0},        {TG_CODE_SUB, 0, 0},       {TG_CODE_MUL, 0, 0},
  };
  const int32_t out = op == TG_OP_EWSUM ? tg_plan_builder_register(s->b) : result(s, s->m, s->n);
  plan_emit_code(s->b, TG_PROGRAM_SETUP, op, out, 3, in, 9, code);
}

static void sample_deep_code(const bench *s, tg_opcode op)
{
  const int32_t in = operand(s, "A", s->m, s->n);
  tg_code code[2 * TG_CODE_DEPTH - 1];
  for (int step = 0; step < TG_CODE_DEPTH; step++) code[step] = (tg_code){TG_CODE_LOAD, 0, 0};
  for (int step = TG_CODE_DEPTH; step < 2 * TG_CODE_DEPTH - 1; step++)
    code[step] = (tg_code){step % 2 == 0 ? TG_CODE_ADD : TG_CODE_MUL, 0, 0};
  const int32_t out = op == TG_OP_EWSUM ? tg_plan_builder_register(s->b) : result(s, s->m, s->n);
  plan_emit_code(s->b, TG_PROGRAM_SETUP, op, out, 1, &in, 2 * TG_CODE_DEPTH - 1, code);
}

static void sample_entrywise(const bench *s)
{
  sample_steps(s, TG_OP_ENTRYWISE);
  sample_broadcast(s, TG_OP_ENTRYWISE);
  sample_deep_code(s, TG_OP_ENTRYWISE);
  // Signs of negative, zero and positive entries, and large arguments without overflow.
  const int32_t a = operand(s, "A", s->m, s->n);
  for (int step = TG_CODE_ENTRY_FIRST; step < TG_CODE_COUNT; step++) {
    const tg_entry_facts *f = entry_of((tg_code_op)step);
    if (!isfinite(f->value(-3000)) || !isfinite(f->value(3000))) continue;
    const tg_code code[] = {
        {TG_CODE_LOAD, 0, 0}, {TG_CODE_NUMBER, 0, 1000}, {TG_CODE_MUL, 0, 0}, {(tg_code_op)step, 0, 0}};
    plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_ENTRYWISE, result(s, s->m, s->n), 1, &a, 4, code);
  }
  // In place, and without an input.
  const int32_t out = result(s, s->m, s->n);
  const tg_code number[] = {{TG_CODE_NUMBER, 0, 3}};
  plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_ENTRYWISE, out, 0, NULL, 1, number);
  const tg_code product[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_LOAD, 1, 0}, {TG_CODE_MUL, 0, 0}};
  plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_ENTRYWISE, out, 2, (const int32_t[]){a, out}, 3, product);
}

static void sample_ewsum(const bench *s)
{
  sample_steps(s, TG_OP_EWSUM);
  sample_broadcast(s, TG_OP_EWSUM);
  sample_deep_code(s, TG_OP_EWSUM);
}

static void sample_dot(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->n);
  const int32_t b = operand(s, "B", s->m, s->n);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_DOT, tg_plan_builder_register(s->b), a, b);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_DOT, tg_plan_builder_register(s->b), a, a);
}

static void sample_trace(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->m);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_TRACE, tg_plan_builder_register(s->b), a);
}

// Through a 1 x 1 buffer and back, at once used as a coefficient.
static void sample_fetch(const bench *s)
{
  const int32_t reg = tg_plan_builder_register(s->b);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_FETCH, reg, operand(s, "A", 1, 1));
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_FILL, result(s, s->m, s->n), tg_coef_register(2, reg));
}

static void sample_store(const bench *s)
{
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_STORE, result(s, 1, 1), tg_coef_number(-4));
  const int32_t dot = tg_plan_builder_register(s->b);
  const int32_t a = operand(s, "A", s->m, s->n);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_DOT, dot, a, a);
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_STORE, result(s, 1, 1), tg_coef_register(0.5, dot));
}

// From reductions that are still under way, and from another scalar.
static void sample_scalar(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->m);
  const int32_t dot = tg_plan_builder_register(s->b);
  const int32_t trace = tg_plan_builder_register(s->b);
  const int32_t sum = tg_plan_builder_register(s->b);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_DOT, dot, a, a);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_TRACE, trace, a);
  const tg_code add[] = {{TG_CODE_REG, dot, 0}, {TG_CODE_REG, trace, 0}, {TG_CODE_ADD, 0, 0}};
  plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_SCALAR, sum, 0, NULL, 3, add);
  const tg_code root[] = {{TG_CODE_REG, sum, 0}, {TG_CODE_ABS, 0, 0}, {TG_CODE_SQRT, 0, 0}};
  plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_SCALAR, tg_plan_builder_register(s->b), 0, NULL, 3, root);
  // A register written twice: the second value counts.
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_TRACE, dot, a);
}

static void sample_filled(const bench *s)
{
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_FILL, result(s, s->m, s->n), tg_coef_number(2.5));
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_FILL, result(s, s->n, s->m), tg_coef_register(2, s->scale));
}

static void sample_eye(const bench *s)
{
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_EYE, result(s, s->m, s->m), tg_coef_number(1));
  plan_emit_make(s->b, TG_PROGRAM_SETUP, TG_OP_EYE, result(s, s->n, s->n), tg_coef_register(-2, s->scale));
}

// Products of sizes are kept small: a commutation or Kronecker matrix of 70 x 9 entries would be 630 x 630.
static int64_t small(int64_t size)
{
  return size > 6 ? 6 : size;
}

static void sample_comm(const bench *s)
{
  const int64_t m = small(s->m);
  const int64_t n = small(s->n);
  plan_emit_comm(s->b, TG_PROGRAM_SETUP, result(s, m * n, m * n), m, n);
  plan_emit_comm(s->b, TG_PROGRAM_SETUP, result(s, m * n, m * n), n, m);
}

static void sample_triangle(const bench *s)
{
  tg_instr instr = tg_instr_make(TG_OP_TRIANGLE, -1);
  for (int k = 0; k < 2; k++) {
    instr.trans[0] = k == 1;
    instr.out = result(s, s->m, s->n);
    tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  }
}

static void sample_pick(const bench *s)
{
  tg_instr instr = tg_instr_make(TG_OP_PICK, -1);
  for (int64_t offset = 0; offset < 3; offset++) {
    instr.dims[0] = offset;
    instr.out = result(s, s->m, s->m + 2);
    tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  }
}

// A part taken out, the whole put among zeros, and both at once.
static void sample_slice(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->n);
  const int64_t shifts[4][4] = {{s->m - 1, 0, 1, s->n},
                                {0, s->n - 1, s->m, 1},
                                {-2, -3, s->m + 4, s->n + 3},
                                {s->m / 2, -1, s->m - s->m / 2, s->n + 1}};
  for (int k = 0; k < 4; k++) {
    tg_instr instr = tg_instr_make(TG_OP_SLICE, result(s, shifts[k][2], shifts[k][3]));
    instr.n_in = 1;
    instr.in = &a;
    instr.dims[0] = shifts[k][0];
    instr.dims[1] = shifts[k][1];
    tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  }
}

// Samples entries around 0 and, since logsumexp is made for them, entries whose exp is infinite or zero.
static void sample_logsumexp(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->n);
  const int32_t shifted[2] = {result(s, s->m, s->n), result(s, s->m, s->n)};
  const int32_t in[3] = {a, shifted[0], shifted[1]};
  for (int k = 0; k < 2; k++) {
    const tg_code code[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_NUMBER, 0, k == 0 ? 2000 : -2000}, {TG_CODE_ADD, 0, 0}};
    plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_ENTRYWISE, shifted[k], 1, &a, 3, code);
  }
  for (int k = 0; k < 3; k++) {
    plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_LOGSUMEXP, result(s, 1, 1), in[k]);
    plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_LOGSUMEXP, result(s, s->m, 1), in[k]);
    plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_LOGSUMEXP, result(s, 1, s->n), in[k]);
  }
}

static int32_t factorise_buffer(const bench *s, tg_opcode op, int32_t matrix)
{
  const int32_t factor = tg_plan_builder_factor(s->b, s->m);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, op, factor, matrix);
  return factor;
}

static int32_t factorise(const bench *s, tg_opcode op, const char *name)
{
  return factorise_buffer(s, op, operand(s, name, s->m, s->m));
}

// From both sides, plain and transposed.
static void sample_solves(const bench *s, int32_t factor)
{
  const int32_t left = operand(s, "B", s->m, s->n);
  const int32_t right = operand(s, "C", s->n, s->m);
  for (int form = 0; form < 4; form++) {
    const bool from_right = (form & 1) != 0;
    const int32_t out = from_right ? result(s, s->n, s->m) : result(s, s->m, s->n);
    plan_emit_solve(s->b, TG_PROGRAM_SETUP, out, factor, form >= 2, from_right, from_right ? right : left);
  }
}

static void sample_cholesky(const bench *s)
{
  sample_solves(s, factorise(s, TG_OP_CHOLESKY, "S"));
}

static void sample_lu(const bench *s)
{
  sample_solves(s, factorise(s, TG_OP_LU, "U"));
}

static void sample_solve(const bench *s)
{
  sample_cholesky(s);
  sample_lu(s);
}

static void sample_inverse(const bench *s)
{
  const int32_t factors[2] = {factorise(s, TG_OP_CHOLESKY, "S"), factorise(s, TG_OP_LU, "U")};
  for (int form = 0; form < 4; form++)
    plan_emit_factored(s->b, TG_PROGRAM_SETUP, TG_OP_INVERSE, result(s, s->m, s->m), factors[form & 1], form >= 2);
}

// Whatever factorisation is asked for: logdet is that of a symmetric positive definite matrix.
static void sample_logdet(const bench *s)
{
  const int32_t matrix = operand(s, "S", s->m, s->m);
  const int32_t factors[2] = {factorise_buffer(s, TG_OP_CHOLESKY, matrix), factorise_buffer(s, TG_OP_LU, matrix)};
  for (int k = 0; k < 2; k++)
    plan_emit_factored(s->b, TG_PROGRAM_SETUP, TG_OP_LOGDET, tg_plan_builder_register(s->b), factors[k], false);
}

// Samples a row-swapped matrix too: its determinant is negative.
static void sample_det(const bench *s)
{
  const int32_t factors[2] = {factorise(s, TG_OP_CHOLESKY, "S"), factorise(s, TG_OP_LU, "U")};
  for (int k = 0; k < 2; k++)
    plan_emit_factored(s->b, TG_PROGRAM_SETUP, TG_OP_DET, tg_plan_builder_register(s->b), factors[k], false);
  const int32_t swap = tg_plan_builder_factor(s->b, 4);
  const int32_t swapped = result(s, 4, 4);
  plan_emit_comm(s->b, TG_PROGRAM_SETUP, swapped, 2, 2);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_LU, swap, swapped);
  plan_emit_factored(s->b, TG_PROGRAM_SETUP, TG_OP_DET, tg_plan_builder_register(s->b), swap, false);
}

// Vectors are temporaries, for their signs are free: what is made of them, L diag(v) R with the values and with ones.
static void add_recomposed(const bench *s, int64_t rows, int64_t cols, int32_t left, int32_t values, int32_t right,
                           bool trans)
{
  const int64_t k = rows < cols ? rows : cols;
  const int32_t line = result(s, 1, k);
  const int32_t scaled = tg_plan_builder_buffer(s->b, TG_BUFFER_TEMP, rows, k, "scaled");
  const int32_t in[2] = {left, line};
  const tg_code code[] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_COL, 1, 0}, {TG_CODE_MUL, 0, 0}};
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_TRANSPOSE, line, values);
  plan_emit_code(s->b, TG_PROGRAM_SETUP, TG_OP_ENTRYWISE, scaled, 2, in, 3, code);
  plan_emit_gemm(s->b, TG_PROGRAM_SETUP, result(s, rows, cols), tg_coef_number(1), scaled, false, right, trans, 0);
  plan_emit_gemm(s->b, TG_PROGRAM_SETUP, result(s, rows, cols), tg_coef_number(1), left, false, right, trans, 0);
}

static int32_t vectors(const bench *s, int32_t factor, bool right, int64_t rows, int64_t cols)
{
  const int32_t out = tg_plan_builder_buffer(s->b, TG_BUFFER_TEMP, rows, cols, "vectors");
  plan_emit_factored(s->b, TG_PROGRAM_SETUP, TG_OP_VECTORS, out, factor, right);
  return out;
}

static int32_t values(const bench *s, int32_t factor, int64_t count, tg_domain domain)
{
  tg_instr instr = tg_instr_make(TG_OP_VALUES, result(s, count, 1));
  instr.factor = factor;
  instr.dims[0] = (int64_t)domain;
  tg_plan_builder_append(s->b, TG_PROGRAM_SETUP, &instr);
  return instr.out;
}

// Of a definite matrix, and of one whose rank is 1 at most.
static void sample_eigen(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, 1);
  const int32_t gram = result(s, s->m, s->m);
  plan_emit_gemm(s->b, TG_PROGRAM_SETUP, gram, tg_coef_number(1), a, false, a, true, 0);
  for (int k = 0; k < 2; k++) {
    const tg_plan_factor shape = {.use = TG_FACTOR_OF_EIGEN, .rows = s->m, .cols = s->m};
    const int32_t factor = tg_plan_builder_factor_for(s->b, shape);
    plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_EIGEN, factor, k == 0 ? operand(s, "S", s->m, s->m) : gram);
    const int32_t q = vectors(s, factor, false, s->m, s->m);
    if (k == 0) values(s, factor, s->m, TG_DOMAIN_POSITIVE);
    values(s, factor, s->m, TG_DOMAIN_NONNEGATIVE);
    add_recomposed(s, s->m, s->m, q, values(s, factor, s->m, TG_DOMAIN_REAL), q, true);
  }
}

static void sample_svd(const bench *s)
{
  const int64_t count = s->m < s->n ? s->m : s->n;
  const tg_plan_factor shape = {.use = TG_FACTOR_OF_SVD, .rows = s->m, .cols = s->n};
  const int32_t factor = tg_plan_builder_factor_for(s->b, shape);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_SVD, factor, operand(s, "A", s->m, s->n));
  const int32_t left = vectors(s, factor, false, s->m, count);
  const int32_t right = vectors(s, factor, true, count, s->n);
  add_recomposed(s, s->m, s->n, left, values(s, factor, count, TG_DOMAIN_REAL), right, false);
}

static void sample_spectrum(const bench *s)
{
  sample_eigen(s);
  sample_svd(s);
}

static void sample_diag(const bench *s)
{
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_DIAG, result(s, s->m, s->m), operand(s, "A", s->m, 1));
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_DIAG, result(s, s->n, s->n), operand(s, "B", 1, s->n));
}

static void sample_diagvec(const bench *s)
{
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_DIAGVEC, result(s, s->m, 1), operand(s, "A", s->m, s->m));
}

static void sample_reshape(const bench *s)
{
  const int32_t a = operand(s, "A", s->m, s->n);
  const int32_t vector = result(s, s->m * s->n, 1);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_RESHAPE, vector, a);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_RESHAPE, result(s, s->n, s->m), vector);
  plan_emit_unary(s->b, TG_PROGRAM_SETUP, TG_OP_RESHAPE, result(s, 1, s->m * s->n), a);
}

static void sample_kron(const bench *s)
{
  const int64_t m = small(s->m);
  const int64_t n = small(s->n);
  const int64_t k = small(s->k);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_KRON, result(s, m * k, n * 2), operand(s, "A", m, n),
                   operand(s, "B", k, 2));
}

static void sample_kron_left(const bench *s)
{
  const int64_t m = small(s->m);
  const int64_t n = small(s->n);
  const int64_t k = small(s->k);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_KRON_LEFT, result(s, m, n), operand(s, "G", m * k, n * 2),
                   operand(s, "B", k, 2));
}

static void sample_kron_right(const bench *s)
{
  const int64_t m = small(s->m);
  const int64_t n = small(s->n);
  const int64_t k = small(s->k);
  plan_emit_binary(s->b, TG_PROGRAM_SETUP, TG_OP_KRON_RIGHT, result(s, k, 2), operand(s, "G", m * k, n * 2),
                   operand(s, "A", m, n));
}

typedef void (*sampler)(const bench *s);

static const sampler samplers[TG_OPCODE_COUNT] = {
    [TG_OP_GEMM] = sample_gemm,
    [TG_OP_LINCOMB] = sample_lincomb,
    [TG_OP_TRANSPOSE] = sample_transpose,
    [TG_OP_ENTRYWISE] = sample_entrywise,
    [TG_OP_EWSUM] = sample_ewsum,
    [TG_OP_DOT] = sample_dot,
    [TG_OP_TRACE] = sample_trace,
    [TG_OP_FETCH] = sample_fetch,
    [TG_OP_STORE] = sample_store,
    [TG_OP_SCALAR] = sample_scalar,
    [TG_OP_FILL] = sample_filled,
    [TG_OP_EYE] = sample_eye,
    [TG_OP_TRIANGLE] = sample_triangle,
    [TG_OP_LOGSUMEXP] = sample_logsumexp,
    [TG_OP_PICK] = sample_pick,
    [TG_OP_SLICE] = sample_slice,
    [TG_OP_COMM] = sample_comm,
    [TG_OP_CHOLESKY] = sample_cholesky,
    [TG_OP_LU] = sample_lu,
    [TG_OP_EIGEN] = sample_eigen,
    [TG_OP_SVD] = sample_svd,
    [TG_OP_VECTORS] = sample_spectrum,
    [TG_OP_VALUES] = sample_spectrum,
    [TG_OP_SOLVE] = sample_solve,
    [TG_OP_INVERSE] = sample_inverse,
    [TG_OP_LOGDET] = sample_logdet,
    [TG_OP_DET] = sample_det,
    [TG_OP_DIAG] = sample_diag,
    [TG_OP_DIAGVEC] = sample_diagvec,
    [TG_OP_RESHAPE] = sample_reshape,
    [TG_OP_KRON] = sample_kron,
    [TG_OP_KRON_LEFT] = sample_kron_left,
    [TG_OP_KRON_RIGHT] = sample_kron_right,
};

tg_status sample_plan_of_opcode(tg_opcode op, int64_t m, int64_t n, int64_t k, tg_plan **out)
{
  *out = NULL;
  if (samplers[op] == NULL) TG_FAIL(TG_INTERNAL, "operation '%s' has no sample", tg_opcode_label(op));
  bench s = {.m = m, .n = n, .k = k};
  TG_TRY(tg_plan_builder_create(&s.b));
  s.scale = tg_plan_builder_constant(s.b, 0.75);
  tg_plan_builder_set_value(s.b, s.scale);
  samplers[op](&s);
  const tg_status status = tg_plan_builder_finish(s.b, out);
  tg_plan_builder_destroy(&s.b);
  return status;
}
