// Whole objectives as plans written by hand, and the contents of their operands.
#include "support/sample_plans.h"

#include "base/memory.h"

// splitmix64 (Steele, Lea, Flood 2014) of the three arguments.
double sample_number(uint64_t seed, int64_t i, int64_t j)
{
  uint64_t z = seed * 0x9E3779B97F4A7C15u + (uint64_t)i * 0xD1B54A32D192ED03u + (uint64_t)j * 0x8CB92BA72F3D8DD7u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (double)(z >> 11) * 0x1p-52 - 1.0;
}

void sample_fill(const char *name, int64_t rows, int64_t cols, uint64_t seed, double *out)
{
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) {
      const bool mirrored = name[0] == 'S' && i < j;
      double value = mirrored ? sample_number(seed, j, i) : sample_number(seed, i, j);
      // Diagonally dominant: positive definite, or merely well conditioned.
      if ((name[0] == 'S' || name[0] == 'U') && i == j) value += (double)rows + 1;
      if (name[0] == 'P') value = 1 + value / 2;
      out[i + j * rows] = value;
    }
}

// ---- ridge ----

typedef struct ridge {
  tg_plan_builder *builder;
  int32_t x, y, w, xw, dw, xd, residual; // buffers
  int32_t value, fit, penalty;           // registers
  int32_t mu, step;
} ridge;

// residual = X W - Y from the state, f in its register.
static void ridge_value(const ridge *r, tg_program_id program)
{
  tg_plan_builder *b = r->builder;
  const tg_coef coefs[] = {tg_coef_number(1), tg_coef_number(-1)};
  const int32_t terms[] = {r->xw, r->y};
  plan_emit_lincomb(b, program, r->residual, 2, coefs, terms);
  plan_emit_binary(b, program, TG_OP_DOT, r->fit, r->residual, r->residual);
  plan_emit_binary(b, program, TG_OP_DOT, r->penalty, r->w, r->w);
  const tg_code sum[] = {
      {TG_CODE_REG, r->fit, 0}, {TG_CODE_REG, r->penalty, 0}, {TG_CODE_REG, r->mu, 0},
      {TG_CODE_MUL, 0, 0},      {TG_CODE_ADD, 0, 0},
  };
  plan_emit_code(b, program, TG_OP_SCALAR, r->value, 0, NULL, 5, sum);
}

// grad = 2 X' (X W - Y) + 2 mu W.
static void ridge_gradient(const ridge *r)
{
  tg_plan_builder *b = r->builder;
  const int32_t gradient = tg_plan_builder_block(b, TG_BUFFER_GRADIENT, 0);
  ridge_value(r, TG_PROGRAM_GRADIENT);
  const tg_coef scale = tg_coef_register(2, r->mu);
  plan_emit_lincomb(b, TG_PROGRAM_GRADIENT, gradient, 1, &scale, &r->w);
  plan_emit_gemm(b, TG_PROGRAM_GRADIENT, gradient, tg_coef_number(2), r->x, true, r->residual, false, 1);
}

// f(W + tD) = f + 2 t (<R, XD> + mu <W, D>) + t^2 (<XD, XD> + mu <D, D>).
static void ridge_line(const ridge *r)
{
  tg_plan_builder *b = r->builder;
  plan_emit_gemm(b, TG_PROGRAM_DIRECTION, r->xd, tg_coef_number(1), r->x, false, r->dw, false, 0);
  const tg_coef coefs[] = {tg_coef_number(1), tg_coef_number(-1)};
  const int32_t terms[] = {r->xw, r->y};
  plan_emit_lincomb(b, TG_PROGRAM_DIRECTION, r->residual, 2, coefs, terms);
  const int32_t pairs[4][2] = {{r->residual, r->xd}, {r->w, r->dw}, {r->xd, r->xd}, {r->dw, r->dw}};
  int32_t dots[4];
  for (int k = 0; k < 4; k++) {
    dots[k] = tg_plan_builder_register(b);
    plan_emit_binary(b, TG_PROGRAM_DIRECTION, TG_OP_DOT, dots[k], pairs[k][0], pairs[k][1]);
  }
  for (int power = 1; power <= 2; power++) {
    const tg_code code[] = {
        {TG_CODE_REG, dots[2 * power - 2], 0},
        {TG_CODE_REG, dots[2 * power - 1], 0},
        {TG_CODE_REG, r->mu, 0},
        {TG_CODE_MUL, 0, 0},
        {TG_CODE_ADD, 0, 0},
        {TG_CODE_NUMBER, 0, power == 1 ? 2.0 : 1.0},
        {TG_CODE_MUL, 0, 0},
    };
    const int32_t reg = tg_plan_builder_register(b);
    plan_emit_code(b, TG_PROGRAM_DIRECTION, TG_OP_SCALAR, reg, 0, NULL, 7, code);
    tg_plan_builder_set_line(b, power, reg);
  }
}

static void ridge_advance(const ridge *r)
{
  const tg_coef coefs[] = {tg_coef_number(1), tg_coef_register(1, r->step)};
  const int32_t terms[] = {r->xw, r->xd};
  plan_emit_lincomb(r->builder, TG_PROGRAM_ADVANCE, r->xw, 2, coefs, terms);
}

// H[V] = 2 X' X V + 2 mu V.
static void ridge_hessian(const ridge *r)
{
  tg_plan_builder *b = r->builder;
  const int32_t hessian = tg_plan_builder_block(b, TG_BUFFER_HESSIAN, 0);
  const tg_plan_buffer shape = *tg_plan_builder_buffer_info(b, r->xw);
  const int32_t xv = tg_plan_builder_buffer(b, TG_BUFFER_TEMP, shape.rows, shape.cols, "X*V");
  // The residual is dead here: the same memory serves.
  tg_plan_builder_share(b, xv, r->residual);
  plan_emit_gemm(b, TG_PROGRAM_HESSIAN, xv, tg_coef_number(1), r->x, false, r->dw, false, 0);
  const tg_coef scale = tg_coef_register(2, r->mu);
  plan_emit_lincomb(b, TG_PROGRAM_HESSIAN, hessian, 1, &scale, &r->dw);
  plan_emit_gemm(b, TG_PROGRAM_HESSIAN, hessian, tg_coef_number(2), r->x, true, xv, false, 1);
}

tg_status sample_plan_ridge(int64_t m, int64_t n, int64_t p, double mu, tg_plan **out)
{
  *out = NULL;
  ridge r = {0};
  TG_TRY(tg_plan_builder_create(&r.builder));
  tg_plan_builder *b = r.builder;
  r.x = tg_plan_builder_data(b, "X", m, n);
  r.y = tg_plan_builder_data(b, "Y", m, p);
  r.w = tg_plan_builder_variable(b, "W", n, p);
  r.dw = tg_plan_builder_block(b, TG_BUFFER_DIRECTION, 0);
  r.xw = tg_plan_builder_buffer(b, TG_BUFFER_STATE, m, p, "X*W");
  r.xd = tg_plan_builder_buffer(b, TG_BUFFER_STATE, m, p, "X*D");
  r.residual = tg_plan_builder_buffer(b, TG_BUFFER_TEMP, m, p, "X*W - Y");
  r.value = tg_plan_builder_register(b);
  r.fit = tg_plan_builder_register(b);
  r.penalty = tg_plan_builder_register(b);
  r.step = tg_plan_builder_register(b);
  r.mu = tg_plan_builder_constant(b, mu);
  tg_plan_builder_set_value(b, r.value);
  tg_plan_builder_set_step(b, r.step);
  tg_plan_builder_set_degree(b, 2);
  plan_emit_gemm(b, TG_PROGRAM_REFRESH, r.xw, tg_coef_number(1), r.x, false, r.w, false, 0);
  ridge_value(&r, TG_PROGRAM_VALUE);
  ridge_gradient(&r);
  ridge_line(&r);
  ridge_advance(&r);
  ridge_hessian(&r);
  const tg_status status = tg_plan_builder_finish(b, out);
  tg_plan_builder_destroy(&b);
  return status;
}

// ---- tr(A B A' C) ----

// <A, C A B>, and with it the other half C' A B' of the gradient.
tg_status sample_plan_trace(int64_t m, int64_t n, tg_plan **out)
{
  *out = NULL;
  tg_plan_builder *b = NULL;
  TG_TRY(tg_plan_builder_create(&b));
  const int32_t mb = tg_plan_builder_data(b, "B", n, n);
  const int32_t mc = tg_plan_builder_data(b, "C", m, m);
  const int32_t a = tg_plan_builder_variable(b, "A", m, n);
  const int32_t gradient = tg_plan_builder_block(b, TG_BUFFER_GRADIENT, 0);
  const int32_t ab = tg_plan_builder_buffer(b, TG_BUFFER_TEMP, m, n, "A*B");
  const int32_t cab = tg_plan_builder_buffer(b, TG_BUFFER_TEMP, m, n, "C*A*B");
  const int32_t value = tg_plan_builder_register(b);
  const tg_coef one = tg_coef_number(1);
  tg_plan_builder_set_value(b, value);
  tg_plan_builder_set_degree(b, 2);
  for (int p = TG_PROGRAM_VALUE; p <= TG_PROGRAM_GRADIENT; p++) {
    plan_emit_gemm(b, (tg_program_id)p, ab, one, a, false, mb, false, 0);
    plan_emit_gemm(b, (tg_program_id)p, cab, one, mc, false, ab, false, 0);
    plan_emit_binary(b, (tg_program_id)p, TG_OP_DOT, value, a, cab);
  }
  const tg_coef ones[] = {one};
  plan_emit_lincomb(b, TG_PROGRAM_GRADIENT, gradient, 1, ones, &cab);
  plan_emit_gemm(b, TG_PROGRAM_GRADIENT, ab, one, a, false, mb, true, 0);
  plan_emit_gemm(b, TG_PROGRAM_GRADIENT, gradient, one, mc, true, ab, false, 1);
  const tg_status status = tg_plan_builder_finish(b, out);
  tg_plan_builder_destroy(&b);
  return status;
}

// ---- tr(S X) - logdet X ----

tg_status sample_plan_logdet(int64_t n, tg_plan **out)
{
  *out = NULL;
  tg_plan_builder *b = NULL;
  TG_TRY(tg_plan_builder_create(&b));
  const int32_t s = tg_plan_builder_data(b, "S", n, n);
  const int32_t x = tg_plan_builder_variable(b, "X", n, n);
  const int32_t gradient = tg_plan_builder_block(b, TG_BUFFER_GRADIENT, 0);
  const int32_t inverse = tg_plan_builder_buffer(b, TG_BUFFER_TEMP, n, n, "inv(X)");
  const int32_t factor = tg_plan_builder_factor(b, n);
  const int32_t trace = tg_plan_builder_register(b);
  const int32_t logdet = tg_plan_builder_register(b);
  const int32_t value = tg_plan_builder_register(b);
  tg_plan_builder_set_value(b, value);
  const tg_code difference[] = {{TG_CODE_REG, trace, 0}, {TG_CODE_REG, logdet, 0}, {TG_CODE_SUB, 0, 0}};
  for (int p = TG_PROGRAM_VALUE; p <= TG_PROGRAM_GRADIENT; p++) {
    plan_emit_binary(b, (tg_program_id)p, TG_OP_DOT, trace, s, x);
    plan_emit_unary(b, (tg_program_id)p, TG_OP_CHOLESKY, factor, x);
    plan_emit_factored(b, (tg_program_id)p, TG_OP_LOGDET, logdet, factor, false);
    plan_emit_code(b, (tg_program_id)p, TG_OP_SCALAR, value, 0, NULL, 3, difference);
  }
  plan_emit_factored(b, TG_PROGRAM_GRADIENT, TG_OP_INVERSE, inverse, factor, true);
  const tg_coef coefs[] = {tg_coef_number(1), tg_coef_number(-1)};
  const int32_t terms[] = {s, inverse};
  plan_emit_lincomb(b, TG_PROGRAM_GRADIENT, gradient, 2, coefs, terms);
  const tg_status status = tg_plan_builder_finish(b, out);
  tg_plan_builder_destroy(&b);
  return status;
}
